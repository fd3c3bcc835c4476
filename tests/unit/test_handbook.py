"""Every command of the operator's handbook can be typed as it stands there."""

from __future__ import annotations

import re
from argparse import ArgumentParser, _SubParsersAction
from typing import TYPE_CHECKING

import pytest
from django.core.management import get_commands, load_command_class

from appliance.config import ROOT, Config

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (ROOT / "docs" / "handbook.md").read_text()
# A command ends where its code ends: at the backtick, or at the end of an indented line.
COMMANDS = sorted(set(re.findall(r"(?:appliance-manage|manage\.py) ([a-z_]+)([^`\n]*)", PAGE)))


def parsers(parser: ArgumentParser) -> Iterator[ArgumentParser]:
    yield parser
    for action in parser._actions:
        if isinstance(action, _SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


def parser_of(command: str) -> ArgumentParser:
    return load_command_class(get_commands()[command], command).create_parser("manage.py", command)


def words_known(parser: ArgumentParser) -> set[str]:
    """Return the first words that a command takes: its sub-commands and choices."""
    found: set[str] = set()
    for action in parser._actions:
        if not action.option_strings and action.choices:
            found |= set(action.choices)
    return found


def test_the_handbook_names_commands() -> None:
    assert len({command for command, _ in COMMANDS}) > 15


@pytest.mark.parametrize(("command", "rest"), COMMANDS, ids=lambda value: value.strip())
def test_it_exists_with_its_options_and_its_words(command: str, rest: str) -> None:
    parser = parser_of(command)
    known = {option for one in parsers(parser) for action in one._actions for option in action.option_strings}
    assert set(re.findall(r"--[a-z-]+", rest)) <= known
    first = re.match(r" ([a-z]+)", rest)
    if first and words_known(parser):
        assert first[1] in words_known(parser)


def test_settings_and_roles_named_are_those_of_the_product() -> None:
    from clinical.domain.access import Role

    named = {name.lower() for name in re.findall(r"APPLIANCE_([A-Z_]+)", PAGE)}
    assert named <= set(Config.model_fields)
    assert all(role.value in PAGE for role in Role)


@pytest.mark.parametrize(
    "title",
    ["Install", "The first hour", "Daily", "Updating", "Keys", "Disaster recovery", "Decommissioning"],
)
def test_no_part_of_an_operator_s_work_is_left_out(title: str) -> None:
    assert re.search(rf"^## {title}", PAGE, re.MULTILINE)
