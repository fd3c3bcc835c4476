"""A site begins with nobody; the engineer adds people, and locks them out again."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import RequestFactory

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def staff(*arguments: str, **options: Any) -> str:
    told = io.StringIO()
    call_command("staff", *arguments, stdout=told, **options)
    return told.getvalue().strip()


def may_log_in(name: str, password: str) -> bool:
    return authenticate(RequestFactory().post("/login"), username=name, password=password) is not None


def test_the_printed_password_lets_the_new_person_in_with_the_role() -> None:
    password = staff("add", "dr-adams", role="clinician")
    assert may_log_in("dr-adams", password)
    assert staff("list") == "dr-adams  clinician"


def test_a_person_locked_out_stays_known_and_cannot_log_in() -> None:
    password = staff("add", "dr-adams", role="clinician")
    staff("remove", "dr-adams")
    assert not may_log_in("dr-adams", password)
    assert staff("list") == "dr-adams  clinician  (locked out)"


def test_another_password_ends_the_former_one() -> None:
    former = staff("add", "dr-adams", role="clinician")
    assert may_log_in("dr-adams", staff("password", "dr-adams"))
    assert not may_log_in("dr-adams", former)


@pytest.mark.parametrize("given", [("add", "dr-adams"), ("add",), ("password", "nobody"), ("remove", "nobody")])
def test_what_is_incomplete_or_unknown_changes_nothing(given: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        staff(*given)
    assert not User.objects.exists()


def test_a_name_is_given_once() -> None:
    staff("add", "dr-adams", role="clinician")
    with pytest.raises(CommandError, match="is there already"):
        staff("add", "dr-adams", role="operator")
    assert staff("list") == "dr-adams  clinician"
