"""The roles say what they take, and every unit of ours stands in the common sandbox."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from appliance.config import Config

ANSIBLE = Path(__file__).resolve().parents[2] / "ansible"
ROLES = sorted(path for path in (ANSIBLE / "roles").iterdir() if path.is_dir())
UNITS = sorted(ANSIBLE.glob("roles/*/templates/appliance-*.service.j2"))


def off_site(values: list[str]) -> list[str]:
    place = ANSIBLE / "roles/validate/filter_plugins/on_site.py"
    spec = importlib.util.spec_from_file_location("on_site", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Any = module.off_site(values)
    return list(found)


@pytest.mark.parametrize("role", ROLES, ids=lambda path: path.name)
def test_every_default_of_a_role_is_a_declared_option(role: Path) -> None:
    declared = (role / "meta/argument_specs.yml").read_text()
    defaults = role / "defaults/main.yml"
    names = re.findall(r"^(\w+):", defaults.read_text(), re.MULTILINE) if defaults.exists() else []
    assert names or role.name == "hardening" or not defaults.exists()
    assert [name for name in names if not re.search(rf"^ +{name}:", declared, re.MULTILINE)] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_every_unit_begins_with_the_sandbox_and_says_who_it_is(unit: Path) -> None:
    text = unit.read_text()
    # The line after the include is empty: the include ends without one, and would swallow the first setting.
    assert "[Service]\n{% include 'sandbox.j2' %}\n\n" in text
    assert re.search(r"^User=\S+$", text, re.MULTILINE) and "User=root" not in text
    assert re.search(r"^MemoryMax=", text, re.MULTILINE) and re.search(r"^TasksMax=", text, re.MULTILINE)


@pytest.mark.parametrize(
    "unit", [one for one in UNITS if "EnvironmentFile={{ appliance_etc }}/appliance.env" in one.read_text()],
    ids=lambda path: path.name,
)  # fmt: skip
def test_every_unit_is_given_the_secrets_without_which_its_process_does_not_start(unit: Path) -> None:
    text = unit.read_text()
    named = re.search(r"^Environment=APPLIANCE_SECRETS_NEEDED=(\S+)$", text, re.MULTILINE)
    needed = named.group(1) if named else str(Config.model_fields["secrets_needed"].default)
    listed = re.findall(r"'(\w+)'", "".join(re.findall(r"\{% for name in (\[.*\]) %\}\nLoadCredential", text)))
    given = {*re.findall(r"^LoadCredential=appliance_(\w+):", text, re.MULTILINE), *listed}
    assert set(needed.split(",")) - given == set()


def test_no_two_services_that_stay_share_a_user() -> None:
    staying = [unit for unit in UNITS if "WantedBy=appliance.target" in unit.read_text()]
    users = {unit.name: re.search(r"^User=(\S+)$", unit.read_text(), re.MULTILINE) for unit in staying}
    named = sorted(found.group(1) for found in users.values() if found)
    # The link to the other node's model stands in the model server's place; the Qdrant server in the embedded one's.
    assert {one for one in named if named.count(one) > 1} <= {"appliance-vllm", "appliance-vectors"}


def test_a_switch_restarts_every_service_that_runs_the_application() -> None:
    runs_it = [
        unit.name.removesuffix(".service.j2")
        for unit in UNITS
        if "WantedBy=appliance.target" in unit.read_text() and "appliance_current }}/.venv/bin" in unit.read_text()
    ]
    restarted = (ANSIBLE / "roles/app/templates/appliance-restart.j2").read_text()
    assert "appliance-audit-forward" in runs_it
    assert [name for name in runs_it if name.removeprefix("appliance-") not in restarted] == []


def test_a_forwarder_that_comes_to_a_running_machine_is_started() -> None:
    tasks = (ANSIBLE / "roles/app/tasks/main.yml").read_text()
    after = tasks.partition("- name: Everything is started")[2]  # a target that is reached starts nothing new
    assert re.search(r"name: appliance-audit-forward\.service\n +state: started\n", after)


def test_the_forwarder_may_read_the_trail_and_not_the_record() -> None:
    known = (ANSIBLE / "roles/postgresql/templates/pg_ident.conf.j2").read_text()
    defaults = (ANSIBLE / "roles/postgresql/defaults/main.yml").read_text()
    assert re.findall(r"^appliance +appliance-forward +(\w+)$", known, re.MULTILINE) == ["audit"]
    assert "appliance-forward" not in defaults


def test_what_restarts_by_itself_is_every_service_of_the_target() -> None:
    staying = [unit for unit in UNITS if "WantedBy=appliance.target" in unit.read_text()]
    assert len(staying) == 12
    assert [unit.name for unit in staying if "\nRestart=always\n" not in unit.read_text()] == []


def test_only_doors_readers_forwarders_links_and_the_firewall_s_own_proof_may_have_a_network() -> None:
    open_to_it = {unit.name for unit in UNITS if "PrivateNetwork=no" in unit.read_text()}
    assert open_to_it == {
        "appliance-audit-forward.service.j2",
        "appliance-egress-canary@.service.j2", "appliance-egress-counters@.service.j2",
        "appliance-mllp.service.j2", "appliance-model-link.service.j2", "appliance-nginx.service.j2",
        "appliance-worker.service.j2",
    }  # fmt: skip


def test_addresses_of_the_site_are_told_from_others() -> None:
    inside = ["10.20.0.0/16", "192.168.1.5:8443", "https://ehr.clinic.internal/r4", "time.clinic.lan", "127.0.0.1"]
    outside = ["0.0.0.0/0", "8.8.8.8", "https://example.org", "ntp.ubuntu.com", "203.0.114.9:443", "10.0.0.0/7"]
    inside += ["::ffff:10.1.2.3", "fd00::1"]
    outside += ["::ffff:8.8.8.8", "::ffff:0:0/90", "::ffff:0:0/96", "[::ffff:8.8.8.8]:443"]
    assert off_site(inside + outside) == outside


@pytest.mark.parametrize("name", ["web", "machines", "worker", "mllp", "vectors", "vllm", "audit-forward"])
def test_what_runs_a_loop_of_ours_is_listened_to_by_systemd(name: str) -> None:
    (unit,) = (one for one in UNITS if one.name == f"appliance-{name}.service.j2")
    text = unit.read_text()
    assert re.search(r"^WatchdogSec=\{\{ \w+", text, re.MULTILINE)
    # Without this systemd hears the unit's first process only, or nobody.
    assert re.search(r"^NotifyAccess=(main|all)$", text, re.MULTILINE)
    assert re.search(r"appliance\.processes\.watched_|manage\.py (?:mllp|audit_forward)", text)
