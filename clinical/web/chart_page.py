"""The chart as the page shows it: rows with links to their sources, results grouped with their change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.facts import measure_key
from clinical.domain.facts.measurements import number_of, row_of, unit_of
from clinical.domain.projection.rows import ConditionRow, MedicationRow
from clinical.web.source_links import version_url

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from clinical.domain.chart import Chart, Entry, ResultLine
    from clinical.domain.facts import Fact

_SAMPLES: Final = {"": "Other", "csf": "Cerebrospinal fluid"}
_FLAGS: Final = {"H": "High", "L": "Low"}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a list; `tag` is a state worth a word of its own, such as "on hold"."""

    name: str
    detail: str
    since: str
    tag: str
    url: str


@dataclass(frozen=True, slots=True)
class Result:
    """One test: newest value, flag as letter and word, and change from the previous value in its unit."""

    line: ResultLine
    flag_word: str
    change: str
    url: str


@dataclass(frozen=True, slots=True)
class ResultGroup:
    """Results of one kind of sample."""

    title: str
    results: tuple[Result, ...]


@dataclass(frozen=True, slots=True)
class ChartPage:
    """What the chart's cards show."""

    problems: tuple[Item, ...]
    past_problems: tuple[Item, ...]
    medications: tuple[Item, ...]
    past_medications: tuple[Item, ...]
    groups: tuple[ResultGroup, ...]
    vitals: tuple[Result, ...]


def chart_page(chart: Chart, patient_id: UUID) -> ChartPage:
    """Return the chart's cards with a link to the stored version behind each line."""
    return ChartPage(
        problems=_items(chart.problems, patient_id),
        past_problems=_items(chart.past_problems, patient_id),
        medications=_items(chart.medications, patient_id),
        past_medications=_items(chart.past_medications, patient_id),
        groups=_groups(chart.results, patient_id),
        vitals=tuple(_result(line, patient_id) for line in chart.vitals),
    )


def change_of(line: ResultLine) -> str:
    """Return newest minus previous with its sign, exact; "" unless both are numbers in one unit."""
    if line.previous_fact is None:
        return ""
    newest, previous = row_of(line.fact), row_of(line.previous_fact)
    after, before = number_of(newest), number_of(previous)
    if after is None or before is None or unit_of(newest) != unit_of(previous):
        return ""
    difference = after - before
    return f"{difference:+f}".replace("-", "\N{MINUS SIGN}") if difference else "no change"


def _items(entries: Iterable[Entry], patient_id: UUID) -> tuple[Item, ...]:
    return tuple(_item(entry, patient_id) for entry in entries)


def _item(entry: Entry, patient_id: UUID) -> Item:
    row, url = entry.fact.row, _url(entry.fact, patient_id)
    if isinstance(row, ConditionRow):
        detail = ", ".join(filter(None, (row.severity, row.body_site)))
        tag = row.verification if row.verification not in ("", "confirmed") else ""
        return Item(entry.name, detail, row.onset or row.effective, tag or _unusual(row.clinical), url)
    if isinstance(row, MedicationRow):
        reason = f"Stopped: {row.status_reason}" if row.status_reason else ""
        detail = "; ".join(filter(None, (row.dosage, reason)))
        return Item(entry.name, detail, row.start or row.effective, _unusual(row.status), url)
    return Item(entry.name, entry.text, row.effective, "", url)


def _unusual(status: str) -> str:
    return "" if status in ("active", "") else status.replace("-", " ")


def _groups(lines: Sequence[ResultLine], patient_id: UUID) -> tuple[ResultGroup, ...]:
    by_sample: dict[str, list[Result]] = {}
    for line in lines:
        by_sample.setdefault(measure_key(row_of(line.fact)).sample, []).append(_result(line, patient_id))
    order = sorted(by_sample, key=lambda sample: (sample != "blood", sample == "", sample))
    return tuple(ResultGroup(_SAMPLES.get(sample, sample.capitalize()), tuple(by_sample[sample])) for sample in order)


def _result(line: ResultLine, patient_id: UUID) -> Result:
    return Result(line, _FLAGS.get(line.flag, ""), change_of(line), _url(line.fact, patient_id))


def _url(fact: Fact, patient_id: UUID) -> str:
    return f"{version_url(patient_id, fact.resource, fact.version)}?part=json"
