"""Words of the record in a card: data that no client may read as markup."""

from __future__ import annotations

import re
from typing import Final

from clinical.domain.visible import visible

_SPACE: Final = re.compile(r"\s+")
# GitHub Flavored Markdown 0.29: a backslash before ASCII punctuation makes it itself (6.1). Beside what opens
# inline markup that is the start of an extended autolink (6.9) and what opens a block at the start of a line (4, 5).
_INLINE: Final = re.compile(r"([\\`*_\[\]<>#|~&!@$])")
_AUTOLINK: Final = re.compile(r"(?<=:)/(?=/)|(?<=www)\.", re.IGNORECASE)
_BLOCK: Final = re.compile(r"[-+=:]|\d+(?=[.)](?:\s|$))")


def one_line(text: str) -> str:
    """Return text without line breaks and with hidden characters shown, for a card's summary, which is no Markdown."""
    return visible(_SPACE.sub(" ", text).strip())


def plain_markdown(text: str) -> str:
    """Return text as one line that Markdown renders as itself."""
    escaped = _AUTOLINK.sub(r"\\\g<0>", _INLINE.sub(r"\\\1", one_line(text)))
    opening = _BLOCK.match(escaped)
    if opening is None:
        return escaped
    if opening[0].isdigit():
        return f"{opening[0]}\\{escaped[opening.end() :]}"
    return f"\\{escaped}"


def bullets(lines: list[str]) -> str:
    """Return lines of data as a Markdown list."""
    return "\n".join(f"- {plain_markdown(line)}" for line in lines)
