"""The programs of examples/: a page for each, in each language, with what the engine makes of it while the site is built.

Rule: code, output and picture are what the files in examples/ give; only what a program shows is said here, in the words of the
site's configuration. Running them all takes longer than a rebuild may, so what came of one is kept until a file of the engine or
the program itself has changed.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
import os
import re
import runpy
import sys
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_for_filename

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))  # for the hooks beside this one, also when a test asks

from lessons import ROOT, engine_hash

EXAMPLES = ROOT / "examples"
KEPT = ROOT / ".cache" / "examples"
_MARK = re.compile(r"<!-- (picture|printed|application|driver) (\S+) -->")
_PICTURE = re.compile(r"main\(\)\.(timeline|journey)\(\)")
_TALK = re.compile(r"talk to it with[^:]*:\s+(nc .*)")
_PLAIN = re.compile(r'<span class="(?:w|n|p|o|nf)">([^<]*)</span>')
"""What the theme shows as it shows all code; half of a page would be nothing else."""


def on_config(config: MkDocsConfig) -> None:
    """Give the navigation a page per program where it says ``examples``."""
    programs = config.extra["words"]["examples"]["programs"]
    pages: list[Any] = [{title: f"examples/{name}.md"} for name, (title, _) in programs.items()]
    config.nav = [
        {name: ["examples/index.md", *pages] if target == "examples" else target for name, target in entry.items()}
        for entry in config.nav or []
    ]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Write the pages."""
    words = config.extra["words"]["examples"]
    lines = [f"# {words['title']}", "", words["text"], ""]
    for name, (title, text) in words["programs"].items():
        lines.append(f"- [{title}]({name}.md): `examples/{name}.c`")
        files.append(File.generated(config, f"examples/{name}.md", content=_page(name, title, text, words)))
    files.append(File.generated(config, "examples/index.md", content="\n".join(lines)))
    return files


def _page(name: str, title: str, text: str, words: dict[str, Any]) -> str:
    """One program: what it shows, how to run it, what came of it, and its two files."""
    talk = _TALK.search((EXAMPLES / f"{name}.c").read_text("utf-8"))
    commands = [f".venv/bin/python examples/{name}.py picture.svg", f".venv/bin/python -m wsklab run examples/{name}.c"]
    if talk:
        commands += [f"{commands.pop()} --network loopback", talk[1]]
    sections = {"run": "```sh\n" + "\n".join(commands) + "\n```"}
    sections |= {part: f"<!-- {part} {name} -->" for part in ("printed", "picture", "application", "driver")}
    shown = (f"## {words[part]} {{#{part}}}\n\n{content}" for part, content in sections.items())
    return "\n\n".join([f"# {title}", text, *shown])


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Put output, pictures and listings where a page asks for them: last of all, so that nothing has to read through them."""
    language = str(config.theme["language"])

    def put(mark: re.Match[str]) -> str:
        kind, name = mark.groups()
        return made(name, language)[kind]

    return _MARK.sub(put, output)


def listing(path: Path) -> str:
    """A file in the colours of the theme."""
    code = highlight(path.read_text("utf-8"), get_lexer_for_filename(path.name), HtmlFormatter(nowrap=True))
    return _pre(_PLAIN.sub(r"\1", code))


def _pre(code: str) -> str:
    return f'<div class="highlight"><pre><code>{code}</code></pre></div>'


def made(name: str, language: str) -> dict[str, str]:
    """What a page shows of a program, as HTML by mark; of an earlier build of the same files, if there was one."""
    program = EXAMPLES / f"{name}.py"
    own = [path.read_bytes() for path in (program, program.with_suffix(".c"))]
    state = hashlib.sha256(b"".join([language.encode(), _engine().encode(), *own])).hexdigest()[:16]
    kept = KEPT / f"{name}-{language}-{state}.json"
    if not kept.is_file():
        printed, picture = run(program, language)
        parts = {"printed": _pre(html.escape(printed)), "picture": f'<div class="wsk-shown">{picture}</div>'}
        parts |= {"application": listing(program), "driver": listing(program.with_suffix(".c"))}
        KEPT.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{name}-{language}-*.json"):
            old.unlink(missing_ok=True)
        written = kept.with_suffix(f".{os.getpid()}")
        written.write_text(json.dumps(parts), "utf-8")
        written.replace(kept)
    parts = json.loads(kept.read_text("utf-8"))
    return parts


def run(program: Path, language: str) -> tuple[str, str]:
    """Run a program of examples/: what it prints, and the picture that it draws when it is run from the command line."""
    before = os.environ.get("WSKLAB_LANG")
    os.environ["WSKLAB_LANG"] = language
    try:
        with redirect_stdout(io.StringIO()) as printed:
            lab = runpy.run_path(str(program))["main"]()
        (kind,) = _PICTURE.findall(program.read_text("utf-8"))
        return printed.getvalue(), str(getattr(lab, kind)().svg)
    finally:
        os.environ.pop("WSKLAB_LANG")
        if before is not None:
            os.environ["WSKLAB_LANG"] = before


@cache
def _engine() -> str:
    """The hash of the engine that this process has loaded, whatever becomes of its files meanwhile."""
    return engine_hash()
