"""The *what if* panel of the lessons: the same code under every outcome, one picture at a time.

All outcomes are run once, when the panel is made; switching only shows another picture. So nothing has to be computed while
the reader clicks: the panel works without a kernel, in JupyterLab, in JupyterLite and on a static page. One output carries
three forms of it, and each reader's program takes the best it knows: an ipywidgets panel; plain HTML with radio buttons that
needs no script; and text, one outcome after another.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from wsklab.show.theme import stylesheet
from wsklab.words import chosen_language, translate

if TYPE_CHECKING:
    from wsklab.show.timeline import Timeline

_ids = itertools.count(1)
_MOST_BUTTONS = 8
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

_PANEL_CSS = (
    ".wlp{position:relative;border:0;margin:0;padding:0;min-width:0;font-size:.85rem}"
    ".wlp legend{font-weight:600;padding:0;margin-bottom:.35rem}"
    ".wlp input{position:absolute;opacity:0}"
    ".wlp>label{display:inline-block;margin:0 .3rem .4rem 0;padding:.3rem .75rem;border:1px solid var(--lane);"
    "border-radius:1rem;background:var(--bg);color:var(--ink);cursor:pointer}"
    ".wlp>input:checked+label{background:var(--call);border-color:var(--call);color:var(--bg)}"
    ".wlp>input:focus-visible+label{outline:3px solid var(--back);outline-offset:2px}"
    ".wlp>div{display:none;overflow-x:auto}.wlr{margin:.4rem 0 0;padding-left:1.2rem}"
)


@dataclass(frozen=True)
class Outcome:
    """One outcome that was run: its label, its picture (None when the code never got that far), its result lines."""

    label: str
    timeline: Timeline | None
    results: tuple[str, ...]

    @property
    def text(self) -> str:
        """The outcome as plain text."""
        lines = [self.label, *(f"- {line}" for line in self.results), self.timeline.text if self.timeline else ""]
        return "\n".join(filter(None, lines))

    @property
    def html(self) -> str:
        """The picture and, below it, the result lines; the page must carry the stylesheet."""
        lines = "".join(f"<li>{escape(line)}</li>" for line in self.results)
        return (self.timeline.draw(style=False) if self.timeline else "") + (f'<ul class="wlr">{lines}</ul>' if lines else "")


class WhatIf:
    """A panel over some outcomes; see :func:`what_if`."""

    def __init__(self, outcomes: list[Outcome], language: str, title: str = "") -> None:
        self.outcomes = outcomes
        self.language = language
        self.title = title or translate("What if …", language)

    @property
    def text(self) -> str:
        """All outcomes as text, one after another."""
        return "\n\n".join([self.title, *(outcome.text for outcome in self.outcomes)])

    @property
    def html(self) -> str:
        """The panel as plain HTML: radio buttons and CSS, no script; the first outcome is shown at first."""
        name = f"wlp{next(_ids)}"
        shown, buttons = [], []
        for place, outcome in enumerate(self.outcomes, 1):
            checked = " checked" if place == 1 else ""
            key = f"{name}-{place}"
            buttons.append(
                f'<input type="radio" name="{name}" id="{key}"{checked}><label for="{key}">{escape(outcome.label)}</label>'
            )
            shown.append(f"#{key}:checked~#{key}p")
        panels = "".join(f'<div id="{name}-{place}p">{each.html}</div>' for place, each in enumerate(self.outcomes, 1))
        style = f"<style>{stylesheet()}{_PANEL_CSS}{','.join(shown)}{{display:block}}</style>"
        legend = f"<legend>{escape(self.title)}</legend>"
        return f'<fieldset class="wl wlp" lang="{self.language}">{style}{legend}{"".join(buttons)}{panels}</fieldset>'

    def widget(self) -> Any:
        """The panel as an ipywidgets box; buttons and pictures are linked in the browser, without the kernel.

        Raises:
            ImportError: ipywidgets is not installed.
        """
        import ipywidgets

        labels = [outcome.label for outcome in self.outcomes]
        options = {"options": labels, "index": 0, "tooltips": labels, "style": {"button_width": "auto"}}
        if len(labels) > _MOST_BUTTONS:
            chooser = ipywidgets.Dropdown(options=labels, index=0)
        else:
            chooser = ipywidgets.ToggleButtons(**options)
        chooser.description = ""
        heading = ipywidgets.HTML(f"<style>{stylesheet()}{_PANEL_CSS}</style><b>{escape(self.title)}</b>")
        pictures = [ipywidgets.HTML(f'<div style="overflow-x:auto">{outcome.html}</div>') for outcome in self.outcomes]
        stack = ipywidgets.Stack(pictures, selected_index=0)
        ipywidgets.jslink((chooser, "index"), (stack, "selected_index"))
        return ipywidgets.VBox([heading, chooser, stack])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.text, "text/html": self.html}
        with suppress(ImportError):  # without ipywidgets the HTML panel does the same, so nobody misses anything
            bundle[WIDGET_VIEW] = self.widget()._repr_mimebundle_()[WIDGET_VIEW]
        return bundle

    def __repr__(self) -> str:
        return self.text


def what_if(
    run: Callable[..., Any],
    outcomes: Mapping[str, Mapping[str, Any]],
    language: str | None = None,
    title: str = "",
) -> WhatIf:
    """Run the same code under several outcomes and show them in one panel.

    Args:
        run: makes a lab, runs the code in it and returns the lab, or ``(lab, results)`` where results are lines of text or a
            mapping of names to values. It is called once for each outcome.
        outcomes: label → keyword arguments of `run`. Labels are English keys; a known one is shown in the reader's language.
        language: language of the panel; by default that of the first lab.
        title: heading of the panel.

    >>> what_if(send, {"at once": {"answer": "inline"}, "later": {"answer": "pending"}})      # doctest: +SKIP
    """
    done: list[Outcome] = []
    for label, settings in outcomes.items():
        outcome, spoken = _outcome(label, run, dict(settings), language)
        language = language or spoken
        done.append(outcome)
    return WhatIf(done, chosen_language(language), title)


def _outcome(label: str, run: Callable[..., Any], settings: dict[str, Any], language: str | None) -> tuple[Outcome, str | None]:
    """One outcome, and the language that its lab speaks."""
    from wsklab.machine import Stop
    from wsklab.show.timeline import timeline

    lines: list[str] = []
    try:
        given = run(**settings)
    except Stop as stop:
        return Outcome(translate(label, language), None, tuple(stop.report(language).splitlines())), language
    lab, results = given if isinstance(given, tuple) else (given, ())
    told = results.items() if isinstance(results, Mapping) else (("", result) for result in results)
    lines += [": ".join(filter(None, (name, _shown(value)))) for name, value in told]
    lines += [f"DbgPrint: {line}" for line in lab.console.splitlines() if line.strip()]
    if lab.stopped is not None:
        rule = lab.stopped.rule
        lines.append(translate("STOP {id}: {title}", lab.language, id=rule.id, title=translate(rule.title, lab.language)))
    label = translate(label, language or lab.language)
    picture = timeline(lab.events, language or lab.language, title=label, machine=lab.machine)
    return Outcome(label, picture, tuple(lines)), lab.language


def _shown(value: Any) -> str:
    """A result as a reader likes it: lists without brackets, bytes as text, nothing as a dash."""
    if isinstance(value, (list, tuple)):
        return "; ".join(map(_shown, value)) or "–"
    if isinstance(value, bytes):
        return f"“{value.decode('ascii', 'backslashreplace')}”"
    return str(value)
