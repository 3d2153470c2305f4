"""The one entry to wsklab for people and for CI: serve (default), lab, site, test, bench, words.

Only the standard library is used, and only syntax that an old Python can read too: it must live long enough to say that it
is too old. Everything else runs with the Python of ``.venv``, which this file makes from requirements.txt.

Two rules hold here. What goes wrong is told in one line, with what to do, and ends with a status that is not zero. Nothing is
tried silently: a taken port is an error, not a reason to take the next one.
"""

from __future__ import print_function

import sys

if sys.version_info < (3, 11):
    sys.stderr.write(
        "kit.py: wsklab needs Python 3.11 or newer, and this is Python %d.%d (%s)\n"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )
    sys.exit(1)

import argparse
import hashlib
import http.server
import json
import locale
import os
import re
import socket
import subprocess
import time
import tomllib
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "made-from.txt"
# The first language is built into the root of the site.
LANGUAGES = tuple(tomllib.loads((ROOT / "docs" / "languages.toml").read_text(encoding="utf-8")))
HOST = "127.0.0.1"


class Trouble(Exception):
    """Something the person at the keyboard should hear, in one line."""


def say(text):
    """One line of progress, on standard output."""
    print("kit.py: " + text, flush=True)


# ---------------------------------------------------------------- .venv


def venv_python():
    """The Python of ``.venv`` (it may not exist yet)."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _fingerprint():
    """What ``.venv`` depends on: when this changes, the packages are installed again."""
    digest = hashlib.sha256()
    for name in ("requirements.txt", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    digest.update(str(ROOT).encode("utf-8", "surrogatepass"))  # the editable install holds this path
    return digest.hexdigest()


def _required():
    """Name and version of every line of requirements.txt, names in the form that folders of packages have."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;#]+)", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    return [(re.sub(r"[-_.]+", "_", name).lower(), version) for name, version in found]


def _missing():
    """The required packages that are not in ``.venv`` (somebody removed them, or an install was cut short)."""
    pattern = "Lib/site-packages" if os.name == "nt" else "lib/python3*/site-packages"
    installed = set()
    for folder in VENV.glob(pattern):
        for info in folder.glob("*.dist-info"):
            name, _, version = info.name[: -len(".dist-info")].rpartition("-")
            installed.add((re.sub(r"[-_.]+", "_", name).lower(), version))
    return ["%s %s" % pair for pair in _required() if pair not in installed]


def ensure_venv():
    """Make or mend ``.venv`` so that it holds exactly what requirements.txt pins. Nothing happens when it does already.

    Raises:
        Trouble: no venv module, no network, or a package that cannot be installed.
    """
    python = venv_python()
    if python.exists() and STAMP.exists() and STAMP.read_text().strip() == _fingerprint() and not _missing():
        return
    if not _runs(python):
        say("making .venv with Python %d.%d" % sys.version_info[:2])
        base = getattr(sys, "_base_executable", None) or sys.executable
        made = _capture([base, "-m", "venv", "--clear", str(VENV)])
        if made.returncode:
            if "ensurepip" in made.stdout:
                raise Trouble("this Python has no venv module; on Debian and Ubuntu: apt-get install python3-venv")
            raise Trouble("cannot make .venv: " + _last_line(made.stdout))
    say("installing the packages of requirements.txt into .venv (about a minute, once)")
    if STAMP.exists():
        STAMP.unlink()
    _pip("install", "-r", "requirements.txt")
    _pip("install", "--no-build-isolation", "--no-deps", "--editable", ".")
    absent = _missing()
    if absent:
        raise Trouble("still missing from .venv after installing: %s; delete .venv and try again" % ", ".join(absent))
    STAMP.write_text(_fingerprint() + "\n")


def _runs(python):
    """Whether that Python exists, starts, is new enough and has pip (a moved or half-made .venv does not)."""
    if not python.exists():
        return False
    try:
        probe = _capture([str(python), "-c", "import sys, pip; sys.exit(sys.version_info < (3, 11))"])
    except OSError:
        return False
    return probe.returncode == 0


# What pip says when the index cannot be reached. The exact error differs from system to system.
_OFFLINE = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionError|Temporary failure in name resolution|getaddrinfo failed"
    r"|Network is unreachable|Connection refused|Max retries exceeded|ProxyError|timed out|nodename nor servname",
)


