"""The prompt as a value: stable part first, so that the server's prefix cache helps."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """System text (stable), then user text (evidence, then the question)."""

    system: str
    user: str
