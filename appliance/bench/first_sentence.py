"""First sentence decided, against bare vLLM: `python -m appliance.bench.first_sentence`.

Ours is the time from the request to the gate's verdict on the first whole sentence, through the
product's own client, sentence splitter and gate. Bare is the time until the same server, asked for
the same tokens from the same prompt over a plain HTTP client, has sent the last token of that
sentence. Each prompt is sent once before, so that both find its prefix cached: the strict case,
because a cold prompt adds the same second to both.
"""

from __future__ import annotations

import json
import sys
from contextlib import closing
from itertools import accumulate
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Final
from uuid import UUID

import httpx

from appliance.backends.vllm import completion_request
from appliance.bench.row import Row, print_rows
from appliance.config import config
from appliance.processes.model_server import chat_model, running_model_server
from clinical.domain.gate import Gate, GateEvidence
from clinical.domain.passages import Part, Passage, Span
from clinical.domain.prompt import Labelled, Prompt, build
from clinical.domain.sentences import SentenceStream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from appliance.backends.vllm import VllmChatModel
    from appliance.config import Config

_TOKENS: Final = 80
_SEED: Final = 7
_TEXTS: Final = (
    "Reviewed in clinic. Breathing is easier since the dose was raised. Sleeps on two pillows.",
    "Walked to the shop without stopping. No swelling of the ankles. Weight 71.4 kg.",
    "Telephone call with the daughter, who reports a dry cough at night for two weeks.",
    "Blood pressure 138/82 mmHg sitting. Pulse regular. To be seen again in six weeks.",
)
_QUESTIONS: Final = (
    "How is the breathing?",
    "What was the weight?",
    "Is there a cough, and since when?",
    "What was the blood pressure, and when is the next visit?",
)


def run(*, rounds: int = 7) -> list[Row]:
    """Measure and return the rows; starts a model server if none runs.

    Args:
        rounds: how often each of the prompts is timed both ways, in turn.
    """
    settings = config()
    ours: list[float] = []
    bare: list[float] = []
    with (
        running_model_server(settings, settings.var / "log", _say) as server,
        closing(chat_model(server)) as model,
        httpx.Client(base_url=server.vllm_url, timeout=60, trust_env=False) as client,
    ):
        for question in _QUESTIONS:
            sources = _sources()
            prompt, used = build(question, sources, most_chars=2400)
            gate = Gate([GateEvidence(each.label, each.passage) for each in used], question=question)
            tokens = _tokens_of_first_sentence(model, prompt)
            for _round in range(rounds):
                ours.append(_decided(model, prompt, gate))
                bare.append(_sent(client, server, prompt, tokens))
    return [_row(ours, bare)]


def _sources() -> Sequence[Labelled]:
    return [
        Labelled(
            number,
            Passage(
                UUID(int=number),
                Span(f"DocumentReference/{number}", "1", Part.TEXT, 0, len(text)),
                text,
                "DocumentReference",
                f"2024-03-0{number}",
            ),
        )
        for number, text in enumerate(_TEXTS, start=1)
    ]


def _decided(model: VllmChatModel, prompt: Prompt, gate: Gate) -> float:
    """Return the seconds until the first sentence has its verdict."""
    started = perf_counter()
    stream, sentences = model.stream(prompt, max_tokens=_TOKENS, seed=_SEED), SentenceStream()
    try:
        for piece in stream:
            for sentence in sentences.feed(piece):
                gate.check(sentence)
                return perf_counter() - started
        for sentence in sentences.close():  # a single sentence that the end of the stream completes
            gate.check(sentence)
            return perf_counter() - started
        raise ValueError("the model wrote no sentence")
    finally:
        stream.close()


def _sent(client: httpx.Client, server: Config, prompt: Prompt, tokens: int) -> float:
    """Return the seconds until bare vLLM has sent so many tokens."""
    body = completion_request(server.vllm_model, prompt, max_tokens=_TOKENS, seed=_SEED)
    headers = {"Authorization": f"Bearer {server.secret('vllm_api_key')}"}
    started, seen = perf_counter(), 0
    with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as response:
        for line in response.iter_lines():
            if not line.startswith("data: {"):
                continue
            seen += bool(json.loads(line[6:])["choices"][0]["delta"].get("content"))
            if seen == tokens:
                return perf_counter() - started
    raise ValueError("the server sent fewer tokens than before: it is not deterministic")


def _tokens_of_first_sentence(model: VllmChatModel, prompt: Prompt) -> int:
    """Return how many pieces hold the first sentence, without those that only show that it has ended."""
    pieces = list(model.stream(prompt, max_tokens=_TOKENS, seed=_SEED))
    whole, sentences = "".join(pieces), SentenceStream()
    first = [*sentences.feed(whole), *sentences.close()][0]
    end = whole.index(first) + len(first)
    return next(n for n, length in enumerate(accumulate(map(len, pieces)), start=1) if length >= end)


def _row(ours: Sequence[float], bare: Sequence[float]) -> Row:
    value, baseline = median(ours) * 1000, median(bare) * 1000
    return Row(
        name="first sentence decided",
        value=round(value, 1),
        unit="ms",
        baseline=round(baseline, 1),
        ratio=round(median(one / two for one, two in zip(ours, bare, strict=True)), 3),
        target="<= 1.25",
        note=f"{len(ours)} pairs in turn, medians; baseline: bare vLLM, same tokens, same prompt, prefix cached",
    )


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    print_rows(run())
