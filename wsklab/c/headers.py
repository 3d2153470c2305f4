"""The prelude: all headers of ``wsklab/include``, parsed once and cached.

Every unit sees them without asking. Python reads structures, constants and prototypes from the same parse, so a type is
written down in one place only. The cache holds records flat (they refer to each other in long chains), macros as text and
inline functions as tokens, so that loading costs little and a unit pays only for what it uses.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pcpp
import pycparser
from pycparser.c_lexer import Token as CToken

from wsklab.c import cache
from wsklab.c.declare import Declarations
from wsklab.c.parse import External, Parser, deep_recursion
from wsklab.c.preprocess import Preprocessor, includes_from
from wsklab.c.reader import Reader
from wsklab.c.source import Problems, Source
from wsklab.c.tokens import tokenize
from wsklab.c.types import CType, Function, Record
from wsklab.c.unit import FunctionDefinition, Unit, if_evaluator, parse_unit

INCLUDE = Path(__file__).resolve().parent.parent / "include"
_ALL = "all.h"
_PHASES = [
    "tokens",
    "preprocess",
    "reader",
    "parse",
    "gaps",
    "constant",
    "declare",
    "records",
    "types",
    "unit",
    "headers",
    "cache",
]


class Headers:
    """Parsed headers.

    Attributes:
        files: their names in lower case.
        macros: definitions as text, by name.
        constants: enum constants and the macros without parameters that are integer constant expressions.
        declarations: all declared names; the parent of every unit's declarations.
        unit: the inline functions.
    """

    def __init__(
        self,
        directory: Path,
        files: frozenset[str],
        macros: dict[str, str],
        constants: dict[str, int],
        declarations: Declarations,
    ) -> None:
        """Put the parts together; see the attributes."""
        self.directory = directory
        self.files = files
        self.macros = macros
        self.constants = constants
        self.declarations = declarations
        self.unit = Unit(_ALL, Source(_ALL, ""), declarations, declarations.problems)
        scope = declarations.scopes[0]
        self.tags: dict[str, CType] = scope.tags
        self.typedefs: dict[str, CType] = {}
        self.prototypes: dict[str, Function] = {}
        for name, symbol in scope.names.items():
            if symbol.kind == "typedef":
                self.typedefs[name] = symbol.type
            elif isinstance(symbol.type, Function) and symbol.kind == "function" and isinstance(symbol.data, bytes):
                read = partial(self._inline, symbol.place.file, symbol.data)
                static = symbol.storage == "static"
                self.unit.functions[name] = FunctionDefinition(name, symbol.type, symbol.place, static, True, read)
            elif isinstance(symbol.type, Function):
                self.prototypes[name] = symbol.type
        self.typedef_names = dict.fromkeys(self.typedefs, True)

    def record(self, name: str) -> Record:
        """A struct or union by typedef name or tag.

        Raises:
            KeyError: there is none.
        """
        record = self.declarations.record(name)
        if record is None:
            raise KeyError(name)
        return record

    @functools.cache  # noqa: B019 - one Headers lives as long as the process
    def type(self, text: str) -> CType:
        """The type that a C type name means, as ``type("PWSK_SOCKET")`` or ``type("ULONG *")``.

        Raises:
            ValueError: it is no type name.
        """
        problems = Problems()
        tokens = Reader(list(_words(text)), problems).read()
        node = Parser(problems, self.typedef_names).type_name(tokens)
        return self.declarations.type_of(node)

    def source(self, file: str) -> Source | None:
        """The text of one header, for showing a line of it."""
        path = self.directory / file
        return Source(file, path.read_text("utf-8")) if path.is_file() else None

    def _inline(self, file: str, data: bytes) -> Any:
        """Parse an inline function out of its cached tokens."""
        problems = self.declarations.problems
        if file not in problems.sources and (source := self.source(file)):
            problems.sources[file] = source
        tokens = [CToken(*values) for values in pickle.loads(data)]
        (external,) = Parser(problems, self.typedef_names).unit(tokens)
        return external.nodes[0]


def _words(text: str) -> Any:
    return (token for token in tokenize(text, "<type>") if token.type != "CPP_WS")


@functools.cache
def headers() -> Headers:
    """The lab's own headers, from the cache if it is fresh."""
    texts = _texts(INCLUDE)
    key = _key(texts)
    path = cache.find(INCLUDE, key)
    if path is not None:
        try:
            return cache.load(path, partial(Headers, INCLUDE))
        except Exception:  # noqa: BLE001 - whatever is wrong with a cache file, the headers are still there
            pass
    with deep_recursion():
        built = read_headers(INCLUDE, texts)
    cache.save(INCLUDE, key, built)
    return built


