"""The preprocessor: pcpp's directives and macro expansion over our tokens, files and error reports.

What is ours: tokens keep their places (`tokens`), ``#if`` expressions are evaluated by the compiler's own constant
evaluator (pcpp refuses ``LL``), ``#include`` asks a resolver and never the disk, a missing file is an error with a place,
and the macros of the headers are kept as text until a unit uses them, so that a unit pays for its own lines only.
"""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pcpp.parser import Action, OutputDirective
from pcpp.preprocessor import Preprocessor as Pcpp

from wsklab.c.constant import INTEGER, evaluate
from wsklab.c.declare import Declarations
from wsklab.c.parse import Parser
from wsklab.c.source import LEFT_OUT, MISTAKES, Place, Problems, Source, closest
from wsklab.c.tokens import BLANK, JOINED, NEWLINE, NUMBER, OPEN_COMMENT, PRAGMA, STRING, WORD, Position, Reader, Token, tokenize

MOST_TOKENS = 100_000
"""A unit whose macros add more tokens than this is refused."""
DEEPEST_INCLUDE = 40

PREDEFINED = (
    "_WIN32 1", "_WIN64 1", "_M_AMD64 100", "_M_X64 100", "_AMD64_ 1", "_MSC_VER 1940", "_MSC_FULL_VER 194033811",
    "_INTEGRAL_MAX_BITS 64", "_KERNEL_MODE 1", "__WSKLAB__ 1", '__DATE__ "Jan  1 2026"', '__TIME__ "00:00:00"',
)  # fmt: skip

Includes = Callable[[str], str | None]
"""Answers the name in an ``#include`` with the file's text, None if there is no such file."""
IncludesFrom = Mapping[str, str] | tuple[Path, ...] | Includes | None
_STACKED = re.compile(r'\s*#\s*pragma\s+(push|pop)_macro\s*\(\s*"(\w+)"\s*\)')
_TRACE_FUNCTION = re.compile(
    r"^[ \t]*//[ \t]*FUNC[ \t]+(\w+)[ \t]*(?:\{[^}\n]*\})?[ \t]*\(([^)\n]*\bMSG\b[^)\n]*)\)", re.MULTILINE
)
# The usual names of trace functions, which projects give to the trace preprocessor.
_TRACE_MACROS = (
    "TraceEvents(Level, Flags, ...) wsklab_trace_message(__VA_ARGS__)",
    "DoTraceLevelMessage(Level, Flags, ...) wsklab_trace_message(__VA_ARGS__)",
    "Hexdump(Message) wsklab_trace_hexdump Message",
    "TracePrint(Message) TraceEvents Message",
)
_HERE = {f"pshpack{size}.h": f"#pragma pack(push, {size})\n" for size in (1, 2, 4, 8, 16)}
_HERE |= {"poppack.h": "#pragma pack(pop)\n", "stdbool.h": "#define bool _Bool\n#define true 1\n#define false 0\n"}
"""Headers that are included for what they do where they stand."""
_BLANKS = (BLANK, NEWLINE, JOINED)
_BEGINNINGS = {"typedef", "static", "extern", "return", "if", "for", "while", "switch", "do", "else", "break", "goto", "case"}
"""Words that stand in no argument of a macro at the beginning of a line, if the macro is called as it should be."""


def includes_from(where: IncludesFrom) -> Includes:
    """A resolver from a mapping of names to texts, or from folders: searched in turn, and nothing outside them is read."""
    if isinstance(where, tuple):
        return partial(_read_below, tuple(folder.resolve() for folder in where))
    return where if callable(where) else (where or {}).get


def _read_below(folders: tuple[Path, ...], name: str) -> str | None:
    for folder in folders:
        path = (folder / name.replace("\\", "/")).resolve()
        if any(map(path.is_relative_to, folders)) and (found := _in_any_case(path)).is_file():
            return found.read_text("utf-8-sig", errors="replace")
    return None


def _in_any_case(path: Path) -> Path:
    """The file or folder of this name, where capitals do not matter, as on Windows; `path` itself when there is none."""
    if path.exists() or path == path.parent:
        return path
    inside, folder = {}, _in_any_case(path.parent)
    if folder.is_dir():
        inside = {each.name.lower(): each for each in folder.iterdir()}
    return inside.get(path.name.lower(), path)


class _TooLarge(Exception):
    """Macro expansion grew beyond `MOST_TOKENS`."""


class _Unclosed(Exception):
    """The arguments of a macro have no end: `left` tokens are left where it may have been, beginning with `token`."""

    def __init__(self, left: int, token: Token) -> None:
        self.left, self.token = left, token


