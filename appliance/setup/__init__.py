"""Set-up of a fresh machine; runs before any dependency is installed, so it uses the standard library only."""
