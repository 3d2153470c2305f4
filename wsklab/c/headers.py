"""The prelude: all headers of ``wsklab/include``, parsed once and cached.

Every unit sees them without asking. Python reads structures, constants and prototypes from the same parse, so a type is
written down in one place only. The cache holds macros as text and inline functions as tokens, so that loading costs little and
a unit pays only for what it uses. Records refer to each other in long chains and rings, which pickle would follow by recursion:
so a record stands in it as its number, and the members follow as flat lists. A cache that cannot be read is made again.
"""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import os
import pickle
import re
import struct
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pcpp
import pycparser
from pycparser import c_ast
from pycparser.c_lexer import Token as CToken

from wsklab.c.declare import Declarations
from wsklab.c.parse import Parser, deep_recursion
from wsklab.c.preprocess import Preprocessor, includes_from
from wsklab.c.source import Problems, Source
from wsklab.c.tokens import BLANK, Reader, tokenize
from wsklab.c.types import CType, Function, Record
from wsklab.c.unit import FunctionDefinition, Unit, parse_unit

INCLUDE = Path(__file__).resolve().parent.parent / "include"
_ALL = "all.h"
_NAME = "headers.pickle"


@dataclass(frozen=True)
class Export:
    """A kernel function that is written in C: defined in the headers with a comment and ``_IRQL_requires_max_`` before it."""

    name: str
    irql: int  # the highest at which it may be called
    lane: str  # of the pictures
    about: str  # the comment


_EXPORT = re.compile(r"/\*((?:(?!\*/).)*)\*/\s*_IRQL_requires_max_\((\w+)\)[^;{}()]*?\b(\w+)\([^;{}]*\)\s*\{", re.DOTALL)
_LANES = {"wdf": "framework", "wsk": "wsk"}
"""The lane of a file's functions by the beginning of its name, else io."""


class Headers:
    """Parsed headers.

    Attributes:
        files: their names in lower case.
        exports: the kernel functions that are written in C, by name.
        macros: definitions as text, by name.
        constants: enum constants and the macros without parameters that are integer constant expressions.
        declarations: all declared names; the parent of every unit's declarations.
        unit: the inline functions.
        words: kinds and texts of the tokens that the inline functions are kept as.
        tags, typedefs, prototypes: types by ``"struct NAME"``, by typedef name and by function name.
    """

    def __init__(
        self, directory: Path, files: frozenset[str], macros: dict[str, str], constants: dict[str, int],
        declarations: Declarations, exports: dict[str, Export], words: list[tuple[str, str]],
    ) -> None:  # fmt: skip
        self.exports, self.words = exports, words
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
                continue
            if not isinstance(symbol.type, Function):
                continue
            if isinstance(symbol.data, bytes):
                read, static = partial(self._inline, symbol.data), symbol.storage == "static"
                self.unit.functions[name] = FunctionDefinition(name, symbol.type, symbol.place, static, read)
            if name not in self.unit.functions or name in exports:
                self.prototypes[name] = symbol.type
        self.typedef_names = dict.fromkeys(self.typedefs, True)

    @functools.cache  # noqa: B019 - one Headers lives as long as the process
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

    def _inline(self, data: bytes) -> Any:
        """Parse an inline function out of its cached tokens."""
        problems, tokens = self.declarations.problems, _unpack(data, self.words)
        file = tokens[0].filename
        if file not in problems.sources and (source := self.source(file)):
            problems.sources[file] = source
        externals = Parser(problems, self.typedef_names).unit(tokens)
        problems.check()
        (external,) = externals
        return external.nodes[0]


@functools.cache
def headers() -> Headers:
    """The lab's own headers, from the cache if it is fresh."""
    texts = _texts(INCLUDE)
    key = _key(texts)
    # Whatever is wrong with a cache file, the headers are still there.
    with suppress(Exception):
        if cached := load_cache(INCLUDE, key):
            return cached
    built = read_headers(INCLUDE, texts)
    save_cache(INCLUDE, key, built)
    return built


@deep_recursion()
def read_headers(directory: Path, texts: dict[str, str] | None = None) -> Headers:
    """Parse all headers of a directory, beginning with its ``all.h``. Raises CompileError if a header is wrong."""
    texts = texts or _texts(directory)
    problems, source = Problems(), Source(_ALL, texts[_ALL])
    preprocessor = Preprocessor(problems, includes=includes_from(texts))
    declarations = Declarations(problems)
    externals, _ = parse_unit(source, problems, preprocessor, outlines=True)
    Unit(_ALL, source, declarations, problems).declare(externals)
    problems.check()
    symbols, words = declarations.scopes[0].names, dict[tuple[str, str], int]()
    for symbol in symbols.values():
        symbol.node = None  # the cache shall not hold trees
    for nodes, tokens in externals:
        if nodes and isinstance(nodes[0], c_ast.FuncDef):
            symbols[nodes[0].decl.name].data = _pack(tokens, words)
    macros = preprocessor.definitions()
    constants = {name: symbol.value for name, symbol in symbols.items() if symbol.value is not None}
    constants |= _macro_constants(macros, declarations)
    exports = {
        name: Export(name, constants[irql], _LANES.get(file[:3], "io"), " ".join(about.split()))
        for file, text in texts.items() for about, irql, name in _EXPORT.findall(text)
    }  # fmt: skip
    return Headers(directory, frozenset(name.lower() for name in texts), macros, constants, declarations, exports, list(words))


