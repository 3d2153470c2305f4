"""Declarations: names, scopes and types, from pycparser's type nodes to `CType`.

One `Declarations` serves a unit from its first declaration into its function bodies; the headers' own is its parent and is
never written to by a unit. A mistake is reported once and answered with a type that lets the check go on (int).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from pycparser import c_ast

from wsklab.c.constant import Evaluator, Typed
from wsklab.c.gaps import Gap
from wsklab.c.records import Layout, Members, element_count
from wsklab.c.source import Place, Problems, place_of
from wsklab.c.types import (
    BOOL,
    CHAR,
    DOUBLE,
    FLOAT,
    INT,
    LLONG,
    LONG,
    SCHAR,
    SHORT,
    UCHAR,
    UINT,
    ULLONG,
    ULONG,
    USHORT,
    VOID,
    Array,
    CType,
    Function,
    Int,
    Parameter,
    Pointer,
    Record,
    Void,
)  # fmt: skip

SymbolKind = Literal["typedef", "object", "function", "constant"]
Node = Any

_BASIC: dict[str, CType] = {
    "void": VOID, "_Bool": BOOL, "char": CHAR, "signed char": SCHAR, "unsigned char": UCHAR,
    "short": SHORT, "short signed": SHORT, "short unsigned": USHORT, "int": INT, "int signed": INT, "signed": INT,
    "int unsigned": UINT, "unsigned": UINT, "int short": SHORT, "int short signed": SHORT, "int short unsigned": USHORT,
    "long": LONG, "int long": LONG, "long signed": LONG, "int long signed": LONG, "long unsigned": ULONG,
    "int long unsigned": ULONG, "long long": LLONG, "int long long": LLONG, "long long signed": LLONG,
    "int long long signed": LLONG, "long long unsigned": ULLONG, "int long long unsigned": ULLONG,
    "float": FLOAT, "double": DOUBLE, "double long": DOUBLE, "char signed": SCHAR, "char unsigned": UCHAR,
}  # fmt: skip


@dataclass
class Symbol:
    """A declared name. `value` is the value of an enum constant; `data` belongs to the typed check."""

    name: str
    kind: SymbolKind
    type: CType
    place: Place
    storage: str = ""
    value: int | None = None
    node: Node = None
    data: Any = None


@dataclass
class Scope:
    """Names and tags of one block (or of the file)."""

    names: dict[str, Symbol] = field(default_factory=dict)
    tags: dict[str, CType] = field(default_factory=dict)


class Declarations:
    """Declared names of a unit, innermost scope last.

    Args:
        problems: where mistakes go.
        parent: the headers' declarations.
    """

    def __init__(self, problems: Problems, parent: Declarations | None = None) -> None:
        """Begin with an empty file scope."""
        self.problems = problems
        self.parent = parent
        self.scopes = [Scope()]
        self._defined: dict[int, tuple[Node, CType]] = {}
        self.evaluator = Evaluator(self)
        self.expression_type: Callable[[Node], CType | None] = self.evaluator.simple_type

    # Scopes

    @contextmanager
    def scope(self) -> Iterator[None]:
        """A nested scope for the time of a ``with`` block."""
        self.push()
        try:
            yield
        finally:
            self.pop()

    def push(self) -> None:
        """Open a nested scope."""
        self.scopes.append(Scope())

    def pop(self) -> None:
        """Close the innermost scope."""
        self.scopes.pop()

    def enter(self, symbol: Symbol) -> None:
        """Put a symbol into the current scope."""
        self.scopes[-1].names[symbol.name] = symbol

    def lookup(self, name: str) -> Symbol | None:
        """The symbol that `name` means here."""
        for scope in reversed(self.scopes):
            if name in scope.names:
                return scope.names[name]
        return self.parent.lookup(name) if self.parent else None

    def names(self) -> Iterable[str]:
        """All names that can be seen here."""
        for scope in reversed(self.scopes):
            yield from scope.names
        if self.parent:
            yield from self.parent.names()

    def tag(self, key: str) -> CType | None:
        """The type with tag `key` (``"struct _IRP"``) that is seen here."""
        for scope in reversed(self.scopes):
            if key in scope.tags:
                return scope.tags[key]
        return self.parent.tag(key) if self.parent else None

    def record(self, name: str) -> Record | None:
        """A struct or union by typedef name, ``struct`` name or bare tag."""
        symbol = self.lookup(name)
        if symbol is not None and symbol.kind == "typedef" and isinstance(symbol.type, Record):
            return symbol.type
        for key in (name, f"struct {name}", f"union {name}"):
            tagged = self.tag(key)
            if isinstance(tagged, Record):
                return tagged
        return None

    # Constants

    def typed_constant(self, node: Node) -> Typed | None:
        """Value and type of an integer constant expression, None if it is none."""
        try:
            return self.evaluator.value(node)
        except (ValueError, TypeError):
            return None

    def constant(self, node: Node) -> int | None:
        """Value of an integer constant expression, None if it is none."""
        typed = self.typed_constant(node)
        return typed[0] if typed else None

    def required_constant(self, node: Node, what: str) -> int:
        """Value of an integer constant expression; a problem is reported and 1 returned if it is none.

        Args:
            node: the expression.
            what: what it is for, as in "the size of an array".
        """
        value = 1 if isinstance(node, Gap) else self.constant(node)
        if value is None and isinstance(node, c_ast.ID) and self.lookup(node.name) is None:
            self.problems.error("undeclared", node, "{name} is not declared.", name=node.name)
            return 1
        if value is None:
            self.problems.error("not-constant", node, "The value of {what} must be known when compiling.", what=what)
            return 1
        return value

    # Types

    def type_of(self, node: Node) -> CType:
        """The type that a type node (or the type of a declaration node) means."""
        method = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            self.problems.error("not-supported", node, "This kind of type is not supported.")
            return INT
        ctype: CType = method(node)
        return ctype

    def _Typename(self, node: Node) -> CType:
        return self.type_of(node.type)

    _Decl = _TypeDecl = _Typedef = _Typename

    def _IdentifierType(self, node: Node) -> CType:
        if len(node.names) == 1 and node.names[0] not in _BASIC:
            name = node.names[0]
            symbol = self.lookup(name)
            if symbol is not None and symbol.kind == "typedef":
                return symbol.type
        else:
            ctype = _BASIC.get(" ".join(sorted(node.names))) or _BASIC.get(" ".join(node.names))
            if ctype is not None:
                return ctype
            name = " ".join(node.names)
        self.problems.error("unknown-type", node, "{name} is not the name of a type.", name=name)
        return INT

    def _PtrDecl(self, node: Node) -> CType:
        return Pointer(self.type_of(node.type))

    def _ArrayDecl(self, node: Node) -> CType:
        element = self.type_of(node.type)
        if isinstance(element, (Void, Function)) or (isinstance(element, Record) and not element.complete):
            self.problems.error("array-of-nothing", node, "There can be no array of {type}: it has no size.", type=element)
            element = INT
        if node.dim is None:
            return Array(element, None)
        count = self.required_constant(node.dim, "the size of an array")
        if count < 0:
            self.problems.error("negative-array", node, "An array cannot have {count} elements.",
                                "If this is a compile-time assertion, it does not hold.", count=count)  # fmt: skip
            count = 1
        return Array(element, count)

    def _FuncDecl(self, node: Node) -> CType:
        returns = self.type_of(node.type)
        if isinstance(returns, (Array, Function)):
            self.problems.error("returns-array", node, "A function cannot return {type}.", type=returns)
            returns = INT
        nodes = node.args.params if node.args else []
        varargs = bool(nodes) and isinstance(nodes[-1], c_ast.EllipsisParam)
        parameters = tuple(self._parameter(p) for p in nodes if not isinstance(p, c_ast.EllipsisParam))
        if len(parameters) == 1 and isinstance(parameters[0].type, Void):
            parameters = ()
        for parameter, place in zip(parameters, nodes, strict=False):
            if isinstance(parameter.type, Void):
                self.problems.error("void-parameter", place, "A parameter cannot be void.")
        return Function(returns, parameters, varargs)

    def _parameter(self, node: Node) -> Parameter:
        if isinstance(node, c_ast.ID):
            self.problems.error("parameter-without-type", node, "{name} is not the name of a type.", name=node.name)
            return Parameter(node.name, INT)
        ctype = self.type_of(node.type)
        if isinstance(ctype, Array):
            ctype = Pointer(ctype.of)
        elif isinstance(ctype, Function):
            ctype = Pointer(ctype)
        return Parameter(getattr(node, "name", None) or "", ctype)

    def _Struct(self, node: Node) -> CType:
        kind = type(node).__name__.lower()
        key = f"{kind} {node.name}"
        if node.decls is None:
            known = self.tag(key)
            if known is None:
                known = self.scopes[-1].tags[key] = Record(kind, node.name)
            return known
        if id(node) in self._defined:
            return self._defined[id(node)][1]
        record = self.scopes[-1].tags.get(key) if node.name else None
        if not isinstance(record, Record):
            record = Record(kind, node.name or "")
            if node.name:
                self.scopes[-1].tags[key] = record
        elif record.complete:
            self.problems.error("record-twice", node, "{kind} {name} is defined twice.", kind=kind, name=node.name)
            record = Record(kind, node.name)
        # `struct S { … } a, *b;` gives one node to both names; keeping it here keeps its id its own.
        self._defined[id(node)] = node, record
        layout = next((a for a in node.attributes or () if isinstance(a, Layout)), Layout(16, 0))
        Members(self, record).complete(node, layout)
        return record

    _Union = _Struct

    def _Enum(self, node: Node) -> CType:
        key = f"enum {node.name}"
        if node.values is None:
            known = self.tag(key)
            if known is None:
                self.problems.error("unknown-enum", node, "There is no enum {name}.", name=node.name)
            return known or INT
        if id(node) in self._defined:
            return self._defined[id(node)][1]
        ctype = Int(4, True, key if node.name else "int", 3)
        self._defined[id(node)] = node, ctype
        if node.name:
            self.scopes[-1].tags[key] = ctype
        following = 0
        for item in node.values.enumerators:
            if isinstance(item, c_ast.Enumerator):
                if item.value is not None:
                    following = INT.wrap(self.required_constant(item.value, "an enum constant"))
                self._declared(Symbol(item.name, "constant", INT, place_of(item), "", following, item))
                following = INT.wrap(following + 1)
        return ctype

    # Declarations

    def declare(self, node: Node) -> Symbol | None:
        """Enter a declaration into the current scope.

        Args:
            node: a ``Decl``, ``Typedef`` or ``StaticAssert`` node.

        Returns:
            The symbol, None for a declaration without a name.
        """
        if isinstance(node, c_ast.StaticAssert):
            if not self.required_constant(node.cond, "a static assertion"):
                said = "" if node.message is None else node.message.value
                self.problems.error("static-assertion", node, "This static assertion does not hold. {message}", message=said)
            return None
        ctype = self.type_of(node.type)
        if not node.name:
            return None
        place = place_of(node)
        if isinstance(node, c_ast.Typedef):
            return self._declared(Symbol(node.name, "typedef", ctype.named(node.name), place, "typedef", None, node))
        storage = next((word for word in node.storage if word in ("static", "extern", "register")), "")
        if isinstance(ctype, Function):
            return self._declared(Symbol(node.name, "function", ctype, place, storage or "extern", None, node))
        ctype = self._object_type(node, ctype, storage)
        return self._declared(Symbol(node.name, "object", ctype, place, storage, None, node))

    def _object_type(self, node: Node, ctype: CType, storage: str) -> CType:
        if isinstance(ctype, Array) and ctype.count is None:
            count = element_count(self, ctype.of, node.init)
            if count is None and storage != "extern" and node.init is None and len(self.scopes) > 1:
                self.problems.error("array-without-size", node, "The array {name} has no size.", name=node.name)
                count = 1
            if count is not None:
                ctype = Array(ctype.of, count, alias=ctype.alias)
        if isinstance(ctype, Void) or (isinstance(ctype, Record) and not ctype.complete and storage != "extern"):
            self.problems.error("no-size", node, "{name} cannot be {type}: it has no size.",
                                "Perhaps a pointer to it is meant." if isinstance(ctype, Record) else None,
                                name=node.name, type=ctype)  # fmt: skip
            return INT
        return ctype

    def _declared(self, symbol: Symbol) -> Symbol:
        """Enter `symbol`, checked against an earlier declaration in the same scope (or a function of the headers)."""
        scope = self.scopes[-1]
        known = scope.names.get(symbol.name)
        if known is None and self.parent is not None and len(self.scopes) == 1 and symbol.kind == "function":
            known = self.parent.lookup(symbol.name)
            known = known if known and known.kind == "function" else None
        if known is not None:
            self._check_again(known, symbol, len(self.scopes) > 1)
            if symbol.kind == "object" and known.kind == "object":
                symbol = _merged(known, symbol)
        scope.names[symbol.name] = symbol
        return symbol

    def _check_again(self, known: Symbol, symbol: Symbol, inside: bool) -> None:
        values: dict[str, Any] = {"name": symbol.name, "file": known.place.file, "line": known.place.line}
        again = inside and symbol.kind == "object" and "extern" not in (known.storage, symbol.storage)
        if known.kind != symbol.kind or symbol.kind == "constant" or again:
            self.problems.error("declared-twice", symbol.place, "{name} is already declared in line {line} of {file}.", **values)
        elif not compatible(known.type, symbol.type):
            values |= {"new": symbol.type, "old": known.type}
            text = "{name} is declared as {new} here, but as {old} in line {line} of {file}."
            self.problems.error("conflicting-types", symbol.place, text, **values)


def _merged(known: Symbol, symbol: Symbol) -> Symbol:
    """One variable declared twice: keep the size that is known, and the definition."""
    if isinstance(symbol.type, Array) and symbol.type.count is None:
        symbol.type = known.type
    if symbol.storage == "extern":
        symbol.storage, symbol.node = known.storage, known.node
    elif symbol.node.init is None and known.node is not None and known.node.init is not None:
        symbol.node = known.node
    return symbol


def compatible(left: CType, right: CType) -> bool:
    """Whether two declarations of one name agree. Names of parameters and typedef names do not matter."""
    if isinstance(left, Function) and isinstance(right, Function):
        return (
            compatible(left.returns, right.returns)
            and left.varargs == right.varargs
            and len(left.parameters) == len(right.parameters)
            and all(compatible(a.type, b.type) for a, b in zip(left.parameters, right.parameters, strict=True))
        )
    if isinstance(left, Pointer) and isinstance(right, Pointer):
        return compatible(left.to, right.to)
    if isinstance(left, Array) and isinstance(right, Array):
        return compatible(left.of, right.of) and (None in (left.count, right.count) or left.count == right.count)
    return left == right
