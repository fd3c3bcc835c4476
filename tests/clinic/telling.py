"""What the site may be told: the trail to its collector, metrics to its scraper; nothing unless they are named."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from tests.clinic import checks
from tests.clinic.collector import PORT
from tests.clinic.lan import BOX, HOSTS, NAME, namespace
from tests.clinic.steps import expect

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clinic.lan import Lan
    from tests.clinic.machine import Machine
    from tests.clinic.steps import Run

_PLACE: Final = "collector"
_AUTHORITY: Final = "/etc/appliance/collector.pem"
_ANSWERS: Final = f"""
appliance_syslog_collectors: ["{HOSTS[_PLACE]}:{PORT}"]
appliance_syslog_authority: {_AUTHORITY}
appliance_metrics_scrapers: [{HOSTS[_PLACE]}]
"""
_ARRIVES_S: Final = 60.0
_UNIT: Final = "appliance-audit-forward"
_GET: Final = (
    "import httpx, sys; print((r := httpx.get(sys.argv[1], verify=False, trust_env=False)).status_code, r.text)"
)
_KNOCK: Final = "import socket, sys; socket.create_connection((sys.argv[1], 443), timeout=3)"


class Telling:
    """The site's collector and scraper, at a place of their own in its network."""

    def __init__(self, run: Run, box: Machine, lan: Lan) -> None:
        """Nothing is started yet."""
        self._run, self._box, self._lan = run, box, lan
        self._folder = lan.folder / "collector"
        self._listener: subprocess.Popen[bytes] | None = None
        self.named_at = 0.0
        """When the site named them, in seconds since 1970; 0 until then."""

    def whole(self, install_again: Callable[[], str]) -> None:
        """Look that nothing is told, name collector and scraper, and look what they are told.

        Args:
            install_again: runs the installation with the site's new answers and returns what Ansible counted.
        """
        with self._run.step("a collector and a scraper that nobody has named are told nothing") as step:
            self._listen()
            step.said = self._told_nothing()
        with self._run.step("they are named, and the installation is run again") as step:
            authority = (self._folder / "authority.pem").read_text()
            self._box.run(f"cat > {_AUTHORITY} && chmod 0644 {_AUTHORITY}", stdin=authority)
            self._box.run("cat >> /etc/appliance/site.yml", stdin=_ANSWERS)
            self.named_at = time.time()
            step.said = install_again()
            checks.firewall(self._box)
        with self._run.step("the trail goes to the site's collector, over TLS, by a user of its own") as step:
            step.said = f"{self.arrived()}; {self._shut_in()}"
        with self._run.step("the site's scraper reads the metrics, and no page") as step:
            step.said = self._scraped()

    def arrived(self) -> str:
        """Every row of the trail as it is now has reached the collector."""
        until = time.monotonic() + _ARRIVES_S
        while (missing := self._trail() - self._received()) and time.monotonic() < until:
            time.sleep(1)
        said = self._box.run(f"journalctl -u {_UNIT} -o cat -n 6 --no-pager", check=False) if missing else ""
        expect(not missing, f"{len(missing)} rows have not arrived: {said}")
        return f"{len(self._trail())} rows of the trail, all of them there"

    def end(self) -> None:
        """Take the collector down."""
        if self._listener is not None:
            self._listener.terminate()
            self._listener.wait(10)

    def _listen(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        self._listener = subprocess.Popen(
            ["ip", "netns", "exec", namespace(_PLACE), sys.executable, "-m", "tests.clinic.collector",
             str(self._folder), HOSTS[_PLACE]],
        )  # fmt: skip
        until = time.monotonic() + 20
        while not (self._folder / "calls").exists() and time.monotonic() < until:
            time.sleep(0.2)
        expect((self._folder / "calls").exists(), "the collector does not listen")

    def _told_nothing(self) -> str:
        unit = self._box.run(f"systemctl is-enabled {_UNIT}.service", check=False).strip()
        expect(unit not in {"enabled", "static"}, f"{_UNIT} is {unit}")
        rules = self._box.run("nft list chain inet appliance output")
        expect("out_syslog" not in rules and HOSTS[_PLACE] not in rules, rules)
        expect(not (self._folder / "calls").read_bytes(), "somebody called the collector")
        try:
            self._lan.as_host(_PLACE, sys.executable, "-c", _KNOCK, BOX)
        except AssertionError as error:
            expect("timed out" in str(error), error)
        else:
            expect(condition=False, found="443 answers a place that nobody has named")
        return "no unit, no rule, no call; 443 is silent"

    def _shut_in(self) -> str:
        exposed = checks.exposed(self._box, f"{_UNIT}.service")
        user = self._box.run(f"systemctl show --value --property=User {_UNIT}.service").strip()
        expect(exposed <= checks.EXPOSURE and user == "appliance-forward", (exposed, user))
        counted = self._box.run("nft list counter inet appliance out_syslog")
        packets = re.search(r"packets (\d+)", counted)
        expect(packets is not None and int(packets.group(1)) > 0, counted)
        return f"exposure {exposed}, {packets.group(1) if packets else 0} connections counted by the firewall"

    def _scraped(self) -> str:
        read = self._lan.as_host(_PLACE, sys.executable, "-c", _GET, f"https://{NAME}/metrics")
        expect(read.startswith("200 ") and "# TYPE " in read, read[:300])
        for path in ("/login", "/cds-services"):
            said = self._lan.as_host(_PLACE, sys.executable, "-c", _GET, f"https://{NAME}{path}")
            expect(said.startswith("403 "), f"{path}: {said[:200]}")
        return f"{read.count('# TYPE ')} metrics; /login and /cds-services say 403"

    def _trail(self) -> set[str]:
        return set(checks.sql(self._box, "SELECT hash FROM clinical_auditevent", "audit").split())

    def _received(self) -> set[str]:
        return set(re.findall(r'hash="([^"]+)"', (self._folder / "received").read_text(errors="replace")))
