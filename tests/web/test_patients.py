"""Finding a patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

if TYPE_CHECKING:
    from django.test import Client

    from tests.web.conftest import Clinic

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def found(client: Client, words: str) -> str:
    response = client.post(reverse("patients"), {"q": words}, headers={"HX-Request": "true"})
    assert response.status_code == 200
    return response.content.decode()


def test_the_list_identifies_each_patient_of_the_care_team(signed_in: Client, clinic: Clinic) -> None:
    page = signed_in.get(reverse("patients")).content.decode()

    assert "<b>BRENNAN</b>, Orla Maeve" in page
    assert "14-Jul-1945" in page
    assert "MRN-4410" in page
    assert "Feb-1988 (about" in page
    assert "BRENNER" not in page


@pytest.mark.parametrize("words", ["bren", "Orla", "brennan orla", "1945-07-14", "MRN-4410"])
def test_name_start_birth_date_or_identifier_finds(signed_in: Client, clinic: Clinic, words: str) -> None:
    fragment = found(signed_in, words)

    assert "BRENNAN" in fragment
    assert "SILVEIRA" not in fragment
    assert "<html" not in fragment


def test_every_word_must_match(signed_in: Client, clinic: Clinic) -> None:
    assert "No patient on your care teams matches" in found(signed_in, "orla silveira")


def test_search_works_without_scripts(signed_in: Client, clinic: Clinic) -> None:
    page = signed_in.post(reverse("patients"), {"q": "silv"}).content.decode()

    assert "<html" in page
    assert "SILVEIRA" in page


def test_the_search_form_sends_a_body_and_never_a_query(signed_in: Client, clinic: Clinic) -> None:
    page = signed_in.get(reverse("patients")).content.decode()

    assert 'hx-get="/?' not in page
    assert '<form method="post" action="/"' in page
    assert "SILVEIRA" in signed_in.get("/?q=orla").content.decode()  # a query in the URL is not even read


def test_a_role_without_records_gets_no_search(client: Client, clinic: Clinic) -> None:
    from clinical.domain.access import Role
    from tests.web.conftest import make_user

    client.force_login(make_user(Role.OPERATOR), backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("patients")).content.decode()

    assert "patient-search" not in page
    assert reverse("ingest") in page
