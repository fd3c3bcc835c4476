"""Approving rows of clinical tables: by whom, on the trail, and what it puts in force."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command
from django.db import Error

from clinical.domain.facts.conversion import rows
from clinical.domain.medication_safety import every_table
from clinical.domain.provenance import Provenance, SourceStatus, row_digest, table_of
from clinical.domain.scores import sources
from clinical.domain.summary.high_risk import risk_classes
from clinical.knowledge.approvals import (
    ApprovalRefusedError,
    Approver,
    approve,
    counts,
    listing,
    trust,
    withdraw,
)
from clinical.knowledge.tables import UnknownTableError, row_of, table_named, tables
from clinical.models import AuditEvent, RowApproval
from tests.factories import NOON, clinician

pytestmark = pytest.mark.django_db(databases=["default", "audit"])

TABLE = "medication_safety.pregnancy"
ROW = "isotretinoin"
PHARMACIST = Approver("Rowan Ash", "pharmacist", "demo-clinician")


def command(name: str, *arguments: str) -> str:
    out = io.StringIO()
    call_command(name, *arguments, stdout=out)
    return out.getvalue()


def approved() -> frozenset[str]:
    return trust().approved


def test_an_approval_puts_the_rows_digest_in_force_until_it_is_withdrawn() -> None:
    digest = row_of(TABLE, ROW).digest
    assert digest not in approved()

    assert approve(TABLE, [ROW], PHARMACIST, now=NOON) == 1
    assert approved() == {digest}
    assert withdraw(TABLE, [ROW], PHARMACIST, now=NOON) == 1
    assert approved() == frozenset()


def test_approving_twice_approves_once() -> None:
    approve(TABLE, [ROW], PHARMACIST, now=NOON)

    assert approve(TABLE, [ROW, ROW], PHARMACIST, now=NOON) == 0
    assert RowApproval.objects.count() == 1


def test_all_rows_of_a_table_are_approved_and_withdrawn_together() -> None:
    rows = len(table_named(TABLE).rows)

    assert approve(TABLE, None, PHARMACIST, now=NOON) == rows
    assert counts()[TABLE] == {"approved": rows}
    assert withdraw(TABLE, None, PHARMACIST, now=NOON) == rows
    assert approve(TABLE, [ROW], PHARMACIST, now=NOON) == 1


@pytest.mark.parametrize(
    ("approver", "rows", "reason"),
    [
        (Approver("Rowan Ash", "nurse", "demo-clinician"), [ROW], "profession"),
        (Approver("  ", "physician", "demo-clinician"), [ROW], "no-name"),
        (PHARMACIST, [], "no-row"),
    ],
)
def test_a_refusal_changes_nothing_and_is_on_the_trail(approver: Approver, rows: list[str], reason: str) -> None:
    for act in (approve, withdraw):
        with pytest.raises(ApprovalRefusedError) as refusal:
            act(TABLE, rows, approver, now=NOON)
        assert refusal.value.reason == reason
    assert not RowApproval.objects.exists()
    assert [row.outcome for row in AuditEvent.objects.order_by("seq")] == ["DENIED", "DENIED"]


def test_the_trail_names_who_approved_which_row() -> None:
    approve(TABLE, [ROW], PHARMACIST, now=NOON)

    event = AuditEvent.objects.get()
    assert (event.action, event.outcome, event.user_id) == ("knowledge.approve", "SUCCESS", "demo-clinician")
    assert event.detail["row"] == ROW
    assert event.detail["approver"] == "Rowan Ash"


def test_without_the_trail_nothing_is_approved(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_more: object) -> None:
        raise Error

    monkeypatch.setattr("clinical.audit.trail.append", broken)

    with pytest.raises(Error):
        approve(TABLE, [ROW], PHARMACIST, now=NOON)
    assert not RowApproval.objects.exists()


@pytest.mark.parametrize(("table", "row", "reason"), [("moon", "x", "unknown-table"), (TABLE, "moon", "unknown-row")])
def test_an_unknown_table_or_row_is_refused(table: str, row: str, reason: str) -> None:
    with pytest.raises(UnknownTableError) as refusal:
        approve(table, [row], PHARMACIST, now=NOON)
    assert refusal.value.reason == reason


def test_a_changed_row_is_unapproved_again() -> None:
    held = row_of(TABLE, ROW)
    approve(TABLE, [ROW], PHARMACIST, now=NOON)
    changed = row_digest(TABLE, {**held.content, "text": "something else"})

    assert trust().status(held.provenance, held.digest) is SourceStatus.APPROVED
    assert trust().status(held.provenance, changed) is held.provenance.status


def test_trust_asks_for_the_digests_only_when_an_approval_has_come_or_gone(
    django_assert_num_queries: pytest.FixtureRequest,
) -> None:
    trust()

    with django_assert_num_queries(1):  # type: ignore[operator]
        again = trust()
    assert trust() is again
    approve(TABLE, [ROW], PHARMACIST, now=NOON)
    assert trust() is not again


def test_the_profile_decides_whether_rows_from_memory_are_in_force(settings: pytest.FixtureRequest) -> None:
    memory = Provenance("somewhere", "none", SourceStatus.FROM_MEMORY)

    assert trust().allows(memory, "digest")
    settings.CLINICAL_PROFILE = "site"  # type: ignore[attr-defined]
    assert not trust().allows(memory, "digest")


def test_every_table_has_rows_with_ids_and_digests_of_their_own() -> None:
    digests = [row.digest for table in tables().values() for row in table.rows]

    assert len(digests) == len(set(digests)) == len(list(listing()))
    assert {"medication_safety.ingredients", "scores", "schedule/series"} <= set(tables())


def test_an_approval_reaches_the_code_that_checks_the_row() -> None:
    asked_for = {
        "scores": {digest for _, _, digest in sources()},
        "high-risk-medicines": {one.digest for one in risk_classes()},
        "conversion/substances": {row_digest(name, row) for name, row, _ in rows() if name == "conversion/substances"},
        "medication_safety.interactions": {
            row.digest
            for table in every_table()
            if table.name == "medication_safety.interactions"
            for row in table.rows
        },
    }

    for name, digests in asked_for.items():
        assert digests
        assert {row.digest for row in table_named(name).rows} == digests


def test_a_table_refuses_two_rows_of_one_id_and_a_row_without_a_source() -> None:
    document = {"source": "a", "status": "from memory", "rows": [{"id": "x"}, {"id": "x"}]}

    with pytest.raises(ValueError, match="two rows x"):
        table_of("t", document)
    with pytest.raises(KeyError):
        table_of("t", {"rows": [{"id": "x"}]})
    [row] = table_of("t", {"source": "a", "status": "checked", "rows": ["some words"]}).rows
    assert (row.id, row.provenance.edition) == ("rows-1", "none")


class TestTheCommands:
    @pytest.fixture(autouse=True)
    def _user(self) -> None:
        clinician()

    def approve(self, *more: str) -> str:
        who = ("--by", "Rowan Ash", "--as", "demo-clinician")
        return command("approve", "--table", TABLE, *who, *more)

    def test_approve_and_withdraw_say_how_many_rows_it_was(self) -> None:
        rows = len(table_named(TABLE).rows)

        assert "Approved 1 row of" in self.approve("--row", ROW, "--profession", "pharmacist")
        assert f"Approved {rows - 1} rows of" in self.approve("--all", "--profession", "physician")
        assert "Withdrew the approval of 1 row" in self.approve("--row", ROW, "--profession", "physician", "--withdraw")
        assert len(approved()) == rows - 1

    @pytest.mark.parametrize(
        ("more", "why"),
        [
            (("--row", ROW, "--profession", "nurse"), "pharmacist or physician"),
            (("--row", "moon", "--profession", "pharmacist"), "no such row"),
            (("--profession", "pharmacist"), "required"),
        ],
    )
    def test_what_cannot_be_approved_says_why(self, more: tuple[str, ...], why: str) -> None:
        with pytest.raises(CommandError, match=why):
            self.approve(*more)

    def test_only_an_active_user_may_act(self) -> None:
        arguments = ("--table", TABLE, "--row", ROW, "--by", "x", "--profession", "pharmacist", "--as", "nobody")

        with pytest.raises(CommandError, match="no active user"):
            command("approve", *arguments)

    def test_sources_counts_every_row_by_status(self) -> None:
        self.approve("--row", ROW, "--profession", "pharmacist")

        found = json.loads(command("sources", "--json"))

        assert found["tables"][TABLE]["approved"] == 1
        assert sum(found["total"].values()) == sum(len(table.rows) for table in tables().values())
        assert found["total"]["checked"] > 0
        assert f"| {TABLE} |" in command("sources")
