"""Whether a sentence holds the kind of thing a question wants: a reason, a date, an amount, a finding, a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from clinical.domain.lexicon.tables import Kind, general_keys, light_words, name_words, soft_keys, word_list
from clinical.domain.lexicon.words import stem, tokens
from clinical.domain.quotes.cues import asked as question_cue
from clinical.domain.quotes.cues import cue
from clinical.domain.quotes.intents import Intent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from clinical.domain.gate.mention import Figure, Mention
    from clinical.domain.gate.reading import Reading
    from clinical.domain.lexicon.words import Token
    from clinical.domain.quotes.question import Question

_TIME_UNITS = frozenset({"a", "mo", "wk", "d", "h", "min"})
_DOSES = frozenset({"mg", "ug", "g", "mL", "[iU]", "ug/h", "mg/mL", "{tablet}", "{puff}"})
_INITIALS = 2
_NEXT_TO = 3  # words between a name and its value
_OPENING = 3  # characters: a cue that opens the sentence has the effect after it ("Because of ...")
_SENT = frozenset({"refer", "referral", "send", "sent", "see"})  # to whom: a service may be the answer
_SIDES = frozenset({"word:left", "word:right", "word:bilateral"})
_NOT_YET = frozenset({"planned", "order", "hypothetical"})
_NOT_SO = frozenset({"negated", "hypothetical", "not-started", "avoid"})
_HIGH_OR_LOW = frozenset({"word:high", "word:low", "word:normal", "word:increase", "word:decrease"})
_APART = frozenset({",", ";"})
_AS_REASON = frozenset({"because", "due", "owing"})
_TOGETHER = frozenset({"and", "or", "/"})


def holds(intent: Intent, asked: Question, reading: Reading) -> bool:
    """Return whether one sentence holds what the question wants."""
    rule = _RULES.get(intent)
    return bool(cue(intent.value).search(reading.text)) if rule is None else rule(asked, reading)


def denied(asked: Question, readings: Sequence[Reading]) -> bool:
    """Whether the thing whose reason is asked is only said not to be so: "no pacemaker needed" gives none for one."""
    placed = [
        one for reading in readings for one in reading.mentions if any(one.keys & keys for keys in asked.concepts)
    ]
    said_no = question_cue("negated").search(asked.reading.text)
    return bool(placed) and not said_no and all(one.attributes & _NOT_SO for one in placed)


def _gives_cause(asked: Question, reading: Reading) -> bool:
    """Whether a reason is given for what is asked about, not only named as the reason of something else."""
    found = list(cue("cause").finditer(reading.text))
    placed = [one for one in reading.mentions if any(one.keys & group for group in asked.concepts)]
    if denied(asked, [reading]):
        return False
    if cue("cause_label").search(reading.text):
        return True
    starts = [reading.words[one.first].start for one in placed]
    directed = [match for match in found if cue("effect_first").fullmatch(match.group()) and match.start() > _OPENING]
    leading = [match for match in found if cue("cause_first").fullmatch(match.group())]
    if starts and (directed or leading):
        # "His symptoms were due to heart failure" does not say why the heart failed.
        ends = [match.start() for match in found] + [len(reading.text)]
        following = {match: min(end for end in ends if end > match.start()) for match in leading}
        return any(start < match.start() for match in directed for start in starts) or any(
            match.end() <= start < following[match] for match in leading for start in starts
        )
    if any(match.group().strip().lower() != "for" for match in found) or (found and starts):
        return True
    return bool(cue("deed").search(reading.text)) and not any(one.drug or one.measured for one in asked.focus)


def _gives_drug(asked: Question, reading: Reading) -> bool:
    named: set[str] = set().union(*asked.concepts)
    drugs = [one for one in reading.mentions if one.kind is Kind.DRUG and one.key not in named]
    if "avoid" in asked.reading.cues or asked.of_allergy:
        return bool(drugs)
    if cue("harms").search(reading.text) and not asked.reading.keys & {"word:cause", "word:worse"}:
        return False  # "prednisone makes her itch" does not tell what she takes
    if any(not one.attributes & {"allergy", "intolerance", "avoid"} for one in drugs):
        return True
    if any(one.quantity.unit in _DOSES for one in reading.figures) or cue("form").search(reading.text):
        return True
    return any(one.drug for one in asked.focus) and _is_named(reading)


def _gives_amount(asked: Question, reading: Reading) -> bool:
    figures = _figures(asked, reading)
    if any(one.drug for one in asked.focus):  # the dose of that very drug, or how many of it
        named: set[str] = set().union(*asked.concepts)
        bound = [one for one in figures if one.wider & named or one.quantity.unit in _DOSES]
        return any(one.quantity.unit not in _TIME_UNITS for one in bound)
    return bool(figures) or bool(cue("amount").search(reading.text))


def hints(intent: Intent, reading: Reading) -> bool:
    """Return whether a sentence that tells of the event asked about may go on to its reason ("not given: ...")."""
    return intent is Intent.CAUSE and bool(cue("cause_hint").search(reading.text))


def awaits(asked: Question, reading: Reading) -> bool:
    """Return whether a result is still to come: the thing asked about is only ordered, planned or waited for."""
    focus = [one for one in reading.mentions if any(group & one.keys for group in asked.concepts)]
    if cue("waiting").search(reading.text):
        return True
    if not focus and any(one.measured for one in asked.focus):
        return any(one.attributes & _NOT_YET for one in reading.mentions) or bool(cue("ordered").search(reading.text))
    return bool(focus) and all(one.attributes & _NOT_YET for one in focus)


def _only_ordered(asked: Question, reading: Reading) -> bool:
    """Whether the thing asked about is no more than ordered here, without a value."""
    placed = [one for one in reading.mentions if one.key in asked.words]
    ordered = any(one.attributes & _NOT_YET for one in placed) or bool(cue("ordered").search(reading.text))
    valued = any(0 <= figure.place - one.last <= _NEXT_TO for one in placed for figure in reading.figures)
    return ordered and not valued


def _is_timed(reading: Reading) -> bool:
    """Whether a stretch of time is given that is not somebody's age."""
    return any(
        one.quantity.unit in _TIME_UNITS and not cue("aged").match(reading.text, _number_end(reading, one))
        for one in reading.figures
    )


