"""kit.py, run as a person runs it: what goes wrong is one line and a status, and nothing is tried silently."""

from __future__ import annotations

import ast
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import ROOT

sys.path.insert(0, str(ROOT))

import kit  # noqa: E402


def run(*words: str, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run kit.py of a folder to its end."""
    return subprocess.run(
        [sys.executable, "kit.py", *words], cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=300
    )


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """The only line of standard error; what else kit.py said was progress."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with kit.py and what it installs from, and no .venv."""
    for name in ("kit.py", "requirements.txt", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "docs").mkdir()
    shutil.copy(ROOT / "docs" / "languages.toml", tmp_path / "docs")
    return tmp_path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_old_python_is_told_in_one_line_and_nothing_is_made(clone: Path) -> None:
    pretend = "import sys; sys.version_info = (3, 9, 1); sys.executable = 'python3'; exec(open('kit.py').read())"
    done = subprocess.run([sys.executable, "-c", pretend], cwd=clone, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "kit.py: wsklab needs Python 3.11 or newer, and this is Python 3.9 (python3)\n"
    assert not (clone / ".venv").exists()


def test_kit_is_written_in_words_that_an_old_python_can_read() -> None:
    tree = ast.parse((ROOT / "kit.py").read_text(encoding="ascii"), feature_version=(3, 4))
    newer = (ast.JoinedStr, ast.AnnAssign, ast.AsyncFunctionDef, ast.NamedExpr, ast.Nonlocal, ast.Starred)
    found = [
        (type(node).__name__, node.lineno) for node in ast.walk(tree) if isinstance(node, newer) and not _call_star(tree, node)
    ]
    annotated = [
        node.lineno for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and (node.returns or _annotated(node))
    ]
    chained = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Raise) and node.cause]
    assert (found, annotated, chained) == ([], [], [])


def _annotated(function: ast.FunctionDef) -> bool:
    return any(argument.annotation for argument in function.args.args) or bool(function.args.kwonlyargs)


def _call_star(tree: ast.AST, node: ast.AST) -> bool:
    """Whether `node` is the last positional argument of a call, ``f(a, *rest)``: that is as old as Python."""
    return any(isinstance(call, ast.Call) and call.args and call.args[-1] is node for call in ast.walk(tree))


