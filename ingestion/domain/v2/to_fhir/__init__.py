"""HL7 v2 messages mapped to FHIR R4 resources, by the rules of the HL7 Version 2 to FHIR guide.

https://hl7.org/fhir/uv/v2mappings/ (STU 1); deviations are said where they are made.
"""

from ingestion.domain.v2.to_fhir.mapping import NotMapped, map_message

__all__ = ["NotMapped", "map_message"]
