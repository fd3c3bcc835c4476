"""Calls of CDS Hooks 2.0: what a request must hold, and what a wrong one is told.

Source: CDS Hooks 2.0, "Calling a CDS Service"; hook definitions patient-view 1.0, order-select 1.0, order-sign 1.1,
encounter-discharge 1.0.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from clinical.cds_hooks.requests import LARGEST_CALL
from clinical.models import AuditEvent, CareTeamMember
from tests import cds_client
from tests.cds_client import SERVER, USER, element, hook, order, reason, registration, select, sign
from tests.factories import bundle, patient, take_in
from tests.scenarios.test_labels_and_consent import consent

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])


@pytest.fixture(autouse=True)
def _amina() -> None:
    take_in(bundle(patient()))


def without(call: dict[str, Any], *path: str) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(call))
    holder = copy
    for name in path[:-1]:
        holder = holder[name]
    del holder[path[-1]]
    return copy


DISCHARGE = hook("encounter-discharge", context={"encounterId": "e1"})
MISSING: list[tuple[str, dict[str, Any], str]] = [
    ("patient-view", without(hook(), "hook"), "hook"),
    ("patient-view", without(hook(), "hookInstance"), "hookInstance"),
    ("patient-view", without(hook(), "context"), "context"),
    ("patient-view", without(hook(), "context", "userId"), "context.userId"),
    ("patient-view", without(hook(), "context", "patientId"), "context.patientId"),
    ("encounter-discharge", without(DISCHARGE, "context", "encounterId"), "context.encounterId"),
    ("order-sign", without(sign(order()), "context", "draftOrders"), "context.draftOrders"),
    ("order-select", without(select(order(), chosen=["draft-1"]), "context", "draftOrders"), "context.draftOrders"),
    ("order-select", without(select(order(), chosen=["draft-1"]), "context", "selections"), "context.selections"),
    (
        "patient-view",
        hook(fhirServer=None, fhirAuthorization={"access_token": "x"}),
        "fhirServer",
    ),
    (
        "patient-view",
        hook(fhirAuthorization={"access_token": "x", "token_type": "Bearer", "expires_in": 300, "scope": "a"}),
        "fhirAuthorization.subject",
    ),
]


@pytest.mark.parametrize(("service", "call", "path"), MISSING, ids=[path for _, _, path in MISSING])
def test_what_is_required_and_missing_is_named(
    machines: Machines, service: str, call: dict[str, Any], path: str
) -> None:
    reply = machines.call(service, call)
    assert (reply.status_code, reason(reply), element(reply)) == (400, "missing", path)


WRONG: list[tuple[str, Any, str, str]] = [
    ("patient-view", hook(hookInstance="not-a-uuid"), "bad-value", "hookInstance"),
    ("patient-view", hook("order-sign"), "wrong-hook", "hook"),
    ("patient-view", hook(hook=["patient-view"]), "wrong-type", "hook"),
    ("patient-view", hook(context={"userId": "who"}), "bad-value", "context.userId"),
    ("patient-view", hook(context={"userId": "Practitioner/a b"}), "bad-value", "context.userId"),
    ("encounter-discharge", hook("encounter-discharge", context={"userId": "Patient/1", "encounterId": "e"}),
     "bad-value", "context.userId"),
    ("patient-view", hook(context={"patientId": "Patient/amina"}), "bad-value", "context.patientId"),
    ("patient-view", hook(context={"patientId": 7}), "wrong-type", "context.patientId"),
    ("patient-view", hook(fhirServer="ftp://ehr.internal"), "bad-value", "fhirServer"),
    ("patient-view", hook(prefetch=[1]), "wrong-type", "prefetch"),
    ("patient-view", hook(prefetch={"patient": "Patient/amina"}), "wrong-type", "prefetch.patient"),
    ("order-sign", sign(order(), prefetch={"allergies": {"resourceType": "Bundle", "entry": [1]}}),
     "wrong-type", "prefetch.allergies.entry[0].resource"),
    ("order-sign", hook("order-sign", context={"draftOrders": [order()]}), "wrong-type", "context.draftOrders"),
    ("order-sign", sign({"id": "x"}), "wrong-type", "context.draftOrders.entry[0].resource"),
    ("order-select", select(order(), chosen=["MedicationRequest/other"]), "bad-value", "context.selections[0]"),
    ("patient-view", b"{not json", "not-json", ""),
    ("patient-view", b"[]", "wrong-type", "$"),
    ("patient-view", b"[" * 100_000, "not-json", ""),
    ("patient-view", b'{"hook": "\xff"}', "not-json", ""),
]  # fmt: skip


@pytest.mark.parametrize(("service", "call", "code", "path"), WRONG)
def test_what_is_wrong_is_refused_with_its_place(
    machines: Machines, service: str, call: Any, code: str, path: str
) -> None:
    reply = machines.call(service, call)
    assert (reply.status_code, reason(reply)) == (400, code)
    assert not path or element(reply) == path


def test_a_refusal_does_not_repeat_what_was_sent(machines: Machines) -> None:
    reply = machines.call("patient-view", hook(context={"patientId": "John Q. Public"}))
    assert b"Public" not in reply.content
    assert not [row for row in AuditEvent.objects.all() if "Public" in json.dumps(row.detail)]


def test_a_body_over_the_limit_is_413(machines: Machines) -> None:
    reply = machines.call("patient-view", b'{"hook": "' + b"a" * LARGEST_CALL + b'"}')
    assert (reply.status_code, reason(reply)) == (413, "too-large")


def test_a_body_that_is_no_json_by_its_type_is_415(machines: Machines) -> None:
    assert machines.call("patient-view", hook(), content_type="text/xml").status_code == 415


def test_an_unmapped_patient_is_412(machines: Machines) -> None:
    reply = machines.call("patient-view", hook(patient="nobody"))
    assert (reply.status_code, reason(reply)) == (412, "unmapped-patient")


def test_without_server_and_prefetch_there_is_no_data_and_no_empty_answer(machines: Machines) -> None:
    """ "... unable to obtain required data ... SHALL respond with an HTTP 412"; never 200 without cards."""
    for call in (hook(fhirServer=None), hook(fhirServer=None, prefetch={})):
        assert machines.call("patient-view", call).status_code == 412


def test_a_server_that_is_not_the_clients_maps_nobody(machines: Machines) -> None:
    assert machines.call("patient-view", hook(fhirServer="https://other.internal/r4")).status_code == 412
    assert machines.call("patient-view", hook(fhirServer=f"{SERVER}/")).status_code == 200


def test_only_a_known_authority_maps_a_patient(machines: Machines, settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"urn:mrn"})
    assert machines.call("patient-view", hook()).status_code == 412
    take_in(bundle(patient("bea", identifier=[{"system": "urn:mrn", "value": "77"}])))
    sent = {"resourceType": "Patient", "id": "b-77", "identifier": [{"system": "urn:mrn", "value": "77"}]}
    call = hook(patient="b-77", prefetch={"patient": sent})
    assert machines.call("patient-view", call).status_code == 200
    sent["identifier"] = [{"system": "urn:unknown", "value": "77"}]
    assert machines.call("patient-view", call).status_code == 412


def test_an_id_and_an_identifier_of_two_patients_are_412(machines: Machines) -> None:
    take_in(bundle(patient("bea", identifier=[{"system": "urn:mrn", "value": "77"}])))
    sent = {"resourceType": "Patient", "id": "amina", "identifier": [{"system": "urn:mrn", "value": "77"}]}
    reply = machines.call("patient-view", hook(prefetch={"patient": sent}))
    assert (reply.status_code, reason(reply)) == (412, "ambiguous-patient")


def test_a_user_who_is_not_known_here_is_refused_and_on_the_trail(machines: Machines) -> None:
    reply = machines.call("patient-view", hook(context={"userId": "Practitioner/stranger"}))
    assert (reply.status_code, reason(reply)) == (403, "unknown-user")
    row = AuditEvent.objects.latest("seq")
    assert (row.action, row.outcome, row.detail["reason"]) == ("cds.patient-view", "DENIED", "unknown-user")


def test_a_user_outside_the_care_team_gets_no_cards_but_a_refusal(machines: Machines) -> None:
    CareTeamMember.objects.all().delete()
    reply = machines.call("patient-view", hook())
    assert (reply.status_code, reason(reply)) == (403, "not-in-care-team")
    row = AuditEvent.objects.latest("seq")
    assert (row.outcome, row.user_id, row.patient_id != "") == ("DENIED", "demo-clinician", True)


def test_a_role_that_is_not_clinical_is_refused(machines: Machines) -> None:
    from django.contrib.auth.models import User

    User.objects.create_user("clerk")
    machines.register(registration(users={USER: "clerk"}))
    assert reason(machines.call("patient-view", hook())) == "no-clinical-role"


def test_every_call_is_on_the_trail_before_the_record_is_read(machines: Machines) -> None:
    """Who, for whom, which service, on whose behalf."""
    call = hook()
    assert machines.call("patient-view", call).status_code == 200
    row = AuditEvent.objects.get(action="cds.patient-view")
    assert (row.outcome, row.user_id, row.purpose) == ("SUCCESS", "demo-clinician", "TREAT")
    assert row.detail["issuer"] == cds_client.ISSUER
    assert row.detail["hook_instance"] == call["hookInstance"]


def test_without_the_trail_nothing_is_answered(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError

    from clinical.audit import trail

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OperationalError

    monkeypatch.setattr(trail, "append", fail)
    assert machines.call("patient-view", hook()).status_code == 503


CALLS = {
    "patient-view": hook(),
    "order-select": select(order(), chosen=["draft-1"]),
    "order-sign": sign(order()),
    "encounter-discharge": DISCHARGE,
}


@pytest.mark.parametrize("service", CALLS)
def test_a_record_closed_by_its_patient_is_no_empty_list_of_cards(machines: Machines, service: str) -> None:
    take_in(consent())
    reply = machines.call(service, CALLS[service])
    assert (reply.status_code, reason(reply)) == (412, "closed-record")
