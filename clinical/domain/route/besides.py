"""What a question names beside a medicine or a problem: what it is for, what it did, how often it came back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from clinical.domain.route import vocabulary as kinds
from clinical.domain.route.intents import Act, Intent, Topic
from clinical.domain.route.table import fillers, grammar, pattern

if TYPE_CHECKING:
    from clinical.domain.route.reading import Mention, Reading

_EFFECT: Final = re.compile(
    r"(?P<effect>[a-z][a-z-]{3,})(?: \w+ing)? (?:with|on|from|due to|caused by|because of|since (?:starting )?|after)"
    r"(?: (?:the|his|her|their|starting|taking))*$"
)
_MEDICINES: Final = re.compile(
    r"(?:medications?|medicines?|meds?|drugs?|tablets?|pills?|inhalers?|drops|treatments?)\b"
)
_TAKEN_FOR: Final = re.compile(
    r"\b(?:on|taking|takes?|medications?|meds|medicines?|drugs?|tablets?|pills?|prescribed|given|started)"
    r"(?: (?:now|currently|today|daily|regularly|in force))? for(?: (?:the|his|her|their|an?|any))?$"
)
_EPISODE: Final = re.compile(r"\b(?:exacerbations?|flares?|flare-ups?|attacks?|episodes?|relapses?)\b")


def effect_of(reading: Reading, first: tuple[Intent, Mention]) -> str:
    """Return what is asked of a medicine beside its use: "any angioedema with losartan" is not about the order."""
    match = _EFFECT.search(" ".join(reading.tokens[: first[1].start]))
    word = match["effect"] if match else ""
    return word if word and word not in fillers() and not is_grammar(word) and word not in grammar()["taking"] else ""


def medicines_for(reading: Reading) -> tuple[Intent, tuple[Mention, ...]] | None:
    """Medicines by what they are for: "asthma meds", "what is he taking for his gout"."""
    for mention in reading.mentions:
        named = mention.targets.get(kinds.PROBLEM) or mention.targets.get(kinds.MEASURE)
        if named is None or kinds.DRUG in mention.targets:
            continue
        before = " ".join(reading.tokens[: mention.start])
        if _MEDICINES.match(" ".join(reading.tokens[mention.end :])) or _TAKEN_FOR.search(before):
            acts = reading.acts or (Act.STATUS,)
            said = f"medications for {mention.name}"
            return Intent(Topic.MEDICATIONS, acts, mention.name, said, detail="for"), (mention,)
    return None


def or_episode(intent: Intent, reading: Reading) -> Intent:
    """Let "last exacerbation of COPD" be looked for among the visits first."""
    if intent.topic is not Topic.PROBLEM or not _EPISODE.search(reading.text):
        return intent
    visits = Intent(Topic.ENCOUNTERS, intent.acts, narrowed=(intent.target,), said=intent.said)
    return replace(visits, instead=(intent, *intent.instead))


def is_grammar(word: str) -> bool:
    """Return whether a word is one of the grammar's own."""
    groups = ("lists", "acts", "topics")
    return any(pattern(group, name).fullmatch(word) for group in groups for name in grammar()[group])
