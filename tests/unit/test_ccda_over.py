"""What is over in a C-CDA document is not read as going on, and what its reader does not see is none of its words.

Source: C-CDA R2.1, Problem Observation and Problem Concern Act (effectiveTime, statusCode); CDA R2 narrative block.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.unit.test_ccda_document import resources

ROOT = "2.16.840.1.113883.10.20.22.4"
SNOMED = 'codeSystem="2.16.840.1.113883.6.96"'
LOW = '<low value="20250101"/>'


def entry(kind: str, *, time: str, concern: str, status: str = "") -> str:
    if status:
        status = f"""<entryRelationship><observation><templateId root="{ROOT}.6"/>
        <value xsi:type="CD" code="{status}" {SNOMED}/></observation></entryRelationship>"""
    act, observation = {"Condition": ("3", "4"), "AllergyIntolerance": ("30", "7")}[kind]
    drug = f"""<participant><participantRole><playingEntity><code code="764146007" displayName="Penicillin" {SNOMED}/>
    </playingEntity></participantRole></participant>"""
    return f"""<act><templateId root="{ROOT}.{act}"/><statusCode code="{concern}"/><entryRelationship><observation>
    <templateId root="{ROOT}.{observation}"/><statusCode code="completed"/><effectiveTime>{time}</effectiveTime>
    <value xsi:type="CD" code="233604007" displayName="Pneumonia" {SNOMED}/>{drug if observation == "7" else ""}{status}
    </observation></entryRelationship></act>"""


def read(kind: str, **given: str) -> dict[str, Any]:
    [found] = resources(entry(kind, **given))[kind]
    return found


@pytest.mark.parametrize(
    ("time", "concern", "status", "expected"),
    [
        (LOW, "active", "", "active"),
        (LOW + '<high value="20250201"/>', "active", "", "resolved"),
        (LOW + '<high nullFlavor="UNK"/>', "active", "", "resolved"),
        (LOW + '<high nullFlavor="NA"/>', "active", "", "active"),
        (LOW + '<high nullFlavor="NI"/>', "active", "", "active"),
        (LOW, "completed", "", "inactive"),
        (LOW, "aborted", "", "inactive"),
        (LOW, "suspended", "", "active"),
        (LOW, "completed", "55561003", "active"),
        (LOW + '<high nullFlavor="UNK"/>', "active", "55561003", "active"),
    ],
)
def test_a_problem_is_over_where_its_document_says_so(time: str, concern: str, status: str, expected: str) -> None:
    found = read("Condition", time=time, concern=concern, status=status)

    assert found["clinicalStatus"]["coding"][0]["code"] == expected


@pytest.mark.parametrize(
    ("time", "concern", "expected", "noted"),
    [
        (LOW, "active", "active", False),
        (LOW + '<high value="20250201"/>', "active", "resolved", False),
        (LOW + '<high nullFlavor="UNK"/>', "active", "active", True),
        (LOW + '<high nullFlavor="UNK"/>', "completed", "resolved", False),
        (LOW, "completed", "inactive", False),
    ],
)
def test_an_allergy_goes_on_unless_both_say_that_it_does_not(
    time: str, concern: str, expected: str, *, noted: bool
) -> None:
    found = read("AllergyIntolerance", time=time, concern=concern)

    assert found["clinicalStatus"]["coding"][0]["code"] == expected
    assert ("unknown date" in str(found.get("note"))) is noted


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("WBC 10<sup>3</sup>/uL", "WBC 10^3/uL"),
        ('warfarin <content revised="delete">50 mg</content><content revised="insert">5 mg</content>', "warfarin 5 mg"),
        ('<list><item revised="delete">aspirin</item><item>warfarin</item></list>', "warfarin"),
    ],
)
def test_the_note_says_what_its_reader_sees(markup: str, words: str) -> None:
    [document] = resources(text=markup)["DocumentReference"]
    lines = base64.b64decode(document["content"][0]["attachment"]["data"]).decode().splitlines()

    assert words in lines
    assert not any("50 mg" in line or "aspirin" in line for line in lines)
