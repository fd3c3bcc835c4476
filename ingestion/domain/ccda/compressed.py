"""The compressed body of an unstructured document, unpacked within bounds.

Source: HL7 v3 data types, ED.compression; codes DF, GZ and ZL of CompressionAlgorithm (RFC 1951, 1952 and 1950;
https://terminology.hl7.org/CodeSystem-v3-CompressionAlgorithm.html). Others, such as Z and BZ, are not unpacked.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Final

LARGEST: Final = 50 * 2**20
"""Bytes that a body may have once it is unpacked; a larger one stays packed and is counted as not read."""
_PACKED: Final = "application/octet-stream"
# How zlib is told each form. Some senders write what RFC 1950 frames where DF means RFC 1951 alone.
_FORMS: Final = {"DF": (-zlib.MAX_WBITS, zlib.MAX_WBITS), "GZ": (zlib.MAX_WBITS + 16,), "ZL": (zlib.MAX_WBITS,)}


def unpacked(data: str, algorithm: str, media: str) -> tuple[str, str]:
    """Return the media type and base64 of a body.

    Args:
        data: base64 without white space.
        algorithm: the code of ED.compression.
        media: the type of the body once it is unpacked.

    Returns:
        `application/octet-stream` and `data` as it came where it cannot be unpacked or would be too large.
    """
    try:
        packed = base64.b64decode(data, validate=True)
    except binascii.Error:
        return media, data
    for form in _FORMS.get(algorithm, ()):
        body = _inflate(packed, form)
        if body is not None:
            return media, base64.b64encode(body).decode()
    return _PACKED, data


def _inflate(packed: bytes, form: int) -> bytes | None:
    """Return the bytes; None for damaged ones, ones cut short, and more than `LARGEST`."""
    unpacking = zlib.decompressobj(form)
    try:
        body = unpacking.decompress(packed, LARGEST)
    except zlib.error:
        return None
    return body if unpacking.eof else None
