"""SQLite as this box uses it: writers take turns, and doors come before bulk work."""
