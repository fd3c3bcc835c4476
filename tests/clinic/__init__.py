"""The installation, tried for real: a Debian machine in a container that boots systemd, between an EHR and a ward."""
