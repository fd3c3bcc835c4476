"""The people's door as a WSGI application."""

from appliance.config import use_settings_module

use_settings_module()

from django.core.wsgi import get_wsgi_application  # noqa: E402 - settings first

application = get_wsgi_application()
