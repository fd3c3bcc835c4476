"""The words of a picture, by Tesseract, each picture in a process of its own with limits."""

from __future__ import annotations

import resource
import signal
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ingestion.domain.documents.extracted import PageFault, PageText
from ingestion.domain.documents.lines import tidy

if TYPE_CHECKING:
    from collections.abc import Iterable

PROGRAM: Final = "tesseract"
CPU_S: Final = 40  # of one picture
WALL_S: Final = 180
MEMORY: Final = 1 << 30  # bytes of address space
LAYOUT: Final = "4"  # one column with rows of any height: rows of tables stay together
TURNED: Final = "1"  # finds out first which way up the page is
UNSURE: Final = 60  # percent; below it the page is tried the other way
DARK: Final = 200  # of 255: darker is ink, for the removal of specks
LEAST_INK: Final = 0.0005  # share of dark dots below which a page is empty
Picture = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Recogniser:
    """Tesseract with the languages ("eng", "eng+deu") whose data is installed."""

    path: str
    languages: str

    @cached_property
    def method(self) -> str:
        """Its name, version and languages."""
        said = subprocess.run([self.path, "--version"], capture_output=True, check=False, timeout=20)
        version = said.stdout.decode("ascii", "replace").split("\n", 1)[0].removeprefix(PROGRAM).strip()
        return f"{PROGRAM} {version} {self.languages}"

    def read(self, picture: Picture, *, dpi: int, page: int) -> PageText | PageFault:
        """Return the words of a grey picture (rows, columns[, 1]; 0 is black)."""
        dots = np.ascontiguousarray(picture.reshape(picture.shape[0], -1))
        if float(np.mean(dots < DARK)) < LEAST_INK:
            return PageText("")
        clean = without_specks(dots)
        found = self._run(clean, dpi, LAYOUT)
        if isinstance(found, str):
            return PageFault((page,), found)
        text, sure = found
        if sure < UNSURE:
            turned = self._run(clean, dpi, TURNED)
            if not isinstance(turned, str) and turned[1] > sure:
                text, sure = turned
        return PageText(text, sure) if text else PageFault((page,), "ocr-found-no-words")

    def _run(self, dots: Picture, dpi: int, layout: str) -> tuple[str, int] | str:
        """Return words and how sure, 0 to 100; or a reason why not."""
        command = [self.path, "-", "-", "-l", self.languages, "--psm", layout, "--dpi", str(dpi), "tsv"]
        header = f"P5\n{dots.shape[1]} {dots.shape[0]}\n255\n".encode()
        try:
            done = subprocess.run(
                command,
                input=header + dots.tobytes(),
                capture_output=True,
                check=False,
                timeout=WALL_S,
                preexec_fn=_limit,
                env={"OMP_THREAD_LIMIT": "1", "LC_ALL": "C.UTF-8"},
            )
        except subprocess.TimeoutExpired:
            return "ocr-too-slow"
        if done.returncode:
            return "ocr-too-slow" if -done.returncode in (signal.SIGXCPU, signal.SIGKILL) else "ocr-failed"
        return _words(done.stdout.decode("utf-8", "replace").split("\n")[1:])


def without_specks(dots: Picture) -> Picture:
    """Return a picture without dark dots that have at most one dark neighbour: dust, and never a decimal point."""
    dark = np.pad(dots < DARK, 1)
    height, width = dots.shape
    near = np.zeros(dots.shape, dtype=np.uint8)
    for down in (0, 1, 2):
        for right in (0, 1, 2):
            if (down, right) != (1, 1):
                near += dark[down : down + height, right : right + width]
    clean = dots.copy()
    clean[dark[1:-1, 1:-1] & (near <= 1)] = 255
    return clean


def _words(rows: Iterable[str]) -> tuple[str, int]:
    """Return text and mean confidence, by characters, of Tesseract's table of words."""
    lines: dict[tuple[str, ...], list[str]] = {}
    weight, total = 0, 0.0
    for row in rows:
        cells = row.split("\t")
        if len(cells) < 12 or cells[0] != "5" or not cells[11].strip():
            continue
        lines.setdefault(tuple(cells[2:5]), []).append(cells[11].strip())
        weight += len(cells[11])
        total += len(cells[11]) * max(0.0, float(cells[10]))
    text: list[str] = []
    block = ""
    for (at, _, _), words in lines.items():
        text += [""] * (at != block and bool(text)) + [" ".join(words)]
        block = at
    return tidy("\n".join(text)), round(total / weight) if weight else 0


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
