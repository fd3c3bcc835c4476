"""CDS Hooks calls and feedback, each with a good token of its own."""

from __future__ import annotations

import json
from random import Random
from typing import Any, Final

from hypothesis import strategies as st

from tests.cds_card_rules import check_reply
from tests.cds_client import Machines, ago, hook, order, select, sign
from tests.factories import bundle, observation, patient, take_in
from tests.fuzz.alter import CANARY, altered_json
from tests.fuzz.doors.fhir import RESOURCES, is_object
from tests.fuzz.watch import SLOWEST_S, FaultError

_SENT: Final = {
    "patient": {"resourceType": "Patient", "id": "amina", "identifier": [{"system": "urn:mrn", "value": "1"}]},
    "allergies": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": RESOURCES[4]}]},
    "medications": {"resourceType": "Bundle", "entry": [{"resource": order(f"Warfarin {CANARY}", status="active")}]},
}  # fmt: skip
_DRAFTS: Final = (
    order("Ibuprofen 400 mg tablet", dosageInstruction=[{"text": "1 tablet", "timing": {"repeat": {"frequency": 3}}}]),
    order("", logical_id="r", medicationReference={"reference": "#m"}, contained=[{"id": "m", "code": {"text": "?"}}]),
    {"resourceType": "ServiceRequest", "id": "s", "code": {"coding": [{"code": "1"}], "text": CANARY}},
)  # fmt: skip
CALLS: Final = (
    hook(prefetch=_SENT),
    sign(*_DRAFTS, prefetch=_SENT),
    select(*_DRAFTS, chosen=["draft-1", "ServiceRequest/s"], prefetch=_SENT),
    hook("encounter-discharge", context={"encounterId": "e1"}, prefetch=_SENT),
)
_FEEDBACK: Final = {
    "feedback": [
        {
            "card": "4f8c24ae-3f2c-4c53-9d9e-0a2d1a3ad2c1",
            "outcome": "overridden",
            "outcomeTimestamp": "2026-03-01T10:00:00Z",
            "overrideReason": {"reason": {"code": "other", "system": "urn:x"}, "userComment": f"{CANARY} has it"},
        }
    ]
}  # fmt: skip
Sample = tuple[str, bytes]


class Hooks:
    """The door, for a patient with a record and one without."""

    name = "cds-hooks"
    stages = ("JSON object", "answered with cards")
    slowest_s = SLOWEST_S

    def __init__(self, machines: Machines) -> None:
        self._machines = machines
        take_in(bundle(patient(), observation(when=ago(hours=1), interpretation=[{"coding": [{"code": "HH"}]}])))

    def altered(self, chance: Random) -> Sample:
        call = chance.choice(CALLS)
        if chance.random() < 0.1:
            return f"{call['hook']}/feedback", altered_json(_FEEDBACK, chance)
        return str(call["hook"]), altered_json(call, chance)

    def grammar(self) -> st.SearchStrategy[Sample]:
        drafts = st.lists(_orders(), min_size=1, max_size=3)
        prefetch = st.dictionaries(
            st.sampled_from(("patient", "allergies", "medications", "conditions", "other")),
            st.one_of(st.none(), st.sampled_from([*RESOURCES, *_SENT.values(), {"resourceType": "OperationOutcome"}])),
            max_size=3,
        )
        signed = st.builds(lambda orders, sent: sign(*orders, prefetch=sent), drafts, prefetch)
        viewed = st.builds(lambda sent: hook(prefetch=sent), prefetch)
        return st.one_of(signed, signed, viewed).map(lambda call: (str(call["hook"]), json.dumps(call).encode()))

    def send(self, sample: Sample) -> int:
        service, content = sample
        reply = self._machines.call(service, content)
        try:
            body = json.loads(reply.content)
        except ValueError:
            raise FaultError("not JSON") from None
        if reply.status_code == 200:
            if "cards" in body:
                try:
                    check_reply(body)
                except AssertionError:
                    raise FaultError("cards that are none") from None
            return 2
        if reply.status_code not in (400, 403, 404, 412, 413):
            raise FaultError(f"{reply.status_code}")
        if not body["issue"][0]["details"]["coding"][0]["code"]:
            raise FaultError("refusal without a reason")
        return int(is_object(content))


_AMOUNT: Final[st.SearchStrategy[Any]] = st.one_of(
    st.integers(-5, 10**6), st.floats(-1, 1e9, allow_nan=False), st.sampled_from((None, "1", [], {}))
)


def _orders() -> st.SearchStrategy[dict[str, Any]]:
    """Draft orders of known and unknown medicines with any dose."""
    names = st.one_of(
        st.sampled_from(("Amoxicillin 500 mg", "Warfarin 3 mg", "Methotrexate 2.5 mg", "Paracetamol 500 mg", "")),
        st.text(max_size=30),
    )
    dose = st.builds(
        _dosage, _AMOUNT, st.sampled_from(("mg", "g", "mL", "", "tablet", "ug")), _AMOUNT, st.text(max_size=20)
    )
    return st.builds(
        lambda name, given, kind: order(name, dosageInstruction=given) | {"resourceType": kind},
        names,
        dose,
        st.sampled_from(
            ("MedicationRequest", "MedicationRequest", "ServiceRequest", "DeviceRequest", "NutritionOrder")
        ),
    )


def _dosage(amount: Any, unit: str, often: Any, text: str) -> list[dict[str, Any]]:
    repeat = {"frequency": often, "period": 1, "periodUnit": "d"}
    return [
        {
            "text": text,
            "timing": {"repeat": repeat},
            "doseAndRate": [{"doseQuantity": {"value": amount, "unit": unit}}],
        }
    ]
