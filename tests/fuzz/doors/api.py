"""The JSON API: requests by its own OpenAPI document, right and wrong ones, and valid requests damaged."""

from __future__ import annotations

import json
import warnings
from random import Random
from typing import Any, Final
from urllib.parse import quote, urlencode

import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from clinical.api.rows import KINDS
from tests.api_client import Api, described, document, id_of, operator, token_of
from tests.factories import bundle, note, observation, patient, take_in
from tests.fuzz.alter import CANARY, ODD, altered_bytes, altered_json
from tests.fuzz.watch import SLOWEST_S, FaultError

_QUESTIONS: Final = (
    "Latest potassium?", "What are the active medications?", "Why was apixaban stopped?", "Summary",
    "What is the eGFR?", "Any allergies?", f"Who is {CANARY}?",
)  # fmt: skip
Sample = tuple[str, str, Any]  # method, address, body: bytes


class JsonApi:
    """The API, to a clinician's token and an operator's."""

    name = "json-api"
    stages = ("address, form and access right", "done")
    slowest_s = SLOWEST_S

    def __init__(self, api: Api) -> None:
        self._api = api
        words = f"{CANARY} was seen. Apixaban was stopped because of a bleed."
        take_in(bundle(patient(name=[{"family": CANARY}]), observation(), note(words)))
        self._operator = token_of(operator())
        at = f"/api/patients/{id_of()}"
        asked = [
            json.loads(self._call("POST", f"{at}/questions", json.dumps({"question": one}).encode()).content)
            for one in _QUESTIONS
        ]
        self._valid = (
            *(("GET", f"{at}/facts/{kind}?first=0&limit=5", b"") for kind in KINDS),
            ("GET", f"{at}/chart", b""),
            ("GET", f"{at}/sources/Observation/k1/1?part=json&start=0&end=10&context=9", b""),
            ("GET", f"{at}/sources/DocumentReference/note-1/1?part=text&start=0&end=9", b""),
            *(("POST", f"{at}/questions", one) for one in _QUESTIONS),
            *(("POST", "/api/patients/search", one) for one in ("exam", CANARY, "", "1961-04-02")),
            *(("GET", one[kind], b"") for one in asked for kind in ("answer", "events")),
            ("GET", "/api/ingest/status", b""),
            ("GET", "/api/ingest/jobs?limit=5&before=9", b""),
        )
        self._ids = {"patient_id": str(id_of()), "question_id": asked[0]["id"]}

    def altered(self, chance: Random) -> Sample:
        method, path, said = chance.choice(self._valid)
        if method == "POST":
            key = "words" if path.endswith("search") else "question"
            body = {key: said}
            return method, path, json.dumps(body).encode() if chance.random() < 0.4 else altered_json(body, chance)
        what = chance.random()
        if what < 0.5:
            return method, path, b""
        if what < 0.7:
            before, _, query = path.partition("?")
            odd = urlencode(
                {chance.choice(("first", "limit", "start", "end", "part", "x")): json.dumps(chance.choice(ODD))}
            )
            return method, f"{before}?{query}&{odd}", b""
        if what < 0.9:
            *before, last = path.split("/")
            changed = altered_bytes(last.encode(), chance)
            return method, "/".join([*before, quote(changed, safe="?&=%")]), b""
        return chance.choice(("PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE")), path, b""

    def grammar(self) -> st.SearchStrategy[Sample]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            schema = schemathesis.openapi.from_dict(document())
            operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
        right = [one.as_strategy(generation_mode=GenerationMode.POSITIVE) for one in operations]
        wrong = [one.as_strategy(generation_mode=GenerationMode.NEGATIVE) for one in operations if _can_be_wrong(one)]
        return st.tuples(st.one_of(*right, *right, *wrong), st.sampled_from((True, True, True, False))).map(
            self._sample
        )

    def _sample(self, drawn: tuple[Any, bool]) -> Sample:
        """Return a case of Schemathesis as a request, mostly with ids that are there."""
        case, with_ids = drawn
        named = dict(case.path_parameters or {})
        if with_ids:
            named |= {name: value for name, value in self._ids.items() if name in named}
        path = case.operation.path
        for name, value in named.items():
            path = path.replace(f"{{{name}}}", quote(str(value).encode("utf-8", "replace"), safe=""))
        query = {name: value for name, value in (case.query or {}).items() if value is not None}
        address = path + ("?" + urlencode(query, doseq=True, errors="replace") if query else "")
        return case.method, address, _encoded(case.body)

    def send(self, sample: Sample) -> int:
        reply = self._call(*sample)
        status = int(reply.status_code)
        if status >= 500 and not (status == 503 and b'"busy"' in reply.content):
            raise FaultError(f"{status}")
        if getattr(reply, "streaming", False) and sample[0] == "GET":
            wire = b"".join(reply.streaming_content)
            if not wire.endswith(b"event: end\ndata: {}\n\n"):
                raise FaultError("a stream that broke off")
        if sample[0] != "HEAD":
            try:
                described(sample[0], sample[1], reply)
            except (AssertionError, ValueError) as error:
                raise FaultError(f"not as described: {error}") from None
        return 2 if status < 300 else int(status in (404, 429))

    def _call(self, method: str, path: str, content: bytes) -> Any:
        token = self._operator if path.startswith("/api/ingest") else self._api.token
        headers = {"Authorization": f"Bearer {token}"}
        return self._api.client.generic(method, path, content, content_type="application/json", headers=headers)


def _can_be_wrong(operation: Any) -> bool:
    return bool(operation.body or operation.query or operation.path_parameters)


def _encoded(body: Any) -> bytes:
    if body is None or type(body).__name__ == "NotSet":
        return b""
    return body if isinstance(body, bytes) else json.dumps(body).encode()
