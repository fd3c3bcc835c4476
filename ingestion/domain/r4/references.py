"""Resolves the references of a Bundle's resources (https://hl7.org/fhir/R4/bundle.html#references).

Only the text of a reference changes; every other byte of the resource stays as it came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from urllib.parse import unquote

import msgspec

_REFERENCE = re.compile(rb'("reference"\s*:\s*"(?=urn:|http|[A-Z][A-Za-z]+\?))([^"]+)')
_URN_START = b'"urn:uuid:'
_KEYS = (b'"reference"', b'"url"')
_USUAL = (b'"reference": ', b'"reference":', b'"reference" : ')
_QUOTE = b'"'[0]
_UUID_LENGTH = 36
_NEAR = 80  # bytes before a value in which its key is looked for; more white space than that is never there
_RESTFUL = re.compile(r"^(https?://.+)/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(/_history/[A-Za-z0-9\-.]{1,64})?$")
_CONDITIONAL = re.compile(r"^([A-Z][A-Za-z]+)\?identifier=([^&]+)$")
_URN_UUID = "urn:uuid:"


class _Identifier(msgspec.Struct):
    system: str = ""
    value: str = ""


class _Identified(msgspec.Struct):
    identifier: list[_Identifier] = []


_identified = msgspec.json.Decoder(_Identified)

IdentifiedResources = Callable[[str], Iterable[tuple[str, bytes]]]
"""Gives, for a resource type, the id and JSON of each resource of the Bundle."""


def split_full_url(full_url: str) -> tuple[str, str]:
    """Return (server base, id) of a fullUrl; "" for what it does not say (urn:uuid: names no server)."""
    if full_url.startswith(_URN_UUID):
        return "", full_url.removeprefix(_URN_UUID).lower()
    restful = _RESTFUL.match(full_url)
    return (restful[1], restful[3]) if restful else ("", "")


class ReferenceMap:
    """Knows the resources of one Bundle by fullUrl and, when asked, by identifier."""

    def __init__(self, resources_of: IdentifiedResources) -> None:
        self._by_url: dict[str, str] = {}
        self._urns: dict[bytes, bytes] = {}
        self._has_others = False
        self._by_identifier: dict[str, dict[str, str]] = {}
        self._resources_of = resources_of

    def add(self, full_url: str, resource_type: str, resource_id: str) -> None:
        """Say that `full_url` names resource_type/resource_id."""
        target = f"{resource_type}/{resource_id}"
        if full_url.startswith(_URN_UUID):
            name = full_url[len(_URN_UUID) :]
            self._urns[name.encode()] = self._urns[name.lower().encode()] = target.encode()
        else:
            self._by_url[full_url] = target
            self._has_others = True

    def resolve(self, content: bytes, base: str) -> bytes:
        """Return the resource with references resolved; the same object when nothing changed.

        A reference becomes Type/id when it is a fullUrl of the Bundle that names no server, an absolute URL
        on `base` (the server of the resource's own fullUrl, "" for none), or `Type?identifier=system|value`
        that one resource of the Bundle alone carries. Any other reference stays as it is.
        """
        content = self._urns_resolved(content)
        if not (self._has_others or base or b"?identifier=" in content):
            return content

        def replace(match: re.Match[bytes]) -> bytes:
            start, reference = match.groups()
            target = self._target(_text(reference), base)
            return match[0] if target is None else start + target.encode("ascii")

        return _REFERENCE.sub(replace, content)

    def _urns_resolved(self, content: bytes) -> bytes:
        parts = content.split(_URN_START)
        if len(parts) == 1:
            return content
        usual = self._urns.get
        before = parts[0]
        for index in range(1, len(parts)):
            part = parts[index]
            target = usual(part[:_UUID_LENGTH])
            if target and part[_UUID_LENGTH] == _QUOTE and before.endswith(_USUAL):
                parts[index] = b'"' + target + part[_UUID_LENGTH:]
            else:
                parts[index] = self._urn_resolved(before, part)
            before = part
        return b"".join(parts)

    def _urn_resolved(self, before: bytes, part: bytes) -> bytes:
        name, quote, rest = part.partition(b'"')
        target = self._urns.get(name) or self._urns.get(name.lower())
        if target and quote and before[-_NEAR:].rstrip(b" \t\r\n:").endswith(_KEYS):
            return b'"' + target + quote + rest
        return _URN_START + part

    def _target(self, reference: str, base: str) -> str | None:
        if "?" in reference and not reference.startswith("http"):
            return self._conditional(reference)
        restful = _RESTFUL.match(reference)
        if restful:
            return f"{restful[2]}/{restful[3]}{restful[4] or ''}" if restful[1] == base else None
        return self._by_url.get(reference)

    def _conditional(self, reference: str) -> str | None:
        parts = _CONDITIONAL.match(reference)
        if not parts:
            return None
        known = self._by_identifier.get(parts[1])
        if known is None:
            known = self._by_identifier[parts[1]] = self._index(parts[1])
        return known.get(unquote(parts[2])) or None

    def _index(self, resource_type: str) -> dict[str, str]:
        index: dict[str, str] = {}
        for resource_id, content in self._resources_of(resource_type):
            try:
                identifiers = _identified.decode(content).identifier
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            target = f"{resource_type}/{resource_id}"
            for identifier in identifiers:
                token = f"{identifier.system}|{identifier.value}"
                index[token] = target if index.get(token, target) == target else ""  # two carriers: ambiguous
        return index


def _text(reference: bytes) -> str:
    """Return the JSON text between two quotation marks; one cut at an escaped mark names nothing."""
    if b"\\" not in reference:
        return reference.decode()
    try:
        return str(json.loads(b'"' + reference + b'"'))
    except ValueError:
        return ""
