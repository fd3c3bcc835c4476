"""Deletions, written beside the backups as they happen: a restored backup forgets none that came after it.

One file a receipt, encrypted like a backup and signed; written once and never changed. It tells that and what was
deleted, not what it held.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import pyrage

from appliance.backup import manifest
from appliance.backup.keys import SIGNATURE_SUFFIX
from clinical.models import DeletionReceipt

if TYPE_CHECKING:
    from pathlib import Path

    from pyrage.x25519 import Identity, Recipient

    from appliance.backup.keys import Signer

_SEALED: Final = ".age"


class Noted(msgspec.Struct, frozen=True):
    """A deletion as it stands in the journal; times are ISO 8601 with zone."""

    id: str
    kind: str
    patient_id: str
    resource: str
    reason: str
    user_id: str
    begun_at: str
    before: dict[str, Any]
    after: dict[str, Any]


def write_new(root: Path, signer: Signer, recipient: Recipient) -> int:
    """Write the receipts that are not in the journal yet; returns how many."""
    folder = root / manifest.RECEIPTS
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    there = {path.stem for path in folder.glob(f"*{_SEALED}")}
    written = 0
    for row in DeletionReceipt.objects.order_by("begun_at"):
        if str(row.id) in there:
            continue
        content = pyrage.encrypt(msgspec.json.encode(_noted(row)), [recipient])
        # The content last: a file that is there is whole and has its signature.
        manifest.put(folder / f"{row.id}{SIGNATURE_SUFFIX}", signer.sign(content))
        manifest.put(folder / f"{row.id}{_SEALED}", content)
        written += 1
    return written


def read_new(root: Path, *, known: set[str], identity: Identity, signer: str) -> list[Noted]:
    """Return the deletions of the journal that a backup does not know, oldest first.

    Raises:
        BackupRefusedError: `not-signed`, `other-signer`, `damaged`; a journal that cannot be read whole
            is not passed over, because what it lost may be a patient's erasure.
    """
    found: list[Noted] = []
    for path in sorted((root / manifest.RECEIPTS).glob(f"*{_SEALED}")):
        if path.stem in known:
            continue
        content, signature = path.read_bytes(), path.with_suffix(SIGNATURE_SUFFIX)
        signed = signature.read_bytes() if signature.is_file() else b""
        manifest.check_signer(content, signed, signer=signer, where=path.name)
        try:
            found.append(msgspec.json.decode(pyrage.decrypt(content, [identity]), type=Noted))
        except (msgspec.MsgspecError, pyrage.DecryptError):
            raise manifest.BackupRefusedError("damaged", path.name) from None
    return sorted(found, key=lambda one: one.begun_at)


def _noted(row: DeletionReceipt) -> Noted:
    return Noted(
        id=str(row.id),
        kind=row.kind,
        patient_id=str(row.patient_id or ""),
        resource=row.resource,
        reason=row.reason,
        user_id=row.user_id,
        begun_at=row.begun_at.isoformat(),
        before=row.before,
        after=row.after,
    )
