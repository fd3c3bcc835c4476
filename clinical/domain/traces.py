"""What one patient is recognised by in bytes that hold more than his record, so that he can be taken out of them."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.demographics import fold, name_words
from clinical.domain.versions import owner_reference

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

# A literal reference to a Patient (https://hl7.org/fhir/R4/references.html#literal): server base, or None, and id.
PATIENT_REFERENCE: Final = re.compile(
    r"^(?:(https?://.+)/)?Patient/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$"
)
_WORD: Final = r"A-Za-z0-9\-."
# A shorter token, or one without a digit, is looked for only where it can mean a patient.
_SHORTEST_ALONE: Final = 6


@dataclass(frozen=True, slots=True)
class Traces:
    """The words of one patient's record that name him.

    `ids` are the (server, logical id) by which resources refer to him, `identifiers` the (system, value) of
    his Patient resources, `digests` the sha256 of each version's content, `resources` the (server, type, id)
    of all his resources, `names` the folded words of each name he has had, each with the birth date beside it.
    """

    ids: frozenset[tuple[str, str]] = frozenset()
    identifiers: frozenset[tuple[str, str]] = frozenset()
    digests: frozenset[str] = frozenset()
    resources: frozenset[tuple[str, str, str]] = frozenset()
    names: frozenset[tuple[frozenset[str], str]] = frozenset()
    _patterns: dict[bytes, re.Pattern[bytes]] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_patterns", _patterns(self.ids, self.identifiers))

    def are_identified_in(self, raw: bytes) -> bool:
        """Return whether bytes of any format name him by an id or an identifier."""
        # Looking for the bare word first is many times faster, and mostly enough.
        return any(word in raw and pattern.search(raw) is not None for word, pattern in self._patterns.items())

    def are_named_in(self, raw: bytes) -> bool:
        """Return whether bytes of any format name him by an id, an identifier, or his name and birth date."""
        if self.are_identified_in(raw):
            return True
        if not any(birth_date.encode() in raw for _, birth_date in self.names):
            return False
        text = raw.decode(errors="replace")
        words = set(re.findall(r"\w+", fold(text)))
        return any(birth_date in text and name <= words for name, birth_date in self.names)

    def are_hinted_at_in(self, name: str) -> bool:
        """Return whether the name of a file holds his id, or a word of his name of three letters or more."""
        words = set(re.findall(r"\w+", fold(name).replace("_", " ")))
        if any(len(word) > 2 and word in words for full, _ in self.names for word in full):
            return True
        return any(
            re.search(rf"(?<![{_WORD}]){re.escape(one)}(?![A-Za-z0-9])", name) for _, one in self.ids | self.identifiers
        )

    def are_of(self, resource: dict[str, Any], server: str, ids: Collection[tuple[str, str]]) -> bool:
        """Return whether a resource is about him: his Patient resource, or one that names him as its owner.

        Args:
            resource: FHIR R4.
            server: base URL it came from, or "".
            ids: the (server, logical id) that mean him where the resource stands.
        """
        if resource.get("resourceType") == "Patient":
            return (server, str(resource.get("id"))) in ids or not self.identifiers.isdisjoint(_identifiers(resource))
        owner = owner_reference(resource) if resource.get("resourceType") else None
        if owner is None:
            return False
        named = PATIENT_REFERENCE.match(str(owner.get("reference", "")))
        if named:
            return (named[1] or server, named[2]) in ids
        return not self.identifiers.isdisjoint(_identifiers({"identifier": [owner.get("identifier")]}))

    def without(self, resource: dict[str, Any], server: str) -> dict[str, Any] | None:
        """Return a resource that belongs to nobody (a Group, an Account) without what refers to him.

        An element of a list goes with the reference in it. None when a reference to him stands outside every
        list (the resource is about him alone), or when a list is left with nobody.
        """
        try:
            return {key: self._cut(value, server) for key, value in resource.items()}
        except _AboutHimError:
            return None

    def _cut(self, value: Any, server: str) -> Any:  # noqa: ANN401 - JSON of any kind
        if isinstance(value, dict):
            named = PATIENT_REFERENCE.match(str(value.get("reference", "")))
            if named and (named[1] or server, named[2]) in self.ids:
                raise _AboutHimError
            return {key: self._cut(inner, server) for key, inner in value.items()}
        if not isinstance(value, list):
            return value
        kept = []
        for element in value:
            try:
                kept.append(self._cut(element, server))
            except _AboutHimError:
                continue
        if value and not kept:
            raise _AboutHimError
        return kept


class _AboutHimError(Exception):
    """The JSON read so far is about the patient as a whole."""


def traces_of(versions: Iterable[tuple[str, str, str, str, dict[str, Any]]]) -> Traces:
    """Collect the traces of a patient from (server, type, id, sha256, resource) of each version of his record."""
    ids: set[tuple[str, str]] = set()
    identifiers: set[tuple[str, str]] = set()
    digests: set[str] = set()
    resources: set[tuple[str, str, str]] = set()
    names: set[tuple[frozenset[str], str]] = set()
    for server, resource_type, logical_id, sha256, resource in versions:
        digests.add(sha256)
        resources.add((server, resource_type, logical_id))
        if resource_type == "Patient":
            ids.add((server, logical_id))
            identifiers.update(_identifiers(resource))
            names.update(_names(resource))
            continue
        owner = owner_reference(resource) if resource.get("resourceType") else None
        if owner is not None:
            named = PATIENT_REFERENCE.match(str(owner.get("reference", "")))
            if named:
                ids.add((named[1] or server, named[2]))
            identifiers.update(_identifiers({"identifier": [owner.get("identifier")]}))
    return Traces(*map(frozenset, (ids, identifiers, digests, resources, names)))  # type: ignore[arg-type]  # in order


def _names(resource: dict[str, Any]) -> Iterator[tuple[frozenset[str], str]]:
    birth_date = str(resource.get("birthDate", ""))
    for name in resource.get("name") or ():
        words = frozenset(word for part in name_words({"name": [name]}) for word in re.findall(r"\w+", part))
        if words and birth_date:
            yield words, birth_date


def _identifiers(resource: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (str(one["system"]), str(one["value"]))
        for one in resource.get("identifier") or ()
        if isinstance(one, dict) and one.get("system") and one.get("value")
    }


def _patterns(ids: Iterable[tuple[str, str]], identifiers: Iterable[tuple[str, str]]) -> dict[bytes, re.Pattern[bytes]]:
    """Return, for each word that names him, what finds it where JSON, front matter or HL7 v2 writes one."""
    parts: dict[str, list[str]] = defaultdict(list)
    for token in sorted({logical_id for _, logical_id in ids}):
        word = re.escape(token)
        parts[token] += [
            rf"(?:Patient\\?/|urn:uuid:){word}(?![{_WORD}])",
            rf'"id"\s*:\s*"{word}"',
            rf"(?:^|\n)patient[ \t]*:[ \t]*[\"']?{word}[\"']?[ \t]*[\r\n]",
            *_alone(token),
        ]
    for token in sorted({value for _, value in identifiers}):
        word = re.escape(token)
        parts[token] += [rf'"value"\s*:\s*"{word}"', rf"[|~^]{word}(?=[\^|~&\s])", *_alone(token)]
    return {token.encode(): re.compile("|".join(found).encode()) for token, found in parts.items()}


def _alone(token: str) -> list[str]:
    if len(token) < _SHORTEST_ALONE or not any(char.isdigit() for char in token):
        return []
    return [rf"(?<![{_WORD}]){re.escape(token)}(?![{_WORD}])"]
