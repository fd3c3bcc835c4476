"""The long stage keeps its databases in files, as a box does: kept in memory they count as the process's own growth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connections

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Name a file for each SQLite database, in the long stage only: beside other tests memory is quicker."""
    if request.config.getoption("markexpr") != "fuzz":
        return
    folder: Path = tmp_path_factory.mktemp("databases")
    for alias in connections:
        if connections[alias].vendor == "sqlite":
            connections[alias].settings_dict["TEST"]["NAME"] = str(folder / f"{alias}.sqlite3")