class _Lexer:
    """`tokenize` under the names that pcpp calls (ply's)."""

    lineno = 1

    def input(self, text: str) -> None:
        self.token = partial(next, tokenize(text or " "), None)

    def clone(self) -> _Lexer:
        return self


class _Macros(dict[str, Any]):
    """Macros by name. A header's macro is its definition's text until somebody asks for it."""

    define: Callable[[str], None]

    def __getitem__(self, name: str) -> Any:
        if isinstance(text := super().__getitem__(name), str):
            self.define(text)
        return super().__getitem__(name)


class Preprocessor(Pcpp):  # type: ignore[misc]
    """Preprocesses one unit; the texts read are registered in `problems`.

    `macros` exist beforehand, name to text as after ``#define``. `known` are the headers (lower case) whose contents the unit
    already has: including them adds nothing. `includes` finds the other files.
    """

    def __init__(
        self, problems: Problems, macros: Mapping[str, str] | None = None, known: Iterable[str] = (),
        includes: Includes | None = None,
    ) -> None:  # fmt: skip
        self.problems = problems
        super().__init__(_Lexer())
        self.evaluator = self._if_value
        self.known = frozenset(known)
        self.includes = includes or includes_from(None)
        self.expand_filemacro = False
        self.line_offset = 0
        self.t_INTEGER_TYPE = lambda line: str(line + self.line_offset if isinstance(line, Position) else line)  # __LINE__
        self.pushed: dict[str, list[Any]] = {}
        self.linemacrodepth = 0
        self.outermost = False  # whether what is expanded is the text, not the body of a macro
        self.rewrite_paths: list[tuple[str, str]] = []
        self.macros = _Macros(macros or {})
        self.macros.define = self.define
        for definition in PREDEFINED if macros is None else ():
            self.define(definition)

    def run(self, source: Source) -> list[Token]:
        """The tokens of `source` after preprocessing, without blanks; a ``#pragma`` is one token of type ``PRAGMA``."""
        self.define('__FILE__ "{}"'.format(source.name.replace("\\", "\\\\").replace('"', '\\"')))
        try:
            tokens = list(_without_blanks(self._file(source)))
        except _TooLarge:
            text = "The macros of this file expand to more than {most} tokens."
            self.problems.error("macros-too-large", Place(source.name, 1, 0), text, most=MOST_TOKENS)
            return []
        for problem in self.problems.errors:
            place, lines = problem.place, self.problems.sources[problem.place.file].lines
            below = (token.lineno for token in tokens if token.lineno.file == place.file)
            if problem.id == "if-open" and max(below, default=0) < place.line:  # nothing of the rest is there
                self.problems.lose_text("\n".join(lines[place.line :]))
            elif problem.id == "macro-arguments":  # what it would have made of them is not known
                self.problems.lose_text(problem.line_text, place)
        return tokens

    def definitions(self) -> dict[str, str]:
        """All macros as text, the form that the constructor takes."""
        return {name: getattr(macro, "text", macro) for name, macro in self.macros.items() if name != "__FILE__"}

    def _file(self, source: Source) -> Iterator[Token]:
        self.problems.sources[source.name] = source
        for name, parameters in _TRACE_FUNCTION.findall(source.text):
            # What the trace preprocessor would make of it: the message and its arguments are a line on the console.
            before = parameters.split("MSG")[0]
            self.macros.setdefault(name, f"{name}({before}...) wsklab_trace_message(__VA_ARGS__)")
        # The text goes by name: what is handed over here would have its trigraphs replaced and its columns shifted.
        return iter(self.parsegen("", source.name, source.name))

    def _if_value(self, tokens: list[Token], **names: Any) -> SimpleNamespace:
        """Stands for pcpp's evaluator of ``#if`` expressions: every number has 64 bits, every name that is left is 0."""
        own, value, numbers = Problems(), 1, []
        own.sources = self.problems.sources
        for token in tokens:
            match = INTEGER.match(token.value)
            if token.type == WORD:
                numbers.append(Token(NUMBER, "0LL", token.position))
            elif match:
                numbers.append(Token(NUMBER, match[1] + ("ULL" if "u" in match[2].lower() else "LL"), token.position))
            elif token.type not in _BLANKS:
                numbers.append(token)
        try:
            value = evaluate(Declarations(own), Parser(own).expression(Reader(numbers, own).read()))[0]
        except ValueError as error:
            text, place = "This #if condition has no value: {reason}.", tokens[0].position.place
            if len(error.args) > 1:  # the mistake is known
                self.problems.adopt(error.args[1])
            else:
                self.problems.error("if-expression", place, text, reason=str(error))
        return SimpleNamespace(value=lambda: value)

    # What follows replaces methods of pcpp, under pcpp's names.

    def group_lines(self, input: str, abssource: str) -> Iterator[list[Token]]:
        """Yield the tokens of a file line by line (a line with continuations is one)."""
        line: list[Token] = []
        for token in tokenize("\n".join(self.problems.sources[abssource].lines), abssource):
            if token.type == OPEN_COMMENT:
                self.problems.error("open-comment", token.position.place, "This comment is never closed.")
                self.problems.lose_text(token.value)
                token.type, token.value = BLANK, " "
            line.append(token)
            if token.type == NEWLINE:
                if any(known.value in ("push_macro", "pop_macro") for known in line):
                    line = self._stacked(line)
                yield line
                line = []
        if line:
            yield [*line, Token(NEWLINE, "\n", line[-1].lineno)]

    def _stacked(self, line: list[Token]) -> list[Token]:
        """``#pragma push_macro`` and ``pop_macro`` as an ``#undef``: before that, pcpp expands what stands above."""
        match = _STACKED.match("".join(token.value for token in line))
        values = ((WORD, "undef"), (BLANK, " "), (match[1], match[2])) if match else ()
        at = next((token for token in line if token.value == "#"), line[0])
        return [at, *(Token(kind, value, at.position) for kind, value in values), line[-1]] if match else line

    def undef(self, tokens: list[Token]) -> None:
        """Forget a macro, put it on its stack, or take it from there."""
        name, kept = tokens[0].value, self.pushed.setdefault(tokens[0].value, [])
        if tokens[0].type == "push":
            kept.append(self.macros.get(name))
        elif tokens[0].type != "pop":
            super().undef(tokens)
        elif kept:
            self.macros.pop(name, None)
            self.macros.update({name: before} if (before := kept.pop()) is not None else {})

    def define(self, tokens: str | list[Token]) -> None:
        """Define a macro from the text or tokens after ``#define``."""
        text = tokens if isinstance(tokens, str) else "".join(token.value for token in tokens)
        name = text.split(None, 1)[0].split("(")[0]
        if "__VA_OPT__" in text and isinstance(tokens, list):
            hint = "Write , ## __VA_ARGS__ instead: the comma goes when there are no arguments."
            self.problems.error("va-opt", tokens[0].position.place, "__VA_OPT__ is not supported.", hint)
        try:
            super().define(tokens)
        except IndexError:
            # pcpp looks at the first token of each parameter without asking whether there is one.
            place = tokens[0].position.place if isinstance(tokens, list) else None
            self.problems.error("macro-parameters", place, "A parameter of the macro {name} has no name.", name=name)
        macro = self.macros.get(name)
        if macro is not None and not isinstance(macro, str):
            macro.text = text
            for token in macro.value:
                token.own = None

    def macro_prescan(self, macro: Any) -> None:
        """Find what a use of the macro replaces; the comma before an empty ``__VA_ARGS__`` goes, as MSVC has it."""
        super().macro_prescan(macro)
        for kind, number, at in macro.patch if macro.variadic else ():
            before = [index for index in range(at) if macro.value[index].type not in self.t_WS][-1:]
            if kind == "e" and number == len(macro.arglist) - 1 and before and macro.value[before[0]].value == ",":
                macro.var_comma_patch.append(before[0])

    def macro_expand_args(self, macro: Any, args: list[list[Token]]) -> list[Token]:
        """Put arguments in; an empty one beside ``##`` leaves a blank, so that nothing else is pasted instead."""
        pasted = {number for kind, number, _ in macro.patch if kind == "t"} - ({len(args) - 1} if macro.variadic else set())
        filled = [[Token(BLANK, "", Position(0))] if not arg and k in pasted else arg for k, arg in enumerate(args)]
        result: list[Token] = super().macro_expand_args(macro, filled)
        return result

    def expand_macros(self, tokens: list[Token], expanding_from: Any = ()) -> list[Token]:
        """Expand macros in place; the bound stops macros that double themselves."""
        written, outermost, depth = len(tokens), self.outermost, self.linemacrodepth
        self.outermost = not expanding_from
        try:
            expanded: list[Token] = super().expand_macros(tokens, list(expanding_from))
        except _Unclosed as stop:
            text, position = "Here a comma or {wanted} was expected, not {token}.", stop.token.position
            self.problems.error("expected", position.place, text, wanted=")", token=stop.token.value)
            tokens.insert(len(tokens) - stop.left, Token(")", ")", position))
            self.linemacrodepth = depth
            expanded = self.expand_macros(tokens)
        finally:
            self.outermost = outermost
        if len(expanded) - written > MOST_TOKENS:
            raise _TooLarge
        return expanded

    def collect_args(self, tokenlist: list[Token], ignore_errors: bool = False) -> Any:
        """Collect the arguments of a macro. Raises _Unclosed if a ) is missing: they end with their statement then."""
        found = super().collect_args(tokenlist, ignore_errors)
        if not found[0] and ignore_errors and self.outermost and not self.problems.full:
            for index, token in enumerate(tokenlist):
                new_line = index > 0 and NEWLINE in [before.type for before in tokenlist[max(index - 2, 0) : index]]
                if token.value in (";", "{", "}") or (new_line and token.value in _BEGINNINGS):
                    raise _Unclosed(len(tokenlist) - index, token)
        return found

    def include(self, tokens: list[Token], original_line: list[Token]) -> Iterator[Token]:
        """Yield the tokens of an included file, none for a header that is already there."""
        place = tokens[0].position.place
        text = "".join(token.value for token in tokens)
        quoted = tokens[0].type == STRING
        name = text[1:-1] if quoted else text[1 : text.find(">")] if text.startswith("<") and ">" in text else ""
        base = name.replace("\\", "/").split("/")[-1].lower()
        # A trace header is made by the WPP preprocessor in a real build; the lab has none and needs none.
        for macro in _TRACE_MACROS if base.endswith(".tmh") else ():
            self.macros.setdefault(macro.partition("(")[0], macro)
        if name in self.include_once or base.endswith(".tmh") or (base in self.known and not quoted):
            return
        # As written beside the file that includes it, then as written.
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(place.file), name.replace("\\", "/")))
        content = self.includes(beside) if base and quoted and beside != name else None
        if content is not None:
            name = beside
        elif base:
            content = _HERE.get(base) or self.includes(name)
        if not base:
            self.problems.error("include-malformed", place, 'Write #include "name" or #include <name>.')
        elif content is None and base not in self.known:
            hint = (
                "The lab's own headers are always there; "
                "files of your own must be handed over with the source (on the command line: -I FOLDER)."
            )
            text, close = "There is no file {name} to include.", closest(base, self.known | _HERE.keys())
            self.problems.error("include-not-found", place, text, hint, name=name, close=close)
            if not close and not self.problems.left_out:  # what is unknown from now on can stand there
                self.problems.left_out = LEFT_OUT - {"include-not-found"}
        elif self.include_depth > DEEPEST_INCLUDE:
            self.problems.error("include-too-deep", place, "{name} is included again and again.", name=name)
        elif content is not None:
            yield from self._file(Source(name, content))

    def on_error(self, file: str, line: int, msg: str) -> None:
        """Take over an error of pcpp."""
        place = line.place if isinstance(line, Position) else Place(file, int(line), 0)
        for known in MISTAKES["preprocessor"]:
            if match := re.fullmatch(known["match"], " ".join(msg.split())):
                self.problems.error(known["id"], place, known["text"], **match.groupdict())
                return

    def on_directive_handle(self, directive: Token, toks: list[Token], ifpassthru: bool, precedingtoks: list[Token]) -> bool:
        """Refuse directives without the words pcpp takes for granted."""
        super().on_directive_handle(directive, toks, ifpassthru, precedingtoks)
        name = directive.value
        if name == "pragma" and not toks:
            raise OutputDirective(Action.IgnoreAndRemove)
        nameless = name in ("define", "undef", "ifdef", "ifndef") and (not toks or toks[0].type not in (WORD, "push", "pop"))
        if nameless or (name in ("if", "elif", "include") and not toks):
            self.problems.error("directive-incomplete", directive.position.place, "#{name} needs more than this.", name=name)
            raise OutputDirective(Action.IgnoreAndRemove)
        return True

    def on_directive_unknown(self, directive: Token, toks: list[Token], *_: Any) -> bool | None:
        """Let ``#pragma`` through, report ``#error`` and what nobody knows."""
        name, text, place = directive.value, "".join(token.value for token in toks), directive.position.place
        if name == "error":
            self.problems.error("error-directive", place, "#error {message}", message=text)
        elif name == "warning":
            self.problems.warning("warning-directive", place, "#warning {message}", message=text)
        elif name == "line":
            number = "".join(token.value for token in self.expand_macros(toks)).split()[:1]
            self.line_offset = int(number[0]) - 1 - int(directive.position) if number and number[0].isdigit() else 0
        elif name != "pragma":
            self.problems.error("directive-unknown", place, "There is no directive #{name}.", name=name)
        return None if name == "pragma" else True


def _without_blanks(tokens: Iterator[Token]) -> Iterator[Token]:
    at_line_start = True
    for token in tokens:
        if at_line_start and token.value == "#":  # only pragmas are left of the directives
            words = [word.value for word in itertools.takewhile(lambda word: word.type != NEWLINE, tokens)]
            yield Token(PRAGMA, "".join(words).strip(), token.position)
        elif token.type == NEWLINE:
            at_line_start = True
        elif token.type not in _BLANKS:
            at_line_start = False
            yield token
