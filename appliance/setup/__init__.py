"""Set-up of a fresh machine; it runs before any dependency is there: standard library only."""
