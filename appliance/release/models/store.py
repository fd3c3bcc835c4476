"""The models on this machine: where they lie, where each came from, which one is served, which one was before.

<store>/<name>-<12 hex of its digest>/         the model's folder, exactly as its manifest says
<store>/<name>-<12 hex of its digest>.json     origin, signer, and what the last weighing found
<store>/active                                 the one that is served, a link
<store>/history.json                           activations, oldest first
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, replace
from datetime import datetime  # noqa: TC003 - a parameter's type
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Any, Final

from appliance.model_server.manifest import LANGUAGE_MODEL_FILES, MANIFEST, verify
from appliance.release.files import MediumError, listed, opened
from appliance.release.names import MODEL, is_version
from appliance.release.weights import check_model

if TYPE_CHECKING:
    from collections.abc import Callable

    from appliance.release.verifier import Medium

ACTIVE: Final = "active"
HISTORY: Final = "history.json"
UNSIGNED: Final = "unsigned"


class ModelStoreError(Exception):
    """A model cannot be taken in or served. The message is for the engineer; `code` for logs.

    Codes: unknown, ambiguous, nothing_before, bad_name, several.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model on this machine. `entry` is its folder's name; `gate` what the last weighing found, if any."""

    entry: str
    name: str
    digest: str
    licence: str
    source: str
    signer: str
    imported_at: str
    gate: dict[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The models below one folder."""

    folder: Path

    def import_folder(self, source: Path, *, now: datetime, name: str = "") -> tuple[StoredModel, bool]:
        """Take in a model's folder as it lies there; nobody vouches for it but whoever runs this.

        Returns:
            The model, and whether it was new.

        Raises:
            MediumError: it holds a file that could run code, or a link.
            ModelFolderError: it is not what its manifest says.
        """

        def copy(one: str, target: Path) -> None:
            with opened(source / one) as file, target.open("xb") as out:
                shutil.copyfileobj(file, out, 1 << 20)

        names = sorted(listed(source))
        return self._take_in(names, copy, name or source.resolve().name, UNSIGNED, now)

    def import_medium(self, medium: Medium, *, now: datetime, name: str = "") -> tuple[StoredModel, bool]:
        """Take in the model on a verified medium; its files are hashed while they are copied.

        Returns:
            The model, and whether it was new.

        Raises:
            ModelStoreError: the medium carries no model, or several and none is named.
            MediumError: a file is not what was signed, or could run code.
            ModelFolderError: the model is not what its manifest says.
        """
        carried = [group.partition("/")[2] for group in medium.groups if group.startswith(f"{MODEL}/")]
        if name not in carried and (name or len(carried) != 1):
            raise ModelStoreError("several", f"models on the medium: {', '.join(carried) or 'none'}; name one")
        chosen = name or carried[0]
        prefix = f"{MODEL}/{chosen}/"
        targets = {target.name.removeprefix(prefix): target for target in medium.groups[f"{MODEL}/{chosen}"]}
        return self._take_in(
            sorted(targets), lambda one, to: medium.copy(targets[one], to), chosen, medium.fingerprint, now
        )

    def models(self) -> list[StoredModel]:
        """Return every model, by name and digest."""
        return [_read(path) for path in sorted(self.folder.glob("*-????????????.json"))]

    def find(self, wanted: str) -> StoredModel:
        """Return the one model that this name, entry, or beginning of a digest means.

        Raises:
            ModelStoreError: there is none, or more than one.
        """
        found = [
            one
            for one in self.models()
            if wanted in (one.name, one.entry) or (len(wanted) >= 8 and one.digest.startswith(wanted))
        ]
        if not found:
            raise ModelStoreError("unknown", f"no model {wanted} here; `model list` names those that are")
        if len(found) > 1:
            entries = ", ".join(one.entry for one in found)
            raise ModelStoreError("ambiguous", f"{wanted} means several: {entries}")
        return found[0]

    def active(self) -> StoredModel | None:
        """Return the model that is served, None where none was activated."""
        link = self.folder / ACTIVE
        return _read(self.folder / f"{link.readlink().name}.json") if link.is_symlink() else None

    def former(self) -> StoredModel:
        """Return the model that was served before.

        Raises:
            ModelStoreError: there was none, or it is not here any more.
        """
        entries = [line["entry"] for line in self.history()]
        if len(entries) < 2 or not (self.folder / f"{entries[-2]}.json").exists():
            raise ModelStoreError("nothing_before", "no model was served before this one")
        return _read(self.folder / f"{entries[-2]}.json")

    def activate(self, model: StoredModel, *, now: datetime, back: bool = False) -> None:
        """Let a model be served from the model server's next start; `back` also forgets the one served now.

        Raises:
            ModelFolderError: its folder is not what its manifest says any more.
        """
        verify(self.folder / model.entry, allowed=LANGUAGE_MODEL_FILES)
        lines = self.history()[: -2 if back else None]
        self._write(HISTORY, [*lines, {"entry": model.entry, "at": now.isoformat(timespec="seconds")}])
        partial = self.folder / f".{ACTIVE}.partial"
        partial.unlink(missing_ok=True)
        partial.symlink_to(model.entry)
        partial.replace(self.folder / ACTIVE)

    def record_gate(self, model: StoredModel, gate: dict[str, Any]) -> None:
        """Keep what weighing a model found."""
        self._write(f"{model.entry}.json", model.as_json() | {"gate": gate})

    def history(self) -> list[dict[str, str]]:
        """Return the activations, oldest first."""
        path = self.folder / HISTORY
        lines: list[dict[str, str]] = json.loads(path.read_text()) if path.exists() else []
        return lines

    def _take_in(
        self, names: list[str], copy: Callable[[str, Path], None], name: str, signer: str, now: datetime
    ) -> tuple[StoredModel, bool]:
        if not is_version(name):
            raise ModelStoreError("bad_name", f"{name!r}: letters, digits, dots and dashes")
        if MANIFEST not in names:
            raise MediumError("missing_file", f"{MANIFEST} is missing: record the folder first")
        partial = self.folder / f".{name}.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        try:
            for one in names:
                (partial / one).parent.mkdir(parents=True, exist_ok=True)
                copy(one, partial / one)
            check_model(partial, names)
            digest = verify(partial, allowed=LANGUAGE_MODEL_FILES)
            return self._settle(partial, name, digest, signer, now)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _settle(self, partial: Path, name: str, digest: str, signer: str, now: datetime) -> tuple[StoredModel, bool]:
        entry = f"{name}-{digest[:12]}"
        if (self.folder / f"{entry}.json").exists():
            verify(self.folder / entry, allowed=LANGUAGE_MODEL_FILES)
            held = _read(self.folder / f"{entry}.json")
            if held.signer == UNSIGNED != signer:  # now somebody vouches for it
                held = replace(held, signer=signer)
                self._write(f"{entry}.json", held.as_json())
            return held, False
        manifest = json.loads((partial / MANIFEST).read_text())
        shutil.rmtree(self.folder / entry, ignore_errors=True)  # a copy whose record was never written
        partial.rename(self.folder / entry)
        at = now.isoformat(timespec="seconds")
        licence, source = str(manifest.get("licence", "")), str(manifest.get("source", ""))
        model = StoredModel(entry, name, digest, licence, source, signer, at)
        self._write(f"{entry}.json", model.as_json())
        return model, True

    def _write(self, name: str, content: object) -> None:
        partial = self.folder / f".{name}.partial"
        partial.write_text(json.dumps(content, indent=1) + "\n")
        partial.replace(self.folder / name)


def _read(path: Path) -> StoredModel:
    return StoredModel(**json.loads(path.read_text()))
