"""Rules that a type cannot say by itself; they run when msgspec has filled a Struct.

A rule raises ValueError with a text made by `broken()`; `issues` reads it back. msgspec adds the path.
"""

from __future__ import annotations

from collections.abc import Callable
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


def choice_rule(element: str, forms: list[str], companions: list[str], *, required: bool) -> Rule:
    """At most one form of value[x] (exactly one if required); `_valueString` counts as valueString."""
    names = forms + companions
    if len(names) == 1:
        names = names * 2
    fetch = attrgetter(*names)
    total = len(names)

    def rule(struct: Any) -> None:  # noqa: ANN401 - a Struct built at run time
        found = fetch(struct)
        unset = found.count(UNSET)
        if unset == total:
            if required:
                raise broken("required-element", element)
        elif unset < total - 1:
            stems = {n.lstrip("_") for n, value in zip(names, found, strict=True) if value is not UNSET}
            if len(stems) > 1:
                raise broken("choice-repeated", element)

    return rule


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
