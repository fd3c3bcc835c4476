"""A door as a WSGI application; which one, the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from appliance.config import config, use_settings_module
from appliance.precedence import Place, take_place
from appliance.restoring import refuse_while_restoring

use_settings_module()
refuse_while_restoring()
take_place(Place.PEOPLE if config().door == "people" else Place.MACHINES)

from django.core.wsgi import get_wsgi_application  # noqa: E402 - settings first

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


def _behind_the_proxy(inner: WSGIApplication) -> WSGIApplication:
    """Take the caller's address from the proxy, which alone may open this door's socket on a site."""

    def called(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        environ["REMOTE_ADDR"] = environ.get("HTTP_X_REAL_IP", "")
        return inner(environ, start_response)

    return called


application: WSGIApplication = get_wsgi_application()
if config().profile == "site":
    application = _behind_the_proxy(application)

if config().door == "machines":
    from appliance.pauses import keep_pauses_short
    from clinical.cds_hooks.warm import warm_up

    keep_pauses_short(warm_up)
