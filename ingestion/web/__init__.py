"""The operator's page of what came in."""