def _pack(tokens: Sequence[Any], words: dict[tuple[str, str], int]) -> bytes:
    """The tokens of a function: their file; then the numbers of all words, of lines since the token before, and of columns.

    Each kind of number by itself repeats so much that it packs well into the wheel for the browser.
    """
    numbers, lines, columns = [words.setdefault(("", tokens[0].filename), len(words))], [0], [0]
    line = column = 0
    for token in tokens:
        numbers.append(words.setdefault((token.type, token.value), len(words)))
        lines.append(token.lineno - line)
        columns.append(token.column - column)
        line, column = token.lineno, token.column + len(token.value)
    return struct.pack(f"<{len(lines)}H{2 * len(lines)}h", *numbers, *lines, *columns)


def _unpack(data: bytes, words: Sequence[tuple[str, str]]) -> list[CToken]:
    count = len(data) // 6
    numbers, tokens, line, column = struct.unpack(f"<{count}H{2 * count}h", data), [], 0, 0
    for number, down, right in zip(*(numbers[part + 1 : part + count] for part in (0, count, 2 * count)), strict=True):
        kind, text = words[number]
        line, column = line + down, column + right
        tokens.append(CToken(kind, text, line, column, words[numbers[0]][1]))
        column += len(text)
    return tokens


def _macro_constants(macros: dict[str, str], declarations: Declarations) -> dict[str, int]:
    """Values of the macros without parameters that are integer constant expressions."""
    typedefs = {name: True for name, symbol in declarations.scopes[0].names.items() if symbol.kind == "typedef"}
    constants: dict[str, int] = {}
    plain = [name for name, text in macros.items() if text[len(name) : len(name) + 1] != "("]
    expanded = Preprocessor(Problems(), macros).run(Source("<macros>", "\n".join(plain)))
    for line, tokens in itertools.groupby(expanded, lambda token: int(token.position)):
        own, name = Problems(), plain[line - 1]
        read = Reader(list(tokens), own).read()
        with suppress(ValueError):
            value = declarations.constant(Parser(own, typedefs).expression(read)) if not own.errors else None
            if value is not None:
                constants[name] = value
    return constants


def _texts(directory: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in sorted(directory.glob("*.[ch]"))}


def _key(texts: dict[str, str]) -> str:
    """What the cache depends on: the headers, this front end, pcpp and pycparser."""
    digest = hashlib.sha256(repr((pcpp.__version__, pycparser.__version__)).encode())
    for module in sorted(path for path in Path(__file__).parent.iterdir() if path.suffix in (".py", ".toml")):
        digest.update(module.read_bytes())
    for name, text in texts.items():
        digest.update(f"\0{name}\0{text}".encode())
    return digest.hexdigest()


# The cache


def _places(beside: Path) -> Iterator[Path]:
    """Directories where the cache may lie: beside the headers, else in the user's cache directory."""
    yield beside / "__pycache__"
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    with suppress(RuntimeError):
        yield (Path(base) if base else Path.home() / ".cache") / "wsklab"


def load_cache(beside: Path, key: str) -> Headers | None:
    """Read the cache file that was made for `key`, if there is one. Raises whatever a damaged file leads to."""
    for directory in _places(beside):
        with suppress(OSError), (directory / _NAME).open("rb") as file:
            if file.read(len(key)) == key.encode():
                return _load(file.read(), beside)
    return None


def save_cache(beside: Path, key: str, headers: Headers) -> None:
    """Write the cache file in one step, to the first place that can be written; none is no error."""
    data = key.encode() + _dump(headers)
    for directory in _places(beside):
        with suppress(OSError):
            directory.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=directory, prefix=_NAME, delete=False) as file:
                file.write(data)
            os.replace(file.name, directory / _NAME)
            return


class _Pickler(pickle.Pickler):
    """Writes a number for each record, and collects the records. A typedef name's copy shares the list of fields."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, 5)
        self.records: list[Record] = []
        self.numbers: dict[int, int] = {}

    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, Record):
            return None
        number = self.numbers.setdefault(id(value.fields), len(self.records))
        if number == len(self.records):
            self.records.append(value)
        return number, value.kind, value.tag, value.alias, value.const


class _Unpickler(pickle.Unpickler):
    """Puts records in for their numbers; the members come later."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.records: dict[int, Record] = {}
        self._aliases: dict[Any, Record] = {}

    def persistent_load(self, key: Any) -> Record:
        if key not in self._aliases:
            number, kind, tag, alias, const = key
            record = self.records.setdefault(number, Record(kind, tag))
            self._aliases[key] = replace(record, alias=alias, const=const) if alias or const else record
        return self._aliases[key]


def _dump(headers: Headers) -> bytes:
    """The headers as bytes."""
    body = io.BytesIO()
    pickler = _Pickler(body)
    pickler.dump(
        (headers.files, headers.macros, headers.constants, headers.exports, headers.words, headers.declarations.scopes[0])
    )
    done = 0
    # Writing the members of a record can meet further records, so one list after the other until none is new.
    while new := pickler.records[done:]:
        pickler.dump([(record.fields, record.members, record.layout) for record in new])
        done += len(new)
    return body.getvalue()


def _load(data: bytes, directory: Path) -> Headers:
    reader = _Unpickler(io.BytesIO(data))
    files, macros, constants, exports, words, scope = reader.load()
    done = 0
    while done < len(reader.records):
        for fields, members, layout in reader.load():
            record = reader.records[done]
            record.fields.extend(fields)
            record.members.update(members)
            record.layout.extend(layout)
            done += 1
    declarations = Declarations(Problems())
    declarations.scopes = [scope]
    return Headers(directory, files, macros, constants, declarations, exports, words)
