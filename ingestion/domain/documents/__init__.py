"""Documents that people wrote for people: what was read from them, and the DocumentReference they become.

extracted     the words of a document by page, and what could not be read
rtf, docx     readers of two formats that need nothing but the standard library
kinds         which format bytes are in
attachments   hash and size of attachments; the words read stand beside them
upload        a file that a person handed in, as DocumentReference
"""
