"""Sentences of clinical text, whole or as it streams in.

A sentence keeps the citation markers that follow its full stop ("Hb 9.1. [1]"). Headings and list
items are sentences of their own. Spans are trimmed; together they hold every character that is not
white space, once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from clinical.domain.lexicon.tables import word_list

# Never the end of a sentence, whatever follows.
_NEVER_ENDS = word_list("never_ends")
# The end of a sentence only where a capital follows.
_SELDOM_ENDS = word_list("seldom_ends")
_MARKERS = re.compile(r"(?:\s*\[\d{1,3}(?:\s*[,;]\s*\d{1,3})*\])+")
_MARKER_START = re.compile(r"\s*\[[\d\s,;]{0,16}\Z")
_BULLET = re.compile(r"(?:[-*\u2022\u00b7\u25aa\u2013#]|\d{1,2}[.)](?=\s|\Z))")
_LIST_NUMBER = re.compile(r"\s*(?:[-*\u2022#]\s*)?\d{1,2}\Z")
_WORD_BEFORE = re.compile(r"[^\s(\[\"]*\Z")
# A line that ends so goes on in the next line.
_GOES_ON = word_list("goes_on")
# A name that begins with a small letter may begin a sentence (eGFR, pH, hCG).
_MIXED = re.compile(r"\s+[a-z][A-Z]")
_MIXED_LENGTH = 2
# So does a label ("potassium: 4.2", "blood pressure: 120/80"), of one or two words.
_WHOLE_WORD = 4  # letters; a shorter one may be an abbreviation nobody listed
_LABEL_WORDS = re.compile(r"\s+[a-z][\w/-]*(?: [\w/-]*)?")
_CLOSERS = "\"'\u201d\u2019)]"
_LONGEST_LOOKAHEAD = 400


@dataclass(frozen=True, slots=True, order=True)
class SentenceSpan:
    """Characters [start, end) of the text, neither starting nor ending in white space."""

    start: int
    end: int


class _UndecidedError(Exception):
    """More text is needed to tell whether a sentence ends here."""


def split(text: str) -> list[SentenceSpan]:
    """Return the sentences of `text` in order."""
    spans = []
    at = 0
    while (span := _next(text, at, final=True)) is not None:
        spans.append(span)
        at = span.end
    return spans


class SentenceStream:
    """Sentences from a stream of text pieces; they do not depend on how the text was cut into pieces."""

    def __init__(self) -> None:
        self._text = ""
        self._at = 0

    def feed(self, piece: str) -> list[str]:
        """Take the next piece and return the sentences that it completes, oldest first."""
        self._text += piece
        return self._take(final=False)

    def close(self) -> list[str]:
        """Return what is left; the stream may then be used again from the start."""
        rest = self._take(final=True)
        self._text, self._at = "", 0
        return rest

    def _take(self, *, final: bool) -> list[str]:
        found: list[str] = []
        while True:
            try:
                span = _next(self._text, self._at, final=final)
            except _UndecidedError:
                span = None
            if span is None:
                return found
            found.append(self._text[span.start : span.end])
            self._at = span.end


def _next(text: str, at: int, *, final: bool) -> SentenceSpan | None:
    """Return the first sentence at or after `at`, None if only white space is left.

    Raises:
        _UndecidedError: not `final`, and the text so far does not show where the sentence ends.
    """
    start = at
    while start < len(text) and text[start].isspace():
        start += 1
    if start == len(text):
        return None
    for place in range(start, len(text)):
        character = text[place]
        if character in ".!?":
            end = _after_stop(text, start, place, final=final)
        elif character == "\n":
            end = _after_line(text, start, place, final=final)
        else:
            continue
        if end is not None:
            return SentenceSpan(start, len(text[:end].rstrip()) if text[end - 1].isspace() else end)
    if not final:
        raise _UndecidedError
    return SentenceSpan(start, len(text.rstrip()))


def _after_stop(text: str, start: int, place: int, *, final: bool) -> int | None:
    """Return where the sentence ends if the mark at `place` ends it."""
    end = place + 1
    while end < len(text) and text[end] in ".!?" + _CLOSERS:
        end += 1
    if not final and end == len(text):
        raise _UndecidedError
    marked = _MARKERS.match(text, end)
    if not final and _may_be_marker(text, marked.end() if marked else end):
        raise _UndecidedError
    if marked is not None:
        end = marked.end()
    if end < len(text) and not text[end].isspace():
        return None
    if text[place] == "." and marked is None and not _stop_ends(text, start, place, end, final=final):
        return None
    return end


def _may_be_marker(text: str, at: int) -> bool:
    return at == len(text) or text[at:].isspace() or _MARKER_START.match(text, at) is not None


def _is_label(text: str, at: int, *, final: bool) -> bool:
    """Return whether a label follows.

    Raises:
        _UndecidedError: not `final`, and the text ends inside what may be one.
    """
    words = _LABEL_WORDS.match(text, at)
    if words is None:
        return False
    if not final and words.end() >= len(text) - 1:
        raise _UndecidedError
    return re.match(r":\s", text[words.end() : words.end() + 2]) is not None


def _stop_ends(text: str, start: int, place: int, end: int, *, final: bool) -> bool:
    before = _WORD_BEFORE.search(text, start, place)
    word = before.group() if before else ""
    low = word.lower().rstrip(".")
    if low in _NEVER_ENDS or _LIST_NUMBER.fullmatch(text, start, place):
        return False
    following = _following(text, end, final=final)
    if following == "" or "\n" in text[end : end + len(text[end:]) - len(text[end:].lstrip())]:
        return True
    if following.islower():
        if not final and len(text[end:].lstrip()) < _MIXED_LENGTH:
            raise _UndecidedError
        if not _MIXED.match(text, end) and not (len(low) >= _WHOLE_WORD and _is_label(text, end, final=final)):
            return False
    if low in _SELDOM_ENDS:
        return following.isupper()
    return not _is_initial(text, start, place, word)


def _following(text: str, at: int, *, final: bool) -> str:
    rest = text[at : at + _LONGEST_LOOKAHEAD].lstrip()
    if not rest and not final:
        raise _UndecidedError
    return rest[:1]


def _is_initial(text: str, start: int, place: int, word: str) -> bool:
    if len(word) != 1 or not word.isupper():
        return False
    title = text[start : place - 1].split()[-1:]
    return bool(title) and title[0].lower().rstrip(".") in {"dr", "mr", "mrs", "ms", "prof"}


def _after_line(text: str, start: int, place: int, *, final: bool) -> int | None:
    """Return where the sentence ends if the line break at `place` ends it."""
    at = place + 1
    while at < len(text) and text[at].isspace():
        at += 1
    # Two characters of the next line tell a list number from a wrapped value.
    if not final and at + 3 > len(text):
        raise _UndecidedError
    marked = _MARKERS.match(text, place)
    if marked is not None or (not final and _MARKER_START.match(text, place)):
        return None
    if at == len(text) or "\n" in text[place + 1 : at] or _BULLET.match(text, at):
        return place
    line = text[max(start, text.rfind("\n", start, place) + 1) : place].rstrip()
    last = line.split()[-1].lower() if line.split() else ""
    if last in _GOES_ON or line.endswith(","):
        return None
    return None if text[at].islower() and not line.endswith(":") else place
