"""The whole life of an appliance: installed, used by EHR and ward, attacked, updated, cut off, restored."""

from __future__ import annotations

import json
import re
import sys
import time
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.clinic import checks, ehr
from tests.clinic.disaster import Disaster
from tests.clinic.lan import BOX, HOSTS, NAME
from tests.clinic.steps import expect
from tests.clinic.telling import Telling

if TYPE_CHECKING:
    from tests.clinic.lan import Lan
    from tests.clinic.machine import Machine
    from tests.clinic.media import Media
    from tests.clinic.steps import Run

CLINICIAN: Final = "dr-adams"
SITE: Final = f"""---
appliance_name: {NAME}
appliance_clinician_networks: [{HOSTS["ward"]}]
appliance_ehr_addresses: [{HOSTS["ehr"]}]
appliance_known_authorities: ["{ehr.SERVER}", "urn:oid:{ehr.AUTHORITY}"]
storage_accept_unencrypted: true
base_settings: {{default_care_team: {CLINICIAN}}}
app_watchdog_s: {checks.WATCHDOG_S}
vector_watchdog_s: {checks.WATCHDOG_S}
vllm_watchdog_s: {checks.WATCHDOG_S}
"""
_BUNDLE_TO_ANSWER_S: Final = 900.0
_SECOND_RUN_S: Final = 180.0
_OWN_UNIT: Final = "/etc/systemd/system/appliance-worker.service"
_OWN_LINE: Final = "# of the release before"
_ROLLBACK_S: Final = 60.0


