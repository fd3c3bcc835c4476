"""Addresses of the API, from the list of operations. Ids in paths are opaque; no name ever stands in one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.urls import path

from clinical.api import docs
from clinical.api.borders import nowhere, served
from clinical.api.operations import OPERATIONS, PATHS

if TYPE_CHECKING:
    from django.urls import URLPattern

    from clinical.api.operation import Operation


def _patterns() -> list[URLPattern]:
    by_path: dict[str, dict[str, Operation]] = {}
    for one in OPERATIONS:
        by_path.setdefault(one.path, {})[one.method] = one
    return [path(f"api/{_route(at)}", served(methods)) for at, methods in by_path.items()]


def _route(at: str) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: f"<{PATHS[found.group(1)][0]}:{found.group(1)}>", at)


urlpatterns = [
    path("api/openapi.json", docs.openapi, name="api-openapi"),
    path("api/docs", docs.page, name="api-docs"),
    path("api/docs.css", docs.style, name="api-docs-style"),
    *_patterns(),
    path("api/", nowhere),
    path("api/<path:path>", nowhere),
]
