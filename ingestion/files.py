"""Takes files and folders in from the command line."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass, field
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from ingestion import pipeline
from ingestion.models import IngestJob
from ingestion.originals import FileChangedError
from ingestion.receive import name_of, receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from ingestion.domain.items import ParseContext

FEED: Final = "files"
COUNTS: Final = ("received", "stored", "unchanged", "superseded", "unassigned")
WHOLE_FILE: Final = "whole file"


class UnreadableFileError(Exception):
    """A file cannot be read. `detail` is a code: `no-permission`, `not-found`, `not-a-file`, `changing` ..."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


@dataclass(slots=True)
class Report:
    """Counts over several jobs; received = the sum of the others and the quarantined."""

    received: int = 0
    stored: int = 0
    unchanged: int = 0
    superseded: int = 0
    unassigned: int = 0
    quarantined: list[dict[str, str]] = field(default_factory=list)
    unreadable: int = 0  # files; each is among the quarantined

    def add(self, other: Report) -> None:
        """Add another report's counts."""
        for name in (*COUNTS, "unreadable"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.quarantined += other.quarantined

    def add_job(self, job: IngestJob) -> None:
        """Add a finished job."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(job, name))
        source = name_of(job)
        self.quarantined += [
            {
                "source": source,
                "position": item.position or WHOLE_FILE,
                "reason": item.reason,
                "detail": item.detail,
            }
            for item in job.quarantine.order_by("ordinal")
        ]

    def add_unreadable(self, path: Path, detail: str) -> None:
        """Add a file of which nothing could be kept: it is in no ledger, so the caller has to be told."""
        self.received += 1
        self.unreadable += 1
        name = os.fsencode(path.name).decode(errors="replace")
        self.quarantined.append({"source": name, "position": WHOLE_FILE, "reason": "unreadable-file", "detail": detail})

    def as_json(self) -> dict[str, Any]:
        """Return the `ingest` shape."""
        return {name: getattr(self, name) for name in COUNTS} | {"quarantined": self.quarantined}


def files_below(paths: Sequence[Path]) -> list[Path]:
    """Return the files to take in: each path, or everything below a folder but hidden files.

    Patient and Medication files of a bulk export come before what refers to them. A folder that cannot
    be listed stands in the list itself, so that it is reported.
    """
    found = [file for path in paths for file in _walk(path)]
    return sorted(found, key=lambda file: (not file.name.startswith(("Patient", "Medication.")), str(file)))


def _walk(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    refused: list[OSError] = []
    seen: set[Path] = set()
    for folder, below, names in os.walk(path, onerror=refused.append, followlinks=True):
        real = Path(folder).resolve()
        if real in seen:  # a link to a folder that was walked already, or to one above it
            below.clear()
            continue
        seen.add(real)
        yield from (Path(folder, name) for name in names if not name.startswith("."))
    yield from (Path(os.fsdecode(error.filename)) for error in refused)


def take_in_files(
    paths: Sequence[Path],
    *,
    context: ParseContext,
    limits: tuple[int, int],
    clock: Callable[[], datetime],
    progress: Callable[[int, int, IngestJob], None],
) -> Report:
    """Keep every file, then work its job through here; what is interrupted stays due in the ledger.

    Args:
        paths: files and folders; what cannot be read is reported and the rest goes in.
        context: what the caller says about them.
        limits: largest resource and largest file, in bytes.
        clock: timezone-aware.
        progress: called after each file with its number, the number of files, and its job.
    """
    report = Report()
    files = files_below(paths)
    for number, path in enumerate(files, start=1):
        try:
            job = _keep(path, context=context, now=clock())
        except UnreadableFileError as error:
            report.add_unreadable(path, error.detail)
            continue
        job = _work_through(job.pk, limits=limits, clock=clock)
        report.add_job(job)
        progress(number, len(files), job)
    return report


def _keep(path: Path, *, context: ParseContext, now: datetime) -> IngestJob:
    """Keep one file and write its job.

    Raises:
        UnreadableFileError: it is gone, forbidden, no regular file, or was written to meanwhile.
    """
    try:
        if not path.is_file():
            raise UnreadableFileError("not-a-file" if path.exists() else "not-found")
        file = path.open("rb")
    except OSError as error:
        raise UnreadableFileError(_code(error)) from None
    with file:
        try:
            return receive(file, name=path.name, feed=FEED, context=context, now=now, wake=False)
        except FileChangedError:
            raise UnreadableFileError("changing") from None


def _code(error: OSError) -> str:
    codes = {errno.EACCES: "no-permission", errno.EPERM: "no-permission", errno.ENOENT: "not-found"}
    return codes.get(error.errno or 0, errno.errorcode.get(error.errno or 0, "unreadable"))


def _work_through(job_id: int, *, limits: tuple[int, int], clock: Callable[[], datetime]) -> IngestJob:
    """Bring a job to its end, here or, when a worker was quicker, by waiting for that one."""
    while True:
        try:
            return pipeline.run(job_id, limits=limits, clock=clock, wake=False)
        except (pipeline.NotDueError, pipeline.LeaseLostError):
            job = IngestJob.objects.get(pk=job_id)
            if job.state in {IngestJob.State.DONE, IngestJob.State.FAILED}:
                return job
            sleep(0.2)
