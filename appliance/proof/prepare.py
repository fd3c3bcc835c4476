"""Makes the record of a run: databases, users, callers, and the synthetic clinic's files.

Usage: python -m appliance.proof.prepare, in the environment of the run. Prints what the callers need, as JSON.
"""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import Final

from appliance.config import config, use_settings_module

use_settings_module()

import django  # noqa: E402 - settings first

django.setup()

from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from appliance.demo_clinic import REFERENCE_DATE, build  # noqa: E402
from appliance.processes.demo_users import demo_password, ensure_demo_users  # noqa: E402
from clinical.api.tokens import Wanted, make  # noqa: E402

_LIFE: Final = timedelta(hours=2)


def main() -> None:
    """Prepare, then print the password and the tokens, which are worth nothing after the run."""
    folder = config().var
    for database in ("default", "audit"):
        call_command("migrate", database=database, interactive=False, verbosity=0)
    password = demo_password(folder / "secrets")
    ensure_demo_users(password)
    build(folder / "clinic", reference=REFERENCE_DATE)
    told = {"password": password, "fhir": _said("fhir_client", "--name", "proof")}
    for name, username, scopes in (
        ("clinician", "demo-clinician", ("patients", "ask")),
        ("operator", "demo-operator", ("ingest",)),
    ):
        wanted = Wanted(User.objects.get(username=username), scopes, "egress proof", _LIFE)
        told[name], _ = make(wanted, made_by="egress-proof", now=timezone.now())
    _said("cds_demo_client")
    print(json.dumps(told))  # noqa: T201 - its only result


def _said(command: str, *words: str) -> str:
    out = io.StringIO()
    call_command(command, *words, stdout=out, stderr=io.StringIO())
    return out.getvalue().strip()


if __name__ == "__main__":
    main()
