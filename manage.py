#!/usr/bin/env python
"""Django's command line for the appliance."""

import sys

from appliance.config import use_settings_module


def main() -> None:
    """Run a management command of the appliance."""
    use_settings_module()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
