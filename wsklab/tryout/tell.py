"""How the run of a listing is told: as text under its verdict, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from wsklab.rules.phrases import PHRASES
from wsklab.rules.report import excerpt
from wsklab.tryout.run import Trial
from wsklab.words import translate

REASONS = {
    "only declares": "it only declares",
    "not modelled": "it needs {what}, which is not modelled",
    "not inferred": "it needs {what}, and its use does not tell what that is",
    "scene misfits": "the scene does not fit it: {what}",
    "scene stops": "the scene around it stops: {what}",
}


def told(trial: Trial, gaps: tuple[int, ...], language: str) -> Iterator[str]:
    """The lines under a listing's verdict."""
    if trial.verdict == "runs":
        key = "runs: {calls}" if trial.calls else "runs; it calls nothing"
        yield "  " + translate(key, language, calls=", ".join(_counted(trial.calls)))
    elif trial.verdict == "stops":
        yield from _stop(trial, gaps, language)
    elif trial.verdict == "compiles":
        yield "  " + translate("not run: {reason}", language, reason=reason(trial, language))
    if trial.verdict in ("runs", "stops"):
        if trial.supplied:
            yield "  " + translate("supplied by the scene: {names}", language, names=_names(trial.supplied))
        if trial.together:
            lines = ", ".join(map(str, trial.together))
            yield "  " + translate("run together with the listings in lines {lines}", language, lines=lines)
    if trial.verdict == "runs" and trial.unreached:
        yield "  " + translate("nothing in the scene calls {names}", language, names=", ".join(trial.unreached))


def _stop(trial: Trial, gaps: tuple[int, ...], language: str) -> Iterator[str]:
    stop, where = trial.stop, trial.place
    assert stop is not None and where is not None
    title = translate(stop.rule.title, language)
    yield "  " + translate("stops at {where} ({rule}): {title}", language, where=where, rule=trial.rule, title=title)
    yield from excerpt(stop.sources, where)
    values = {name: translate(PHRASES[value], language) if value in PHRASES else value for name, value in stop.values.items()}
    yield "  " + translate(stop.rule.text, language, **values)
    before = [line for line in gaps if line <= where.line]
    if before:
        text = "What the gap (...) in line {line} leaves out may be missing here."
        yield "  " + translate(text, language, line=before[-1])


def reason(trial: Trial, language: str) -> str:
    """Why a listing that compiles was not run to its end."""
    return translate(REASONS.get(trial.reason, ""), language, **trial.values) if trial.reason else ""


def as_json(trial: Trial, language: str) -> dict[str, Any]:
    """A trial as data."""
    shown = {name: value for name, value in vars(trial).items() if name not in ("line", "place", "stop", "values")}
    shown["where"] = str(trial.place) if trial.place else ""
    return {**shown, "because": reason(trial, language)}


def _counted(calls: tuple[str, ...]) -> list[str]:
    """Calls in the order in which each was first made, with how often."""
    return [call if calls.count(call) == 1 else f"{call} ×{calls.count(call)}" for call in dict.fromkeys(calls)]


def _names(supplied: dict[str, str]) -> str:
    return "; ".join(text.removesuffix(";") for text in supplied.values())