@pytest.mark.parametrize("name", ["python2.7", "python3.6", "python3.9", "python3.10"])
def test_a_real_old_python_says_the_same(name: str) -> None:
    found = shutil.which(name)
    probe = [found or name, "-c", "import sys; sys.stdout.write('%d.%d' % sys.version_info[:2])"]
    answer = subprocess.run(probe, capture_output=True, text=True) if found else None
    if answer is None or answer.returncode:
        pytest.skip(f"there is no {name} on this machine")
    done = subprocess.run([str(found), "kit.py"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(f"kit.py: wsklab needs Python 3.11 or newer, and this is Python {answer.stdout} (")


@pytest.mark.parametrize("command", [["--port"], ["serve", "--port"], ["lab", "--no-browser", "--port"]])
def test_taken_port_is_told_before_anything_else(clone: Path, taken: int, command: list[str]) -> None:
    done = run(*command, str(taken), cwd=clone)
    assert (done.returncode, done.stdout) == (1, "")
    said = one_line(done)
    assert said == f"kit.py: port {taken} on 127.0.0.1 is taken; stop the program that uses it, or choose another with --port"
    assert not (clone / ".venv").exists()


def test_impossible_port(clone: Path) -> None:
    done = run("--port", "70000", cwd=clone)
    assert (done.returncode, one_line(done)) == (1, "kit.py: there is no port 70000")


def test_wrong_command_line_is_status_2(clone: Path) -> None:
    assert run("biuld", cwd=clone).returncode == 2


@pytest.mark.slow
def test_no_network_is_one_line(clone: Path) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    nowhere |= {"PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_RETRIES": "0"}
    done = run("site", cwd=clone, **nowhere)
    assert done.returncode == 1
    log = clone / ".venv" / "pip.log"
    assert (
        one_line(done)
        == f"kit.py: no network: pip cannot reach its package index, and .venv is not complete yet (details: {log})"
    )
    assert not (clone / "site").exists()


def test_environment_is_reused_while_its_files_are_unchanged(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ROOT", "VENV", "STAMP"):
        monkeypatch.setattr(kit, name, clone / getattr(kit, name).relative_to(ROOT))
    before = kit._fingerprint()
    assert kit._fingerprint() == before
    (clone / "requirements.txt").write_text("pycparser==3.12\npcpp==1.30  # why\n")
    assert kit._fingerprint() != before
    packages = clone / ".venv" / "lib" / "python3.11" / "site-packages"
    (packages / "pycparser-3.12.dist-info").mkdir(parents=True)
    (packages / "pcpp-1.29.dist-info").mkdir()
    monkeypatch.setattr(os, "name", "posix")
    assert kit._missing() == ["pcpp 1.30"]


def test_every_requirement_is_pinned_and_says_why() -> None:
    lines = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and not line.startswith("#")]
    assert len(kit._required()) == len(lines)
    assert [line for line in lines if "  # " not in line] == []


NOTEBOOK = """{"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3",
"language": "python"}}, "cells": [
{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# A lesson"]},
{"cell_type": "code", "id": "b", "metadata": {}, "source": ["FIRST"], "outputs": [], "execution_count": null},
{"cell_type": "code", "id": "c", "metadata": {}, "source": ["(1 +\\n", " 1 / 0)"], "outputs": [], "execution_count": null}]}"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "text", "blamed"),
    [
        ("x = 1", "# A lesson", r"notebooks/ja/00_broken.ipynb: cell 3 ((1 +): ZeroDivisionError: division by zero"),
        ("raise KeyError(3)", "# A lesson", r"notebooks/ja/00_broken.ipynb: cell 2 (raise KeyError(3)): KeyError: 3"),
        (
            "x = 1",
            "# A lesson\\n\\n[b](01_nowhere.ipynb)",
            r"lessons/00_broken.ipynb: the link to 01_nowhere.ipynb leads nowhere",
        ),
        ("x = 1", "A lesson", r"notebooks/ja/00_broken.ipynb: no cell starts with a title (# …)"),
    ],
)
def test_broken_notebook_is_named_with_its_cell_and_the_old_site_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str, text: str, blamed: str
) -> None:
    folder = tmp_path / "notebooks" / "ja"
    folder.mkdir(parents=True)
    good = " 1 / 1)" if "nowhere" in text else " 1 / 0)"
    (folder / "00_broken.ipynb").write_text(
        NOTEBOOK.replace("FIRST", first).replace("# A lesson", text).replace(" 1 / 0)", good), encoding="utf-8"
    )
    monkeypatch.setenv("WSKLAB_NOTEBOOKS", str(tmp_path / "notebooks"))
    site = tmp_path / "site"
    site.mkdir()
    (site / "index.html").write_text("old")
    with pytest.raises(kit.Trouble) as trouble:
        kit.build_site(site)
    assert str(trouble.value) == f"the site (ja) does not build: {blamed}"
    assert [path.name for path in tmp_path.iterdir() if path.name != "notebooks"] == ["site"]
    assert (site / "index.html").read_text() == "old"


def test_missing_bench_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(kit, "ensure_venv", lambda: None)
    monkeypatch.setattr(kit, "ROOT", tmp_path)
    assert kit.main(["bench"]) == 1
    assert capsys.readouterr().err == "kit.py: there is no tools/bench.py in this clone\n"


@pytest.mark.parametrize(
    ("setting", "language"),
    [
        ("ja_JP.UTF-8", "ja"),
        ("Japanese_Japan.932", "ja"),
        ("fr_CA", "fr"),
        ("French_France", "fr"),
        ("C.UTF-8", "en"),
        ("", "en"),
    ],
)
def test_the_language_is_that_of_the_machine(monkeypatch: pytest.MonkeyPatch, setting: str, language: str) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(kit.locale, "getlocale", lambda: (setting or None, None))
    assert kit._machine_language() == language
    monkeypatch.setattr(kit.locale, "getlocale", lambda: (None, None))
    monkeypatch.setenv("LANG", setting)
    assert kit._machine_language() == language


@pytest.mark.parametrize(("language", "pack"), [("ja", "ja_JP"), ("fr", "fr_FR"), ("en", "en"), ("eo", "en")])
def test_jupyterlab_speaks_a_language_that_it_has_a_pack_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, language: str, pack: str
) -> None:
    monkeypatch.setattr(kit, "VENV", tmp_path)
    kit._write_lab_settings(language)
    settings = json.loads((tmp_path / "share/jupyter/lab/settings/overrides.json").read_text())
    assert settings["@jupyterlab/translation-extension:plugin"] == {"locale": pack}


def test_the_words_behind_words_go_to_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[object, ...]] = []
    monkeypatch.setattr(kit, "ensure_venv", lambda: None)
    monkeypatch.setattr(kit, "run", lambda *arguments: ran.append(arguments) or 0)
    assert kit.main(["words", "report"]) == kit.main(["words", "--help"]) == 0
    assert ran == [(ROOT / "tools" / "words.py", word) for word in ("report", "--help")]


def test_test_runs_every_check_and_pytest_last_with_the_words_given(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[tuple[str, ...]] = []

    def pretend(*words: str) -> int:
        ran.append(words)
        return 1 if words[1] == "mypy" else 0

    monkeypatch.setattr(kit, "ensure_venv", lambda: None)
    monkeypatch.setattr(kit, "run", pretend)
    assert kit.main(["test", "-k", "word", "--port"]) == 1
    assert [words[:3] for words in ran[:-1]] == [("-m", "ruff", "check"), ("-m", "ruff", "format"), ("-m", "mypy", "--strict")]
    assert ran[-1] == ("-m", "pytest", "-k", "word", "--port")


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C cannot be sent to one process on Windows")
def test_served_site_answers_and_ends_cleanly_with_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("hello")
    (tmp_path / "site" / "large.bin").write_bytes(bytes(50_000_000))
    script = (
        "import sys, kit, pathlib; kit.ROOT = pathlib.Path(sys.argv[1]); kit.ensure_venv = lambda: None; "
        "kit.build_site = lambda target: None; sys.exit(kit.main(['--port', '0']))"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    address = next(line for line in child.stdout if "http://" in line).split()[2]
    assert address.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(address) as answer:
        assert answer.read() == b"hello"
    host, port = address.removeprefix("http://").rstrip("/").split(":")
    with socket.create_connection((host, int(port))) as leaving:  # before the answer is whole: nothing to tell
        leaving.sendall(b"GET /large.bin HTTP/1.0\r\n\r\n")
        leaving.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    _, errors = child.communicate(timeout=60)
    assert (child.returncode, errors) == (130, "\nkit.py: stopped\n")
