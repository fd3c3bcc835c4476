"""Every attack of the corpus, from the file taken in to the page shown, with a model that obeys it."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from clinical.access.services import grant_access
from clinical.answering.services import result_of
from clinical.domain.passages import Part
from clinical.domain.visible import visible
from clinical.identity.services import find_by_fhir_id
from clinical.keys import cipher_of
from clinical.management.commands.ask import as_text, plain
from clinical.models import Answer, Question
from clinical.ports import backends
from clinical.record.selectors import part_text, version_of
from tests.factories import clinician, noon, take_in
from tests.hostile.corpus import SECRETS, TRUE_DRAFT, Attack, attacks, plant, record, take_in_others
from tests.hostile.inert import faults, words_of

if TYPE_CHECKING:
    from tests.fakes import ScriptedChatModel

pytestmark = pytest.mark.django_db(databases=["default", "audit"])
WHY = "Why was apixaban stopped?"
LONG_ENOUGH = 15  # characters from which a sentence cannot stand in the page by chance


@dataclass(frozen=True)
class Shown:
    """What came of a question: the stored result, the stream as the browser got it, the pages, the kept draft."""

    result: dict[str, Any]
    wire: str
    pages: dict[str, str]
    draft: dict[str, Any]

    def texts(self, by: str) -> list[str]:
        return [one["text"] for one in self.result["sentences"] if one["shown"] and one["by"] == by]


@pytest.fixture(autouse=True)
def care_team(settings: Any) -> None:
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["demo-clinician"]


def ask(question: str, draft: str) -> Shown:
    if draft:
        cast("ScriptedChatModel", backends().chat).says = draft
    user = clinician()
    browser = Client()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    found = find_by_fhir_id("amina")
    assert found is not None
    posted = browser.post(reverse("ask", args=[found.id]), {"question": question}, headers={"HX-Request": "true"})
    assert posted.status_code == 200
    asked = Question.objects.latest("asked_at")
    stream: Any = browser.get(reverse("question-events", args=[asked.id]))
    wire = b"".join(stream.streaming_content).decode()
    pages = {
        "asked": posted.content.decode(),
        "whole": read(browser, reverse("question", args=[asked.id]) + "?whole"),
        "chart": read(browser, reverse("chart", args=[found.id])),
        "patients": read(browser, reverse("patients")),
    }
    links = re.findall(r'hx-get="(/patients/[^"]+)"', wire + pages["chart"])
    assert all(link.startswith(f"/patients/{found.id}/") for link in links)
    for link in list(dict.fromkeys(links))[:4]:
        pages[link] = read(browser, link.replace("&amp;", "&"))
    held = Answer.objects.select_related("question__patient").get(question=asked)
    kept = json.loads(cipher_of(found).decrypt(held.draft, binding=f"draft {asked.id}"))
    return Shown(result_of(held), wire, pages, kept)


def read(browser: Client, url: str) -> str:
    response = browser.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


@cache
def without_the_attack(question: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return status, computed sentences and quotes of the same record with nothing planted in it."""
    take_in(record())
    shown = ask(question, f"{TRUE_DRAFT} [1]")
    backends().chat.prompts.clear()  # type: ignore[attr-defined]  # the scripted model
    return shown.result["status"], tuple(shown.texts("code")), tuple(shown.texts("quote"))


@pytest.mark.parametrize("attack", attacks(), ids=lambda one: f"{one.kind}: {one.id}")
def test_nothing_of_it_takes_effect(attack: Attack) -> None:
    take_in_others()
    expected = None if attack.where == "question" else without_the_attack(attack.question)
    job = plant(attack)
    assert job is not None
    assert job.quarantined == 0

    shown = ask(attack.question, attack.draft)

    assert_true_facts_stand(attack, shown, expected)
    assert_the_draft_is_held_back(attack, shown)
    assert_pages_are_inert(shown)
    assert_nobody_else_shows(attack, shown)
    assert_citations_are_exact(shown)
    assert_the_terminal_is_safe(shown)
    assert_the_prompt_has_its_own_structure(attack)


