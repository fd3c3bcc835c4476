"""Fragments of the medication check, of judgements, and of an answer in sections; and that storing keeps them."""

from __future__ import annotations

from uuid import UUID

import pytest

from clinical.answering.events import (
    AnswerEvent,
    By,
    Completed,
    EvidenceFound,
    JudgementAsked,
    JudgementsNeeded,
    RouteChosen,
    SafetyChecked,
    SafetyFinding,
    SentenceReady,
    SentenceWithheld,
    Source,
    Status,
)
from clinical.answering.stored import as_json, events_from
from clinical.domain.passages import Citation, Part, Span
from clinical.web.answer_fragments import AnswerFragments

PATIENT = UUID("11111111-1111-4111-8111-111111111111")
CITED = Citation(Span("MedicationRequest/m1", "1", Part.JSON, 4, 12), "warfarin")
FINDING = SafetyFinding(
    kind="interaction",
    severity="severe",
    text="Warfarin with ibuprofen: bleeding.",
    citations=(CITED,),
    row="warfarin+nsaid",
    source="A table",
    edition="2012",
    status="unverified",
)


def html_of(event: AnswerEvent, fragments: AnswerFragments | None = None) -> str:
    fragment = (fragments or AnswerFragments(PATIENT)).render(event)
    assert fragment is not None
    return fragment.html


def test_a_finding_shows_its_severity_its_source_and_that_it_is_unverified() -> None:
    html = html_of(SafetyChecked((FINDING,), "Checked 2 of 2 medicines.", ()))

    for words in ("Severe", "Warfarin with ibuprofen: bleeding.", "A table, 2012", "unverified", "warfarin</span>"):
        assert words in html


def test_an_approved_row_is_not_called_unverified() -> None:
    approved = SafetyFinding(**{name: getattr(FINDING, name) for name in FINDING.__slots__} | {"status": "approved"})

    assert "unverified" not in html_of(SafetyChecked((approved,), "Checked.", ()))


def test_a_check_without_findings_still_says_what_it_could_not_check() -> None:
    html = html_of(SafetyChecked((), "Checked 1 of 2 medicines; no finding.", ("elixir of <b>herbs</b>: unknown",)))

    assert "Not checked: 1" in html
    assert "elixir of &lt;b&gt;herbs&lt;/b&gt;: unknown" in html
    assert "Checked 1 of 2 medicines; no finding." in html


def test_judgements_are_asked_with_the_words_to_add() -> None:
    html = html_of(JudgementsNeeded((JudgementAsked("likely", "PE is the most likely diagnosis", ("yes", "no")),)))

    assert "PE is the most likely diagnosis: yes or no" in html


def test_a_heading_stands_once_over_its_sentences() -> None:
    fragments = AnswerFragments(PATIENT)
    shown = [
        html_of(SentenceReady(text, By.CODE, (CITED,), heading), fragments)
        for text, heading in (("one", "Allergies"), ("two", "Allergies"), ("three", "Medicines"))
    ]

    assert [text.count("<h4") for text in shown] == [1, 0, 1]
    assert "Allergies" in shown[0]
    assert "Medicines" in shown[2]


@pytest.mark.parametrize("status", [Status.ANSWERED, Status.REFUSED])
def test_a_stored_answer_gives_its_events_again(status: Status) -> None:
    events: list[AnswerEvent] = [
        RouteChosen("code", "look-up"),
        EvidenceFound((Source(1, "Order", "2026-01-02", CITED),)),
        SafetyChecked((FINDING,), "Checked 2 of 2 medicines.", ("x: unknown",)),
        SentenceReady("one", By.CODE, (CITED,), "Allergies"),
        SentenceWithheld("unit-differs", (CITED,)),
        JudgementsNeeded((JudgementAsked("likely", "PE likely", ("yes", "no")),)),
        Completed(status, 1, 1, PATIENT, {"total": 1.5}, None),
    ]

    assert list(events_from(as_json(events))) == events


def test_a_withheld_sentence_that_copies_its_source_leaves_the_words_behind_too() -> None:
    html = html_of(SentenceWithheld("off-topic", (CITED,), text="warfarin"))

    assert "warfarin" not in html
    assert "start=4&amp;end=12" in html


def test_a_withheld_text_is_not_stored_with_the_answer() -> None:
    stored = as_json([SentenceWithheld("unit-differs", (CITED,), text="secret 9.9")])

    assert "secret" not in str(stored)
