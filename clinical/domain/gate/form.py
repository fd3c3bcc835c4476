"""What a sentence may not be, whatever it says: markup, a forged marker, talk about itself, another language."""

from __future__ import annotations

import re
import unicodedata

from clinical.domain.gate.languages import has_rules_for
from clinical.domain.gate.verdict import Reason

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


def ill_formed(sentence: str, labels: frozenset[int], *, quoted: bool = False) -> Reason | None:
    """Return why the sentence is withheld for its form alone.

    `labels` are those of the evidence; `quoted` says that the sentence stands in it word for word.
    """
    if _is_markup(sentence, labels):
        return Reason.MARKUP
    if _ASSISTANT.search(sentence) or (not quoted and _is_meta(sentence)):
        return Reason.META_TALK
    if not has_rules_for(sentence):
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


def first_person(text: str) -> bool:
    """Return whether a text speaks as "I" or "we": the author of a note may, a summary of it may not."""
    return bool(_FIRST_PERSON.search(text))


def _is_meta(sentence: str) -> bool:
    return bool(_META.search(sentence) or MARKER.sub("", sentence).rstrip().endswith("?"))
