"""Backups: databases, originals, secrets and configuration, encrypted and signed; everything but weights."""
