"""The command line: ``python -m wsklab run FILE.c …`` and ``python -m wsklab check FILE …``.

DbgPrint text goes to standard output exactly as written, everything of ours to standard error. Exit status of ``run``: 0 clean;
1 a rule was broken, something leaked, or nothing can ever go on; 2 does not compile; 3 needs something not modelled; 4
DriverEntry returned a failure. A program with a main instead of a DriverEntry exits with the value of its main. A wrong command
line exits with 64.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from wsklab import __version__
from wsklab.words import LANGUAGES, chosen_language, translate

CLEAN, BROKEN, NOT_COMPILED, NOT_MODELLED, ENTRY_FAILED, USAGE = 0, 1, 2, 3, 4, 64

UNLOADING = 10  # seconds that a driver, while it is unloaded, may wait for the programs it has served


class _WrongUse(Exception):
    """A command line that cannot be carried out, in words for the person who wrote it."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise _WrongUse(f"{self.format_usage()}{self.prog}: {message}")


def _duration(text: str) -> float:
    try:
        if 0 < (seconds := float(text)) < float("inf"):
            return seconds
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")


def _definition(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise argparse.ArgumentTypeError(f"{name} is not the name of a macro")
    return name, value if sign else "1"


def parser() -> argparse.ArgumentParser:
    """The command line as a parser."""
    top = _Parser(prog="python -m wsklab", description="Run and check Windows kernel C code on a simulated machine.")
    top.add_argument("--version", action="version", version=f"wsklab {__version__}")
    commands = top.add_subparsers(dest="command", required=True, parser_class=_Parser)
    run = commands.add_parser("run", help="load the files as one driver, run it until idle, unload it")
    run.add_argument("--locals", action="store_true", help="after a stop, show the local variables of each C call under way")
    run.add_argument("--network", choices=("simulated", "loopback"), default="simulated")
    run.add_argument("--seconds", type=_duration, help="how long to run; until idle (loopback: until Ctrl-C) unless told")
    run.add_argument("--capture", type=Path, metavar="FILE", help="write what crosses the network as a pcapng file")
    run.add_argument("--seed", type=int, help="draw what the documents leave open from this seed")
    run.add_argument("--replay", metavar="STRING", help="repeat the decisions of an earlier run")
    run.add_argument("--strict", action="store_true", help="stop also where KMDF's source grants what its pages do not")
    check = commands.add_parser("check", help="compile every listing of C files and pages; name damaged names in the prose")
    check.add_argument(
        "--run", action="store_true", help="run what compiles, each listing in a scene that supplies its free names"
    )
    for command, metavar in ((run, "FILE.c"), (check, "FILE")):
        command.add_argument("files", nargs="+", type=Path, metavar=metavar)
        command.add_argument(
            "-I", "--include", action="append", type=Path, default=[], metavar="FOLDER",
            help="a folder of header files besides that of each C file; can be given several times",
        )  # fmt: skip
        command.add_argument(
            "-D", "--define", action="append", type=_definition, default=[], metavar="NAME[=TEXT]",
            help="a macro that exists beforehand, 1 unless told; can be given several times",
        )  # fmt: skip
        command.add_argument("--json", action="store_true", help="print the result as one JSON object on standard output")
        command.add_argument("--lang", choices=LANGUAGES, default=None, help="language of the messages")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        return _carry_out(parser().parse_args(given))
    except _WrongUse as error:
        print(error, file=sys.stderr)
        if "--json" in given:
            print(json.dumps({"error": str(error), "exit_status": USAGE}, ensure_ascii=False, indent=2))
        return USAGE


def _carry_out(options: argparse.Namespace) -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    language = chosen_language(options.lang)
    for path in [*options.files, *options.include]:
        if not path.exists():
            raise _WrongUse(translate("There is no file {path}.", language, path=path))
    if options.command == "check":
        from wsklab.check import run_check

        return run_check(options.files, language, options.json, tuple(options.include), options.run, dict(options.define))
    return _run(options, language)


def _run(options: argparse.Namespace, language: str) -> int:
    from wsklab.c.source import CompileError
    from wsklab.machine import NotModelled, Stop
    from wsklab.machine.choices import ChoiceError
    from wsklab.rules import report

    result: dict[str, Any] = {"files": [str(path) for path in options.files]}
    sources: dict[str, list[str]] = {}
    try:
        status, text = _life(options, language, result, sources)
    except (OSError, ChoiceError) as error:
        why = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        raise _WrongUse(f"{parser().prog} run: {why}") from None
    except CompileError as error:
        status, text = NOT_COMPILED, report.compile_problems(error.problems, language)
        result["problems"] = [str(problem) for problem in error.problems]
    except Stop as stop:
        status, text = BROKEN, "\n\n".join([stop.report(language), *result.get("locals", ())])
        where = str(stop.where) if stop.where else None
        result["stop"] = {"rule": stop.rule.id, "where": where, "bugcheck": stop.bugcheck, "parameters": list(stop.parameters)}
    except NotModelled as error:
        status, text = NOT_MODELLED, report.not_modelled(error, sources, language)
        result["not_modelled"] = error.what
    result["exit_status"] = status
    if options.json:
        result["report"] = text
        print(json.dumps(result, ensure_ascii=False, indent=2))
    elif text:
        unended = result.get("console", "")[-1:] not in ("", "\n")
        print("\n" * unended + text, file=sys.stderr)
    return status


def _life(options: argparse.Namespace, language: str, result: dict[str, Any], sources: dict[str, list[str]]) -> tuple[int, str]:
    from wsklab.driverlife import run_program, start, unload
    from wsklab.lab import Lab, LabError
    from wsklab.machine.status import is_success, name_of
    from wsklab.rules.report import compile_problems

    drawn = f"seed:{options.seed}" if options.seed is not None else None
    lab = Lab(language, options.network, f"replay:{options.replay.removeprefix('replay:')}" if options.replay else drawn)
    lab.strict = options.strict
    if not options.json:
        lab.machine.console = _Echo()
    try:
        driver = lab.load_all(options.files, includes=tuple(options.include), defines=dict(options.define))
    except LabError as error:
        raise _WrongUse(error) from None
    sources.update(lab.machine.sources)
    if warnings := [problem for unit in driver.units for problem in unit.warnings]:
        result["warnings"] = [str(problem) for problem in warnings]
        print(compile_problems(warnings, language), file=sys.stderr)
    name = driver.units[0].name
    if "DriverEntry" not in driver.functions and "main" not in driver.functions:
        return NOT_COMPILED, translate("{file} compiles, but it has no DriverEntry to run.", language, file=name)
    if options.capture:
        lab.capture(options.capture)
    try:
        if "DriverEntry" not in driver.functions:
            return run_program(lab, driver, name.removesuffix(".c")) & 0xFF, ""
        with _serving(lab, options, language):
            seconds = options.seconds if options.network == "simulated" else None
            started = start(lab, driver, name.removesuffix(".c"), seconds)
        result["driver_entry"] = name_of(started.status)
        unloaded = unload(lab, started)
        if not is_success(started.status):
            return ENTRY_FAILED, translate("DriverEntry returned {status}.", language, status=name_of(started.status))
    finally:
        lab.close()
        if options.locals and lab.stopped:
            result["locals"] = [lab.look(number) for number in range(len(lab.stopped.stack))]
        result.update(console=lab.console, gaps=[str(where) for where in lab.gaps], choices=lab.choices.replay)
    text = "Loaded and ran until idle. The driver has no DriverUnload routine, so it stays loaded."
    if unloaded:
        text = "Loaded, ran so long and unloaded cleanly." if seconds else "Loaded, ran until idle and unloaded cleanly."
    summary = translate(text, language)
    return CLEAN, "\n".join([*(translate("{where}: a gap (...) was reached.", language, where=at) for at in lab.gaps), summary])


@contextmanager
def _serving(lab: Any, options: argparse.Namespace, language: str) -> Iterator[None]:
    """On the loopback network: serve programs in the block until Ctrl-C or so many seconds; a second Ctrl-C ends all."""
    if options.network != "loopback":
        yield
        return
    network = lab.network
    handlers: dict[int, Any] = {}

    def announce(kind: str, address: object) -> None:
        print(translate("Serving {kind} on {address} (Ctrl-C ends it).", language, kind=kind, address=address), file=sys.stderr)

    def end(number: int, _frame: object) -> None:
        signal.signal(number, handlers[number])
        network.stop()

    network.announce = announce
    network.serve(options.seconds)
    handlers = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        network.stop(UNLOADING)


class _Echo(list[str]):
    """The console of a machine that also writes to standard output at once."""

    def append(self, text: str) -> None:
        super().append(text)
        print(text, end="", flush=True)
