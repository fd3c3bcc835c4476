"""What a resource states on resuscitation ("code status"), in any of the forms records use."""

from __future__ import annotations

import re
from typing import Final

from clinical.domain.projection.elements import (
    Concept,
    Path,
    Resource,
    as_dict,
    as_list,
    as_str,
    concept,
    concepts,
)
from clinical.domain.projection.rows import CodeStatusRow
from clinical.domain.projection.statements import common
from clinical.domain.projection.values import read_value

# LOINC 84095-9 as in the US Core examples (checked); LOINC 100822-6, 75320-2, SNOMED CT and the
# consent category codes from memory.
_CODES: Final = frozenset({
    "84095-9", "100822-6", "75320-2", "304251008", "304252001", "304253006", "439569004", "450475007",
    "dnr", "polst",
})  # fmt: skip
_ABOUT: Final = re.compile(
    r"resuscitat|\bcode status\b|\bdnr\b|\bdnar\b|\bdnacpr\b|\bfull code\b|"
    r"\bp[ao]lst\b|\bmolst\b|\brespect form\b|"
    r"\badvance(?:d)? (?:healthcare )?(?:directive|care plan)|\bliving will\b|\bcpr\b",
    re.IGNORECASE,
)
_NO_CPR: Final = re.compile(
    r"\b(?:do not|don't|not for|no|not to be)\b[^.;]{0,30}(?:resuscitat|cpr)|"
    r"\bdnr\b|\bdnar\b|\bdnacpr\b|\bno code\b",
    re.IGNORECASE,
)
_FULL: Final = re.compile(
    r"\bfull code\b|(?<!not )\bfor (?:full )?(?:resuscitation|cpr)\b|\bfull resuscitation\b|"
    r"\battempt (?:cpr|resuscitation)",
    re.IGNORECASE,
)
_NOT_IN_FORCE: Final = re.compile(r"\b(?:revoked|rescinded|withdrawn|no longer|reversed)\b", re.IGNORECASE)
_NAMES: Final = {
    "Observation": ("code", "effectiveDateTime", "effectivePeriod", "issued"),
    "Consent": ("category", "dateTime"),
    "DocumentReference": ("type", "date"),
    "ServiceRequest": ("code", "authoredOn"),
    "Flag": ("code", "period"),
    "Condition": ("code", "recordedDate", "onsetDateTime"),
}


def project_code_status(resource: Resource) -> list[CodeStatusRow]:
    """Return the row when the resource is about resuscitation or advance directives, else nothing."""
    names = _NAMES.get(as_str(resource.get("resourceType")))
    if names is None or not _is_about(about := _subject(resource, names[0])):
        return []
    value, value_path = read_value(resource)
    statement = value.text or about.text
    fields = common(resource, about, names[0], *names[1:])
    path: Path = value_path or fields["anchor"]
    provision = as_str(as_dict(resource.get("provision")).get("type"))
    return [
        CodeStatusRow(**{**fields, "anchor": path}, wish=_wish(statement, about.text, provision), statement=statement)
    ]


def _subject(resource: Resource, name: str) -> Concept:
    if name == "category":
        return concepts(as_list(resource.get("category")))
    return concept(resource.get(name))


def _is_about(about: Concept) -> bool:
    codes = {code.partition("|")[2] for code in about.codes}
    return bool(codes & _CODES) or any(map(_ABOUT.search, about.names))


def _wish(statement: str, subject: str, provision: str) -> str:
    if _NOT_IN_FORCE.search(statement):
        return ""
    if statement.lower() in ("yes", "no"):  # a boolean answer to "do not resuscitate?" or "for CPR?"
        forbids = bool(_NO_CPR.search(subject)) == (statement.lower() == "yes")
        return ("no-cpr" if forbids else "full") if _NO_CPR.search(subject) or _FULL.search(subject) else ""
    if _NO_CPR.search(statement):
        # A Consent of the category "do not resuscitate" may deny it, and then has to be read by a person.
        return "" if provision == "deny" else "no-cpr"
    return "full" if _FULL.search(statement) else ""