def _is_dated(asked: Question, reading: Reading) -> bool:
    """Whether a stretch of time is given that tells when: "3 weeks ago", "for 2 days", not "a 6-week course"."""
    for one in reading.figures:
        if not _bound(asked, reading, one.place):
            continue
        if one.quantity.unit not in _TIME_UNITS or cue("aged").match(reading.text, _number_end(reading, one)):
            continue
        before = reading.text[: one.quantity.start]
        if cue("dated").match(reading.text, _number_end(reading, one)) or cue("dated_before").search(before):
            return True
    return False


def _number_end(reading: Reading, figure: Figure) -> int:
    """Return where the digits of a figure end: the unit of "61-year-old" belongs to it."""
    at, last = figure.quantity.start, min(figure.quantity.end, len(reading.text))
    while at < last and not (reading.text[at].isspace() or reading.text[at] == "-"):
        at += 1
    return at


def _figures(asked: Question, reading: Reading) -> list[Figure]:
    """Return the numbers that may be of what is asked: not an age, not the dose of a drug beside a condition."""
    named: set[str] = set().union(*asked.concepts)
    drugs = {one.key for one in reading.mentions if one.kind is Kind.DRUG}
    figures = [one for one in reading.figures if not cue("aged").match(reading.text, _number_end(reading, one))]
    if not named:
        return figures
    return [one for one in figures if one.wider & named or not one.heads & drugs]


def _is_named(reading: Reading) -> bool:
    """Whether a capitalised word stands where no sentence or label begins, and is no drug or test."""
    named = {place for one in reading.mentions if one.clinical for place in range(one.first, one.last)}
    words = reading.words
    if len(words) > 1 and 0 not in named and _opens_with_name(words[0], words[1]):
        return True
    return any(
        word.text[:1].isupper()
        and len(word.text) > _INITIALS
        and place not in named
        and (words[place - 1].text.islower() or words[place - 1].text == ",")
        and all(later.text != ":" for later in words[place : place + 3])
        for place, word in enumerate(words)
        if place
    )


