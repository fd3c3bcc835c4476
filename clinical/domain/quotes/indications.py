"""What a medicine or an operation is commonly given for: where the reason of an order is asked, what to look for."""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Kind, concepts
from clinical.domain.quotes.cues import asked as question_cue
from clinical.domain.quotes.cues import cue
from clinical.domain.quotes.intents import Intent

if TYPE_CHECKING:
    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import Source, SourceSentence
    from clinical.domain.quotes.question import Question

_REACH = 14  # sentences between a finding and the order it may have led to
_NOT_SO = frozenset({"negated", "hypothetical"})
_NOT_GIVEN = _NOT_SO | {"avoid", "not-started", "stopped", "allergy", "intolerance"}
_MEASURED = frozenset({Kind.TEST, Kind.VITAL})
_WITH_ORDER, _BEFORE_ORDER, _LATER = 4.0, 3.5, 3.0
_IMPRESSION = 0.7


def asks_indication(asked: Question) -> bool:
    """Whether it is asked why something is given, and not why it was stopped or what it did."""
    return (
        Intent.CAUSE in asked.intents
        and not asked.of_family
        and not asked.actions - {"started", "increased", "continued"}
        and any(indicated_by(one.keys) and not one.aside for one in asked.focus)
    )


def indication_score(asked: Question, source: Source, place: int) -> float | None:
    """Return how well a sentence may tell what the thing asked about was ordered for; None if it does not.

    It names a condition, or a value, that such a thing is commonly given for, of the patient and as a fact, in a
    document that tells of the order within a few sentences.
    """
    sentence = source.sentences[place]
    given = [one for one in asked.focus if not one.aside and indicated_by(one.keys)]
    score = None
    for focus in given:
        wanted = indicated_by(focus.keys)
        if not any(_stands(one, sentence) and one.keys & wanted for one in sentence.reading.mentions):
            return None
        orders = [
            at
            for at in range(max(place - _REACH, 0), min(place + _REACH + 1, len(source.sentences)))
            if _tells_of_order(asked, focus.keys, source.sentences[at].reading)
        ]
        if not orders:
            return None
        nearest = min(orders, key=lambda at: abs(at - place))
        reach = abs(nearest - place) / _REACH / 2
        base = _WITH_ORDER if nearest == place else _BEFORE_ORDER if place < nearest else _LATER
        score = base - reach
    labelled = cue("impression").match(sentence.reading.text) is not None
    return score + _IMPRESSION if score is not None and labelled else score


def _tells_of_order(asked: Question, keys: frozenset[str], reading: Reading) -> bool:
    """Whether a sentence tells that it is given; what she takes of her own accord was not "prescribed"."""
    if cue("not_given").search(reading.text):
        return False
    if question_cue("given").search(asked.reading.text) and cue("own_accord").search(reading.text):
        return False
    return any(_real(one) and one.keys & keys and not one.attributes & _NOT_GIVEN for one in reading.mentions)


def _stands(mention: Mention, sentence: SourceSentence) -> bool:
    """Whether a condition is stated as so, or a test has a value here."""
    if not _real(mention):
        return False
    if mention.kind in _MEASURED:
        return any(mention.key in figure.heads | figure.wider for figure in sentence.reading.figures)
    return mention.kind in {Kind.CONDITION, Kind.DRUG}


def _real(mention: Mention) -> bool:
    return not mention.attributes & _NOT_SO and not any(one.startswith("family:") for one in mention.attributes)


@lru_cache(maxsize=500)
def indicated_by(keys: frozenset[str]) -> frozenset[str]:
    """Return the ids of what these things are commonly given for, by themselves or as one of their class."""
    wider = frozenset(one for key in keys if (concept := concepts().get(key)) for one in (key, *concept.wider))
    return frozenset(reason for given, reasons in _rows() if given & wider for reason in reasons) - keys


@cache
def _rows() -> tuple[tuple[frozenset[str], tuple[str, ...]], ...]:
    loaded = json.loads(files(__package__).joinpath("indications.json").read_text(encoding="utf-8"))
    return tuple((frozenset(row["given"]), tuple(row["for"])) for row in loaded["rows"])
