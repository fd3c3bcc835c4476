"""The machine: disk and clock."""

from __future__ import annotations

import ctypes
import shutil
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import Error

from appliance.doctor.finding import age, not_checked, right, wrong
from clinical.models import AuditEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from appliance.doctor.finding import Finding, Look

LEAST_FREE: Final = 2 * 2**30  # bytes
LEAST_SHARE: Final = 0.05
_AHEAD: Final = timedelta(minutes=2)
_UNSYNCHRONISED: Final = 5  # TIME_ERROR of adjtimex(2)
_TIMEX_BYTES: Final = 512  # more than struct timex has; all zero only asks


def disk(look: Look) -> Iterator[Finding]:
    """Say where there is too little room for a day's records and one more backup."""
    for name, folder in (("disk of the data", look.settings.var), ("disk of the backups", look.settings.backup_path)):
        there = next((one for one in (folder, *folder.parents) if one.exists()), None)
        if there is None:
            yield not_checked(name, f"{folder} is not there")
            continue
        usage = shutil.disk_usage(there)
        words = f"{usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.0f} GiB are free"
        if usage.free < LEAST_FREE or usage.free < LEAST_SHARE * usage.total:
            yield wrong(name, words, f"du --max-depth=2 --human-readable {there} | sort --human-numeric-sort | tail")
        else:
            yield right(name, words)


def clock(look: Look) -> Finding:
    """Say whether the clock is behind the trail's last row, or on a site not kept by a time server."""
    try:
        last = AuditEvent.objects.order_by("-seq").values_list("recorded_at", flat=True).first()
    except Error:
        last = None
    if last is not None and last > look.now + _AHEAD:
        behind = age((last - look.now).total_seconds())
        return wrong("clock", f"it is {behind} behind the last row of the trail", "chronyc makestep; chronyc tracking")
    if look.site and not synchronised():
        return wrong("clock", "no time server keeps it", "chronyc sources; systemctl restart chrony")
    return right("clock", f"{look.now:%Y-%m-%d %H:%M:%S} UTC")


def synchronised() -> bool:
    """Return whether the kernel says that its clock is kept by a time server."""
    asked = ctypes.create_string_buffer(_TIMEX_BYTES)
    return int(ctypes.CDLL(None).adjtimex(asked)) != _UNSYNCHRONISED