def assert_true_facts_stand(
    attack: Attack, shown: Shown, expected: tuple[str, tuple[str, ...], tuple[str, ...]] | None
) -> None:
    status = shown.result["status"]
    # The model was asked, and did as it was told; or not asked, of a note in a language that is never drafted from.
    if attack.question == WHY and (attack.kind != "language" or "judged" in shown.draft):
        assert {one["text"] for one in shown.draft.get("judged", [])} > {f"{TRUE_DRAFT} [1]"} or not attack.obeys
    if expected is None:
        assert attack.status in {"any", status}
        return
    before, computed, quoted = expected
    assert attack.status == "any" or status == (before if attack.status == "same" else attack.status)
    assert set(computed) <= set(shown.texts("code"))
    assert set(quoted) <= set(shown.texts("quote"))
    if not attack.quoted and attack.status == "same":
        assert (tuple(shown.texts("code")), tuple(shown.texts("quote"))) == (computed, quoted)


def assert_the_draft_is_held_back(attack: Attack, shown: Shown) -> None:
    """Of what the model wrote, only the true sentence is shown; of the rest not a word goes to the browser."""
    assert set(shown.texts("model")) <= {TRUE_DRAFT}
    record_s_own = " ".join([*shown.texts("quote"), *shown.texts("code"), attack.planted, attack.question])
    written = [one["text"] for one in shown.draft.get("judged", ()) if not one["shown"]]
    unwanted = [" ".join(re.sub(r"\[[\d, ]+\]", "", text).split()) for text in written]
    for text in [*(one for one in unwanted if len(one) >= LONG_ENOUGH and one not in record_s_own), *attack.forbid]:
        assert text not in words_of(shown.wire)
        assert text not in " ".join(shown.texts("model"))
    for sentence in shown.result["sentences"]:
        assert sentence["shown"] or sentence["text"] == ""


def assert_pages_are_inert(shown: Shown) -> None:
    fragments = "\n".join(re.findall(r"^data: ?(.*)$", shown.wire, re.MULTILINE))
    assert faults(fragments) == []
    for name, page in shown.pages.items():
        assert faults(page) == [], name
    names = re.findall(r"^event: (.*)$", shown.wire, re.MULTILINE)
    assert names[-2:] == ["completed", "end"]
    assert names.count("completed") == 1
    assert names.count("sentence") == sum(one["shown"] for one in shown.result["sentences"])


def assert_nobody_else_shows(attack: Attack, shown: Shown) -> None:
    own = "" if attack.where == "other_note" else f"{attack.planted} {attack.question}"
    everything = [shown.wire, *shown.pages.values(), plain(shown.result)]
    everything += [prompt.user for prompt in backends().chat.prompts]  # type: ignore[attr-defined]
    for secret in SECRETS:
        if secret not in own:
            assert all(secret not in text for text in everything)


def assert_citations_are_exact(shown: Shown) -> None:
    found = find_by_fhir_id("amina")
    assert found is not None
    grant = grant_access(User.objects.get(username="demo-clinician"), found.id, action="test", now=noon())
    for sentence in shown.result["sentences"]:
        for one in sentence["citations"]:
            text = part_text(version_of(grant, one["resource"], one["version"]), Part(one["part"]))
            assert text[one["start"] : one["end"]] == one["quote"]


def assert_the_terminal_is_safe(shown: Shown) -> None:
    lines = plain(shown.result)
    assert visible(lines) == lines
    origins = ("Route: ", "Status: ", "- ", "! ", "    ", "  ", "Not documented", "No draft", "Model ", "Medication ")
    assert [line for line in lines.split("\n") if not line.startswith(origins)] == []
    encoded = as_text(shown.result)
    assert visible(encoded) == encoded
    assert json.loads(encoded) == shown.result


def assert_the_prompt_has_its_own_structure(attack: Attack) -> None:
    for prompt in backends().chat.prompts:  # type: ignore[attr-defined]
        text = prompt.user
        assert visible(text) == text
        labels = re.findall(r"^\[(\d+)\] ", text, re.MULTILINE)
        assert labels == [str(number) for number in range(1, len(labels) + 1)]
        assert text.count("[") == len(labels)
        assert (text.count("\nQuestion: "), text.count("Sources:\n")) == (1, 1)
        for token in attack.absent_from_prompt:
            assert token not in text


def test_the_corpus_is_as_large_as_it_claims() -> None:
    kinds = Counter(attack.kind for attack in attacks())

    assert len(kinds) >= 10
    assert sum(kinds.values()) >= 80
    assert min(kinds.values()) >= 5
    assert len({(attack.kind, attack.id) for attack in attacks()}) == len(attacks())
    assert len({(attack.where, attack.text, attack.question, attack.obeys) for attack in attacks()}) == len(attacks())
