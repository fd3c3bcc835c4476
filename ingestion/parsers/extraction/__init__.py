"""Reads documents whose formats are not to be trusted, in a process of its own with limits.

run         the parent's side: extract()
child       the process: one document in, its pages out, then it ends
pdf_pages   the text layer of a PDF, and pictures of its pages (PDFium)
ocr         the words of a picture (Tesseract)
"""
