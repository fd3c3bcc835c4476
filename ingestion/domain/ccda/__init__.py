"""C-CDA R2.1 documents: sections as narrative, entries mapped to FHIR R4.

Source: HL7 CDA R2 Implementation Guide: Consolidated CDA Templates, release 2.1; HL7 C-CDA on FHIR guide.
"""

from ingestion.domain.ccda.document import read_document
from ingestion.domain.ccda.xml import CcdaError

__all__ = ["CcdaError", "read_document"]
