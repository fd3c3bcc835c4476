"""Codes typed in a question: "LOINC 4548-4", "I10", "CVX 140", "RxNorm 834102", "SNOMED 38341003"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from clinical.domain.facts.tables import by_loinc
from clinical.domain.route import vocabulary as kinds

if TYPE_CHECKING:
    from clinical.domain.route.vocabulary import Targets, Vocabulary

_NAMED: Final = re.compile(
    r"\b(?P<system>loinc|snomed(?:[ -]?ct)?|sct(?:id)?|icd-?\s?(?:10|9)?(?:-?cm)?|rxnorm|rxcui|cvx)\b"
    r"(?:\s*(?:code|number|no\.?|#|:))*\s*(?P<code>[a-z]?\d[a-z0-9]*(?:[.-][a-z0-9]+)?)"
)
_LOINC: Final = re.compile(r"(?<![\w./-])(?P<code>\d{3,7}-\d)(?![\w./-])")
_OWN: Final = re.compile(r"(?<![\w./-])(?P<code>\d{6,18}|[a-z]\d\d(?:\.[a-z0-9]{1,4})?)(?![\w/-]|\.\d)")
_KIND: Final = {
    "loinc": kinds.MEASURE,
    "rxnorm": kinds.DRUG,
    "rxcui": kinds.DRUG,
    "cvx": kinds.VACCINE,
}


@dataclass(frozen=True, slots=True)
class TypedCode:
    """A code as typed (lower case), its system as typed ("" where none was), and what it may mean by kind."""

    code: str
    system: str
    targets: Targets

    @property
    def said(self) -> str:
        """Return system and code as one name."""
        return f"{self.system} {self.code}".strip().upper()


def find_code(text: str, vocabulary: Vocabulary) -> tuple[TypedCode | None, str]:
    """Return the first code of a question (lower case) and the text without it.

    With its system named, any code is taken; a bare one when it has the form of LOINC, or is in the record.
    """
    if match := _NAMED.search(text):
        system = re.split(r"[\s-]", match["system"])[0]
        return _typed(match["code"], system, vocabulary), _without(text, match)
    if match := _LOINC.search(text):
        return _typed(match["code"], "loinc", vocabulary), _without(text, match)
    for match in _OWN.finditer(text):
        if match["code"] in vocabulary.codes and match["code"] not in vocabulary.names:
            return _typed(match["code"], "", vocabulary), _without(text, match)
    return None, text


def _typed(code: str, system: str, vocabulary: Vocabulary) -> TypedCode:
    held = vocabulary.codes.get(code, {})
    wanted = _KIND.get(system)
    if wanted is not None and wanted in held:
        held = {wanted: held[wanted]}
    elif system == "loinc" and kinds.REPORT in held:
        held = {kinds.REPORT: held[kinds.REPORT]}
    elif wanted == kinds.MEASURE and code in by_loinc():
        held = {kinds.MEASURE: "|".join(by_loinc()[code])}
    elif wanted is not None:
        held = {wanted: f"{code}|" if wanted == kinds.MEASURE else code}
    return TypedCode(code, system, held or {kinds.PROBLEM: code})


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}"
