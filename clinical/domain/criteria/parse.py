"""Criteria written into a guideline, as a table that people and code both read.

A section whose heading is "Criteria: <condition>" or "Criteria for <condition>", an optional line "Also asked
as: a; b", and a table with the columns `id`, `finding`, `speaks` (for, against), `test`, `words in notes` and,
if wanted, `within`. A test is one or more of these, joined by "or":

    measure nt-probnp >= 125 pg/mL [within 365 d] [if female]
    rise creatinine >= 0.3 mg/dL within 48 h        the newest against the lowest of that time before it
    ratio creatinine >= 1.5 within 7 d              the same, as a ratio
    persists egfr < 60 mL/min/1.73m2 for 90 d       every result over at least that time
    problem atrial fibrillation                     on the problem list, active
    history deep vein thrombosis                    on the problem list, whatever its status
    medicine loop diuretic                          an order or statement in force
    procedure surgery within 28 d
    age >= 65          sex female
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.naming import plain
from clinical.domain.facts.tables import by_term, measurements

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADING: Final = re.compile(
    r"^(?: {0,3}#{1,6}[ \t]+)?criteria(?:[ \t]*:|[ \t]+for)[ \t]+(?P<topic>[^|\n]{2,80}?)[ \t#]*$", re.IGNORECASE
)
_ANY_HEADING: Final = re.compile(r"^ {0,3}#{1,6}[ \t]+\S")
_ALSO: Final = re.compile(r"^also asked as[ \t]*:[ \t]*(?P<names>.+)$", re.IGNORECASE)
_RULE: Final = re.compile(r"^[\s|:-]+$")
_NUMBER = r"(?P<op>>=|<=|>|<|≥|≤)\s*(?P<number>\d+(?:\.\d+)?)"
_SPAN = r"(?P<span>\d+(?:\.\d+)?)\s*(?P<span_unit>h|d|wk|mo|a)\b"
_IF = r"(?:\s+if\s+(?P<sex>female|male))?"
_FORMS: Final = tuple(
    re.compile(rf"{form}{_IF}$", re.IGNORECASE)
    for form in (
        rf"(?P<kind>measure)\s+(?P<name>[\w-]+)\s*{_NUMBER}(?:\s+(?P<unit>\S+?))?(?:\s+within\s+{_SPAN})?",
        rf"(?P<kind>rise)\s+(?P<name>[\w-]+)\s*{_NUMBER}\s+(?P<unit>\S+?)\s+within\s+{_SPAN}",
        rf"(?P<kind>ratio)\s+(?P<name>[\w-]+)\s*{_NUMBER}\s+within\s+{_SPAN}",
        rf"(?P<kind>persists)\s+(?P<name>[\w-]+)\s*{_NUMBER}\s+(?P<unit>\S+?)\s+for\s+{_SPAN}",
        r"(?P<kind>problem|history|medicine)\s+(?P<name>[^<>=|]+?)",
        rf"(?P<kind>procedure)\s+(?P<name>[^<>=|]+?)(?:\s+within\s+{_SPAN})?",
        rf"(?P<kind>age)\s*{_NUMBER}",
        r"(?P<kind>sex)\s+(?P<name>female|male)",
    )
)
_JOINT: Final = re.compile(
    r"\s+or\s+(?=(?:measure|rise|ratio|persists|problem|history|medicine|procedure|age|sex)\b)", re.IGNORECASE
)
_DAYS: Final = {"h": Decimal(1) / 24, "d": Decimal(1), "wk": Decimal(7), "mo": Decimal(30), "a": Decimal(365)}
_MEASURED: Final = frozenset({"measure", "rise", "ratio", "persists"})
_OPERATORS: Final = {"≥": ">=", "≤": "<="}


@dataclass(frozen=True, slots=True)
class Test:
    """One condition on the facts. `name` is a measurement's id, or words; `days` a span of time, exact.

    `sex` restricts the test to patients recorded as "female" or "male"; "" applies to everybody.
    """

    kind: str
    name: str = ""
    operator: str = ""
    number: Decimal = field(default_factory=Decimal)
    unit: str = ""
    days: Decimal | None = None
    sex: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One row of the table, at [start, end) of the edition's text.

    `speaks` is "for" or "against" the condition when the finding is there. `tests` are alternatives. `words` are
    phrases a note may use; `days` how old such a note may be. `fault` says what of the row cannot be tested.
    """

    id: str
    finding: str
    speaks: str
    tests: tuple[Test, ...]
    words: tuple[str, ...]
    days: Decimal | None
    start: int
    end: int
    fault: str = ""


