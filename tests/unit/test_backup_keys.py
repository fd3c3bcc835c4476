"""Keys of backups that are no keys are refused in words, and never made over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from appliance.backup.keys import KeyRefusedError, Signer, new_identity, read_identity, recipient_of, signed_by
from appliance.config import Config

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("content", [b"", b"AGE-SECRET-KEY-1NOPE\n", b"\xff\xfe", b"# only a remark\n"])
def test_a_file_that_holds_no_identity_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "identity"
    path.write_bytes(content)
    with pytest.raises(KeyRefusedError, match="bad-identity"):
        read_identity(path)


def test_a_missing_identity_is_refused_and_one_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "identity"
    with pytest.raises(KeyRefusedError, match="bad-identity"):
        read_identity(path)
    public = new_identity(path)
    with pytest.raises(KeyRefusedError, match="exists"):
        new_identity(path)
    assert str(read_identity(path).to_public()) == public


def test_a_recipient_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyRefusedError, match="bad-recipient"):
        recipient_of(Config(var=tmp_path, backup_recipient="age1nope"))


def test_a_signature_names_its_signer_and_holds_for_these_bytes_only() -> None:
    signer = Signer("ab" * 32)
    assert signed_by(b"words", signer.sign(b"words")) is not None
    assert signed_by(b"other", signer.sign(b"words")) is None
    assert signed_by(b"words", b"short") is None
