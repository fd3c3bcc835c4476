"""Reading CDA XML safely, and the few ways of asking it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterator

V3: Final = "urn:hl7-org:v3"
SDTC: Final = "urn:hl7-org:sdtc"
XSI_TYPE: Final = "{http://www.w3.org/2001/XMLSchema-instance}type"
NAMES: Final = {"v": V3, "s": SDTC}
MOST_ELEMENTS: Final = 400_000
MOST_DEPTH: Final = 120
Element = ElementTree.Element


class CcdaError(ValueError):
    """The document cannot be read. `reason` is a code, `place` an element's name, never patient text."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(f"{reason}: {place}" if place else reason)
        self.reason = reason
        self.place = place


class _Builder(ElementTree.TreeBuilder):
    """Builds the tree within bounds; a document type declaration, and so every entity, is refused."""

    def __init__(self) -> None:
        super().__init__()
        self._elements = self._depth = 0

    def start(self, tag: Any, attrs: dict[Any, Any]) -> Element:  # noqa: ANN401 - the parser's signature
        self._elements += 1
        self._depth += 1
        if self._elements > MOST_ELEMENTS:
            raise CcdaError("too-many-elements")
        if self._depth > MOST_DEPTH:
            raise CcdaError("nested-too-deep")
        return super().start(tag, attrs)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise CcdaError("document-type-declared")


def parse(raw: bytes) -> Element:
    """Return the root of a document.

    Raises:
        CcdaError: not-xml, document-type-declared, too-many-elements, nested-too-deep.
    """
    # An entity must be declared before it can be used: refusing the declaration refuses them all.
    if b"<!DOCTYPE" in raw[:4096].upper() or b"<!ENTITY" in raw:
        raise CcdaError("document-type-declared")
    parser = ElementTree.XMLParser(target=_Builder())  # noqa: S314 - bounded, without entities
    try:
        parser.feed(raw)
        root: Element = parser.close()
    except ElementTree.ParseError as error:
        line, column = error.position
        raise CcdaError("not-xml", f"line {line}, column {column}") from None
    return root


def name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def one(element: Element | None, path: str) -> Element | None:
    """Return the first element at a path such as "v:code/v:translation"."""
    return None if element is None else element.find(path, NAMES)


def every(element: Element | None, path: str) -> list[Element]:
    """Return all elements at a path."""
    return [] if element is None else element.findall(path, NAMES)


def attribute(element: Element | None, key: str = "value", path: str = "") -> str:
    """Return an attribute of the element, or of the first at a path; "" when absent or of unknown value."""
    found = one(element, path) if path else element
    return "" if found is None else (found.get(key) or "").strip()


def words(element: Element | None, path: str = "") -> str:
    """Return all text inside an element as one line."""
    found = one(element, path) if path else element
    return "" if found is None else " ".join("".join(found.itertext()).split())


def templates(element: Element) -> set[str]:
    """Return the roots of the element's templateIds."""
    return {attribute(found, "root") for found in every(element, "v:templateId")}


def within(element: Element, template: str) -> Iterator[Element]:
    """Yield the elements inside (the element too) that claim a template."""
    return (found for found in element.iter() if name(found) != "templateId" and template in templates(found))
