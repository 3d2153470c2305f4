"""Going on after mistakes: the tokens are put right and what was begun is parsed again.

Where it is clear what was meant, that stands there now, else a `Hole`, a gap in the place of the smallest thing around
(`wsklab.c.holes`). Each mistake is reported once; what only follows from another one is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from pycparser import c_parser
from pycparser.c_lexer import Token as CToken

from wsklab.c.around import SyntaxStop, place_of_token
from wsklab.c.holes import TESTED, hole
from wsklab.c.mistakes import FAR, explain
from wsklab.c.source import Place, Problem, Problems
from wsklab.c.tokens import KINDS, Hole, Meant

MOST_ROUNDS = 500
"""So often a unit's tokens are put right; behind that, what cannot be parsed is left out."""


class _NoLexer:
    """Stands where pycparser expects its lexer: our tokens exist already."""

    filename = ""

    def __init__(self, error_func: Any = None, *, dialect: str = "legacy") -> None:
        pass

    def token(self) -> None:
        return None


class Recovering(c_parser.CParser):  # type: ignore[misc]
    """A parser that puts right what it reads."""

    def __init__(self, problems: Problems, typedefs: Mapping[str, bool] | None = None) -> None:
        super().__init__(lexer=_NoLexer)
        self.problems = problems
        self.typedefs = dict(typedefs or {})
        self.gaps: list[Place] = []
        self.tokens: list[CToken] = []
        self.assumed: dict[str, Place] = {}
        """Unknown names that were taken for types."""
        self.rounds = self._external_start = self._function_end = 0

    def assume(self, name: str, place: Place) -> None:
        """Take a name for a type from now on."""
        self.typedefs[name] = True
        self.assumed[name] = place

    def _start_at(self, mark: int) -> None:
        self._tokens = c_parser._TokenStream(self.clex.token)
        self._tokens._buffer = [*self.tokens, *[None] * 4]  # we look up to four tokens ahead
        self._reset(mark)
        self._typedef_checked_token = None

    # Errors: pycparser's methods, under its names.

    def _stop(self, expected: str | None, message: str, coord: Any = None) -> NoReturn:
        raise SyntaxStop(self._mark(), expected, message, coord)

    def _parse_error(self, msg: str, coord: Any) -> NoReturn:
        self._stop(None, msg, coord if not isinstance(coord, str) else None)

    def _whole(self, parse: Any) -> Any:
        """What `parse` reads: a statement, a member or an external declaration. Mistakes in it are put right before."""
        start, scopes, gaps = self._mark(), len(self._scope_stack), len(self.gaps)
        while True:
            try:
                return parse()
            except SyntaxStop as stop:
                if stop.changed is None:
                    stop.changed = self._put_right(stop, start)
                if stop.changed < start:
                    raise
                del self._scope_stack[scopes:], self.gaps[gaps:]
                self._start_at(start)

    def _put_right(self, stop: SyntaxStop, start: int) -> int:
        """Report a mistake, and put into the tokens what was meant, or a hole where that is not clear. Returns where."""
        at, problems = min(stop.index, len(self.tokens)), self.problems
        self.rounds += 1
        if problems.full or self.rounds > MOST_ROUNDS:
            token = self.tokens[min(at, len(self.tokens) - 1)]
            problems.error("syntax", place_of_token(token), "{token} cannot stand here.", token=token.value)
            return self._leave_out(start, at)
        mistake = self._explain(stop)
        unknown_type = mistake.id == "unknown-type" and str(mistake.values["name"]) not in self.typedefs
        lines = {token.lineno for token in self.tokens[max(at - 1, 0) : at + 1]}
        near = (token for token in self.tokens[max(at - 60, 0) : at + 60] if isinstance(token, Hole))
        at_ours = any(isinstance(token, Meant) for token in self.tokens[max(at - 1, 0) : at + 1])
        follows = at_ours or (mistake.id not in FAR and any(token.lineno in lines for token in near))
        mended = unknown_type or stop.repair is not None
        if not follows and (mended or not problems.told(mistake.place)):
            problems.adopt(mistake)
        if unknown_type:
            self.assume(str(mistake.values["name"]), mistake.place)
            return start
        if stop.repair is None or follows:
            return self._leave_out(start, at)
        at, removed, words = stop.repair
        line, column, file = mistake.place.line, mistake.place.column, mistake.place.file
        self.tokens[at : at + removed] = [Meant(KINDS.get(word, "ID"), word, line, column, file) for word in words.split()]
        return at

    def _leave_out(self, start: int, at: int) -> int:
        """Put a hole in the place of the smallest thing around the token `at`, in what begins at `start`."""
        outside = start == self._external_start
        first, end = hole(self.tokens, start, at, outside=outside)
        if self.rounds > 4 * MOST_ROUNDS:  # nothing helps: a gap cannot stand here either
            del self.tokens[start:]
            return start
        left_out = self.tokens[first:end]
        put = [_at(Hole, "...", self.tokens[min(first, len(self.tokens) - 1)])]
        self.problems.lose(left_out, self.tokens[self._external_start], whole=outside and first == start)
        if first and self.tokens[first - 1].type in TESTED:
            put = [_at(Meant, "(", put[0]), *put, _at(Meant, ")", put[0])]
        self.tokens[first:end] = put
        return first

    def _explain(self, stop: SyntaxStop) -> Problem:
        typedefs = [
            name for scope in self._scope_stack for name, is_type in scope.items() if is_type and name not in self.assumed
        ]
        stop.above = self._function_end
        return explain(self.tokens, stop, self._external_start, typedefs, self.problems.sources)


def _at(kind: type[CToken], sign: str, where: CToken) -> CToken:
    """A token of ours, at the place of another one."""
    return kind(KINDS[sign], sign, where.lineno, where.column, where.filename)
