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
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import compiled
import fetched
import yaml
from fetched import CARRIED, KERNEL, LOADED, PYODIDE, kept, locked, packages, required, run, runtime, short

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "docs" / "lab"
NOTEBOOKS = Path(os.environ.get("WSKLAB_NOTEBOOKS") or ROOT / "notebooks")
SETTINGS = "jupyter-lite.json"
APPS = ("notebooks", "tree")
EPOCH = "2026-01-01T00:00:00Z"
LANGUAGES = tuple(tomllib.loads((ROOT / "docs" / "languages.toml").read_text("utf-8")))

USELESS = ("*.map", "*.d.ts", ".*.db", "rspack.config*")
"""Files of JupyterLite that nobody asks for."""
OWN_PAGES = (*APPS, "api", "doc", "index.html", SETTINGS, "jupyter-lite.ipynb", "service-worker.js", "config-utils.js")
"""What JupyterLite's own pages need and ours do not."""
LARGE = re.compile(r"(^|/)(facts|examples)/")
"""Pages that are kept for offline use only when they have been opened: they weigh as much as all others."""
EXTENSIONS = ("@jupyter-widgets/jupyterlab-manager", "@jupyterlite/pyodide-kernel-extension")


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
            "federated_extensions": [str(fetched.extension(name)) for name in EXTENSIONS],
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

    return kept("bare", short(required(), PYODIDE, Path(__file__), Path(fetched.__file__), *sorted(SOURCES.glob("*.json"))), make)


# ---------------------------------------------------------------- the lab


def add_engine(lab: Path) -> str:
    """Put the engine and the lock into a lab; returns the name of the lock, which is new whenever anything in it is."""
    folder = lab / "static" / "pyodide"
    engine, ready = compiled.engine()[1], compiled.packages()
    for name in packages().keys() - ready.keys():
        (folder / packages()[name]["path"].name).unlink()
    shutil.copy(compiled.library(), folder)
    entry = locked(engine, {"wsklab": ["pcpp", "pycparser", "python-pcapng"]})
    entry["file_name"] = f"{entry['sha256'][:12]}/{engine.name}"  # so that no old copy is ever taken for it
    (folder / entry["file_name"]).parent.mkdir()
    shutil.copy(engine, folder / entry["file_name"])
    text = write_lock(folder / "pyodide-lock.json", [*ready.values(), entry])
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


def add_start(lab: Path) -> dict[str, str]:
    """Write what starts Python early (docs/lab/python.mjs); returns the addresses that the pages need for that."""
    (worker,) = lab.glob(f"extensions/{KERNEL.partition(':')[0]}/static/comlink.worker.*.js")
    text = (SOURCES / "python.mjs").read_text("utf-8").replace("@start@", json.dumps(compiled.START.read_text("utf-8")))
    module = f"static/pyodide/python-{short(text)}.mjs"
    (lab / module).write_text(text, "utf-8")
    named = {"plugin": KERNEL, "module": module, "worker": worker.name}
    text = "".join(f'import "./{path}";\n' for path in (module, worker.relative_to(lab).as_posix()))
    named["early"] = f"script-{short(text)}.mjs"
    (lab / named["early"]).write_text(text, "utf-8")
    return named


def add_language(lab: Path, code: str, lock: str, kernel: dict[str, str]) -> None:
    """Write the folder by which the lab is opened in a language: ``lab/ja/notebooks/index.html?path=01_….ipynb``.

    JupyterLite's own pages collect their settings from nine files; ours have them inside. ``{lab}`` stands for where the lab
    lies, which the page alone knows.
    """
    folder, words = lab / code, lab_words(code)
    data = {"words": words, "marks": add_notebooks(folder), "kernel": kernel}
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
            "config": _script(_config(lab, code, app, lock, kernel)),
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
    target = f"{source.stem}-{short(source)}{source.suffix}"
    shutil.copy(source, lab / target)
    return target


def _config(lab: Path, code: str, app: str, lock: str, kernel: dict[str, str]) -> dict[str, Any]:
    """The settings of one page: the lab's, the language's and the app's."""
    config: dict[str, Any] = json.loads((lab / SETTINGS).read_text("utf-8"))["jupyter-config-data"]
    plugin = json.loads(json.dumps(config["litePluginSettings"][KERNEL]).replace('"./', '"{lab}'))
    plugin |= {"disablePyPIFallback": True, "loadPyodideOptions": _loaded(code, lock), "pyodideUrl": "{lab}" + kernel["module"]}
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
        "litePluginSettings": {KERNEL: plugin},
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
    lock, kernel = add_engine(folder), add_start(folder)
    for code in LANGUAGES:
        add_language(folder, code, lock, kernel)
    for name in OWN_PAGES:
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()


def finish(site: Path) -> None:
    """Add to a finished site what needs the whole of it: the wheel for those who install it, and the service worker."""
    (site / "wheel").mkdir()
    shutil.copy(compiled.engine()[0], site / "wheel")
    lab = site / "lab"
    pages = {code: [url for url in _urls(site, _pages(site, code)) if not LARGE.search(url)] for code in LANGUAGES}
    every = sorted({path for code in LANGUAGES for path in _pages(site, code) if path.is_file()})
    data = {
        "release": short(*(item for path in every for item in (path.relative_to(site).as_posix(), path))),
        "versions": short(bare().name, compiled.library().parent.name),
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
    return [quote(re.sub(r"(^|/)index\.html$", r"\1", name), safe="/@") for name in names]
