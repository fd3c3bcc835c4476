"""The kinds of change whose effects are timed: what is sent before, what is sent then, what has to be so afterwards.

Each has a patient of its own with one result and one note; the values are chosen so that no page shows them otherwise.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Final

OLD, NEW = "4.17", "4.63"
OLD_WORD, NEW_WORD = "bleeding", "operation"
AUTHORITY: Final = "urn:hl7v2:authority:BENCH"
_RESTRICTED: Final = {"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}]}


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change.

    Attributes:
        name: for the figure.
        patient: whose record is looked at: a FHIR id, or an HL7 v2 number of `AUTHORITY`.
        before: what is sent first: FHIR JSON or an HL7 v2 message.
        then: what is sent and timed.
        here: words that have to be in the record, the chart or the answers afterwards.
        gone: words that may be in none of them any more.
        reasons: why answers given before are stale afterwards, for at least one of them; "" says that none is marked.
        notice: whether the page says beside an answer given before that it may hold no more.
        notes: whether the note changes too; otherwise its answers are left out of account.
    """

    name: str
    patient: str
    before: tuple[bytes, ...]
    then: bytes
    here: tuple[str, ...]
    gone: tuple[str, ...]
    reasons: tuple[str, ...]
    notice: bool = True
    notes: bool = True


def changes() -> list[Change]:
    """Return every kind, each with a patient of its own."""
    return [*_of_versions(), *_of_documents(), *_of_rights(), *_of_persons()]


def _of_versions() -> list[Change]:
    swapped: dict[str, Any] = {"here": (NEW, NEW_WORD), "gone": (OLD, OLD_WORD)}
    removed: dict[str, Any] = {"here": (), "gone": (OLD, OLD_WORD)}
    return [
        Change(
            "new version", "vers", (_record("vers"),), _both("vers", 2, NEW, NEW_WORD),
            reasons=("replaced",), **swapped,
        ),
        Change(
            "older version that comes late", "late", (_record("late", 2, NEW, NEW_WORD),),
            _both("late", 1, OLD, OLD_WORD), reasons=("",), notice=False, **swapped,
        ),
        Change(
            "correction", "9001", (_oru("9001", OLD, "F", "1"),), _oru("9001", NEW, "C", "2"),
            here=(NEW,), gone=(OLD,), reasons=("corrected",), notes=False,
        ),
        Change(
            "entered in error", "err", (_record("err"),),
            _both("err", 2, OLD, OLD_WORD, status="entered-in-error"), reasons=("entered-in-error",), **removed,
        ),
        Change(
            "deletion", "del", (_record("del"),),
            _json(
                {
                    "resourceType": "Bundle",
                    "type": "transaction",
                    "entry": [
                        {"request": {"method": "DELETE", "url": f"{kind}/del"}}
                        for kind in ("Observation", "DocumentReference")
                    ],
                }
            ),
            reasons=("deleted",), **removed,
        ),
    ]  # fmt: skip


def _of_documents() -> list[Change]:
    relates = [{"code": "replaces", "target": {"reference": "DocumentReference/repl"}}]
    adds = [{"code": "appends", "target": {"reference": "DocumentReference/adds"}}]
    return [
        Change(
            "document replaced", "repl", (_record("repl"),),
            _json(_note("repl", 1, NEW_WORD) | {"id": "repl-2", "relatesTo": relates}),
            here=(OLD, NEW_WORD), gone=(OLD_WORD,), reasons=("replaced",),
        ),
        Change(
            "addendum to a document", "adds", (_record("adds"),),
            _json(_note("adds", 1, NEW_WORD) | {"id": "adds-2", "relatesTo": adds}),
            here=(OLD, OLD_WORD, NEW_WORD), gone=(), reasons=("corrected",),
        ),
    ]  # fmt: skip


def _of_rights() -> list[Change]:
    back: dict[str, Any] = {"here": (OLD, OLD_WORD), "gone": ()}
    out: dict[str, Any] = {"here": (), "gone": (OLD, OLD_WORD)}
    labelled = _both("labx", 2, OLD, OLD_WORD, meta=_RESTRICTED)
    return [
        Change(
            "security label added", "label", (_record("label"),), _both("label", 2, OLD, OLD_WORD, meta=_RESTRICTED),
            reasons=("restricted",), **out,
        ),
        Change(
            "security label removed", "labx", (_record("labx"), labelled), _both("labx", 3, OLD, OLD_WORD),
            reasons=("",), **back,
        ),
        Change(
            "consent withdrawn", "cons", (_record("cons"),), _consent("cons", "deny", 1),
            reasons=("restricted",), **out,
        ),
        Change(
            "consent given again", "conx", (_record("conx"), _consent("conx", "deny", 1)),
            _consent("conx", "permit", 2), reasons=("",), **back,
        ),
    ]  # fmt: skip


