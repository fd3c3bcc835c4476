"""The rules of the gate. Each takes a sentence as read and a window of evidence, and can only withhold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.gate.agreement import AGREEMENTS, same_thing
from clinical.domain.gate.belonging import qualities, sides_counted, still_so
from clinical.domain.gate.binding import QUALITIES, SIDES
from clinical.domain.gate.changes import direction
from clinical.domain.gate.contacts import seen_by
from clinical.domain.gate.forms import same_form
from clinical.domain.gate.plans import as_far_as
from clinical.domain.gate.presence import everything_mentioned
from clinical.domain.gate.ranges import value_of_now
from clinical.domain.gate.realised import done_in_evidence
from clinical.domain.gate.rival_values import (
    as_seldom,
    day_of_another,
    duration_of_another,
    every_or_for,
    place_of_value,
    value_of_rival,
)
from clinical.domain.gate.switches import switched_from_to
from clinical.domain.gate.therapy import treatment_is_given
from clinical.domain.gate.timing import date_of_event, date_of_value, day_named, going_on
from clinical.domain.gate.values import dates, numbers, side_of_value, specimen, value_of_its_clause
from clinical.domain.gate.verdict import Reason
from clinical.domain.gate.wording import own_voice, same_words, weighed_words
from clinical.domain.lexicon.tables import Kind, word_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clinical.domain.gate.mention import Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.gate.source import SourceSentence, Window

    Rule = Callable[[Reading, Window], Reason | None]

_MEANS = frozenset({"w:film", "w:cxr", "word:test", "word:specimen", "word:scan", "word:imaging", "word:examine"})
_COURSE = frozenset({"word:improve", "word:worse", "word:increase", "word:decrease", "word:stable", "word:resolve"})
_FINDINGS = frozenset({Kind.CONDITION, Kind.WORD})
_SITES = word_list("sites")
_VERBS = word_list("auxiliaries") | word_list("verbs") | word_list("past_verbs")
_SHORTEST = 4
_ALSO_DOUBTED = 1  # "thought to be the probable cause" doubts once what "likely" doubts
_OF_BARE_WORDS = frozenset({Reason.SUBJECT_DIFFERS, Reason.CERTAINTY_DIFFERS, Reason.TIME_DIFFERS})


def says_something(claim: Reading, window: Window) -> Reason | None:
    """A sentence without any statement in it cannot be borne out; nor can one that only repeats dates."""
    if len(claim.dates) > 1 and not any(word.is_word and word.low.isalpha() for word in claim.words):
        return Reason.NOT_BORNE_OUT
    if claim.mentions or claim.figures or claim.dates:
        return None
    quoted = len([word for word in claim.words if word.is_word]) > 1 and any(
        same_words(claim, reading) for reading in window.readings
    )
    return None if quoted else Reason.NOT_BORNE_OUT


def attributes(claim: Reading, window: Window) -> Reason | None:
    """Somebody, some time, certain, denied: what is said of a mention is said of it in the evidence."""
    only_words = not any(mention.clinical for mention in claim.mentions)
    says_more = any(mention.key not in _SITES for mention in claim.mentions)
    for mention in claim.mentions:
        sources = [source for source in window.mentions if same_thing(mention, source)]
        own = [source for source in sources if "heading" not in source.attributes]
        exact = [source for source in own if mention.key in source.keys]
        own = exact or own  # "two trips, no falls": the falls are what is said of falls
        sources = own or [source for source in sources if mention.kind is not Kind.WORD]
        sources = _in_turn(mention, claim, window) or sources
        for reason, agrees, of_words in AGREEMENTS:
            if not sources:
                break
            if not (mention.clinical or of_words or (only_words and reason in _OF_BARE_WORDS)):
                continue
            if reason is Reason.NEGATION_DIFFERS and mention.key in _SITES | _MEANS and says_more:
                continue  # "no swelling of the knee" and "the knee was not swollen" deny the swelling
            if reason in _OF_BARE_WORDS and mention.key in _SITES and says_more:
                continue
            sources = [source for source in sources if agrees(mention, source, claim)]
            if not sources:
                return reason
    return None


def _in_turn(mention: Mention, claim: Reading, window: Window) -> list[Mention]:
    """Return the source of a mention that both name equally often, more than once: the second is the second."""
    if len(window.readings) != 1:
        return []
    mine = [one for one in claim.mentions if one.key == mention.key]
    theirs = [one for one in window.readings[0].mentions if one.key == mention.key]
    return [theirs[mine.index(mention)]] if len(mine) == len(theirs) > 1 else []


def doubt_kept(claim: Reading, window: Window) -> Reason | None:
    """What the evidence only suspects is not stated: "possible fibroids" bears out no fibroids."""
    if claim.cues & {"uncertain", "hypothetical", "planned", "order"}:
        return None
    for mention in claim.mentions:
        if mention.kind is not Kind.WORD or mention.key in _SITES or mention.key in QUALITIES - _COURSE:
            continue
        sources = [one for one in window.mentions if same_thing(mention, one)]
        if sources and all("uncertain" in one.attributes and "planned" not in one.attributes for one in sources):
            return Reason.CERTAINTY_DIFFERS
    return None


def sex(claim: Reading, window: Window) -> Reason | None:
    """He or she, as in the evidence."""
    theirs = frozenset().union(*(reading.sexes for reading in window.readings)) or window.sexes
    if claim.sexes and theirs and not claim.sexes & theirs:
        return Reason.SUBJECT_DIFFERS
    return None


def nothing_added(claim: Reading, window: Window) -> Reason | None:
    """Doubt, denial, a relative, a plan or the past is not brought in where the evidence has none."""
    held = frozenset().union(*(reading.cues for reading in window.readings))
    for cues, enough, reason in _ADDED:
        if "past" in cues and (claim.keys & {"word:resolve", "word:settle"} or _had_been(claim, window)):
            continue
        if claim.cues & cues and not held & enough:
            return reason
    lows = {word.low for word in claim.words}
    held_lows = {word.low for reading in window.readings for word in reading.words}
    if "already" in lows and "already" not in held_lows and "new" in held_lows:
        return Reason.TIME_DIFFERS
    held_doubts = sum(reading.doubts + ("attributed" in reading.cues) for reading in window.readings)
    if claim.doubts > held_doubts + _ALSO_DOUBTED and len({one.segment for one in claim.mentions}) == 1:
        return Reason.CERTAINTY_DIFFERS
    relatives = {cue for cue in claim.cues if cue.startswith("family:")}
    return Reason.SUBJECT_DIFFERS if relatives - held and "family:any" not in held | relatives else None


def _had_been(claim: Reading, window: Window) -> bool:
    """Return whether the past is only that of a tale: "after he had been working outside"."""
    told = any(
        "past" in reading.tenses or any(word.low.endswith("ed") for word in reading.words)
        for reading in window.readings
    )
    return told and "had been" in claim.text.lower()


def holds_all(claim: Reading, sentence: SourceSentence) -> bool:
    """Return whether one sentence of evidence mentions all that the claim mentions, values included."""
    held = sentence.reading.mentions + sentence.headings
    values = {figure.quantity.value for figure in sentence.reading.figures}
    return all(any(same_thing(one, source) for source in held) for one in claim.mentions) and all(
        figure.quantity.value in values for figure in claim.figures
    )


def one_clause_one_statement(claim: Reading, window: Window) -> Reason | None:
    """What stands together in the sentence is not gathered from statements set apart by a semicolon."""
    if len(window.readings) > 1:
        return None
    statements = _statements(window.readings[0])
    if len(statements) < 2:
        return None
    for segment in {mention.segment for mention in claim.mentions}:
        wanted = [one for one in claim.mentions if one.segment == segment and one.kind in _FINDINGS]
        known = [one for one in wanted if any(same_thing(one, two) for held in statements for two in held)]
        if not any(all(any(same_thing(one, two) for two in held) for one in known) for held in statements):
            return Reason.NOT_BORNE_OUT
    return None


def _statements(reading: Reading) -> list[list[Mention]]:
    """Return the mentions of each part between semicolons, with those of the label before a colon."""
    marks = [at for at, word in enumerate(reading.words) if word.low == ";"]
    colon = next((at for at, word in enumerate(reading.words) if word.low == ":"), 0)
    label = [one for one in reading.mentions if one.last <= colon]
    found: list[list[Mention]] = []
    for start, end in zip([0, *marks], [*marks, len(reading.words)], strict=True):
        part = [one for one in reading.mentions if start <= one.first < end and one not in label]
        if found and not any(one.clinical or one.key.startswith("w:") for one in part):
            found[-1] += part  # "ramipril 5 mg; stopped in May"
        else:
            found.append(label + part)
    return found


def one_clause_one_sentence(claim: Reading, window: Window) -> Reason | None:
    """What stands together in the sentence stands together in the evidence, or the second refers back."""
    if len(window.readings) < 2:
        return None
    one, two = (sentence.reading.mentions + sentence.headings for sentence in window.sentences)
    referred = tuple(mention for mention in window.mentions if mention.segment == -1)
    for segments in _predicates(claim):
        wanted = [one for one in claim.mentions if one.segment in segments and one.key not in window.computed]
        if not any(
            all(any(same_thing(mention, source) for source in held) for mention in wanted)
            for held in (one, two + referred + _where(one, two))
        ):
            return Reason.NOT_BORNE_OUT
    return None


def _predicates(claim: Reading) -> list[set[int]]:
    """Return the segments of the claim, a bare member of a list with the one before: "stents to LAD and RCA"."""
    found: list[set[int]] = []
    for segment in sorted({mention.segment for mention in claim.mentions}):
        here = [word.low for at, word in enumerate(claim.words) if claim.segments[at] == segment]
        verb = any(low in _VERBS or (low.endswith("ed") and len(low) > _SHORTEST) for low in here)
        valued = any(figure.segment == segment for figure in claim.figures)
        joined = bool(here) and here[0] in {"and", "or"} and not valued
        if found and joined and not verb:
            found[-1].add(segment)
        else:
            found.append({segment})
    return found


def _where(one: Sequence[Mention], two: Sequence[Mention]) -> tuple[Mention, ...]:
    """Return the place the first sentence tells of, where the second names none: "Left elbow: ... No dislocation."""
    if any(mention.key in _SITES | SIDES for mention in two):
        return ()
    return tuple(mention for mention in one if mention.key in _SITES | SIDES)


