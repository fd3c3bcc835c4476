"""Configuration, secrets and certificates."""

from __future__ import annotations

import re
import stat
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cryptography import x509
from django.conf import settings as django

from appliance.config import SECRET_NAMES
from appliance.doctor.finding import not_checked, right, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.config import Config, SecretName
    from appliance.doctor.finding import Finding, Look

SITE_FILE: Final = "/etc/appliance/site.yml"
APPLY: Final = "set it in /etc/appliance/site.yml, then run the bundle's bootstrap/continue again"
EXPIRES_WITHIN: Final = timedelta(days=30)
_SITE_CERTIFICATES: Final = Path("/etc/appliance/tls")
_HEX_KEYS: Final[tuple[SecretName, ...]] = ("master_key", "backup_signing_key")
_HEX: Final = re.compile(r"[0-9a-fA-F]{64}")


def configuration(look: Look) -> Finding:
    """Say what in the settings contradicts the profile."""
    found = list(_faults(look.settings)) if look.site else []
    if django.DEBUG:
        found.append("DEBUG is on: pages would show what the program holds")
    if not found:
        return right("configuration", f"profile {look.settings.profile}, data in {look.settings.var}")
    return wrong(
        "configuration", "; ".join(found), APPLY if look.site else "set DEBUG = False in appliance/settings.py"
    )


def _faults(settings: Config) -> Iterator[str]:
    if settings.demo:
        yield "this site is marked as the demonstration clinic (demo)"
    if settings.default_care_team:
        yield "a default care team treats every patient (default_care_team)"
    if "*" in settings.allowed_hosts:
        yield "every host name is accepted (allowed_hosts)"
    if not settings.authorities:
        yield "no assigning authority is known, so that every record waits unassigned (known_authorities)"
    if not settings.backup_recipient:
        yield "no key is named that backups are encrypted to (backup_recipient)"
    if not settings.database_url or not settings.audit_database_url:
        yield "a database is not named (database_url, audit_database_url)"


def secrets(look: Look) -> Finding:
    """Say which secret is missing, malformed or readable by others."""
    found = list(_bad_secrets(look))
    if found:
        mend = "install -m 0600 FILE /etc/appliance/credentials/  (and give it to the unit with LoadCredential)"
        return wrong("secrets", "; ".join(found), mend if look.site else f"chmod -R go= {_folder(look)}")
    return right("secrets", f"{len(SECRET_NAMES)} are there, for their owner only")


def _folder(look: Look) -> Path:
    return look.settings.var / "secrets"


def _bad_secrets(look: Look) -> Iterator[str]:
    for name in SECRET_NAMES:
        given = getattr(look.settings, name)
        path = _folder(look) / name
        if given is None and look.site:
            yield f"{name} is not given to this process"
        value = given.get_secret_value() if given is not None else path.read_text().strip() if path.exists() else None
        if name in _HEX_KEYS and value is not None and not _HEX.fullmatch(value):
            yield f"{name} is not 64 hexadecimal digits"
    for path in [_folder(look), *_folder(look).glob("*")]:
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield f"{path.name} is open to others than its owner"


def certificates(look: Look, *, folder: Path = _SITE_CERTIFICATES) -> Finding:
    """Say which certificate has expired or soon will."""
    places = [one for one in (look.settings.mllp_tls_cert, look.settings.mllp_tls_client_ca) if one]
    if look.site:
        places += [*sorted(folder.glob("*.pem")), *sorted(folder.glob("*.crt"))]
    ends, unread = [], []
    for place in dict.fromkeys(places):
        try:
            ends += [(one.not_valid_after_utc, place.name) for one in _read(place)]
        except (OSError, ValueError):
            unread.append(place.name)
    soon = [f"{name} ends {end:%Y-%m-%d}" for end, name in sorted(ends) if end < look.now + EXPIRES_WITHIN]
    mend = f"put the new certificate where {SITE_FILE} says, then run the bundle's bootstrap/continue again"
    if soon:
        return wrong("certificates", "; ".join(soon), mend)
    if unread:
        return wrong("certificates", f"cannot be read: {', '.join(unread)}", mend)
    if not ends:
        return not_checked("certificates", "none is configured here")
    return right("certificates", f"{len(ends)}; the first ends {min(ends)[0]:%Y-%m-%d}")


def _read(place: Path) -> list[x509.Certificate]:
    content = place.read_bytes()
    return x509.load_pem_x509_certificates(content) if b"BEGIN CERTIFICATE" in content else []
