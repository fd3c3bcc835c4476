"""An engineer tries the services out with two commands: a token, and a call."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command

from clinical.management.commands.cds_demo_client import SERVER, USER
from tests import cds_client
from tests.cds_client import DISCOVERY, hook
from tests.factories import bundle, patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def token(path: str = DISCOVERY) -> str:
    out = io.StringIO()
    call_command("cds_demo_client", "--path", path, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


def test_the_printed_token_is_good_for_one_call(machines: Machines) -> None:
    signed = token()
    assert machines.request("GET", DISCOVERY, bearer=signed).status_code == 200
    assert machines.request("GET", DISCOVERY, bearer=signed).status_code == 401
    assert machines.request("GET", DISCOVERY, bearer=token()).status_code == 200


def test_a_hook_call_for_a_patient_of_uploaded_files_is_answered(machines: Machines) -> None:
    take_in(bundle(patient()))
    call = hook(context={"userId": USER, "patientId": "amina"}, fhirServer=SERVER)
    signed = token(f"{DISCOVERY}/patient-view")
    assert machines.call("patient-view", call, bearer=signed).status_code == 200


def test_other_clients_stay_registered_and_the_key_is_the_owners_only(machines: Machines) -> None:
    token()
    assert machines.request("GET", DISCOVERY).status_code == 200
    key = machines.clients_file.with_name("cds_demo_client.pem")
    assert key.stat().st_mode & 0o077 == 0
    assert '"d"' not in machines.clients_file.read_text()
    token()
    assert len(json.loads(machines.clients_file.read_text())) == 2


def test_a_site_has_no_demonstration_client(machines: Machines, settings: Any) -> None:
    settings.CLINICAL_PROFILE = "site"
    with pytest.raises(CommandError):
        token()
    assert "demo-cds-client" not in machines.clients_file.read_text()
