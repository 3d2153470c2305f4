"""What the browser would otherwise compile on every visit, compiled while building: the engine, and Python's own library.

Pyodide's Python reads its library as sources, in an archive. The modules of it that the start imports (docs/lab/start.py) take
the place of their sources there; a traceback shows no lines of them. The packages stay sources: a file of code is about twice as
large, and what a reader fetches has a limit. The engine has both.
"""

from __future__ import annotations

import re
import shutil
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import fetched
from fetched import ROOT, kept, node, run, runtime, short

SCRIPT = ROOT / "tools" / "compile.mjs"
START = ROOT / "docs" / "lab" / "start.py"
LIBRARY = "python_stdlib.zip"
TERMINAL = ("prompt-toolkit", "wcwidth")
"""Packages of IPython's terminal, which no browser has (docs/lab/start.py)."""


def engine() -> tuple[Path, Path]:
    """The wheel of wsklab, and the same for the browser: compiled, and with the parsed headers, so that no visit has to do it."""
    sources = sorted(path for path in (ROOT / "wsklab").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    files = [
        *sources,
        *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE", "requirements.txt", "tools/compile.mjs")),
    ]

    def make(made: Path) -> None:
        for path in files:  # a build in the clone would leave folders there
            copy = made.parent / path.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
        run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(made), cwd=made.parent)
        (plain,) = made.glob("*.whl")
        ready = made.parent / "ready"
        shutil.copytree(made.parent / "wsklab", ready / "wsklab")
        run(sys.executable, "-B", "-c", "from wsklab.c.headers import headers; headers()", cwd=ready)
        run(*node("node"), str(SCRIPT), str(runtime()), str(ready))
        (made / "browser").mkdir()
        shutil.copy(plain, made / "browser")
        with zipfile.ZipFile(made / "browser" / plain.name, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
            for path in sorted(ready.rglob("__pycache__/*")):
                packed.write(path, path.relative_to(ready))

    kept_in = kept("engine", short(*(item for path in files for item in (path.name, path))), make)
    (plain,) = kept_in.glob("*.whl")
    return plain, kept_in / "browser" / plain.name


@cache
def packages() -> dict[str, dict[str, Any]]:
    """The packages that the lab loads, as `fetched.packages` has them."""
    return {
        name: entry | {"depends": [other for other in entry["depends"] if other not in TERMINAL]}
        for name, entry in fetched.packages().items()
        if name not in TERMINAL
    }


def library() -> Path:
    """Python's library with what the start imports compiled: an archive as Pyodide has it, of the same name."""
    wheels, names = [entry["path"] for entry in packages().values()], sorted(_imported())

    def make(made: Path) -> None:
        site, sources = made.parent / "site", made.parent / "stdlib"
        for archive, target in [(runtime() / LIBRARY, sources), *((wheel, site) for wheel in wheels)]:
            with zipfile.ZipFile(archive) as packed:
                packed.extractall(target)
        run(*node("node"), str(SCRIPT), str(runtime()), str(site), str(START), *names)
        with zipfile.ZipFile(runtime() / LIBRARY) as old, zipfile.ZipFile(made / LIBRARY, "w", compresslevel=9) as new:
            for each in old.infolist():
                code = sources / f"{each.filename}c"
                entry = zipfile.ZipInfo(f"{each.filename}c" if code.is_file() else each.filename, each.date_time)
                new.writestr(entry, code.read_bytes() if code.is_file() else old.read(each), zipfile.ZIP_DEFLATED)

    return kept("library", short(Path(__file__), SCRIPT, START, names, *wheels), make) / LIBRARY


def _imported() -> set[str]:
    """The modules of the library that the engine imports."""
    texts = (path.read_text("utf-8") for path in (ROOT / "wsklab").rglob("*.py"))
    names = {name for text in texts for name in re.findall(r"^ *(?:import|from) (\w[\w.]*)", text, re.MULTILINE)}
    return {name for name in names if name.partition(".")[0] in sys.stdlib_module_names}
