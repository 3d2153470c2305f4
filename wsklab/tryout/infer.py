"""What a listing says about the names that it leaves to its reader: their C types, from how they are used.

Each name is a `Thing`. Walking over the listing, what is assigned, compared, passed and returned is made one (`unify`); a thing
whose type is known gives it to those that it is one with, and what is known of none is collected: members, what it points to,
how it is called. Types that say little (``void *``, a number) are kept as hints and taken when nothing better was found.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from pycparser import c_ast
from pycparser.c_generator import CGenerator

from wsklab.c.parse import Gap
from wsklab.c.types import INT, SIZE_T, UNKNOWN, Array, CType, Function, Int, Pointer, Record, Void, compatible
from wsklab.c.unit import Unit

_COMPARISONS = ("==", "!=", "<", ">", "<=", ">=")


class Thing:
    """Something with a type that may not be known yet; `find` gives the one that speaks for all that are one with it."""

    def __init__(self, ctype: CType | None = None, *hints: CType) -> None:
        known = ctype if ctype is not UNKNOWN else None
        self.type = None if says_little(known) else known
        self.hints = [*hints, *([known] if known and self.type is None else [])]
        self.members: dict[str, Thing] = {}
        self.to: Thing | None = None
        self.called: tuple[list[Thing], Thing] | None = None
        self.uses: set[str] = set()  # the functions that it is an argument of
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
            known = me.type.to if isinstance(me.type, Pointer) else me.type.of if isinstance(me.type, Array) else None
            me.to = Thing(known)
        return me.to.find()

    def member(self, name: str) -> Thing:
        """Its member of this name."""
        me = self.find()
        if name not in me.members:
            field = me.type.members.get(name) if isinstance(me.type, Record) else None
            me.members[name] = Thing(field.type if field else None)
        return me.members[name].find()

    @property
    def best(self) -> CType | None:
        """Its type, or the best of the hints: a pointer before a number, any number before a plain int."""
        me = self.find()
        if me.type or me.to or me.members or me.called:
            return me.type
        return min(me.hints, key=lambda hint: (not isinstance(hint, Pointer), says_little(hint), hint == INT), default=None)


def says_little(ctype: CType | None) -> bool:
    """Whether a type is one to which many others are converted."""
    return isinstance(ctype, Pointer) and isinstance(ctype.to, Void)


def unify(one: Thing, other: Thing) -> None:
    """Let two things be one, as far as their types allow it."""
    one, other = one.find(), other.find()
    if one is other:
        return
    if one.type is None and other.type is not None:
        one, other = other, one
    if one.type is not None and other.type is not None and not compatible(one.type, other.type):
        return
    if other.type is None and isinstance(one.type, Int) and (other.to or other.members or other.called):
        return
    other._link = one
    one.hints += other.hints
    one.uses |= other.uses
    one.name = one.name or other.name
    for name, member in other.members.items():
        unify(one.member(name), member)
    if other.to is not None:
        unify(one.pointee(), other.to)
    if other.called:
        one.called, (arguments, result) = one.called or other.called, other.called
        unify(one.called[1], result)
        for mine, theirs in zip(one.called[0], arguments, strict=False):
            unify(mine, theirs)


class Inference:
    """The things of a compiled listing: `free` names, `types` that the page assumes, `locals` of each function by name."""

    def __init__(self, unit: Unit) -> None:
        self.unit, self.free, self.types = unit, dict[str, Thing](), dict[str, Thing]()
        self.locals: dict[str, dict[str, Thing]] = {}
        self.assigned: set[str] = set()  # names that are given a value, or whose address is taken
        self.cases: set[str] = set()  # names of constants that something is told apart by
        self.codes: list[str] = []  # the cases of a switch over control codes
        self._blank: set[str] = set()  # variables that begin without a value
        self._members: dict[tuple[int, str], Thing] = {}
        self._scopes: list[dict[str, Thing]] = [{}]
        self._returns = Thing()
        for name, symbol in unit.variables.items():
            self._scopes[0][name] = self.typed(symbol.node.type)
            if symbol.node.init is not None:
                self._initialise(self._scopes[0][name], symbol.node.init)
        for name, definition in unit.functions.items():
            self._function(name, definition.node)
        for name, thing in list(self.types.items()):
            self._pair(name, thing)

    def _pair(self, name: str, thing: Thing) -> None:
        """``PX`` points to ``X``, by convention."""
        plain = name[1:].lstrip("_")
        if name[:1] == "P" and (plain in self.types or self._declared(plain)):
            unify(thing.pointee(), self.types.get(plain) or Thing(self._declared(plain)))
        elif name[:1] == "P" and thing.find().to is not None:
            thing.pointee().name = thing.pointee().name or plain

    def _declared(self, name: str) -> CType | None:
        symbol = self.unit.declarations.lookup(name)
        return symbol.type if symbol and symbol.kind == "typedef" and symbol.type is not UNKNOWN else None

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
        inner = node
        while isinstance(inner, c_ast.TypeDecl | c_ast.Typename):
            inner = inner.type
        if isinstance(inner, c_ast.PtrDecl | c_ast.ArrayDecl) and not isinstance(inner.type, c_ast.FuncDecl):
            to = self.typed(inner.type)
            thing = Thing(self._ctype(node) if to.find().type is not None else None)
            if to.find().type is None:
                thing.to = to
            return thing
        if isinstance(inner, c_ast.IdentifierType) and len(inner.names) == 1 and self._assumed(inner.names[0]):
            thing = self.types.setdefault(inner.names[0], Thing())
            thing.find().name = thing.find().name or inner.names[0]
            return thing
        return Thing(self._ctype(node))

    def _assumed(self, name: str) -> bool:
        symbol = self.unit.declarations.lookup(name)
        return symbol is not None and symbol.kind == "typedef" and symbol.type is UNKNOWN and "·" not in name

    def _ctype(self, node: Any) -> CType | None:
        with suppress(Exception):  # what was complained about when it was compiled
            return self.unit.declarations.type_of(node)
        return None

    # Statements

    def walk(self, node: Any) -> None:
        """Everything below a statement, or an expression for its effect."""
        kind = type(node).__name__
        if visit := getattr(self, f"_on_{kind}", None):
            visit(node)
        elif hasattr(self, f"_{kind}"):
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
            return unify(thing, self.value(init))
        ctype = thing.find().type
        fields = [Thing(field.type) for field in ctype.fields] if isinstance(ctype, Record) else []
        for number, part in enumerate(init.exprs):
            named = isinstance(part, c_ast.NamedInitializer) and isinstance(part.name[0], c_ast.ID)
            into = thing.member(part.name[0].name) if named else fields[number] if number < len(fields) else thing.pointee()
            self._initialise(into, part.expr if isinstance(part, c_ast.NamedInitializer) else part)
        return None

    def _on_Return(self, node: Any) -> None:
        if node.expr is not None:
            unify(self._returns, self.value(node.expr))

    def _on_Switch(self, node: Any) -> None:
        chosen = self.value(node.cond)
        what = getattr(node.cond, "field", node.cond)
        codes = "code" in getattr(what, "name", "").lower() or "ioctl" in getattr(what, "name", "").lower()
        for _, child in node.stmt.children():
            if isinstance(child, c_ast.Case):
                case = self.value(child.expr)
                self.cases |= {child.expr.name} if isinstance(child.expr, c_ast.ID) else set()
                self.codes += [CGenerator().visit(child.expr)] if codes else []
                unify(chosen, case)
        self.walk(node.stmt)

    # Expressions

    def value(self, node: Any) -> Thing:
        """The thing that an expression is."""
        visit: Callable[[Any], Thing] | None = getattr(self, f"_{type(node).__name__}", None)
        if visit is not None and not isinstance(node, Gap):
            return visit(node).find()
        for _, child in node.children():
            self.walk(child)
        return Thing()

    def _ID(self, node: Any) -> Thing:
        for scope in reversed(self._scopes):
            if node.name in scope:
                return scope[node.name]
        symbol = self.unit.declarations.lookup(node.name)
        if symbol is not None and symbol.kind != "typedef":
            return Thing(Pointer(symbol.type) if isinstance(symbol.type, Function) else symbol.type)
        return self.free.setdefault(node.name, Thing()) if node.name in self.unit.problems.assumed else Thing()

    def _Constant(self, node: Any) -> Thing:
        text = self.unit.declarations
        if node.type == "string":
            wide = node.value.startswith("L")
            symbol = text.lookup("WCHAR" if wide else "CHAR")
            return Thing(None, Pointer(symbol.type)) if symbol else Thing()
        return Thing(None, INT)

    def _StructRef(self, node: Any) -> Thing:
        of = self.value(node.name)
        record = of.pointee() if node.type == "->" else of
        if not isinstance(record.type, Record):
            return record.member(node.field.name)
        # Every record of this type has the same members: what one function does with them, the scene of another has to know.
        key = (id(record.type.fields), node.field.name)
        return self._members.setdefault(key, record.member(node.field.name))

    def member_of(self, record: Record, name: str) -> Thing:
        """The thing of a member of a record that is known."""
        return self._members.setdefault((id(record.fields), name), Thing(record.members[name].type)).find()

    def _ArrayRef(self, node: Any) -> Thing:
        self._number(self.value(node.subscript))
        return self.value(node.name).pointee()

    @staticmethod
    def _number(thing: Thing) -> None:
        thing.find().hints.append(INT)

    def _UnaryOp(self, node: Any) -> Thing:
        if node.op in ("sizeof", "_Alignof"):
            of = node.expr
            if (
                isinstance(of, c_ast.ID)
                and of.name.isupper()
                and of.name in self.unit.problems.assumed
                and of.name not in self.free
            ):
                self.types.setdefault(of.name, Thing()).find().name = of.name  # the parser could not know that it is a type
            else:
                self.typed(of) if isinstance(of, c_ast.Typename) else self.value(of)
            return Thing(SIZE_T.named("SIZE_T"))
        thing = self.value(node.expr)
        if node.op == "*":
            return thing.pointee()
        if node.op == "&":
            if isinstance(thing.type, Pointer) and isinstance(thing.type.to, Function):
                return thing
            self._changes(node.expr)
            pointer = Thing(Pointer(thing.type) if thing.type else None)
            pointer.to = thing
            pointer.blank = isinstance(node.expr, c_ast.ID) and node.expr.name in self._blank
            return pointer
        if node.op in ("++", "--", "p++", "p--"):
            self._changes(node.expr)
        self._number(thing)
        return thing if node.op != "!" else Thing(None, INT)

    def _BinaryOp(self, node: Any) -> Thing:
        left, right = self.value(node.left), self.value(node.right)
        if node.op in ("&&", "||"):
            return Thing(None, INT)
        if node.op in _COMPARISONS or not (isinstance(left.best, Pointer) or isinstance(right.best, Pointer)):
            unify(left, right)
        if node.op in _COMPARISONS:
            return Thing(None, INT)
        self._number(left)
        # What is computed is not what it is computed from.
        known = next((side.best for side in (left, right) if isinstance(side.best, Pointer)), left.best)
        return Thing(None, *([known] if known else []))

    def _TernaryOp(self, node: Any) -> Thing:
        self.walk(node.cond)
        then, otherwise = self.value(node.iftrue), self.value(node.iffalse)
        unify(then, otherwise)
        return then

    def _Cast(self, node: Any) -> Thing:
        target, thing = self.typed(node.to_type), self.value(node.expr)
        known = target.find().best
        if known is not None and not isinstance(known, Void):
            thing.hints.append(known)
        elif target.find().to is not None and thing.to is not None:
            unify(target.pointee(), thing.to)
        return target

    def _Assignment(self, node: Any) -> Thing:
        target, value = self.value(node.lvalue), self.value(node.rvalue)
        unify(target, value)
        self._changes(node.lvalue)
        return target

    def _changes(self, node: Any) -> None:
        self.assigned |= {node.name} if isinstance(node, c_ast.ID) else set()

    def _ExprList(self, node: Any) -> Thing:
        return [self.value(part) for part in node.exprs][-1]

    def _FuncCall(self, node: Any) -> Thing:
        callee = self.value(node.name)
        name = node.name.name if isinstance(node.name, c_ast.ID) else getattr(getattr(node.name, "field", None), "name", "")
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
        return (callee.find().called or called.called)[1]
