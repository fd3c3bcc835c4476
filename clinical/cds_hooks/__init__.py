"""CDS Hooks 2.0 service: discovery, four hooks and feedback; facts by code only, no model on the path.

Source: https://cds-hooks.hl7.org/2.0/
"""
