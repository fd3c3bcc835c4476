"""Copies of both databases as they were at one moment, and what the copy of the record holds.

The record is copied before the trail: whatever the record's copy knows of has its row in the trail's copy.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from django.conf import settings
from django.db import connections, transaction

from appliance.backup.manifest import BackupRefusedError, RecordContents, TrailContents
from appliance.config import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    Ask = Callable[[str], Iterable[tuple[Any, ...]]]

Seen = TypeVar("Seen")
SQLITE: Final = "sqlite"
POSTGRESQL: Final = "postgresql"
_PAGES: Final = 2048  # copied at a time, so that writers are not kept waiting
_FETCHED: Final = 2000


def engine() -> str:
    """Return which kind of database this installation has."""
    return POSTGRESQL if connections["default"].vendor == "postgresql" else SQLITE


def file_of(alias: str) -> str:
    """Return the name of a database's copy inside a backup."""
    name = "record" if alias == "default" else alias
    return f"{name}.sqlite3" if engine() == SQLITE else f"{name}.dump"


def copy(alias: str, folder: Path, look: Callable[[Ask], Seen]) -> Seen:
    """Copy one database into a folder.

    Args:
        alias: of the database.
        folder: where to.
        look: called with a function that runs SQL against the very state that is copied and yields its rows.

    Returns:
        What `look` returned.

    Raises:
        BackupRefusedError: `dump-failed`.
    """
    target = folder / file_of(alias)
    if engine() == SQLITE:
        source = sqlite3.connect(settings.DATABASES[alias]["NAME"])
        with closing(source), closing(sqlite3.connect(target)) as copied:
            source.backup(copied, pages=_PAGES, sleep=0.01)
            target.chmod(0o600)
            return look(copied.execute)
    with _exported(alias) as (name, ask):
        _dump(alias, target, name)
        return look(ask)


def record_contents(ask: Ask) -> RecordContents:
    """Return what a record's database holds."""
    versions = "SELECT server, resource_type, logical_id, number, sha256 FROM clinical_resourceversion ORDER BY id"
    answers = "SELECT id, outcome, status, result FROM clinical_answer ORDER BY id"
    return RecordContents(
        patients=_count(ask, "clinical_patient"),
        versions=_count(ask, "clinical_resourceversion"),
        versions_digest=_digest(ask(versions)),
        answers=_count(ask, "clinical_answer"),
        answers_digest=_digest(ask(answers)),
        passages=_count(ask, "clinical_passagerow"),
        guideline_passages=_count(ask, "clinical_guidelinepassagerow"),
        originals=_count(ask, "ingestion_original"),
        receipts=_count(ask, "clinical_deletionreceipt"),
    )


def trail_contents(ask: Ask) -> TrailContents:
    """Return what a trail's database holds."""
    rows = list(ask("SELECT seq, hash FROM clinical_auditevent ORDER BY seq DESC LIMIT 1"))
    return TrailContents(int(rows[0][0]), str(rows[0][1])) if rows else TrailContents(0, "")


def live(alias: str) -> Ask:
    """Return what runs SQL against a database of this installation."""

    def ask(sql: str) -> Iterable[tuple[Any, ...]]:
        with connections[alias].cursor() as cursor:
            cursor.execute(sql)
            while rows := cursor.fetchmany(_FETCHED):
                yield from rows

    return ask


def connection_arguments(alias: str) -> tuple[list[str], dict[str, str]]:
    """Return arguments and environment of PostgreSQL's own programs; a password is never an argument."""
    database = settings.DATABASES[alias]
    options = {"--host": database["HOST"], "--port": database["PORT"], "--username": database["USER"]}
    arguments = [word for name, value in options.items() if value for word in (name, str(value))]
    given = {**environment(), "PGPASSWORD": database["PASSWORD"]} if database["PASSWORD"] else {**environment()}
    return arguments, given


@contextmanager
def _exported(alias: str) -> Iterator[tuple[str, Ask]]:
    """Hold one state of a PostgreSQL database still; yields its name for pg_dump."""
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute("SELECT pg_export_snapshot()")
        yield cursor.fetchone()[0], live(alias)


def _dump(alias: str, target: Path, snapshot: str) -> None:
    arguments, given = connection_arguments(alias)
    options = ["--format", "custom", "--no-owner", "--no-privileges", "--snapshot", snapshot]
    name = settings.DATABASES[alias]["NAME"]
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        try:
            subprocess.run(["pg_dump", *arguments, *options, "--dbname", name], env=given, stdout=file, check=True)
        except (OSError, subprocess.CalledProcessError):
            raise BackupRefusedError("dump-failed", target.name) from None


def _count(ask: Ask, table: str) -> int:
    return int(next(iter(ask(f"SELECT COUNT(*) FROM {table}")))[0])  # noqa: S608 - names of our own tables


def _digest(rows: Iterable[tuple[Any, ...]]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        for value in row:
            if isinstance(value, (bytes, memoryview)):
                digest.update(bytes(value))
            else:
                digest.update(str(value).encode())
            digest.update(b"\x1f")
        digest.update(b"\x1e")
    return digest.hexdigest()
