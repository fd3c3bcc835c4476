"""Distils `wordings.json` from the database files of WordNet 3.0: words of general prose that say the same.

Run at development time, with the folder of WordNet's files and the file to write as arguments. Only words that share
a frequent sense of both, or are derived from each other in such senses, are paired; opposites, narrower and wider
words never are.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

from clinical.domain.lexicon.words import stem

_PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
_TYPES = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}
# Places, plants, animals, foods and substances have no paraphrase in a note; times and amounts are compared by rule.
_LEFT_OUT = {"05", "08", "13", "15", "20", "23", "27", "28"}
_SHARE = 0.14  # of a word's uses that a sense must have, for each of the two words
_DERIVED, _PERTAINS = "+", "\\"
_NO_COUNT = 0.5  # a sense never met in the tagged texts counts as half a use
_HEX = 16
_LONGEST, _SHORTEST = 18, 3

Sense = tuple[str, str]  # part of speech and place of the set in its data file


def main(folder: Path, target: Path) -> None:
    """Write the table of rows of words that say the same."""
    places = {part: _indexed(folder / f"index.{name}") for name, part in _PARTS.items()}
    shares = _shares(places, _counted(folder / "cntlist.rev"))
    sets = {(part, row[0]): row for name, part in _PARTS.items() for row in _rows(folder / f"data.{name}")}
    rows: set[str] = set()
    for (part, place), (_, kind, words, pointers) in sets.items():
        if kind in _LEFT_OUT and part == "n":
            continue
        said = [word for word in words if _usual(word, (part, place), shares)]
        rows.add(_row(said))
        for symbol, their_part, their_place, mine, theirs in pointers:
            if symbol not in {_DERIVED, _PERTAINS} or not mine:
                continue
            other = sets[their_part, their_place]
            pair = [words[mine - 1], other[2][theirs - 1]]
            senses = ((part, place), (their_part, their_place))
            if all(_usual(word, sense, shares) for word, sense in zip(pair, senses, strict=True)):
                rows.add(_row(pair))
    rows.discard("")
    table = {
        "source": "WordNet 3.0, Princeton University (2006): words sharing a frequent sense, and derived forms.",
        "status": "checked",
        "rows": sorted(rows),
    }
    target.write_text(json.dumps(table, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


def _row(words: list[str]) -> str:
    """Return the words of a row, "" where they are forms of one word."""
    words = sorted(set(words))
    return " ".join(words) if len({stem(word) for word in words}) > 1 else ""


def _usual(word: str, sense: Sense, shares: dict[tuple[str, Sense], float]) -> bool:
    plain = word.isalpha() and word.islower() and _SHORTEST <= len(word) <= _LONGEST
    return plain and shares.get((word, sense), 0.0) >= _SHARE


def _indexed(file: Path) -> dict[str, list[str]]:
    """Return the places of each word's senses, the most frequent first."""
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        if not line.startswith(" "):
            fields = line.split()
            found[fields[0]] = fields[-int(fields[2]) :]
    return found


def _counted(file: Path) -> dict[tuple[str, str, int], int]:
    """Return how often each sense of a word was met: word, part of speech, number of the sense."""
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        key, number, count = line.split()
        word, _, rest = key.partition("%")
        found[word, _TYPES[rest[0]], int(number)] = int(count)
    return found


def _shares(
    places: dict[str, dict[str, list[str]]], counted: dict[tuple[str, str, int], int]
) -> dict[tuple[str, Sense], float]:
    """Return the share of its uses, as this part of speech, that each word has in each of its senses."""
    found: dict[tuple[str, Sense], float] = defaultdict(float)
    met = {(word, part) for word, part, _ in counted}
    for part, words in places.items():
        for word, senses in words.items():
            if (word, part) not in met:
                continue  # rare: its senses have no known order
            uses = [counted.get((word, part, number), 0) + _NO_COUNT for number in range(1, len(senses) + 1)]
            for place, count in zip(senses, uses, strict=True):
                found[word, (part, place)] = count / sum(uses)
    return found


def _rows(file: Path) -> list[tuple[str, str, list[str], list[tuple[str, str, str, int, int]]]]:
    """Return place, file number, words and pointers of each set of a data file."""
    found = []
    for line in file.read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split(" | ")[0].split()
        many = int(fields[3], _HEX)
        words = [fields[4 + 2 * at].split("(")[0] for at in range(many)]
        at = 4 + 2 * many
        pointers = []
        for number in range(int(fields[at])):
            symbol, place, part, both = fields[at + 1 + 4 * number : at + 5 + 4 * number]
            pointers.append((symbol, part.replace("s", "a"), place, int(both[:2], _HEX), int(both[2:], _HEX)))
        found.append((fields[0], fields[1], words, pointers))
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
