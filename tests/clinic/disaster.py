"""Backup, destruction and restore, on the running machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pyrage import x25519

from tests.clinic import checks
from tests.clinic.steps import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clinic.machine import Machine
    from tests.clinic.steps import Run

_RESTORE_S: Final = 300.0
_MANAGE: Final = "/usr/local/sbin/appliance-manage"
_IDENTITY: Final = "/srv/backup-identity"
_DOORS: Final = "appliance-nginx appliance-mllp appliance-web appliance-machines appliance-worker"
_ALL_OF_IT: Final = (
    "/var/lib/appliance", "/opt/appliance/current", "/etc/appliance/credentials", "/etc/appliance/tls",
    "/etc/appliance/appliance.env", "/etc/appliance/owner.env", "/etc/tmpfiles.d/appliance.conf",
)  # fmt: skip
_NO_TABLES: Final = """
DO $$ DECLARE found text; BEGIN
FOR found IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
EXECUTE format('DROP TABLE public.%I CASCADE', found); END LOOP; END $$;
"""


class Disaster:
    """The engineer makes a backup, the data are destroyed, the backup is restored."""

    def __init__(self, run: Run, box: Machine) -> None:
        """Make the key that opens the backups; the machine learns its public half only, until it is to restore."""
        self._run, self._box = run, box
        self._identity = x25519.Identity.generate()
        self._signer = ""
        self._before: dict[str, int] = {}

    @property
    def recipient(self) -> str:
        """Whom the machine's backups are encrypted to."""
        return str(self._identity.to_public())

    def whole(self) -> None:
        """Do it, and compare."""
        with self._run.step("a backup, for a key that is not on the machine") as step:
            self._before = checks.counts(self._box)
            said = self._box.run(
                "systemctl start appliance-backup.service && journalctl -u appliance-backup -o cat -n 12"
            )
            signer = re.search(r"(?:[0-9a-f]{4} ){7}[0-9a-f]{4}", said)
            expect(signer is not None, said)
            self._signer = signer.group(0) if signer else ""
            step.said = " ".join(line.strip() for line in said.splitlines() if "patients" in line)
        with self._run.step("the data are destroyed, the backup is restored and compared", within_s=_RESTORE_S) as step:
            expect(bool(self._signer), "there is no backup")
            self._destroy()
            step.said = self._restore()
            self._box.run("/usr/local/sbin/appliance-restart")
            checks.answers(self._box)
        with self._run.step("after the restore everything is there") as step:
            after = checks.counts(self._box)
            short = {table: (count, after.get(table)) for table, count in self._before.items() if after[table] < count}
            expect(bool(self._before) and not short, short or "no backup was made")
            step.said = str(after)

    def another_box(self, install: Callable[[], str], ask: Callable[[], str]) -> None:
        """Data, keys and certificates are gone, as with the machine; what is kept elsewhere is backup and identity.

        The operating system's packages stay where they are: what they are is what an installation makes them.

        Args:
            install: installs from the medium and returns what Ansible counted.
            ask: asks as a clinician, and returns what was said.
        """
        with self._run.step("an emptied machine is installed again and holds nobody") as step:
            self._box.run("rm -rf /srv/backups && cp -a /var/lib/appliance/backups /srv/")
            self._box.run("systemctl stop appliance.target appliance-backup.timer && systemctl daemon-reload")
            self._box.run(f"rm -rf {' '.join(_ALL_OF_IT)}")
            step.said = install()
            found = checks.counts(self._box)
            expect(not any(found.values()), found)
        with self._run.step("the backup is restored on it, as the handbook says", within_s=_RESTORE_S) as step:
            self._box.run(f"systemctl stop {_DOORS} && install -d -o appliance-ops -m 0700 /srv/secrets")
            step.said = self._restore("/srv/backups", "--secrets-to /srv/secrets")
            self._box.run(
                "for one in /srv/secrets/*; do install -m 0600 $one /etc/appliance/credentials/; done;"
                " rm -rf /srv/secrets && systemctl restart appliance.target"
            )
            checks.answers(self._box)
        with self._run.step("everything is there, and can be read") as step:
            after = checks.counts(self._box)
            short = {table: (count, after.get(table)) for table, count in self._before.items() if after[table] < count}
            expect(bool(self._before) and not short, short or "no backup was made")
            step.said = f"{after}; {ask()}"

    def _destroy(self) -> None:
        self._box.run(f"systemctl stop {_DOORS}")
        for name in ("record", "audit"):
            self._box.run(f"cd / && runuser -u postgres -- psql -h /run/postgresql -XAtq -d {name}", stdin=_NO_TABLES)
        self._box.run("rm -rf /var/lib/appliance/originals/??; systemctl stop appliance-vectors")
        self._box.run("rm -rf /var/lib/appliance/vectors/*; systemctl start appliance-vectors")

    def _restore(self, folder: str = "/var/lib/appliance/backups", options: str = "") -> str:
        self._box.run(f"umask 077 && cat > {_IDENTITY} && chown appliance-ops {_IDENTITY}", stdin=f"{self._identity}\n")
        newest = self._box.run(f"ls -d {folder}/2* | tail -n 1").strip()
        try:
            said = self._box.run(
                f"{_MANAGE} restore {newest} --signer '{self._signer}' --identity {_IDENTITY} {options}", timeout_s=1200
            )
        finally:
            self._box.run(f"rm -f {_IDENTITY}; rm -rf /var/lib/appliance/secrets")
        return said.strip().splitlines()[-1]
