"""One gold case against one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from clinical.evaluation.wording import contains

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from clinical.evaluation.cases import GoldCase

ABSTAINED = "not_documented"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one answer got right.

    Attributes:
        case: the question.
        route: the route taken.
        status: the status of the answer.
        missing: expected texts that no shown sentence contains, and expected findings that are not shown.
        violated: forbidden texts that a shown sentence contains.
        found: gold citations among everything retrieved (shown or withheld sentences, sources).
        cited: gold citations among those of shown sentences.
        right: resources cited by shown sentences that the case names, be they required or not.
        citations: different resources cited by shown sentences.
        model_shown: sentences of the model that were shown.
        model_withheld: sentences of the model that were withheld.
        latency_ms: whole answer, in milliseconds.
    """

    case: GoldCase
    route: str
    status: str
    missing: tuple[str, ...]
    violated: tuple[str, ...]
    found: frozenset[str]
    cited: frozenset[str]
    right: frozenset[str]
    citations: frozenset[str]
    model_shown: int
    model_withheld: int
    latency_ms: float

    @property
    def abstained(self) -> bool:
        """Whether the answer is a proof of absence, or holds back in the way the case states.

        A refusal or bare evidence is no abstention, unless the case names that status as the right one.
        """
        if self.case.statuses and not self.case.answerable:
            return self.status in self.case.statuses
        return self.status == ABSTAINED and self.status not in self.case.statuses

    @property
    def expect_met(self) -> bool:
        """Whether an answerable case was answered with every expected text."""
        fits = not self.case.statuses or self.status in self.case.statuses
        return self.case.answerable and fits and not self.abstained and not self.missing

    def why(self) -> str:
        """Return what is wrong in words, or "" when the answer is right."""
        faults = [f"shows forbidden {text!r}" for text in self.violated]
        right = self.case.statuses or (() if self.case.answerable else (ABSTAINED,))
        if self.case.answerable and self.abstained:
            faults.append("abstained although the record holds the answer")
        elif right and self.status not in right:
            faults.append(f"status is {self.status}, not {' or '.join(right)}")
        if not (self.case.answerable and self.abstained):
            faults += [f"lacks {text!r}" for text in self.missing]
        return "; ".join(faults)


def judge(case: GoldCase, answer: Mapping[str, Any]) -> Verdict:
    """Compare an `ask` result with its case. Absent keys count as empty.

    The latency is `timings_ms["whole"]` (measured by the caller), else "total", else the sum of the stages.
    """
    sentences = answer.get("sentences") or []
    shown = [sentence for sentence in sentences if sentence.get("shown")]
    words = [str(sentence.get("text") or "") for sentence in shown]
    gold = frozenset(case.cites)
    cited = _resources(shown)
    listed = [*(answer.get("sources") or []), *(answer.get("evidence") or [])]
    retrieved = cited | _resources(sentences) | frozenset(_named(listed))
    rows = frozenset(str(one.get("row") or "") for one in answer.get("findings") or [])
    unchecked = [str(one) for one in (answer.get("medication_check") or {}).get("not_checked") or []]
    model = [bool(sentence.get("shown")) for sentence in sentences if sentence.get("by") == "model"]
    return Verdict(
        case=case,
        route=str(answer.get("route") or ""),
        status=str(answer.get("status") or ""),
        missing=(
            *(text for text in case.expect if not any(contains(w, text) for w in words)),
            *(row for row in case.findings if row not in rows),
            *(text for text in case.not_checked if not any(contains(one, text) for one in unchecked)),
        ),
        violated=tuple(text for text in case.forbid if any(contains(w, text) for w in words)),
        found=gold & retrieved,
        cited=gold & cited,
        right=(gold | frozenset(case.also)) & cited,
        citations=cited,
        model_shown=model.count(True),
        model_withheld=model.count(False),
        latency_ms=_latency(answer.get("timings_ms") or {}),
    )


def _latency(timings: Mapping[str, float]) -> float:
    for name in ("whole", "total"):
        if name in timings:
            return float(timings[name])
    return float(sum(timings.values()))


def _resources(sentences: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    cited = (citation for sentence in sentences for citation in sentence.get("citations") or [])
    return frozenset(_named(cited))


def _named(items: Iterable[object]) -> Iterable[str]:
    """Yield "Type/id" of citations, of sources that hold one, and of bare names."""
    for item in items:
        citation = item.get("citation", item) if isinstance(item, dict) else {"resource": item}
        name = str(citation.get("resource") or "")
        if name:
            yield name.split("/_history/", maxsplit=1)[0]