def write_cache(directory: Path = INCLUDE) -> Path:
    """Write the cache beside the headers in `directory` (a copy of the package's), for a package that brings it along.

    Returns:
        The file; it serves every version of Python.
    """
    path = directory / "headers.pickle"
    cache.write(path, _key(_texts(directory)), read_headers(directory))
    return path


def read_headers(directory: Path, texts: dict[str, str] | None = None) -> Headers:
    """Parse all headers of a directory, beginning with its ``all.h``.

    Raises:
        CompileError: a header is wrong.
    """
    texts = texts or _texts(directory)
    problems = Problems()
    preprocessor = Preprocessor(problems, if_evaluator(problems), includes=includes_from(texts))
    externals, _ = parse_unit(Source(_ALL, texts[_ALL]), problems, preprocessor)
    declarations = Declarations(problems)
    unit = Unit(_ALL, Source(_ALL, texts[_ALL]), declarations, problems)
    bodies: dict[str, bytes] = {}
    unit.declare(externals, partial(_keep_tokens, bodies))
    problems.check()
    for name, data in bodies.items():
        declarations.scopes[0].names[name].data = data
    macros = preprocessor.definitions()
    constants = {name: s.value for name, s in declarations.scopes[0].names.items() if s.value is not None}
    constants |= _macro_constants(macros, declarations)
    files = frozenset(name.lower() for name in texts)
    return Headers(directory, files, macros, constants, declarations)


def _keep_tokens(bodies: dict[str, bytes], external: External) -> Callable[[], Any]:
    node = external.nodes[0]
    values = [(t.type, t.value, t.lineno, t.column, t.filename) for t in external.tokens]
    bodies[node.decl.name] = pickle.dumps(values, 5)
    return lambda: node


def _macro_constants(macros: dict[str, str], declarations: Declarations) -> dict[str, int]:
    """Values of the macros without parameters that are integer constant expressions."""
    typedefs = {name: True for name, symbol in declarations.scopes[0].names.items() if symbol.kind == "typedef"}
    constants: dict[str, int] = {}
    problems = Problems()
    preprocessor = Preprocessor(problems, if_evaluator(problems), macros)
    for name, text in macros.items():
        if text[len(name) : len(name) + 1] == "(":
            continue
        own = Problems()
        tokens = Reader(preprocessor.run(Source("<macro>", name)), own).read()
        try:
            value = declarations.constant(Parser(own, typedefs).expression(tokens)) if tokens and not own.errors else None
        except ValueError:
            continue
        if value is not None:
            constants[name] = value
    return constants


def _texts(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(directory.glob("*.h"))}


def _key(texts: dict[str, str]) -> str:
    """What the cache depends on: the headers, this front end, pcpp and pycparser."""
    digest = hashlib.sha256(repr((pcpp.__version__, pycparser.__version__)).encode())
    for module in _PHASES:
        with suppress(OSError):
            digest.update(Path(__file__).with_name(module + ".py").read_bytes())
    for name, text in texts.items():
        digest.update(f"\0{name}\0{text}".encode())
    return digest.hexdigest()
