"""What the rules of a Consent deny, and what its root rule permits, when some conditions cannot be told here.

A condition that cannot be told makes a denial wider: it is dropped, and the denial is about all our uses. It makes a
permission void: it holds for nothing, and opens nothing that a denial has closed. Not told are actors (the record
names neither this site nor who asks), extensions that change a rule, purposes and actions outside the table of
`clinical.domain.consent_uses`, and what `clinical.domain.consent_scope` cannot tell of resources. A rule whose
purposes or actions are all known and not ours is not about us.

A permission inside a denial is its exception, a denial inside that an exception to it, and so on. A denial inside a
denial, beside its exceptions, stands for itself. A rule inside another that does not say which of the two it is, is
taken for what narrows our use: a denial inside a permission, no exception inside a denial.

Source: HL7 FHIR R4 4.0.1, Consent.provision (https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision);
what follows from conditions that cannot be told is this product's own decision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from clinical.domain.consent_scope import EVERYTHING, Scope, scope_of
from clinical.domain.consent_times import NEVER, OPEN, Span, span_of
from clinical.domain.consent_uses import Use, inner_of, use_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

_DENY: Final = "deny"
_PERMIT: Final = "permit"
_KINDS: Final = (_DENY, _PERMIT)
_UNLIMITED: Final = (EVERYTHING, OPEN, True)
_NEVER_TOLD: Final = ("actor", "modifierExtension")


@dataclass(frozen=True, slots=True)
class Rule:
    """A denial, or a permission: `scope` without `exceptions`, which are rules of the other kind, during `period`.

    `period` is the first moment and the first one behind it, timezone-aware. `wider`: it is a denial that is applied
    more widely than it is written.
    """

    scope: Scope = EVERYTHING
    exceptions: tuple[Rule, ...] = ()
    period: Span = OPEN
    wider: bool = False

    @property
    def is_whole(self) -> bool:
        """Return whether it is about the whole record, without exceptions."""
        return self.scope == EVERYTHING and not self.exceptions

    def at(self, now: datetime) -> Rule | None:
        """Return what is in force of the rule at `now` (timezone-aware); None when nothing is."""
        if not self.period[0] <= now < self.period[1]:
            return None
        exceptions = tuple(one for one in (inner.at(now) for inner in self.exceptions) if one is not None)
        if any(one.is_whole for one in exceptions):
            return None
        return replace(self, exceptions=exceptions, period=OPEN)

    def covers(self, resource: dict[str, Any], *, surely: bool = False) -> bool:
        """Return whether a resource is meant while the rule and its exceptions are in force.

        `surely`, as for a permission: one that may not be meant, as it has no date, is not.
        """
        return self.scope.covers(resource, surely=surely) and not any(
            one.covers(resource, surely=not surely) for one in self.exceptions
        )


@dataclass(frozen=True, slots=True)
class Denials:
    """The denials of one Consent that are about our uses; `untold`: one is applied more widely than written."""

    rules: tuple[Rule, ...] = ()

    @property
    def untold(self) -> bool:
        """Return whether a condition cannot be told here, so that a denial is applied more widely than written."""
        return any(one.wider for one in self.rules)


@dataclass(frozen=True, slots=True)
class Permission:
    """What a Consent's root rule permits us: `given` at all, and `rule`, None when the permission is void here."""

    given: bool = False
    rule: Rule | None = None

    @property
    def void(self) -> bool:
        """Return whether it was given, and a condition that cannot be told here makes it hold for nothing."""
        return self.given and self.rule is None


def denials_of(provision: dict[str, Any]) -> Denials:
    """Return what the rules of a Consent deny us, given its root rule."""
    return Denials(tuple(_denials(provision, _kind(provision, otherwise=_PERMIT))))


def permission_of(provision: dict[str, Any]) -> Permission:
    """Return what the root rule of a Consent permits us, without what the rules inside it deny."""
    if _kind(provision, otherwise=_PERMIT) == _DENY or use_of(provision) is Use.OTHERS:
        return Permission()
    return Permission(given=True, rule=_permission(provision))


def boundaries(rules: Iterable[Rule]) -> Iterator[datetime]:
    """Return the moments at which one of the rules, or of their exceptions, begins to hold or no longer holds.

    One without a beginning began at `UNDATED`, one without an end never ends.
    """
    for rule in rules:
        yield from (moment for moment in rule.period if moment != NEVER)
        yield from boundaries(rule.exceptions)


def _denials(provision: dict[str, Any], kind: str) -> Iterator[Rule]:
    inner = inner_of(provision)
    if kind == _DENY and use_of(provision) is not Use.OTHERS:
        yield _denial(provision)
        inner = [one for one in inner if one.get("type") == _DENY]
    # Inside a permission a denial is limited to what is permitted; here it is not.
    wider = kind == _PERMIT and _conditions(provision) != _UNLIMITED
    for one in inner:
        for found in _denials(one, _kind(one, otherwise=_DENY)):
            yield replace(found, wider=found.wider or wider or one.get("type") not in _KINDS)


def _denial(provision: dict[str, Any]) -> Rule:
    scope, period, told = _conditions(provision)
    exceptions = []
    for one in inner_of(provision):
        if one.get("type") == _DENY or use_of(one) is Use.OTHERS:
            continue
        permitted = _permission(one) if one.get("type") == _PERMIT else None
        told = told and permitted is not None
        exceptions += [] if permitted is None else [permitted]
    wider = not told or any(deny.wider for one in exceptions for deny in one.exceptions)
    return Rule(scope, tuple(exceptions), period, wider)


def _permission(provision: dict[str, Any]) -> Rule | None:
    """Return a permission without what is denied inside it; None when a condition cannot be told."""
    scope, period, told = _conditions(provision)
    denied = [deny for one in inner_of(provision) for deny in _denials(one, _kind(one, otherwise=_DENY))]
    return Rule(scope, tuple(denied), period) if told else None


def _conditions(provision: dict[str, Any]) -> tuple[Scope, Span, bool]:
    """Return the resources and the time of a rule, and whether every condition of it can be told."""
    scope, scope_told = scope_of(provision)
    period, period_told = span_of(provision.get("period"))
    told = use_of(provision) is Use.OURS and not any(provision.get(name) for name in _NEVER_TOLD)
    return scope, period, told and scope_told and period_told


def _kind(provision: dict[str, Any], *, otherwise: str) -> str:
    kind = provision.get("type")
    return kind if kind in _KINDS else otherwise
