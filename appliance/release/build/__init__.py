"""Makes a medium on a connected machine."""