class Clinic:
    """One run through all of it; each step is recorded, and those that need a failed one fail too."""

    def __init__(self, run: Run, box: Machine, lan: Lan, media: Media) -> None:
        self.run, self.box, self.lan, self.media = run, box, lan, media
        self._password = self._kept_in = ""
        self._since = self._installed = 0.0
        self._key = ec.generate_private_key(ec.SECP384R1())
        self._disaster = Disaster(run, box)
        self.telling = Telling(run, box, lan)

    def whole(self) -> None:
        """Do everything, in order."""
        began = time.monotonic()
        self._install()
        self._holds()
        self._open_for_the_site()
        self._ehr()
        self._ward()
        self.run.since(began, "from the medium to the first cited answers", within_s=_BUNDLE_TO_ANSWER_S)
        self._second_run()
        self.telling.whole(lambda: _recap(self._again()))
        self._attacked()
        self._proved()
        self._update()
        self._power_cut()
        self._disaster.whole()
        with self.run.step("the doctor finds nothing that the machine itself has wrong") as step:
            step.said = checks.doctor(self.box)
        self._disaster.another_box(lambda: self._from_medium(self.media.first), self.newest_potassium)
        self._nothing_left()

    def _install(self) -> None:
        with self.run.step("the machine boots, is plugged in, and has a default route to nowhere"):
            self.box.boot()
            self.lan.connect(self.box)
            site = f"{SITE}appliance_backup_recipient: {self._disaster.recipient}\n"
            self.box.run("mkdir -p /etc/appliance && cat > /etc/appliance/site.yml", stdin=site)
            self.lan.settled()
        self._since = time.time()
        with self.run.step("one command installs it from the medium, without a way out") as step:
            step.said = self._from_medium(self.media.first)
            self._installed = time.time()
        with self.run.step("while it was installed no program sent a frame") as step:
            searched, sent = self.lan.sent_by_the_box(self._since, self._installed)
            expect(not sent, f"{len(sent)}: {sent[:5]}")
            step.said = (
                f"0 frames in {self._installed - self._since:.0f} s, and {len(searched)} of the kernel's own, which "
                f"looks for routers until the table holds; {self._kept_in or 'nothing counted'}"
            )

    def _from_medium(self, medium: Any) -> str:
        stick = self.media.put_into(self.box.disk, medium)
        said = self.box.run(f"sh {stick}/install --fingerprint {self.media.fingerprint}", timeout_s=3600)
        kept_in = re.search(r"While this machine was set up: [^'\"\n]*", said)
        self._kept_in = kept_in.group(0) if kept_in else self._kept_in
        return _recap(said)

    def _holds(self) -> None:
        for name, check in (
            ("every service runs and answers", checks.answers),
            ("every unit is active", checks.units),
            (f"no unit of ours is exposed above {checks.EXPOSURE}", checks.exposure),
            ("the listeners are the list", checks.listeners),
            ("the firewall that holds is the written one", checks.firewall),
            ("nothing of a demo is there", checks.nothing_of_a_demo),
            ("the people's door sees no network", checks.inside_a_unit),
            ("no service user reaches another machine", checks.nobody_leaves),
        ):
            with self.run.step(name) as step:
                step.said = check(self.box)

    def _open_for_the_site(self) -> None:
        with self.run.step("the engineer registers the EHR and a clinician"):
            self._token = self._manage(f"fhir_client --name ehr --server {ehr.SERVER}").splitlines()[-1]
            self._password = self._manage(f"staff add {CLINICIAN} --role clinician").splitlines()[-1]
            public = jwt.get_algorithm_by_name("ES384").to_jwk(self._key.public_key(), as_dict=True)
            client = {
                "issuer": ehr.ISSUER, "keys": [public | {"kid": "ehr-1"}],
                "fhir_servers": {ehr.SERVER: ehr.SERVER}, "users": {ehr.USER: CLINICIAN},
            }  # fmt: skip
            place = "/var/lib/appliance/clients/cds_clients.json"
            self.box.run(f"umask 027 && cat > {place} && chgrp appliance-machines {place}", stdin=json.dumps([client]))

    def _ehr(self) -> None:
        with self.run.step("the EHR sends a FHIR Bundle over TLS 1.3") as step:
            said = self._at("ehr", "ehr", "bundle", token=self._token)
            expect(said["status"] in {200, 202}, said)
            step.said = f"HTTP {said['status']}"
        with self.run.step("the EHR sends an HL7 v2 result over TLS, and is acknowledged") as step:
            said = self._at("ehr", "ehr", "message")
            expect("MSA|AA|" in said["acknowledgement"], said)
            step.said = said["tls"]
        with self.run.step("CDS Hooks answers the EHR's signed call, and no forged one") as step:
            pem = self._key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
            said = self._at("ehr", "ehr", "hook", key=pem)
            expect(said["status"] == 200 and "cards" in said["body"] and said["without_token"] == 401, said)
            step.said = f"{len(said['body']['cards'])} cards in {said['seconds'] * 1000:.0f} ms"

    def _ward(self) -> None:
        with self.run.step("a clinician asks for the newest value; the answer is cited") as step:
            step.said = self.newest_potassium()
        with self.run.step("a question to the notes is drafted by the model and checked") as step:
            said = self.ask("Why was apixaban stopped?")
            expect("bleed" in said["words"] and said["cited"], said["words"])
            expect("DocumentReference/note" in said["cited"], said["cited"])
            expect(
                "withheld" in said["events"] or "by-model" in said["answer"],
                f"the model drafted nothing: {said['events']} {said['words'][:300]}",
            )
            step.said = f"{said['seconds']:.1f} s, events {', '.join(dict.fromkeys(said['events']))}"

    def newest_potassium(self) -> str:
        """Ask for the latest value, which came by HL7 v2; what came by FHIR is older."""
        said: dict[str, Any] = {}
        for _try in range(20):  # the message was acknowledged; the worker takes it in a moment later
            said = self.ask("What is the latest potassium?")
            if "5.9" in said["words"]:
                break
            time.sleep(2)
        expect("5.9" in said["words"] and said["cited"], said.get("words", said))
        return f"5.9 mmol/L, {len(said['cited'])} citations, {said['tls']}, {said['seconds']:.1f} s"

    def ask(self, question: str) -> dict[str, Any]:
        """Ask as the clinician at a browser of the ward.

        Raises:
            FailedError: the patient is not there, or the stream did not end.
        """
        said: dict[str, Any] = self._at("ward", "ward", name=CLINICIAN, password=self._password, question=question)
        expect(said.get("patients") == 1 and said["events"][-1:] == ["end"], said)
        return said

    def _second_run(self) -> None:
        with self.run.step("a second run changes nothing", within_s=_SECOND_RUN_S) as step:
            said = self._again()
            step.said = _recap(said)
            changed = re.findall(r"TASK \[([^]]+)\][^\n]*\n(?:[^\n]+\n)*?changed:", said)
            expect(" changed=0 " in said, f"{step.said}: {changed}")

    def _again(self) -> str:
        version = self.box.run("basename $(readlink /opt/appliance/current)").strip()
        return self.box.run(f"sh /opt/appliance/bundles/{version}/bootstrap/continue", timeout_s=3600)

    def _attacked(self) -> None:
        for host, wanted in (("attacker", []), ("ward", [443]), ("ehr", [443, 2575])):
            with self.run.step(f"a scan of all TCP ports from the {host}'s place finds {wanted or 'nothing'}") as step:
                found = json.loads(self.lan.as_host(host, sys.executable, "-m", "tests.clinic.attacker", BOX))
                expect(found["open"] == wanted and not found["refused"], found)
                step.said = "all others are silent"
        with self.run.step("the ward does not reach the machines' door, nor the EHR the people's"):
            for host, path in (("ward", "/cds-services"), ("ehr", "/login"), ("ward", "/metrics")):
                said = self.lan.as_host(
                    host, sys.executable, "-c",
                    "import httpx, sys; print(httpx.get(sys.argv[1], verify=False, trust_env=False).status_code)",
                    f"https://{NAME}{path}",
                )  # fmt: skip
                expect(said.strip() == "403", f"{host} {path}: {said}")

    def _proved(self) -> None:
        for name, check in (
            ("the scheduled proof that nothing leaves, as its unit makes it", checks.proof),
            ("processes that stand still are replaced", checks.standstill),
        ):
            with self.run.step(name) as step:
                step.said = check(self.box)

    def _update(self) -> None:
        if self.media.second is None:
            self.run.not_covered.append("update and rollback: no second medium was given")
            return
        # A line that only the former release's unit has: the next one's is written without it.
        self.box.run(
            f"echo '{_OWN_LINE}' >>{_OWN_UNIT} && systemctl daemon-reload && /opt/appliance/bin/release keep --anew"
        )
        with self.run.step("an update from the next medium, with its migration and health check") as step:
            step.said = self._from_medium(self.media.second)
            step.said += "; " + self.box.run("readlink /opt/appliance/current").strip()
            expect(_OWN_LINE not in self.box.run(f"cat {_OWN_UNIT}"), "the update left the former release's unit")
        with self.run.step("after the update the record answers as before") as step:
            step.said = self.newest_potassium()
        with self.run.step("the rollback", within_s=_ROLLBACK_S) as step:
            step.said = self.box.run("/opt/appliance/bin/release rollback").strip().splitlines()[-1]
        with self.run.step("after the rollback everything answers, under the former release's own units") as step:
            expect(_OWN_LINE in self.box.run(f"cat {_OWN_UNIT}"), "the unit is not the former release's")
            stale = self.box.run("systemctl show --property=NeedDaemonReload --value appliance-worker.service").strip()
            expect(stale == "no", "systemd has not read the units again")
            step.said = f"{checks.answers(self.box)}; {self.newest_potassium()}"

    def _power_cut(self) -> None:
        before: dict[str, int] = {}
        with self.run.step("the power is cut, and it boots clean"):
            before = checks.counts(self.box)
            self.box.cut_power()
            self.box.boot()
            self.lan.connect(self.box)
            checks.answers(self.box)
            checks.units(self.box)
        with self.run.step("after the power cut nothing that was acknowledged is lost") as step:
            after = checks.counts(self.box)
            expect(bool(before) and all(after[table] >= count for table, count in before.items()), (before, after))
            checks.firewall(self.box)
            step.said = f"{after}; {self.newest_potassium()}"
        with self.run.step("the trail's chain is whole") as step:
            step.said = self._manage("audit verify").splitlines()[-1]

    def _nothing_left(self) -> None:
        with self.run.step("through all of it the site's collector was sent the trail") as step:
            step.said = self.telling.arrived()
        with self.run.step("no packet left: the server began no conversation but with the collector") as step:
            began = self.lan.began_by_the_box(self._since, self._installed, self.telling.named_at)
            expect(not began, f"{len(began)}: {began[:5]}")
            step.said = f"0 of {self.lan.packets()} packets on the wire"

    def _manage(self, command: str) -> str:
        return self.box.run(f"/usr/local/sbin/appliance-manage {command}").strip()

    def _at(self, host: str, module: str, *arguments: str, **given: Any) -> Any:
        authority = str(self.box.disk / "etc/appliance/tls/authority.pem")
        what = (*arguments, authority)
        command = (sys.executable, "-m", f"tests.clinic.{module}", *what)
        return json.loads(self.lan.as_host(host, *command, stdin=json.dumps(given)))


def _recap(said: str) -> str:
    """Return Ansible's counts."""
    found = re.search(r"localhost +: (ok=.*?)unreachable=\d+ +(failed=\d+)", said)
    return " ".join(" ".join(found.groups()).split()) if found else said.strip()[-200:]
