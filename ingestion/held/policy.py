"""Who may do what with held items, and what of it is on the trail.

The list holds no patient text: operator, privacy officer and clinician see it. An item's words open to those who
must read them to tell whose they are: the privacy officer, and a clinician. An unassigned item has no care
team, so each opening is a row of the trail; a clinician assigns to patients of his own care teams only. The
operator, who repairs feeds, takes in again, corrects and dismisses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from clinical.access.services import patients_open_to, roles_of
from clinical.audit import trail
from clinical.domain.access import AccessDeniedError, Purpose, Role

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from django.contrib.auth.models import User

_REPAIR: Final = frozenset({Role.OPERATOR, Role.PRIVACY})
_READ: Final = frozenset({Role.CLINICIAN, Role.PRIVACY})


class Act(Enum):
    """What is done, as it stands on the trail, and whose it is."""

    LIST = ("held.view", _REPAIR | _READ)
    OPEN = ("held.open", _READ)
    FIND = ("held.find-patient", _READ)
    ASSIGN = ("held.assign", _READ)
    UNDO = ("held.undo", _READ)
    REPLAY = ("held.replay", _REPAIR)
    CORRECT = ("held.correct", _REPAIR)
    DISMISS = ("held.dismiss", _REPAIR)

    def __init__(self, action: str, roles: frozenset[Role]) -> None:
        self.action = action
        self.roles = roles


# Codes, not words: a reason stands on the trail and on pages, where no patient text may stand.
WHY_ASSIGN: Final = (
    "identifier-confirmed-by-sender",
    "asked-the-patient",
    "asked-the-ward",
    "seen-in-the-original",
)
WHY_UNDO: Final = ("wrong-patient", "sender-withdrew-it", "cannot-be-told")
WHY_DISMISS: Final = (
    "duplicate",
    "test-message",
    "not-meant-for-this-site",
    "sender-sends-it-again",
    "of-no-use-for-the-record",
)


class DecisionError(Exception):
    """The decision cannot be carried out. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Acting:
    """Who acts, by which clock; `through` names the account of the machine on the command line ("os:root")."""

    user: User
    clock: Callable[[], datetime]
    through: str = ""

    def may(self, act: Act) -> bool:
        """Return whether one of the user's roles allows it."""
        return not act.roles.isdisjoint(roles_of(self.user))

    def check(self, act: Act) -> None:
        """Refuse what no role of the user allows.

        Raises:
            AccessDeniedError: `no-role-for-held-items` or, for an item's words, `held-words-closed`; audited.
        """
        if not self.may(act):
            reason = "held-words-closed" if act.roles == _READ else "no-role-for-held-items"
            raise AccessDeniedError(reason, self.note(act, "DENIED", reason=reason))

    def check_patient(self, act: Act, patient_id: UUID) -> None:
        """Refuse a patient who is not the user's: on none of his care teams, and he is not the privacy officer.

        Raises:
            AccessDeniedError: `not-in-care-team`; audited.
        """
        if Role.PRIVACY not in roles_of(self.user) and patient_id not in patients_open_to(self.user):
            reason = "not-in-care-team"
            raise AccessDeniedError(reason, self.note(act, "DENIED", patient_id=patient_id, reason=reason))

    def note(self, act: Act, outcome: str, *, patient_id: UUID | None = None, **detail: Any) -> UUID:
        """Write a row of the trail; `detail` holds numbers of items and codes only."""
        name = self.user.get_username()
        entry = trail.Entry(
            action=act.action,
            outcome=outcome,
            user_id=self.through or name,
            on_behalf_of=name if self.through else "",
            patient_id="" if patient_id is None else str(patient_id),
            purpose=Purpose.OPERATIONS,
            detail=detail,
        )
        return trail.append(entry, now=self.clock())


def known_reason(why: str, among: tuple[str, ...]) -> str:
    """Return a reason that is one of the codes.

    Raises:
        DecisionError: `unknown-reason`.
    """
    if why not in among:
        raise DecisionError("unknown-reason")
    return why
