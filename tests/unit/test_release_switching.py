"""After a switch the new release serves, or the former one does: whatever failed, whenever it was killed."""

from __future__ import annotations

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.config import ROOT
from appliance.release import journal
from appliance.release.front import main
from appliance.release.journal import Commands, Step, Switch
from appliance.release.switching import Switcher, SwitchError

LOG = 'sh -c "echo {step} {{version}} >>{log}"'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for version in ("0.3.0", "0.3.1"):
        (tmp_path / "opt/releases" / version).mkdir(parents=True)
    return tmp_path / "opt"


@pytest.fixture
def switcher(root: Path) -> Switcher:
    return Switcher(root, root.parent / "state", lambda _line: None, health_s=0)


def logging(root: Path, **given: str) -> Commands:
    """Return commands that write down their step and the version, save those given."""
    log = root.parent / "log"
    steps = {step: LOG.format(step=step, log=log) for step in ("migrate", "restart", "health")}
    return Commands(**{**steps, **given})


def done(root: Path) -> list[str]:
    log = root.parent / "log"
    return log.read_text().splitlines() if log.exists() else []


def serves(root: Path) -> str:
    link = root / "current"
    return link.resolve(strict=True).name if link.is_symlink() else ""


def test_the_first_release_is_migrated_then_linked_then_started_then_asked(switcher: Switcher, root: Path) -> None:
    assert switcher.switch("0.3.0", logging(root)) == "switched"
    assert serves(root) == "0.3.0"
    assert done(root) == ["migrate 0.3.0", "restart 0.3.0", "health 0.3.0"]


def test_switching_to_what_serves_already_does_nothing(switcher: Switcher, root: Path) -> None:
    switcher.switch("0.3.0", Commands())
    assert switcher.switch("0.3.0", logging(root)) == "unchanged"
    assert done(root) == []


def test_a_migration_that_fails_leaves_the_former_release_untouched(switcher: Switcher, root: Path) -> None:
    switcher.switch("0.3.0", Commands())
    assert switcher.switch("0.3.1", logging(root, migrate="false")) == "rolled back"
    assert serves(root) == "0.3.0"
    assert done(root) == []  # nothing was restarted, for nothing had been stopped


@pytest.mark.parametrize("step", ["restart", "health"])
def test_a_release_that_does_not_come_up_well_is_taken_back(switcher: Switcher, root: Path, step: str) -> None:
    switcher.switch("0.3.0", Commands())
    fails_for_new = 'sh -c "test {version} = 0.3.0"'
    assert switcher.switch("0.3.1", logging(root, **{step: fails_for_new})) == "rolled back"
    assert serves(root) == "0.3.0"
    assert journal.read(switcher.state, journal.PENDING) is None


def test_health_is_asked_until_it_is_well_or_time_is_up(root: Path) -> None:
    patient = Switcher(root, root.parent / "state", lambda _line: None, health_s=20)
    flag = root.parent / "flag"
    slow = f'sh -c "test -e {flag} || {{ touch {flag}; exit 1; }}"'
    assert patient.switch("0.3.0", Commands(health=slow)) == "switched"


def test_a_command_that_is_not_there_counts_as_failed(switcher: Switcher, root: Path) -> None:
    assert switcher.switch("0.3.0", Commands(migrate="/no/such/program")) == "rolled back"
    assert serves(root) == ""


def test_rollback_serves_the_former_release_without_migrating(switcher: Switcher, root: Path) -> None:
    switcher.switch("0.3.0", Commands())
    switcher.switch("0.3.1", logging(root))
    assert switcher.rollback() == "rolled back"
    assert serves(root) == "0.3.0"
    assert done(root)[3:] == ["restart 0.3.0", "health 0.3.0"]
    assert switcher.rollback() == "nothing to go back to"


def test_a_former_release_that_does_not_come_up_leaves_the_present_one(switcher: Switcher, root: Path) -> None:
    switcher.switch("0.3.0", Commands())
    switcher.switch("0.3.1", logging(root, health='sh -c "test {version} = 0.3.1"'))
    assert switcher.rollback() == "not rolled back"
    assert serves(root) == "0.3.1"


