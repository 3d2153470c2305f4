"""The C around a listing: declarations of the names that it leaves to its reader, and the code that gives them values.

`Scene.before` stands before the listing, `Scene.after` behind it, followed by ``scene.c``, the driver that all scenes share. What
has which value is told by ``supply.toml``, by type; nothing here knows any listing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from wsklab.c.headers import INCLUDE, headers
from wsklab.c.types import UNKNOWN, Array, CType, Function, Int, Pointer, Record, Void, compatible
from wsklab.c.unit import Unit
from wsklab.tryout.infer import Inference, Thing

_DEEPEST = 8  # structures that lead to structures, two for each
_INFO = re.compile(r"_WDF_(\w+)_TYPE_INFO")
_ROLE = re.compile(r"EVT_WDF|DRIVER_|PFN_WSK_\w+_EVENT|IO_COMPLETION")
_NO_WORDS = ("WDF", "WSK", "EVT", "EVENT", "IO", "QUEUE")
# A function ends what stands without one around it.
_STARTS = 'static VOID SceneStarts(VOID)\n{\n}\n#include "scene.h"'


@cache
def tables() -> dict[str, Any]:
    """``supply.toml``."""
    return tomllib.loads((Path(__file__).with_name("supply.toml")).read_text("utf-8"))


@cache
def scene_driver() -> str:
    """``scene.c``."""
    return (INCLUDE / "scene.c").read_text("utf-8")


def chosen(table: str | dict[str, str], *words: str) -> str:
    """The value of the first pattern that is found in one of the words; a table may be one value for all."""
    if isinstance(table, str):
        return table
    return next((value for pattern, value in table.items() if any(re.search(pattern, word) for word in words or [""])), "")


def is_accessor(text: str, name: str) -> bool:
    """Whether a function is what the declaration of a context type made."""
    return name.startswith("WdfObjectGet_") or bool(re.search(rf"WDF_DECLARE_\w*CONTEXT_TYPE\w*\([^)]*\b{name}\b", text))


def _function(ctype: CType | None) -> Function | None:
    to = ctype.to if isinstance(ctype, Pointer) else None
    return to if isinstance(to, Function) else None


def _guess(name: str) -> CType:
    return headers().type(chosen(tables()["types"], name))


class Scene:
    """What surrounds a listing.

    `supplied` tells by name what the reader would have to declare, `given` what variables of the listing the scene gives a value,
    `roles` the listing's functions that the framework calls, and `calls` the function of ``after`` that calls each of the others.
    """

    def __init__(self, unit: Unit, text: str) -> None:
        self.unit, self.text = unit, text
        self.things = Inference(unit)
        bodies = [body.references for body in (*unit.checked.values(), *unit.initialise)]
        self._named = {name for references in bodies for name in (*references.addresses, *references.calls)}
        self.supplied: dict[str, str] = {}
        self.given: dict[str, str] = {}
        self.roles: dict[str, str] = {}
        self.calls: dict[str, str] = {}
        self._contexts: dict[str, CType] = {}
        self._supply: list[str] = []
        self._late: list[str] = []
        for name, thing in self.things.types.items():
            ctype = self.things.type_of(thing, headers().type("PVOID"))
            self.supplied[name] = f"typedef {self.spelled(ctype, name)};"
        types = len(self.supplied)
        for name, thing in self.things.free.items():
            self._free(name, thing)
        self._unset()
        self._undefined()
        self._declared_contexts()
        self._roles()
        forward = [f"struct {name};" for name in sorted(self._own_tags() | {made.tag for made in self.things.records.values()})]
        declared = list(self.supplied.values())
        self.before = "\n".join([*forward, *declared[:types], *self._bodies(), *declared[types:], ""])
        self.after = "\n".join([_STARTS, *self._code(), '#include "scene.c"', *self._callers()])

    # Types

    def spelled(self, ctype: CType, name: str) -> str:
        """A declaration of `name` with a type, as one before the listing can have it."""
        if ctype.alias and ctype.alias in headers().typedefs:
            return f"{ctype.alias} {name}"
        if isinstance(ctype, Array):
            return self.spelled(ctype.of, f"{name}[{ctype.count or 16}]")
        if isinstance(ctype, Pointer):
            return self.spelled(ctype.to, f"(*{name})" if isinstance(ctype.to, Function) else f"*{name}")
        if isinstance(ctype, Function):
            parameters = ", ".join(self.spelled(each.type, f"a{number}") for number, each in enumerate(ctype.parameters, 1))
            return self.spelled(ctype.returns, f"{name}({parameters or ('...' if ctype.varargs else 'VOID')})")
        unnamed = isinstance(ctype, Record) and not ctype.tag
        return f"{'VOID' if unnamed else headers().declarations.typedef_of(ctype.spelled())} {name}"

    def _own_tags(self) -> set[str]:
        """The structures of the listing, so that pointers to them can be declared before it."""
        return {key.removeprefix("struct ") for key in self.unit.declarations.scopes[0].tags if re.match(r"struct \w", key)}

    def _bodies(self) -> Iterator[str]:
        """The structures that only their members are known of, each after those that are its members."""
        done: set[int] = set()

        def body(record: Record) -> Iterator[str]:
            if id(record.fields) in done:
                return
            done.add(id(record.fields))
            for field in record.fields:
                if isinstance(field.type, Record) and field.type in self.things.records.values():
                    yield from body(field.type)
            members = "\n".join(f"    {self.spelled(field.type, field.name)};" for field in record.fields)
            yield f"struct {record.tag} {{\n{members}\n}};"

        for record in list(self.things.records.values()):
            yield from body(record)

    # Values

    def fill(self, ctype: CType, place: str, uses: set[str], depth: int = 0) -> Iterator[str]:
        """Statements that give a place of this type a value; `uses` are the functions that it is an argument of."""
        name = re.split(r"\W+", place.rstrip(")"))[-1]
        if isinstance(ctype, Record):
            made = tables()["records"].get(ctype.alias or headers().declarations.typedef_of(ctype.spelled()))
            if made is not None and (statement := chosen(made, *uses)):
                yield f"    {statement.format(name=place)};"
            for field in ctype.fields if made is None and depth < _DEEPEST and self._is_own(ctype) else ():
                if field.name and field.bit_width is None:
                    yield from self.fill(field.type, f"{place}.{field.name}", self.things.uses(ctype, field.name), depth + 1)
        elif (value := self._value(ctype, name, uses)) is not None:
            yield f"    {place} = {value};"
        elif isinstance(ctype, Pointer):
            yield f"    {place} = {chosen(tables()['addresses'], *uses).format(place=place)};"
            yield from self.fill(ctype.to, f"(*{place})", uses, depth + 1) if depth < _DEEPEST else ()

    def _is_own(self, record: Record) -> bool:
        return record in self.things.records.values() or bool(record.place and record.place[0] == self.unit.name)

    def _value(self, ctype: CType, name: str, uses: set[str]) -> str | None:
        """An expression of this type, which the page calls `name`; None for a structure's address and for an array."""
        table = tables()["values"].get(ctype.alias)
        if table is None and isinstance(ctype, Pointer) and not isinstance(ctype.to, Void | Int):
            types = tables()["values"].items()
            table = next((each for name, each in types if compatible(headers().type(name), ctype, exact=True)), None)
        if table is not None:
            return chosen(table, *sorted(uses), name)
        if isinstance(ctype, Pointer) and isinstance(ctype.to, Record) and ctype.to.complete:
            return None
        if isinstance(ctype, Pointer):
            if isinstance(ctype.to, Function):
                return "(PVOID)SceneNothing"
            handle = isinstance(ctype.to, Record) and ctype.to.tag.startswith("WDF")
            wide = isinstance(ctype.to, Int) and ctype.to.bytes == 2
            return "NULL" if handle else "SceneName()->Buffer" if wide else "SceneAllocate(4096)"
        return chosen(tables()["numbers"], name) if isinstance(ctype, Int) else None

    # Free names

    def _free(self, name: str, thing: Thing) -> None:
        me = thing.find()
        if info := _INFO.fullmatch(name):
            self._context(info[1], f"SceneGet_{info[1]}", Thing())
        elif me.called:
            self._helper(name, me)
        elif (function := _function(me.best)) is not None and name not in self.things.assigned:
            self._callback(name, function)
        elif (
            (name.isupper() or name in self.things.cases) and name not in self.things.assigned and not isinstance(me.best, Record)
        ):
            self.supplied[name] = f"#define {name} {self._constant(name, me.best)}"
        else:
            ctype = self.things.type_of(thing, _guess(name))
            self.supplied[name] = f"{self.spelled(ctype, name)};"
            self._supply += self.fill(ctype, name, me.uses)

    def _unset(self) -> None:
        """The variables that statements without a function declare, and use without giving them a value."""
        statements = any("·" in name for name in self.unit.functions)
        for name, symbol in self.unit.variables.items() if statements else ():
            if symbol.node.init is None and name not in self.things.assigned:
                thing = self.things.locals[""][name].find()
                ctype = self.things.type_of(thing, symbol.type)
                self.given[name] = f"{self.spelled(ctype, name)};"
                self._supply += self.fill(ctype, name, thing.uses)

    def _constant(self, name: str, known: CType | None) -> str:
        if isinstance(known, Pointer) and isinstance(known.to, Int):
            return 'L"\\\\Device\\\\remote"' if known.to.bytes == 2 else f'"{name}"'
        if isinstance(known, Pointer):
            return self._value(known, name, set()) or "NULL"
        return chosen(tables()["constants"], name).format(number=len(self.supplied))

    def _undefined(self) -> None:
        """The functions that the listing declares, and names, but leaves out."""
        for name in sorted(self._named - set(self.unit.functions)):
            symbol = self.unit.declarations.scopes[0].names.get(name)
            if symbol is not None and isinstance(symbol.type, Function):
                self._callback(name, symbol.type)
                del self.supplied[name]

    def _callback(self, name: str, ctype: Function) -> None:
        """A callback of the reader's: it does nothing, and what it returns is no failure."""
        self.supplied[name] = f"{self.spelled(replace(ctype, alias=None), name)};"
        completes = compatible(ctype, headers().typedefs["IO_COMPLETION_ROUTINE"], exact=True)
        self._define(name, "return SceneIrpCompleted(a2);" if completes else "", ctype.returns)

    def _helper(self, name: str, me: Thing) -> None:
        """A function of the reader's: it gets a context, or it succeeds and leaves no argument without a value."""
        assert me.called
        arguments, result = me.called
        handle = arguments[0].best if len(arguments) == 1 else None
        tag = handle.to.tag if isinstance(handle, Pointer) and isinstance(handle.to, Record) else str(handle)
        returns = self.things.type_of(result, _guess(""))
        if tag.startswith("WDF") and isinstance(returns, Pointer) and isinstance(returns.to, Record):
            self._context(returns.to.alias or returns.to.tag.removeprefix("_"), name, result)
            return
        given = [(number, each) for number, each in enumerate(arguments, 1) if each.find().blank]
        kinds = ["PVOID" if each.find().blank else "ULONG_PTR" for each in arguments]
        named = ", ".join(f"{kind} a{number}" for number, kind in enumerate(kinds, 1)) if given else "..."
        self.supplied[name] = self.spelled(returns, f"{name}({named})") + ";"
        types = [(number, self.things.type_of(each.pointee(), _guess(""))) for number, each in given]
        zeroed = [f"RtlZeroMemory(a{number}, sizeof({ctype.alias or self.spelled(ctype, '')}));" for number, ctype in types]
        self._define(name, "\n    ".join(zeroed), returns)

    def _define(self, name: str, body: str, returns: CType) -> None:
        self._late += [self.supplied[name].rstrip(";"), "{", f"    {body}"]
        if not isinstance(returns, Void) and not body.startswith("return"):
            self._late += [f"    {self.spelled(returns, 'result')};", "    RtlZeroMemory(&result, sizeof(result));"]
            self._late += [*self.fill(returns, "result", set()), "    return result;"]
        self._late.append("}")

    # Contexts

    def _context(self, name: str, accessor: str, result: Thing) -> None:
        """Declare a context type that the listing asks for but does not declare."""
        symbol = self.unit.declarations.lookup(name)
        own = symbol is not None and symbol.kind == "typedef" and symbol.type is not UNKNOWN
        if name in self._contexts:
            return
        if symbol is not None and own:
            self._contexts[name] = symbol.type
            self.supplied[accessor] = f"extern PVOID {accessor}(WDFOBJECT);"
            self._late += [f"WDF_DECLARE_CONTEXT_TYPE_WITH_NAME({name}, Scene_{accessor})",
                           f"PVOID {accessor}(WDFOBJECT Handle) {{ return Scene_{accessor}(Handle); }}"]  # fmt: skip
            return
        pointer = self.things.types.get(f"P{name}") or result
        thing = self.things.types.get(name) or pointer.pointee()
        thing.find().name = thing.find().name or name
        self._contexts[name] = ctype = self.things.type_of(thing, _guess(""))
        typedef = "" if name in self.supplied else f"typedef {self.spelled(ctype, name)}; "
        self.supplied[accessor] = f"{typedef}WDF_DECLARE_CONTEXT_TYPE_WITH_NAME({name}, {accessor})"

    def _declared_contexts(self) -> None:
        names = self.unit.declarations.scopes[0].names
        for name in [info[1] for info in map(_INFO.fullmatch, names) if info and info[1] in names]:
            self._contexts.setdefault(name, names[name].type)

    def _code(self) -> Iterator[str]:
        """What `scene.c` finds before it: roles, definitions, the contexts of an object, the values of the free names."""
        yield f"ULONG SceneCodes[] = {{ {', '.join([*self.things.codes, '0'])} }};"
        yield from (f"#define SCENE_{role} {name}" for role, name in self.roles.items())
        yield from (f"#define SCENE_{name}" for name, word in tables()["words"].items() if re.search(word, self.text))
        yield from self._late
        yield "static VOID SceneContexts(WDFOBJECT Handle)\n{\n    WDF_OBJECT_ATTRIBUTES attributes;"
        for name, ctype in self._contexts.items():
            yield f"    {{ {name} *context;\n    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, {name});"
            yield "    if (WdfObjectAllocateContext(Handle, &attributes, (PVOID *)&context) == STATUS_SUCCESS"
            yield from (
                "    && !scene.Filling) { scene.Filling = TRUE;",
                *self.fill(ctype, "(*context)", set()),
                "    scene.Filling = FALSE; } }",
            )
        yield from ("}", "static VOID SceneSupply(VOID)", "{", *self._supply, "}")

    # The listing's functions

    def _roles(self) -> None:
        """Which function has which role: by its role declaration, else by its parameters and its name."""
        for name, definition in self.unit.functions.items():
            declared = re.search(rf"\b([A-Z][A-Z0-9_]+)\s+{re.escape(name)}\s*;", self.text)
            role = declared[1] if declared and declared[1] in headers().typedefs else _role(name, definition.type)
            known = re.search(rf"ifn?def SCENE_{role}\b", scene_driver())
            if known and re.search(tables()["needs"].get(role, ""), self.text):
                self.roles.setdefault(role, name)

    def _callers(self) -> Iterator[str]:
        """A function for each function that nobody calls, with what the scene has for its parameters."""
        for number, (name, definition) in enumerate(self.unit.functions.items()):
            if name in (*self._named, *self.roles.values(), "main") or "·" in name or is_accessor(self.text, name):
                continue
            self.calls[name] = f"SceneCall{number}"
            yield f"VOID SceneCall{number}(VOID)\n{{"
            filled: list[str] = []
            for index, parameter in enumerate(definition.type.parameters):
                thing = self.things.locals[name].get(parameter.name, Thing()).find()
                ctype = self.things.type_of(thing, parameter.type)
                yield f"    {f'{ctype.alias} a{index}' if ctype.alias else self.spelled(ctype, f'a{index}')};"
                filled += self.fill(ctype, f"a{index}", thing.uses)
            yield from filled
            yield f"    {name}({', '.join(f'a{index}' for index, _ in enumerate(definition.type.parameters))});\n}}"


def _role(name: str, ctype: Function) -> str:
    """The role that fits a function's type and has most words in its name; none if it has none."""
    words = {role: sum(len(word) for word in role.split("_")[1:] if word not in _NO_WORDS and word.lower() in name.lower())
             for role, each in headers().typedefs.items()
             if _ROLE.match(role) and compatible(_function(each) or each, ctype, exact=True)}  # fmt: skip
    best = max(words, key=lambda role: (words[role], -len(role)), default="")
    return "DRIVER_INITIALIZE" if name == "DriverEntry" else best if best and words[best] else ""
