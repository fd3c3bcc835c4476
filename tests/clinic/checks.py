"""What has to hold on the machine: units, exposure, listeners, firewall, and that nobody can leave."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Final

from tests.clinic.steps import expect

if TYPE_CHECKING:
    from tests.clinic.machine import Machine

UNITS: Final = ("postgresql", "redis", "vectors", "vllm", "web", "machines", "worker", "mllp", "nginx")
USERS: Final = ("web", "machines", "worker", "mllp", "vectors", "vllm", "forward", "ops", "proof")
LISTENERS: Final = {"tcp 443", "tcp 2575"}
# Whose own loop systemd listens to, and the seconds it waits in this clinic.
WATCHED: Final = ("web", "machines", "worker", "mllp", "vectors", "vllm")
WATCHDOG_S: Final = 60
EXPOSURE: Final = 2.0
# Lines of the doctor's that no installation can make right: who treats whom, and which tables the clinicians approve.
TO_DECIDE: Final = ("configuration", "clinical tables")
# A port on the gateway that would take a connection, if one got there.
_TEMPTATIONS: Final = ("10.77.0.1:80", "10.77.0.66:4444", "192.0.2.1:443")


def answers(machine: Machine, seconds: int = 420) -> str:
    """Every service runs and both doors are ready, within so many seconds."""
    return machine.run(f"/usr/local/sbin/appliance-health {seconds}").strip()


def units(machine: Machine) -> str:
    """Every unit is active and systemd reports no failed one."""
    states = machine.run(f"systemctl is-active {' '.join(f'appliance-{one}' for one in UNITS)}", check=False).split()
    expect(states == ["active"] * len(UNITS), dict(zip(UNITS, states, strict=False)))
    failed = machine.run("systemctl --failed --no-legend --plain", check=False).strip()
    expect(not failed, failed)
    return f"{len(UNITS)} active"


def exposure(machine: Machine) -> str:
    """`systemd-analyze security` finds each unit of ours exposed to at most the limit."""
    found = {}
    for unit in (*UNITS, "backup"):
        found[unit] = exposed(machine, f"appliance-{unit}.service")
    found["resume"] = exposed(machine, "appliance-resume.service")
    # What the engineer's commands run in, the doctor among them: there is no unit of it but while one runs.
    machine.run(
        "cd /run && { printf '[Service]\\nExecStart=/bin/true\\nUser=appliance-ops\\n';"
        " cat /etc/systemd/system/appliance-manage-.service.d/10-sandbox.conf; } > appliance-commands.service"
    )
    found["commands"] = exposed(machine, "--offline=yes /run/appliance-commands.service")
    for unit in ("proof", "counters@before", "canary@appliance-web"):
        found[unit] = exposed(machine, f"appliance-egress-{unit}.service")
    expect(max(found.values()) <= EXPOSURE, found)
    return ", ".join(f"{unit} {value}" for unit, value in sorted(found.items(), key=lambda one: -one[1]))


def exposed(machine: Machine, unit: str) -> float:
    """Return what `systemd-analyze security` says of a unit; 10 where it says nothing."""
    said = machine.run(f"systemd-analyze security --no-pager {unit}", check=False)
    match = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    return float(match.group(1)) if match else 10.0


def listeners(machine: Machine) -> str:
    """What listens for other machines is the list, no more and no less."""
    said = machine.run("ss -Hlntu")
    found = {
        f"{fields[0]} {fields[4].rpartition(':')[2]}"
        for fields in map(str.split, said.splitlines())
        if not re.match(r"(127\.[0-9.]+|\[::1\])(%\S+)?:", fields[4])
    }
    expect(found == LISTENERS, found)
    return ", ".join(sorted(found))


def firewall(machine: Machine) -> str:
    """The ruleset that holds is the one that was written."""
    return machine.run("/usr/local/sbin/appliance-firewall").strip()


def nobody_leaves(machine: Machine) -> str:
    """A connection attempt of each service user dies, and the firewall counts it under that user's name."""
    for user in USERS:
        for target in _TEMPTATIONS:
            host, _, port = target.partition(":")
            attempt = f"import socket; s = socket.socket(); s.settimeout(1); s.connect(('{host}', {port}))"
            said = machine.run(
                f'runuser -u appliance-{user} -- /usr/bin/python3 -I -c "{attempt}"; echo code $?', check=False
            )
            expect(said.strip().endswith("code 1"), f"{user} reached {target}: {said}")
        counted = machine.run(f"nft list counter inet appliance out_appliance_{user}")
        packets = re.search(r"packets (\d+)", counted)
        expect(packets is not None and int(packets.group(1)) > 0, f"{user} was not counted: {counted}")
    return f"{len(USERS)} users, {len(USERS) * len(_TEMPTATIONS)} attempts, all died and were counted"


