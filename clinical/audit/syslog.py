"""A row of the trail as one syslog message for the site's collector: who, what, when and with what outcome, no more.

RFC 5424 with structured data; framed by octet counting (RFC 6587, 3.4.1; RFC 5425 over TLS). `detail` stays here.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from clinical.models import AuditEvent

_AUDIT: Final = 13  # facility "log audit"
_INFORMATIONAL: Final = 6
_WARNING: Final = 4
_QUIET: Final = frozenset({"SUCCESS", "STARTED"})
_ID: Final = "trail@32473"  # the enterprise number of RFC 5612, for examples and documentation


def framed(row: AuditEvent, *, host: str) -> bytes:
    """Return a row as a framed message; `host` is this machine's name, times are UTC."""
    severity = _INFORMATIONAL if row.outcome in _QUIET else _WARNING
    at = row.recorded_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    data = {
        "seq": str(row.seq),
        "id": str(row.id),
        "outcome": row.outcome,
        "user": row.user_id,
        "onBehalfOf": row.on_behalf_of,
        "patient": row.patient_id,
        "purpose": row.purpose,
        "hash": row.hash,
    }
    told = " ".join(f'{name}="{_escaped(value)}"' for name, value in data.items() if value)
    header = f"<{_AUDIT * 8 + severity}>1 {at} {_name(host, 255)} appliance - {_name(row.action, 32)}"
    message = f"{header} [{_ID} {told}]".encode()
    return b"%d %b" % (len(message), message)


def _name(text: str, longest: int) -> str:
    """Return a header field: printable ASCII without spaces, "-" for none."""
    return "".join(one for one in text if "!" <= one <= "~")[:longest] or "-"


def _escaped(value: str) -> str:
    return "".join(f"\\{one}" if one in '"\\]' else one for one in value if one.isprintable())
