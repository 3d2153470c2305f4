"""The C around a listing: declarations of the names that it leaves to its reader, and the code that gives them values.

`Scene.before` stands before the listing, `Scene.after` behind it, followed by ``scene.c``, the driver that all scenes share. What
has which value is told by ``supply.toml``, by type; nothing here knows any listing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from wsklab.c.headers import INCLUDE, headers
from wsklab.c.types import UNKNOWN, Array, CType, Float, Function, Int, Pointer, Record, Void, compatible
from wsklab.c.unit import Unit
from wsklab.tryout.infer import Inference, Thing, says_little

_DEEPEST = 4  # structures that lead to structures
_INFO = re.compile(r"_WDF_(\w+)_TYPE_INFO")
_ROLE = re.compile(r"EVT_WDF|DRIVER_|PFN_WSK_\w+_EVENT|IO_COMPLETION")


@cache
def tables() -> dict[str, Any]:
    """``supply.toml``."""
    return tomllib.loads((Path(__file__).with_name("supply.toml")).read_text("utf-8"))


@cache
def scene_driver() -> str:
    """``scene.c``."""
    return (INCLUDE / "scene.c").read_text("utf-8")


def _first(table: dict[str, str], name: str) -> str:
    """The value of the first pattern that a name matches."""
    return next((value for pattern, value in table.items() if re.search(pattern, name)), "0")


def _chosen(table: str | dict[str, str], thing: Thing) -> str:
    """The value of the first pattern that a function matches which the thing is an argument of."""
    if isinstance(table, str):
        return table
    uses = sorted(thing.find().uses) or [""]
    return next((value for pattern, value in table.items() if any(re.search(pattern, use) for use in uses)), "")


def _spelled(ctype: CType, name: str) -> str:
    """A declaration of `name` with a type, as one before the listing can have it."""
    if ctype.alias and ctype.alias in headers().typedefs:
        return f"{ctype.alias} {name}"
    if isinstance(ctype, Array):
        return _spelled(ctype.of, f"{name}[{ctype.count or 16}]")
    if isinstance(ctype, Pointer) and isinstance(ctype.to, Function):
        return _spelled(ctype.to, f"(*{name})")
    if isinstance(ctype, Pointer):
        return _spelled(ctype.to, f"*{name}")
    if isinstance(ctype, Function):
        return _spelled(ctype.returns, f"{name}({', '.join(_spelled(each.type, '') for each in ctype.parameters) or 'void'})")
    unnamed = isinstance(ctype, Record) and not ctype.tag
    return f"{'void' if unnamed else headers().declarations.typedef_of(ctype.spelled())} {name}"


class Scene:
    """What surrounds a listing. `supplied` tells by name what the reader would have to declare, `roles` the listing's functions
    that the framework calls, `calls` the function of ``after`` that calls each of the others."""

    def __init__(self, unit: Unit, text: str) -> None:
        self.unit, self.text = unit, text
        self.things = Inference(unit)
        self.supplied: dict[str, str] = {}
        self.roles: dict[str, str] = {}
        self.calls: dict[str, str] = {}
        self.records: dict[int, tuple[str, Thing]] = {}
        self.contexts: dict[str, Thing] = {}
        self._bodies: list[str] = []
        self._defined: set[int] = set()
        self._supply: list[str] = []
        self._late: list[str] = []
        declared_types, declared = list(self._types()), [*self._free(), *self._undefined()]
        self._roles()
        contexts = list(self._contexts())
        while len(self._defined) < len(self.records):
            for _, thing in list(self.records.values()):
                self._complete(thing)
        self.before = "\n".join([*self._forward(), *declared_types, *self._bodies, *declared, *contexts, ""])
        supply = ["static VOID SceneSupply(VOID)", "{", *self._supply, "}"]
        defines = [f"#define SCENE_{role} {name}" for role, name in self.roles.items()]
        codes = f"ULONG SceneCodes[] = {{ {', '.join([*self.things.codes, '0'])} }};"
        defines += [f"#define SCENE_{name}" for name, word in tables()["words"].items() if re.search(word, text)]
        self.after = "\n".join(
            [*_OWN, codes, *defines, *self._late, *self._context_code(), *supply, '#include "scene.c"', *self._callers()]
        )

    # Types

    def _types(self) -> Iterator[str]:
        """Typedefs of the names that stand for types."""
        for name, thing in self.things.types.items():
            known = self._known(thing)
            if known is None and thing.find().to is None and not thing.find().members and re.match(r"P[A-Z_]{3}", name):
                thing.pointee()
            if known is not None and not isinstance(known, Void):
                self.supplied[name] = f"typedef {_spelled(known, name)};"
            elif thing.find().to is not None:
                self.supplied[name] = f"typedef {self._declaration(thing.pointee(), '*' + name)};"
            else:
                self.supplied[name] = f"typedef {self._declaration(thing, name)};"
            yield self.supplied[name]

    def _known(self, thing: Thing) -> CType | None:
        me = thing.find()
        return me.best if not (me.to and me.type is None) and me.best is not UNKNOWN else None

    def _record(self, thing: Thing) -> str:
        """The tag of a structure that only its members are known of."""
        me = thing.find()
        if id(me) not in self.records:
            self.records[id(me)] = f"_{me.name or f'SCENE_{len(self.records) + 1}'}", me
        return self.records[id(me)][0]

    def _declaration(self, thing: Thing, name: str) -> str:
        """A declaration of `name` as this thing."""
        me, known = thing.find(), self._known(thing)
        if me.to is not None and (known is None or says_little(known)) and not isinstance(known, Array):
            return self._declaration(me.pointee(), f"*{name}")
        if known is not None and not (isinstance(known, Void) and not name.startswith("*")):
            return _spelled(known, name)
        if me.members or me.name:
            return f"struct {self._record(me)} {name}"
        return f"{_first(tables()['types'], name) if name.isidentifier() else 'ULONG_PTR'} {name}"

    def _forward(self) -> Iterator[str]:
        own = {name for each in self.unit.declarations.scopes[0].names.values() for name in self._own_tags(each.type)}
        yield from sorted(f"struct {name};" for name in own)
        yield from (f"struct {tag};" for tag, _ in self.records.values())

    def _own_tags(self, ctype: CType) -> Iterator[str]:
        if isinstance(ctype, Pointer):
            yield from self._own_tags(ctype.to)
        elif (
            isinstance(ctype, Record)
            and ctype.kind == "struct"
            and ctype.tag
            and ctype.place
            and ctype.place[0] == self.unit.name
        ):
            yield ctype.tag

    def _complete(self, thing: Thing) -> None:
        """Write the structure's members, after those of the structures that are its members."""
        me = thing.find()
        tag = self._record(me)
        if id(me) in self._defined:
            return
        self._defined.add(id(me))
        members = []
        for name, member in me.members.items():
            declared = self._declaration(member, name)
            if declared == f"struct {self._record(member) if id(member.find()) in self.records else ''} {name}":
                self._complete(member)
            members.append(f"    {declared};")
        self._bodies.append("\n".join([f"struct {tag} {{", *(members or ["    ULONG_PTR Unknown[8];"]), "};"]))

    # Values

    def value(self, thing: Thing, name: str) -> str:
        """An expression for something of this type, which the page calls `name`."""
        known = self._known(thing)
        if isinstance(known, Pointer | Int) and (table := self._table(known)) is not None:
            return _chosen(table, thing)
        if isinstance(known, Pointer) and isinstance(known.to, Function):
            return "NULL"
        if isinstance(known, Pointer) and isinstance(known.to, Int) and known.to.bytes == 2:
            return "SceneName()->Buffer"
        if isinstance(known, Pointer):
            handle = isinstance(known.to, Record) and known.to.tag.startswith("WDF") and not known.to.complete
            return "NULL" if handle else "SceneAllocate(4096)"
        return _first(tables()["numbers"], name) if not isinstance(known, Float) else "1"

    @staticmethod
    def _table(known: CType) -> Any:
        types = tables()["values"]
        if known.alias in types:
            return types[known.alias]
        if isinstance(known, Pointer) and not isinstance(known.to, Void | Int):
            return next((each for name, each in types.items() if compatible(headers().type(name), known, exact=True)), None)
        return None

    def fill(self, thing: Thing, place: str, depth: int = 0) -> Iterator[str]:
        """Statements that give a place of this thing's type a value."""
        me, known = thing.find(), self._known(thing)
        name = re.split(r"\W+", place)[-1] or place
        if isinstance(known, Record) or (known is None and me.to is None):
            made = tables()["records"].get(known.alias or known.tag.lstrip("_")) if isinstance(known, Record) else None
            if made is not None and (made := _chosen(made, me)):
                yield f"    {made.format(name=place)};"
            elif known is None and not me.members and not me.name:
                guess = headers().type(_first(tables()["types"], name))
                yield f"    {place} = {self.value(Thing(guess if not says_little(guess) else None, guess), name)};"
            elif depth < _DEEPEST:
                members = me.members if known is None else self._touched(known)
                for member, each in members.items():
                    yield from self.fill(each, f"{place}.{member}", depth + 1)
        elif isinstance(known, Array):
            return
        elif (to := self._structure(me)) is not None:
            yield f"    {place} = SceneAllocate(sizeof(*{place}));"
            if depth < _DEEPEST:
                yield from self.fill(to, f"(*{place})", depth + 1)
        else:
            yield f"    {place} = {self.value(me, name)};"

    def _structure(self, me: Thing) -> Thing | None:
        """The structure that a pointer leads to, when the scene has to make it."""
        known = self._known(me)
        if known is None:
            return me.pointee() if me.to is not None else None
        to = known.to if isinstance(known, Pointer) else None
        made = isinstance(to, Record) and to.complete and self._table(known) is None
        return Thing(to) if made else None

    def _touched(self, record: CType) -> dict[str, Thing]:
        """The members of a structure of the page that are handles or pointers."""
        if not isinstance(record, Record) or not record.place or record.place[0] != self.unit.name:
            return {}
        return {name: self.things.member_of(record, name) for name, field in record.members.items() if field.bit_width is None}

    # Free names

    def _free(self) -> Iterator[str]:
        for number, (name, thing) in enumerate(self.things.free.items()):
            if _INFO.fullmatch(name):
                continue
            me, known = thing.find(), self._known(thing)
            if me.called or (isinstance(known, Pointer) and isinstance(known.to, Function) and name not in self.things.assigned):
                yield from self._function(name, me, known)
                continue
            if self._constant(name, known):
                self.supplied[name] = f"#define {name} {self._constant_value(name, known, number)}"
                yield self.supplied[name]
                continue
            self.supplied[name] = f"{self._declaration(me, name)};"
            yield self.supplied[name]
            self._supply += self.fill(me, name)

    def _undefined(self) -> Iterator[str]:
        """The functions that the listing declares, and names, but leaves out."""
        named = {name for body in self.unit.checked.values() for name in (*body.references.addresses, *body.references.calls)}
        for name in sorted(named - set(self.unit.functions)):
            symbol = self.unit.declarations.scopes[0].names.get(name)
            if symbol is not None and isinstance(symbol.type, Function):
                yield from list(self._function(name, Thing(), Pointer(symbol.type)))[:0]

    def _constant(self, name: str, known: CType | None) -> bool:
        return (
            (name.isupper() or name in self.things.cases) and name not in self.things.assigned and not isinstance(known, Record)
        )

    def _constant_value(self, name: str, known: CType | None, number: int) -> str:
        if isinstance(known, Pointer):
            wide = isinstance(known.to, Int) and known.to.bytes == 2
            text = isinstance(known.to, Int) and known.to.bytes == 1
            return 'L"\\\\Device\\\\remote"' if wide else f'"{name}"' if text else self.value(Thing(known), name)
        return _first(tables()["constants"], name).format(number=number + 1)

    def _function(self, name: str, me: Thing, known: CType | None) -> Iterator[str]:
        """A function of the reader's: one that gets a context, a callback that does nothing, or a helper that succeeds."""
        if me.called and (context := self._context_of(name, me)):
            self.contexts.setdefault(context, me.called[1])
            self.supplied[name] = f"WDF_DECLARE_CONTEXT_TYPE_WITH_NAME({context}, {name})"
            return
        given: list[tuple[int, Thing]] = []
        if isinstance(known, Pointer) and isinstance(known.to, Function):
            declared = ", ".join(_spelled(each.type, f"a{n}") for n, each in enumerate(known.to.parameters, 1)) or "void"
            returns: Thing = Thing(known.to.returns)
        else:
            assert me.called
            declared, returns = "...", me.called[1]
            if any(each.blank for each in me.called[0]):  # it gives them a value
                declared = ", ".join(f"{'PVOID' if each.blank else 'ULONG_PTR'} a{n}" for n, each in enumerate(me.called[0], 1))
                given = [(n, each.pointee()) for n, each in enumerate(me.called[0], 1) if each.blank]
        nothing = isinstance(self._known(returns), Void)
        call = f"{name}({declared})"
        self.supplied[name] = f"VOID {call};" if nothing else f"{self._declaration(returns, call)};"
        yield self.supplied[name]
        completes = isinstance(known, Pointer) and _is_completion(known.to)
        self._late += [self.supplied[name].rstrip(";"), "{"]
        for number, to in given:
            self._late.append(f"    RtlZeroMemory(a{number}, sizeof({self._declared(to)}));")
        if completes:
            self._late.append("    return SceneIrpCompleted(a2);")
        elif not nothing:
            result = self._declaration(returns, "result")
            self._late += [f"    {result};", "    RtlZeroMemory(&result, sizeof(result));", *self.fill(returns, "result")]
            self._late.append("    return result;")
        self._late.append("}")

    def _declared(self, thing: Thing) -> str:
        known = self._known(thing)
        return known.alias if known and known.alias else self._declaration(thing, "")

    def _context_of(self, name: str, me: Thing) -> str | None:
        """The context type that a function gets, if that is what it does: one handle in, a pointer to a structure out."""
        assert me.called
        arguments, result = me.called
        handle = self._known(arguments[0]) if len(arguments) == 1 else None
        tag = handle.to.tag if isinstance(handle, Pointer) and isinstance(handle.to, Record) else ""
        is_handle = tag.startswith("WDF") or (handle is not None and handle.alias == "WDFOBJECT")
        to = result.pointee() if result.find().to is not None or isinstance(self._known(result), Pointer) else None
        if not is_handle or to is None:
            return None
        known = self._known(to)
        if known is None:
            return self._name_record(to)
        return known.alias if isinstance(known, Record) and known.alias else None

    def _name_record(self, to: Thing) -> str:
        """A typedef name for a structure that the page has perhaps only a pointer for."""
        return self._record(to).removeprefix("_")

    # Contexts

    def _contexts(self) -> Iterator[str]:
        """Declarations of the contexts that the listing asks for but does not declare."""
        accessors = {found[1]: found[2] for found in (re.fullmatch(r"WDF_DECLARE_\w+\((\w+), (\w+)\)", text)
                     for text in self.supplied.values()) if found}  # fmt: skip
        for name in self.things.free:
            if (info := _INFO.fullmatch(name)) and info[1] not in accessors:
                accessors[info[1]] = f"SceneGet_{info[1]}"
                self.contexts.setdefault(info[1], self._new_context(info[1]))
        for context, accessor in accessors.items():
            symbol = self.unit.declarations.lookup(context)
            thing = self.things.types.get(context)
            if symbol is not None and symbol.kind == "typedef" and symbol.type is not UNKNOWN:
                yield f"extern PVOID {accessor}(WDFOBJECT);"
                self._late += [f"WDF_DECLARE_CONTEXT_TYPE_WITH_NAME({context}, Scene_{accessor})",
                               f"PVOID {accessor}(WDFOBJECT Handle) {{ return Scene_{accessor}(Handle); }}"]  # fmt: skip
                continue
            if thing is None:
                yield f"typedef struct {self._record(self.contexts[context].pointee())} {context};"
            yield f"WDF_DECLARE_CONTEXT_TYPE_WITH_NAME({context}, {accessor})"
        names = self.unit.declarations.scopes[0].names
        for name in list(names):
            if (info := _INFO.fullmatch(name)) and info[1] not in self.contexts:
                self.contexts[info[1]] = Thing()

    def _new_context(self, name: str) -> Thing:
        context = self.things.types.get(f"P{name}") or Thing()
        context.pointee().name = name
        return context

    def _context_code(self) -> list[str]:
        lines = ["static VOID SceneContexts(WDFOBJECT Handle)", "{"]
        if self.contexts:
            lines += ["    WDF_OBJECT_ATTRIBUTES attributes;"]
        for context, thing in self.contexts.items():
            symbol = self.unit.declarations.lookup(context)
            known = symbol.type if symbol and symbol.kind == "typedef" and symbol.type is not UNKNOWN else None
            to = Thing(known) if known else self.things.types.get(context) or thing.pointee()
            lines += [
                f"    {{ {context} *context;",
                f"    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, {context});",
                "    if (WdfObjectAllocateContext(Handle, &attributes, (PVOID *)&context) == STATUS_SUCCESS && !scene.Filling) {",
                "    scene.Filling = TRUE;",
                *self.fill(to, "(*context)"),
                "    scene.Filling = FALSE; } }",
            ]
        return [*lines, "}"]

    # The listing's functions

    def _roles(self) -> None:
        """Which function has which role: by its role declaration, else by its parameters and its name."""
        for name, definition in self.unit.functions.items():
            declared = re.search(rf"\b([A-Z][A-Z0-9_]+)\s+{re.escape(name)}\s*;", self.text)
            role = declared[1] if declared and declared[1] in headers().typedefs else self._guessed(name, definition.type)
            if not re.search(tables()["needs"].get(role, ""), self.text):
                continue
            if role is not None and re.search(rf"ifn?def SCENE_{role}\b", scene_driver()):
                self.roles.setdefault(role, name)

    @staticmethod
    def _guessed(name: str, ctype: Function) -> str | None:
        """The role with most words in the function's name."""
        if name == "DriverEntry":
            return "DRIVER_INITIALIZE"

        def words(role: str) -> int:
            found = [
                word
                for word in role.split("_")[1:]
                if word not in ("WDF", "WSK", "EVT", "EVENT", "IO", "QUEUE") and word.lower() in name.lower()
            ]
            return sum(map(len, found))

        types = {
            role: each.to if isinstance(each, Pointer) else each for role, each in headers().typedefs.items() if _ROLE.match(role)
        }
        fitting = [role for role, each in types.items() if isinstance(each, Function) and compatible(each, ctype, exact=True)]
        best = max(fitting, key=lambda role: (words(role), -len(role)), default=None)
        return best if best and words(best) else None

    def _callers(self) -> Iterator[str]:
        """A function for each function that nobody calls, with what the scene has for its parameters."""
        addressed = {name for body in self.unit.checked.values() for name in (*body.references.addresses, *body.references.calls)}
        for number, (name, definition) in enumerate(self.unit.functions.items()):
            header = definition.place.file != self.unit.name or is_accessor(self.text, name)
            if name in addressed or name in self.roles.values() or "·" in name or name == "main" or header:
                continue
            self.calls[name] = f"SceneCall{number}"
            places = [f"a{index}" for index, _ in enumerate(definition.type.parameters)]
            yield f"VOID SceneCall{number}(VOID)\n{{"
            filled: list[str] = []
            for place, parameter in zip(places, definition.type.parameters, strict=True):
                inferred = self.things.locals[name].get(parameter.name) or Thing(parameter.type)
                inferred = inferred if inferred.best is not None else Thing(parameter.type)
                yield f"    {_declared_late(parameter.type, place)};"
                filled += self._argument(inferred, place, parameter.name)
            yield from filled
            yield f"    {name}({', '.join(places)});\n}}"

    def _argument(self, thing: Thing, place: str, name: str) -> Iterator[str]:
        me = thing.find()
        if self._structure(me) is not None or isinstance(self._known(me), Record):
            yield from self.fill(me, place)
        else:
            yield f"    {place} = {self.value(me, name)};"


# A function ends what stands without one around it.
_OWN = ("static VOID SceneStarts(VOID)", "{", "}", '#include "scene.h"')


def _is_completion(ctype: CType) -> bool:
    return compatible(ctype, headers().typedefs["IO_COMPLETION_ROUTINE"], exact=True)


def is_accessor(text: str, name: str) -> bool:
    """Whether a function is what the declaration of a context type made."""
    return name.startswith("WdfObjectGet_") or bool(re.search(rf"WDF_DECLARE_\w*CONTEXT_TYPE\w*\([^)]*\b{name}\b", text))


def _declared_late(ctype: CType, name: str) -> str:
    """A declaration behind the listing, where its own types are known."""
    return f"{ctype.alias} {name}" if ctype.alias else _spelled(ctype, name)
