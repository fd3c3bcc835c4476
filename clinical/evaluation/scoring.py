"""The figures of `evaluate`: one report over a gold set and its answers."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

from clinical.evaluation.verdicts import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from clinical.evaluation.cases import GoldCase


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one run, each computed from the verdicts. A ratio without a denominator is None.

    Ratios over citations and resources are taken over the whole set at once (micro average), and only over
    answerable cases that name the resources they rest on.
    """

    verdicts: tuple[Verdict, ...]

    @property
    def expect_met(self) -> int:
        """Answerable cases answered with every expected text in some shown sentence."""
        return sum(verdict.expect_met for verdict in self.verdicts)

    @property
    def forbid_violated(self) -> int:
        """Cases, answerable or not, in which a shown sentence contains a forbidden text."""
        return sum(bool(verdict.violated) for verdict in self.verdicts)

    @property
    def retrieval_recall(self) -> float | None:
        """Of the resources that right answers rest on, the share retrieved.

        Retrieved is what any sentence cites, shown or withheld, or what the answer lists as `sources`.
        """
        return _ratio(sum(len(v.found) for v in self._fixed), self._gold)

    @property
    def citation_recall(self) -> float | None:
        """Of the resources that right answers rest on, the share cited by shown sentences."""
        return _ratio(sum(len(v.cited) for v in self._fixed), self._gold)

    @property
    def citation_precision(self) -> float | None:
        """Of the different resources cited by shown sentences of a case, the share that the case names as right.

        Cases that name only some of what a right answer rests on are left out.
        """
        whole = [verdict for verdict in self._fixed if not verdict.case.cites_some]
        return _ratio(sum(len(v.right) for v in whole), sum(len(v.citations) for v in whole))

    @property
    def abstention_recall(self) -> float | None:
        """Of the cases that are not answerable, the share with status `not_documented`."""
        unanswerable = [v.abstained for v in self.verdicts if not v.case.answerable]
        return _ratio(sum(unanswerable), len(unanswerable))

    @property
    def false_abstention(self) -> float | None:
        """Of the answerable cases, the share with status `not_documented`; the lower, the better."""
        answerable = [v.abstained for v in self.verdicts if v.case.answerable]
        return _ratio(sum(answerable), len(answerable))

    def by_class(self) -> dict[str, dict[str, Any]]:
        """Return figures by what the questions try; those that state no class are left out."""
        groups: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            if verdict.case.kind:
                groups.setdefault(verdict.case.kind, []).append(verdict)
        return {kind: _figures(groups[kind]) for kind in sorted(groups)}

    def by_route(self) -> dict[str, dict[str, Any]]:
        """Return figures by the route the case expects, or the route taken where the case states none.

        `routed_so` counts answers that took that very route.
        """
        groups: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            groups.setdefault(verdict.case.route or verdict.route, []).append(verdict)
        return {route: _group(route, groups[route]) for route in sorted(groups)}

    def as_json(self) -> dict[str, Any]:
        """Return the `evaluate` object; ratios are rounded to 4 decimals, milliseconds to 1."""
        latencies = [verdict.latency_ms for verdict in self.verdicts]
        return {
            "cases": len(self.verdicts),
            "answerable": sum(verdict.case.answerable for verdict in self.verdicts),
            "by_route": self.by_route(),
            "by_class": self.by_class(),
            "expect_met": self.expect_met,
            "forbid_violated": self.forbid_violated,
            "retrieval_recall": _rounded(self.retrieval_recall),
            "citation_precision": _rounded(self.citation_precision),
            "citation_recall": _rounded(self.citation_recall),
            "abstention_recall": _rounded(self.abstention_recall),
            "false_abstention": _rounded(self.false_abstention),
            "latency_ms": {"p50": percentile(latencies, 50), "p95": percentile(latencies, 95)},
            "model": {
                "shown": sum(verdict.model_shown for verdict in self.verdicts),
                "withheld": sum(verdict.model_withheld for verdict in self.verdicts),
            },
            "failures": [{"id": v.case.case_id, "why": v.why()} for v in self.verdicts if v.why()],
        }

    @property
    def _fixed(self) -> list[Verdict]:
        return [verdict for verdict in self.verdicts if verdict.case.answerable and verdict.case.cites]

    @property
    def _gold(self) -> int:
        return sum(len(frozenset(verdict.case.cites)) for verdict in self._fixed)


def score(cases: Sequence[GoldCase], results: Sequence[Mapping[str, Any]]) -> Report:
    """Score the `ask` results, one for each case and in the same order.

    Raises:
        ValueError: there are more or fewer results than cases.
    """
    return Report(tuple(judge(case, result) for case, result in zip(cases, results, strict=True)))


def percentile(values: Iterable[float], percent: int) -> float | None:
    """Return the nearest-rank percentile, rounded to 1 decimal; None without values. `percent` is 1..100."""
    ordered = sorted(values)
    if not ordered:
        return None
    return round(ordered[ceil(percent * len(ordered) / 100) - 1], 1)


def _group(route: str, verdicts: list[Verdict]) -> dict[str, Any]:
    figures = _figures(verdicts)
    routed = sum(verdict.route == route for verdict in verdicts)
    return {name: figures[name] for name in ("cases", "answerable")} | {"routed_so": routed} | figures


def _figures(verdicts: list[Verdict]) -> dict[str, Any]:
    report = Report(tuple(verdicts))
    return {
        "cases": len(verdicts),
        "answerable": sum(verdict.case.answerable for verdict in verdicts),
        "expect_met": report.expect_met,
        "forbid_violated": report.forbid_violated,
        "abstention_recall": _rounded(report.abstention_recall),
        "false_abstention": _rounded(report.false_abstention),
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, 4)
