"""The WSGI application: key, route, errors in Qdrant's shape."""

from __future__ import annotations

import hmac
import logging
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

import msgspec

from appliance.vector_service import handlers
from appliance.vector_service.wire import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from wsgiref.types import StartResponse, WSGIEnvironment

    from appliance.vector_service.folder import Folder

VERSION: Final = "1.20.0"  # of the API whose part is served
MAX_BODY: Final = 64 * 2**20  # bytes of one request
log = logging.getLogger(__name__)
# Method and what follows /collections/{name} in the path.
ROUTES: Final[dict[tuple[str, str], Callable[[handlers.Call], object]]] = {
    ("GET", ""): handlers.info,
    ("PUT", ""): handlers.create,
    ("DELETE", ""): handlers.delete_collection,
    ("GET", "exists"): handlers.exists,
    ("PUT", "index"): handlers.create_index,
    ("PUT", "points"): handlers.upsert,
    ("POST", "points"): handlers.retrieve,
    ("POST", "points/delete"): handlers.delete,
    ("POST", "points/query"): handlers.query,
    ("POST", "points/query/batch"): handlers.query_batch,
    ("POST", "points/scroll"): handlers.scroll,
    ("POST", "points/count"): handlers.count,
}
REASONS: Final = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    409: "Conflict",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


class Application:
    """Serves the collections of one folder to holders of the key."""

    def __init__(self, folder: Folder, api_key: str) -> None:
        """Args: folder: the open data folder; api_key: what `api-key` must say."""
        self._folder = folder
        self._key = api_key.encode()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; never raises."""
        started = time.perf_counter()
        try:
            status, document = 200, self._document(environ, started)
        except RefusedError as error:
            status, document = error.status, _failure(error.reason, started)
        except RecursionError:
            status, document = 400, _failure("Wrong input: nested too deeply", started)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            log.error("engine failure: %s", type(error).__name__)  # noqa: TRY400 - its text may quote the request
            status, document = 500, _failure("Service internal error", started)
        body = msgspec.json.encode(document)
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response(f"{status} {REASONS[status]}", headers)
        return [body]

    def _document(self, environ: WSGIEnvironment, started: float) -> dict[str, Any]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path in {"/healthz", "/livez"}:
            return {"title": "healthz check passed"}
        if path == "/readyz":
            if self._folder.failed:
                raise RefusedError(503, f"engine failure in {', '.join(self._folder.failed)}: restart the service")
            return {"title": "all shards are ready", "recreated": self._folder.recreated}
        if not hmac.compare_digest(environ.get("HTTP_API_KEY", "").encode("latin-1"), self._key):
            raise RefusedError(401, "Must provide an API key")
        if path == "/":
            return {"title": "qdrant - embedded vector service", "version": VERSION}
        return {
            "result": self._result(method, path, environ),
            "status": "ok",
            "time": time.perf_counter() - started,
        }

    def _result(self, method: str, path: str, environ: WSGIEnvironment) -> object:
        head, _, rest = path.removeprefix("/collections/").partition("/")
        handler = ROUTES.get((method, rest))
        if not path.startswith("/collections/") or not head or handler is None:
            raise RefusedError(404, "Not found: this route is not served")
        wait = _parameters(environ.get("QUERY_STRING", ""))
        scope = environ.get("HTTP_X_SCOPE", "")
        if scope not in {"", "verify"}:
            raise RefusedError(400, "x-scope is verify or absent")
        call = handlers.Call(
            folder=self._folder,
            name=unquote(head),
            body=environ["wsgi.input"].read(),
            wait=wait,
            verify=bool(scope),
        )
        return handler(call)


def _parameters(query: str) -> bool:
    """Return whether the request waits for the disk; it does unless it says `wait=false`."""
    wait = True
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name == "wait" and value in {"true", "false"}:
            wait = value == "true"
        elif not (name == "timeout" and value.isdigit()):
            raise RefusedError(400, "a parameter of the query string is not known")
    return wait


def _failure(reason: str, started: float) -> dict[str, Any]:
    return {"status": {"error": reason}, "time": time.perf_counter() - started}
