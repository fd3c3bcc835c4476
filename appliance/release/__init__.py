"""Signed media: one verifier for releases, updates and models; the builder; the switch from release to release."""
