"""Which segments stand together: an order with its results, notes and specimens; a pharmacy order with its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ingestion.domain.v2.to_fhir.values import TEXTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingestion.domain.v2.message import Segment

_BY_SPECIMEN: Final = frozenset({("OUL", "R22"), ("OUL", "R23")})
_PHARMACY: Final = frozenset({"RXO", "RXE", "RXD", "RXA", "RXR", "RXC", "RXG", "TQ1"})


@dataclass(slots=True)
class Result:
    """One OBX with the notes under it; `lines` are further OBX that continue its text."""

    obx: Segment
    lines: list[Segment] = field(default_factory=list)
    notes: list[Segment] = field(default_factory=list)


@dataclass(slots=True)
class OrderGroup:
    """ORC and OBR with what stands under them."""

    orc: Segment | None = None
    obr: Segment | None = None
    notes: list[Segment] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    specimens: list[Segment] = field(default_factory=list)
    timings: list[Segment] = field(default_factory=list)

    def number(self, of: str) -> tuple[Segment, str] | None:
        """Return the segment and raw placer ("placer") or filler ("filler") number; OBR speaks before ORC."""
        for segment in (self.obr, self.orc):
            raw = segment.repetitions(2 if of == "placer" else 3) if segment else []
            if segment and raw and segment.part(raw[0]):
                return segment, raw[0]
        return None

    @property
    def key(self) -> str:
        """What names the order wherever it is spoken of: the filler's number, else the placer's."""
        found = self.number("filler") or self.number("placer")
        return found[0].part(found[1]) if found else ""

    @property
    def ordered_as(self) -> str:
        """What names the request: the placer's number, which alone is known when it is ordered, else the filler's."""
        found = self.number("placer") or self.number("filler")
        return found[0].part(found[1]) if found else ""


@dataclass(slots=True)
class PharmacyGroup:
    """ORC with the pharmacy segments under it."""

    orc: Segment | None = None
    segments: dict[str, list[Segment]] = field(default_factory=dict)
    notes: list[Segment] = field(default_factory=list)

    def first(self, name: str) -> Segment | None:
        """Return the first segment of this name."""
        return next(iter(self.segments.get(name, ())), None)

    def last(self, name: str) -> Segment | None:
        """Return the last segment of this name: of several the one under what was encoded or given."""
        return next(reversed(self.segments.get(name, [])), None)

    @property
    def key(self) -> str:
        """The order's number."""
        return (self.orc.get(2) or self.orc.get(3)) if self.orc else ""


@dataclass(slots=True)
class Groups:
    """The groups of one message. `loose` holds results that stand before any order.

    `by_specimen`: each SPM stands before the orders made on it, and what follows it directly is said of the specimen.
    `orc_follows`: an ORC may stand after the OBR it belongs to.
    """

    by_specimen: bool = False
    orc_follows: bool = False
    loose: OrderGroup = field(default_factory=OrderGroup)
    orders: list[OrderGroup] = field(default_factory=list)
    pharmacy: list[PharmacyGroup] = field(default_factory=list)
    _last: Result | None = None
    _specimens: list[Segment] = field(default_factory=list)  # on which the next orders were made
    _between: bool = False  # after a specimen, before its first order

    @property
    def current(self) -> OrderGroup:
        """The group that the next segment belongs to."""
        return self.orders[-1] if self.orders and not self._between else self.loose

    def is_pharmacy(self, order: OrderGroup) -> bool:
        """Return whether the order's ORC stands over pharmacy segments."""
        return any(group.orc is order.orc and group.segments.keys() - {"TQ1"} for group in self.pharmacy)

    def add(self, segment: Segment) -> None:
        """Put a segment where it belongs."""
        match segment.name:
            case "ORC":
                self._add_orc(segment)
            case "OBR":
                if self._between or not self.orders or self.current.obr is not None:
                    self._open(OrderGroup())
                self.current.obr, self._last = segment, None
            case "OBX":
                self._add_result(segment)
            case "NTE":
                self._add_note(segment)
            case "SPM":
                self._add_specimen(segment)
            case name if name in _PHARMACY:
                self._add_pharmacy(name, segment)

    def _open(self, order: OrderGroup) -> None:
        self._between, self._last = False, None
        order.specimens.extend(self._specimens)
        self.orders.append(order)

    def _add_orc(self, orc: Segment) -> None:
        current = self.current
        if self.orc_follows and current.obr is not None and current.orc is None and not current.results:
            current.orc = orc
            return
        self._open(OrderGroup(orc=orc))
        self.pharmacy.append(PharmacyGroup(orc=orc))

    def _add_specimen(self, spm: Segment) -> None:
        self._last = None
        if self.by_specimen:
            self._specimens, self._between = [spm], True
        else:
            self.current.specimens.append(spm)

    def _add_note(self, nte: Segment) -> None:
        if self._last is not None:
            self._last.notes.append(nte)
            return
        self.current.notes.append(nte)
        if self.pharmacy and self.pharmacy[-1].orc is self.current.orc:
            self.pharmacy[-1].notes.append(nte)

    def _add_pharmacy(self, name: str, segment: Segment) -> None:
        if name == "TQ1":
            self.current.timings.append(segment)
        else:
            self._last = None  # what follows is not said of a result that stood before
        if not self.pharmacy:
            self.pharmacy.append(PharmacyGroup())
        self.pharmacy[-1].segments.setdefault(name, []).append(segment)

    def _add_result(self, obx: Segment) -> None:
        if self._last is not None and continues(self._last, obx):
            self._last.lines.append(obx)
        else:
            self._last = Result(obx)
            self.current.results.append(self._last)


def group(segments: Iterable[Segment], kind: str = "", event: str = "") -> Groups:
    """Return the groups of these segments, which stand in message order, by the structure of their message type.

    Source: HL7 v2.5.1, 4.4 and 13.3: ORU and OML have ORC before OBR and SPM after the results; OUL has ORC after OBR,
    and in R22 and R23 SPM before the orders.
    """
    groups = Groups(by_specimen=(kind, event) in _BY_SPECIMEN, orc_follows=kind == "OUL")
    for segment in segments:
        groups.add(segment)
    return groups


def continues(former: Result, obx: Segment) -> bool:
    """Return whether this OBX goes on with the text of the former one."""
    return (
        obx.get(2).upper() in TEXTS
        and former.obx.get(2).upper() in TEXTS
        and bool(obx.get(3))
        and (obx.whole(3), obx.get(4)) == (former.obx.whole(3), former.obx.get(4))
    )
