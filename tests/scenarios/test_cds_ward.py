"""Vital signs to the ward: by any door, by code, inputs visible, for the care team only, and without alarm words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from clinical import ward as ward_module
from clinical.domain.access import AccessDeniedError
from clinical.identity.services import find_by_fhir_id
from clinical.models import AuditEvent, CareTeamMember
from clinical.ward import Ward, ward_of
from tests import cds_client
from tests.cds_client import ago, hook
from tests.factories import bundle, clinician, observation, patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])

VITALS = {
    "9279-1": ("Respiratory rate", 24, "/min"),
    "59408-5": ("Oxygen saturation", 93, "%"),
    "8480-6": ("Systolic blood pressure", 98, "mm[Hg]"),
    "8867-4": ("Heart rate", 118, "/min"),
    "8310-5": ("Body temperature", 38.6, "Cel"),
}


@pytest.fixture(autouse=True)
def _fresh(settings: Any) -> None:
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["demo-clinician"]
    ward_module._remembered.clear()


def vitals(when: str, *, subject: str = "amina", **changed: float) -> list[dict[str, Any]]:
    """A full set for NEWS2: 2 + 2 + 2 + 2 + 1 points, on air and alert unless changed by LOINC."""
    found = [
        observation(f"{subject}-{loinc}-{when}", subject=subject, loinc=loinc, text=text, unit=unit, when=when,
                    value=changed.get(f"_{loinc.replace('-', '_')}", value))
        for loinc, (text, value, unit) in VITALS.items()
    ]  # fmt: skip
    for name, said in (("Oxygen therapy", "Room air"), ("ACVPU level of consciousness", "Alert")):
        one = observation(f"{subject}-{name[:3]}-{when}", subject=subject, when=when, text=name)
        found.append(
            {key: value for key, value in one.items() if key != "valueQuantity"}
            | {"code": {"text": name}, "valueString": said}
        )
    return [one | {"id": one["id"].replace(":", "").replace(" ", "")} for one in found]


def look(before: Ward | None = None) -> Ward:
    since, shown = (before.state, before.stamps) if before else ("", {})
    found = ward_of(clinician(), since=since, shown=shown, now=timezone.now())
    assert found is not None
    return found


def page(path: str = "/ward/") -> str:
    client = Client()
    client.force_login(clinician(), backend="django.contrib.auth.backends.ModelBackend")
    reply = client.get(path)
    assert reply.status_code == 200
    return reply.content.decode()


def test_a_set_of_vital_signs_is_a_report_with_its_inputs() -> None:
    """NEWS2 2017, chart 1: rate 24 is 2, SpO2 93 is 2, systolic 98 is 2, pulse 118 is 2, 38.6 is 1."""
    take_in(bundle(patient(), *vitals(ago(minutes=20))))
    (row,) = look().rows
    assert row.report.total == 9
    assert len(row.report.inputs) == 7
    assert any("118" in line and "2 points" in line for line in row.report.inputs)
    assert "Royal College of Physicians" in row.report.source
    shown = page()
    assert "NEWS2 9" in shown
    assert "Heart rate 118 /min" in shown


def test_the_reports_words_do_not_age() -> None:
    take_in(bundle(patient(), *vitals(ago(minutes=20))))
    (row,) = look().rows
    assert " old)" not in " ".join((*row.report.inputs, *row.report.limits))


def test_without_vital_signs_the_row_says_why() -> None:
    take_in(bundle(patient()))
    (row,) = look().rows
    assert row.report.total is None
    assert row.report.headline.startswith("No NEWS2: no vitals recorded")


def test_old_vital_signs_are_named_with_their_time() -> None:
    take_in(bundle(patient(), *vitals(ago(hours=14))))
    (row,) = look().rows
    assert row.report.headline.startswith("No NEWS2: no vitals since ")


def test_what_is_missing_from_the_set_is_named() -> None:
    take_in(bundle(patient(), *[one for one in vitals(ago(minutes=5)) if "Alert" not in json.dumps(one)]))
    (row,) = look().rows
    assert row.report.total is None
    assert "consciousness" in row.report.headline


def test_the_newest_vital_signs_come_first() -> None:
    take_in(bundle(patient(), *vitals(ago(minutes=50))))
    take_in(bundle(patient("bea"), *vitals(ago(minutes=10), subject="bea"), patient("cyd")))
    assert [row.who.given for row in look().rows] == ["Bea", "Amina", "Cyd"]


def test_a_page_that_asks_again_gets_something_only_when_something_came() -> None:
    take_in(bundle(patient(), *vitals(ago(minutes=50))))
    first = look()
    assert ward_of(clinician(), since=first.state, shown=first.stamps, now=timezone.now()) is None
    take_in(bundle(*vitals(ago(minutes=1), _8867_4=72)))
    changed = look(first)
    assert (changed.rows[0].report.total, changed.state != first.state) == (7, True)


def test_a_corrected_vital_sign_counts_at_once() -> None:
    when = ago(minutes=20)
    take_in(bundle(patient(), *vitals(when)))
    assert look().rows[0].report.total == 9
    pulse = next(one for one in vitals(when, _8867_4=72) if "8867-4" in json.dumps(one))
    take_in(bundle(pulse | {"status": "corrected"}))
    assert look().rows[0].report.total == 7


def test_only_patients_of_the_users_care_teams_are_listed() -> None:
    take_in(bundle(patient(), patient("bea")))
    bea = find_by_fhir_id("bea")
    assert bea is not None
    CareTeamMember.objects.filter(patient=bea).delete()
    assert [row.who.given for row in look().rows] == ["Amina"]


def test_a_user_without_a_clinical_role_is_refused_and_on_the_trail() -> None:
    clerk = User.objects.create_user("clerk")
    with pytest.raises(AccessDeniedError):
        ward_of(clerk, since="", shown={}, now=timezone.now())
    row = AuditEvent.objects.latest("seq")
    assert (row.action, row.outcome, row.user_id) == ("ward.view", "DENIED", "clerk")


def test_each_patient_shown_is_on_the_trail_and_asking_again_adds_only_what_is_new() -> None:
    take_in(bundle(patient(), patient("bea")))
    first = look()
    assert AuditEvent.objects.filter(action="ward.view", outcome="SUCCESS").count() == 2
    take_in(bundle(*vitals(ago(minutes=1), subject="bea")))
    look(first)
    bea = find_by_fhir_id("bea")
    assert bea is not None
    rows = AuditEvent.objects.filter(action="ward.view").order_by("seq")
    assert [row.patient_id for row in rows][2:] == [str(bea.id)]


def test_the_fragment_is_204_when_nothing_came() -> None:
    take_in(bundle(patient()))
    client = Client()
    client.force_login(clinician(), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get(f"/ward/rows?since={look().state}").status_code == 204
    assert client.get("/ward/rows?since=nonsense").status_code == 200
    assert client.get(f"/ward/rows?since={'9' * 400}").status_code == 200


def lead() -> User:
    user = clinician("lead")
    user.groups.add(Group.objects.get_or_create(name="clinical-lead")[0])
    return user


def test_a_patient_who_joins_the_list_later_is_on_the_trail_when_shown() -> None:
    take_in(bundle(patient(), patient("bea")))
    bea = find_by_fhir_id("bea")
    assert bea is not None
    CareTeamMember.objects.filter(patient=bea).delete()
    first = look()
    CareTeamMember.objects.create(patient=bea, user_id="demo-clinician")
    assert len(look(first).rows) == 2
    assert AuditEvent.objects.filter(action="ward.view", patient_id=str(bea.id)).exists()


def test_no_alarm_words_unless_the_clinical_lead_turned_them_on() -> None:
    take_in(bundle(patient(), *vitals(ago(minutes=5))))
    assert "policy" not in page()
    with pytest.raises(CommandError, match="no-lead-role"):
        call_command("alarms", "on", "--as", clinician().username, "--reason", "Policy 7")
    call_command("alarms", "on", "--as", lead().username, "--reason", "Policy 7")
    assert "policy" in page()
    call_command("alarms", "off", "--as", "lead", "--reason", "Policy 7 withdrawn")
    assert "policy" not in page()


def test_a_raised_score_is_information_in_the_record_system_too(machines: Machines) -> None:
    take_in(bundle(patient(), *vitals(ago(minutes=5))))
    (card,) = machines.cards("patient-view", hook())
    assert (card["indicator"], card["summary"][:7]) == ("info", "NEWS2 9")
    assert "emergency" not in card["summary"]
    call_command("alarms", "on", "--as", lead().username, "--reason", "Policy 7")
    (card,) = machines.cards("patient-view", hook())
    assert card["indicator"] == "warning"


def test_what_is_remembered_is_dropped_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    take_in(bundle(patient(), *vitals(ago(minutes=5))))
    look()
    assert len(ward_module._remembered) == 1
    monkeypatch.setattr("clinical.ward.time.monotonic", lambda: 1e9)
    take_in(bundle(patient("bea")))
    CareTeamMember.objects.exclude(patient=find_by_fhir_id("bea")).delete()
    look()
    assert {key[0] for key in ward_module._remembered} == {row.who.id for row in look().rows}


def test_vital_signs_dated_ahead_do_not_count() -> None:
    take_in(bundle(patient(), *vitals((timezone.now() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ"))))
    assert look().rows[0].report.total is None