@dataclass(frozen=True, slots=True)
class CriteriaSet:
    """The criteria of one condition; [start, end) is the heading in the edition's text."""

    topic: str
    names: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    start: int
    end: int


@lru_cache(maxsize=256)
def parse_criteria(text: str) -> tuple[CriteriaSet, ...]:
    """Return the criteria an edition's text carries; a row that cannot be tested is kept with its fault."""
    found: list[CriteriaSet] = []
    lines = list(_lines(text))
    place = 0
    while place < len(lines):
        start, line = lines[place]
        heading = _HEADING.match(line)
        place += 1
        if heading is None:
            continue
        section = []
        while place < len(lines) and not _ANY_HEADING.match(lines[place][1]) and not _HEADING.match(lines[place][1]):
            section.append(lines[place])
            place += 1
        also = [one["names"] for _, row in section if (one := _ALSO.match(row.strip()))]
        names = [heading["topic"].strip(), *(name.strip() for row in also for name in row.rstrip(".").split(";"))]
        if criteria := tuple(_rows(section)):
            found.append(CriteriaSet(names[0], tuple(filter(None, names)), criteria, start, start + len(line.rstrip())))
    return tuple(found)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    offset = 0
    for line in text.split("\n"):
        yield offset, line.rstrip("\r")
        offset += len(line) + 1


def _rows(section: list[tuple[int, str]]) -> Iterator[Criterion]:
    columns: list[str] = []
    for start, line in section:
        if "|" not in line or _RULE.match(line):
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not columns:
            columns = [plain(cell) for cell in cells]
            if "finding" not in columns:
                columns = []
            continue
        row = dict(zip(columns, cells, strict=False))
        if row.get("finding"):
            lead = len(line) - len(line.lstrip())
            yield _criterion(row, start + lead, start + len(line.rstrip()))


def _criterion(row: dict[str, str], start: int, end: int) -> Criterion:
    faults: list[str] = []
    tests = []
    for written in _JOINT.split(row.get("test", "")):
        if written and (test := _test(written.strip())) is not None:
            tests.append(test)
        elif written:
            faults.append(written.strip())
    speaks = row.get("speaks", "for").lower() or "for"
    if speaks not in ("for", "against"):
        faults.append(speaks)
        speaks = "for"
    within = re.fullmatch(_SPAN, row.get("within", "").strip())
    if row.get("within") and within is None:
        faults.append(row["within"])
    words = tuple(word.strip() for word in row.get("words in notes", "").split(";") if word.strip())
    return Criterion(
        id=row.get("id") or plain(row["finding"])[:40],
        finding=row["finding"],
        speaks=speaks,
        tests=tuple(tests),
        words=words,
        days=_days(within),
        start=start,
        end=end,
        fault="; ".join(faults),
    )


def _test(written: str) -> Test | None:
    for form in _FORMS:
        match = form.match(written)
        if match is None:
            continue
        parts = match.groupdict()
        kind, name = parts["kind"].lower(), (parts.get("name") or "").strip().lower()
        if kind in _MEASURED:
            name = name if name in measurements() else by_term().get(plain(name), "")
            if not name:
                return None
        operator = parts.get("op") or ""
        return Test(
            kind=kind,
            name=name,
            operator=_OPERATORS.get(operator, operator),
            number=Decimal(parts.get("number") or 0),
            unit=parts.get("unit") or "",
            days=_days(match) if "span" in parts else None,
            sex=(parts.get("sex") or "").lower(),
        )
    return None


def _days(match: re.Match[str] | None) -> Decimal | None:
    if match is None or not match["span"]:
        return None
    return Decimal(match["span"]) * _DAYS[match["span_unit"].lower()]
