"""A migration that the former release could not live with is refused, and only such a one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.db import Error, connection, migrations, models
from django.db.migrations.state import ModelState, ProjectState

from appliance.release.build import schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from django.db.migrations.operations.base import Operation

NULLABLE = models.CharField(max_length=10, null=True)
GOOD: dict[str, Callable[[], Operation]] = {
    "a nullable column": lambda: migrations.AddField("thing", "more", models.IntegerField(null=True)),
    "a default in the database": lambda: migrations.AddField("thing", "more", models.IntegerField(db_default=0)),
    "another table": lambda: migrations.CreateModel("other", [("id", models.BigAutoField(primary_key=True))]),
    "an index": lambda: migrations.AddIndex("thing", models.Index(fields=["name"], name="by_name")),
    "a wider column": lambda: migrations.AlterField("thing", "name", models.TextField()),
    "no longer required": lambda: migrations.AlterField("thing", "name", models.CharField(max_length=10, null=True)),
}
BAD: dict[str, Callable[[], Operation]] = {
    "a table dropped": lambda: migrations.DeleteModel("thing"),
    "a table renamed": lambda: migrations.RenameModel("thing", "matter"),
    "a column dropped": lambda: migrations.RemoveField("thing", "name"),
    "a column renamed": lambda: migrations.RenameField("thing", "name", "label"),
    "a default in Python only": lambda: migrations.AddField("thing", "more", models.IntegerField(default=0)),
    "required": lambda: migrations.AlterField("thing", "maybe", models.CharField(max_length=10, default="")),
    "unique": lambda: migrations.AlterField("thing", "name", models.CharField(max_length=10, unique=True)),
    "a rule": lambda: migrations.AddConstraint(
        "thing", models.CheckConstraint(condition=models.Q(name="other"), name="only_other")
    ),
    "unique together": lambda: migrations.AlterUniqueTogether("thing", {("name", "number")}),
}
# What SQLite does not enforce, so that only the check sees it.
UNSEEN: dict[str, Callable[[], Operation]] = {
    "a narrower column": lambda: migrations.AlterField("thing", "name", models.CharField(max_length=5)),
    "another type": lambda: migrations.AlterField("thing", "number", models.TextField()),
}


def state() -> ProjectState:
    made = ProjectState()
    fields: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=10)),
        ("maybe", NULLABLE.clone()),
        ("number", models.IntegerField()),
    ]
    made.add_model(ModelState("toy", "Thing", fields))
    return made


def after(operation: Operation, before: ProjectState) -> ProjectState:
    now = before.clone()
    operation.state_forwards("toy", now)
    return now


@pytest.fixture
def tables(transactional_db: None) -> Iterator[Callable[[Operation], ProjectState]]:
    """Make the former release's table and migrate it by one operation; take everything away at the end."""
    before = state()
    with connection.schema_editor() as editor:
        editor.create_model(before.apps.get_model("toy", "Thing"))
    reached = before

    def migrate(operation: Operation) -> ProjectState:
        nonlocal reached
        reached = after(operation, before)
        with connection.schema_editor() as editor:
            operation.database_forwards("toy", editor, before, reached)
        return before

    yield migrate
    with connection.schema_editor() as editor:
        for model in reached.apps.get_models():
            editor.delete_model(model)


@pytest.mark.parametrize("name", [*GOOD, *BAD])
def test_the_verdict_is_what_the_former_release_meets_on_the_migrated_table(
    tables: Callable[[Operation], ProjectState], name: str
) -> None:
    operation = (GOOD | BAD)[name]()
    former = tables(operation)
    thing: Any = former.apps.get_model("toy", "Thing")
    try:
        for _ in range(2):  # a second like the first: what became unique refuses it
            thing.objects.create(name="one", maybe=None, number=1)
        works = thing.objects.filter(name="one", maybe=None, number=1).count() == 2
    except Error:
        works = False
    verdict = schema.compare(former, after(operation, former))
    assert works is (name in GOOD)
    assert (verdict == []) is works, verdict


@pytest.mark.parametrize("name", UNSEEN)
def test_what_one_database_would_let_pass_is_refused_too(name: str) -> None:
    assert len(schema.compare(state(), after(UNSEEN[name](), state()))) == 1


def test_the_release_before_runs_on_this_one_s_database() -> None:
    before = schema.former()
    assert {name.split(".")[0] for name in before.migrations} >= {"clinical", "ingestion", "auth"}
    assert schema.faults(before) == []


def test_a_released_migration_that_was_changed_or_lost_is_refused() -> None:
    before = schema.former()
    name = next(one for one in before.migrations if one.startswith("clinical."))
    changed = schema.Former(before.version, {**before.migrations, name: "0" * 64})
    assert schema.faults(changed) == [f"{name} was changed after {before.version} had applied it"]
    lost = schema.Former(before.version, {**before.migrations, "clinical.0000_lost": "0" * 64})
    assert schema.faults(lost) == [f"clinical.0000_lost was applied by {before.version} and is gone"]


def test_code_in_a_new_migration_has_to_say_why_the_former_release_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from clinical.migrations import __name__ as package

    before = schema.former()
    name = max(one for one in before.migrations if one.startswith("clinical."))
    earlier = schema.Former(before.version, {key: value for key, value in before.migrations.items() if key != name})
    module = __import__(f"{package}.{name.split('.')[1]}", fromlist=["Migration"])
    monkeypatch.setattr(
        module.Migration, "operations", [migrations.SeparateDatabaseAndState([migrations.RunSQL("SELECT 1")])]
    )
    assert [one for one in schema.faults(earlier) if "does not say" in one] == [
        f"{name} runs code or SQL of its own and does not say in {schema.STATED} why that is safe"
    ]
    monkeypatch.setattr(module.Migration, schema.STATED, "it changes no row", raising=False)
    assert [one for one in schema.faults(earlier) if "does not say" in one] == []


def test_what_is_remembered_is_every_migration_of_this_release(tmp_path: Path) -> None:
    made = schema.remember("9.9.9", tmp_path / "former.json")
    assert json.loads((tmp_path / "former.json").read_text()) == {"version": "9.9.9", "migrations": made.migrations}
    assert schema.faults(schema.former(tmp_path / "former.json")) == []
