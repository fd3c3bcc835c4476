"""Access is a value that only the decision can make, and every read of a record asks for it."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinical import ports, selectors
from clinical.answering import absence, evidence, fact_citations
from clinical.answering import selectors as asked
from clinical.domain.access import (
    GRANT_LIFETIME,
    AccessDeniedError,
    AccessGrant,
    AccessRequest,
    Purpose,
    Role,
    authorise,
)
from clinical.record import selectors as record

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
AMINA = UUID(int=1)
CHEN = AccessRequest("chen", frozenset({Role.CLINICIAN}), AMINA, Purpose.TREATMENT, {"chen"})


def test_a_grant_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError):
        AccessGrant("chen", AMINA, Purpose.TREATMENT, NOON, NOON + GRANT_LIFETIME, frozenset())


def test_the_treating_clinician_is_granted_the_one_patient() -> None:
    grant = authorise(CHEN, now=NOON)

    assert (grant.patient_id, grant.user_id) == (AMINA, "chen")
    assert {"R", "V"} <= grant.hidden_labels


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (replace(CHEN, roles=frozenset({Role.PRIVACY, Role.OPERATOR})), "no-clinical-role"),
        (replace(CHEN, purpose=Purpose.OPERATIONS), "purpose-not-allowed"),
        (replace(CHEN, care_team={"other"}), "not-in-care-team"),
    ],
)
def test_everybody_else_is_denied_with_a_reason(request_: AccessRequest, reason: str) -> None:
    with pytest.raises(AccessDeniedError, match=reason):
        authorise(request_, now=NOON)


@given(st.frozensets(st.sampled_from(Role)), st.sampled_from(Purpose), st.frozensets(st.sampled_from(["chen", "x"])))
def test_a_grant_needs_role_purpose_and_care_team_together(
    roles: frozenset[Role], purpose: Purpose, team: frozenset[str]
) -> None:
    request = AccessRequest("chen", roles, AMINA, purpose, team)
    allowed = Role.CLINICIAN in roles and purpose is Purpose.TREATMENT and "chen" in team
    try:
        authorise(request, now=NOON)
    except AccessDeniedError:
        assert not allowed
    else:
        assert allowed


def test_a_grant_runs_out() -> None:
    grant = authorise(CHEN, now=NOON)
    grant.check_current(NOON + GRANT_LIFETIME - timedelta(seconds=1))

    with pytest.raises(AccessDeniedError, match="grant-expired"):
        grant.check_current(NOON + GRANT_LIFETIME)


@pytest.mark.parametrize(
    "read",
    [
        ports.Retriever.retrieve,
        record.facts_of,
        record.passages_of,
        record.all_passages_of,
        record.version_of,
        selectors.chart_of,
        selectors.notes_of,
        selectors.source_view,
        asked.recent_questions,
        evidence.gather,
        absence.prove,
        fact_citations.FactCiter.__init__,
    ],
)
def test_every_read_of_a_record_takes_the_grant(read: object) -> None:
    parameter = inspect.signature(read).parameters["grant"]  # type: ignore[arg-type]  # functions all

    assert parameter.annotation == "AccessGrant"
    assert parameter.default is inspect.Parameter.empty
