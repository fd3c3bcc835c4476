"""Going back finds the units, settings and commands that the former release was installed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from appliance.release import journal
from appliance.release.front import main
from appliance.release.journal import Commands, Switch
from appliance.release.machine import Machine
from appliance.release.switching import Switcher

if TYPE_CHECKING:
    from pathlib import Path

WEB = "etc/systemd/system/appliance-web.service"
BEAT = "etc/systemd/system/appliance-beat.service"
WANTED = "etc/systemd/system/appliance.target.wants/appliance-web.service"
COMMAND = "usr/local/sbin/appliance-restart"
FIREWALL = "usr/local/sbin/appliance-firewall"
SECRET = "etc/appliance/credentials/key"


@pytest.fixture
def box(tmp_path: Path) -> Path:
    for version in ("0.4.0", "0.5.0"):
        (tmp_path / "opt/releases" / version).mkdir(parents=True)
    install(tmp_path, "0.4.0")
    link = tmp_path / "root" / WANTED
    link.parent.mkdir(parents=True)
    link.symlink_to("/" + WEB)
    put(tmp_path, FIREWALL, "rules")
    put(tmp_path, SECRET, "secret")
    return tmp_path


def put(box: Path, path: str, text: str, mode: int = 0o644) -> None:
    target = box / "root" / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text)
    target.chmod(mode)


def install(box: Path, version: str) -> None:
    put(box, WEB, f"[Service]\n# {version}")
    put(box, COMMAND, f"#!/bin/sh\n# {version}", 0o755)
    put(box, "etc/appliance/appliance.env", f"RELEASE={version}", 0o640)


def update(box: Path) -> None:
    """Write what the installation of the next release writes, before it switches."""
    install(box, "0.5.0")
    put(box, BEAT, "[Service]\n# 0.5.0")
    (box / "root" / WANTED).unlink()


def machine(box: Path) -> Machine:
    return Machine(box / "root", box / "state/release")


def switcher(box: Path) -> Switcher:
    return Switcher(box / "opt", box / "state/release", lambda _line: None, 0, machine(box))


def held(box: Path) -> dict[str, tuple[str, int]]:
    """Return the text and the mode of every file and the target of every link below the machine's root."""
    found = {}
    for path in sorted((box / "root").rglob("*")):
        if path.is_symlink() or path.is_file():
            text = str(path.readlink()) if path.is_symlink() else path.read_text()
            found[str(path.relative_to(box / "root"))] = (text, path.lstat().st_mode)
    return found


@pytest.fixture
def serving(box: Path) -> Path:
    """The former release serves; the next one's files have been written."""
    assert switcher(box).switch("0.4.0", Commands()) == "switched"
    assert machine(box).keep("0.4.0", anew=False)
    return box


@pytest.mark.parametrize("fails", ["migrate", "health"])
def test_a_failed_update_puts_back_the_units_of_the_former_release(serving: Path, fails: str) -> None:
    before = held(serving)
    update(serving)
    assert switcher(serving).switch("0.5.0", Commands(**{fails: "false"})) == "rolled back"
    assert held(serving) == before


def test_a_rollback_puts_them_back_and_the_way_forward_again_is_kept(serving: Path) -> None:
    before = held(serving)
    update(serving)
    after = held(serving)
    assert switcher(serving).switch("0.5.0", Commands()) == "switched"
    assert held(serving) == after
    assert switcher(serving).rollback() == "rolled back"
    assert held(serving) == before
    machine(serving).put_back("0.5.0")
    assert held(serving) == after


def test_a_switch_cut_off_while_they_were_put_back_is_taken_back_whole(serving: Path) -> None:
    before = held(serving)
    update(serving)
    pending = Switch("0.4.0", "0.5.0", "flip", Commands())
    journal.write(serving / "state/release", journal.PENDING, pending)
    put(serving, WEB, "half")  # what the interrupted run had reached
    assert switcher(serving).resume(at_boot=True) == "rolled back"
    assert held(serving) == before


def test_they_are_restarted_under_their_own_units_also_when_only_the_units_had_changed(serving: Path) -> None:
    update(serving)
    log = serving / "log"
    commands = Commands(migrate="false", restart=f'sh -c "cat {serving}/root/{WEB} >{log}"')
    assert switcher(serving).switch("0.5.0", commands) == "rolled back"
    assert log.read_text().endswith("# 0.4.0")


def test_an_installation_that_is_run_again_does_not_take_the_next_release_s_units_for_the_former_s(
    serving: Path,
) -> None:
    before = held(serving)
    update(serving)
    assert not machine(serving).keep("0.4.0", anew=False)
    assert switcher(serving).switch("0.5.0", Commands(health="false")) == "rolled back"
    assert held(serving) == before


def test_settings_changed_since_are_kept_anew(serving: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put(serving, WEB, "[Service]\n# 0.4.0 with more memory")
    common = ["--root", f"{serving}/opt", "--state", f"{serving}/state", "--machine", f"{serving}/root"]
    assert main([*common, "keep", "--anew"]) == 0
    assert capsys.readouterr().out == "kept: units and settings of 0.4.0\n"
    update(serving)
    machine(serving).put_back("0.4.0")
    assert held(serving)[WEB][0].endswith("more memory")


def test_nothing_is_touched_where_no_release_serves_or_none_is_kept(box: Path) -> None:
    before = held(box)
    common = ["--root", f"{box}/opt", "--state", f"{box}/state", "--machine", f"{box}/root"]
    assert main([*common, "keep"]) == 0
    assert not (box / "state/release/machine").exists()
    assert not machine(box).put_back("0.3.0")
    assert held(box) == before


def test_what_is_kept_goes_with_its_release(serving: Path) -> None:
    machine(serving).forget_all_but(frozenset({"0.5.0"}))
    assert not machine(serving).put_back("0.4.0")


def test_an_installation_cut_off_before_its_switch_is_taken_back_at_the_next_boot(serving: Path) -> None:
    before = held(serving)
    common = ["--root", f"{serving}/opt", "--state", f"{serving}/state", "--machine", f"{serving}/root"]
    assert main([*common, "keep"]) == 0
    update(serving)
    assert switcher(serving).resume(at_boot=True) == "nothing pending"
    assert held(serving) == before


def test_once_an_installation_has_ended_a_boot_changes_nothing(serving: Path) -> None:
    common = ["--root", f"{serving}/opt", "--state", f"{serving}/state", "--machine", f"{serving}/root"]
    assert main([*common, "keep"]) == 0
    put(serving, WEB, "[Service]\n# 0.4.0 with more memory")
    assert main([*common, "keep", "--anew"]) == 0
    put(serving, COMMAND, "#!/bin/sh\n# by hand", 0o755)
    before = held(serving)
    assert switcher(serving).resume(at_boot=True) == "nothing pending"
    assert held(serving) == before


def test_a_switch_begun_again_after_it_was_cut_off_goes_on_under_the_units_just_written(serving: Path) -> None:
    update(serving)
    after = held(serving)
    journal.write(serving / "state/release", journal.PENDING, Switch("0.4.0", "0.5.0", "restart", Commands()))
    assert switcher(serving).switch("0.5.0", Commands()) == "switched"
    assert held(serving) == after
