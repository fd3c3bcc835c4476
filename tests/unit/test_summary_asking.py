"""Which questions ask for the whole chart."""

from __future__ import annotations

import pytest

from clinical.domain.summary import asked_for


@pytest.mark.parametrize(
    "question",
    [
        "Summarise this patient.", "Summarize the chart", "give me a summary", "Can you summarise her please?",
        "hand this patient over", "Hand her over to the night team", "handover", "hand over please",
        "Handover for the weekend on-call doctor", "brief me", "Brief me on this lady before the ward round",
        "overview", "Give me an overview of this patient", "SBAR", "SBAR for the cardiology registrar",
        "what do I need to know about her", "What should I know about this patient?", "tell me about this patient",
        "catch me up", "bring me up to speed on her", "quick rundown", "one-liner please", "Sum her up",
        "Who is this patient?", "walk me through his chart", "summary of the whole record", "fill me in",
    ],
)  # fmt: skip
def test_these_ask_for_the_whole_chart(question: str) -> None:
    assert asked_for(question)


@pytest.mark.parametrize(
    "question",
    [
        "Summarise her diabetes", "overview of the medications", "What did the discharge summary say?",
        "summary of the last visit", "summarise the potassium trend", "Summarise the CT report",
        "overview of allergies", "summarise the family history", "What is the latest potassium?",
        "Why was apixaban stopped?",
        "what do I need to know about warfarin and amiodarone", "summary of her heart failure",
        "Summarise the events since March", "who was told about the handover of the keys", "summarise the guideline",
        "What was said at handover?",
    ],
)  # fmt: skip
def test_these_ask_for_less(question: str) -> None:
    assert not asked_for(question)
