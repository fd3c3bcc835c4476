"""The operator's pages in a real browser at two sizes: nothing overflows, nothing is refused by the policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from clinical.domain.access import Role
from ingestion.models import QuarantinedItem, UnassignedItem
from ingestion.reconciliation.expected import Expected
from ingestion.reconciliation.services import reconcile
from tests.factories import NOON, bundle, observation, take_in
from tests.web.conftest import PASSWORD, make_user
from tests.web.test_browser import SIZES, browser, clinic, page, shoot

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.web.conftest import Clinic

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True, databases=["default", "audit"]),
]
__all__ = ["browser", "clinic", "page"]  # fixtures


@pytest.fixture(autouse=True)
def _queue(clinic: Clinic, settings: Any) -> None:
    settings.CLINICAL_KNOWN_AUTHORITIES = frozenset({"urn:clinic:mrn"})
    broken = {"resourceType": "Observation", "id": "bad", "status": "final"}
    take_in(bundle(observation("a", subject="x"), observation("b", subject="x"), broken))
    take_in(bundle(*(observation(f"c{number}", subject=f"y{number}") for number in range(12))))
    expected = [Expected("web-orla", "Observation", 5000, 1), Expected("nobody-known", "Condition", 2, 2)]
    reconcile(expected, source="csv", server=None, by="operator", now=NOON)


def enter(page: Page, role: Role) -> None:
    page.goto("/login")
    page.fill("#id_username", role.value)
    page.fill("#id_password", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_selector("#main h1")


def fits(page: Page) -> bool:
    wide: bool = page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    return wide


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_operators_pages_fit(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    make_user(Role.OPERATOR)
    enter(page, Role.OPERATOR)
    item = QuarantinedItem.objects.get().pk
    for name, address in (
        ("ledger", "/ingest/"),
        ("health", "/ingest/health/"),
        ("held", "/ingest/held/"),
        ("held-item", f"/ingest/held/quarantined/{item}/"),
        ("conservation", "/ingest/conservation/"),
        ("reconciliation", "/ingest/reconciliation/"),
    ):
        page.goto(address)
        shoot(page, name)
        assert fits(page), name
        expect(page.locator(".page-foot")).to_contain_text("Last message by feed")


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_from_the_queue_to_the_original_and_into_the_record(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    enter(page, Role.CLINICIAN)
    item = UnassignedItem.objects.order_by("pk")[0].pk
    page.click(".page-foot a")
    page.click(f"a[href$='/unassigned/{item}/']")
    page.click("text=Open the original")
    expect(page.locator("#original mark")).to_contain_text('"id": "a"')
    page.fill("#patient-search", "brennan")
    page.click("#patient-search + button")
    page.check("input[name=patient]")
    page.select_option("select[name=scope]", "reference")
    page.select_option("form[action$='/assign'] select[name=why]", "asked-the-ward")
    shoot(page, "held-assign")
    assert fits(page)
    page.click("form[action$='/assign'] button")
    expect(page.locator("h1 .state")).to_have_text("Assigned")
    shoot(page, "held-assigned")
    assert UnassignedItem.objects.filter(resolution="assigned").count() == 2
