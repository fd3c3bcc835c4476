"""After a switch the release that serves and the one before are kept whole, and nothing of older ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from appliance.release import staging
from appliance.release.front import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three releases; the first two share an environment, as releases with the same lock do."""
    made = tmp_path / "opt"
    for version, lock in (("0.1.0", "a"), ("0.2.0", "a"), ("0.3.0", "b")):
        for name in ("bundles", "releases", "ansible"):
            (made / name / version).mkdir(parents=True)
            (made / name / version / "file").touch()
        for kind, link in (("web", ".venv"), ("model", ".venv-vllm")):
            environment = made / "environments" / f"{kind}-{lock}"
            environment.mkdir(parents=True, exist_ok=True)
            (environment / "complete").touch()
            (made / "releases" / version / link).symlink_to(environment)
    return made


def switch(root: Path, version: str) -> int:
    return main(["--root", str(root), "--state", str(root.parent / "state"), "switch", version])


def left(root: Path) -> dict[str, list[str]]:
    names = ("bundles", "releases", "ansible", "environments")
    return {name: sorted(path.name for path in (root / name).iterdir()) for name in names}


def test_a_switch_removes_what_is_older_than_the_release_before(root: Path) -> None:
    later = root.parent / "later"
    shutil.copytree(root, later, symlinks=True)
    for version in ("0.1.0", "0.2.0", "0.3.0"):
        for name in ("bundles", "releases", "ansible"):  # as a medium brings it
            shutil.rmtree(root / name / version, ignore_errors=True)
            shutil.copytree(later / name / version, root / name / version, symlinks=True)
        for environment in (later / "environments").iterdir():
            shutil.copytree(environment, root / "environments" / environment.name, dirs_exist_ok=True)
        assert switch(root, version) == 0
    environments = left(root)["environments"]
    assert {name: held for name, held in left(root).items() if name != "environments"} == {
        name: ["0.2.0", "0.3.0"] for name in ("bundles", "releases", "ansible")
    }
    # The environments of the release to go back to are still there.
    assert environments == ["model-a", "model-b", "web-a", "web-b"]


def test_environments_that_no_kept_release_uses_are_removed(root: Path) -> None:
    assert staging.prune(root, frozenset({"0.3.0"})) == ["0.1.0", "0.2.0", "model-a", "web-a"]
    assert left(root) == {
        "bundles": ["0.3.0"], "releases": ["0.3.0"], "ansible": ["0.3.0"], "environments": ["model-b", "web-b"],
    }  # fmt: skip


def test_a_release_that_was_half_removed_is_never_taken_for_whole(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(path: Path) -> None:
        os.unlink(next(Path(path).iterdir()))  # noqa: PTH108 - one file, then the power is cut
        raise KeyboardInterrupt

    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        staging.prune(root, frozenset({"0.2.0", "0.3.0"}))
    monkeypatch.undo()
    assert "0.1.0" not in left(root)["bundles"]
    assert staging.prune(root, frozenset({"0.2.0", "0.3.0"})) == ["0.1.0"]
    assert not any(name.startswith(".") for names in left(root).values() for name in names)


def test_a_switch_holds_where_older_releases_cannot_be_removed(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*_: object) -> list[str]:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(staging, "prune", refused)
    assert switch(root, "0.2.0") == 0
    assert (root / "current").resolve().name == "0.2.0"
    assert "release prune" in capsys.readouterr().err
