"""One msgspec Struct a FHIR R4 type, built from the tables when first asked for.

Two forms exist. The strict one fits nearly every resource. The other also takes what the JSON format allows
rarely (https://hl7.org/fhir/R4/json.html#primitive): a primitive replaced by its `_name` companion, nulls in
lists of primitives, white space in base64; it is built and tried only where the strict one refused.

Recursive types need names that msgspec can look up, so each form has a module of its own in sys.modules.
"""

from __future__ import annotations

import keyword
import sys
from functools import cache
from threading import RLock
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from ingestion.domain.r4.primitives import ANNOTATIONS, SPACED_BASE64
from ingestion.domain.r4.rules import (
    Choice,
    bound_concept_rule,
    choice_rule,
    companion_rule,
    list_companion_rule,
    run_rules,
)
from ingestion.domain.r4.tables import tables

if TYPE_CHECKING:
    from ingestion.domain.r4.rules import Rule
    from ingestion.domain.r4.tables import Element

NESTED_RESOURCE = "Resource"


class Builder:
    """Builds the Structs of one form. `companions_replace` selects the form that allows the rare cases."""

    def __init__(self, *, companions_replace: bool) -> None:
        self._rare = companions_replace
        self._module = ModuleType(f"{__name__}_{'rare' if companions_replace else 'strict'}")
        sys.modules[self._module.__name__] = self._module
        self._names = vars(self._module)
        self._names.update(UnsetType=UnsetType, Annotated=Annotated, Raw=Raw, NOT_EMPTY=Meta(min_length=1))
        self._started: set[str] = set()

    def struct(self, type_name: str) -> type[Struct]:
        """Return the Struct of one R4 type, building it and all it refers to."""
        found: type[Struct] = self._names[self._built(type_name)]
        return found

    def _built(self, type_name: str, codes: str = "") -> str:
        python_name = type_name.replace(".", "_") + ("_" + codes.strip("|").replace("-", "_") if codes else "")
        if python_name in self._started:
            return python_name
        self._started.add(python_name)
        elements = tables().elements[type_name]
        fields: list[Any] = []
        rules: list[Rule] = []
        choices: list[Choice] = []
        for element in elements:
            if element.is_choice:
                fields += self._choice_fields(element, choices)
            else:
                fields += self._fields(element, rules)
        if choices:
            rules.append(choice_rule(choices))
        if codes:
            rules.append(bound_concept_rule(frozenset(tables().codes[codes])))
        is_resource = type_name in tables().resources
        self._names[python_name] = msgspec.defstruct(
            python_name,
            fields,
            module=self._module.__name__,
            namespace={"__post_init__": run_rules(rules)} if rules else None,
            tag_field="resourceType" if is_resource else None,
            tag=type_name if is_resource else None,
            rename={f + "_": f for f in keyword.kwlist},
            kw_only=True,
            forbid_unknown_fields=True,
            omit_defaults=True,
            gc=False,
            eq=False,
        )
        return python_name

    def _fields(self, element: Element, rules: list[Rule]) -> list[Any]:
        kind = element.types[0]
        name = element.name + "_" if keyword.iskeyword(element.name) else element.name
        annotation = self._annotation(kind, element.codes)
        primitive = kind in ANNOTATIONS
        if element.repeats:
            item = f"{annotation} | None" if self._rare and primitive else annotation
            annotation = f"Annotated[list[{item}], NOT_EMPTY]"
        fields: list[Any] = []
        if element.required and not (self._rare and primitive):
            fields.append((name, annotation))
        else:
            fields.append((name, f"{annotation} | UnsetType", UNSET))
        if primitive:
            fields.append(self._companion(element.name, repeats=element.repeats))
            if self._rare and element.repeats:
                rules.append(list_companion_rule(element.name, name, required=element.required))
            elif self._rare and element.required:
                rules.append(companion_rule(element.name, name))
        return fields

    def _choice_fields(self, element: Element, choices: list[Choice]) -> list[Any]:
        fields: list[Any] = []
        values, companions = [], []
        for kind in element.types:
            name = element.stem + kind[0].upper() + kind[1:]
            fields.append((name, f"{self._annotation(kind, element.codes)} | UnsetType", UNSET))
            values.append(name)
            if kind in ANNOTATIONS:
                fields.append(self._companion(name, repeats=False))
                companions.append("_" + name)
        choices.append(Choice(element.name, tuple(values), tuple(companions), element.required))
        return fields

    def _companion(self, name: str, *, repeats: bool) -> tuple[str, str, UnsetType]:
        element = self._built("Element")
        expression = f"Annotated[list[{element} | None], NOT_EMPTY]" if repeats else element
        return ("_" + name, f"{expression} | UnsetType", UNSET)

    def _annotation(self, kind: str, codes: str) -> str:
        if kind in ANNOTATIONS:
            return self._primitive(kind, codes)
        if kind == NESTED_RESOURCE:
            return "Raw"
        return self._built(kind, codes if kind == "CodeableConcept" else "")

    def _primitive(self, kind: str, codes: str) -> str:
        name = "p_" + (codes.replace("-", "_") if codes else kind)
        if name not in self._names:
            if codes:
                self._names[name] = Literal[tables().codes[codes]]
            elif self._rare and kind == "base64Binary":
                self._names[name] = SPACED_BASE64
            else:
                self._names[name] = ANNOTATIONS[kind]
        return name


# Two threads that build types at once have crashed the process inside msgspec.
_BUILDING: Final = RLock()


@cache
def _builder(*, companions_replace: bool) -> Builder:
    return Builder(companions_replace=companions_replace)


@cache
def _decoder(type_name: str, *, rare: bool) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(_builder(companions_replace=rare).struct(type_name))


def decoder(type_name: str, *, rare: bool = False) -> msgspec.json.Decoder[Any]:
    """Return the decoder that checks one R4 resource type or datatype.

    The first call of a process builds the datatypes too (about 40 ms); a further type takes about 1 ms.

    Raises:
        KeyError: R4 has no such type.
    """
    with _BUILDING:
        return _decoder(type_name, rare=rare)
