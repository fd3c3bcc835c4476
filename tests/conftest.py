"""Shared fixtures: the fakes behind the ports, and keys that belong to one test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from clinical.keys import forget_keys
from clinical.ports import backends

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _fresh_backends(settings: pytest.FixtureRequest) -> Iterator[None]:
    """Give each test its own fake backends; real ones are asked for by the stage that needs them."""
    settings.CLINICAL_BACKENDS = "tests.backends.fake_backends"  # type: ignore[attr-defined]
    backends.cache_clear()
    forget_keys()
    yield
    backends.cache_clear()
    forget_keys()
