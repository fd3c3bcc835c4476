"""Words of a clinical text: tokens with their place, and a light stem so that forms of a word compare equal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"(?P<dotted>\b(?:[A-Za-z]\.){2,}[A-Za-z]?\b\.?)"
    r"|(?P<number>\d+(?:[.,]\d+)*(?:st|nd|rd|th)?(?![A-Za-z0-9]))"
    r"|(?P<word>[^\W_]+(?:['\u2019][^\W\d_]+)?)"
    r"|(?P<mark>[^\w\s]|_)"
)

_IRREGULAR = {
    "hives": "hives", "mane": "manes", "testes": "testis", "cycling": "cyclings",  # not HIV, a man, a test, a cycle
    "monthly": "monthly", "nightly": "nightly", "yearly": "yearly", "hourly": "hourly", "fortnightly":
    "fortnightly", "quarterly": "quarterly", "used": "use", "took": "take", "taken": "take", "began": "begin",
    "begun": "begin", "felt": "feel", "fallen": "fall", "gave": "give", "given": "give", "went": "go", "gone":
    "go", "feet": "foot", "teeth": "tooth", "women": "woman", "men": "man", "children": "child", "worsened":
    "worse", "broke": "break", "broken": "break", "rose": "rise", "risen": "rise", "underwent": "undergo",
    "undergone": "undergo", "swollen": "swell", "slept": "sleep", "ate": "eat", "eaten": "eat", "drunk":
    "drink", "lost": "lose", "saw": "see", "seen": "see", "grew": "grow", "held": "hold", "kept": "keep",
    "left": "left", "bled": "bleed", "tore": "tear", "torn": "tear", "shown": "show", "spoken": "speak",
    "thought": "think", "lay": "lie", "drove": "drive", "driven": "drive", "woken": "wake", "sought": "seek",
    "brought": "bring", "hurt": "hurt", "worn": "wear", "struck": "strike", "bitten": "bite", "stung": "sting",
    "diagnoses": "diagnosis", "series": "series", "analyses": "analysis", "calves": "calf", "better": "better",
    "during": "during", "evening": "evening", "morning": "morning", "nothing": "nothing", "does": "do", "using":
    "use", "going": "go", "doing": "do", "being": "be", "lying": "lie", "bloods": "bloods", "done": "do", "did":
    "do", "wrote": "write", "written": "write", "grown": "grow", "chose": "choose", "chosen": "choose",
    "became": "become", "came": "come", "got": "get", "found": "find", "met": "meet", "made": "make", "bought":
    "buy", "caught": "catch", "taught": "teach", "told": "tell", "said": "say", "stood": "stand", "sent":
    "send", "spent": "spend", "swam": "swim", "swum": "swim", "rang": "ring", "has": "have", "died": "die",
    "dying": "die", "ran": "run",
}  # fmt: skip
_VOWEL = re.compile(r"[aeiouy]")
# British spellings compared as American ones; only compared, never shown.
_BRITISH = (
    (re.compile(r"(?<=[^o])ae(?!r)"), "e"),
    (re.compile(r"oe(?=d|s[ot]|t[aiou]|l|a)(?!s\b)"), "e"),
    (re.compile(r"our(?=$|s$|ed$|ing$|less$|ful|able$|al|it)"), "or"),
    (re.compile(r"is(?=e$|ed$|es$|ing$|er$|ation)"), "iz"),
    (re.compile(r"ys(?=e$|ed$|ing$)"), "yz"),
    (re.compile(r"sulph"), "sulf"),
    (re.compile(r"ll(?=(?:or|er|ing|ed)s?$)"), "l"),
    (re.compile(r"(?<=[tb])re$"), "er"),
)
_BRITISH_FROM = 5  # letters: "four" and "toes" are left alone


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or punctuation mark at [start, end) of its text; `stem` is what is compared."""

    text: str
    low: str
    stem: str
    start: int
    end: int
    is_word: bool


def tokens(text: str) -> list[Token]:
    """Return the tokens of `text` in order; hyphens and slashes are marks of their own."""
    found = []
    for match in _TOKEN.finditer(text):
        raw = match.group()
        if match.lastgroup == "dotted":
            raw = raw.replace(".", "")
        low = raw.lower().replace("\u2019", "'")
        is_word = match.lastgroup != "mark"
        found.append(Token(raw, low, stem(low) if is_word else low, match.start(), match.end(), is_word))
    return found


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Return a stem shared by the usual forms of an English word; `word` is lower case."""
    word = word.removesuffix("'s")
    if word in _IRREGULAR:
        return _final(_IRREGULAR[word])
    if len(word) <= 3 or not word.isalpha():
        return word
    return _final(_without_ending(_american(word)))


def _american(word: str) -> str:
    if len(word) < _BRITISH_FROM:
        return word
    for pattern, spelling in _BRITISH:
        word = pattern.sub(spelling, word)
    return word


def _without_ending(word: str) -> str:
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3] + "y"
    for ending in ("ments", "ment"):
        if word.endswith(ending) and len(word) > len(ending) + 4:
            return word[: -len(ending)]
    if word.endswith("ings") and len(word) > 6:
        word = word[:-1]  # findings, swellings
    if word.endswith("ing") and len(word) > 5 and _VOWEL.search(word[:-3]):
        return _undoubled(word[:-3])
    if word.endswith("ed") and not word.endswith("eed") and len(word) > 4 and _VOWEL.search(word[:-2]):
        return _undoubled(word[:-2])
    if word.endswith("ally") and len(word) > 7:
        return word[:-4]
    if word.endswith("ly") and len(word) > 6:
        return word[:-2]
    return _singular(word)


def _singular(word: str) -> str:
    if word.endswith(("sses", "shes", "ches", "xes", "zes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is", "ics")):
        return word[:-1]
    return word


def _undoubled(word: str) -> str:
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
        return word[:-1]
    return word


def _final(word: str) -> str:
    if len(word) > 4 and word.endswith("ll"):
        return word[:-1]  # labelled, labeled
    return word[:-1] if len(word) > 3 and word.endswith("e") else word
