"""Reads JSON lines and says, without quoting them, what is wrong with a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


class CaseFileError(ValueError):
    """A line of a gold set or of a file of gate pairs cannot be used.

    `line` counts from 1; `reason` is one of not-json, not-an-object, missing, wrong-type, empty,
    duplicate-id, no-cases; `key` is the element at fault, or "".
    """

    def __init__(self, line: int, reason: str, key: str = "") -> None:
        super().__init__(f"line {line}: {reason}{f' ({key})' if key else ''}")
        self.line = line
        self.reason = reason
        self.key = key


def objects(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, object) of each line that is not blank; each has an `id` of its own.

    Raises:
        CaseFileError: a line is no JSON object, or its `id` is missing, empty or taken.
    """
    seen: set[str] = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise CaseFileError(number, "not-json") from error
        if not isinstance(row, dict):
            raise CaseFileError(number, "not-an-object")
        identifier = text(row, "id", number)
        if identifier in seen:
            raise CaseFileError(number, "duplicate-id", "id")
        seen.add(identifier)
        yield number, row


def text(row: Mapping[str, Any], key: str, line: int) -> str:
    """Return a required text that is not blank.

    Raises:
        CaseFileError: it is missing, of another type, or blank.
    """
    value = _required(row, key, line)
    if not isinstance(value, str):
        raise CaseFileError(line, "wrong-type", key)
    if not value.strip():
        raise CaseFileError(line, "empty", key)
    return value


def flag(row: Mapping[str, Any], key: str, line: int) -> bool:
    """Return a required true or false.

    Raises:
        CaseFileError: it is missing or of another type.
    """
    value = _required(row, key, line)
    if not isinstance(value, bool):
        raise CaseFileError(line, "wrong-type", key)
    return value


def texts(row: Mapping[str, Any], key: str, line: int) -> tuple[str, ...]:
    """Return an optional list of texts; an absent key is an empty list.

    Raises:
        CaseFileError: it is no list, or holds something that is no text or is blank.
    """
    values = row.get(key, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise CaseFileError(line, "wrong-type", key)
    if not all(value.strip() for value in values):
        raise CaseFileError(line, "empty", key)
    return tuple(values)


def _required(row: Mapping[str, Any], key: str, line: int) -> object:
    if key not in row:
        raise CaseFileError(line, "missing", key)
    return row[key]
