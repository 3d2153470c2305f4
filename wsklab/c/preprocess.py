"""The preprocessor: pcpp's directives and macro expansion over our tokens, files and error reports.

What is ours: tokens keep their places (`tokens`), ``#if`` expressions are evaluated by the compiler's own constant
evaluator (pcpp refuses ``LL``), ``#include`` asks a resolver and never the disk, a missing file is an error with a place,
and the macros of the headers are kept as text until a unit uses them, so that a unit pays for its own lines only.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pcpp.parser import Action, OutputDirective
from pcpp.preprocessor import Preprocessor as Pcpp

from wsklab.c.source import Place, Problems, Source
from wsklab.c.tokens import BLANK, JOINED, NEWLINE, NUMBER, PRAGMA, STRING, WORD, Lexer, Position, Token, tokenize

MOST_TOKENS = 100_000
"""A unit whose macros expand to more tokens than this is refused."""
DEEPEST_INCLUDE = 40

PREDEFINED = (
    "_WIN32 1", "_WIN64 1", "_M_AMD64 100", "_M_X64 100", "_AMD64_ 1", "_MSC_VER 1940", "_MSC_FULL_VER 194033811",
    "_INTEGRAL_MAX_BITS 64", "_KERNEL_MODE 1", "__WSKLAB__ 1",
)  # fmt: skip

Includes = Callable[[str], str | None]
"""Answers the name in an ``#include`` with the file's text, None if there is no such file."""
_BLANKS = (BLANK, NEWLINE, JOINED)


def includes_from(where: Mapping[str, str] | Path | Includes | None) -> Includes:
    """A resolver from a mapping of names to texts, or from a directory (files below it only)."""
    if where is None:
        return lambda name: None
    if isinstance(where, Mapping):
        return where.get
    if isinstance(where, Path):
        return lambda name: _read_below(where, name)
    return where


def _read_below(directory: Path, name: str) -> str | None:
    path = (directory / name.replace("\\", "/")).resolve()
    if directory.resolve() not in path.parents or not path.is_file():
        return None
    return path.read_text("utf-8-sig", errors="replace")


class TooLarge(Exception):
    """Macro expansion grew beyond `MOST_TOKENS`."""


class MacroTable(dict[str, Any]):
    """Macros by name. A header's macro is its definition's text until somebody asks for it."""

    owner: Preprocessor

    def __getitem__(self, name: str) -> Any:
        """The macro in pcpp's form."""
        macro = super().__getitem__(name)
        if isinstance(macro, str):
            self.owner.define(macro)
            macro = super().__getitem__(name)
        return macro


