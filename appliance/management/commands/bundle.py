"""Make, sign and verify media: `manage.py bundle keys|build|former|model|refresh|fingerprint|verify`."""

from __future__ import annotations

import getpass
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.config import config
from appliance.model_server.manifest import ModelFolderError
from appliance.release.build import schema
from appliance.release.build.application import ApplicationError
from appliance.release.build.debs import DebError
from appliance.release.build.keys import KeyFileError, KeyFolder
from appliance.release.build.medium import BuildError, Plan, build, build_model
from appliance.release.build.parts import PartError
from appliance.release.build.program import ProgramError
from appliance.release.build.repository import TIMESTAMP_DAYS, Repository, RepositoryError
from appliance.release.build.wheels import WheelError
from appliance.release.files import MediumError
from appliance.release.verifier import verify

if TYPE_CHECKING:
    from argparse import ArgumentParser

DEBIAN_SOURCES: Final = "/etc/apt/sources.list.d/debian.sources"
_REFUSALS: Final = (
    ApplicationError,
    BuildError,
    DebError,
    KeyFileError,
    MediumError,
    ModelFolderError,
    PartError,
    ProgramError,
    RepositoryError,
    WheelError,
)


class Command(BaseCommand):
    """`manage.py bundle COMMAND`; needs no database."""

    help = "Make, sign and verify the media that a site installs from."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        var = config().var
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        keys = commands.add_parser("keys", help="make the signers' keys and the first root; once, without network")
        made = commands.add_parser("build", help="make a release's medium")
        model = commands.add_parser("model", help="make a medium with one model")
        refresh = commands.add_parser("refresh", help="sign an unchanged medium anew, so that it expires later")
        shown = commands.add_parser("fingerprint", help="print the signer's fingerprint")
        former = commands.add_parser(
            "former", help="this release was handed out: the next is held against its database"
        )
        former.add_argument("--version", dest="release_version", metavar="VERSION", required=True)
        check = commands.add_parser("verify", help="is every file on a medium what was signed?")
        for one in (keys, made, model, refresh, shown):
            one.add_argument("--repository", type=Path, default=var / "bundle-repository", help="builder's metadata")
        for one in (keys, made, model, refresh):
            one.add_argument("--keys", type=Path, required=True, help="folder of the PEM files")
            one.add_argument("--passphrase-file", type=Path)
            one.add_argument("--no-passphrase", action="store_true", help="keys lie there unencrypted: for tests")
        for one in (made, model):
            one.add_argument("--out", type=Path, required=True, help="an empty folder")
        for one in (made, model, refresh):
            one.add_argument("--days", type=int, default=TIMESTAMP_DAYS, help="until the medium expires")
        _add_build(made, var)
        model.add_argument("folder", type=Path)
        model.add_argument("--name", required=True)
        for one in (refresh, check):
            one.add_argument("medium", type=Path)
        check.add_argument("--fingerprint", required=True)
        check.add_argument("--trust", type=Path, help="what this machine has seen; default: nothing")

    def handle(self, *, command: str, **options: Any) -> None:
        """Run one command.

        Raises:
            CommandError: something was refused, and why.
        """
        try:
            getattr(self, f"_{command}")(options)
        except _REFUSALS as error:
            raise CommandError(str(error)) from None

    def _keys(self, options: dict[str, Any]) -> None:
        keys = _key_folder(options, new=True)
        files = keys.make()
        fingerprint = Repository(options["repository"], timezone.now()).begin(keys)
        self.stdout.write("\n".join(str(path) for path in files))
        self.stdout.write(
            "Take root-1, root-2 and root-3 to three places; two of them together can replace every key.\n"
            f"Signer's fingerprint: {fingerprint}"
        )

    def _build(self, options: dict[str, Any]) -> None:
        plan = Plan(
            out=options["out"],
            keys=_key_folder(options),
            repository=options["repository"],
            cache=options["cache"],
            sources=options["apt_sources"],
            language=options["language_model"],
            embedder=options["embedder"],
            version=options["release_version"] or "",
            variant=options["variant"],
            qdrant=options["qdrant"],
            qdrant_sha256=options["qdrant_sha256"],
            days=options["days"],
            working_tree=options["working_tree"],
        )
        made = build(plan, now=timezone.now(), say=self._say)
        if options["as_json"]:
            whole = {"version": made.version, "fingerprint": made.fingerprint, "paper": str(made.paper)}
            self.stdout.write(json.dumps(whole | {"bytes": made.sizes, "seconds": made.seconds}))
            return
        for part, size in sorted(made.sizes.items(), key=lambda one: -one[1]):
            self.stdout.write(f"{part:20} {size / 2**20:9.1f} MiB")
        self.stdout.write(
            f"{'whole':20} {sum(made.sizes.values()) / 2**20:9.1f} MiB, {sum(made.seconds.values()):.0f} s"
        )
        self.stdout.write(f"release {made.version}; print {made.paper} and send it another way than the medium")

    def _former(self, options: dict[str, Any]) -> None:
        made = schema.remember(options["release_version"])
        self.stdout.write(f"{schema.RECORD}: {made.version}, {len(made.migrations)} migrations; commit it")

    def _model(self, options: dict[str, Any]) -> None:
        repository = Repository(options["repository"], timezone.now())
        keys = _key_folder(options)
        signer = build_model(options["folder"], options["name"], options["out"], repository, keys, days=options["days"])
        self.stdout.write(f"{options['out']} carries {options['name']}; signer {signer}")

    def _refresh(self, options: dict[str, Any]) -> None:
        repository = Repository(options["repository"], timezone.now())
        repository.refresh(_key_folder(options), days=options["days"])
        repository.put_metadata(options["medium"])
        self.stdout.write(f"{options['medium']} is good for {options['days']} days")

    def _fingerprint(self, options: dict[str, Any]) -> None:
        self.stdout.write(Repository(options["repository"], timezone.now()).fingerprint())

    def _verify(self, options: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as nothing:
            trust = options["trust"] or Path(nothing) / "trust"
            medium = verify(options["medium"], trust=trust, typed=options["fingerprint"], now=timezone.now())
            read = medium.hash_all()
        count = sum(len(group) for group in medium.groups.values())
        self.stdout.write(f"genuine: {count} files, {read >> 20} MiB, {', '.join(medium.groups)}")

    def _say(self, line: str) -> None:
        self.stderr.write(line)


def _add_build(parser: ArgumentParser, var: Path) -> None:
    parser.add_argument("--variant", choices=["cpu", "cuda"], default="cpu", help="what the model server runs on")
    parser.add_argument("--version", dest="release_version", metavar="VERSION", help="default: pyproject.toml's")
    parser.add_argument("--cache", type=Path, default=var / "bundle-cache", help="downloads are kept here")
    parser.add_argument("--apt-sources", type=Path, default=Path(DEBIAN_SOURCES), help="list of Debian's archives")
    parser.add_argument("--language-model", type=Path, default=config().model_path, help="folder with manifest.json")
    parser.add_argument("--embedder", type=Path, default=config().embedder_path, help="folder with manifest.json")
    parser.add_argument("--qdrant", type=Path, help="a Qdrant server binary")
    parser.add_argument("--qdrant-sha256", default="", help="what that binary must hash to")
    parser.add_argument(
        "--working-tree", action="store_true", help="for trials: not what is committed, but what lies here"
    )
    parser.add_argument("--json", action="store_true", dest="as_json")


def _key_folder(options: dict[str, Any], *, new: bool = False) -> KeyFolder:
    if options["no_passphrase"]:
        return KeyFolder(options["keys"])
    if options["passphrase_file"]:
        passphrase = options["passphrase_file"].read_text().strip()
    else:
        passphrase = getpass.getpass("Passphrase of the keys: ")
        if new and getpass.getpass("Once more: ") != passphrase:
            raise CommandError("the two passphrases differ")
    if not passphrase:
        raise CommandError("an empty passphrase protects nothing; for tests say --no-passphrase")
    return KeyFolder(options["keys"], passphrase.encode())
