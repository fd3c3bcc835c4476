"""What this machine remembers of a signer: the root it started from, the newest metadata and time it has seen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tuf.api.metadata import Metadata, Root, Timestamp
from tuf.api.serialization import DeserializationError

from appliance.release.files import MediumError, opened
from appliance.release.signer import WeakRootError, fingerprint, same

if TYPE_CHECKING:
    from pathlib import Path

SIGNED_AT: Final = "x-appliance-signed-at"
LARGEST_METADATA: Final = 8 << 20  # bytes
_CLOCK: Final = "clock.json"
# A clock may lag a little behind the signer's; with more than this, expiry would mean nothing.
_SLACK: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Signer:
    """Whom to trust: his fingerprint, and the root to start from (None: the remembered one)."""

    fingerprint: str
    bootstrap: bytes | None


def signer(metadata: Path, trust: Path, typed: str | None) -> Signer:
    """Return the remembered signer, else the one among the medium's roots whose fingerprint was typed in.

    Raises:
        MediumError: nothing was typed and nobody is remembered, or it is the fingerprint of somebody else.
    """
    remembered = trust / "root.json"
    if remembered.exists():
        known = [_fingerprint(path) for path in (trust / "root_history").glob("*.root.json")]
        if typed is not None and not any(same(typed, one) for one in known):
            raise MediumError("fingerprint", "the fingerprint typed in is not that of the signer this machine knows")
        return Signer(_fingerprint(remembered.resolve()), None)
    if typed is None:
        raise MediumError("fingerprint", "type in the signer's fingerprint from the paper sheet")
    for path in sorted(metadata.glob("*.root.json")):
        found = _fingerprint(path)
        if same(typed, found):
            return Signer(found, _content(path))
    raise MediumError("fingerprint", "the fingerprint typed in is not that of this medium's signer")


def check_clock(metadata: Path, trust: Path, now: datetime) -> None:
    """Refuse a clock that stands before what was signed already: expiry would mean nothing.

    What the medium itself says is not verified yet here; it can only make the check stricter.

    Raises:
        MediumError: the clock is more than a day behind.
    """
    times = [_signed_at(path) for path in (trust / "timestamp.json", metadata / "timestamp.json") if path.exists()]
    if (trust / _CLOCK).exists():
        times.append(datetime.fromisoformat(json.loads((trust / _CLOCK).read_text())["signed_at"]))
    if times and now < max(times) - _SLACK:
        raise MediumError(
            "clock", f"this machine's clock says {now:%Y-%m-%d %H:%M} UTC, before the medium was signed: set the clock"
        )


def remember(trust: Path) -> datetime:
    """Keep and return the time at which the newest trusted metadata was signed.

    Raises:
        MediumError: the metadata does not say.
    """
    at = _signed_at(trust / "timestamp.json")
    partial = trust / f"{_CLOCK}.partial"
    partial.write_text(json.dumps({"signed_at": at.isoformat()}))
    partial.replace(trust / _CLOCK)
    return at


def versions(trust: Path) -> dict[str, int]:
    """Return the highest version seen of each role; empty where nothing was ever verified."""
    roles = {name: trust / f"{name}.json" for name in ("root", "timestamp", "snapshot", "targets")}
    return {name: Metadata.from_file(str(path)).signed.version for name, path in roles.items() if path.exists()}


def _content(path: Path) -> bytes:
    with opened(path) as file:
        return file.read(LARGEST_METADATA)


def _fingerprint(path: Path) -> str:
    try:
        return fingerprint(Metadata[Root].from_bytes(_content(path)).signed)
    except (DeserializationError, WeakRootError, KeyError, ValueError) as error:
        raise MediumError("metadata", f"{path.name} cannot be used ({type(error).__name__})") from None


def _signed_at(path: Path) -> datetime:
    try:
        stated = Metadata[Timestamp].from_bytes(_content(path)).signed.unrecognized_fields[SIGNED_AT]
        at = datetime.fromisoformat(stated)
    except (DeserializationError, KeyError, ValueError, TypeError):
        raise MediumError("metadata", "the metadata does not say when it was signed") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
