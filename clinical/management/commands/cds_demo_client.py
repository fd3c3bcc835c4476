"""Make a CDS client for trying the services out, and sign a token for one call."""

from __future__ import annotations

import json
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinical.cds_hooks.clients import clients

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

ISSUER: Final = "urn:clinical-appliance:demo-cds-client"
SERVER: Final = "http://127.0.0.1/fhir"
USER: Final = "Practitioner/demo"
KEY_ID: Final = "demo-1"
LIFETIME_S: Final = 300


class Command(BaseCommand):
    """`manage.py cds_demo_client [--path /cds-services] [--user demo-clinician]`."""

    help = "Register a demonstration CDS client on first use and print a token for one call. Not on a site."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--path", default="/cds-services", help="which address the token is for")
        parser.add_argument("--user", default="demo-clinician", help=f"login name that {USER} stands for, on first use")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the token; to stderr how to call.

        Raises:
            CommandError: on a site, whose clients bring keys of their own.
        """
        if settings.CLINICAL_PROFILE == "site":
            raise CommandError("on a site each client has its own key; see the file APPLIANCE_CDS_CLIENTS names")
        file = Path(settings.CLINICAL_CDS_CLIENTS)
        key = _key(file.with_name("cds_demo_client.pem"))
        if ISSUER not in clients(file):
            _register(file, key, options["user"])
            self.stderr.write(f"registered {ISSUER} in {file.name}: fhirServer {SERVER}, userId {USER}")
        now, url = int(timezone.now().timestamp()), f"{settings.CLINICAL_MACHINES_URL}{options['path']}"
        claims = {"iss": ISSUER, "aud": url, "iat": now, "exp": now + LIFETIME_S, "jti": str(uuid.uuid4())}
        self.stderr.write(f"good for one call of {url} within {LIFETIME_S} seconds")
        self.stdout.write(jwt.encode(claims, key, algorithm="ES384", headers={"kid": KEY_ID}))


def _key(file: Path) -> ec.EllipticCurvePrivateKey:
    """Return the demonstration client's private key; made at first use, readable by its owner only."""
    if not file.exists():
        made = ec.generate_private_key(ec.SECP384R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(made)
    key = serialization.load_pem_private_key(file.read_bytes(), password=None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise CommandError(f"{file.name} holds another kind of key")
    return key


def _register(file: Path, key: ec.EllipticCurvePrivateKey, user: str) -> None:
    public: dict[str, Any] = jwt.get_algorithm_by_name("ES384").to_jwk(key.public_key(), as_dict=True)
    row = {
        "issuer": ISSUER,
        "keys": [public | {"kid": KEY_ID}],
        "fhir_servers": {SERVER: ""},
        "users": {USER: user},
    }
    held = json.loads(file.read_text()) if file.exists() else []
    file.write_text(json.dumps([*held, row], indent=2) + "\n")
