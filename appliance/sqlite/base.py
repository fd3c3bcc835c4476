"""Django's SQLite backend, with writers that queue (`appliance.sqlite.turns`) before they ask SQLite for its lock.

A turn is as long as a transaction, or as one statement that writes outside of one. Reading never waits.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.db.backends.sqlite3 import base

from appliance.sqlite.turns import turns_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.sqlite.turns import Turns

_WRITES: Final = ("INSERT", "UPDATE", "DELETE", "REPLACE")


class _Cursor(base.SQLiteCursorWrapper):
    """Waits for a turn where a statement is a transaction of its own."""

    of: DatabaseWrapper

    def execute(self, query: str, params: Any = None) -> Any:  # noqa: ANN401 - as Django's
        if not self.of.writes_alone(query):
            return super().execute(query, params)
        return self.of.in_turn(lambda: super(_Cursor, self).execute(query, params))

    def executemany(self, query: str, param_list: Any) -> Any:  # noqa: ANN401 - as Django's
        if not self.of.writes_alone(query):
            return super().executemany(query, param_list)
        return self.of.in_turn(lambda: super(_Cursor, self).executemany(query, param_list))


class DatabaseWrapper(base.DatabaseWrapper):
    """One connection, which holds the turn while it is in a transaction."""

    _turn: Turns | None = None

    def writes_alone(self, query: str) -> bool:
        """Return whether a statement writes outside of a transaction."""
        return not self.in_atomic_block and query.lstrip()[:7].upper().startswith(_WRITES)

    def in_turn(self, write: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever it returns
        """Do what writes when this connection's turn has come."""
        self._take()
        try:
            return write()
        finally:
            self._give_back()

    def create_cursor(self, name: Any = None) -> _Cursor:  # noqa: ANN401 - as Django's
        """Return a cursor of this connection."""
        del name
        cursor: _Cursor = self.connection.cursor(factory=_Cursor)
        cursor.of = self
        return cursor

    def _start_transaction_under_autocommit(self) -> None:
        self._take()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]  # not in the stubs
        except BaseException:
            self._give_back()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]  # where it fails, it is rolled back next, by the caller
        self._give_back()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._give_back()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._give_back()

    def _take(self) -> None:
        if self._turn is None and not self.is_in_memory_db():
            turns = turns_of(Path(self.settings_dict["NAME"]))
            self._turn = turns if turns.take() else None

    def _give_back(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.give_back()
