"""The program on the medium and on the machine: `release.pyz`, later `/opt/appliance/bin/release`.

release verify MEDIUM [--fingerprint F]          is every file on it what was signed?
release stage MEDIUM [--fingerprint F]           verify and copy to this machine's disk
release check VERSION                            is the copy still what was verified?
release switch VERSION --migrate C --restart C --health C
release keep [--anew]                            the units and settings of the release that serves, to go back to
release rollback | resume [--at-boot] | status [--json]
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from appliance.release import journal, staging, trust
from appliance.release.files import MediumError
from appliance.release.journal import Commands
from appliance.release.machine import Machine
from appliance.release.switching import Switcher, SwitchError
from appliance.release.verifier import verify

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT: Final = "/opt/appliance"
STATE: Final = "/var/lib/appliance"
REFUSED: Final = 1
ROLLED_BACK: Final = 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0, 1 when something was refused, 3 when a switch was taken back."""
    given = _parser().parse_args(arguments)
    try:
        code: int = given.run(given)
    except MediumError as error:
        _say(f"REFUSED ({error.code}): {error}")
        return REFUSED
    except (SwitchError, OSError) as error:
        _say(str(error))
        return REFUSED
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="release", description="Verify, stage and switch signed releases.")
    parser.add_argument("--root", type=Path, default=Path(ROOT), help=f"folder of all releases; default {ROOT}")
    parser.add_argument("--state", type=Path, default=Path(STATE), help=f"trust and journal; default {STATE}")
    parser.add_argument("--machine", type=Path, default=Path("/"), help="where the units lie; default /")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, run in (("verify", _verify), ("stage", _stage)):
        one = commands.add_parser(name)
        one.add_argument("medium", type=Path)
        one.add_argument("--fingerprint", help="the signer's, from the paper sheet; asked for where none is known")
        one.add_argument("--version", help="where several releases lie on the medium")
        one.set_defaults(run=run)
    one = commands.add_parser("check")
    one.add_argument("version")
    one.set_defaults(run=_check)
    one = commands.add_parser("switch")
    one.add_argument("version")
    for step in ("migrate", "restart", "health"):
        one.add_argument(f"--{step}", default="", metavar="COMMAND")
    one.add_argument("--health-seconds", type=float, default=120.0)
    one.set_defaults(run=_switch)
    commands.add_parser("prune").set_defaults(run=_prune)
    one = commands.add_parser("keep")
    one.add_argument("--anew", action="store_true", help="an installation has ended; without it, one begins")
    one.set_defaults(run=_keep)
    commands.add_parser("rollback").set_defaults(run=_rollback)
    one = commands.add_parser("resume")
    one.add_argument("--at-boot", action="store_true", help="nothing runs yet: restart nothing")
    one.set_defaults(run=_resume)
    one = commands.add_parser("status")
    one.add_argument("--json", action="store_true", dest="as_json")
    one.set_defaults(run=_status)
    return parser


def _verify(given: argparse.Namespace) -> int:
    medium = verify(given.medium, trust=given.state / "trust", typed=_typed(given), now=datetime.now(UTC))
    read = medium.hash_all()
    files = sum(len(targets) for targets in medium.groups.values())
    _say(f"signer {medium.fingerprint}, signed {medium.signed_at:%Y-%m-%d %H:%M} UTC")
    print(f"genuine: {files} files, {read >> 20} MiB, {', '.join(medium.groups)}")  # noqa: T201
    return 0


def _stage(given: argparse.Namespace) -> int:
    medium = verify(given.medium, trust=given.state / "trust", typed=_typed(given), now=datetime.now(UTC))
    _say(f"signer {medium.fingerprint}, signed {medium.signed_at:%Y-%m-%d %H:%M} UTC")
    done = staging.stage(medium, given.root, _say, wanted=given.version)
    print(f"{'unchanged' if done.unchanged else 'staged'} {done.folder}")  # noqa: T201
    return 0


def _check(given: argparse.Namespace) -> int:
    count = staging.check(given.root / staging.BUNDLES / given.version)
    count += staging.check_application(given.root, given.version)
    print(f"{given.version}: {count} files are what was verified")  # noqa: T201
    return 0


def _switch(given: argparse.Namespace) -> int:
    commands = Commands(given.migrate, given.restart, given.health)
    outcome = _switcher(given, given.health_seconds).switch(given.version, commands)
    if outcome == "switched":
        try:
            _say(f"of older releases removed: {', '.join(_pruned(given)) or 'nothing'}")
        except OSError as error:  # the release serves; room can be made later
            _say(f"older releases could not be removed ({error.strerror}): /opt/appliance/bin/release prune")
    return _told(outcome, given)


def _prune(given: argparse.Namespace) -> int:
    if not _switcher(given).current() or journal.read(given.state / "release", journal.PENDING) is not None:
        _say("nothing is removed while no release serves or a switch is not finished")
        return REFUSED
    print(f"removed {', '.join(_pruned(given)) or 'nothing'}")  # noqa: T201
    return 0


def _pruned(given: argparse.Namespace) -> list[str]:
    """Keep the release that serves and the one to go back to."""
    last = journal.read(given.state / "release", journal.LAST)
    kept = frozenset({_switcher(given).current(), last.former if last else ""})
    _machine(given).forget_all_but(kept)
    return staging.prune(given.root, kept)


def _keep(given: argparse.Namespace) -> int:
    version = _switcher(given).current()
    if given.anew:
        _machine(given).ends()
    elif version:
        _machine(given).begins()
    done = bool(version) and _machine(given).keep(version, anew=given.anew)
    print(f"{'kept' if done else 'unchanged'}: units and settings of {version or 'no release'}")  # noqa: T201
    return 0


def _rollback(given: argparse.Namespace) -> int:
    outcome = _switcher(given).rollback()
    print(f"{outcome}: {_switcher(given).current() or 'none'} serves")  # noqa: T201
    return 0 if outcome == "rolled back" else REFUSED


def _resume(given: argparse.Namespace) -> int:
    outcome = _switcher(given).resume(at_boot=given.at_boot)
    return 0 if outcome == "nothing pending" else _told(outcome, given) and 0


def _told(outcome: str, given: argparse.Namespace) -> int:
    print(f"{outcome}: {_switcher(given).current() or 'none'} serves")  # noqa: T201
    return ROLLED_BACK if outcome == "rolled back" else 0


def _status(given: argparse.Namespace) -> int:
    pending = journal.read(given.state / "release", journal.PENDING)
    last = journal.read(given.state / "release", journal.LAST)
    content: dict[str, Any] = {
        "current": _switcher(given).current() or None,
        "previous": (last.former or None) if last else None,
        "pending": {"step": pending.step, "from": pending.former, "to": pending.to} if pending else None,
        "staged": staging.staged(given.root),
        "trust": trust.versions(given.state / "trust"),
    }
    lines = json.dumps(content) if given.as_json else "\n".join(f"{key:9} {value}" for key, value in content.items())
    print(lines)  # noqa: T201
    return 0


def _switcher(given: argparse.Namespace, health_s: float = 120.0) -> Switcher:
    return Switcher(given.root, given.state / "release", _say, health_s, _machine(given))


def _machine(given: argparse.Namespace) -> Machine:
    return Machine(given.machine, given.state / "release")


def _typed(given: argparse.Namespace) -> str | None:
    """Return the fingerprint given, else ask for it where this machine knows no signer yet."""
    if given.fingerprint or (given.state / "trust" / "root.json").exists() or not sys.stdin.isatty():
        return str(given.fingerprint) if given.fingerprint else None
    return input("Signer's fingerprint, from the paper sheet: ")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
