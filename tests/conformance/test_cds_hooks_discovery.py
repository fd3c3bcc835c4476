"""Discovery of CDS Hooks 2.0.

Source: CDS Hooks 2.0, "Discovery", "Prefetch Template", "Use of JSON"; hook definitions for which context fields may
be tokens.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests import cds_client
from tests.cds_client import DISCOVERY, token

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])

TOKEN = re.compile(r"\{\{([^}]*)\}\}")
USER_TOKENS = {"userPractitionerId", "userPractitionerRoleId", "userPatientId", "userRelatedPersonId"}
CONTEXT_TOKENS = {"context.userId", "context.patientId", "context.encounterId"}  # primitive, of every hook used here


def services(machines: Machines) -> list[dict[str, Any]]:
    reply = machines.request("GET", DISCOVERY)
    assert reply.status_code == 200
    assert reply["Content-Type"] == "application/json"
    return list(json.loads(reply.content)["services"])


def scan(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict):
        for one in value.values():
            yield from scan(one)
    if isinstance(value, list):
        for one in value:
            yield from scan(one)


def test_discovery_is_at_the_exact_path(machines: Machines) -> None:
    """ "SHALL always be available at {baseUrl}/cds-services"."""
    assert services(machines)
    assert machines.request("GET", f"{DISCOVERY}/").status_code == 404


def test_each_service_says_what_it_has_to(machines: Machines) -> None:
    """hook, description and id are required, title is recommended."""
    for one in services(machines):
        for name in ("hook", "title", "description", "id"):
            assert isinstance(one[name], str)
            assert one[name]


def test_the_four_hooks_are_offered(machines: Machines) -> None:
    offered = {one["hook"] for one in services(machines)}
    assert offered == {"patient-view", "order-select", "order-sign", "encounter-discharge"}


def test_nothing_is_null_or_empty(machines: Machines) -> None:
    """ "JSON attribute values SHALL NOT be null or empty"."""
    assert not [value for value in scan(services(machines)) if value in (None, "", [], {})]


def test_prefetch_tokens_are_root_level_primitives_or_the_users_ids(machines: Machines) -> None:
    """No context.draftOrders, no path into an object."""
    found = {name for one in services(machines) for query in one["prefetch"].values() for name in TOKEN.findall(query)}
    assert found
    assert found <= CONTEXT_TOKENS | USER_TOKENS


def test_prefetch_queries_keep_to_the_recommended_subset(machines: Machines) -> None:
    """Reads by id, and searches of one type by reference or token with equality."""
    read = re.compile(r"[A-Z][A-Za-z]+/\{\{[^}]+\}\}")
    search = re.compile(r"[A-Z][A-Za-z]+\?[a-z-]+=[^&:]+(?:&[a-z_-]+=[^&:]+)*")
    for one in services(machines):
        for query in one["prefetch"].values():
            assert read.fullmatch(query) or search.fullmatch(query), query


def test_other_methods_are_told_which_one_there_is(machines: Machines) -> None:
    reply = machines.request("POST", DISCOVERY, {})
    assert (reply.status_code, reply["Allow"]) == (405, "GET")
    reply = machines.request("GET", f"{DISCOVERY}/patient-view")
    assert (reply.status_code, reply["Allow"]) == (405, "POST")


def test_an_unknown_service_is_404_with_a_body(machines: Machines) -> None:
    for path in (f"{DISCOVERY}/no-such-service", f"{DISCOVERY}/no-such-service/feedback", "/elsewhere"):
        reply = machines.request("POST", path, {}, bearer=token(path))
        assert reply.status_code == 404
        assert json.loads(reply.content)["resourceType"] == "OperationOutcome"


def test_discovery_holds_nothing_of_a_patient_and_is_not_kept(machines: Machines) -> None:
    assert machines.request("GET", DISCOVERY)["Cache-Control"] == "no-store"
