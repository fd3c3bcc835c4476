"""Has a document read in a process of its own, so that whatever it does, this process goes on."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections import OrderedDict
from contextlib import closing
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec

from ingestion.domain.documents.extracted import Extracted, ExtractionError, PageFault, PageText

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_BYTES: Final = 128 * 2**20  # of one document
WALL_S: Final = 1800
_BEAT_S: Final = 2.0
_ROOT: Final = Path(__file__).resolve().parents[3]
_KEPT: Final = 4
_CHUNK: Final = 1 << 20
_line: Final = msgspec.json.Decoder(dict[str, Any]).decode
_recent: OrderedDict[str, Extracted | ExtractionError] = OrderedDict()
"""The last results by the document's digest: a file is read again when its Patient has to be looked up in it."""


def recogniser_path() -> str:
    """Return the path of the program that reads pictures; "" where it is not installed."""
    return shutil.which("tesseract") or ""


def extract(
    content: bytes | BinaryIO,
    kind: str,
    *,
    languages: str = "eng",
    ocr: bool = True,
    still_working: Callable[[], None] = lambda: None,
) -> Extracted:
    """Return the words of a document.

    Args:
        content: its bytes, or a file that stands at its beginning.
        kind: see `ingestion.domain.documents.kinds`.
        languages: Tesseract's names of those in pictures, joined by "+".
        ocr: whether pages without words are read as pictures.
        still_working: called every two seconds while it lasts.

    Raises:
        ExtractionError: nothing of it can be used; `document-too-costly` for more time or memory than allowed.
    """
    tesseract = recogniser_path() if ocr else ""
    held = os.memfd_create("document")
    with os.fdopen(held, "w+b") as file:
        key = f"{_copied(content, file)} {kind} {tesseract} {languages}"
        found = _recent.get(key)
        if found is None:
            try:
                found = _run(file, kind, tesseract, languages, still_working)
            except ExtractionError as error:
                found = error
            _recent[key] = found
            while len(_recent) > _KEPT:
                _recent.popitem(last=False)
    if isinstance(found, ExtractionError):
        raise ExtractionError(found.reason, found.place)
    return found


def _copied(content: bytes | BinaryIO, file: BinaryIO) -> str:
    """Copy a document into memory that the process shares, and return its digest."""
    digest, size = hashlib.sha256(), 0
    for chunk in [content] if isinstance(content, bytes) else iter(lambda: content.read(_CHUNK), b""):
        size += len(chunk)
        if size > MOST_BYTES:
            raise ExtractionError("file-too-large")
        digest.update(chunk)
        file.write(chunk)
    file.flush()
    return digest.hexdigest()


def _run(file: BinaryIO, kind: str, tesseract: str, languages: str, still_working: Callable[[], None]) -> Extracted:
    written = os.memfd_create("pages")
    with os.fdopen(written, "rb") as out:
        command = [sys.executable, "-m", "ingestion.parsers.extraction.child", kind]
        process = subprocess.Popen(
            [*command, str(file.fileno()), str(written), tesseract, languages],
            cwd=_ROOT,
            env={"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(file.fileno(), written),
            start_new_session=True,
        )
        with closing(_Watched(process)) as watched:
            in_time = watched.wait(still_working)
        out.seek(0)
        return _result(_lines(out), in_time=in_time)


class _Watched:
    """A process that does not outlive the wait for it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def wait(self, still_working: Callable[[], None]) -> bool:
        """Wait for the end and return whether it came in time."""
        deadline = monotonic() + WALL_S
        while monotonic() < deadline:
            try:
                self._process.wait(_BEAT_S)
            except subprocess.TimeoutExpired:
                still_working()
            else:
                return True
        return False

    def close(self) -> None:
        """End the process and what it started, if it still runs."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, 9)
            self._process.wait()


def _lines(out: BinaryIO) -> Iterator[dict[str, Any]]:
    for line in out:
        try:
            yield _line(line)
        except msgspec.MsgspecError:
            return  # the process ended in the middle of it


def _result(lines: Iterator[dict[str, Any]], *, in_time: bool) -> Extracted:
    pages: list[PageText] = []
    faults: dict[str, list[int]] = {}
    for line in lines:
        if "page" in line:
            pages.append(PageText(line["page"], line["ocr"]))
        elif "fault" in line:
            faults.setdefault(line["fault"], []).extend(line["pages"])
        elif "error" in line:
            raise ExtractionError(line["error"], line["place"])
        elif "done" in line:
            failed = tuple(PageFault(tuple(numbers), reason) for reason, numbers in faults.items())
            return Extracted(line["done"], tuple(pages), failed, paged=line["paged"])
    raise ExtractionError("document-too-costly" if in_time else "too-slow", f"page {len(pages) + 1}")
