"""A door as a WSGI application; which one, the configuration says."""

from appliance.config import config, use_settings_module

use_settings_module()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - settings first

application = get_wsgi_application()

if config().door == "machines":
    from appliance.pauses import keep_pauses_short
    from clinical.cds_hooks.warm import warm_up

    keep_pauses_short(warm_up)
