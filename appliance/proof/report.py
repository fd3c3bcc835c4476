"""The report: written as JSON and for reading, signed by this installation, read again and checked."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

import msgspec

from appliance.backup.keys import SIGNATURE_SUFFIX, Signer, fingerprint, signed_by
from appliance.proof.judge import BROKEN, HELD
from appliance.proof.shapes import Report

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from appliance.config import Config
    from appliance.proof.shapes import Call, Check, Phase

READABLE: Final = ".md"
_PREFIX, _SUFFIX, _STAMP = "egress-", ".json", "%Y%m%dT%H%M%SZ"
_VERDICTS: Final = {
    HELD: "Nothing left, as far as it was watched.",
    BROKEN: "Something is not as it should be: see the lines marked NO.",
}
_UNPROVED: Final = "Nothing was proved here: no run could be made."


class ReportRefusedError(Exception):
    """A report is not what it should be. `reason`: `not-a-report`, `not-signed`, `other-signer`, `altered`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def folder_of(settings: Config) -> Path:
    """Return where reports are kept unless told otherwise."""
    return settings.var / "proofs"


def file_of(settings: Config, now: datetime) -> Path:
    """Return the file of a report made now."""
    return folder_of(settings) / f"{_PREFIX}{now.strftime(_STAMP)}{_SUFFIX}"


def write(report: Report, file: Path, signer: Signer) -> str:
    """Write the report as JSON, beside it the readable form, and a signature of each; return the signer's fingerprint.

    There is no patient text in it, so that everybody on the machine may read it.
    """
    if not file.parent.exists():
        file.parent.mkdir(parents=True)
        file.parent.chmod(0o755)
    content = msgspec.json.format(msgspec.json.encode(report, order="deterministic"), indent=1)
    by = fingerprint(signer.public)
    readable = as_text(report, digest=hashlib.sha256(content).hexdigest(), signer=by).encode()
    for path, what in ((file, content), (readable_of(file), readable)):
        for place, held in ((path.with_name(path.name + SIGNATURE_SUFFIX), signer.sign(what)), (path, what)):
            place.write_bytes(held)
            place.chmod(0o644)  # whatever the unit's own mask is: the privacy officer reads it
    return by


def readable_of(file: Path) -> Path:
    """Return the file of the readable form."""
    return file.with_suffix(READABLE)


def read(file: Path, *, signer: str = "") -> tuple[Report, str]:
    """Return a report and the fingerprint of the key that signed it.

    Args:
        file: the JSON form; the readable one beside it is checked too where it is there.
        signer: the fingerprint it must have; "" takes any.

    Raises:
        ReportRefusedError: see there.
    """
    try:
        content = file.read_bytes()
        by = signed_by(content, _signature(file))
        report = msgspec.json.decode(content, type=Report)
    except (OSError, msgspec.MsgspecError):
        raise ReportRefusedError("not-a-report") from None
    if by is None:
        raise ReportRefusedError("not-signed")
    if signer and _plain(signer) != _plain(by):
        raise ReportRefusedError("other-signer")
    readable = readable_of(file)
    if readable.exists() and signed_by(readable.read_bytes(), _signature(readable)) != by:
        raise ReportRefusedError("altered")
    return report, by


def newest(settings: Config) -> Path | None:
    """Return the newest report of this installation, None where there is none."""
    found = sorted(folder_of(settings).glob(f"{_PREFIX}*{_SUFFIX}"))
    return found[-1] if found else None


def as_text(report: Report, *, digest: str, signer: str) -> str:
    """Return the report for reading, as Markdown."""
    lines = [
        "# Egress report",
        "",
        f"**{report.verdict}**: {_VERDICTS.get(report.verdict, _UNPROVED)}",
        "",
        f"Made {report.made_at}, {report.form} form, in {report.seconds} s.",
        f"Product {report.product}; {report.machine}.",
        f"Signed by {signer}; sha256 of the JSON form {digest}.",
        "",
        *_section("Checks", _checks(report.checks)),
        *_section("Not covered", (f"- {one}" for one in report.not_covered)),
        *_section("Remarks", (f"- {one}" for one in report.remarks)),
        *_section("What was done", (line for one in report.phases for line in _phase(one))),
        *_section("Calls by process", _calls(report.calls)),
        *_section("Telemetry of every library", _telemetry(report.telemetry)),
    ]
    return "\n".join(lines) + "\n"


def _section(title: str, lines: Iterator[str]) -> list[str]:
    held = list(lines)
    return [f"## {title}", "", *held, ""] if held else []


def _checks(checks: list[Check]) -> Iterator[str]:
    words = {True: "yes", False: "NO", None: "not checked"}
    yield from ("| check | held | seen |", "| --- | --- | --- |")
    yield from (f"| {one.name} | {words[one.held]} | {_cell(one.words)} |" for one in checks)


def _phase(phase: Phase) -> Iterator[str]:
    yield from (f"### {phase.name}", "", "| step | worked | seconds | told |", "| --- | --- | --- | --- |")
    for one in phase.steps:
        yield f"| {one.name} | {'yes' if one.worked else 'NO'} | {one.seconds} | {_cell(one.told)} |"
    yield from ("", "| canary as | attempts |", "| --- | --- |")
    for canary in phase.canaries:
        yield f"| {canary.kind} | {_cell('; '.join(f'{name}: {end}' for name, end in canary.attempts.items()))} |"
    yield ""


def _calls(calls: list[Call]) -> Iterator[str]:
    if calls:
        yield from ("| process | to | allowed | what it is | times | ended |", "| --- | --- | --- | --- | --- | --- |")
    for one in calls:
        allowed = "yes" if one.allowed else "NO"
        yield f"| {one.kind} | `{one.destination}` | {allowed} | {one.about} | {one.count} | {one.outcome} |"


def _telemetry(rows: list[dict[str, str]]) -> Iterator[str]:
    yield from ("| library | environment | speaks | switch | found in |", "| --- | --- | --- | --- | --- |")
    for row in rows:
        yield f"| {' | '.join(_cell(row[k]) for k in ('library', 'environment', 'speaks', 'switches', 'found'))} |"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("\n", " ")


def _signature(file: Path) -> bytes:
    path = file.with_name(file.name + SIGNATURE_SUFFIX)
    return path.read_bytes() if path.is_file() else b""


def _plain(text: str) -> str:
    return "".join(text.split()).lower()
