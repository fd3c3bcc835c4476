"""The arithmetic of the sizing page is done again, and what it takes from the product is compared with the product."""

from __future__ import annotations

import re
from math import floor, log10

import pytest

from appliance.config import ROOT, Config
from appliance.model_server import serve

PAGE = (ROOT / "docs" / "sizing.md").read_text()
PROFILES = ("cpu-small", "gpu-single", "two-node")


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def rows(title: str) -> dict[str, list[str]]:
    """Return the three columns of each row, by the row's name."""
    found = re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|([^|]*)\|([^|]*)\|", section(title), re.MULTILINE)
    return {name: [cell.strip().replace(",", "") for cell in cells] for name, *cells in found}


def formulas() -> list[tuple[str, str]]:
    return re.findall(r"^(\w+) = (.+)$", section("Arithmetic").split("```")[1], re.MULTILINE)


def two_digits(value: float) -> float:
    return round(value, 1 - floor(log10(abs(value))))


def reckoned(place: int) -> dict[str, float]:
    known = {name: float(cells[place]) for name, cells in rows("Inputs").items()}
    for name, expression in formulas():
        assert re.fullmatch(r"[\w\s.()*/+-]+", expression)
        known[name] = eval(expression, {"__builtins__": {}}, dict(known))  # noqa: S307 - names and arithmetic only
    return known


@pytest.mark.parametrize("profile", PROFILES)
def test_every_result_is_what_the_formulas_give(profile: str) -> None:
    place = PROFILES.index(profile)
    known, told = reckoned(place), rows("Results")
    assert [name for name, _ in formulas()] == list(told)
    assert {name: float(cells[place]) for name, cells in told.items()} == {
        name: two_digits(known[name]) for name in told
    }


@pytest.mark.parametrize("profile", PROFILES)
def test_no_profile_is_loaded_beyond_what_the_page_allows(profile: str) -> None:
    assert reckoned(PROFILES.index(profile))["load"] < 0.7


@pytest.mark.parametrize(("input_name", "row"), [("structured_rate", 0), ("note_rate", 1)])
def test_rates_are_those_of_the_benchmark(input_name: str, row: int) -> None:
    names = ("record ingest, structured resources", "record ingest, notes with embedding")
    readme = (ROOT / "README.md").read_text()
    printed = re.search(rf"^\| {names[row]} \| ([\d,.]+) ", readme, re.MULTILINE)
    assert printed, "the benchmark's row has another name now"
    assert set(rows("Inputs")[input_name]) == {printed[1].replace(",", "")}


def test_what_is_a_setting_is_as_it_is_set() -> None:
    fields, inputs = Config.model_fields, rows("Inputs")
    assert set(inputs["backups_kept"]) == {str(fields["backup_keep"].default)}
    assert all(int(cell) <= fields["draft_tokens"].default for cell in inputs["draft_tokens"])
    assert int(inputs["streams"][1]) == serve._CONCURRENT


def test_the_page_says_what_was_not_tried() -> None:
    untested = section("Not tested")
    assert all(word in untested for word in ("Ubuntu", "arm64", "secure boot", "GPU", "two-node", "Qdrant"))
