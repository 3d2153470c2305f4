"""The cache of the parsed headers: where the file lies and how records are written flat.

Records refer to each other in long chains and rings, which pickle would follow by recursion. So every record is a number in
the pickle, and the members come as one flat list. A file that cannot be read is made again; writing is atomic and optional.
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
_PROTOCOL = 5


def _places(beside: Path) -> Iterator[Path]:
    """Directories where the cache may lie: beside the headers, else in the user's cache directory."""
    yield beside / "__pycache__"
    base = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    with suppress(RuntimeError):
        yield (Path(base) if base else Path.home() / ".cache") / "wsklab"


def find(beside: Path, key: str) -> Path | None:
    """The cache file that was made for `key`, if there is one; a package can bring it, beside the headers themselves."""
    for directory in (beside, *_places(beside)):
        path = directory / _NAME
        with suppress(OSError), path.open("rb") as file:
            if file.read(len(key)) == key.encode():
                return path
    return None


def save(beside: Path, key: str, headers: Headers) -> None:
    """Write the cache file, to the first place that can be written; none is no error."""
    for directory in _places(beside):
        with suppress(OSError):
            directory.mkdir(parents=True, exist_ok=True)
            write(directory / _NAME, key, headers)
            return


def write(path: Path, key: str, headers: Headers) -> None:
    """Write a cache file in one step, so that nobody ever reads half of it. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(key.encode() + dump(headers))
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


class _Pickler(pickle.Pickler):
    """Writes numbers for records, and collects the records."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, _PROTOCOL)
        self.records: list[Record] = []
        self.numbers: dict[int, int] = {}

    def persistent_id(self, value: Any) -> Any:
        if not isinstance(value, Record):
            return None
        # A typedef name makes a copy of a record that shares its list of fields.
        number = self.numbers.get(id(value.fields))
        if number is None:
            number = self.numbers[id(value.fields)] = len(self.records)
            self.records.append(value)
        return number, value.alias


class _Unpickler(pickle.Unpickler):
    """Puts records in for their numbers."""

    def __init__(self, file: io.BytesIO, records: list[Record]) -> None:
        super().__init__(file)
        self._records = records
        self._aliases: dict[tuple[int, str | None], Record] = {}

    def persistent_load(self, key: Any) -> Record:
        record = self._aliases.get(key)
        if record is None:
            number, alias = key
            record = self._aliases[key] = self._records[number].named(alias) if alias else self._records[number]
        return record


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
    members: list[tuple[Any, ...]] = []
    # Writing the members of a record can meet further records, so one pickle after the other until none is new.
    parts = io.BytesIO()
    second = _Pickler(parts)
    second.records, second.numbers = pickler.records, pickler.numbers
    while len(members) < len(pickler.records):
        new = pickler.records[len(members) :]
        members += [(record.fields, record.members, record.layout) for record in new]
        second.dump(members[-len(new) :])
    shells = [(record.kind, record.tag) for record in pickler.records]
    return pickle.dumps((shells, parts.getvalue(), body.getvalue()), _PROTOCOL)


def load(path: Path, make: Callable[..., Headers]) -> Headers:
    """Read a cache file. Raises whatever a damaged file leads to."""
    data = path.read_bytes()[64:]
    shells, parts, body = pickle.loads(data)
    records = [Record(kind, tag) for kind, tag in shells]
    reader = _Unpickler(io.BytesIO(parts), records)
    done = 0
    while done < len(records):
        for fields, named, layout in reader.load():
            record = records[done]
            record.fields.extend(fields)
            record.members.update(named)
            record.layout.extend(layout)
            done += 1
    files, macros, constants, symbols, tags = _Unpickler(io.BytesIO(body), records).load()
    declarations = Declarations(Problems())
    scope = declarations.scopes[0]
    scope.tags.update(tags)
    for name, kind, ctype, place, storage, value, extra in symbols:
        scope.names[name] = Symbol(name, kind, ctype, Place(*place), storage, value, None, extra)
    return make(files, macros, constants, declarations)