def test_without_a_former_release_there_is_nothing_to_go_back_to(switcher: Switcher) -> None:
    assert switcher.rollback() == "nothing to go back to"
    switcher.switch("0.3.0", Commands())
    assert switcher.rollback() == "nothing to go back to"


def test_an_unknown_release_is_refused_before_anything_happens(switcher: Switcher, root: Path) -> None:
    with pytest.raises(SwitchError):
        switcher.switch("9.9.9", logging(root))
    assert done(root) == []


def test_pruning_keeps_what_serves_and_what_served_before(
    switcher: Switcher, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "releases/0.2.0").mkdir()
    (root / "bundles/0.2.0").mkdir(parents=True)
    (root / "bundles/0.3.1").mkdir()
    run = ["--root", str(root), "--state", str(root.parent), "prune"]
    state = Switcher(root, root.parent / "release", lambda _line: None)
    assert main(run) == 1  # nothing serves yet
    state.switch("0.3.0", Commands())
    state.switch("0.3.1", Commands())
    assert main(run) == 0
    assert "removed 0.2.0" in capsys.readouterr().out
    assert sorted(path.name for path in (root / "releases").iterdir()) == ["0.3.0", "0.3.1"]
    assert [path.name for path in (root / "bundles").iterdir()] == ["0.3.1"]
    assert switcher.current() == "0.3.1"


def test_two_switches_cannot_go_on_at_once(switcher: Switcher, root: Path) -> None:
    switcher.state.mkdir()
    with (switcher.state / "lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(SwitchError):
            switcher.switch("0.3.0", logging(root))
    assert (serves(root), done(root)) == ("", [])
    assert switcher.switch("0.3.0", Commands()) == "switched"


@pytest.mark.parametrize("step", ["migrate", "flip", "restart", "health"])
def test_a_switch_found_interrupted_at_any_step_is_taken_back(switcher: Switcher, root: Path, step: Step) -> None:
    switcher.switch("0.3.0", Commands())
    journal.write(switcher.state, journal.PENDING, Switch("0.3.0", "0.3.1", step, logging(root)))
    if step != "migrate":
        (root / "current").unlink()
        (root / "current").symlink_to("releases/0.3.1")
    assert switcher.resume() == "rolled back"
    assert serves(root) == "0.3.0"
    assert switcher.resume() == "nothing pending"
    assert done(root) == ([] if step == "migrate" else ["restart 0.3.0"])


def test_at_boot_nothing_is_restarted(switcher: Switcher, root: Path) -> None:
    switcher.switch("0.3.0", Commands())
    journal.write(switcher.state, journal.PENDING, Switch("0.3.0", "0.3.1", "health", logging(root)))
    assert switcher.resume(at_boot=True) == "rolled back"
    assert (serves(root), done(root)) == ("0.3.0", [])


@pytest.mark.parametrize("step", ["migrate", "restart", "health"])
def test_a_switch_killed_in_the_middle_of_a_command_ends_with_the_former_release(
    switcher: Switcher, root: Path, step: str
) -> None:
    switcher.switch("0.3.0", Commands())
    # The command kills the program that runs it, as the kernel or a power cut would; the second time it lets it be.
    kill = f'sh -c "test -e {root.parent}/killed || {{ touch {root.parent}/killed; kill -9 $PPID; }}"'
    run = [sys.executable, "-m", "appliance.release.front", "--root", str(root), "--state", str(root.parent)]
    ran = subprocess.run(
        [*run, "switch", "0.3.1", f"--{step}", kill], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr
    status = subprocess.run([*run, "resume"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "rolled back: 0.3.0 serves" in status.stdout
    assert serves(root) == "0.3.0"
    again = subprocess.run(
        [*run, "switch", "0.3.1", f"--{step}", kill], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "switched: 0.3.1 serves" in again.stdout
    assert (root / "current").readlink() == Path("releases/0.3.1")
