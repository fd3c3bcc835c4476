"""The command says why the HL7 v2 door does not open, and warns of one that is open to everybody."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from ingestion.mllp.server import Server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _free_port(settings: Any) -> None:
    settings.INGESTION_MLLP = {**settings.INGESTION_MLLP, "address": ("127.0.0.1", 0)}


def test_a_port_that_is_taken_is_named_as_the_reason(settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.INGESTION_MLLP = {**settings.INGESTION_MLLP, "address": taken.getsockname()}

        with pytest.raises(CommandError, match="Address already in use"):
            call_command("mllp")


@pytest.mark.parametrize("given", [{"certificate": Path("door.crt")}, {"client_authority": Path("site.pem")}])
def test_half_a_tls_configuration_does_not_open_a_plain_door(settings: Any, given: dict[str, Path]) -> None:
    settings.INGESTION_MLLP = {**settings.INGESTION_MLLP, **given}

    with pytest.raises(CommandError, match="TLS needs both"):
        call_command("mllp")


def test_a_certificate_that_is_missing_does_not_open_a_plain_door(settings: Any, tmp_path: Path) -> None:
    files = {"certificate": tmp_path / "door.crt", "key": tmp_path / "door.key"}
    settings.INGESTION_MLLP = {**settings.INGESTION_MLLP, **files}

    with pytest.raises(CommandError, match="No such file"):
        call_command("mllp")


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])  # noqa: S104 - is what is warned of
def test_a_door_open_to_the_network_without_certificates_is_warned_of(
    settings: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], host: str, *, warned: bool
) -> None:
    settings.INGESTION_MLLP = {**settings.INGESTION_MLLP, "address": (host, 0)}
    monkeypatch.setattr(Server, "serve", lambda self: self._listener.close())
    monkeypatch.setattr("signal.signal", lambda *_: None)

    call_command("mllp")

    assert ("no client certificate" in capsys.readouterr().err) is warned
