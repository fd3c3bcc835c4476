"""Attachments become one text; free text inside a resource is found with its path."""

from __future__ import annotations

import base64
from typing import Any

from clinical.domain.html_words import plain_text_of_html
from clinical.domain.narrative import (
    SEPARATOR,
    narrative_fields,
    text_part,
    unread_attachments,
)


def document(*attachments: tuple[str, bytes]) -> dict[str, Any]:
    content = [
        {"attachment": {"contentType": kind, "data": base64.b64encode(raw).decode()}} for kind, raw in attachments
    ]
    return {"resourceType": "DocumentReference", "content": content}


def test_several_attachments_are_joined_and_charsets_honoured() -> None:
    resource = document(
        ("text/plain; charset=iso-8859-1", "Fièvre".encode("latin-1")),
        ("text/markdown", b"# Plan\nRest"),
    )
    assert text_part(resource) == f"Fièvre{SEPARATOR}# Plan\nRest"


def test_an_unknown_charset_falls_back_to_utf8_then_windows() -> None:
    assert text_part(document(("text/plain; charset=martian", "ß".encode()))) == "ß"
    assert text_part(document(("text/plain", b"38\xb0C"))) == "38°C"


def test_html_loses_its_tags_scripts_and_styles_but_no_words() -> None:
    markup = (
        "<html><head><title>x</title></head><body><p>Hb &lt; 7<br>pale</p><script>evil()</script><td>a</td><td>b</td>"
    )
    assert plain_text_of_html(markup) == "Hb < 7\npale\na | b"
    assert text_part(document(("text/html", markup.encode()))) == "Hb < 7\npale\na | b"


def test_what_cannot_be_read_is_named_by_type() -> None:
    resource = document(("application/pdf", b"%PDF"), ("text/plain", b"note"))
    resource["content"].append({"attachment": {"contentType": "text/plain", "data": "###"}})
    assert text_part(resource) == "note"
    assert unread_attachments(resource) == ["application/pdf", "text/plain"]


def test_report_forms_are_read_and_other_resources_have_none() -> None:
    form = document(("text/plain", b"Clear lungs."))["content"][0]["attachment"]
    assert text_part({"resourceType": "DiagnosticReport", "presentedForm": [form]}) == "Clear lungs."
    assert text_part({"resourceType": "Observation"}) == ""


def test_notes_conclusions_sections_and_long_values_are_found_with_their_paths() -> None:
    long = "Gram-positive cocci in clusters, identification to follow"
    resource = {
        "note": [{"text": "Seen with daughter."}, {"text": " "}],
        "conclusion": "No acute abnormality.",
        "valueString": long,
        "section": [{"section": [{"text": {"div": "<div>Plan</div>"}}]}],
    }
    assert narrative_fields(resource) == [
        (("note", 0, "text"), "Seen with daughter."),
        (("conclusion",), "No acute abnormality."),
        (("valueString",), long),
        (("section", 0, "section", 0, "text", "div"), "<div>Plan</div>"),
    ]
    assert narrative_fields({"valueString": "Positive"}) == []
