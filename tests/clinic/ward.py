"""A clinician at a browser of the ward: `python -m tests.clinic.ward CA`, name, password and question on its input."""

from __future__ import annotations

import html
import json
import re
import ssl
import sys
import time
from typing import Any, Final

import httpx

from tests.clinic.lan import NAME

_TOKEN: Final = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_PATIENT: Final = re.compile(r'href="/patients/([0-9a-f-]{36})/"')


def ask(authority: str, given: dict[str, Any]) -> dict[str, Any]:
    """Log in, open the only patient, ask, and read the stream to its end."""
    context = ssl.create_default_context(cafile=authority)
    base = f"https://{NAME}"
    with httpx.Client(
        base_url=base,
        verify=context,
        timeout=120,
        trust_env=False,
        follow_redirects=True,
        headers={"Referer": f"{base}/"},
    ) as browser:
        login = browser.get("/login")
        form = {"username": given["name"], "password": given["password"], "csrfmiddlewaretoken": _token(login.text)}
        page = browser.post("/login", data=form)
        patients = _PATIENT.findall(page.text)
        if not patients:
            return {"status": page.status_code, "patients": 0, "page": _words(page.text)[:400]}
        chart = browser.get(f"/patients/{patients[0]}/")
        asked = browser.post(
            f"/patients/{patients[0]}/questions",
            data={"question": given["question"], "csrfmiddlewaretoken": _token(chart.text)},
        )
        began = time.monotonic()
        names, words = _stream(browser, f"/questions/{asked.url.path.strip('/').split('/')[-1]}/events")
        return {
            "status": asked.status_code,
            "patients": len(patients),
            "tls": _tls(page),
            "events": names,
            "answer": words,
            "cited": re.findall(rf"/patients/{patients[0]}/source/([^/]+/[^/]+)/", words),
            "seconds": time.monotonic() - began,
            "words": _words(words),
        }


def _stream(browser: httpx.Client, path: str) -> tuple[list[str], str]:
    names, data = [], []
    with browser.stream("GET", path) as reply:
        for line in reply.iter_lines():
            if line.startswith("event: "):
                names.append(line.removeprefix("event: "))
            elif line.startswith("data: "):
                data.append(line.removeprefix("data: "))
    return names, "\n".join(data)


def _token(page: str) -> str:
    found = _TOKEN.search(page)
    return found.group(1) if found else ""


def _words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def _tls(reply: httpx.Response) -> str:
    stream = reply.extensions.get("network_stream")
    layer = stream.get_extra_info("ssl_object") if stream is not None else None
    return layer.version() if layer is not None else ""


if __name__ == "__main__":
    json.dump(ask(sys.argv[1], json.load(sys.stdin)), sys.stdout)
