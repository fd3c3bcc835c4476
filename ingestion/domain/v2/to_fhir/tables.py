"""Code tables of the mapping."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

_FILE: Final = Path(__file__).with_name("tables.json")
V2_TABLE: Final = "http://terminology.hl7.org/CodeSystem/v2-"


@cache
def tables() -> dict[str, dict[str, Any]]:
    """Return the tables by name."""
    read: dict[str, dict[str, Any]] = msgspec.json.decode(_FILE.read_bytes())
    return read


def look_up(table: str, code: str, default: str = "") -> str:
    """Return what a code maps to, or the default."""
    found = tables()[table].get(code, default)
    return found if isinstance(found, str) else default


def system_of(name: str) -> str:
    """Return the FHIR system of a v2 coding system name; a name without one is kept as a URN of its own."""
    if not name:
        return ""
    known = tables()["system"].get(name) or tables()["system"].get(name.upper())
    if known:
        return str(known)
    if name.upper().startswith("HL7") and name[3:].isdigit():
        return V2_TABLE + name[3:].zfill(4)
    if name.startswith(("urn:", "http://", "https://")):
        return name
    if name.replace(".", "").isdigit() and "." in name:
        return f"urn:oid:{name}"
    return f"urn:hl7v2:coding-system:{_urn(name)}"


def authority_of(namespace: str, universal: str = "", kind: str = "") -> str:
    """Return the Identifier.system of an assigning authority (HD); "" when it names nobody.

    A namespace alone means something to the sender only: it becomes a URN that a site lists among its
    known authorities.
    """
    if universal:
        match kind.upper():
            case "ISO":
                return f"urn:oid:{universal}"
            case "UUID" | "GUID":
                return f"urn:uuid:{universal.lower()}"
            case "URI" | "URL":
                return universal
            case _:
                return f"urn:hl7v2:authority:{_urn(universal)}"
    return f"urn:hl7v2:authority:{_urn(namespace)}" if namespace else ""


def _urn(name: str) -> str:
    return "".join(one if one.isalnum() or one in "-._" else "-" for one in name.strip())
