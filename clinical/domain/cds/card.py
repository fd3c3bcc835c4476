"""A CDS Hooks card as a value that cannot break the specification.

Source: CDS Hooks 2.0, "CDS Service Response", card attributes; the 3.0 ballot's invariants cds-resp-1 to 7 agree with
it. Cards of this product make no suggestion, so that nothing can be ordered through them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

from clinical.domain.cds.markdown import one_line, plain_markdown

LONGEST_SUMMARY: Final = 139  # "less than 140 characters"
LONGEST_LABEL: Final = 80
_CUT: Final = "\N{HORIZONTAL ELLIPSIS}"


class Indicator(StrEnum):
    """How urgent a card is."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class CardLink:
    """An absolute link into this appliance; the URL holds an opaque handle and nothing about a patient."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class OverrideReason:
    """A reason that a clinician may give for overriding; `display` is required."""

    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Card:
    """One card. A summary that is too long is cut at a word; its whole text then opens the detail.

    `source` is where the content comes from; `detail` is Markdown, made with `plain_markdown`. `topics` say what the
    card is about, so that an overridden one can stay quiet; `question` is what its link asks. Neither is sent.
    """

    summary: str
    indicator: Indicator
    source: str
    detail: str = ""
    topics: tuple[str, ...] = ()
    question: str = ""
    card_id: UUID = field(default_factory=uuid4)

    def as_json(self, *, links: tuple[CardLink, ...], reasons: tuple[OverrideReason, ...]) -> dict[str, Any]:
        """Return the card as JSON; optional attributes without a value are omitted, as the standard asks."""
        summary, detail = one_line(self.summary), self.detail
        if len(summary) > LONGEST_SUMMARY:
            detail = f"{plain_markdown(summary)}\n\n{detail}".strip()
            summary = _cut(summary, LONGEST_SUMMARY)
        card: dict[str, Any] = {
            "uuid": str(self.card_id),
            "summary": summary,
            "indicator": self.indicator.value,
            "source": {"label": _cut(one_line(self.source), LONGEST_LABEL)},
        }
        if detail:
            card["detail"] = detail
        if links:
            card["links"] = [{"label": one.label, "url": one.url, "type": "absolute"} for one in links]
        if reasons:
            card["overrideReasons"] = [
                {"code": one.code, "display": one.display, "system": REASON_SYSTEM} for one in reasons
            ]
        return card


REASON_SYSTEM: Final = "urn:clinical-appliance:override-reason"


def _cut(text: str, longest: int) -> str:
    """Return the text within the limit, cut at a word's end."""
    if len(text) <= longest:
        return text
    room = text[: longest - len(_CUT)]
    return (room.rsplit(" ", 1)[0] if " " in room else room).rstrip(" ,;:") + _CUT
