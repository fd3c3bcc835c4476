"""Questions about interactions or duplication among the patient's own medicines: what the check says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from clinical.answering.events import Status
from clinical.answering.prepared import Prepared, prepare
from clinical.domain.facts.medications import active_medications
from clinical.domain.medication_safety import check
from clinical.domain.medication_safety.asked import asked_medicines
from clinical.domain.summary import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from clinical.domain.access import AccessGrant
    from clinical.domain.facts import Fact
    from clinical.domain.medication_safety import Finding
    from clinical.domain.provenance import Trust

# What is asked -> how the findings of that kind begin, and what they are called.
_KINDS: Final = (
    (re.compile(r"\binteract\w*\b|\bclash\w*\b", re.IGNORECASE), ("interaction",), "interaction"),
    (re.compile(r"\bduplicat\w*\b", re.IGNORECASE), ("duplicate",), "duplication"),
)
_TOLD: Final = re.compile(
    r"^\s*(?:why|when|who|where|which (?:doctor|visit))\b|\b(?:said|told|noted|discussed|documented|warned)\b",
    re.IGNORECASE,
)


def _once(found: Iterable[Finding]) -> list[Finding]:
    """Return the findings without those that name the same two medicines the other way round."""
    seen: dict[frozenset[str], Finding] = {}
    for one in found:
        sides, _, rest = one.text.partition(":")
        seen.setdefault(frozenset([*sides.split(" with "), rest]), one)
    return list(seen.values())


def answer(question: str, *, facts: Sequence[Fact], grant: AccessGrant, today: date, trust: Trust) -> Prepared | None:
    """Return what the medication check finds of the kind asked about; None where another path takes the question.

    ANSWERED where findings exist or every medicine in force is in the tables; EVIDENCE_ONLY where some could not be
    checked: none found is then no answer. Without any medicine in force the question goes the ordinary way.
    """
    asked = next(((kinds, name) for words, kinds, name in _KINDS if words.search(question)), None)
    if asked is None or _TOLD.search(question):
        return None
    kinds, name = asked
    standing = active_medications(facts, today=today)
    named = asked_medicines(question, facts, trust=trust)
    if not standing:
        return None
    report = check(facts, asked=named, today=today, trust=trust)
    found = _once(one for one in report.findings if one.kind.startswith(kinds))
    if named:
        found = [one for one in found if any(drug in one.text.lower() for drug in named)] or found
    lines = [Line(one.text, "", places=one.citations_from) for one in found]
    if not found:
        places = tuple((fact, fact.row.name_path) for fact in standing)
        text = (
            f"The tables held name no {name} among {len(standing)} medicine{'' if len(standing) == 1 else 's'} in "
            "force. What they do not hold is not checked."
        )
        lines = [Line(text, "", places=places)]
    whole = bool(found) or not report.not_checked
    status = Status.ANSWERED if whole else Status.EVIDENCE_ONLY
    return prepare(lines, grant=grant, route="code", reason=f"asks for the medication check: {name}", status=status)
