"""Does the former release still run on a database that this one has migrated?

During an update the former release serves while the migrations run, and serves again when the update is taken back, on
the migrated database. So a migration may add, and may not take away, rename or tighten, what the former release reads
or writes. What has to go goes one release later, when the former one no longer knows of it.

`former_release.json` names the former release's migrations, the product's own with their sha256; `manage.py bundle
former` writes it.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import RunPython, RunSQL

from appliance.model_server.manifest import file_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from django.db.migrations import Migration
    from django.db.migrations.operations.base import Operation
    from django.db.migrations.state import ProjectState
    from django.db.models import Field, Model

RECORD: Final = Path(__file__).with_name("former_release.json")
STATED: Final = "former_release_runs"
"""Attribute of a migration with code or SQL of its own: the reason why the former release runs on what it leaves."""
# A column may become the second kind without the former release noticing.
_WIDER: Final = frozenset(
    {
        ("CharField", "TextField"), ("SmallIntegerField", "IntegerField"), ("IntegerField", "BigIntegerField"),
        ("PositiveSmallIntegerField", "PositiveIntegerField"), ("PositiveIntegerField", "PositiveBigIntegerField"),
        ("AutoField", "BigAutoField"),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Former:
    """The release before: its version, and the sha256 of each migration as `app.name`; "" where it is a library's."""

    version: str
    migrations: dict[str, str]


def former(record: Path = RECORD) -> Former:
    """Return what is recorded of the former release."""
    content = json.loads(record.read_text())
    return Former(content["version"], dict(content["migrations"]))


def remember(version: str, record: Path = RECORD) -> Former:
    """Record this release, so that the next one is held against it; run when it has been handed out."""
    loader = MigrationLoader(None)
    found = {f"{app}.{name}": _digest(one) for (app, name), one in sorted(loader.disk_migrations.items())}
    record.write_text(json.dumps({"version": version, "migrations": found}, indent=2) + "\n")
    return Former(version, found)


def faults(before: Former) -> list[str]:
    """Return why the former release could not run on a database with this release's migrations; empty: it can."""
    loader = MigrationLoader(None)
    own = {f"{app}.{name}": one for (app, name), one in loader.disk_migrations.items()}
    lost = sorted(before.migrations.keys() - own.keys())
    if lost:
        return [f"{name} was applied by {before.version} and is gone" for name in lost]
    found = [
        f"{name} was changed after {before.version} had applied it"
        for name, digest in before.migrations.items()
        if _digest(own[name]) != digest
    ]
    found += [
        f"{name} runs code or SQL of its own and does not say in {STATED} why that is safe"
        for name in sorted(own.keys() - before.migrations.keys())
        if _is_ours(own[name]) and _has_code(own[name].operations) and not _stated(own[name])
    ]
    nodes = [(app, rest) for app, _, rest in (name.partition(".") for name in before.migrations)]
    return found + compare(loader.project_state(nodes), loader.project_state())


def compare(before: ProjectState, now: ProjectState) -> list[str]:
    """Return what of the former state's tables is gone, renamed or tightened in the present one."""
    tables = _tables(now)
    found: list[str] = []
    for table, model in _tables(before).items():
        if table not in tables:
            found.append(f"{table}: the table is gone")
        else:
            found += (f"{table}{fault}" for fault in _of_table(model, tables[table]))
    return found


def _tables(state: ProjectState) -> dict[str, type[Model]]:
    models = state.apps.get_models(include_auto_created=True)
    return {model._meta.db_table: model for model in models}


def _of_table(before: type[Model], now: type[Model]) -> Iterator[str]:
    held = {field.column: field for field in now._meta.local_concrete_fields}
    known = {field.column: field for field in before._meta.local_concrete_fields}
    for column, field in known.items():
        if column not in held:
            yield f".{column}: the column is gone"
        else:
            yield from (f".{column}: {fault}" for fault in _of_column(field, held[column]))
    for column in held.keys() - known.keys():
        if not held[column].null and not held[column].has_db_default():
            yield f".{column}: new, neither null nor with a default in the database; the former release leaves it out"
    for rule in _rules(now):
        if rule not in _rules(before):
            yield f": the new rule {getattr(rule, 'name', rule)} may refuse what the former release writes"


def _of_column(before: Field[Any, Any], now: Field[Any, Any]) -> Iterator[str]:
    kinds = (before.get_internal_type(), now.get_internal_type())
    if kinds[0] != kinds[1] and kinds not in _WIDER:
        yield f"{kinds[0]} became {kinds[1]}"
    if now.max_length is not None and (before.max_length is None or now.max_length < before.max_length):
        yield f"at most {now.max_length} characters; it was {before.max_length or 'as many as there are'}"
    if before.null and not now.null:
        yield "no longer null"
    if now.unique and not before.unique:
        yield "now unique"
    if _target(now) not in {None, _target(before)}:
        yield f"now has to name a row of {_target(now)}"


def _target(field: Field[Any, Any]) -> str | None:
    to = field.remote_field
    return to.model._meta.db_table if to is not None and getattr(field, "db_constraint", False) else None


def _rules(model: type[Model]) -> list[Any]:
    return [*model._meta.constraints, *(tuple(one) for one in model._meta.unique_together)]


def _has_code(operations: Iterable[Operation]) -> bool:
    return any(
        isinstance(one, RunPython | RunSQL) or _has_code(getattr(one, "database_operations", ())) for one in operations
    )


def _stated(migration: Migration) -> bool:
    return bool(str(getattr(migration, STATED, "")).strip())


def _is_ours(migration: Migration) -> bool:
    return "site-packages" not in Path(inspect.getfile(type(migration))).parts


def _digest(migration: Migration) -> str:
    return file_digest(Path(inspect.getfile(type(migration)))) if _is_ours(migration) else ""
