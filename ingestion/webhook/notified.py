"""The receiver of Subscription notifications: who sends, in which form, and what becomes of it.

Sources: HL7 FHIR R4 4.0.1, Subscription, "rest-hook"; Subscriptions R5 Backport implementation guide 1.1.0. A signature
(X-Signature: hex HMAC-SHA256 of the body) is in neither; Medplum sends it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.utils import timezone

from clinical.audit import trail
from ingestion.domain.fhir_door.capability import NOT_KEPT
from ingestion.domain.fhir_door.interactions import head_of
from ingestion.domain.fhir_door.outcome import RefusedError, refused, told
from ingestion.domain.r4.check import check_resource
from ingestion.domain.r4.issues import InvalidResourceError
from ingestion.models import Subscription
from ingestion.parsers.port import UTF8_BOM
from ingestion.subscriptions.receiver import (
    feed_of,
    heard_nothing_but_a_change,
    secret_of,
    take_notification,
    take_resource,
)
from ingestion.webhook.body import read_body, require_json
from ingestion.webhook.borders import answering, fhir, note_refusal

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


SIGNATURE: Final = "X-Signature"
_PREFIXES: Final = (b"Bearer ", b"")


@answering("POST", "PUT")
def notification(request: HttpRequest, name: str, resource_type: str = "", resource_id: str = "") -> HttpResponse:
    """Take a notification; a bare resource may come by POST, or by PUT under its own type and id."""
    row = Subscription.objects.filter(name=name).first()
    if row is None:
        raise refused("subscription-unknown")
    try:
        said = _take(request, row, (resource_type, resource_id))
    except RefusedError as error:
        note_refusal("fhir.subscription", "REFUSED", feed_of(row), error)
        raise
    entry = trail.Entry("fhir.subscription", "SUCCESS", feed_of(row), detail={"kind": said})
    trail.append(entry, now=timezone.now())
    return fhir(told(said, "Received."))


def _take(request: HttpRequest, row: Subscription, named: tuple[str, str]) -> str:
    """Check sender, form and content, keep it, and return what it was."""
    content = _body(request)
    _authenticate(request, row, content)
    if not row.is_on:
        raise refused("subscription-off")
    now = timezone.now()
    if row.kind == Subscription.Kind.BACKPORT:
        require_json(request)
        if request.method != "POST" or named[0]:
            raise refused("not-a-notification")
        return take_notification(row, content, now=now).kind
    if not content:
        heard_nothing_but_a_change(row, now=now)
        return "empty"
    require_json(request)
    _check_bare(content, named, put=request.method == "PUT")
    take_resource(row, content, now=now)
    return "resource"


def _body(request: HttpRequest) -> bytes:
    try:
        with read_body(request, settings.INGESTION_FHIR_LIMITS[0]) as file:
            return file.read()
    except RefusedError as error:
        if error.problems[0].reason == "empty-body":
            return b""
        raise


def _authenticate(request: HttpRequest, row: Subscription, content: bytes) -> None:
    """Compare the secret, or the signature of the body, in constant time.

    Raises:
        RefusedError: bad-secret.
    """
    secret = secret_of(row)
    if row.header:
        given = request.headers.get(row.header, "").encode("utf-8", "replace")
        expected = [prefix + secret for prefix in _PREFIXES]
    else:
        given = request.headers.get(SIGNATURE, "").strip().lower().removeprefix("sha256=").encode("utf-8", "replace")
        expected = [hmac.new(secret, content, hashlib.sha256).hexdigest().encode()]
    if not any([hmac.compare_digest(given, one) for one in expected]):  # noqa: C419 - each is compared, whatever the first says
        raise refused("bad-secret")


def _check_bare(content: bytes, named: tuple[str, str], *, put: bool) -> None:
    """Let one valid resource through that is the one the address names.

    Raises:
        RefusedError: notification-in-r4, other-type, other-id, method, or the reason for which it is no valid R4.
    """
    try:
        head = head_of(content.removeprefix(UTF8_BOM))
        if head.resource_type in NOT_KEPT:
            raise refused("notification-in-r4")
        check_resource(content.removeprefix(UTF8_BOM))
    except InvalidResourceError as error:
        raise refused(error.issue.code, error.issue.path) from None
    if put and not named[1]:
        raise refused("method")
    if named[0] not in ("", head.resource_type):
        raise refused("other-type", head.resource_type)
    if named[1] not in ("", head.id):
        raise refused("other-id", f"{head.resource_type}.id")
