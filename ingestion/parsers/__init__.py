"""Reads files of every supported format; the format is found by content.

registry       parse_file(), parse_bytes(): the entry points
port           what a parser is
fhir_json      Bundles and single resources
bulk_ndjson    Bulk Data files, one resource a line, of any size
hl7v2          HL7 v2 messages, batches and dumps of MLLP streams
ccda           C-CDA documents
mapped_items   what both make, checked one by one
notes          plain text and Markdown
documents      PDF, DOCX, RTF and HTML about a patient
attached       documents inside FHIR resources
guidelines     Markdown, HTML, PDF, DOCX and RTF with provenance
extraction     the process in which documents are read
html_text, text_bytes   how words are found in HTML and text files
"""
