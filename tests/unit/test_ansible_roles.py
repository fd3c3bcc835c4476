"""The roles say what they take, and every unit of ours stands in the common sandbox."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

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
    assert off_site(inside + outside) == outside


@pytest.mark.parametrize("name", ["web", "machines", "worker", "mllp", "vectors", "vllm", "audit-forward"])
def test_what_runs_a_loop_of_ours_is_listened_to_by_systemd(name: str) -> None:
    (unit,) = (one for one in UNITS if one.name == f"appliance-{name}.service.j2")
    text = unit.read_text()
    assert re.search(r"^WatchdogSec=\{\{ \w+", text, re.MULTILINE)
    # Without this systemd hears the unit's first process only, or nobody.
    assert re.search(r"^NotifyAccess=(main|all)$", text, re.MULTILINE)
    assert re.search(r"appliance\.processes\.watched_|manage\.py (?:mllp|audit_forward)", text)