def proof(machine: Machine) -> str:
    """The weekly unit makes its proof here and now: held, signed, with an attempt as each service user."""
    machine.run("systemctl start appliance-egress-proof.service", check=False)
    said = machine.run("journalctl --unit=appliance-egress-proof --output=cat --no-pager --boot")
    report = json.loads(machine.run("cat $(ls -t /var/lib/appliance/proofs/*.json | head -n 1)"))
    failed = [f"{one['name']}: {one['words']}" for one in report["checks"] if one["held"] is not True]
    code = machine.run("systemctl show --value --property=ExecMainStatus appliance-egress-proof.service").strip()
    expect(code == "0" and report["verdict"] == "held" and not failed, f"code {code}: {failed} {said[-600:]}")
    users = sum("canary as appliance-" in one["name"] for one in report["checks"])
    expect(users >= len(USERS), f"canaries of {users} users")
    return (
        f"{report['form']}: {len(report['checks'])} checks held, {users} users, {report['seconds']:.0f} s; "
        f"{len(report['not_covered'])} things it names as not covered"
    )


def doctor(machine: Machine) -> str:
    """The doctor names what the people of a new site have still to decide, and finds nothing else wrong."""
    said = machine.run("/usr/local/sbin/appliance-manage doctor --json", check=False)
    found = json.JSONDecoder().raw_decode(said[said.index("{") :])[0]["checks"]
    wrong = {one["name"]: one["words"] for one in found if one["state"] == "wrong"}
    expect(set(wrong) <= set(TO_DECIDE), wrong)
    unseen = [one["name"] for one in found if one["state"] == "not checked"]
    return (
        f"{len(found) - len(wrong) - len(unseen)} lines right, to decide: {', '.join(wrong) or 'nothing'}, "
        f"not looked at: {', '.join(unseen) or 'nothing'}"
    )


def standstill(machine: Machine) -> str:
    """Processes that are stopped where they stand, as one that hangs, are replaced without anybody's doing."""
    stopped: dict[str, str] = {}
    for unit in WATCHED:
        pid = machine.run(f"systemctl show --value --property=MainPID appliance-{unit}.service").strip()
        if unit in {"web", "machines", "vllm"}:  # what serves is the child of what was started
            pid = machine.run(f"cat /proc/{pid}/task/{pid}/children").split()[0]
        stopped[unit] = pid
    machine.run(f"kill -STOP {' '.join(stopped.values())}")
    until, left = time.monotonic() + 4 * WATCHDOG_S, dict(stopped)
    while left and time.monotonic() < until:
        time.sleep(2)
        left = {
            unit: pid for unit, pid in left.items() if machine.run(f"test -e /proc/{pid} && echo there", check=False)
        }
    expect(not left, f"still stand: {left}")
    return f"{', '.join(stopped)}; {answers(machine)}"


def inside_a_unit(machine: Machine) -> str:
    """A process of the people's door sees loopback only: there is nothing to send through."""
    said = machine.run("nsenter -t $(systemctl show -P MainPID appliance-web) -n ip -brief link")
    names = {line.split()[0] for line in said.splitlines()}
    expect(names == {"lo"}, names)
    return "loopback only"


def nothing_of_a_demo(machine: Machine) -> str:
    """No patients, logins or guidelines are there before the site brings its own."""
    there = _tables(machine)
    people: tuple[str, ...] = ("auth_user", "clinical_patient")
    found = {table: _rows(machine, table) for table in people if table in there}
    found |= {table: _rows(machine, table) for table in there if table.startswith("clinical_guideline")}
    expect(len(found) > 1 and not any(found.values()), found)
    return ", ".join(f"{table} {count}" for table, count in found.items())


def counts(machine: Machine) -> dict[str, int]:
    """Return how many rows the tables hold that a restore or a power cut must not lose."""
    kept = ("clinical_patient", "clinical_resourceversion", "clinical_question", "ingestion_original")
    there = _tables(machine)
    found = {table: _rows(machine, table) for table in kept if table in there}
    return found | {"trail": _rows(machine, "clinical_auditevent", "audit")}


def _tables(machine: Machine) -> list[str]:
    return sql(machine, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1").split()


def _rows(machine: Machine, table: str, database: str = "record") -> int:
    return int(sql(machine, f"SELECT count(*) FROM {table}", database))  # noqa: S608 - names from the catalogue


def sql(machine: Machine, statement: str, database: str = "record") -> str:
    """Run a statement as the database's own administrator and return its rows, a line each."""
    return machine.run(
        f"cd / && runuser -u postgres -- psql -h /run/postgresql -XAtq -d {database}", stdin=statement
    ).strip()
