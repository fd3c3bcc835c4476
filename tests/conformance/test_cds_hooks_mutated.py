"""Calls that are almost right: each is answered below 500, and what is refused is refused with a reason.

Source: CDS Hooks 2.0, "CDS Service Response", "HTTP Status Codes": 4xx for what the service cannot take.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests import cds_client
from tests.cds_card_rules import check_reply
from tests.cds_client import ago, hook, order, select, sign
from tests.factories import bundle, observation, patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"])

MUTATIONS = 600
JUNK: tuple[Any, ...] = (
    None, "", [], {}, 0, -1, 1e308, True, "x", "\u202e", "a" * 5000, [None], {"a": None}, [[[]]], "2026-02-30", "NaN",
    {"resourceType": "OperationOutcome"}, {"resourceType": "Bundle", "entry": {}}, {"reference": 7}, {"coding": "x"},
)  # fmt: skip
ALLERGY = {
    "resourceType": "AllergyIntolerance",
    "id": "a9",
    "code": {"text": "Latex"},
    "patient": {"reference": "Patient/amina"},
}
SENT = {
    "patient": {"resourceType": "Patient", "id": "amina", "identifier": [{"system": "urn:mrn", "value": "1"}]},
    "allergies": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": ALLERGY}]},
    "medications": {"resourceType": "Bundle", "entry": [{"resource": order("Warfarin 3 mg", status="active")}]},
}  # fmt: skip
DRAFTS = (
    order("Ibuprofen 400 mg tablet", dosageInstruction=[{"text": "1 tablet", "timing": {"repeat": {"frequency": 3}}}]),
    order("", logical_id="r", medicationReference={"reference": "#m"}, contained=[{"id": "m", "code": {"text": "?"}}]),
    {"resourceType": "ServiceRequest", "id": "s", "code": {"coding": [{"code": "1"}]}},
)  # fmt: skip
CALLS = [
    hook(prefetch=SENT),
    sign(*DRAFTS, prefetch=SENT),
    select(*DRAFTS, chosen=["draft-1", "ServiceRequest/s"], prefetch=SENT),
    hook("encounter-discharge", context={"encounterId": "e1"}, prefetch=SENT),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, one in inner for place in places(one, (*path, key)))]


def mutated(call: dict[str, Any], pick: Random) -> Any:
    changed = copy.deepcopy(call)
    for _ in range(pick.choice((1, 1, 2, 4))):
        found = [place for place in places(changed) if place]
        *above, last = pick.choice(found)
        holder = changed
        for key in above:
            holder = holder[key]
        if pick.random() < 0.2 and isinstance(holder, dict):
            del holder[last]
        else:
            holder[last] = copy.deepcopy(pick.choice(JUNK))
    return changed


def test_mutated_calls_never_fail_inside(machines: Machines) -> None:
    """At least a third get past the first reading, so that what lies behind it is reached too."""
    take_in(bundle(patient(), observation(when=ago(hours=1), interpretation=[{"coding": [{"code": "HH"}]}])))
    pick = Random(20_261_101)  # noqa: S311 - a repeatable sample, no secret
    seen = Counter[int]()
    for turn in range(MUTATIONS):
        call = CALLS[turn % len(CALLS)]
        reply = machines.call(str(call["hook"]), mutated(call, pick))
        seen[reply.status_code] += 1
        body = json.loads(reply.content)
        if reply.status_code == 200:
            check_reply(body)
        else:
            assert reply.status_code in (400, 403, 412, 413), reply.content
            assert body["issue"][0]["details"]["coding"][0]["code"]
    assert seen[200] > MUTATIONS / 3, seen
