"""What clinical words mean the same: names, synonyms and abbreviations, and the cues that change a statement.

Every table is a data file beside this package and names its source and status.
"""
