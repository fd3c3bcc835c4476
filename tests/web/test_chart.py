"""The chart page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

if TYPE_CHECKING:
    from uuid import UUID

    from django.test import Client

    from tests.web.conftest import Clinic

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def words_of(client: Client, patient: UUID) -> str:
    page = client.get(reverse("chart", args=[patient])).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_banner_of_a_full_record(signed_in: Client, clinic: Clinic) -> None:
    words = words_of(signed_in, clinic.full)

    assert "BRENNAN , Orla Maeve" in words
    assert re.search(r"Born 14-Jul-1945 \(\d+y\)", words)
    assert "Sex Female" in words
    assert "MRN-4410" in words
    assert re.search(r"Allergies Penicillin V: Anaphylaxis", words)
    assert re.search(r"Code status [^.]*Do not attempt resuscitation", words)


def test_the_banner_tells_no_known_allergies_from_not_asked(signed_in: Client, clinic: Clinic) -> None:
    assert "Allergies No known allergies (recorded 02-Oct-2025)" in words_of(signed_in, clinic.sparse)
    assert "Allergies Not asked" in words_of(signed_in, clinic.bare)


def test_the_banner_is_never_blank(signed_in: Client, clinic: Clinic) -> None:
    words = words_of(signed_in, clinic.bare)

    assert "Code status None recorded" in words
    assert words.count("None recorded") >= 4  # code status, problems, results, vital signs, notes


def test_a_result_shows_flag_change_previous_and_range(signed_in: Client, clinic: Clinic) -> None:
    words = words_of(signed_in, clinic.full)
    row = words[words.index("Potassium 28-Sep-2026") :][:200]

    assert "5.6 mmol/L" in row
    assert "H (High)" in row
    assert "+0.7" in row
    assert "4.9 mmol/L 15-Jun-2026" in row
    assert "3.5\N{EN DASH}5.1 mmol/L" in row
    assert "L (Low)" in words[words.index("Hemoglobin") :][:120]


def test_a_stopped_medicine_is_past_with_its_reason(signed_in: Client, clinic: Clinic) -> None:
    words = words_of(signed_in, clinic.full)

    assert "Medications 2" in words
    assert "1 past" in words
    assert "Stopped: Potassium 6.1 mmol/L" in words


def test_feeds_say_when_they_last_spoke(signed_in: Client, clinic: Clinic) -> None:
    words = words_of(signed_in, clinic.full)

    assert re.search(r"Feed files , last message \d\d-[A-Z][a-z]{2}-\d{4} \d\d:\d\d", words)
    assert "Times in UTC" in words


def test_no_url_of_the_page_holds_a_name(signed_in: Client, clinic: Clinic) -> None:
    page = signed_in.get(reverse("chart", args=[clinic.full])).content.decode()
    urls = " ".join(re.findall(r'(?:href|hx-get|hx-post|action|src)="([^"]*)"', page))

    assert "/source/" in urls
    for name in ("brennan", "orla", "maeve", "MRN-4410", "1945"):
        assert name.lower() not in urls.lower().replace("web-orla", "")
