"""The gold set: questions about a record with what a right answer must and must not contain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from clinical.evaluation.json_lines import CaseFileError, flag, objects, text, texts

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["CaseFileError", "GoldCase", "load_cases"]


@dataclass(frozen=True, slots=True)
class GoldCase:
    """One question.

    Attributes:
        case_id: unique within the set.
        patient: the FHIR `Patient.id`.
        question: as a clinician types it.
        answerable: whether the record holds the answer.
        expect: texts each of which some shown sentence must contain.
        forbid: texts that no shown sentence may contain.
        cites: "Type/id" of the resources a right answer rests on; empty where not fixed.
        also: further resources that hold the same answer: citing one is right, and none has to be.
        records: paths of the records the case brings along, as written in the file; usually none.
        route: the route expected ("code", "notes", "code+notes"), or "" where not stated.
        kind: what the question tries ("paraphrase", "typo", "absence", ...), key `class`; "" where not stated.
        statuses: the statuses that are right, key `status`, one or a list; empty for the plain rule: anything but
            `not_documented` where the record holds the answer, just that where it does not. Advice, triage and
            expired guidelines state theirs.
        cites_some: `cites` names only some of what a right answer rests on (a summary): no precision is taken of it.
        findings: "table:row" of each finding that the medication check must show.
        not_checked: texts, each of which something that the medication check could not check must contain.
    """

    case_id: str
    patient: str
    question: str
    answerable: bool
    expect: tuple[str, ...] = ()
    forbid: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    route: str = ""
    kind: str = ""
    statuses: tuple[str, ...] = ()
    cites_some: bool = False
    findings: tuple[str, ...] = ()
    not_checked: tuple[str, ...] = ()


def load_cases(lines: Iterable[str]) -> list[GoldCase]:
    """Return the cases of a JSON-lines gold set; blank lines and unknown keys are passed over.

    Raises:
        CaseFileError: a line cannot be used (its number and the key at fault), or there is no case at all.
    """
    cases = [
        GoldCase(
            case_id=text(row, "id", line),
            patient=text(row, "patient", line),
            question=text(row, "question", line),
            answerable=flag(row, "answerable", line),
            expect=texts(row, "expect", line),
            forbid=texts(row, "forbid", line),
            cites=texts(row, "cites", line),
            also=texts(row, "also", line),
            records=texts(row, "records", line),
            route=text(row, "route", line) if row.get("route") else "",
            kind=text(row, "class", line) if row.get("class") else "",
            statuses=(text(row, "status", line),) if isinstance(row.get("status"), str) else texts(row, "status", line),
            cites_some="cites_some" in row and flag(row, "cites_some", line),
            findings=texts(row, "findings", line),
            not_checked=texts(row, "not_checked", line),
        )
        for line, row in objects(lines)
    ]
    if not cases:
        raise CaseFileError(0, "no-cases")
    return cases