class Preprocessor(Pcpp):  # type: ignore[misc]
    """Preprocesses one unit.

    Args:
        problems: where mistakes are reported; the texts read are registered there.
        evaluate: value of an ``#if`` expression's tokens; raises ValueError with a sentence.
        macros: definitions that exist beforehand, name to text as after ``#define``.
        known: names of headers (lower case) whose contents the unit already has: including them adds nothing.
        includes: finds the other files.
    """

    def __init__(
        self,
        problems: Problems,
        evaluate: Callable[[list[Token]], int],
        macros: Mapping[str, str] | None = None,
        known: Iterable[str] = (),
        includes: Includes | None = None,
    ) -> None:
        """Prepare to preprocess; see above for the arguments."""
        self.problems = problems
        self.texts: dict[str, str] = {}
        super().__init__(Lexer())
        self.evaluate = evaluate
        self.known = frozenset(known)
        self.includes = includes or (lambda name: None)
        self.expand_filemacro = False
        self.rewrite_paths: list[tuple[str, str]] = []
        table = MacroTable(macros or {})
        table.owner = self
        self.macros = table
        if macros is None:
            for definition in PREDEFINED:
                self.define(definition)

    def run(self, source: Source) -> list[Token]:
        """The tokens of `source` after preprocessing, without blanks; a ``#pragma`` is one token of type ``PRAGMA``."""
        self.define('__FILE__ "{}"'.format(source.name.replace("\\", "\\\\").replace('"', '\\"')))
        try:
            return list(_without_blanks(self._file(source)))
        except TooLarge:
            self.problems.error(
                "macros-too-large", Place(source.name, 1, 0), "The macros of this file expand to more than {most} tokens.",
                most=MOST_TOKENS,
            )  # fmt: skip
            return []

    def definitions(self) -> dict[str, str]:
        """All macros as text, the form that the constructor takes."""
        return {name: getattr(macro, "text", macro) for name, macro in self.macros.items() if name != "__FILE__"}

    def _file(self, source: Source) -> Iterator[Token]:
        self.problems.sources[source.name] = source
        self.texts[source.name] = "\n".join(source.lines)
        # The text goes by name: what is handed over here would have its trigraphs replaced and its columns shifted.
        return iter(self.parsegen("", source.name, source.name))

    # What follows replaces methods of pcpp, under pcpp's names.

    def group_lines(self, input: str, abssource: str) -> Iterator[list[Token]]:
        """Yield the tokens of a file line by line (a line with continuations is one)."""
        line: list[Token] = []
        for token in tokenize(self.texts[abssource], abssource):
            if token.type == "CPP_COMMENT1" or token.type == "CPP_COMMENT2":
                token.type, token.value = BLANK, " "
            elif token.type == "OPEN_COMMENT":
                self.problems.error("open-comment", token.position.place, "This comment is never closed.")
                token.type, token.value = BLANK, " "
            line.append(token)
            if token.type == NEWLINE:
                yield line
                line = []
        if line:
            line.append(Token(NEWLINE, "\n", line[-1].lineno))
            yield line

    def define(self, tokens: str | list[Token]) -> None:
        """Define a macro from the text or tokens after ``#define``."""
        text = tokens if isinstance(tokens, str) else "".join(token.value for token in tokens)
        name = text.split(None, 1)[0].split("(")[0]
        try:
            super().define(tokens)
        except IndexError:
            # pcpp looks at the first token of each parameter without asking whether there is one.
            place = tokens[0].position.place if isinstance(tokens, list) else Place("", 0, 0)
            self.problems.error("macro-parameters", place, "A parameter of the macro {name} has no name.", name=name)
        macro = dict.get(self.macros, name)
        if macro is not None and not isinstance(macro, str):
            macro.text = text
            for token in macro.value:
                token.own = None

    def expand_macros(self, tokens: list[Token], expanding_from: Any = ()) -> list[Token]:
        """Expand macros in place; the bound stops macros that double themselves."""
        expanded: list[Token] = super().expand_macros(tokens, list(expanding_from))
        if len(expanded) > MOST_TOKENS:
            raise TooLarge
        return expanded

    def evalexpr(self, tokens: list[Token]) -> tuple[int, None]:
        """Value of an ``#if`` expression."""
        try:
            expanded = self._without_defined(self.expand_macros(self._without_defined([copy.copy(t) for t in tokens])))
            return self.evaluate([token for token in expanded if token.type not in _BLANKS]), None
        except ValueError as reason:
            text = "This #if condition has no value: {reason}."
            self.problems.error("if-expression", tokens[0].position.place, text, reason=str(reason).rstrip("."))
            return 0, None

    def _without_defined(self, tokens: list[Token]) -> list[Token]:
        """Replace ``defined X`` and ``defined(X)`` by 1 or 0."""
        tokens = [token for token in tokens if token.type not in _BLANKS]
        result: list[Token] = []
        i = 0
        while i < len(tokens):
            token = tokens[i]
            if token.value == "defined":
                words = [t.value for t in tokens[i + 1 : i + 4]]
                parenthesised = len(words) == 3 and words[0] == "(" and words[2] == ")"
                if not words:
                    raise ValueError("'defined' needs a name after it.")
                token = Token(NUMBER, str(int(words[1 if parenthesised else 0] in self.macros)), token.position)
                i += 3 if parenthesised else 1
            result.append(token)
            i += 1
        return result

    def include(self, tokens: list[Token], original_line: list[Token]) -> Iterator[Token]:
        """Yield the tokens of an included file, none for a header that is already there."""
        place = tokens[0].position.place
        text = "".join(token.value for token in tokens)
        quoted = tokens[0].type == STRING
        name = text[1:-1] if quoted else text[1 : text.find(">")] if text.startswith("<") and ">" in text else ""
        base = name.replace("\\", "/").split("/")[-1].lower()
        if not base:
            self.problems.error("include-malformed", place, 'Write #include "name" or #include <name>.')
            return
        # A trace header is made by the WPP preprocessor in a real build; the lab has none and needs none.
        if name in self.include_once or base.endswith(".tmh") or (base in self.known and not quoted):
            return
        content = self.includes(name)
        if content is None:
            if base not in self.known:
                self.problems.error(
                    "include-not-found", place, "There is no file {name} to include.",
                    "The lab's own headers are always there; files of your own must be handed over with the source.", name=name,
                )  # fmt: skip
            return
        if self.include_depth > DEEPEST_INCLUDE:
            self.problems.error("include-too-deep", place, "{name} is included again and again.", name=name)
            return
        yield from self._file(Source(name, content))

    def on_error(self, file: str, line: int, msg: str) -> None:
        """Take over an error of pcpp."""
        place = line.place if isinstance(line, Position) else Place(file, int(line), 0)
        self.problems.error("preprocessor", place, "{message}.", message=" ".join(msg.split()))

    def on_directive_handle(self, directive: Token, toks: list[Token], ifpassthru: bool, precedingtoks: list[Token]) -> bool:
        """Refuse directives without the words pcpp takes for granted."""
        super().on_directive_handle(directive, toks, ifpassthru, precedingtoks)
        name = directive.value
        if name == "pragma" and not toks:
            raise OutputDirective(Action.IgnoreAndRemove)
        if (name in ("define", "undef", "ifdef", "ifndef") and (not toks or toks[0].type != WORD)) or (
            name in ("if", "elif", "include") and not toks
        ):
            self.problems.error("directive-incomplete", directive.position.place, "#{name} needs more than this.", name=name)
            raise OutputDirective(Action.IgnoreAndRemove)
        return True

    def on_directive_unknown(
        self, directive: Token, toks: list[Token], ifpassthru: bool, precedingtoks: list[Token]
    ) -> bool | None:
        """Let ``#pragma`` through, report ``#error`` and what nobody knows."""
        name, text, place = directive.value, "".join(token.value for token in toks), directive.position.place
        if name == "pragma":
            return None
        if name == "error":
            self.problems.error("error-directive", place, "#error {message}", message=text)
        elif name == "warning":
            self.problems.warning("warning-directive", place, "#warning {message}", message=text)
        elif name != "line":
            self.problems.error("directive-unknown", place, "There is no directive #{name}.", name=name)
        return True


def _without_blanks(tokens: Iterator[Token]) -> Iterator[Token]:
    at_line_start = True
    for token in tokens:
        if token.type == NEWLINE:
            at_line_start = True
        elif token.type not in _BLANKS:
            if at_line_start and token.value == "#":
                words = []
                for word in tokens:
                    if word.type == NEWLINE:
                        break
                    words.append(word.value)
                yield Token(PRAGMA, "".join(words).strip(), token.position)
                continue
            at_line_start = False
            yield token