def one_direction(claim: Reading, window: Window) -> Reason | None:
    """What rose ends higher than it began."""
    del window
    return direction(claim)


_ADDED = (
    (frozenset({"empty-negative"}), frozenset({"empty-negative"}), Reason.NEGATION_DIFFERS),
    (frozenset({"double-negative"}), frozenset({"double-negative"}), Reason.NEGATION_DIFFERS),
    (frozenset({"negated"}), frozenset({"negated", "unclear", "stopped", "past"}), Reason.NEGATION_DIFFERS),
    (frozenset({"uncertain"}), frozenset({"uncertain", "attributed"}), Reason.CERTAINTY_DIFFERS),
    (frozenset({"hypothetical"}), frozenset({"hypothetical"}), Reason.CERTAINTY_DIFFERS),
    (frozenset({"stopped"}), frozenset({"stopped", "past"}), Reason.TIME_DIFFERS),
    (frozenset({"planned"}), frozenset({"planned", "order"}), Reason.TIME_DIFFERS),
    (frozenset({"past"}), frozenset({"past", "history", "stopped"}), Reason.TIME_DIFFERS),
)


RULES: tuple[Rule, ...] = (
    own_voice,
    says_something,
    numbers,
    specimen,
    dates,
    everything_mentioned,
    nothing_added,
    weighed_words,
    attributes,
    doubt_kept,
    done_in_evidence,
    as_far_as,
    seen_by,
    one_clause_one_sentence,
    one_clause_one_statement,
    still_so,
    treatment_is_given,
    qualities,
    sides_counted,
    value_of_its_clause,
    duration_of_another,
    value_of_rival,
    place_of_value,
    every_or_for,
    day_of_another,
    as_seldom,
    side_of_value,
    value_of_now,
    switched_from_to,
    date_of_value,
    date_of_event,
    day_named,
    going_on,
    same_form,
    one_direction,
    sex,
)
