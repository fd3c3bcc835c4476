"""The parts of a release, each put into the folder of its group, with what the bill of materials says of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path  # noqa: TC003 - a field's type
from typing import TYPE_CHECKING, Final, Literal

from appliance.config import ROOT
from appliance.model_server.manifest import EMBEDDER_FILES, LANGUAGE_MODEL_FILES, file_digest, verify
from appliance.release.build import debs, program, sbom, wheels
from appliance.release.build.application import packages
from appliance.release.files import listed
from appliance.release.weights import check_model
from appliance.setup import environments

if TYPE_CHECKING:
    from collections.abc import Callable

Variant = Literal["cpu", "cuda"]
INSTALLER: Final = ROOT / "ansible" / "install"
# What the installer itself stands on; the roles name the rest.
_OWN_PACKAGES: Final = ("python3", "python3-venv", "python3-apt", "ca-certificates")


class PartError(Exception):
    """A part cannot be made as it must be."""


@dataclass(slots=True)
class Parts:
    """Puts parts into `folder` and collects components and licence texts."""

    folder: Path
    cache: Path
    say: Callable[[str], None]
    components: list[sbom.Part] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def wheelhouses(self, variant: Variant) -> None:
        """Put the wheels of the application, of the model server and of Ansible.

        Raises:
            WheelError: a wheel cannot be had.
            PartError: torch is the build for another kind of machine.
        """
        own = INSTALLER / "ansible.txt"
        ask = ("--no-deps", "--require-hashes", "-r")
        steps = {
            "web": ((*ask, str(environments.LOCKS / "web.txt")),),
            "model": environments.model(gpu=variant == "cuda").steps,
            "ansible": ((*ask, str(own)),),
        }
        for name, asked in steps.items():
            found = wheels.fetch(asked, self.cache / f"wheels-{variant}" / name, self.say)
            if name == "model":
                _check_torch(found, variant)
            if name == "web":
                self._program(found)
            for wheel in found:
                self._put(wheel.path, f"wheels/{name}/{wheel.path.name}")
                self.components.append(sbom.of_wheel(wheel))
                self.texts += [(f"{wheel.name} {wheel.version} ({wheel.licence})", text) for text in wheel.texts]
            self._write(f"wheels/{name}.txt", wheels.requirements(found))

    def debian_packages(self, sources: Path, variant: Variant) -> list[debs.Deb]:
        """Put the Debian packages and the index; returns those that Python needs on a machine without it.

        Raises:
            DebError: apt could not resolve or fetch them.
        """
        apt = debs.Apt(self.cache / "apt", sources)
        apt.update()
        wanted = sorted({*packages(self.folder / "app", gpu=variant == "cuda"), *_OWN_PACKAGES})
        self.say(f"debs: {len(wanted)} packages and all they depend on")
        found = apt.fetch([debs.ESSENTIAL, *wanted])
        for deb in found:
            self._put(deb.path, f"debs/{deb.file_name}")
            text = debs.copyright_text(deb, self.cache / "copyright")
            self.components.append(sbom.of_deb(deb, debs.licences_named(text)))
            self.texts.append((f"Debian {deb.name} {deb.version}", text or "See the package of its source."))
        index = debs.index(found)
        self._write("debs/Packages", index)
        (self.folder / "debs" / "Packages.gz").write_bytes(debs.zipped(index))
        essential, python = set(apt.order([debs.ESSENTIAL])), apt.order(["python3"])
        needed = set(python) - essential
        return [deb for deb in found if (deb.name, deb.version) in needed]

    def models(self, language: Path, embedder: Path) -> None:
        """Put both models, each as its manifest says.

        Raises:
            ModelFolderError: a folder is not what its manifest says.
            MediumError: a file in it could run code.
        """
        for name, source, allowed in (
            ("language", language, LANGUAGE_MODEL_FILES),
            ("embedder", embedder, EMBEDDER_FILES),
        ):
            digest = verify(source, allowed=allowed)
            names = sorted(listed(source))
            check_model(source, names)
            for one in names:
                self._put(source / one, f"models/{name}/{one}")
            manifest = json.loads((source / "manifest.json").read_text())
            part = sbom.Part("machine-learning-model", manifest["name"], digest[:12], digest, manifest["licence"])
            self.components.append(part)

    def qdrant(self, binary: Path, sha256: str) -> None:
        """Put a Qdrant server binary.

        Raises:
            PartError: it is not the one that was pinned.
        """
        if file_digest(binary) != sha256.lower():
            raise PartError(f"{binary} does not have the sha256 that was given")
        self._put(binary, "qdrant/qdrant", mode=0o755)
        self.components.append(sbom.Part("application", "qdrant", "given", sha256.lower(), "Apache-2.0"))

    def front_end(self) -> None:
        """Name the vendored front-end files, which lie in the application, in the bill."""
        vendored = self.folder / "app" / "appliance" / "static" / "vendor"
        for path in sorted(vendored.glob("*.js")):
            licence = path.with_name(f"{path.name.removesuffix('.min.js')}.LICENSE")
            first = licence.read_text().strip().splitlines()[0] if licence.exists() else "see NOTICE"
            self.components.append(sbom.Part("file", path.name, "vendored", file_digest(path), first))

    def installer(self, version: str, python: list[debs.Deb]) -> None:
        """Write the two scripts: the one that runs first, and the one that runs from the verified copy."""
        table = "\n".join(f"{deb.sha256} debs/{deb.file_name}" for deb in python)
        digest = file_digest(self.folder / "bootstrap" / "release.pyz")
        values = {"@VERSION@": version, "@DEBS@": table, "@PROGRAM_SHA256@": digest}
        for source, target in (("install.sh", "install"), ("continue.sh", "bootstrap/continue")):
            text = (INSTALLER / source).read_text()
            for mark, value in values.items():
                text = text.replace(mark, value)
            self._write(target, text)

    def papers(self, version: str, timestamp: str) -> None:
        """Write the bill of materials and the licence texts."""
        self._write("sbom.cdx.json", sbom.bill("clinical-assistant-appliance", version, timestamp, self.components))
        self._write("licences.txt", sbom.licence_book(sorted(set(self.texts))))

    def _program(self, found: list[wheels.Wheel]) -> None:
        target = self.folder / "bootstrap" / "release.pyz"
        target.parent.mkdir(parents=True, exist_ok=True)
        program.pack(target, found)

    def _put(self, source: Path, name: str, mode: int = 0o644) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(mode)

    def _write(self, name: str, text: str) -> None:
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def _check_torch(found: list[wheels.Wheel], variant: Variant) -> None:
    torch = next((wheel for wheel in found if wheel.name == "torch"), None)
    if torch is None or ("+cpu" in torch.version) != (variant == "cpu"):
        have = torch.version if torch else "none"
        raise PartError(
            f"torch {have} is not the {variant} build; name pip a folder with the right wheel (PIP_FIND_LINKS)"
        )
