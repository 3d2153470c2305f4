"""Known mistakes: what a parser's stop most probably means, in one sentence, with a hint.

The parser knows the token it could not take and sometimes the one it wanted. The rest is looking around: what stands before,
on which line, which bracket is open. The mistakes and their sentences are rows of ``mistakes.toml``; here is what the rows can
ask (`Around`), and how to put right what was meant. Facts: WSK-GAP-16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycparser import c_lexer

from wsklab.c.around import GROUPS, Around, Repair, SyntaxStop, keyword, place_of_token
from wsklab.c.source import MISTAKES, Problem, Source, closest, place_of

FAR = {"never-closed", "function-inside", "unexpected-end"}
"""Mistakes that are not where the parser stops."""
_TEXTS = {sign.tok_type: sign.literal for sign in c_lexer._fixed_tokens}


@dataclass(frozen=True)
class _Known:
    """A row of the table of known mistakes."""

    id: str
    text: str
    hint: str | None = None
    when: dict[str, list[str]] = field(default_factory=dict)
    unless: dict[str, list[str]] = field(default_factory=dict)
    where: list[str] = field(default_factory=list)
    about: str = "bad"
    put: str | None = None
    at: str = "on"
    repair: str = ""

    def fits(self, a: Around, kinds: dict[str, str]) -> bool:
        """Whether this is the mistake."""
        when = all(_among(kinds[key], names) for key, names in self.when.items())
        unless = any(_among(kinds[key], names) for key, names in self.unless.items())
        # At the end of the text there is no token that a row could be about.
        about = self.about == "bad" or a.look(self.about)
        return bool(when and not unless and about and all(a.look(name) for name in self.where))

    def repaired(self, a: Around, token: Any) -> Repair | None:
        """What was meant."""
        if self.repair or self.put is None:
            return a.look(self.repair) if self.repair else None
        if self.at == "before":
            return a.index, 0, self.put
        missing = self.id.startswith("missing-")
        return a.index_of(token) + missing, int(not missing), self.put


def _among(kind: str, names: list[str]) -> bool:
    return any(kind == name or kind in GROUPS.get(name, ()) for name in names)


_KNOWN = [_Known(**row) for row in MISTAKES["known"]]


def explain(
    tokens: Sequence[Any], stop: SyntaxStop, start: int, typedefs: Sequence[str], sources: Mapping[str, Source]
) -> Problem:
    """What is probably wrong where the parser stopped, in the external declaration that begins at token `start`."""
    a = Around(tokens, stop, start, typedefs, sources)
    kinds = a.kinds()
    known = next((known for known in _KNOWN if known.fits(a, kinds)), None)
    if known is not None:
        token = a.look(known.about)
        stop.repair = known.repaired(a, token)
        at_bad = known.about == "bad"
        place = a.place if at_bad else a.end(token) if known.id.startswith("missing-") else place_of_token(token)
        hint = "It would close the one opened in line {line}." if known.id == "expected" and a.opened_above else known.hint
        return Problem(known.id, place, known.text, _values(a, known, token), hint=hint)
    place = place_of(stop.coord) if stop.coord is not None else a.place
    # pycparser may have taken the token already before it found it wrong.
    taken = a.before is not None and place_of_token(a.before) == place
    values: dict[str, object] = {"message": stop.message, "token": a.spelled(a.before if taken else a.bad)}
    return Problem("syntax", place, MISTAKES["said"].get(stop.message, "{message}."), values)


def _values(a: Around, known: _Known, token: Any) -> dict[str, object]:
    """What fills the sentence."""
    if token is None:
        return {}
    wanted = _TEXTS.get(a.expected or "", (a.expected or "").lower())
    values = {"token": a.spelled(token), "name": token.value, "bracket": token.value, "wanted": wanted}
    values |= {"word": a.before and a.before.value, "line": a.open and a.open.lineno}
    if known.id in ("foreign-operator", "foreign-word"):
        values["token"] = spelled = a.foreign_spelling(token)
        values |= {"right": MISTAKES["operators"].get(spelled), "origin": MISTAKES["languages"].get(spelled)}
    if known.id in ("unknown-type", "misspelt-word"):
        values["close"] = closest(token.value, a.typedefs) if known.id == "unknown-type" else keyword(token.value)
    return values
