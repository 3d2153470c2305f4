"""The prelude: all headers of ``wsklab/include``, parsed once and cached.

Every unit sees them without asking. Python reads structures, constants and prototypes from the same parse, so a type is
written down in one place only. The cache holds records flat (they refer to each other in long chains), macros as text and
inline functions as tokens, so that loading costs little and a unit pays only for what it uses.
"""

from __future__ import annotations

import functools
import hashlib
import pickle
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pcpp
import pycparser
from pycparser import c_ast
from pycparser.c_lexer import Token as CToken

from wsklab.c import cache
from wsklab.c.declare import Declarations
from wsklab.c.parse import Parser, deep_recursion
from wsklab.c.preprocess import Preprocessor, includes_from
from wsklab.c.reader import Reader
from wsklab.c.source import Problems, Source
from wsklab.c.tokens import BLANK, tokenize
from wsklab.c.types import CType, Function, Record
from wsklab.c.unit import FunctionDefinition, Unit, parse_unit

INCLUDE = Path(__file__).resolve().parent.parent / "include"
_ALL = "all.h"


class Headers:
    """Parsed headers.

    Attributes:
        files: their names in lower case.
        macros: definitions as text, by name.
        constants: enum constants and the macros without parameters that are integer constant expressions.
        declarations: all declared names; the parent of every unit's declarations.
        unit: the inline functions.
        tags, typedefs, prototypes: types by ``"struct NAME"``, by typedef name and by function name.
    """

    def __init__(
        self,
        directory: Path,
        files: frozenset[str],
        macros: dict[str, str],
        constants: dict[str, int],
        declarations: Declarations,
    ) -> None:
        self.directory, self.files, self.macros, self.constants = directory, files, macros, constants
        self.declarations = declarations
        self.unit = Unit(_ALL, Source(_ALL, ""), declarations, declarations.problems)
        scope = declarations.scopes[0]
        self.tags: dict[str, CType] = scope.tags
        self.typedefs: dict[str, CType] = {}
        self.prototypes: dict[str, Function] = {}
        for name, symbol in scope.names.items():
            if symbol.kind == "typedef":
                self.typedefs[name] = symbol.type
            elif not isinstance(symbol.type, Function):
                continue
            elif isinstance(symbol.data, bytes):
                read, static = partial(self._inline, symbol.place.file, symbol.data), symbol.storage == "static"
                self.unit.functions[name] = FunctionDefinition(name, symbol.type, symbol.place, static, True, read)
            else:
                self.prototypes[name] = symbol.type
        self.typedef_names = dict.fromkeys(self.typedefs, True)

    def record(self, name: str) -> Record:
        """A struct or union by typedef name or tag. Raises KeyError if there is none."""
        record = self.declarations.record(name)
        if record is None:
            raise KeyError(name)
        return record

    @functools.cache  # noqa: B019 - one Headers lives as long as the process
    def type(self, text: str) -> CType:
        """The type that a C type name means, as ``type("PWSK_SOCKET")`` or ``type("ULONG *")``. Raises ValueError if none."""
        problems = Problems()
        tokens = Reader([token for token in tokenize(text, "<type>") if token.type != BLANK], problems).read()
        return self.declarations.type_of(Parser(problems, self.typedef_names).type_name(tokens))

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


@functools.cache
def headers() -> Headers:
    """The lab's own headers, from the cache if it is fresh."""
    texts = _texts(INCLUDE)
    key = _key(texts)
    path = cache.find(INCLUDE, key)
    # Whatever is wrong with a cache file, the headers are still there.
    with suppress(Exception):
        if path is not None:
            return cache.load(path, partial(Headers, INCLUDE))
    with deep_recursion():
        built = read_headers(INCLUDE, texts)
    cache.save(INCLUDE, key, built)
    return built


def read_headers(directory: Path, texts: dict[str, str] | None = None) -> Headers:
    """Parse all headers of a directory, beginning with its ``all.h``. Raises CompileError if a header is wrong."""
    texts = texts or _texts(directory)
    problems, source = Problems(), Source(_ALL, texts[_ALL])
    preprocessor = Preprocessor(problems, includes=includes_from(texts))
    externals, _ = parse_unit(source, problems, preprocessor)
    declarations = Declarations(problems)
    Unit(_ALL, source, declarations, problems).declare(externals)
    problems.check()
    symbols = declarations.scopes[0].names
    for nodes, tokens in externals:
        if nodes and isinstance(nodes[0], c_ast.FuncDef):
            values = [(t.type, t.value, t.lineno, t.column, t.filename) for t in tokens]
            symbols[nodes[0].decl.name].data = pickle.dumps(values, 5)
    macros = preprocessor.definitions()
    constants = {name: symbol.value for name, symbol in symbols.items() if symbol.value is not None}
    constants |= _macro_constants(macros, declarations)
    return Headers(directory, frozenset(name.lower() for name in texts), macros, constants, declarations)


def _macro_constants(macros: dict[str, str], declarations: Declarations) -> dict[str, int]:
    """Values of the macros without parameters that are integer constant expressions."""
    typedefs = {name: True for name, symbol in declarations.scopes[0].names.items() if symbol.kind == "typedef"}
    constants: dict[str, int] = {}
    preprocessor = Preprocessor(Problems(), macros)
    for name, text in macros.items():
        own = Problems()
        plain = text[len(name) : len(name) + 1] != "("
        tokens = Reader(preprocessor.run(Source("<macro>", name)), own).read() if plain else []
        with suppress(ValueError):
            value = declarations.constant(Parser(own, typedefs).expression(tokens)) if tokens and not own.errors else None
            if value is not None:
                constants[name] = value
    return constants


def _texts(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(directory.glob("*.h"))}


def _key(texts: dict[str, str]) -> str:
    """What the cache depends on: the headers, this front end, pcpp and pycparser."""
    digest = hashlib.sha256(repr((pcpp.__version__, pycparser.__version__)).encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(module.read_bytes())
    for name, text in texts.items():
        digest.update(f"\0{name}\0{text}".encode())
    return digest.hexdigest()
