"""One translation unit: from its text to declared names and checked bodies.

`compile_unit` runs the phases up to the typed check; what is emitted depends on the other units (which functions can wait),
so emission happens in `link`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import CodeType
from typing import TYPE_CHECKING, Any

from pycparser import c_ast

from wsklab.c.declare import Declarations, Symbol
from wsklab.c.parse import External, Parser, deep_recursion
from wsklab.c.preprocess import IncludesFrom, Preprocessor, includes_from
from wsklab.c.source import CompileError, Place, Problem, Problems, Source
from wsklab.c.tokens import Reader
from wsklab.c.types import INT, UNKNOWN, CType, Function, Record, has_size

if TYPE_CHECKING:
    from wsklab.c.check import CheckedFunction
    from wsklab.c.headers import Headers

LONGEST_TEXT = 2_000_000
"""A text of more characters than this is refused."""


@dataclass
class FunctionDefinition:
    """A function with a body. `read` gives its tree; the headers' inline functions are parsed by it when asked for."""

    name: str
    type: Function
    place: Place
    static: bool
    read: Callable[[], Any] = field(repr=False)

    @cached_property
    def node(self) -> Any:
        """The function's ``FuncDef``."""
        return self.read()


@dataclass
class Unit:
    """A translation unit.

    `gaps` are the places of its ``...``; `headers_unit` holds the inline functions that this unit may use. From the typed check
    come `checked`, the functions, and `statics`, all variables, both by their names in the image, and `initialise`, the static
    initialisers; `code` is kept by the linker.
    """

    name: str
    source: Source
    declarations: Declarations
    problems: Problems
    functions: dict[str, FunctionDefinition] = field(default_factory=dict)
    variables: dict[str, Symbol] = field(default_factory=dict)
    gaps: list[Place] = field(default_factory=list)
    headers_unit: Unit | None = None
    checked: dict[str, CheckedFunction] = field(default_factory=dict)
    statics: dict[str, Symbol] = field(default_factory=dict)
    initialise: list[CheckedFunction] = field(default_factory=list)
    code: dict[Any, CodeType] = field(default_factory=dict)

    @property
    def lines(self) -> dict[str, list[str]]:
        """The lines of its file and of what that includes of its author's own, by file name."""
        return {name: source.lines for name, source in self.problems.sources.items()}

    @property
    def warnings(self) -> list[Problem]:
        """What was found suspicious."""
        return self.problems.warnings

    def declare(self, externals: Iterable[External]) -> None:
        """Enter parsed declarations."""
        for node in (node for external in externals for node in external.nodes):
            if isinstance(node, c_ast.FuncDef):
                self._function(node)
            elif isinstance(node, (c_ast.Decl, c_ast.Typedef, c_ast.StaticAssert)):
                symbol = self.declarations.declare(node)
                if symbol is not None and symbol.kind == "object":
                    self.variables[symbol.name] = symbol

    def _function(self, node: Any) -> None:
        if node.param_decls is not None and isinstance(node.decl.type, c_ast.FuncDecl):
            # As before C89, the types stand behind the names.
            types = {declared.name: declared for declared in node.param_decls}
            arguments = node.decl.type.args
            arguments.params = [types.get(getattr(name, "name", ""), name) for name in arguments.params]
        symbol = self.declarations.declare(node.decl)
        if symbol is None or not isinstance(symbol.type, Function):
            return
        symbol.type = replace(symbol.type, unprototyped=False)
        name = symbol.name
        if name in self.functions:
            first, text = self.functions[name].place, "{name} is already defined in line {line} of {file}."
            self.problems.error("defined-twice", node, text, name=name, line=first.line, file=first.file)
            return
        if not isinstance(node.decl.type, c_ast.FuncDecl):
            text = "{name} takes its type from a typedef: a definition must write its parameters."
            self.problems.error("no-parameters", node, text, name=name)
            return
        ctype, static = self._definable(node, symbol.type, name), symbol.storage == "static"
        self.functions[name] = FunctionDefinition(name, ctype, symbol.place, static, lambda: node)

    def _definable(self, node: Any, ctype: Function, name: str) -> Function:
        """The type with which a function can have a body: parameters have names, and all that goes in or out has a size."""
        arguments, parameters = node.decl.type.args, []
        for parameter, where in zip(ctype.parameters, arguments.params if arguments else (), strict=False):
            if not parameter.name:
                self.problems.error("parameter-without-name", where, "A parameter of {name} has no name.", name=name)
            if not has_size(parameter.type):
                text = "{parameter} cannot be {type}: it has no size."
                self.problems.error("no-size", where, text, parameter=parameter.name, type=parameter.type)
                parameter = replace(parameter, type=INT)
            parameters.append(parameter)
        returns: CType = ctype.returns
        if isinstance(returns, Record) and not returns.complete:
            self.problems.error("no-size", node, "{name} cannot return {type}: it has no size.", name=name, type=returns)
            returns = INT
        return replace(ctype, parameters=tuple(parameters), returns=returns)


