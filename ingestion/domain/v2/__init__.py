"""HL7 version 2: messages as they travel (MLLP frames, ER7 text), before anything is mapped to FHIR."""

from ingestion.domain.v2.message import Message, Segment, V2Error, parse_message

__all__ = ["Message", "Segment", "V2Error", "parse_message"]
