"""A program that calls the API in this process; every reply is checked against the served OpenAPI document."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone
from openapi_schema_validator import OAS31Validator

from clinical.api import limits, tokens
from clinical.api.document import encoded
from clinical.identity.services import find_by_fhir_id
from tests.factories import clinician

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse


@cache
def document() -> dict[str, Any]:
    """The document as it is served."""
    return json.loads(encoded())  # type: ignore[no-any-return]


def described(method: str, path: str, reply: HttpResponse) -> None:
    """Fail unless the document describes this reply: its status, its media type and its shape."""
    status, media = str(reply.status_code), reply.headers.get("Content-Type", "").partition(";")[0]
    found = _operation(method, path)
    if found is None:
        assert status in ("404", "405", "400"), f"{method} at an address that the document does not know"
        shape: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
        assert media == "application/problem+json"
    else:
        assert status in found["responses"], f"{found['operationId']} replies {status}"
        told = found["responses"][status]
        if "$ref" in told:
            told = document()["components"]["responses"][told["$ref"].rpartition("/")[2]]
        assert list(told["content"]) == [media], f"{found['operationId']} replies {media}"
        shape = told["content"][media]["schema"]
    if media != "text/event-stream":
        _check(shape, json.loads(reply.content))


def _check(shape: dict[str, Any], value: Any) -> None:
    faults = list(OAS31Validator({**shape, "components": document()["components"]}).iter_errors(value))
    assert not faults, [(list(one.path), one.message[:200]) for one in faults]


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for template, methods in document()["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path.partition("?")[0]):
            found: dict[str, Any] | None = methods.get(method.lower())
            return found
    return None


class Api:
    """The API as a program sees it, with a good token of a clinician unless another is given."""

    def __init__(self) -> None:
        self.client = Client(raise_request_exception=False)
        self.user = clinician()
        self.token = token_of(self.user)

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **more: Any) -> HttpResponse:
        """Call; the reply is what the document says it may be."""
        given = self.token if token is None else token
        headers = ({"Authorization": f"Bearer {given}"} if given else {}) | more.pop("headers", {})
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"content_type": "application/json", "headers": headers} | more
        reply: HttpResponse = self.client.generic(method, path, content, **sent)  # type: ignore[assignment]
        described(method, path, reply)
        return reply

    def get(self, path: str, **more: Any) -> Any:
        """Return the JSON of a reply that must be 200."""
        reply = self.call("GET", path, **more)
        assert reply.status_code == 200, reply.content
        return json.loads(reply.content)

    def post(self, path: str, body: Any, status: int = 200) -> Any:
        reply = self.call("POST", path, body)
        assert reply.status_code == status, reply.content
        return json.loads(reply.content)

    def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str]:
        """Return status and code of a reply that must be a problem."""
        reply = self.call(method, path, body, **more)
        found = json.loads(reply.content)
        assert reply.headers["Content-Type"] == "application/problem+json"
        assert found["status"] == reply.status_code
        return reply.status_code, found["code"]


def token_of(user: User, *scopes: str, life: timedelta = timedelta(days=1)) -> str:
    wanted = tokens.Wanted(user, scopes or tokens.SCOPES, "test", life)
    return tokens.make(wanted, made_by="os:test", now=timezone.now())[0]


def operator() -> User:
    user, _ = User.objects.get_or_create(username="demo-operator")
    user.groups.add(Group.objects.get_or_create(name="operator")[0])
    return user


def id_of(patient: str = "amina") -> UUID:
    found = find_by_fhir_id(patient)
    assert found is not None
    return found.id


@pytest.fixture(name="api")
def api_door(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Api:
    """The machines' door, and a clinician who is on every care team."""
    from appliance import settings as own

    settings.ROOT_URLCONF = "appliance.machine_urls"
    settings.MIDDLEWARE = own._MACHINES
    settings.CLINICAL_DEFAULT_CARE_TEAM = ["demo-clinician"]
    monkeypatch.setattr(limits, "_called", type(limits._called)())
    monkeypatch.setattr(limits, "_running", type(limits._running)())
    return Api()
