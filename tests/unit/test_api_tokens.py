"""Tokens of the API: kept as digests, made and revoked on the trail, good for a user, a scope and a time."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from clinical.api import tokens
from clinical.api.problems import ProblemError
from clinical.models import ApiToken, AuditEvent
from tests.factories import clinician, noon

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
DAY = timedelta(days=1)


def command(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("api_token", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def made(**changed: Any) -> tuple[str, ApiToken]:
    given: dict[str, Any] = {"user": clinician(), "scopes": ["chart"], "label": "a test", "life": DAY} | changed
    return tokens.make(tokens.Wanted(**given), made_by="os:test", now=noon())


def reason(token: str, **later: float) -> str:
    with pytest.raises(ProblemError) as error:
        tokens.read(token, now=noon() + timedelta(**later))
    return error.value.code


def test_a_token_is_nowhere_kept_but_as_its_digest() -> None:
    token, row = made()

    stored = json.dumps([list(ApiToken.objects.values()), list(AuditEvent.objects.values())], default=str)

    assert token not in stored
    assert tokens.read(token, now=noon()).id == row.id


def test_a_token_ends_with_its_time_its_revocation_and_its_user() -> None:
    token, row = made()
    assert reason(token, days=1) == "expired-token"

    tokens.revoke(row.id, by="os:test", now=noon())
    assert reason(token) == "revoked-token"

    other, row = made()
    row.user.is_active = False
    row.user.save()
    assert reason(other) == "unknown-token"


@pytest.mark.parametrize("token", ["", "api_", "api_wrong", "x" * 5000, "\udce9", "api_\x00"])
def test_what_is_no_token_is_unknown(token: str) -> None:
    made()
    assert reason(token) == "unknown-token"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"scopes": []}, "unknown-scope"),
        ({"scopes": ["chart", "all"]}, "unknown-scope"),
        ({"life": timedelta(0)}, "bad-life"),
        ({"life": timedelta(days=367)}, "bad-life"),
        ({"label": "  "}, "bad-label"),
        ({"label": "two\nlines"}, "bad-label"),
    ],
)
def test_what_may_not_be_made_is_not(changed: dict[str, Any], code: str) -> None:
    with pytest.raises(tokens.TokenRequestError, match=code):
        made(**changed)
    assert not ApiToken.objects.exists()


class TestTheCommand:
    def test_makes_lists_and_revokes_on_the_trail(self) -> None:
        clinician()
        wanted = ("--user", "demo-clinician", "--scope", "ask", "--scope", "chart", "--label", "ward board")

        new = command("make", *wanted, "--days", "7")
        [listed] = command("list")
        [ended] = command("revoke", new["id"])

        assert new["token"].startswith("api_")
        assert listed == {name: value for name, value in new.items() if name != "token"}
        assert (listed["user"], listed["scopes"]) == ("demo-clinician", ["ask", "chart"])
        assert ended["revoked_at"] is not None
        rows = AuditEvent.objects.order_by("seq").values_list("action", "on_behalf_of", "detail__token")
        assert list(rows) == [
            ("api-token.make", "demo-clinician", new["id"]),
            ("api-token.revoke", "demo-clinician", new["id"]),
        ]

    @pytest.mark.parametrize(
        "arguments",
        [
            ("make", "--user", "nobody", "--scope", "ask", "--label", "x"),
            ("make", "--user", "demo-clinician", "--scope", "ask", "--label", "x", "--days", "0"),
            ("revoke", "00000000-0000-4000-8000-000000000000"),
        ],
    )
    def test_refuses_with_a_reason(self, arguments: tuple[str, ...]) -> None:
        clinician()
        with pytest.raises(CommandError, match=r"no user|bad-life|no-such-token"):
            command(*arguments)
