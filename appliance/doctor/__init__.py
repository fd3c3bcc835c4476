"""Says in plain words what is wrong with this installation, and the exact command that mends it."""
