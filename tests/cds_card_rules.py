"""What CDS Hooks 2.0 and the 3.0 ballot's invariants ask of a reply with cards, written out independently."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

INDICATORS = {"info", "warning", "critical"}
CARD = {
    "uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior", "overrideReasons", "links",
}  # fmt: skip


def check_reply(reply: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cards of a reply that keeps every rule; cds-resp-1 to 7 and the attribute tables."""
    assert set(reply) <= {"cards", "systemActions"}
    assert isinstance(reply["cards"], list)
    for card in reply["cards"]:
        assert_card(card)
    return list(reply["cards"])


def assert_card(card: dict[str, Any]) -> None:
    assert set(card) <= CARD
    UUID(card["uuid"])
    assert 0 < len(card["summary"]) < 140
    assert "\n" not in card["summary"]
    assert card["indicator"] in INDICATORS
    assert card["source"]["label"]
    if "suggestions" in card:
        assert card["selectionBehavior"] in ("at-most-one", "any")  # cds-resp-6
    for one in card.get("overrideReasons", []):
        assert one["display"]  # cds-resp-4
        assert one["code"]
    for one in card.get("links", []):
        assert one["label"]
        assert one["type"] in ("absolute", "smart")
        assert one["type"] == "smart" or "appContext" not in one  # cds-resp-3
        assert urlsplit(one["url"]).scheme in ("http", "https")
    assert_no_empty(card)


def assert_no_empty(value: Any) -> None:
    """ "JSON attribute values SHALL NOT be null or empty"."""
    assert value not in (None, "", [], {})
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        assert_no_empty(one)
