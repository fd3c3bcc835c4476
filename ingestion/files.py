"""Takes files and folders in from the command line."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import sleep
from typing import TYPE_CHECKING, Any, Final

from ingestion import pipeline
from ingestion.models import IngestJob
from ingestion.receive import name_of, receive

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from ingestion.domain.items import ParseContext

FEED: Final = "files"
COUNTS: Final = ("received", "stored", "unchanged", "superseded", "unassigned")


@dataclass(slots=True)
class Report:
    """Counts over several jobs; received = the sum of the others and the quarantined."""

    received: int = 0
    stored: int = 0
    unchanged: int = 0
    superseded: int = 0
    unassigned: int = 0
    quarantined: list[dict[str, str]] = field(default_factory=list)

    def add(self, other: Report) -> None:
        """Add another report's counts."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.quarantined += other.quarantined

    def add_job(self, job: IngestJob) -> None:
        """Add a finished job."""
        for name in COUNTS:
            setattr(self, name, getattr(self, name) + getattr(job, name))
        source = name_of(job)
        self.quarantined += [
            {"source": source, "position": item.position, "reason": item.reason, "detail": item.detail}
            for item in job.quarantine.order_by("ordinal")
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the `ingest` shape."""
        return {name: getattr(self, name) for name in COUNTS} | {"quarantined": self.quarantined}


def files_below(paths: Sequence[Path]) -> list[Path]:
    """Return the files to take in: each path, or everything below a folder.

    Patient and Medication files of a bulk export come before what refers to them.
    """
    found = [file for path in paths for file in _walk(path)]
    return sorted(found, key=lambda file: (not file.name.startswith(("Patient", "Medication.")), str(file)))


def _walk(path: Path) -> Iterator[Path]:
    if path.is_dir():
        yield from (p for p in sorted(path.rglob("*")) if p.is_file() and not p.name.startswith("."))
    else:
        yield path


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
        paths: files and folders that exist.
        context: what the caller says about them.
        limits: largest resource and largest file, in bytes.
        clock: timezone-aware.
        progress: called after each file with its number, the number of files, and its job.
    """
    report = Report()
    files = files_below(paths)
    for number, path in enumerate(files, start=1):
        with path.open("rb") as file:
            job = receive(file, name=path.name, feed=FEED, context=context, now=clock(), wake=False)
        try:
            job = pipeline.run(job.pk, limits=limits, clock=clock, wake=False)
        except pipeline.NotDueError:  # a worker was quicker
            job = wait_for(job.pk)
        report.add_job(job)
        progress(number, len(files), job)
    return report


def wait_for(job_id: int) -> IngestJob:
    """Wait until a worker has finished a job."""
    while True:
        job = IngestJob.objects.get(pk=job_id)
        if job.state in {IngestJob.State.DONE, IngestJob.State.FAILED}:
            return job
        sleep(0.2)
