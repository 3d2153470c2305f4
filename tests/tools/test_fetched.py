"""Where npm and node come from, and that both do their work without those of the machine."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import fetched  # noqa: E402


def test_the_machines_own_node_is_taken_only_with_its_npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("node", "npm"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert fetched.node("node") == [str(tmp_path / "node")]
    assert fetched.node("npm") == [str(tmp_path / "npm")]
    (tmp_path / "npm").unlink()
    assert fetched.node("node")[0] == sys.executable


@pytest.mark.parametrize("tool", ["node", "npm"])
def test_without_them_those_of_the_wheel_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = subprocess.run([*fetched.node(tool), "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout.lstrip("v").split(".")[0]) >= 10


@pytest.mark.slow
def test_the_runtime_is_fetched_with_npm_from_the_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path.name: path.read_bytes() for path in fetched.runtime().iterdir()}
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(fetched, "KEPT", tmp_path / "kept")
    try:
        folder = fetched.runtime()
    except SystemExit as told:
        said = capsys.readouterr().err
        if any(word in said for word in ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT")):
            pytest.skip(f"no network: {told}")
        raise
    assert folder.parent == tmp_path / "kept"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
