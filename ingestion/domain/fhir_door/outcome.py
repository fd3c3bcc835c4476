"""OperationOutcome: why something was refused, by code and place; never a word of what was sent.

Source: HL7 FHIR R4 4.0.1, OperationOutcome and code system issue-type (https://hl7.org/fhir/R4/operationoutcome.html).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Reason:
    """What a reason code means at this door: HTTP status, FHIR issue type, and a sentence for the sender."""

    status: int
    issue: str
    says: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason with its place: a FHIRPath of what was sent, or "". `place` is a position such as "byte 12"."""

    reason: str
    expression: str = ""
    place: str = ""
    severity: str = "error"


class RefusedError(Exception):
    """A request that is not taken. Holds codes and element paths only, so that it may be logged."""

    def __init__(self, *problems: Problem, status: int = 0) -> None:
        super().__init__(", ".join(one.reason for one in problems[:5]))
        self.problems = problems
        self.status = status or reason(problems[0].reason).status


@cache
def _reasons() -> dict[str, Reason]:
    return msgspec.json.decode(files(__package__).joinpath("reasons.json").read_bytes(), type=dict[str, Reason])


def reason(code: str) -> Reason:
    """Return what a reason code means; one that only the checking of resources knows is an invalid content."""
    return _reasons().get(code) or Reason(400, "invalid", "This is not valid FHIR R4.")


def refused(code: str, expression: str = "", *, place: str = "") -> RefusedError:
    """Return the error for one reason."""
    return RefusedError(Problem(code, expression, place))


def operation_outcome(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the OperationOutcome of one or more problems."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(one) for one in problems]}


def told(code: str, sentence: str) -> dict[str, Any]:
    """Return an OperationOutcome that reports what was done."""
    issue = {"severity": "information", "code": "informational", "details": {"text": code}, "diagnostics": sentence}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def _issue(problem: Problem) -> dict[str, Any]:
    meaning = reason(problem.reason)
    place = f" ({problem.place})" if problem.place else ""
    issue: dict[str, Any] = {
        "severity": problem.severity,
        "code": meaning.issue,
        "details": {"text": problem.reason},
        "diagnostics": meaning.says + place,
    }
    if problem.expression:
        issue["expression"] = [problem.expression]
    return issue
