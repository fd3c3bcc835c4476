"""The hazard log: every field filled, every figure computed as it says, every test it names in existence."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache

import pytest

from appliance.config import ROOT

LOG = (ROOT / "docs" / "hazards.md").read_text()
FIELDS = ("Cause", "Harm", "Before", "Control", "Proof", "After", "Left")
_ESTIMATE = re.compile(r"severity ([1-5]), likelihood ([1-5]), risk (\d+) \((low|medium|high)\)\.")
_TEST = re.compile(r"`(tests/[\w/]+\.py)((?:::\w+)+)`")


@dataclass(frozen=True)
class Hazard:
    number: int
    title: str
    fields: dict[str, str]


def hazards() -> list[Hazard]:
    found = []
    for heading, body in re.findall(r"^### (H.+?)\n(.*?)(?=^##|\Z)", LOG, re.MULTILINE | re.DOTALL):
        number, title = re.fullmatch(r"H(\d\d) (.+)", heading).groups()  # type: ignore[union-attr]
        fields = dict(re.findall(r"^- (\w+): (.+)$", body, re.MULTILINE))
        found.append(Hazard(int(number), title, fields))
    return found


@cache
def functions_of(path: str) -> frozenset[str]:
    """Return the tests of a file as "::Class::function"."""
    whole = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        if isinstance(node, ast.FunctionDef):
            whole.add(f"::{node.name}")
        elif isinstance(node, ast.ClassDef):
            whole |= {f"::{node.name}::{one.name}" for one in node.body if isinstance(one, ast.FunctionDef)}
    return frozenset(whole)


@pytest.mark.parametrize("hazard", hazards(), ids=lambda one: f"H{one.number:02d}")
class TestEachHazard:
    def test_has_every_field_filled(self, hazard: Hazard) -> None:
        assert tuple(hazard.fields) == FIELDS
        assert all(len(words) > len("a word.") and words.endswith(".") for words in hazard.fields.values())

    def test_has_its_risk_computed_and_not_made_worse_by_the_control(self, hazard: Hazard) -> None:
        products = []
        for name in ("Before", "After"):
            estimate = _ESTIMATE.fullmatch(hazard.fields[name])
            assert estimate, hazard.fields[name]
            severity, likelihood, risk = map(int, estimate.groups()[:3])
            assert risk == severity * likelihood
            assert estimate[4] == ("high" if risk >= 12 else "medium" if risk >= 6 else "low")
            products.append(risk)
        assert products[1] < products[0]

    def test_is_proved_by_tests_that_exist(self, hazard: Hazard) -> None:
        named = _TEST.findall(hazard.fields["Proof"])

        assert hazard.fields["Proof"] == ", ".join(f"`{path}{name}`" for path, name in named) + "."
        assert named
        assert [f"{path}{name}" for path, name in named if name not in functions_of(path)] == []
        assert all(name.rpartition("::")[2].startswith("test_") for _path, name in named)


def test_ids_are_unique_and_in_order_and_there_are_at_least_thirty() -> None:
    numbers = [hazard.number for hazard in hazards()]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 30
    assert len({hazard.title for hazard in hazards()}) == len(numbers)
    assert LOG.count("\n### ") == len(numbers)


def test_it_says_that_nobody_with_the_duty_has_reviewed_it() -> None:
    assert "No clinical safety\nofficer has reviewed it" in LOG
