"""A look at an installation that is as it should be, for breaking one thing after the other."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import get_commands

from appliance.config import SECRET_NAMES, Config
from appliance.doctor.finding import Finding, Look, State

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SEED = "5a" * 32


@pytest.fixture
def look(tmp_path: Path) -> Look:
    settings = Config(var=tmp_path, embedder_dir=tmp_path / "embedder", redis_url="redis://127.0.0.1:1/0")
    for name in SECRET_NAMES:
        settings.secret(name)
    return Look(settings, NOW)


def changed(look: Look, **settings: Any) -> Look:
    return replace(look, settings=look.settings.model_copy(update=settings))


def site(look: Look, **settings: Any) -> Look:
    given: dict[str, Any] = {name: Config(secret_key="5a" * 32).secret_key for name in SECRET_NAMES}
    good: dict[str, Any] = {
        "profile": "site",
        "known_authorities": "urn:x",
        "backup_recipient": "age1x",
        "database_url": "postgresql://x",
        "audit_database_url": "postgresql://x",
    }
    return changed(look, **{**given, **good, **settings})


def only(found: Finding | Iterable[Finding], name: str = "") -> Finding:
    """Return the one line of that name."""
    lines = [found] if isinstance(found, Finding) else list(found)
    return next(one for one in lines if not name or one.name == name)


def named_wrong(found: Finding | Iterable[Finding], name: str, words: str) -> None:
    one = only(found, name)
    assert one.state is State.WRONG
    assert re.search(words, one.words), one.words
    assert one.mend
    assert set(re.findall(r"(?:manage\.py|appliance-manage) ([a-z_]+)", one.mend)) <= set(get_commands())
