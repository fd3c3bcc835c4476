"""What a sentence may not be, whatever it says: markup, a forged marker, talk about itself, another language."""

from __future__ import annotations

import re
import unicodedata

from clinical.domain.gate.verdict import Reason
from clinical.domain.lexicon.tables import word_list

MARKER = re.compile(r"\[\s*(\d{1,3}(?:\s*[,;]\s*\d{1,3})*)\s*\]")
_MARKUP = re.compile(
    r"https?:|ftp:|www\.|javascript:|data:\w+/|mailto:|\S@\S+\.\w|</?[a-zA-Z!]|!\[|\]\(|```|`|\*\*|__|&#?\w+;"
    r"|^\s*#{1,6}\s|\|.*\||[{}\\]|\[\[|\u3010|\u3011|\b[\w-]+\.(?:com|org|net|io|example)\b|<\||\|>",
    re.IGNORECASE | re.MULTILINE,
)
# Words to or from an assistant: never shown, even where a document holds them.
_ASSISTANT = re.compile(
    r"\b(?:as an? (?:ai|assistant|language model)|language model|(?:system|user|assistant) ?:"
    r"|(?:ignore|disregard|forget|override) (?:all|the|any|your|previous|prior|earlier|these|those)\b"
    r"|(?:system|previous|prior|earlier|your) (?:prompt|instructions?)|tell the (?:reader|user|clinician)"
    r"|mark this answer|i(?:'m| am) (?:an ai|not able to (?:answer|provide|help)))",
    re.IGNORECASE,
)
# Talk about the task itself: not a statement about a patient, unless the record holds these very words.
_META = re.compile(
    r"\b(?:i(?:'m| am) (?:sorry|an|not able|unable)|sorry,"
    r"|(?:provided|given|above|following|available) (?:text|context|information|passages?|evidence|records?"
    r"|documents?|notes?)"
    r"|the (?:context|passages?|evidence|excerpts?|sources?|text|question|answer|user|prompt|instructions?)\b(?! of)"
    r"|(?:based on|according to) the (?:\w+ )?(?:text|passages?|context|evidence|sources?|information|records?"
    r"|documents?|notes?|excerpts?)"
    r"|here (?:is|are) (?:the|a|an|my)"
    r"|in summary|to summari[sz]e|in conclusion|please (?:consult|note|let|contact|ignore)|you (?:should|can|may|must)"
    r"|answer:|question:|note that"
    r"|cannot (?:answer|determine|provide)|let me know|of course|sure[,!])",
    re.IGNORECASE,
)
_FIRST_PERSON = re.compile(
    r"(?<!type )(?<!class )(?<!grade )(?<!stage )(?<!polar )(?<!oponin )"
    r"\b(?:I(?:'\w+)?|[Ww]e(?:'\w+)?|[Oo]urs?|[Mm]y|me|us|[Mm]yself)\b"
)
_ENGLISH = word_list("english")
_OTHER = word_list("foreign")
_SHARED = _ENGLISH & _OTHER
_WORD = re.compile(r"[^\W\d_]+")


def ill_formed(sentence: str, labels: frozenset[int], *, quoted: bool = False) -> Reason | None:
    """Return why the sentence is withheld for its form alone.

    `labels` are those of the evidence; `quoted` says that the sentence stands in it word for word.
    """
    if _is_markup(sentence, labels):
        return Reason.MARKUP
    if _ASSISTANT.search(sentence) or (not quoted and _is_meta(sentence)):
        return Reason.META_TALK
    if not is_english(sentence):
        return Reason.LANGUAGE
    return None


def cited_labels(sentence: str) -> tuple[int, ...]:
    """Return the labels the sentence cites, in order."""
    return tuple(int(number) for marker in MARKER.finditer(sentence) for number in re.findall(r"\d+", marker[1]))


def _is_markup(sentence: str, labels: frozenset[int]) -> bool:
    if _MARKUP.search(sentence) or any(label not in labels for label in cited_labels(sentence)):
        return True
    without = MARKER.sub("", sentence)
    if "[" in without or "]" in without:
        return True
    return any(unicodedata.category(character) in {"Cc", "Cf", "Co", "Cs"} for character in without.replace("\n", " "))


def _is_meta(sentence: str) -> bool:
    return bool(
        _META.search(sentence) or _FIRST_PERSON.search(sentence) or MARKER.sub("", sentence).rstrip().endswith("?")
    )


def is_english(text: str) -> bool:
    """Return whether the gate has rules for the language of this text: English, in Latin letters."""
    letters = [character for character in text if character.isalpha()]
    foreign = sum(1 for one in letters if one > "\u024f" and one not in "\u03bc\u03b1\u03b2\u03b3\u03bb")
    if foreign > 2:
        return False
    words = [word.lower() for word in _WORD.findall(text)]
    other = sum(1 for word in words if word in _OTHER and word not in _SHARED)
    english = sum(1 for word in words if word in _ENGLISH and word not in _SHARED)
    return other < 2 or english >= other
