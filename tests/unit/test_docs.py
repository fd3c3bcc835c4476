"""What the documents say, and what can be checked of it."""

from __future__ import annotations

import ast
import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from django.core.management import get_commands

from appliance.config import ROOT, Config
from appliance.management.commands.settings_table import page

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

README = (ROOT / "README.md").read_text()
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def between(marker: str) -> str:
    found = re.search(rf"<!-- {marker} -->\n(.*?)<!-- /{marker} -->", README, re.DOTALL)
    assert found, f"the README has a place for {marker}"
    return found[1]


class TestSettings:
    def test_the_page_is_what_the_configuration_says(self) -> None:
        assert (ROOT / "docs" / "settings.md").read_text() == page()

    @pytest.mark.parametrize("name", sorted(Config.model_fields))
    def test_every_setting_stands_in_it_with_a_meaning(self, name: str) -> None:
        assert f"`APPLIANCE_{name.upper()}`" in page()
        assert Config.model_fields[name].description

    def test_no_page_names_a_variable_that_is_not_read(self) -> None:
        known = {f"APPLIANCE_{name.upper()}" for name in Config.model_fields}

        assert {word for path in PAGES for word in re.findall(r"APPLIANCE_[A-Z_]*[A-Z]", path.read_text())} <= known


class TestDecisions:
    @pytest.mark.parametrize("path", DECISIONS, ids=named)
    def test_each_is_short_and_says_what_it_costs_and_when_to_look_again(self, path: Path) -> None:
        text = path.read_text()

        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == ["Context", "Decision", "Price", "Look again"]
        assert len(text.splitlines()) <= 20

    def test_the_list_names_each_once_and_in_order(self) -> None:
        listed = re.findall(r"\]\((\d{4}-[a-z0-9-]+\.md)\)", (ROOT / "docs" / "adr" / "README.md").read_text())

        assert listed == [path.name for path in DECISIONS]
        assert [int(name[:4]) for name in listed] == list(range(1, len(listed) + 1))


def test_the_newest_version_of_the_changelog_is_the_project_s() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.search(r"^## \[?(\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert newest is not None
    assert newest[1] == project["version"]


class TestWhatCanBeTyped:
    @pytest.mark.parametrize("path", PAGES, ids=named)
    def test_every_make_target_exists(self, path: Path) -> None:
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

        assert set(re.findall(r"(?:`|^ *)make ([a-z-]+)", path.read_text(), re.MULTILINE)) <= targets

    @pytest.mark.parametrize("path", PAGES, ids=named)
    def test_every_management_command_exists(self, path: Path) -> None:
        assert set(re.findall(r"manage\.py ([a-z_]+)", path.read_text())) <= set(get_commands())

    def test_the_readme_names_every_command_of_ours(self) -> None:
        ours = {name for name, app in get_commands().items() if app in {"appliance", "clinical", "ingestion"}}

        assert ours <= set(re.findall(r"`(?:manage\.py )?([a-z_]+)\b", README))

    @pytest.mark.parametrize("path", PAGES, ids=named)
    def test_every_link_and_picture_leads_somewhere(self, path: Path) -> None:
        links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text())
        missing = [link for link in links if "://" not in link and not (path.parent / link).exists()]

        assert missing == []

    @pytest.mark.parametrize("path", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DECISIONS], ids=named)
    def test_every_file_named_exists(self, path: Path) -> None:
        places = re.findall(r"`((?:appliance|clinical|ingestion|tests|docs)/[\w./-]+)`", path.read_text())

        assert [place for place in places if not (ROOT / place).exists()] == []


def row_names() -> Iterator[re.Pattern[str]]:
    """Yield a pattern for every text in the benchmarks that could be a row's name."""
    for path in (ROOT / "appliance" / "bench").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            parts = node.values if isinstance(node, ast.JoinedStr) else [node]
            literal = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
            if len("".join(literal)) >= 8:
                text = "".join(re.escape(str(p.value)) if isinstance(p, ast.Constant) else ".+" for p in parts)
                yield re.compile(text)


def test_every_figure_in_the_readme_is_one_the_benchmark_prints() -> None:
    rows = [line.split("|")[1].strip() for line in between("bench").splitlines() if line.startswith("|")]
    figures = [name for name in rows if name not in {"figure", "---"}]
    known = list(row_names())

    assert [name for name in figures if not any(one.fullmatch(name) for one in known)] == []


def test_the_readme_has_a_place_for_what_evaluate_prints() -> None:
    assert between("evaluate").strip()
