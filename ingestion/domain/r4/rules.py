"""Rules that a type cannot say by itself; they run when msgspec has filled a Struct.

A rule raises ValueError with a text made by `broken()`; `issues` reads it back. msgspec adds the path.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from msgspec import UNSET

Rule = Callable[[Any], None]
MARK = "r4"


def broken(code: str, element: str = "") -> ValueError:
    """Return the error that stands for one broken rule: a code and the element's name, no value."""
    return ValueError(f"{MARK} {code} {element}".rstrip())


def run_rules(rules: list[Rule]) -> Rule:
    """Return one function that applies all of them."""
    if len(rules) == 1:
        return rules[0]

    def run(struct: Any) -> None:  # noqa: ANN401 - a Struct built at run time
        for rule in rules:
            rule(struct)

    return run


@dataclass(frozen=True, slots=True)
class Choice:
    """An element such as value[x]: the fields of its forms, and those of their companions."""

    element: str
    forms: tuple[str, ...]
    companions: tuple[str, ...]
    required: bool


def choice_rule(choices: list[Choice]) -> Rule:
    """At most one form of each choice (exactly one if required); `_valueString` counts as valueString.

    One fetch serves all choices of a type, because this runs for nearly every object.
    """
    names: list[str] = []
    spans: list[tuple[int, int, Choice]] = []
    for choice in choices:
        own = choice.forms + choice.companions
        own = own if len(own) > 1 else own * 2  # attrgetter gives a tuple for two names and more
        spans.append((len(names), len(names) + len(own), choice))
        names += own
    fetch = attrgetter(*names)
    all_but_one = len(names) - 1
    any_required = any(choice.required for choice in choices)

    def rule(struct: Any) -> None:  # noqa: ANN401 - a Struct built at run time
        found = fetch(struct)
        if found.count(UNSET) >= all_but_one and not any_required:
            return
        for start, end, choice in spans:
            unset = found[start:end].count(UNSET)
            if unset == end - start:
                if choice.required:
                    raise broken("required-element", choice.element)
            elif unset < end - start - 1:
                _refuse_two(choice, names[start:end], found[start:end])

    return rule


def _refuse_two(choice: Choice, names: list[str], found: tuple[Any, ...]) -> None:
    stems = {name.lstrip("_") for name, value in zip(names, found, strict=True) if value is not UNSET}
    if len(stems) > 1:
        raise broken("choice-repeated", choice.element)


def companion_rule(element: str, field: str) -> Rule:
    """A required primitive is there as a value or as its companion (which then says why it is not)."""
    fetch = attrgetter(field, "_" + element)

    def rule(struct: Any) -> None:  # noqa: ANN401 - a Struct built at run time
        value, companion = fetch(struct)
        if value is UNSET and companion is UNSET:
            raise broken("required-element", element)

    return rule


def list_companion_rule(element: str, field: str, *, required: bool) -> Rule:
    """A null in a list of primitives has a companion at the same place."""
    fetch = attrgetter(field, "_" + element)

    def rule(struct: Any) -> None:  # noqa: ANN401 - a Struct built at run time
        values, companions = fetch(struct)
        if values is UNSET:
            if required and companions is UNSET:
                raise broken("required-element", element)
            return
        others = [] if companions is UNSET else companions
        for index, value in enumerate(values):
            if value is None and (index >= len(others) or others[index] is None):
                raise broken("null-value", f"{element}[{index}]")

    return rule


def bound_concept_rule(allowed: frozenset[str]) -> Rule:
    """One coding of the CodeableConcept is in the required value set ("system|code").

    A concept that only carries an extension (such as data-absent-reason) passes.
    """

    def rule(concept: Any) -> None:  # noqa: ANN401 - a Struct built at run time
        if concept.coding is UNSET:
            if concept.extension is UNSET:
                raise broken("code-not-allowed", "coding")
            return
        if not any(f"{coding.system}|{coding.code}" in allowed for coding in concept.coding):
            raise broken("code-not-allowed", "coding")

    return rule
