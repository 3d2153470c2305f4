"""Declarations: names, scopes and types, from pycparser's type nodes to `CType`.

One `Declarations` serves a unit from its first declaration into its function bodies; the headers' own is its parent and is
never written to by a unit. A mistake is reported once and answered with a type that lets the check go on (int).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from typing import Any, Literal

from pycparser import c_ast

from wsklab.c import types
from wsklab.c.constant import complaints, element_count, evaluate
from wsklab.c.parse import Gap
from wsklab.c.records import complete
from wsklab.c.source import Place, Problem, Problems, place_of
from wsklab.c.types import (
    INT,
    UNKNOWN,
    Array,
    CType,
    Function,
    Int,
    Parameter,
    Pointer,
    Record,
    Void,
    compatible,
    has_size,
    is_variable,
)

SymbolKind = Literal["typedef", "object", "function", "constant"]
Node = Any

_BASIC: dict[str, CType] = {
    "void": types.VOID, "_Bool": types.BOOL, "float": types.FLOAT, "double": types.DOUBLE, "double long": types.DOUBLE,
    "char": types.CHAR, "char signed": types.SCHAR, "char unsigned": types.UCHAR,
    "short": types.SHORT, "short unsigned": types.USHORT, "int": types.INT, "unsigned": types.UINT,
    "long": types.LONG, "long unsigned": types.ULONG, "long long": types.LLONG, "long long unsigned": types.ULLONG,
}  # fmt: skip
"""The basic types by their words in alphabetical order, without the words that change nothing."""
_SIZE_OF_ARRAY = "the size of an array"


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

    @property
    def only_declared(self) -> bool:
        """Whether this is a variable that another unit must define."""
        return self.storage == "extern" and self.node.init is None


@dataclass
class Scope:
    """Names and tags of one block (or of the file)."""

    names: dict[str, Symbol] = field(default_factory=dict)
    tags: dict[str, CType] = field(default_factory=dict)


class Declarations:
    """Declared names of a unit, innermost scope last; `parent` is the headers'."""

    def __init__(self, problems: Problems, parent: Declarations | None = None) -> None:
        self.problems = problems
        problems.typedef_of = self.typedef_of
        self.parent = parent
        self.scopes = [Scope()]
        self.defined: set[str] = set()
        """Names of the functions that the unit defines."""
        self.makes_array: Callable[[CType, Node], CType] | None = None
        """What makes them; None where they cannot stand."""
        self._defined: dict[Node, CType] = {}
        """Records and enums by the node with their members: `struct S { … } a, *b;` gives one node to both names."""

    @property
    def hosted(self) -> bool:
        """Whether this is standard C: a program with a main. What is made for the kernel goes through Microsoft's compiler."""
        return "main" in self.defined

    # Scopes

    @contextmanager
    def scope(self, tags: dict[str, CType] | None = None) -> Iterator[None]:
        """A nested scope for the time of a ``with`` block, perhaps with the tags of another."""
        self.scopes.append(Scope({}, {} if tags is None else tags))
        try:
            yield
        finally:
            self.scopes.pop()

    def _seen(self) -> Iterator[Scope]:
        yield from reversed(self.scopes)
        if self.parent:
            yield from self.parent._seen()

    def enter(self, symbol: Symbol) -> None:
        """Put a symbol into the current scope."""
        self.scopes[-1].names[symbol.name] = symbol

    def lookup(self, name: str) -> Symbol | None:
        """The symbol that `name` means here."""
        return next((scope.names[name] for scope in self._seen() if name in scope.names), None)

    def values(self) -> Iterable[str]:
        """All names that can be seen here and stand for a value."""
        return (name for scope in self._seen() for name, symbol in scope.names.items() if symbol.kind != "typedef")

    def tag(self, key: str) -> CType | None:
        """The type with tag `key` (``"struct _IRP"``) that is seen here."""
        return next((scope.tags[key] for scope in self._seen() if key in scope.tags), None)

    def record(self, name: str) -> Record | None:
        """A struct or union by typedef name, ``struct`` name or bare tag."""
        symbol = self.lookup(name)
        named = symbol.type if symbol is not None and symbol.kind == "typedef" else None
        found = (named, *(self.tag(key) for key in (name, f"struct {name}", f"union {name}")))
        return next((ctype for ctype in found if isinstance(ctype, Record)), None)

    def typedef_of(self, spelled: str) -> str:
        """The first typedef name of a structure given as ``"struct _IRP"``; the same text if it has none."""
        symbols = (symbol for scope in self._seen() for symbol in scope.names.values() if symbol.kind == "typedef")
        return next((symbol.name for symbol in symbols if symbol.type.spelled() == spelled), spelled)

    # Constants

    def constant(self, node: Node) -> int | None:
        """Value of an integer constant expression, None if it is none."""
        try:
            return evaluate(self, node)[0]
        except (ValueError, TypeError):
            return None

    def required_constant(self, node: Node, what: str) -> int:
        """Value of an integer constant expression, 1 if it is none; `what` says for the message what it is for."""
        value = 1 if isinstance(node, Gap) else self.constant(node)
        if value is not None:
            return value
        wrong = self._complain(node)
        if not wrong:
            text, hint = "The value of {what} must be known when compiling.", None
            if what == _SIZE_OF_ARRAY and len(self.scopes) > 1 and not self.hosted:
                hint = "Microsoft's compiler has no arrays of variable length: take the memory from ExAllocatePool2."
            self.problems.error("not-constant", node, text, hint, what=what)
        # Names that the page leaves out have values of their own, so that they can be the cases of a switch.
        names = [problem.values.get("name") for problem in wrong]
        return 1 + max((number for number, name in enumerate(self.problems.assumed) if name in names), default=0)

    def _complain(self, node: Node) -> list[Problem]:
        """Report and return what is wrong in an expression that has no constant value."""
        wrong = complaints(self, node)
        for problem in wrong:
            self.problems.adopt(problem)
        return wrong

    # Types

    def type_of(self, node: Node) -> CType:
        """The type that a type node (or the type of a declaration node) means."""
        if node in self._defined:
            return self._defined[node]
        method: Callable[[Node], CType] | None = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            self.problems.error("not-supported", node, "This kind of type is not supported.")
            return INT
        return method(node)

    def _Typename(self, node: Node) -> CType:
        return self.type_of(node.type)

    _Decl = _Typedef = _Typename

    def _TypeDecl(self, node: Node) -> CType:
        ctype = self.type_of(node.type)
        return types.constant(ctype) if "const" in node.quals and not isinstance(ctype, Function) else ctype

    def _IdentifierType(self, node: Node) -> CType:
        words = sorted(node.names)
        plain = [word for word in words if word != "int" and (word != "signed" or "char" in words)]
        # What is left of `long int` or `signed` alone is int; `int int` and `float int` are no types.
        basic = _BASIC.get(" ".join(plain) or "int") if words.count("int") < 2 else None
        if basic is not None and (isinstance(basic, Int) or plain == words):
            return basic
        symbol = self.lookup(words[0]) if len(words) == 1 else None
        if symbol is not None and symbol.kind == "typedef":
            return symbol.type
        self.problems.error("unknown-type", node, "{name} is not the name of a type.", name=" ".join(node.names))
        return INT

    def _PtrDecl(self, node: Node) -> CType:
        return Pointer(self.type_of(node.type), const="const" in (node.quals or ()))

    def _ArrayDecl(self, node: Node) -> CType:
        element = self.type_of(node.type)
        if not has_size(element):
            self.problems.error("array-of-nothing", node, "There can be no array of {type}: it has no size.", type=element)
            element = INT
        variable = isinstance(element, Array) and element.held
        if self.makes_array and not isinstance(node.dim, Gap | None) and (variable or self.constant(node.dim) is None):
            return self.makes_array(element, node.dim)
        count = None if node.dim is None else self.required_constant(node.dim, _SIZE_OF_ARRAY)
        if count is not None and count < 0:
            text, hint = "An array cannot have {count} elements.", "If this is a compile-time assertion, it does not hold."
            self.problems.error("negative-array", node, text, hint, count=count)
            count = 1
        return Array(element, count)

    def _array_of_prototype(self, element: CType, size: Node) -> CType:
        if not isinstance(size, c_ast.ID) or size.name != "*":
            self._complain(size)
        return Array(element, None, held="*")

    def _FuncDecl(self, node: Node) -> CType:
        returns = self.type_of(node.type)
        if isinstance(returns, (Array, Function)):
            self.problems.error("returns-array", node, "A function cannot return {type}.", type=returns)
            returns = INT
        nodes = node.args.params if node.args else []
        varargs = bool(nodes) and isinstance(nodes[-1], c_ast.EllipsisParam)
        around, self.makes_array = self.makes_array, self._array_of_prototype if self.hosted else None
        with self.scope(self.scopes[-1].tags):
            parameters = tuple(self.parameter(p) for p in nodes if not isinstance(p, c_ast.EllipsisParam))
        self.makes_array = around
        if len(parameters) == 1 and isinstance(parameters[0].type, Void):
            parameters = ()
        for parameter, place in zip(parameters, nodes, strict=False):
            if isinstance(parameter.type, Void):
                self.problems.error("void-parameter", place, "A parameter cannot be void.")
        return Function(returns, parameters, varargs, node.args is None)

    def parameter(self, node: Node) -> Parameter:
        """What a parameter means; the sizes of those behind it may name it."""
        if isinstance(node, c_ast.ID):
            self.problems.error("parameter-without-type", node, "{name} is not the name of a type.", name=node.name)
            return Parameter(node.name, UNKNOWN)
        ctype = self.type_of(node.type)
        if isinstance(ctype, (Array, Function)):
            ctype = Pointer(ctype.of if isinstance(ctype, Array) else ctype)
        name = getattr(node, "name", None) or ""
        self.enter(Symbol(name, "object", ctype, place_of(node)))
        return Parameter(name, ctype)

    def _Struct(self, node: Node) -> CType:
        kind = type(node).__name__.lower()
        key, tags, place = f"{kind} {node.name}", self.scopes[-1].tags, astuple(place_of(node))
        if node.decls is None:
            known = self.tag(key)
            if known is None:
                known = tags[key] = Record(kind, node.name, place=place)
            return known
        record = tags.get(key) if node.name else None
        if isinstance(record, Record) and record.complete:
            self.problems.error("record-twice", node, "{kind} {name} is defined twice.", kind=kind, name=node.name)
        if not isinstance(record, Record) or record.complete:
            record = Record(kind, node.name or "", place=place)
            if node.name:
                tags.setdefault(key, record)
        self._defined[node] = record
        complete(self, record, node)
        return record

    _Union = _Struct

    def _Enum(self, node: Node) -> CType:
        key = f"enum {node.name}"
        if node.values is None:
            # An enum is an int even before its constants are known, as in Microsoft's compiler.
            known = self.tag(key)
            if known is None:
                # Microsoft's compiler takes it for an int, too: its constants may follow.
                self.problems.warning("unknown-enum", node, "There is no enum {name}.", name=node.name)
            return known or INT
        ctype = Int(4, True, key if node.name else "int", 3)
        self._defined[node] = ctype
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
        """Enter a ``Decl``, ``Typedef`` or ``StaticAssert`` node into the current scope; None if it has no name."""
        if isinstance(node, c_ast.StaticAssert):
            if not self.required_constant(node.cond, "a static assertion"):
                said = "" if node.message is None else node.message.value
                hint = "{message}" if said else None
                self.problems.error("static-assertion", node, "This static assertion does not hold.", hint, message=said)
            return None
        ctype, place = self.type_of(node.type), place_of(node)
        if not node.name:
            return None
        if isinstance(node, c_ast.Typedef):
            return self._declared(Symbol(node.name, "typedef", ctype.named(node.name), place, "typedef", None, node))
        storage = next((word for word in node.storage if word in ("static", "extern", "register")), "")
        if isinstance(ctype, Function):
            return self._declared(Symbol(node.name, "function", ctype, place, storage or "extern", None, node))
        return self._declared(Symbol(node.name, "object", self._object_type(node, ctype, storage), place, storage, None, node))

    def _object_type(self, node: Node, ctype: CType, storage: str) -> CType:
        if isinstance(ctype, Array) and ctype.count is None and not ctype.held:
            count = None if is_variable(ctype.of) else element_count(self, ctype.of, node.init)
            if count is None and storage != "extern" and len(self.scopes) > 1:
                if node.init is None:
                    self.problems.error("array-without-size", node, "The array {name} has no size.", name=node.name)
                count, ctype = 1, Array(INT, None) if is_variable(ctype.of) else ctype
            if count is not None:
                ctype = Array(ctype.of, count, alias=ctype.alias)
        if isinstance(ctype, Void) or (not has_size(ctype) and storage != "extern"):
            hint = "Perhaps a pointer to it is meant." if isinstance(ctype, Record) else None
            self.problems.error("no-size", node, "{name} cannot be {type}: it has no size.", hint, name=node.name, type=ctype)
            return UNKNOWN
        return ctype

    def _declared(self, symbol: Symbol) -> Symbol:
        """Enter `symbol`, checked against an earlier declaration in the same scope (or a function of the headers)."""
        scope, inside = self.scopes[-1], len(self.scopes) > 1
        known = scope.names.get(symbol.name)
        if known is None and self.parent is not None and not inside and symbol.kind == "function":
            known = self.parent.lookup(symbol.name)
            known = known if known and known.kind == "function" else None
        if known is not None and (inside or UNKNOWN not in (known.type, symbol.type)):
            self._check_again(known, symbol, inside)
            if symbol.kind == "object" and known.kind == "object":
                symbol = _merged(known, symbol)
            elif isinstance(symbol.type, Function) and (symbol.type.unprototyped or self._is_library(known, symbol)):
                symbol.type = known.type
        scope.names[symbol.name] = symbol
        return symbol

    def _check_again(self, known: Symbol, symbol: Symbol, inside: bool) -> None:
        values: dict[str, Any] = {"name": symbol.name, "file": known.place.file, "line": known.place.line}
        again = inside and symbol.kind == "object" and "extern" not in (known.storage, symbol.storage)
        again = again or all(getattr(each.node, "init", None) for each in (known, symbol) if not inside)
        if known.kind != symbol.kind or symbol.kind == "constant" or again:
            self.problems.error("declared-twice", symbol.place, "{name} is already declared in line {line} of {file}.", **values)
        elif not compatible(known.type, symbol.type, exact=True):
            values |= {"new": symbol.type, "old": known.type}
            text = "{name} is declared as {new} here, but as {old} in line {line} of {file}."
            report = self.problems.warning if self._is_library(known, symbol) else self.problems.error
            report("conflicting-types", symbol.place, text, **values)

    def _is_library(self, known: Symbol, symbol: Symbol) -> bool:
        """Whether a program declares a function of the library for itself, as before C89: the library knows better."""
        shared = known.kind == symbol.kind == "function" and known.name not in self.scopes[0].names
        return self.hosted and shared and symbol.name not in self.defined


def _merged(known: Symbol, symbol: Symbol) -> Symbol:
    """One variable declared twice: keep the size that is known, and the definition."""
    if isinstance(symbol.type, Array) and symbol.type.count is None:
        symbol.type = known.type
    if symbol.storage == "extern":
        symbol.storage, symbol.node = known.storage, known.node
    elif symbol.node.init is None and known.node is not None and known.node.init is not None:
        symbol.node = known.node
    return symbol
