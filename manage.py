#!/usr/bin/env python
"""Django's command line for the appliance."""

import sys

from appliance.config import use_settings_module
from appliance.doctor.refused_settings import stop_on_refused_settings
from appliance.precedence import BULK_COMMANDS, Place, take_place
from appliance.restoring import refuse_while_restoring

# What may run while a restore has begun and not ended.
WHILE_RESTORING = frozenset({"restore", "doctor", "help"})


def main() -> None:
    """Run a management command of the appliance."""
    use_settings_module()
    stop_on_refused_settings()
    if not WHILE_RESTORING.intersection(sys.argv[1:2]):
        refuse_while_restoring()
    if BULK_COMMANDS.intersection(sys.argv[1:2]):
        take_place(Place.BULK)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
