"""The OpenAPI document and its page.

Source: OpenAPI Specification 3.1.0 (the document as a whole is checked against its published schema); RFC 9457.
"""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.urls import get_resolver
from openapi_spec_validator import OpenAPIV31SpecValidator

from clinical.api.operations import OPERATIONS
from clinical.api.problems import catalogue
from clinical.api.tokens import SCOPES
from tests.api_client import Api, api_door, document  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db(databases=["default", "audit"])


def served(api: Api, path: str) -> tuple[str, str, str]:
    """Status, type and content of a page that needs no token; without the check of an operation's reply."""
    reply = api.client.get(path)
    return f"{reply.status_code}", reply.headers["Content-Type"], reply.content.decode()


def test_the_document_is_valid_openapi_3_1(api: Api) -> None:
    status, media, content = served(api, "/api/openapi.json")

    assert (status, media) == ("200", "application/json")
    assert json.loads(content)["openapi"] == "3.1.0"
    assert list(OpenAPIV31SpecValidator(json.loads(content)).iter_errors()) == []


def test_every_address_of_the_api_is_in_the_document_and_the_other_way_round() -> None:
    patterns = [entry for one in get_resolver("appliance.machine_urls").url_patterns for entry in _flat(one)]
    routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", str(one.pattern)) for one in patterns}
    ours = {f"/{route}" for route in routes if route.startswith("api/")}
    others = {"/api/", "/api/{path}", "/api/docs", "/api/docs.css", "/api/openapi.json"}

    assert ours - others == set(document()["paths"])


def _flat(pattern: Any) -> list[Any]:
    if not hasattr(pattern, "url_patterns"):
        return [pattern]
    return [one for inner in pattern.url_patterns for one in _flat(inner)]


def test_every_operation_names_a_scope_that_a_token_can_have() -> None:
    assert {one.scope for one in OPERATIONS} == set(SCOPES)


def test_every_refusal_of_the_list_is_in_the_document_or_belongs_to_no_operation() -> None:
    told = {
        code
        for response in document()["components"]["responses"].values()
        for code in response["content"]["application/problem+json"]["schema"]["allOf"][1]["properties"]["code"]["enum"]
    }
    assert set(catalogue()) - told == {"method", "exception"}


class TestThePage:
    def test_loads_nothing_but_its_own_style_sheet(self, api: Api) -> None:
        status, media, content = served(api, "/api/docs")
        loaded = re.findall(r"""(?:src|href)=["']([^"'#]+)["']""", content)

        assert (status, media) == ("200", "text/html; charset=utf-8")
        assert set(loaded) == {"/api/docs.css", "/api/openapi.json"}
        assert "<script" not in content and "style=" not in content and "http:" not in content
        assert [served(api, one)[0] for one in loaded] == ["200"] * len(loaded)

    def test_is_under_the_policy_of_the_people_s_pages(self, api: Api) -> None:
        reply = api.client.get("/api/docs")

        policy = {part.strip() for part in reply.headers["Content-Security-Policy"].split(";")}
        assert {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= policy
        assert reply.headers["X-Frame-Options"] == "DENY"

    def test_describes_every_operation_and_every_refusal(self, api: Api) -> None:
        _, _, content = served(api, "/api/docs")

        assert all(f'id="{one.name}"' in content for one in OPERATIONS)
        assert all(f'id="problem-{code}"' in content for code in catalogue())
