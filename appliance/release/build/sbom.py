"""The bill of materials in CycloneDX 1.6 JSON, and the licence texts.

Source: CycloneDX specification 1.6 (ECMA-424), JSON; package URL specification for `purl`.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

    from appliance.release.build.debs import Deb
    from appliance.release.build.wheels import Wheel

_NAMESPACE: Final = uuid.UUID("5f5a3f3e-6a0c-4d6e-9f0e-0c1b8a7d2e41")  # any constant


@dataclass(frozen=True, slots=True)
class Part:
    """A component: `kind` is CycloneDX's type, `purl` is empty where there is no registry behind it."""

    kind: str
    name: str
    version: str
    sha256: str
    licence: str
    purl: str = ""


def of_wheel(wheel: Wheel) -> Part:
    """Return the component of a wheel."""
    name = wheel.name.lower().replace("_", "-")
    purl = f"pkg:pypi/{quote(name)}@{quote(wheel.version)}"
    return Part("library", wheel.name, wheel.version, wheel.sha256, wheel.licence, purl)


def of_deb(deb: Deb, licence: str) -> Part:
    """Return the component of a Debian package."""
    architecture = deb.file_name.rpartition("_")[2].removesuffix(".deb")
    purl = f"pkg:deb/debian/{quote(deb.name)}@{quote(deb.version)}?arch={architecture}&distro=debian-12"
    return Part("library", deb.name, deb.version, deb.sha256, licence, purl)


def bill(name: str, version: str, timestamp: str, parts: Iterable[Part]) -> str:
    """Return the bill as JSON text; the same parts give the same serial number."""
    components = [_component(part) for part in sorted(set(parts), key=lambda part: (part.purl, part.name, part.sha256))]
    serial = uuid.uuid5(_NAMESPACE, json.dumps([name, version, components], sort_keys=True))
    content = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "timestamp": timestamp,
            "component": {"type": "application", "bom-ref": f"{name}@{version}", "name": name, "version": version},
        },
        "components": components,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def licence_book(entries: Iterable[tuple[str, str]]) -> str:
    """Return the texts one after the other, each under its package's name."""
    return "".join(f"{'=' * 100}\n{title}\n{'=' * 100}\n{text.strip()}\n\n" for title, text in entries)


def _component(part: Part) -> dict[str, Any]:
    component: dict[str, Any] = {
        "type": part.kind,
        "bom-ref": part.purl or f"{part.name}@{part.version}#{part.sha256[:12]}",
        "name": part.name,
        "version": part.version,
        "hashes": [{"alg": "SHA-256", "content": part.sha256}],
        "licenses": [{"license": {"name": part.licence}}],
    }
    return component | ({"purl": part.purl} if part.purl else {})
