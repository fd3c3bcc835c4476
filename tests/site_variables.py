"""What the roles' templates say for a site's answers, without Ansible: its variables and the few filters they use."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, meta
from jinja2.nativetypes import NativeEnvironment

ANSIBLE: Final = Path(__file__).resolve().parent.parent / "ansible"


def answers(name: str) -> dict[str, Any]:
    """Return the answers of an example in the inventory."""
    return dict(yaml.safe_load((ANSIBLE / "inventory" / name).read_text()))


def variables(given: dict[str, Any]) -> dict[str, Any]:
    """Return every default of the roles and groups with the answers on top, all resolved."""
    found: dict[str, Any] = {}
    for place in sorted(ANSIBLE.glob("roles/*/defaults/main.yml")) + sorted(ANSIBLE.glob("group_vars/all/*.yml")):
        found |= yaml.safe_load(place.read_text()) or {}
    found |= given
    native = _with_filters(NativeEnvironment(undefined=StrictUndefined))
    resolved: dict[str, Any] = {}
    for name in found:
        _resolve(name, found, resolved, native)
    return resolved


def rendered(role: str, template: str, values: dict[str, Any]) -> str:
    """Return a role's template, filled as Ansible's template module would."""
    places = FileSystemLoader([str(ANSIBLE / "roles" / role / "templates"), str(ANSIBLE / "templates")])
    made = Environment(  # noqa: S701 - configuration files, no HTML
        loader=places, trim_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    return _with_filters(made).get_template(template).render(values)


def _resolve(name: str, found: dict[str, Any], resolved: dict[str, Any], native: Environment) -> None:
    """Resolve a variable after those that it is made of."""
    if name in resolved or name not in found:
        return
    texts = [one for one in _texts(found[name]) if "{{" in one]
    for needed in {one for text in texts for one in meta.find_undeclared_variables(native.parse(text))}:
        _resolve(needed, found, resolved, native)
    resolved[name] = _filled(found[name], resolved, native)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict | list):
        return [text for one in (value.values() if isinstance(value, dict) else value) for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def _filled(value: Any, known: dict[str, Any], native: Environment) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, known, native) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, known, native) for one in value]
    if isinstance(value, str) and "{{" in value:
        return native.from_string(value).render(known)
    return value


def _with_filters(environment: Environment) -> Environment:
    environment.filters["regex_replace"] = lambda text, old, new="": re.sub(old, new, str(text))
    environment.filters["regex_search"] = lambda text, what: (re.search(what, str(text)) or [""])[0]
    environment.filters["regex_escape"] = re.escape
    environment.filters["bool"] = bool
    environment.filters["dictsort"] = lambda held: sorted(held.items())
    environment.tests["exists"] = lambda path: Path(path).exists()
    environment.tests["search"] = lambda text, what: re.search(what, str(text)) is not None
    environment.tests["match"] = lambda text, what: re.match(what, str(text)) is not None
    return environment