def parse_unit(
    source: Source, problems: Problems, preprocessor: Preprocessor, typedefs: Mapping[str, bool] | None = None,
    *, outlines: bool = False,
) -> tuple[list[External], Parser]:  # fmt: skip
    """The external declarations of one source, and what read them. Raises CompileError if the text is not C.

    With `outlines`, the bodies of functions are passed over.
    """
    problems.sources[source.name] = source
    if len(source.text) > LONGEST_TEXT:
        text = "A text of more than {most} characters is not compiled."
        problems.error("text-too-long", Place(source.name, 1, 0), text, most=LONGEST_TEXT)
        problems.check()
    tokens = Reader(preprocessor.run(source), problems).read()
    parser = Parser(problems, typedefs)
    parser.outlines = outlines
    return parser.unit(tokens), parser


def compile_unit(
    text: str, name: str = "listing.c", headers: Headers | None = None, includes: IncludesFrom = None,
    left_out: Collection[str] = (), defines: Mapping[str, str] | None = None,
) -> Unit:  # fmt: skip
    """Compile one C text up to checked functions.

    Args:
        text: the C source; the lab's headers are in scope whether it includes them or not.
        name: its file name, for places.
        headers: the prelude, by default the lab's own.
        includes: finds the files of ``#include "…"``: a mapping of names to texts, a tuple of folders, or a function.
        left_out: ids of problems that are none, because the text is a part of a page (`wsklab.c.source.LEFT_OUT`).
        defines: macros that exist beforehand, name to text.

    Raises:
        CompileError: with all problems found in one pass.
    """
    from wsklab.c.check import check_unit
    from wsklab.c.headers import headers as own_headers

    prelude = headers or own_headers()
    problems, source, whole = Problems(left_out), Source(name, text), None
    macros = prelude.macros | {name: f"{name} {value}" for name, value in (defines or {}).items()}
    preprocessor = Preprocessor(problems, macros, prelude.files, includes_from(includes))
    with deep_recursion():
        try:
            externals, parser = parse_unit(source, problems, preprocessor, prelude.typedef_names)
            around = Declarations(Problems(), prelude.declarations)
            for assumed, place in parser.assumed.items():
                around.enter(Symbol(assumed, "typedef", UNKNOWN, place))
            declarations = Declarations(problems, around)
            unit = Unit(name, source, declarations, problems, gaps=parser.gaps, headers_unit=prelude.unit)
            nodes = (node for external in externals for node in external.nodes)
            declarations.defined = {node.decl.name for node in nodes if isinstance(node, c_ast.FuncDef)}
            unit.declare(externals)
            check_unit(unit)
            for one, other in itertools.combinations(problems.assumed, 2):
                if one.lower() == other.lower() and not one.isupper() and not other.isupper():
                    text = "{name} differs only in capitals from {other} in line {line}."
                    line = problems.assumed[one].line
                    problems.warning("capitals", problems.assumed[other], text, name=other, other=one, line=line)
            whole = unit
        except RecursionError:
            problems.error("nested-too-deeply", Place(name, 1, 0), "The expressions of this text are nested too deeply.")
    problems.check(whole)
    return unit


def compile_all(tasks: Iterable[Callable[[], Unit]]) -> list[Unit]:
    """The units that several tasks compile. Raises one CompileError with the problems of all files, and of linking them."""
    units: list[Any] = []
    wrong: list[Problem] = []
    for task in tasks:
        try:
            units.append(task())
        except CompileError as error:
            wrong += error.problems
            units.append(error.unit)
    if wrong and len(units) > 1 and None not in units:
        from wsklab.c.link import unresolved

        wrong += unresolved(units)
    if wrong:
        raise CompileError(wrong)
    return units
