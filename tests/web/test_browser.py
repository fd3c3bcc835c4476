"""The pages in a real browser: the whole path, the keyboard, two sizes, and nothing left behind."""

from __future__ import annotations

import os
import re
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from django.urls import reverse
from playwright.sync_api import expect, sync_playwright

from clinical.domain.access import Role
from clinical.ports import backends
from tests.web.conftest import PASSWORD, Clinic, load_clinic, make_user

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, ConsoleMessage, Page, Request
    from pytest_django.live_server_helper import LiveServer

    from tests.fakes import ScriptedChatModel

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "audit"]),
]
SHOTS = Path(__file__).resolve().parents[2] / "var" / "screenshots"
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
QUESTION = "What happened after ramipril was stopped?"
SAYS = "Ramipril was stopped after a potassium of 6.1 mmol/L [1]. The potassium was 9.87 mmol/L [1]. "
SIZES = [(1280, 900), (390, 844)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium on this machine")
    # Playwright's loop runs in this thread, which Django takes for an async context.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"  # noqa: TID251 - a switch of Django's own, for this stage only
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield opened
        opened.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]  # noqa: TID251 - as above


@pytest.fixture
def clinic() -> Clinic:
    make_user(Role.CLINICIAN)
    cast("ScriptedChatModel", backends().chat).says = SAYS
    return load_clinic()


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, clinic: Clinic) -> Iterator[Page]:
    """Yield a page that fails the test on any console error or request to another origin."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("console", partial(_note_console, wrong))
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", partial(_note_origin, wrong, live_server.url))
    yield opened
    context.close()
    assert wrong == []


def _note_console(wrong: list[str], message: ConsoleMessage) -> None:
    if message.type == "error":
        wrong.append(message.text)


def _note_origin(wrong: list[str], origin: str, request: Request) -> None:
    if not request.url.startswith(origin):
        wrong.append(f"other origin: {request.url}")


def log_in(page: Page) -> None:
    page.goto("/login")
    page.fill("#id_username", Role.CLINICIAN.value)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#patient-list")


def open_chart(page: Page, words: str) -> None:
    page.goto("/")
    page.fill("#patient-search", words)
    expect(page.locator(".patient-table tbody tr")).to_have_count(1)
    page.click(".patient-table tbody a")
    page.wait_for_selector(".patient-banner")


def ask(page: Page, words: str) -> None:
    page.keyboard.press("/")
    page.keyboard.type(words)
    page.keyboard.press("Control+Enter")
    page.wait_for_selector(".completed")


def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    width = page.viewport_size["width"] if page.viewport_size else 0
    page.screenshot(path=SHOTS / f"{name}-{width}.png")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_from_log_in_to_the_highlighted_words(page: Page, clinic: Clinic, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto("/login")
    shoot(page, "login")
    log_in(page)
    shoot(page, "patients")
    open_chart(page, "brennan")
    shoot(page, "chart")
    ask(page, QUESTION)
    shoot(page, "answer")

    quotes = page.locator(".sentence.by-quote")
    assert "Ramipril was stopped" in quotes.first.inner_text()
    assert page.locator(".sentence.withheld").count() == 1
    assert "9.87" not in page.content()
    assert "may be incomplete" in page.locator("#announce").inner_text()

    page.locator(".sentence.by-quote .cite").first.click()
    mark = page.locator("#source-panel mark#cited")
    mark.wait_for()
    assert "Ramipril was stopped" in mark.inner_text()
    assert mark.evaluate("m => m.getBoundingClientRect().top >= 0 && m.getBoundingClientRect().bottom <= innerHeight")
    shoot(page, "source")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Escape")
    assert page.locator("#source-panel > *").count() == 0
    assert page.evaluate("document.activeElement.matches('.cite')")


def test_the_banner_stays_while_scrolling(page: Page) -> None:
    log_in(page)
    for width, _ in SIZES:
        page.set_viewport_size({"width": width, "height": 500})
        open_chart(page, "brennan")
        page.evaluate("scrollTo(0, 200)")
        assert page.evaluate("scrollY") == 200
        assert page.locator(".banner-name").evaluate("n => n.getBoundingClientRect().top >= 0")


def test_another_patient_shows_nothing_of_the_former_one(page: Page) -> None:
    log_in(page)
    open_chart(page, "brennan")
    ask(page, QUESTION)
    page.locator(".cite").first.click()
    page.wait_for_selector(".source")
    open_chart(page, "silveira")

    for words in ("BRENNAN", "Ramipril", "ramipril", "Penicillin"):
        assert words not in page.content()
    stored = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}])")
    assert re.fullmatch(r"\[\{\},\{\}\]", stored)


def test_back_after_logging_out_shows_no_chart(page: Page) -> None:
    log_in(page)
    open_chart(page, "brennan")
    page.click("#logout-form button")
    page.wait_for_selector("#id_username")
    page.go_back()
    page.wait_for_load_state()

    assert "BRENNAN" not in page.content()


def test_no_address_ever_held_a_name(page: Page, live_server: LiveServer) -> None:
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    log_in(page)
    open_chart(page, "brennan")
    ask(page, QUESTION)

    assert len(addresses) > 10
    assert not [one for one in addresses if re.search(r"brennan|orla|ramipril", one.lower())]


def test_stop_ends_the_stream_and_says_so(page: Page) -> None:
    log_in(page)
    open_chart(page, "brennan")
    # Hold the stream back, so that the button can be pressed while it runs.
    page.route("**/events", lambda route: None)
    page.fill("#question", QUESTION)
    page.click(".ask button.primary")
    page.click("[data-stop]")

    assert "Stopped" in page.locator("[data-working]").inner_text()


def test_single_keys_can_be_switched_off(page: Page) -> None:
    log_in(page)
    open_chart(page, "brennan")
    page.keyboard.press("?")
    page.uncheck("[data-keys-switch]")
    page.click("#help-dialog button")
    page.keyboard.press("/")

    assert not page.evaluate("document.activeElement.matches('#question')")


def test_text_contrast_and_target_sizes_hold_in_both_schemes(page: Page) -> None:
    log_in(page)
    open_chart(page, "brennan")
    ask(page, QUESTION)
    probe = (Path(__file__).with_name("accessibility_probe.js")).read_text()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=cast("None", scheme))
        assert page.evaluate(probe) == []


def test_the_chart_address_is_the_only_state(page: Page, clinic: Clinic) -> None:
    log_in(page)
    page.goto(reverse("chart", args=[clinic.full]))

    assert page.locator("#answer-area > *").count() == 0
