"""The wording of a stop: what happened, where, why it is wrong, what to do, and what Windows would have shown.

One form for the terminal, the notebook and the tests. The caret is the one of the C front end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from wsklab.c.source import Problem, caret
from wsklab.rules.phrases import PHRASES
from wsklab.rules.rule import BUGCHECKS
from wsklab.words import translate

if TYPE_CHECKING:
    from wsklab.machine.stops import NotModelled, Stop
    from wsklab.machine.trace import Event, Where

_ARGUMENT = re.compile(r"argument (?P<number>\d+) of (?P<name>.+)")
_QUIET = {
    "KMDF verifier": "Windows would show no bug check; the framework's verifier breaks into the debugger.",
    "Static Driver Verifier": "Windows would show no bug check; Static Driver Verifier reports it without a run.",
    "documentation": "Windows would show no bug check: its framework grants this, its pages do not. Strict mode reports it.",
    "ours": "Windows would show no bug check for this: the fault would stay hidden.",
}
_STEPS = {
    "allocate": "allocated",
    "hand-over": "handed over to {target}",
    "complete": "completed with {status}",
    "free": "freed",
    "callback": "given to {name}",
}


def report(stop: Stop, language: str) -> str:
    """The whole explanation of a stop as text."""
    rule = stop.rule
    values = {name: translate(PHRASES[value], language) if value in PHRASES else value for name, value in stop.values.items()}
    lines = [translate("STOP {id}: {title}", language, id=rule.id, title=translate(rule.title, language))]
    if stop.where:
        lines += [f"  {stop.where}", *excerpt(stop.sources, stop.where)]
    lines += ["", *(translate(sentence, language, **values) for sentence in (rule.text, rule.advice))]
    for address in stop.objects:
        lines += _life(address, stop.lives.get(address, ()), language)
    if len(stop.stack) > 1:
        lines += ["", translate("Calls under way:", language)]
        lines += [f"  {frame.function}({_arguments(frame.arguments)})  {frame.where}" for frame in stop.stack]
    lines += ["", bug_check(stop, language)]
    if rule.page:
        lines.append(translate("Documentation: {page} ({facts})", language, page=rule.page, facts=", ".join(rule.facts)))
    if rule.static:
        lines.append(translate("Static Driver Verifier's name for it: {names}", language, names=", ".join(rule.static)))
    return "\n".join(lines)


def bug_check(stop: Stop, language: str) -> str:
    """The line that Windows would have shown."""
    rule = stop.rule
    if rule.bugcheck is None:
        return translate(_QUIET.get(rule.source, _QUIET["ours"]), language)
    name = BUGCHECKS.get(rule.bugcheck, "")
    shown = f"0x{rule.bugcheck:X} {name} ({', '.join(stop.parameters)})" if stop.parameters else f"0x{rule.bugcheck:X} {name}"
    if rule.source in ("Driver Verifier", "KMDF verifier"):
        return translate("Windows with {verifier} would show: {bugcheck}", language, verifier=rule.source, bugcheck=shown)
    return translate("Windows would show: {bugcheck}", language, bugcheck=shown)


def excerpt(sources: dict[str, list[str]], where: Where) -> list[str]:
    """The source line of a place with a caret below it, indented."""
    lines = sources.get(where.file, [])
    if not 0 < where.line <= len(lines):
        return []
    return [f"    {line}" for line in caret(lines[where.line - 1], where.column).split("\n")]


def not_modelled(error: NotModelled, sources: dict[str, list[str]], language: str) -> str:
    """What to tell when the engine knows something by name only."""
    text = translate("{what} is not modelled yet. Nothing was made up: the run ends here.", language, what=error.what)
    if error.where is None:
        return text
    return "\n".join([f"{error.where}: {text}", *excerpt(sources, error.where)])


def _life(address: int, events: tuple[Event, ...], language: str) -> list[str]:
    told = [event for event in events if event.kind in _STEPS]
    if not told:
        return []
    lines = ["", translate("The life of {object}:", language, object=f"{address:#018x}")]
    for event in told:
        status = event.data.get("status")
        target = translate(PHRASES.get(event.target or "", event.target or ""), language)
        step = translate(_STEPS[event.kind], language, target=target, name=event.name, status=_status(status))
        place = f"  {event.where} {event.where.function}" if event.where else ""
        lines.append(f"  {event.time / 10:8.1f} µs  {step}{place}")
    return lines


def _status(value: Any) -> str:
    from wsklab.machine.status import name_of

    return name_of(value) if isinstance(value, int) else ""


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}={value:#x}" if isinstance(value, int) and value > 9 else f"{name}={value}" for name, value in values.items()
    )


def compile_problems(problems: Iterable[Problem], language: str) -> str:
    """Errors and warnings of a C text, each with its line and caret."""
    lines: list[str] = []
    for problem in problems:
        kind = translate(problem.severity, language)
        values = {name: _said(value, language) for name, value in problem.values.items()}
        lines.append(f"{problem.place}: {kind}: {translate(problem.text, language, **values)}")
        if problem.line_text.strip():
            lines += [f"  {line}" for line in caret(problem.line_text, problem.place.column).split("\n")]
        if problem.hint:
            lines.append("  " + translate(problem.hint, language, **values))
    return "\n".join(lines)


def _said(value: object, language: str) -> object:
    """A value of a problem, in the language if it is words of ours."""
    if argument := _ARGUMENT.fullmatch(str(value)):
        return translate("argument {number} of {name}", language, **argument.groupdict())
    return translate(PHRASES[str(value)], language) if str(value) in PHRASES else value