def _pip(*arguments):
    """Run pip in ``.venv``; its chatter goes to a file, and only a failure is told."""
    command = [str(venv_python()), "-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "2"]
    done = _capture(command + list(arguments))
    if done.returncode == 0:
        return
    log = VENV / "pip.log"
    log.write_text(done.stdout, encoding="utf-8")
    if _OFFLINE.search(done.stdout):
        raise Trouble("no network: pip cannot reach its package index, and .venv is not complete yet (details: %s)" % log)
    errors = [line for line in done.stdout.splitlines() if line.startswith("ERROR: ")]
    what = errors[0][len("ERROR: ") :] if errors else _last_line(done.stdout)
    raise Trouble("pip could not install the packages: %s (details: %s)" % (what, log))


def _capture(command):
    """Run `command` in the project folder to its end; standard output and error come back together as text."""
    return subprocess.run(
        command, cwd=str(ROOT), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", check=False
    )


def _last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


def run(*arguments, **options):
    """Run the Python of ``.venv`` with `arguments` in the project folder, its output going to ours.

    Options:
        env: variables to set for it, on top of ours.

    Returns:
        Its exit status.
    """
    env = dict(os.environ, PYTHONUTF8="1", **options.get("env", {}))
    child = subprocess.Popen([str(venv_python())] + [str(one) for one in arguments], cwd=str(ROOT), env=env)
    try:
        return child.wait()
    except KeyboardInterrupt:
        # Ctrl-C reached the child as well; give it the time to end by itself.
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        raise


# ---------------------------------------------------------------- site


def build_site(target, url=""):
    """Build the site of every language with the lab into `target`; `target` is replaced only when all has succeeded.

    Args:
        target: the folder of the finished site (it may exist, then its content is replaced).
        url: where it will be published, prefix included; "" when it is served from this machine.

    Raises:
        Trouble: something did not build; names the notebook and cell, or the page, that is to blame.
    """
    done = _capture([str(venv_python()), str(ROOT / "tools" / "build_site.py"), str(target), "--url", url])
    if done.returncode:
        raise Trouble(_last_line(done.stdout))


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the built site without a line per request; a wrong address gets the site's own page for that."""

    # Windows may have other ideas about these in its registry, and a browser refuses a module that is not JavaScript.
    extensions_map = dict(http.server.SimpleHTTPRequestHandler.extensions_map)
    extensions_map.update({".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"})

    def log_message(self, format, *args):
        """Say nothing: the terminal belongs to the person."""

    def send_error(self, code, message=None, explain=None):
        """Answer 404 with the page that the site has for it."""
        page = Path(self.directory) / "404.html"
        if code != 404 or not page.is_file():
            super().send_error(code, message, explain)
            return
        body = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    # On Windows this option would let two programs share one port; elsewhere it only shortens the wait after a stop.
    allow_reuse_address = os.name != "nt"
    daemon_threads = True

    def handle_error(self, request, client_address):
        """Tell what went wrong, but not that a reader has left before the answer was whole."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            http.server.ThreadingHTTPServer.handle_error(self, request, client_address)


def bind(port, folder):
    """A server for `folder` on 127.0.0.1, already listening, not yet answering.

    Raises:
        Trouble: the port is taken, or may not be used.
    """
    try:
        return _Server((HOST, port), partial(_Handler, directory=str(folder)))
    except OverflowError:
        raise Trouble("there is no port %d" % port)
    except OSError as error:
        raise Trouble(_port_trouble(port, error))


def _port_trouble(port, error):
    if isinstance(error, PermissionError):
        return "this user may not use port %d; choose a port above 1023 with --port" % port
    return "port %d on %s is taken; stop the program that uses it, or choose another with --port" % (port, HOST)


# ---------------------------------------------------------------- commands


def serve(options):
    """Build the site in all languages and serve it until Ctrl-C."""
    site = ROOT / "site"
    with bind(options.port, site) as server:  # first of all: a taken port is told before a minute of building
        ensure_venv()
        say("building the site in %s, and the lab (the notebooks are run)" % ", ".join(LANGUAGES))
        started = time.monotonic()
        build_site(site)
        say("built in %.0f s" % (time.monotonic() - started))
        say("open http://%s:%d/ (Ctrl-C ends this)" % server.server_address[:2])
        server.serve_forever()


def site(options):
    """Build the site only."""
    ensure_venv()
    started = time.monotonic()
    build_site(ROOT / "site", options.url)
    say("the site is in %s (built in %.0f s)" % (ROOT / "site", time.monotonic() - started))


def lab(options):
    """Open JupyterLab on the notebooks, in the language of this machine where there is one."""
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, options.port))
        except OverflowError:
            raise Trouble("there is no port %d" % options.port)
        except OSError as error:
            raise Trouble(_port_trouble(options.port, error))
    ensure_venv()
    code = options.lang or _machine_language()
    arguments = [
        "-m",
        "jupyterlab",
        "--ServerApp.ip=" + HOST,
        "--ServerApp.port=%d" % options.port,
        "--ServerApp.port_retries=0",
        "--ServerApp.answer_yes=True",  # Ctrl-C ends it without asking
        "--ServerApp.log_level=WARN",
        "--ServerApp.root_dir=" + str(ROOT / "notebooks"),
        "--LabApp.default_url=/lab/tree/%s/00_welcome.ipynb" % code,
        "--LabApp.news_url=None",  # no question to another host
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if options.no_browser:
        arguments.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")
    _write_lab_settings(code)
    say("JupyterLab starts on http://%s:%d/lab (Ctrl-C ends it)" % (HOST, options.port))
    return run(*arguments)


def _write_lab_settings(code):
    """JupyterLab's menus in the language asked for, and no question about news from another host."""
    required = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pack = re.search(r"^jupyterlab-language-pack-(%s-\w+)==" % code, required, re.MULTILINE)
    settings = {
        "@jupyterlab/translation-extension:plugin": {"locale": pack.group(1).replace("-", "_") if pack else "en"},
        "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    target = VENV / "share/jupyter/lab/settings/overrides.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(settings, indent=2) + "\n")


def _machine_language():
    for name in (os.environ.get("LC_ALL"), os.environ.get("LC_MESSAGES"), os.environ.get("LANG"), locale.getlocale()[0]):
        # Windows says Japanese_Japan for ja_JP.
        code = locale.normalize((name or "").partition("_")[0]).partition("_")[0]
        if code in LANGUAGES:
            return code
    return LANGUAGES[0]


def test(options):
    """Run every check; pytest comes last, so that its summary is the last line."""
    ensure_venv()
    status = 0
    for words in (
        ["ruff", "check", "--quiet"],
        ["ruff", "format", "--check", "--quiet"],
        ["mypy", "--strict", "--no-error-summary", "wsklab"],
    ):
        say(" ".join(words))
        if run("-m", *words):
            say("%s found something (see above)" % words[0])
            status = 1
    # The whole is worth a second worker. All tests of the site share one built site and go to the same worker.
    words = options.arguments or ["-n", "2", "--dist", "loadgroup"]
    return run("-m", "pytest", *words) or status


def bench(options):
    """Print the figures."""
    return _tool("bench.py", options)


def words(options):
    """Do one of the commands of the translations."""
    return _tool("words.py", options)


def _tool(name, options):
    ensure_venv()
    script = ROOT / "tools" / name
    if not script.is_file():
        raise Trouble("there is no tools/%s in this clone" % name)
    return run(script, *options.arguments)


def _parser():
    parser = argparse.ArgumentParser(prog="kit.py", description="wsklab: build and serve the site, or do one of the commands.")
    parser.add_argument("--port", type=int, default=8000, help="port for the site on 127.0.0.1 (default 8000)")
    parser.set_defaults(command=serve, arguments=[])
    commands = parser.add_subparsers(title="commands", metavar="")
    one = commands.add_parser("serve", help="build the site and serve it (the default)")
    one.add_argument("--port", type=int, default=argparse.SUPPRESS, help="port on 127.0.0.1 (default 8000)")
    one.set_defaults(command=serve)
    one = commands.add_parser("lab", help="open JupyterLab on the notebooks")
    one.add_argument("--port", type=int, default=8888, help="port on 127.0.0.1 (default 8888)")
    one.add_argument("--lang", choices=LANGUAGES, help="language (default: that of this machine)")
    one.add_argument("--no-browser", action="store_true", help="do not open a browser")
    one.set_defaults(command=lab)
    one = commands.add_parser("site", help="build the site into the folder site")
    one.add_argument("--url", default="", help="where it will be published, with its prefix (default: anywhere)")
    one.set_defaults(command=site)
    one = commands.add_parser("test", help="run every check; further words go to pytest")
    one.set_defaults(command=test)
    one = commands.add_parser("bench", help="print the figures; further words choose some of them")
    one.set_defaults(command=bench)
    one = commands.add_parser("words", help="translations: extract, update, compile or report")
    one.set_defaults(command=words)
    return parser


def main(words):
    """Do what the command line says.

    Returns:
        The exit status: 0 done, 1 trouble (told in one line), 2 wrong command line, 130 stopped with Ctrl-C; otherwise that of
        the tool that was run.
    """
    # What follows these belongs to pytest and to the tools, options included.
    own, rest = words, []
    passed_on = words[:1] in (["test"], ["bench"]) and words[1:2] not in (["-h"], ["--help"])
    if passed_on or words[:1] == ["words"]:
        own, rest = words[:1], words[1:]
    options = _parser().parse_args(own)
    options.arguments = rest
    try:
        return options.command(options) or 0
    except Trouble as trouble:
        sys.stderr.write("kit.py: %s\n" % trouble)
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nkit.py: stopped\n")
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
