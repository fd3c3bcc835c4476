"""Each answer event as the fragment a browser gets."""

from __future__ import annotations

from uuid import UUID

import pytest

from clinical.answering.events import (
    Absence,
    AnswerEvent,
    By,
    Completed,
    EvidenceFound,
    Heartbeat,
    ModelUnavailable,
    NotDocumented,
    RouteChosen,
    SentenceReady,
    SentenceWithheld,
    Source,
    Status,
)
from clinical.domain.gate import Reason
from clinical.domain.passages import Citation, Part, Span
from clinical.web import wording
from clinical.web.answer_fragments import AnswerFragments

PATIENT = UUID("11111111-1111-4111-8111-111111111111")
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 }} \"'&"


def cited(start: int = 0, quote: str = "apixaban", *, resource: str = "DocumentReference/n1") -> Citation:
    return Citation(Span(resource, "1", Part.TEXT, start, start + len(quote)), quote)


def html_of(event: AnswerEvent, fragments: AnswerFragments | None = None) -> str:
    fragment = (fragments or AnswerFragments(PATIENT)).render(event)
    assert fragment is not None
    return fragment.html


@pytest.mark.parametrize(
    "event",
    [
        RouteChosen(HOSTILE, HOSTILE),
        EvidenceFound((Source(1, HOSTILE, HOSTILE, cited(quote=HOSTILE)),)),
        SentenceReady(HOSTILE, By.QUOTE, (cited(quote=HOSTILE),)),
        SentenceReady(HOSTILE, By.MODEL, (cited(quote=HOSTILE),)),
        NotDocumented(Absence({HOSTILE: 1}, 1, HOSTILE, HOSTILE, HOSTILE, 0, 0, 0, HOSTILE)),
        Completed(Status.ANSWERED, 1, 0, PATIENT, {HOSTILE: 1.0}, {"name": HOSTILE, "digest": HOSTILE}),
    ],
    ids=lambda event: type(event).__name__,
)
def test_hostile_words_stay_words(event: AnswerEvent) -> None:
    html = html_of(event)

    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_a_withheld_sentence_leaves_its_words_behind() -> None:
    event = SentenceWithheld("unit-differs", (cited(),), text="The secret draft of 9.9 mmol/L.")

    html = html_of(event)

    assert "secret" not in html
    assert "9.9" not in html
    assert "Its unit differs from the source." in html
    assert "start=0&amp;end=8" in html


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_of_the_gate_has_words_of_its_own(reason: Reason) -> None:
    assert wording.withheld(reason) != wording.withheld("no such code")


@pytest.mark.parametrize(
    ("by", "words"),
    [
        (By.QUOTE, "From the record"),
        (By.CODE, "Computed from the record"),
        (By.MODEL, "Drafted by the model, checked"),
    ],
)
def test_each_sentence_says_who_wrote_it(by: By, words: str) -> None:
    assert f">{words}<" in html_of(SentenceReady("Apixaban 5 mg.", by, (cited(),)))


def test_the_models_own_marks_give_way_to_the_links() -> None:
    assert ">Apixaban was stopped. <" in html_of(
        SentenceReady("Apixaban was stopped [3] [1, 2].", By.MODEL, (cited(),))
    ).replace("<p>", ">").replace("\n", "")
    assert "[3]" in html_of(SentenceReady("See ref [3].", By.QUOTE, (cited(),)))


def test_a_source_keeps_its_number_and_repeats_get_letters() -> None:
    fragments = AnswerFragments(PATIENT)
    sources = (
        Source(1, "Clinic letter", "2026-01-02", cited()),
        Source(2, "Discharge summary", "", cited(resource="DocumentReference/n2")),
    )
    html_of(EvidenceFound(sources), fragments)

    html = html_of(
        SentenceReady(
            "x",
            By.MODEL,
            (cited(resource="DocumentReference/n2"), cited(), cited(start=40), cited(resource="Condition/c")),
        ),
        fragments,
    )

    labels = [part.split("<")[0] for part in html.split('">')[1:]]
    assert [label for label in labels if label in {"1a", "1b", "2", "3"}] == ["2", "1a", "1b", "3"]
    assert 'aria-label="Source 1a: Clinic letter, 02-Jan-2026"' in html


def test_a_structured_quote_is_put_into_words() -> None:
    quote = '{"value": 5.60, "unit": "mmol/L"}'
    citation = Citation(Span("Observation/k", "1", Part.JSON, 10, 10 + len(quote)), quote)

    html = html_of(SentenceReady("Potassium 5.60 mmol/L.", By.CODE, (citation,)))

    assert "5.60 mmol/L</span>" in html
    assert "part=json" in html


def test_an_answer_with_something_withheld_says_it_may_be_incomplete() -> None:
    assert "may be incomplete" in html_of(Completed(Status.ANSWERED, 2, 1, PATIENT, {}, None))
    assert "may be incomplete" not in html_of(Completed(Status.ANSWERED, 2, 0, PATIENT, {}, None))


def test_absence_names_what_was_searched() -> None:
    absence = Absence(
        {"Observation": 40, "DocumentReference": 3}, 12, "2019-01-02", "2026-03", "2026-11-23T10:42:00+00:00", 1, 2, 3,
        "Not documented in the records held here.",
    )  # fmt: skip

    html = html_of(NotDocumented(absence))

    for words in ("results and observations", ">40<", "documents", "02-Jan-2019 to Mar-2026", "23-Nov-2026 10:42"):
        assert words in html


def test_a_model_that_is_down_is_said_and_a_sign_of_life_shows_nothing() -> None:
    assert "does not answer at the moment" in html_of(ModelUnavailable("unreachable"))
    assert AnswerFragments(PATIENT).render(Heartbeat()) is None
