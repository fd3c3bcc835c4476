"""NEWS2, qSOFA and CURB-65 from a patient's record."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.measurements import row_of
from clinical.domain.facts.render import value_text
from clinical.domain.projection.dates import display_date
from clinical.domain.route.sentences import cites
from clinical.domain.scores.bedside import consciousness_at, oxygen_at, spo2_scale
from clinical.domain.scores.case import name_of
from clinical.domain.scores.outcome import ScoreAnswer, banded, computed
from clinical.domain.scores.vitals import Vitals, curb65, news2, qsofa
from clinical.domain.scores.when import together

if TYPE_CHECKING:
    from clinical.domain.facts.fact import Fact
    from clinical.domain.scores.case import Case
    from clinical.domain.scores.inputs import OneSet, Reading

_NEWS2: Final = ("respiratory-rate", "spo2", "systolic", "heart-rate", "temperature")
_SSC: Final = (
    "The Surviving Sepsis Campaign (2021, recommendation 2, strong) advises against qSOFA as the only screening "
    "tool for sepsis, compared with SIRS, NEWS or MEWS."
)
_HIGHEST: Final = 3
_LOW: Final = 4
_FULL_GCS: Final = 15


def answer_news2(case: Case) -> ScoreAnswer:
    """Calculate NEWS2 from one set of observations within an hour, not older than 12 hours."""
    unsuitable = case.unsuitable(youngest=16, pregnant=True, on=case.now)
    chosen = unsuitable or case.chosen(_NEWS2, "vitals")
    if isinstance(chosen, ScoreAnswer):
        return chosen
    newest = _newest(chosen)
    oxygen, oxygen_facts = oxygen_at(case.held, newest.row, case.formula.window)
    level, level_facts = consciousness_at(case.held, newest.row, case.formula.window)
    oxygen, level = case.stated.get("oxygen", oxygen), case.stated.get("consciousness", level)
    scale, scale_fact = spo2_scale(case.facts, case.now)
    value = {key: one.value for key, one in chosen.found.items()}
    points = news2(
        Vitals(
            respiratory_rate=value["respiratory-rate"],
            spo2=value["spo2"],
            on_oxygen=oxygen == "oxygen",
            systolic=value["systolic"],
            heart_rate=value["heart-rate"],
            consciousness=level or "alert",
            temperature=value["temperature"],
            scale_2=scale == 2,
        )
    )
    if not (oxygen and level):
        # On air and alert are no points: what is not recorded can only add to these.
        refused = _without_judgements(case, chosen, {"oxygen": oxygen, "consciousness": level})
        return replace(refused, at_least=sum(points.values()), highest=max(points.values()))
    for key in _NEWS2:
        one = chosen.found[key]
        case.sheet.line(f"{one.shown(case.now)}: {_points(points[key])}.", one.places)
    _bedside_line(case, "Air or oxygen", "oxygen", oxygen, oxygen_facts, points["oxygen"])
    _bedside_line(case, "Consciousness", "consciousness", level, level_facts, points["consciousness"])
    if scale_fact is None:
        case.sheet.limit("SpO2 scale 1: scale 2 is not recorded for this patient.")
    else:
        case.sheet.limit(f"SpO2 scale {scale}, as recorded: {scale_fact.row.text}.", cites(scale_fact))
    single = [name_of(key) for key, got in points.items() if got == _HIGHEST]
    total = sum(points.values())
    if single:
        case.sheet.limit(
            f"3 points in a single parameter ({', '.join(single)}): a threshold of its own in the RCP's chart 4."
        )
    case.note_later(chosen)
    skip = ("news2-risk",) if single and total <= _LOW else ()
    return computed(
        case.sheet, case.formula, case.trust, str(total), banded("news2", Decimal(total), case.trust, skip=skip)
    )


def answer_qsofa(case: Case) -> ScoreAnswer:
    """Calculate qSOFA; mentation by a Glasgow coma score or ACVPU of the set, or as stated."""
    case.sheet.limit(_SSC)
    unsuitable = case.unsuitable(youngest=18, pregnant=False, on=case.now)
    chosen = unsuitable or case.chosen(("respiratory-rate", "systolic"), "vitals")
    if isinstance(chosen, ScoreAnswer):
        return chosen
    altered, facts = _mentation(case, chosen)
    altered = case.stated.get("mentation", altered)
    if not altered:
        return _without_judgements(case, chosen, {"mentation": ""})
    rate, pressure = chosen.found["respiratory-rate"], chosen.found["systolic"]
    points = qsofa(respiratory_rate=rate.value, systolic=pressure.value, altered_mentation=altered == "yes")
    for key, one in (("respiratory-rate", rate), ("systolic", pressure)):
        case.sheet.line(f"{one.shown(case.now)}: {_points(points[key])}.", one.places)
    _bedside_line(case, "Altered mentation", "mentation", altered, facts, points["mentation"])
    case.note_later(chosen)
    total = Decimal(sum(points.values()))
    return computed(case.sheet, case.formula, case.trust, str(total), banded("qsofa", total, case.trust))


def answer_curb65(case: Case) -> ScoreAnswer:
    """Calculate CURB-65 from values within 24 hours of each other, not older than 24 hours."""
    case.sheet.limit("For adults with community-acquired pneumonia only.")
    unsuitable = case.unsuitable(youngest=18, pregnant=False, on=case.now)
    chosen = unsuitable or case.chosen(("respiratory-rate", "systolic", "diastolic", "urea-nitrogen"), "values")
    if isinstance(chosen, ScoreAnswer):
        return chosen
    level, facts = consciousness_at(case.held, _newest(chosen).row, case.formula.window)
    confusion = case.stated.get("confusion", "yes" if level == "new confusion" else "")
    if not confusion:
        return _without_judgements(case, chosen, {"confusion": ""})
    value = {key: one.value for key, one in chosen.found.items()}
    age = case.age_on(_newest(chosen).row.effective_sort.date(), shown=False)
    if isinstance(age, ScoreAnswer):
        return age
    points = curb65(
        confusion=confusion == "yes",
        urea=value["urea-nitrogen"],
        respiratory_rate=value["respiratory-rate"],
        systolic=value["systolic"],
        diastolic=value["diastolic"],
        age=age,
    )
    case.sheet.line(f"Age {age}: {_points(points['age'])}.", case.person.cites("birthDate"))
    for key, scored in (
        ("urea-nitrogen", points["urea-nitrogen"]),
        ("respiratory-rate", points["respiratory-rate"]),
    ):
        one = chosen.found[key]
        case.sheet.line(f"{one.shown(case.now)}: {_points(scored)}.", one.places)
    systolic, diastolic = chosen.found["systolic"], chosen.found["diastolic"]
    case.sheet.line(
        f"{systolic.shown(case.now)}; {diastolic.shown(case.now)}: {_points(points['pressure'])}.",
        (*systolic.places, *diastolic.places),
    )
    _bedside_line(case, "New confusion", "confusion", confusion, facts if level else (), points["confusion"])
    case.note_later(chosen)
    total = Decimal(sum(points.values()))
    return computed(case.sheet, case.formula, case.trust, str(total), banded("curb65", total, case.trust))


def _mentation(case: Case, chosen: OneSet) -> tuple[str, tuple[Fact, ...]]:
    """Return "yes", "no" or "" (not recorded) with the facts, by GCS below 15 or a level other than alert."""
    newest = _newest(chosen).row
    for one in case.held.numbers("gcs"):
        if together(newest, one.row, case.formula.window):
            return ("yes" if one.value < _FULL_GCS else "no", (one.fact,))
    level, facts = consciousness_at(case.held, newest, case.formula.window)
    return ("" if not level else "no" if level == "alert" else "yes", facts)


def _without_judgements(case: Case, chosen: OneSet, got: dict[str, str]) -> ScoreAnswer:
    """Refuse: oxygen, consciousness or confusion is not recorded with the set, and asked for."""
    case.show(chosen.found.values())
    open_items = [row for row in case.items if not got.get(row.key, "set")]
    for row in open_items:
        case.sheet.ask(row.judgement())
    names = ", ".join(row.label.lower() for row in open_items)
    return case.refuse("judgements", f"not recorded with the newest set of vitals: {names}")


def _bedside_line(case: Case, label: str, key: str, value: str, facts: tuple[Fact, ...], points: int) -> None:
    if key in case.stated:
        case.sheet.line(f"{label}: {value}, as stated in the question: {_points(points)}.")
        for fact in facts:
            case.sheet.limit(f"The record says: {_recorded(fact)}.", cites(fact))
        return
    shown = "; ".join(_recorded(fact) for fact in facts)
    case.sheet.line(
        f"{label}: {value} ({shown}): {_points(points)}.", tuple(place for one in facts for place in cites(one))
    )


def _recorded(fact: Fact) -> str:
    row = row_of(fact)
    return f"{row.text} {value_text(row.value)} on {display_date(row.effective, with_time=True)}"


def _newest(chosen: OneSet) -> Reading:
    return max(chosen.found.values(), key=lambda one: one.row.effective_sort)


def _points(points: int) -> str:
    return f"{points} point{'' if points == 1 else 's'}"
