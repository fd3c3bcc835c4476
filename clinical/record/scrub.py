"""What a database keeps of deleted rows: free pages and the write-ahead log are overwritten after an erasure.

Without it the bytes of a destroyed key could still be read from the file by whoever has the master key.
Backups and a PostgreSQL archive of the log are outside: the site's retention has to end them.
"""

from __future__ import annotations

from typing import Final

from django.db import connection

# What makes an erased patient readable or known again: wrapped keys, and the digests of identifiers.
_TABLES: Final = ("clinical_datakey", "clinical_patientidentifier", "ingestion_original")


def overwrite_freed() -> None:
    """Make SQLite overwrite with zeros what this connection deletes from now on; nothing on PostgreSQL."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def overwrite_what_was_freed() -> bool:
    """Remove what the log (SQLite) or the tables (PostgreSQL) still hold of deleted rows.

    Returns:
        Whether it was done; not inside a transaction, and on SQLite not while somebody reads.
    """
    if connection.in_atomic_block:
        return False
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            busy, _log, _done = cursor.fetchone()
            return not busy
        cursor.execute("VACUUM FULL " + ", ".join(_TABLES))
    return True
