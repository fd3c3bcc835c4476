"""Shared fixtures: the fakes behind the ports, and keys that belong to one test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connections

from appliance.config import config
from appliance.processes.model_server import running_model_server
from clinical.keys import forget_keys
from clinical.ports import backends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.config import Config


@pytest.fixture(autouse=True)
def _fresh_backends(settings: pytest.FixtureRequest) -> Iterator[None]:
    """Give each test its own fake backends; real ones are asked for by the stage that needs them."""
    settings.CLINICAL_BACKENDS = "tests.backends.fake_backends"  # type: ignore[attr-defined]
    backends.cache_clear()
    forget_keys()
    yield
    backends.cache_clear()
    forget_keys()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Keep SQLite's databases in memory in each process: pytest-django knows its engine by Django's own name only."""
    for alias in connections:
        if connections[alias].vendor == "sqlite":
            connections[alias].settings_dict["TEST"]["NAME"] = None


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """A real model server: the one that runs, or one started for this session."""
    with running_model_server(config(), tmp_path_factory.mktemp("model-server"), print) as settings:
        yield settings
