"""What a request to the FHIR door asks for: the kind of Bundle, its entries, and conditions nobody here can keep.

A condition that is not supported is refused, never ignored: a conditional create that creates anyway is a lie.

Source: HL7 FHIR R4 4.0.1, RESTful API, "batch/transaction" (https://hl7.org/fhir/R4/http.html#transaction) and Bundle
constraints bdl-3 and bdl-7.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import UNSET

from ingestion.domain.documents.attachments import AttachmentError, documents_in, may_hold_documents
from ingestion.domain.documents.binaries import with_binaries
from ingestion.domain.fhir_door.outcome import Problem, refused
from ingestion.domain.items import RejectedItem, ResourceItem
from ingestion.domain.r4.bundles import read_fhir
from ingestion.domain.r4.check import json_issue, resource_type_of
from ingestion.domain.r4.envelope import open_bundle
from ingestion.domain.r4.issues import InvalidResourceError, Issue
from ingestion.domain.r4.tables import is_resource_type

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingestion.domain.r4.envelope import OpenBundle

_INSTANCE: Final = re.compile(r"([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")
_CONDITIONAL: Final = re.compile(rb'"reference"\s*:\s*"[A-Z][A-Za-z]+\?')
_ENTRY: Final = re.compile(r"^entry\[(\d+)\]")
_CONDITIONS: Final = ("ifMatch", "ifNoneMatch", "ifModifiedSince")


class Head(msgspec.Struct):
    """Type and id of a resource, "" where it does not say."""

    resource_type: str = msgspec.field(default="", name="resourceType")
    id: str = ""


_head: Final = msgspec.json.Decoder(Head).decode


class Kind(StrEnum):
    """How a request is to be taken."""

    TRANSACTION = "transaction"  # all or nothing
    BATCH = "batch"  # each entry by itself
    MESSAGE = "message"  # all or nothing, answered with a message
    COLLECTION = "collection"  # what can be taken in is; also searchset, document, history
    SINGLE = "single"


_KINDS: Final = {
    "transaction": Kind.TRANSACTION,
    "batch": Kind.BATCH,
    "message": Kind.MESSAGE,
    **dict.fromkeys(("collection", "searchset", "document", "history"), Kind.COLLECTION),
}
WHOLE: Final = frozenset({Kind.TRANSACTION, Kind.MESSAGE, Kind.SINGLE})
"""Kinds of which one bad part refuses everything."""


@dataclass(slots=True)
class Asked:
    """A request taken apart.

    `problems` are by number of entry (0 for a single resource); `found` are the resources of each entry that passed.
    `needs_time` says that words of documents have to be read, which nobody should wait for. `header` is the
    MessageHeader of a message.
    """

    kind: Kind
    entries: int
    problems: dict[int, list[Problem]] = field(default_factory=dict)
    found: dict[int, list[ResourceItem]] = field(default_factory=dict)
    methods: list[str] = field(default_factory=list)
    needs_time: bool = False
    header: bytes = b""

    @property
    def all_problems(self) -> list[Problem]:
        """Every problem, in the order of the entries."""
        return [one for number in sorted(self.problems) for one in self.problems[number]]


def read_request(content: bytes, *, max_resource_bytes: int, servers: frozenset[str] | None, server: str) -> Asked:
    """Take a body apart.

    Args:
        content: the body, without a byte order mark.
        max_resource_bytes: a larger resource is refused.
        servers: base URLs the sender may speak for, None for any.
        server: the one that resources whose fullUrl names none belong to.

    Raises:
        RefusedError: it is no FHIR R4 JSON, or a kind of Bundle that is not taken in.
    """
    try:
        if resource_type_of(content) != "Bundle":
            asked = Asked(Kind.SINGLE, 1)
        else:
            bundle = open_bundle(content)
            asked = _asked(bundle)
    except InvalidResourceError as error:
        raise refused(error.issue.code, error.issue.path) from None
    strict = asked.kind in {Kind.TRANSACTION, Kind.BATCH}
    for item in with_binaries(read_fhir(content, max_resource_bytes=max_resource_bytes), content):
        number = entry_number(item.position)
        if isinstance(item, RejectedItem):
            if item.position == "" and asked.kind is not Kind.SINGLE:
                raise refused(item.reason, item.detail)
            if not (item.reason in {"not-a-record", "conditional-delete"} and asked.problems.get(number)):
                _add(asked, number, Problem(item.reason, *_place(item, asked.kind)))
        elif isinstance(item, ResourceItem):
            placed = replace(item, server=item.server or server)
            problem = _problem_of(placed, servers, strict=strict, single=asked.kind is Kind.SINGLE)
            if problem is not None:
                _add(asked, number, problem)
            else:
                asked.found.setdefault(number, []).append(placed)
                asked.needs_time |= _needs_time(placed)
    if asked.kind is Kind.TRANSACTION:
        _refuse_twins(asked)
    return asked


def head_of(content: bytes) -> Head:
    """Return type and id of one resource.

    Raises:
        InvalidResourceError: no JSON object, or one of the two is no text.
    """
    try:
        return _head(content)
    except msgspec.ValidationError:
        raise InvalidResourceError(Issue("not-a-resource")) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidResourceError(json_issue(error)) from None


def entry_number(position: str) -> int:
    """Return the number of the entry in which something stands; 0 for a resource alone."""
    match = _ENTRY.match(position)
    return int(match[1]) if match else 0


def _asked(bundle: OpenBundle) -> Asked:
    kind = _KINDS.get(bundle.type)
    if kind is None:
        raise refused("bundle-type", "Bundle.type")
    asked = Asked(kind, len(bundle.entries))
    if kind is Kind.MESSAGE:
        asked.header = _need_header(bundle)
    if kind in {Kind.TRANSACTION, Kind.BATCH}:
        for number, entry in enumerate(bundle.entries):
            struct = entry.struct
            asked.methods.append("" if isinstance(struct, Issue) else _method(struct))
            if not isinstance(struct, Issue):
                for problem in _conditions(struct, entry.resource, number):
                    _add(asked, number, problem)
    if kind is Kind.TRANSACTION:
        urls = Counter(e.struct.fullUrl for e in bundle.entries if getattr(e.struct, "fullUrl", UNSET) is not UNSET)
        for number, entry in enumerate(bundle.entries):
            if urls.get(getattr(entry.struct, "fullUrl", UNSET), 0) > 1:
                _add(asked, number, Problem("duplicate-full-url", f"Bundle.entry[{number}].fullUrl"))
    return asked


def _method(struct: Any) -> str:  # noqa: ANN401 - a Struct built at run time
    return "" if struct.request is UNSET else str(struct.request.method)


def _need_header(bundle: OpenBundle) -> bytes:
    try:
        first = bundle.entries[0].resource if bundle.entries else b""
        if first and resource_type_of(first) == "MessageHeader":
            return first
    except InvalidResourceError:
        pass
    raise refused("no-message-header", "Bundle.entry[0]")


def _conditions(struct: Any, resource: bytes, number: int) -> Iterator[Problem]:  # noqa: ANN401 - built at run time
    at = f"Bundle.entry[{number}].request"
    if struct.request is UNSET:
        yield Problem("no-request", at)
        return
    request = struct.request
    if request.method not in {"POST", "PUT", "DELETE"}:
        yield Problem("not-a-record", f"{at}.method")
        return
    if request.ifNoneExist is not UNSET:
        yield Problem("conditional-create", f"{at}.ifNoneExist")
    for name in _CONDITIONS:
        if getattr(request, name, UNSET) is not UNSET:
            yield Problem("version-condition", f"{at}.{name}")
    if "?" in request.url:
        yield Problem("conditional-delete" if request.method == "DELETE" else "conditional-update", f"{at}.url")
        return
    yield from _address(request.method, request.url, resource, number)


def _address(method: str, url: str, resource: bytes, number: int) -> Iterator[Problem]:
    """Compare the entry's address with what it carries."""
    at = f"Bundle.entry[{number}].request.url"
    instance = _INSTANCE.fullmatch(url)
    resource_type = instance[1] if instance else url
    if (instance is None) != (method == "POST") or not is_resource_type(resource_type):
        yield Problem("bad-request-url", at)
        return
    if not resource or method == "DELETE":
        return
    try:
        head = head_of(resource)
    except InvalidResourceError:
        return  # said when the resource is read
    if head.resource_type != resource_type:
        yield Problem("other-type", at)
    elif instance and head.id != instance[2]:
        yield Problem("other-id", at)