def _opens_with_name(word: Token, following: Token) -> bool:
    """Whether a sentence begins with somebody's name: "Orla holds power of attorney", not "Everyone holds"."""
    known = word.low in name_words() | light_words() or f"w:{word.stem}" in general_keys() | soft_keys()
    return following.low in word_list("said_of_persons") and word.text[1:].islower() and not known


def _finding(asked: Question, reading: Reading) -> bool:
    named: set[str] = set().union(*asked.concepts)
    others: list[Mention] = [one for one in reading.mentions if one.kind is Kind.CONDITION and not one.keys & named]
    return bool(cue("result").search(reading.text)) or any(not one.attributes & {"planned", "order"} for one in others)


def _gives_date(asked: Question, reading: Reading) -> bool:
    text = reading.text
    if asked.to_come and not reading.dates and not cue("future").search(text):
        return False
    if asked.to_come and cue("conditional").search(text):
        return True
    soon = not asked.back_then and bool(cue("coming").search(text))
    dated = any(_bound(asked, reading, one.place) for one in reading.dates)
    told = any(_bound(asked, reading, _place(reading, match.start())) for match in cue("date").finditer(text))
    return soon or _is_dated(asked, reading) or dated or told


def _place(reading: Reading, start: int) -> int:
    """Return the token at a place of the text, counted from the end: abbreviations are often written out before it."""
    return max(len(reading.words) - len(tokens(reading.text[start:])), 0)


def _bound(asked: Question, reading: Reading, place: int) -> bool:
    """Whether the time told at a token may be that of the thing asked about: "asthma, appendectomy in 2004" is not."""
    named: set[str] = set().union(*asked.concepts)
    own = [one for one in reading.mentions if one.keys & named]
    if not own:
        return True
    if all(one.first > place for one in own):  # "in November, because of his diabetes" does not date the diabetes
        between = {word.low for word in reading.words[place : min(one.first for one in own)]}
        return not between & _AS_REASON
    if any(one.last > place for one in own):
        return True
    last = max(one.last for one in own)
    if not any(one.clinical and last <= one.first < place for one in reading.mentions):
        return True
    between = {word.low for word in reading.words[last:place]}
    return not between & _APART or bool(between & _TOGETHER)


def _gives_duration(_asked: Question, reading: Reading) -> bool:
    return _is_timed(reading) or bool(cue("duration").search(reading.text))


def _gives_result(asked: Question, reading: Reading) -> bool:
    if question_cue("grow").search(asked.reading.text) and not cue("grown").search(reading.text):
        return False  # a swab that was sent has grown nothing yet
    valued = [one for one in _figures(asked, reading) if one.quantity.unit not in _TIME_UNITS]
    if not valued and question_cue("level").search(asked.reading.text):
        return bool(reading.keys & _HIGH_OR_LOW) and not awaits(asked, reading)  # that it is taken is no level
    named: set[str] = set().union(*asked.concepts)
    own = any(one.wider & named for one in valued)
    return own or (not awaits(asked, reading) and (bool(valued) or _finding(asked, reading)))


def _gives_person(asked: Question, reading: Reading) -> bool:
    stems = {word.stem for word in asked.reading.words}
    told = [one.group().lower() for one in cue("person").finditer(reading.text)]
    if any(stem(one) not in stems for one in told) or _is_named(reading):
        return True  # "Dietitian: supplements." does not tell who the dietitian is
    return bool(stems & _SENT) and bool(cue("service").search(reading.text))


def _gives_side(_asked: Question, reading: Reading) -> bool:
    return bool(reading.keys & _SIDES)


def _gives_plan(_asked: Question, reading: Reading) -> bool:
    return bool(cue("planned").search(reading.text)) or "order" in reading.cues


def _is_stated(asked: Question, reading: Reading) -> bool:
    return not _only_ordered(asked, reading)


# What no pattern alone can tell; the other intents are told by the cue of their name.
_RULES: dict[Intent, Callable[[Question, Reading], bool]] = {
    Intent.CAUSE: _gives_cause,
    Intent.DATE: _gives_date,
    Intent.DURATION: _gives_duration,
    Intent.AMOUNT: _gives_amount,
    Intent.RESULT: _gives_result,
    Intent.PERSON: _gives_person,
    Intent.DRUG: _gives_drug,
    Intent.SIDE: _gives_side,
    Intent.STATED: _is_stated,
    Intent.PLAN: _gives_plan,
}
