"""Reads files of every supported format; the format is found by content.

registry       parse_file(), parse_bytes(): the entry points
port           what a parser is
fhir_json      Bundles and single resources
bulk_ndjson    Bulk Data files, one resource a line, of any size
notes          plain text and Markdown
guidelines     Markdown, HTML and PDF documents with provenance
html_text, pdf_text, text_bytes   how their words are found
"""
