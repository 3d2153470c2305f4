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
from typing import Any

from wsklab.machine import Stop
from wsklab.show import Shown
from wsklab.show.theme import stylesheet
from wsklab.show.timeline import Timeline, timeline
from wsklab.words import chosen_language, translate

_ids = itertools.count(1)
_MOST_BUTTONS = 8
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Outcome:
    """One outcome that was run."""

    label: str
    timeline: Timeline | None  # None when the code never got that far
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


class WhatIf(Shown):
    """A panel over some outcomes; see :func:`what_if`."""

    def __init__(self, outcomes: list[Outcome], language: str, title: str = "") -> None:
        self.outcomes, self.language = outcomes, language
        self.title = title or translate("What if …", language)

    @property
    def text(self) -> str:
        """All outcomes as text, one after another."""
        return "\n\n".join([self.title, *(outcome.text for outcome in self.outcomes)])

    @property
    def html(self) -> str:
        """The panel as plain HTML: radio buttons and CSS, no script; the first outcome is shown at first."""
        name = f"wlp{next(_ids)}"
        keys = [f"{name}-{place}" for place, _ in enumerate(self.outcomes, 1)]
        buttons = "".join(
            f'<input type="radio" name="{name}" id="{key}"{" checked" if key == keys[0] else ""}>'
            f'<label for="{key}">{escape(outcome.label)}</label>'
            for key, outcome in zip(keys, self.outcomes, strict=True)
        )
        panels = "".join(f'<div id="{key}p">{each.html}</div>' for key, each in zip(keys, self.outcomes, strict=True))
        shown = ",".join(f"#{key}:checked~#{key}p" for key in keys)
        style = f"<style>{stylesheet()}{stylesheet('panel')}{shown}{{display:block}}</style>"
        legend = f"<legend>{escape(self.title)}</legend>"
        return f'<fieldset class="wl wlp" lang="{self.language}">{style}{legend}{buttons}{panels}</fieldset>'

    def widget(self) -> Any:
        """The panel as an ipywidgets box, linked in the browser without the kernel. Raises ImportError without ipywidgets."""
        import ipywidgets

        labels = [outcome.label for outcome in self.outcomes]
        if len(labels) > _MOST_BUTTONS:
            chooser = ipywidgets.Dropdown(options=labels, index=0, description="")
        else:
            chooser = ipywidgets.ToggleButtons(options=labels, index=0, tooltips=labels, style={"button_width": "auto"})
        heading = ipywidgets.HTML(f"<style>{stylesheet()}{stylesheet('panel')}</style><b>{escape(self.title)}</b>")
        pictures = [ipywidgets.HTML(f'<div style="overflow-x:auto">{outcome.html}</div>') for outcome in self.outcomes]
        stack = ipywidgets.Stack(pictures, selected_index=0)
        ipywidgets.jslink((chooser, "index"), (stack, "selected_index"))
        return ipywidgets.VBox([heading, chooser, stack])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_()
        with suppress(ImportError):  # without ipywidgets the HTML panel does the same, so nobody misses anything
            bundle[WIDGET_VIEW] = self.widget()._repr_mimebundle_()[WIDGET_VIEW]
        return bundle


def what_if(
    run: Callable[..., Any], outcomes: Mapping[str, Mapping[str, Any]], language: str | None = None, title: str = ""
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
        try:
            given = run(**settings)
        except Stop as stop:
            done.append(Outcome(translate(label, language), None, tuple(stop.report(language).splitlines())))
            continue
        lab, results = given if isinstance(given, tuple) else (given, ())
        language = language or lab.language
        label = translate(label, language)
        picture = timeline(lab.events, language, title=label, machine=lab.machine)
        done.append(Outcome(label, picture, tuple(_result_lines(lab, results))))
    return WhatIf(done, chosen_language(language), title)


def _result_lines(lab: Any, results: Any) -> list[str]:
    told = results.items() if isinstance(results, Mapping) else (("", result) for result in results)
    lines = [": ".join(filter(None, (name, _shown(value)))) for name, value in told]
    lines += [f"DbgPrint: {line}" for line in lab.console.splitlines() if line.strip()]
    if lab.stopped is not None:
        rule = lab.stopped.rule
        lines.append(translate("STOP {id}: {title}", lab.language, id=rule.id, title=translate(rule.title, lab.language)))
    return lines


def _shown(value: Any) -> str:
    """A result as a reader likes it: lists without brackets, bytes as text, nothing as a dash."""
    if isinstance(value, (list, tuple)):
        return "; ".join(map(_shown, value)) or "–"
    return f"“{value.decode('ascii', 'backslashreplace')}”" if isinstance(value, bytes) else str(value)
