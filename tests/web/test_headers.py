"""What every page tells the browser, and what the shipped front end may contain."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

if TYPE_CHECKING:
    from django.http import HttpResponseBase
    from django.test import Client

    from tests.web.conftest import Clinic

ROOT = Path(__file__).resolve().parents[2] / "appliance"
VENDOR = ROOT / "static" / "vendor"
OURS = sorted(
    path
    for folder in ("templates", "static")
    for path in (ROOT / folder).rglob("*")
    if path.is_file() and "vendor" not in path.parts
)


def pages(client: Client, clinic: Clinic) -> list[HttpResponseBase]:
    return [
        client.get(reverse("patients")),
        client.post(reverse("patients"), {"q": "orla"}),
        client.get(reverse("chart", args=[clinic.full])),
        client.get(reverse("source", args=[clinic.full, "Condition", "web-c1", "1"]), {"part": "json"}),
        client.get(reverse("chart", args=[clinic.closed])),
        client.get("/no-such-page"),
        client.post(reverse("ask", args=[clinic.full]), {"question": "any allergies?"}),
    ]


@pytest.mark.django_db(databases=["default", "audit"])
def test_every_page_is_no_store_and_bound_to_this_origin(signed_in: Client, clinic: Clinic) -> None:
    for response in pages(signed_in, clinic):
        assert response["Cache-Control"] == "no-store"
        policy = response["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert not re.search(r"https?:|\*|data:", policy)
        assert response["X-Frame-Options"] == "DENY"
        assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", OURS, ids=lambda path: str(path.relative_to(ROOT)))
def test_our_pages_hold_nothing_inline_and_name_no_other_host(path: Path) -> None:
    text = path.read_text()

    outside = [url for url in re.findall(r"(?:https?:)?//[\w.-]+\.\w+[^\s\"']*", text) if "www.w3.org" not in url]
    assert outside == []
    if path.suffix == ".html":
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)|javascript:", text)
        assert "mark_safe" not in text
        assert "autoescape off" not in text
    if path.suffix in {".css", ".js"}:
        assert len(text.splitlines()) <= 300


def test_only_one_template_takes_ready_markup_and_it_is_our_own_rendering() -> None:
    users = [path.name for path in OURS if path.suffix == ".html" and "|safe" in path.read_text()]

    assert users == ["_answer.html"]


def test_vendored_files_are_what_the_checksums_say() -> None:
    lines = [line.split() for line in (VENDOR / "CHECKSUMS").read_text().splitlines() if line[0] != "#"]

    assert {name for _, name, *_ in lines} == {path.name for path in VENDOR.glob("*.js")}
    for digest, name, package, version, licence in lines:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest, name
        assert package
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)
        assert licence == "0BSD"


def test_htmx_keeps_no_page_and_evaluates_nothing() -> None:
    frame = (ROOT / "templates" / "base.html").read_text()

    for setting in (
        '"allowEval":false',
        '"allowScriptTags":false',
        '"includeIndicatorStyles":false',
        '"selfRequestsOnly":true',
        '"historyCacheSize":0',
    ):
        assert setting in frame


def test_scripts_keep_nothing_of_a_patient_in_the_browser() -> None:
    scripts = "".join(path.read_text() for path in OURS if path.suffix == ".js")

    assert re.findall(r"localStorage\.\w+\((\w+)", scripts) == ["KEYS_SWITCH", "KEYS_SWITCH"]
    assert set(re.findall(r"sessionStorage\.\w+", scripts)) == {"sessionStorage.clear"}
    assert not re.search(r"indexedDB|document\.cookie|caches\.|innerHTML|eval\(", scripts)
