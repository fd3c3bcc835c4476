"""Whether quotes tell what is asked of a thing, and not only name it: its date, level or result, somebody's name."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAME = re.compile(r"(?<=[a-z,:)] )[A-Z][a-z'\u2019-]{2,}")
_NO_NAME = re.compile(
    r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*|(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|Christmas|Easter"
)
_LISTED = re.compile(r"^\W*\d{1,2}[.)]\s")
_CLAUSE = re.compile(r"[;:]|,\s|\.\s")
_DIGIT = re.compile(r"\d")
_MOST_RELATED = 2


@dataclass(frozen=True, slots=True)
class _Row:
    asked: re.Pattern[str]
    told: re.Pattern[str] | None
    unless: re.Pattern[str] | None
    only: re.Pattern[str] | None
    named: bool
    related: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What of the quotes stands.

    `order` holds their places, those that tell it first. With `told` false none does, and `order` holds those that
    may stand beside "not documented": it was requested, and no more.
    """

    told: bool
    order: tuple[int, ...]


@cache
def _table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(files(__package__).joinpath("attributes.json").read_text(encoding="utf-8"))
    return loaded


@cache
def _rows() -> tuple[_Row, ...]:
    return tuple(
        _Row(
            re.compile(row["asked"], re.IGNORECASE),
            re.compile(row["told"]) if "told" in row else None,
            re.compile(row["unless"], re.IGNORECASE) if "unless" in row else None,
            re.compile(row["only"], re.IGNORECASE) if "only" in row else None,
            row.get("named", False),
            row["related"],
        )
        for row in _table()["rows"]
    )


@cache
def _pattern(name: str) -> re.Pattern[str]:
    return re.compile(_table()[name], re.IGNORECASE)


def attributes_told(question: str, quotes: Sequence[str], *, figure: bool = False) -> Told:
    """Return which quotes tell the attribute that a question asks for; all of them where it asks for none.

    Args:
        question: as typed.
        quotes: sentences of the record that name what it is about, best first.
        figure: a number is wanted besides.
    """
    rows = [one for one in _rows() if _asks(one, question)]
    result = bool(_pattern("result_asked").search(question)) and not _pattern("result_unless").search(question)
    figure = figure or bool(_pattern("figure_asked").search(question))
    unasked = not _pattern("unasked_asked").search(question)
    good = [
        at
        for at, quote in enumerate(quotes)
        if all(_tells(row, question, quote) for row in rows)
        and not (result and _only_awaited(quote))
        and (not figure or _DIGIT.search(_LISTED.sub("", quote)))
        and not (unasked and _pattern("unasked").search(quote))
    ]
    if good or not quotes:
        return Told(told=True, order=(*good, *(at for at in range(len(quotes)) if at not in good)))
    shown = range(min(len(quotes), _MOST_RELATED)) if all(row.related for row in rows) else ()
    return Told(told=False, order=tuple(shown))


def _asks(row: _Row, question: str) -> bool:
    if row.only is not None and not row.only.search(question):
        return False
    return bool(row.asked.search(question)) and not (row.unless and row.unless.search(question))


def _tells(row: _Row, question: str, quote: str) -> bool:
    if row.told is not None and row.told.search(_LISTED.sub("", quote)):
        return True
    return row.named and any(
        not _NO_NAME.fullmatch(name) and name.removesuffix("'s").lower() not in question.lower()
        for name in _NAME.findall(quote)
    )


def _only_awaited(quote: str) -> bool:
    """Whether a test is no more than requested here: every clause that might tell its outcome still awaits it."""
    awaiting = _pattern("awaiting")
    if not awaiting.search(quote):
        return False
    clauses = [one for one in _CLAUSE.split(_LISTED.sub("", quote)) if not awaiting.search(one)]
    return not any(_pattern("verdict").search(one) for one in clauses)
