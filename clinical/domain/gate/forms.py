"""The form of a medicine: a gel is not told as tablets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import Kind

if TYPE_CHECKING:
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Window

_FORMS: Final = {
    word: form
    for form, words in {
        "tablet": "tablet tablets tab tabs pill pills caplet",
        "capsule": "capsule capsules cap caps",
        "liquid": "syrup suspension liquid elixir solution",
        "cream": "cream creams",
        "ointment": "ointment ointments",
        "gel": "gel gels",
        "lotion": "lotion lotions shampoo",
        "patch": "patch patches",
        "inhaler": "inhaler inhalers puff puffs puffer",
        "nebuliser": "nebuliser nebulizer nebs neb nebulised nebulized",
        "spray": "spray sprays",
        "drops": "drop drops eyedrops",
        "suppository": "suppository suppositories pessary pessaries enema",
        "injection": "injection injections injected jab depot intramuscular subcutaneous subcutaneously",
        "infusion": "infusion infusions infused intravenous intravenously iv drip",
        "chewable": "chewable dispersible soluble effervescent orodispersible melts",
        "sachet": "sachet sachets powder",
        "mouthwash": "mouthwash lozenge lozenges",
    }.items()
    for word in words.split()
}


def same_form(claim: Reading, window: Window) -> Reason | None:
    """Withhold a medicine in a form that the evidence does not name, where it names another."""
    if not any(one.kind in {Kind.DRUG, Kind.VACCINE} for one in claim.mentions):
        return None
    said = _forms(claim)
    held = frozenset().union(*(_forms(reading) for reading in window.readings))
    return Reason.NOT_BORNE_OUT if held and said - held else None


def _forms(reading: Reading) -> frozenset[str]:
    return frozenset(_FORMS[word.low] for word in reading.words if word.low in _FORMS)
