"""Builds the site: every language with MkDocs, the lab in the browser, and the worker that keeps both for offline use.

``python tools/build_site.py FOLDER [--url URL]`` replaces FOLDER only when all parts have succeeded; otherwise its
last line says why. kit.py calls it.

The languages are built side by side. What they need from packages takes as long to load as a language takes to build, so it is
loaded once, and each language is a fork of that (where a system cannot fork, each loads it anew).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HOOKS = ROOT / "docs" / "hooks"
KEPT = ROOT / ".cache" / "pages"
LANGUAGES = tuple(tomllib.loads((ROOT / "docs" / "languages.toml").read_text("utf-8")))  # the first one is the root of the site

# jsonschema checks formats with this package if it is there: it builds forty grammars, in seconds, that no page needs.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]


def main(words: Sequence[str]) -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="", help="where the site will be published, prefix included")
    parser.add_argument("--without-lab", action="store_true", help="build the pages only")
    parser.add_argument("--languages", default=",".join(LANGUAGES), help="build these only (to measure)")
    parser.add_argument("--anew", action="store_true", help="build every page, changed or not")
    options = parser.parse_args(words)
    url = options.url.rstrip("/") + "/" if options.url else ""
    build(options.folder.resolve(), url, options.languages.split(","), not options.without_lab, options.anew)


def build(target: Path, url: str = "", languages: Sequence[str] = LANGUAGES, with_lab: bool = True, anew: bool = False) -> None:
    """Build the site into `target`, which may exist; then it is replaced at the end.

    Raises:
        SystemExit: a part did not build; the message names the notebook and cell, or the page, that is to blame.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=target.parent) as scratch:
        folder = Path(scratch)
        jobs: dict[str, tuple[Callable[..., None], tuple[Any, ...]]] = {"lab": (_lab, (folder,))} if with_lab else {}
        KEPT.mkdir(parents=True, exist_ok=True)
        if anew or not all((KEPT / f"{code}-{_state(code, url)}").is_dir() for code in languages):
            _load()
        run({**jobs, **{code: (_language, (code, folder, url, anew)) for code in languages}}, folder)
        whole = folder / languages[0]
        for name in [*languages[1:], *jobs]:
            (folder / name).rename(whole / name)
        if with_lab:
            import lite

            lite.finish(whole)
        if target.exists():
            shutil.rmtree(target)
        whole.rename(target)


def run(jobs: dict[str, tuple[Callable[..., None], tuple[Any, ...]]], folder: Path) -> None:
    """Do all jobs side by side; what each says goes to a file. The first that fails ends the others, and raises SystemExit."""
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    waiting: dict[str, BaseProcess] = {}
    try:
        for name, (work, arguments) in jobs.items():
            waiting[name] = context.Process(target=_logged, args=(folder / f"{name}.log", work, arguments))
            waiting[name].start()
        while waiting:
            for name in [name for name, process in waiting.items() if not process.is_alive()]:
                _judge(name, waiting.pop(name).exitcode, folder / f"{name}.log")
            time.sleep(0.02)
    finally:
        for process in waiting.values():
            process.terminate()
            process.join()


def _logged(log: Path, work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """Do the work with everything that it prints going to `log`."""
    with log.open("wb") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    work(*arguments)


def _load() -> None:
    """Load what every language needs, once."""
    sys.path[:0] = [str(HOOKS), str(ROOT)]
    for name in (
        "material.plugins.search.plugin",
        "mkdocs.__main__",
        "mkdocs.commands.build",
        "mkdocs_jupyter.plugin",
        "picture",
    ):
        importlib.import_module(name)
    importlib.import_module("choice_kinds").known()  # reads every source of the engine


def _language(code: str, folder: Path, url: str, anew: bool) -> None:
    """Build the pages of one language, strictly; what was made of the same sources before is taken instead, unless `anew`."""
    kept = KEPT / f"{code}-{_state(code, url)}"
    if kept.is_dir() and not anew:
        shutil.copytree(kept, folder / code)
        return
    if "choice_kinds" not in sys.modules:
        _load()
    from mkdocs.__main__ import cli

    own = url if code == LANGUAGES[0] or not url else f"{url}{code}/"
    os.environ.update(PYTHONUTF8="1", PYTHONWARNINGS="ignore", NO_MKDOCS_2_WARNING="1", WSKLAB_SITE_URL=own)
    config = ROOT / "docs" / f"mkdocs.{code}.yml"
    # Not --quiet: it drops the warnings before --strict has counted them.
    cli(["build", "--strict", "-f", str(config), "-d", str(folder / code)], standalone_mode=False)
    if os.environ.get("WSKLAB_NOTEBOOKS"):
        return
    for old in KEPT.glob(f"{code}-*"):
        shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=KEPT) as scratch:
        shutil.copytree(folder / code, Path(scratch) / "made")
        with suppress(OSError):  # another build was quicker
            (Path(scratch) / "made").rename(kept)


def _state(code: str, url: str) -> str:
    """A hash of everything that the pages of a language are made of: all of the project but the other languages."""
    digest = hashlib.sha256(f"{code} {url} {os.environ.get('WSKLAB_NOTEBOOKS')}".encode())
    others = {f"{kind}/{other}" for kind in ("docs", "notebooks") for other in LANGUAGES if other != code}
    for top in ("mkdocs.yml", "requirements.txt", "docs", "notebooks", "wsklab", "tests", "examples", "tools"):
        for path in [ROOT / top, *sorted((ROOT / top).rglob("*"))]:
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and "__pycache__" not in name and not any(name.startswith(f"{other}/") for other in others):
                digest.update(name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _lab(folder: Path) -> None:
    """Build the lab."""
    import lite

    lite.build_lab(folder / "lab")


# What pip and npm say when their index cannot be reached. The exact error differs from system to system.
_OFFLINE = re.compile(
    r"NewConnectionError|Connect(ion)?Timeout|ConnectionError|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENETUNREACH"
    r"|Temporary failure in name resolution|Network is unreachable|Connection refused|Max retries exceeded|timed out"
)


def _judge(name: str, status: int | None, log: Path) -> None:
    """Nothing if that part succeeded; otherwise end with the lines of its log that say why, as one."""
    if status == 0:
        return
    text = log.read_text(encoding="utf-8", errors="replace")
    if name == "lab" and _OFFLINE.search(text):
        sys.exit("no network: the parts of the lab in the browser cannot be fetched, and .cache/lab does not hold them yet")
    # MkDocs marks what it and our hooks have to say; anything else is an exception of some package, whose last line names it.
    said = re.findall(r"^(?:WARNING|ERROR) +- +(.+?) *$", text, re.MULTILINE)
    reasons = [line for line in said if not re.match(r"Error (reading|building) page .*:$", line)]
    last = [line.strip() for line in text.splitlines() if line.strip()] or ["it said nothing"]
    what = "the lab in the browser" if name == "lab" else f"the site ({name})"
    sys.exit(f"{what} does not build: {'; '.join(dict.fromkeys(reasons or last[-1:]))}")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    main(sys.argv[1:])
