"""What a parser is."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.items import Item, ParseContext

UTF8_BOM = b"\xef\xbb\xbf"


class Parser(Protocol):
    """Reads one format. A parser never raises for what a file holds: it yields a RejectedItem."""

    @property
    def name(self) -> str:
        """The format's name, for the operator."""
        ...

    def score(self, head: bytes, filename: str) -> int:
        """Return how surely this is the format, 0 (not at all) to 100.

        `head` is the first `registry.HEAD_BYTES` of the file; the name only breaks ties.
        """
        ...

    def parse(self, source: BinaryIO, filename: str, context: ParseContext) -> Iterator[Item]:
        """Yield what the file holds. `source` stands at its beginning."""
        ...


def read_whole(source: BinaryIO, limit: int) -> bytes | None:
    """Return the file without a byte order mark, or None when it is larger than `limit` bytes."""
    content = source.read(limit + 1)
    return None if len(content) > limit else content.removeprefix(UTF8_BOM)
