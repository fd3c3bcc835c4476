"""Models of this machine: `manage.py model import|list|activate|rollback`."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from appliance.backends.vllm import VllmChatModel
from appliance.config import ROOT, config
from appliance.egress import EgressDeniedError
from appliance.model_server.manifest import ModelFolderError
from appliance.release.files import MediumError
from appliance.release.models.store import ModelStore, ModelStoreError, StoredModel
from appliance.release.models.weighing import weigh
from appliance.release.verifier import verify
from clinical.audit import trail
from clinical.domain.gate.pairs import BadPairError

if TYPE_CHECKING:
    from argparse import ArgumentParser

PAIRS: Final = ROOT / "tests" / "gold" / "gate.jsonl"
_REFUSED: Final = 3


class Command(BaseCommand):
    """`manage.py model COMMAND`; every import and activation, and every refusal, is a row of the audit trail."""

    help = "Take in, list, activate and take back language models. Weights as safetensors only."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        taken = commands.add_parser("import", help="take in a model; it is not served yet")
        taken.add_argument("folder", nargs="?", type=Path, help="a model's folder (not on a site: nobody signed it)")
        taken.add_argument("--from", dest="medium", type=Path, metavar="MEDIUM", help="a signed medium")
        taken.add_argument("--fingerprint", help="the signer's, where this machine knows none yet")
        taken.add_argument("--trust", type=Path, default=config().var / "trust", help="what this machine has seen")
        taken.add_argument("--name", default="", help="where the medium carries several; or for a folder")
        listing = commands.add_parser("list", help="the models here, and which one is served")
        active = commands.add_parser("activate", help="weigh a model, then let it be served")
        active.add_argument("model", help="name, or the beginning of its digest")
        active.add_argument("--pairs", type=Path, default=PAIRS, help="as for `gate`; default: those shipped")
        active.add_argument("--most-wrong", type=int, default=0, help="unsupported sentences that may be shown")
        active.add_argument("--served-at", default="", metavar="URL", help="where the model is served for trial")
        active.add_argument("--trials", type=int, default=20, help="pieces of evidence to draft over")
        back = commands.add_parser("rollback", help="serve the former model again")
        for one in (taken, listing, active, back):
            one.add_argument("--json", action="store_true", dest="as_json")

    def handle(self, *, command: str, as_json: bool, **options: Any) -> None:
        """Run one command.

        Raises:
            CommandError: refused; exit code 3.
        """
        store = ModelStore(config().var / "models")
        try:
            found: dict[str, Any] = getattr(self, f"_{command}")(store, options)
        except (BadPairError, EgressDeniedError, MediumError, ModelFolderError, ModelStoreError, OSError) as error:
            code = getattr(error, "code", type(error).__name__)
            _audit(f"model.{command}", "REFUSED", {"code": code})
            raise CommandError(f"REFUSED ({code}): {error}", returncode=_REFUSED) from None
        self.stdout.write(json.dumps(found) if as_json else _plain(command, found))
        if found.get("passed") is False:
            raise CommandError(f"not activated: {found['why']}", returncode=_REFUSED)

    def _import(self, store: ModelStore, options: dict[str, Any]) -> dict[str, Any]:
        folder, medium = options["folder"], options["medium"]
        if (folder is None) == (medium is None):
            raise CommandError("name a folder or --from MEDIUM, not both", returncode=2)
        if medium is not None:
            verified = verify(medium, trust=options["trust"], typed=options["fingerprint"], now=timezone.now())
            model, new = store.import_medium(verified, now=timezone.now(), name=options["name"])
        elif config().profile == "site":
            raise MediumError("signatures", "a site takes models from signed media only: --from MEDIUM")
        else:
            model, new = store.import_folder(folder, now=timezone.now(), name=options["name"])
        _audit("model.import", "SUCCESS", _reference(model) | {"signer": model.signer, "new": new})
        return model.as_json() | {"new": new}

    def _list(self, store: ModelStore, _options: dict[str, Any]) -> dict[str, Any]:
        active = store.active()
        entry = active.entry if active else ""
        return {"models": [one.as_json() | {"active": one.entry == entry} for one in store.models()]}

    def _activate(self, store: ModelStore, options: dict[str, Any]) -> dict[str, Any]:
        model, now = store.find(options["model"]), timezone.now()
        chat = _served(options["served_at"], model)
        found = weigh(options["pairs"], chat=chat, most_wrong=options["most_wrong"], trials=options["trials"])
        gate = found.as_json() | {"at": now.isoformat(timespec="seconds")}
        store.record_gate(model, gate)
        if found.passed:
            store.activate(model, now=now)
        _audit("model.activate", "SUCCESS" if found.passed else "REFUSED", _reference(model) | {"gate": gate})
        return _reference(model) | gate

    def _rollback(self, store: ModelStore, _options: dict[str, Any]) -> dict[str, Any]:
        model = store.former()
        store.activate(model, now=timezone.now(), back=True)
        _audit("model.rollback", "SUCCESS", _reference(model))
        return _reference(model)


def _served(url: str, model: StoredModel) -> VllmChatModel | None:
    """Return a client of the server that serves the model for trial.

    Raises:
        ModelStoreError: nothing serves there.
    """
    if not url:
        return None
    settings = config()
    chat = VllmChatModel(
        url=url,
        model=settings.vllm_model,
        api_key=settings.secret("vllm_api_key"),
        timeout_s=settings.vllm_timeout_s,
        digest=model.digest,
    )
    if not chat.ready():
        raise ModelStoreError("unknown", f"nothing serves {settings.vllm_model} at {url}")
    return chat


def _reference(model: StoredModel) -> dict[str, Any]:
    return {"entry": model.entry, "digest": model.digest}


def _audit(action: str, outcome: str, detail: dict[str, Any]) -> None:
    trail.append(trail.Entry(action, outcome, f"os:{getpass.getuser()}", detail=detail), now=timezone.now())


def _plain(command: str, found: dict[str, Any]) -> str:
    if command == "list":
        lines = [
            f"{'*' if one['active'] else ' '} {one['entry']:40} {one['licence']:14} signer {one['signer']}, "
            f"{_weighed(one['gate'])}"
            for one in found["models"]
        ]
        return "\n".join(lines) or "no model was imported"
    if command == "import":
        return f"{found['entry']}: {'taken in' if found['new'] else 'unchanged'}; serve it with: model activate"
    if found.get("passed") is False:
        return f"{found['entry']}: {found['counts']}"
    return f"{found['entry']} is active; it is served from the model server's next start"


def _weighed(gate: dict[str, Any] | None) -> str:
    if gate is None:
        return "not weighed"
    tried = gate["drafts"]
    drafts = (
        f"{tried['shown']} of its {tried['shown'] + tried['withheld']} sentences shown" if tried else "drafts not tried"
    )
    return f"{'passed' if gate['passed'] else 'failed'} {gate['pairs']} pairs, {drafts}"