def _of_persons() -> list[Change]:
    def two(first: str, second: str) -> tuple[bytes, ...]:
        return (
            _oru(first, OLD, "F", "1"), _mdm(first, OLD_WORD, "2"), _oru(second, NEW, "F", "3", hour="09"),
            _mdm(second, NEW_WORD, "4"),
        )  # fmt: skip

    return [
        Change(
            "merge", "9101", two("9101", "9102"), _merge("A40", "9101", "9102"),
            here=(NEW, OLD_WORD, NEW_WORD), gone=(), reasons=("merged",),
        ),
        Change(
            "merge undone", "9201", (*two("9201", "9202"), _merge("A40", "9201", "9202")),
            _merge("A37", "9201", "9202"), here=(OLD, OLD_WORD), gone=(NEW, NEW_WORD), reasons=("merged", "gone"),
        ),
    ]  # fmt: skip


def _json(resource: dict[str, Any]) -> bytes:
    return json.dumps(resource).encode()


def _record(name: str, version: int = 1, value: str = OLD, word: str = OLD_WORD) -> bytes:
    person = {
        "resourceType": "Patient", "id": name, "name": [{"family": f"Bench{name}", "given": ["Bo"]}],
        "birthDate": "1960-01-01",
    }  # fmt: skip
    return _bundle(person, _result(name, version, value), _note(name, version, word))


def _both(
    name: str, version: int, value: str, word: str, *, status: str = "", meta: dict[str, Any] | None = None
) -> bytes:
    """Return a newer or older version of the result and the note."""
    more = {"status": status} if status else {}
    both = [one | more for one in (_result(name, version, value), _note(name, version, word))]
    return _bundle(*(one | {"meta": one["meta"] | (meta or {})} for one in both))


def _bundle(*resources: dict[str, Any]) -> bytes:
    return _json({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]})


def _meta(version: int) -> dict[str, Any]:
    return {"versionId": str(version), "lastUpdated": f"2026-02-10T1{version}:00:00Z"}


def _result(name: str, version: int, value: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": name,
        "meta": _meta(version),
        "status": "final",
        "subject": {"reference": f"Patient/{name}"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "Potassium"},
        "effectiveDateTime": "2026-02-10T08:00:00Z",
        "valueQuantity": {
            "value": float(value), "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L",
        },
    }  # fmt: skip


def _note(name: str, version: int, word: str) -> dict[str, Any]:
    text = f"Apixaban was stopped because of a {word} last week."
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": name,
        "meta": _meta(version),
        "status": "current",
        "type": {"text": "Progress note"},
        "subject": {"reference": f"Patient/{name}"},
        "date": "2026-02-10T09:00:00Z",
        "content": [{"attachment": {"contentType": "text/plain; charset=utf-8", "data": data}}],
    }


def _consent(name: str, rule: str, version: int) -> bytes:
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    return _json(
        {
            "resourceType": "Consent",
            "id": f"consent-{name}",
            "meta": _meta(version),
            "status": "active",
            "scope": {"coding": [scope]},
            "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
            "patient": {"reference": f"Patient/{name}"},
            "policyRule": {"coding": [{"code": "OPTOUT"}]},
            "provision": {"type": rule},
        }
    )


def _v2(kind: str, number: str, control: str, hour: str, *lines: str) -> bytes:
    head = f"MSH|^~\\&|LAB|BENCH|BOX|SITE|20260301{hour}0000+0000||{kind}|{number}-{control}|P|2.5.1"
    return "\r".join((head, *lines)).encode() + b"\r"


def _pid(number: str) -> str:
    return f"PID|1||{number}^^^BENCH^MR||EXAMPLE^NO{number}||19610402|F"


def _oru(number: str, value: str, status: str, control: str, hour: str = "08") -> bytes:
    at = f"20260301{hour}0000"
    return _v2(
        "ORU^R01^ORU_R01", number, control, f"1{control}", _pid(number),
        f"OBR|1|A{number}|B{number}|24326-1^Electrolytes^LN|||{at}",
        f"OBX|1|NM|2823-3^Potassium^LN||{value}|mmol/L^^UCUM|3.5-5.1||||{status}|||{at}",
    )  # fmt: skip


def _mdm(number: str, word: str, control: str) -> bytes:
    return _v2(
        "MDM^T02^MDM_T02", number, control, f"1{control}", "EVN|T02|20260301", _pid(number),
        f"TXA|1|PN^Progress note|TX|20260301110000||||||||D{number}|||||AU",
        f"OBX|1|TX|||Apixaban was stopped because of a {word} last week.||||||F",
    )  # fmt: skip


def _merge(event: str, number: str, former: str) -> bytes:
    """Return A40, which makes two persons one, or A37, which takes that back."""
    other = f"MRG|{former}^^^BENCH^MR" if event == "A40" else _pid(former).replace("PID|1", "PID|2")
    structure = "ADT_A39" if event == "A40" else "ADT_A37"
    return _v2(f"ADT^{event}^{structure}", number, event, "15", f"EVN|{event}|20260301", _pid(number), other)
