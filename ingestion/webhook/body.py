"""A request's body, streamed to a file that has no name, up to a limit, and only if it is whole.

Source: HL7 FHIR R4 4.0.1, "Content Types and encodings" (https://hl7.org/fhir/R4/http.html#mime-type).
"""

from __future__ import annotations

from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NoReturn, cast

from ingestion.domain.fhir_door.outcome import refused

if TYPE_CHECKING:
    from django.http import HttpRequest

IN_MEMORY: Final = 4 * 2**20
_CHUNK: Final = 1 << 18
_MEDIA: Final = frozenset({"application/fhir+json", "application/json"})
_MOST_DIGITS: Final = 15


def require_json(request: HttpRequest) -> None:
    """Let FHIR R4 JSON in UTF-8 through.

    Raises:
        RefusedError: media-type, fhir-version, content-encoding.
    """
    parameters = {key.lower(): value.strip('"').lower() for key, value in (request.content_params or {}).items()}
    if request.content_type not in _MEDIA or parameters.get("charset", "utf-8") not in {"utf-8", "utf8"}:
        raise refused("media-type")
    if not parameters.get("fhirversion", "4.0").startswith("4.0"):
        raise refused("fhir-version")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise refused("content-encoding")


def require_accept(request: HttpRequest) -> None:
    """Refuse a caller that wants something else than JSON.

    Raises:
        RefusedError: not-acceptable.
    """
    wanted = request.GET.get("_format", "")
    if wanted and "json" not in wanted:
        raise refused("not-acceptable")
    accepted = request.headers.get("Accept", "*/*").lower()
    if not wanted and not any(one in accepted for one in ("json", "*/*", "application/*")):
        raise refused("not-acceptable")


def read_body(request: HttpRequest, limit: int) -> BinaryIO:
    """Return the body as a file that stands at its beginning; above 4 MiB it lies on disk, without a name there.

    Args:
        request: nothing of its body has been read yet.
        limit: most bytes.

    Raises:
        RefusedError: too-large, empty-body, body-incomplete, bad-length.
    """
    announced = request.headers.get("Content-Length", "")
    if announced and (not announced.isdecimal() or len(announced) > _MOST_DIGITS):
        raise refused("bad-length")
    if int(announced or 0) > limit:
        raise refused("too-large")
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    # Django reads as many bytes as are announced; of a chunked body the server itself knows the end.
    source: Any = request.META["wsgi.input"] if chunked and request.META.get("wsgi.input_terminated") else request
    file = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - the caller closes it
    try:
        size = _copy(source, cast("BinaryIO", file), limit)
        if size == 0:
            _refuse("empty-body" if not int(announced or 0) else "body-incomplete")
        if announced and not chunked and size != int(announced):
            _refuse("body-incomplete")
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return cast("BinaryIO", file)


def _copy(source: BinaryIO, file: BinaryIO, limit: int) -> int:
    size = 0
    while True:
        try:
            chunk = source.read(_CHUNK)
        except OSError:  # the sender hung up
            raise refused("body-incomplete") from None
        if not chunk:
            return size
        size += len(chunk)
        if size > limit:
            raise refused("too-large")
        file.write(chunk)


def _refuse(code: str) -> NoReturn:
    raise refused(code)
