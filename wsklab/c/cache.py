"""The cache of the parsed headers: where the file lies and how records are written flat.

Records refer to each other in long chains and rings, which pickle would follow by recursion. So a record stands in the pickle
as its number, and the members follow as flat lists. A file that cannot be read is made again; writing is atomic and optional.
"""

from __future__ import annotations

import io
import os
import pickle
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wsklab.c.declare import Declarations, Symbol
from wsklab.c.source import Place, Problems
from wsklab.c.types import Record

if TYPE_CHECKING:
    from wsklab.c.headers import Headers

_NAME = "headers.pickle"
"""One file for all versions of Python: nothing in it depends on them."""


def _places(beside: Path) -> Iterator[Path]:
    """Directories where the cache may lie: beside the headers, else in the user's cache directory."""
    yield beside / "__pycache__"
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    with suppress(RuntimeError):
        yield (Path(base) if base else Path.home() / ".cache") / "wsklab"


def find(beside: Path, key: str) -> Path | None:
    """The cache file that was made for `key`, if there is one."""
    for directory in _places(beside):
        path = directory / _NAME
        with suppress(OSError), path.open("rb") as file:
            if file.read(len(key)) == key.encode():
                return path
    return None


def save(beside: Path, key: str, headers: Headers) -> None:
    """Write the cache file in one step, to the first place that can be written; none is no error."""
    data = key.encode() + dump(headers)
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
        return number, value.kind, value.tag, value.alias


class _Unpickler(pickle.Unpickler):
    """Puts records in for their numbers; the members come later."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file)
        self.records: dict[int, Record] = {}
        self._aliases: dict[Any, Record] = {}

    def persistent_load(self, key: Any) -> Record:
        if key not in self._aliases:
            number, kind, tag, alias = key
            record = self.records.setdefault(number, Record(kind, tag))
            self._aliases[key] = record.named(alias) if alias else record
        return self._aliases[key]


def dump(headers: Headers) -> bytes:
    """The headers as bytes."""
    scope = headers.declarations.scopes[0]
    symbols = [
        (s.name, s.kind, s.type, (s.place.file, s.place.line, s.place.column), s.storage, s.value, s.data)
        for s in scope.names.values()
    ]
    body = io.BytesIO()
    pickler = _Pickler(body)
    pickler.dump((headers.files, headers.macros, headers.constants, symbols, scope.tags))
    done = 0
    # Writing the members of a record can meet further records, so one list after the other until none is new.
    while new := pickler.records[done:]:
        pickler.dump([(record.fields, record.members, record.layout) for record in new])
        done += len(new)
    return body.getvalue()


def load(path: Path, make: Callable[..., Headers]) -> Headers:
    """Read a cache file. Raises whatever a damaged file leads to."""
    reader = _Unpickler(io.BytesIO(path.read_bytes()[64:]))
    files, macros, constants, symbols, tags = reader.load()
    done = 0
    while done < len(reader.records):
        for fields, members, layout in reader.load():
            record = reader.records[done]
            record.fields.extend(fields)
            record.members.update(members)
            record.layout.extend(layout)
            done += 1
    declarations = Declarations(Problems())
    scope = declarations.scopes[0]
    scope.tags.update(tags)
    for name, kind, ctype, place, storage, value, data in symbols:
        scope.names[name] = Symbol(name, kind, ctype, Place(*place), storage, value, None, data)
    return make(files, macros, constants, declarations)
