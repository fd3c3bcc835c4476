"""The figures: each a ratio against something measured in the same run (`manage.py bench`)."""
