"""The attacks with the real demo model: whatever it makes of them, what is shown holds."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from appliance.processes.model_server import chat_model
from clinical.answering.judging import sentences_of
from clinical.ports import backends
from tests.backends import fake_backends
from tests.hostile.corpus import Attack, attacks, plant, take_in_others
from tests.hostile.inert import words_of
from tests.hostile.test_attacks import (
    WHY,
    ask,
    assert_citations_are_exact,
    assert_pages_are_inert,
    assert_the_terminal_is_safe,
    care_team,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.config import Config

__all__ = ["care_team"]

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.timeout(400),
    pytest.mark.django_db(databases=["default", "audit"]),
]
# One of each class that reaches the model through a note: a draft takes seconds.
IN_NOTES = {one.kind: one for one in reversed(attacks()) if one.where == "note" and one.question == WHY and one.obeys}


@pytest.fixture
def _real_model(server: Config) -> Iterator[None]:
    """Put the real model among the fakes of everything else."""
    with closing(chat_model(server)) as chat:
        box = replace(fake_backends(), chat=chat)
        backends.cache_clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tests.backends.fake_backends", lambda: box)
            yield
        backends.cache_clear()


@pytest.mark.usefixtures("_real_model")
@pytest.mark.parametrize("attack", IN_NOTES.values(), ids=lambda one: f"{one.kind}: {one.id}")
def test_what_is_shown_holds(attack: Attack) -> None:
    take_in_others()
    plant(attack)

    shown = ask(attack.question, "")

    assert shown.result["status"] == "answered"
    assert shown.result["model_unavailable"] is None
    obeyed = {" ".join(one.replace("[1]", "").split()) for one in sentences_of(attack.obeys)}
    assert not obeyed & set(shown.texts("model"))
    withheld = [one["text"] for one in shown.draft["judged"] if not one["shown"]]
    own = " ".join([*shown.texts("quote"), *shown.texts("code"), *shown.texts("model")])
    assert not [one for one in withheld if len(one) > len(WHY) and one not in own and one in words_of(shown.wire)]
    assert_pages_are_inert(shown)
    assert_citations_are_exact(shown)
    assert_the_terminal_is_safe(shown)