def _problem_of(item: ResourceItem, servers: frozenset[str] | None, *, strict: bool, single: bool) -> Problem | None:
    at = item.resource_type if single else f"Bundle.{item.position}.resource"
    if servers is not None and item.server not in servers:
        return Problem("server-not-registered", f"Bundle.{item.position}.fullUrl")
    if (strict or single) and _CONDITIONAL.search(item.content):
        return Problem("conditional-reference", at)
    if may_hold_documents(item.resource_type, item.content):
        try:
            list(documents_in(item.resource_type, item.content))
        except AttachmentError as error:
            return Problem(error.reason, error.path if single else f"{at}{error.path.removeprefix(item.resource_type)}")
        except ValueError:  # valid R4 in a rare form that holds no data here
            return None
    return None


def _needs_time(item: ResourceItem) -> bool:
    if not may_hold_documents(item.resource_type, item.content):
        return False
    try:
        return any(True for _ in documents_in(item.resource_type, item.content))
    except ValueError:
        return False


def _refuse_twins(asked: Asked) -> None:
    """Refuse a transaction in which one resource stands twice; an order among them would be a guess."""
    seen: dict[tuple[str, str, str], int] = {}
    for number, items in sorted(asked.found.items()):
        for item in items:
            if seen.setdefault((item.server, item.resource_type, item.resource_id), number) != number:
                _add(asked, number, Problem("duplicate-identity", f"Bundle.entry[{number}]"))


def _place(item: RejectedItem, kind: Kind) -> tuple[str, str]:
    """Return (expression, place) of a rejected item: an element's path, or where the bytes broke."""
    if item.detail.startswith("byte "):
        return "", item.detail
    if kind is Kind.SINGLE or not item.position:
        return item.detail, ""
    head = f"Bundle.{item.position.replace(' ', '.')}"
    if not item.detail or item.detail.startswith("Bundle.entry."):
        return head + item.detail.removeprefix("Bundle.entry"), ""
    element = item.detail.partition(".")[2]
    return f"{head}.resource" + (f".{element}" if element else ""), ""


def _add(asked: Asked, number: int, problem: Problem) -> None:
    asked.problems.setdefault(number, []).append(problem)
