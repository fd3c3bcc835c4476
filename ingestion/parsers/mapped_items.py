"""What a mapping to FHIR R4 made, as items: each checked, and refused by itself where it is no valid R4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from ingestion.domain.items import RejectedItem, ResourceItem
from ingestion.domain.r4.check import check_resource
from ingestion.domain.r4.issues import InvalidResourceError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ingestion.domain.items import Item
    from ingestion.domain.mapped import Mapped

# What a value nobody foresaw can cause in a mapping; the file's other parts go in all the same.
FAULTS_OF_A_MAPPING: Final = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)
_encode: Final = msgspec.json.Encoder(decimal_format="number").encode


def items_of(found: Iterable[Mapped], *, server: str, place: str = "", max_resource_bytes: int) -> Iterator[Item]:
    """Yield each resource with its position, which is `place` and the part of the original it came from."""
    for one in found:
        position = f"{place} {one.place}".strip()
        content = _encode(one.resource)
        if len(content) > max_resource_bytes:
            yield RejectedItem(position, "resource-too-large", str(one.resource["resourceType"]))
            continue
        try:
            checked = check_resource(content)
        except InvalidResourceError as error:
            yield RejectedItem(position, error.issue.code, error.issue.path)
        else:
            yield ResourceItem(position, checked.resource_type, checked.resource_id, content, server=server)


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone of this name, UTC where there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
