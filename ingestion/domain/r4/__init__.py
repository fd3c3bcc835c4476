"""Checks JSON against HL7 FHIR R4: element names, types, cardinality, formats, choices and required codes.

r4_tables.json   the facts of the edition (written by build_tables.py)
tables           reads them
primitives       formats of the primitive types
structs          one msgspec Struct a type, built at first use
issues           what can be wrong, as code and path
json_rules       rules of the bytes: encoding, nesting, duplicate keys
check            the entry point: check_resource()
references       urn:uuid: and absolute references become Type/id
"""
