"""What a listing says about the names that it leaves to its reader: their C types, from how they are used.

Each name is a `Thing`. Walking over the listing, what is assigned, compared, passed and returned is made one (`unify`); a thing
whose type is known gives it to those that it is one with, and what is known of none is collected: members, what it points to,
how it is called. Types that say little (``void *``, a number) are hints, taken when nothing better is found.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pycparser import c_ast
from pycparser.c_generator import CGenerator

from wsklab.c.parse import Gap
from wsklab.c.types import INT, SIZE_T, UNKNOWN, Array, CType, Field, Function, Int, Pointer, Record, Void, compatible
from wsklab.c.unit import Unit

_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")
_STEPS = ("++", "--", "p++", "p--")


class Thing:
    """Something with a type that may not be known yet; `find` gives the one that speaks for all that are one with it."""

    def __init__(self, ctype: CType | None = None, *hints: CType) -> None:
        known = None if ctype is UNKNOWN else ctype
        self.type = None if _says_little(known) else known
        self.hints = [*hints, *([known] if known and self.type is None else [])]
        self.members: dict[str, Thing] = {}
        self.to: Thing | None = None
        self.called: tuple[list[Thing], Thing] | None = None
        self.uses: set[str] = set()  # the functions that it is an argument of; & before those that get its address
        self.name = ""  # the typedef name that the page uses for it
        self.blank = False  # whether it points to a variable that has no value yet
        self._link: Thing | None = None

    def find(self) -> Thing:
        """The thing that stands for this one."""
        return self._link.find() if self._link else self

    def pointee(self) -> Thing:
        """What it points to."""
        me = self.find()
        if me.to is None:
            me.to = Thing(me.type.to if isinstance(me.type, Pointer) else me.type.of if isinstance(me.type, Array) else None)
        return me.to.find()

    def member(self, name: str) -> Thing:
        """Its member of this name."""
        me = self.find()
        if name not in me.members:
            me.members[name] = Thing(
                me.type.members[name].type if isinstance(me.type, Record) and name in me.type.members else None
            )
        return me.members[name].find()

    @property
    def best(self) -> CType | None:
        """Its type, or the best of the hints: a pointer before a number, any number before a plain int."""
        me = self.find()
        if me.type or me.to or me.members or me.called:
            return me.type
        return min(me.hints, key=lambda hint: (not isinstance(hint, Pointer), _says_little(hint), hint == INT), default=None)


def _says_little(ctype: CType | None) -> bool:
    """Whether a type is one to which many others are converted."""
    return isinstance(ctype, Pointer) and isinstance(ctype.to, Void)


def unify(one: Thing, other: Thing) -> None:
    """Let two things be one, as far as their types allow it."""
    one, other = one.find(), other.find()
    if one.type is None and other.type is not None:
        one, other = other, one
    if one.type is not None and other.type is not None and not compatible(one.type, other.type):
        return
    if one is other or (other.type is None and isinstance(one.type, Int) and (other.to or other.members)):
        return
    other._link = one
    one.uses |= other.uses
    if other.type is not None:
        return  # their parts are of the same types, and may lead to themselves
    one.hints += other.hints
    one.name = one.name or other.name
    if one.type is None:  # takes over what it has not itself, which may lead back to it
        one.to = one.to or other.to
        one.members = other.members | one.members
    for name, member in other.members.items():
        unify(one.member(name), member)
    if other.to is not None:
        unify(one.pointee(), other.to)
    if other.called:
        one.called = one.called or other.called
        for mine, theirs in zip([*one.called[0], one.called[1]], [*other.called[0], other.called[1]], strict=False):
            unify(mine, theirs)


class Inference:
    """The things of a compiled listing: `free` names, `types` that the page assumes, `locals` of each function ("": of none)."""

    def __init__(self, unit: Unit) -> None:
        self.unit, self.free, self.types = unit, dict[str, Thing](), dict[str, Thing]()
        self.locals: dict[str, dict[str, Thing]] = {}
        self.assigned: set[str] = set()  # names that are given a value, or whose address is taken
        self.cases: set[str] = set()  # names of constants that something is told apart by
        self.codes: list[str] = []  # the cases of a switch over control codes, as C
        self.records: dict[int, Record] = {}  # those that only their members are known of, by their things
        self._blank: set[str] = set()  # variables that begin without a value
        self._members: dict[tuple[int, str], Thing] = {}
        self._scopes: list[dict[str, Thing]] = [{}]
        self._returns = Thing()
        self.locals[""] = self._scopes[0]
        for symbol in unit.variables.values():
            self._on_Decl(symbol.node)
        for name, definition in unit.functions.items():
            self._function(name, definition.node)
        for name, thing in list(self.types.items()):
            self._pair(name, thing)

    def _pair(self, name: str, thing: Thing) -> None:
        """``PX`` points to ``X``, by convention."""
        plain = name[1:].lstrip("_")
        if name[:1] == "P" and (thing.find().to is not None or plain in self.types or thing.best is None):
            symbol = self.unit.declarations.lookup(plain)
            unify(thing.pointee(), self.types.get(plain) or Thing(symbol.type if symbol and symbol.kind == "typedef" else None))
            thing.pointee().name = thing.pointee().name or plain

    def _function(self, name: str, node: Any) -> None:
        arguments = node.decl.type.args
        declared = [each for each in (arguments.params if arguments else []) if getattr(each, "name", None)]
        self._scopes.append({each.name: self.typed(each.type) for each in declared})
        self.locals[name], self._returns = self._scopes[-1], self.typed(node.decl.type.type)
        self.walk(node.body)
        self._scopes.pop()

    # Types

    def typed(self, node: Any) -> Thing:
        """The thing of a type node: what has an assumed type is one with the type."""
        while isinstance(node, c_ast.TypeDecl | c_ast.Typename):
            node = node.type
        if isinstance(node, c_ast.PtrDecl | c_ast.ArrayDecl) and not isinstance(node.type, c_ast.FuncDecl):
            to = self.typed(node.type)
            thing = Thing(self._ctype(node) if to.find().type is not None else None)
            thing.to = to if thing.type is None and not thing.hints else None
            return thing
        if isinstance(node, c_ast.IdentifierType) and len(node.names) == 1 and self._assumed(node.names[0]):
            return self._type_named(node.names[0])
        return Thing(self._ctype(node))

    def _type_named(self, name: str) -> Thing:
        thing = self.types.setdefault(name, Thing()).find()
        thing.name = thing.name or name
        return thing

    def _assumed(self, name: str) -> bool:
        symbol = self.unit.declarations.lookup(name)
        return symbol is not None and symbol.kind == "typedef" and symbol.type is UNKNOWN and "·" not in name

    def _ctype(self, node: Any) -> CType | None:
        with suppress(Exception):  # what was complained about when it was compiled
            return self.unit.declarations.type_of(node)
        return None

    def type_of(self, thing: Thing, guess: CType) -> CType:
        """The C type of a thing; `guess` when its use says nothing."""
        me = thing.find()
        if isinstance(me.type, Record):
            self._members.update({(id(me.type.fields), name): member for name, member in me.members.items()})
        if me.best is not None:
            return me.best
        if me.called:
            return Pointer(Function(self.type_of(me.called[1], SIZE_T), (), varargs=True))
        if me.to is not None:
            return Pointer(self.type_of(me.to, SIZE_T))
        if not me.members and not me.name:
            return guess
        if id(me) not in self.records:
            made = self.records[id(me)] = Record("struct", f"_{me.name or f'SCENE_{len(self.records) + 1}'}")
            fields = [Field(name, self.type_of(member, SIZE_T), 0) for name, member in me.members.items()]
            made.finish(fields or [Field("Unknown", Array(SIZE_T, 8), 0)], 8, 8)
            self._members.update({(id(made.fields), name): member for name, member in me.members.items()})
        return self.records[id(me)]

    def uses(self, record: Record, name: str) -> set[str]:
        """The functions that a member of a record is an argument of."""
        return self._members.get((id(record.fields), name), Thing()).find().uses

    # Statements

    def walk(self, node: Any) -> None:
        """Everything below a statement, or an expression for its effect."""
        if visit := getattr(self, f"_on_{type(node).__name__}", None):
            visit(node)
        elif hasattr(self, f"_{type(node).__name__}"):
            self.value(node)
        else:
            for _, child in node.children():
                self.walk(child)

    def _on_Compound(self, node: Any) -> None:
        self._scopes.append({})
        for item in node.block_items or []:
            self.walk(item)
        self._scopes.pop()

    def _on_Decl(self, node: Any) -> None:
        if node.name and not isinstance(node.type, c_ast.FuncDecl):
            thing = self._scopes[-1][node.name] = self.typed(node.type)
            self._blank |= {node.name} if node.init is None else set()
            if node.init is not None:
                self._initialise(thing, node.init)

    def _initialise(self, thing: Thing, init: Any) -> None:
        if not isinstance(init, c_ast.InitList):
            unify(thing, self.value(init))
            return
        ctype = thing.find().type
        fields = [Thing(field.type) for field in ctype.fields] if isinstance(ctype, Record) else []
        for number, part in enumerate(init.exprs):
            named = isinstance(part, c_ast.NamedInitializer) and isinstance(part.name[0], c_ast.ID)
            into = thing.member(part.name[0].name) if named else fields[number] if number < len(fields) else thing.pointee()
            self._initialise(into, part.expr if isinstance(part, c_ast.NamedInitializer) else part)

    def _on_Return(self, node: Any) -> None:
        if node.expr is not None:
            unify(self._returns, self.value(node.expr))

    def _on_Switch(self, node: Any) -> None:
        chosen, what = self.value(node.cond), getattr(node.cond, "field", node.cond)
        cases = [child.expr for _, child in node.stmt.children() if isinstance(child, c_ast.Case)]
        for case in cases:
            unify(chosen, self.value(case))
        self.cases |= {case.name for case in cases if isinstance(case, c_ast.ID)}
        if any(word in getattr(what, "name", "").lower() for word in ("code", "ioctl")):
            self.codes += map(CGenerator().visit, cases)
        self.walk(node.stmt)

    # Expressions

    def value(self, node: Any) -> Thing:
        """The thing that an expression is."""
        visit = getattr(self, f"_{type(node).__name__}", None)
        if visit is not None and not isinstance(node, Gap):
            thing: Thing = visit(node)
            return thing.find()
        for _, child in node.children():
            self.walk(child)
        return Thing()

    def _ID(self, node: Any) -> Thing:
        known = next((scope[node.name] for scope in reversed(self._scopes) if node.name in scope), None)
        symbol = self.unit.declarations.lookup(node.name)
        if known is None and symbol is not None and symbol.kind != "typedef":
            return Thing(Pointer(symbol.type) if isinstance(symbol.type, Function) else symbol.type)
        return known or (self.free.setdefault(node.name, Thing()) if node.name in self.unit.problems.assumed else Thing())

    def _Constant(self, node: Any) -> Thing:
        symbol = self.unit.declarations.lookup("WCHAR" if node.value.startswith("L") else "CHAR")
        return Thing(None, Pointer(symbol.type) if node.type == "string" and symbol else INT)

    def _StructRef(self, node: Any) -> Thing:
        of = self.value(node.name)
        record = of.pointee() if node.type == "->" else of
        if not isinstance(record.type, Record):
            return record.member(node.field.name)
        # Every record of this type has the same members: what one function does with them, the scene of another has to know.
        return self._members.setdefault((id(record.type.fields), node.field.name), record.member(node.field.name))

    def _ArrayRef(self, node: Any) -> Thing:
        self.value(node.subscript).hints.append(INT)
        return self.value(node.name).pointee()

    def _UnaryOp(self, node: Any) -> Thing:
        if node.op in ("sizeof", "_Alignof"):
            return self._sizeof(node.expr)
        thing = self.value(node.expr)
        if node.op == "*":
            return thing.pointee()
        if node.op == "&":
            if isinstance(thing.type, Pointer) and isinstance(thing.type.to, Function):
                return thing
            self._changes(node.expr)
            pointer = Thing(Pointer(thing.type) if thing.type else None)
            pointer.to, pointer.blank = thing, getattr(node.expr, "name", "") in self._blank
            return pointer
        if node.op in _STEPS:
            self._changes(node.expr)
        thing.hints.append(INT)
        return thing if node.op != "!" else Thing(None, INT)

    def _sizeof(self, of: Any) -> Thing:
        if isinstance(of, c_ast.Typename):
            self.typed(of)
        elif (
            isinstance(of, c_ast.ID) and of.name.isupper() and of.name in self.unit.problems.assumed and of.name not in self.free
        ):
            self._type_named(of.name)  # the parser could not know that it is a type
        else:
            self.value(of)
        return Thing(SIZE_T.named("SIZE_T"))

    def _BinaryOp(self, node: Any) -> Thing:
        left, right = self.value(node.left), self.value(node.right)
        pointer = next((side.best for side in (left, right) if isinstance(side.best, Pointer)), None)
        if node.op in _COMPARISONS or (pointer is None and node.op not in ("&&", "||")):
            unify(left, right)
        if node.op in (*_COMPARISONS, "&&", "||"):
            return Thing(None, INT)
        left.hints.append(INT)
        return Thing(None, pointer or left.best or INT)  # what is computed is not what it is computed from

    def _TernaryOp(self, node: Any) -> Thing:
        self.walk(node.cond)
        then = self.value(node.iftrue)
        unify(then, self.value(node.iffalse))
        return then

    def _Cast(self, node: Any) -> Thing:
        target, thing = self.typed(node.to_type).find(), self.value(node.expr)
        if target.best is not None and not isinstance(target.best, Void):
            thing.hints.append(target.best)
        elif target.best is None and thing.to is not None:
            unify(target.pointee(), thing.to)
        return target

    def _Assignment(self, node: Any) -> Thing:
        target = self.value(node.lvalue)
        unify(target, self.value(node.rvalue))
        self._changes(node.lvalue)
        return target

    def _changes(self, node: Any) -> None:
        self.assigned |= {node.name} if isinstance(node, c_ast.ID) else set()

    def _ExprList(self, node: Any) -> Thing:
        return [self.value(part) for part in node.exprs][-1]

    def _FuncCall(self, node: Any) -> Thing:
        callee, name = self.value(node.name), getattr(getattr(node.name, "field", node.name), "name", "")
        arguments = [Thing() if isinstance(part, Gap) else self.value(part) for part in (node.args.exprs if node.args else [])]
        for argument in arguments:
            argument.find().uses.add(name)
            if argument.find().to is not None:
                argument.pointee().uses.add(f"&{name}")
        known = callee.type.to if isinstance(callee.type, Pointer) else callee.type
        if isinstance(known, Function):
            for parameter, argument in zip(known.parameters, arguments, strict=False):
                unify(Thing(parameter.type), argument)
            return Thing(known.returns)
        called = Thing()
        called.called = arguments, Thing()
        unify(callee, called)
        return called.called[1]
