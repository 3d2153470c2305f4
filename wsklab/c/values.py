"""Values and objects of C while they become Python.

Three rules hold. The node of an integer agrees with its value modulo the width of its type and is wrapped (`settled`) only
where its range says that it can leave the type. An address keeps its constant part (`offset`) to itself until it is used;
loads and stores take it unwrapped (`reach`), because memory refuses what is too far. A record's value is its address.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from wsklab.c import python as py
from wsklab.c.source import NOWHERE, Place
from wsklab.c.types import BOOL, VOID, Array, CType, Float, Function, Int, Pointer, Record, Void, compatible
from wsklab.c.types import UNKNOWN as UNKNOWN

Range = tuple[int, int]
MASK = 0xFFFF_FFFF_FFFF_FFFF
BIT: Range = (0, 1)
KEPT = "t·"
"""Python local that holds a result while it is compared with the limits of its type."""
_OF_TYPE: Range = (1, 0)
_PURE = (ast.Name, ast.Constant, ast.BinOp, ast.operator, ast.expr_context)


@dataclass(eq=False)
class Element:
    """How an address was made: `number`, the settled `index`, times `scale` bytes behind `base` (see `Value.root`).

    Of an array that is known it is an element of `count`; an index that is not among the `allowed` ones stops the run.
    """

    base: ast.expr
    root: str
    index: Value
    number: ast.expr
    scale: int
    count: int = 0
    allowed: Range = (0, 0)


@dataclass(eq=False)
class Value:
    """What an expression is worth.

    `span` are the smallest and the largest number of `node`; `truth` says that only the truth of `node` counts; `name` is
    the function whose address this is; `root` the C local whose value the address is (empty: an address that never changes);
    `bits` the width of the bit-field it comes from.
    """

    type: CType
    at: Place
    node: ast.expr
    span: Range = _OF_TYPE
    offset: int = 0
    truth: bool = False
    name: str = ""
    root: str | None = None
    element: Element | None = None
    bits: int | None = None

    def __post_init__(self) -> None:
        py.locate(self.node, self.at)
        if self.span is _OF_TYPE:
            self.span = type_range(self.type)

    @property
    def constant(self) -> int | float | None:
        """The number, if it is known."""
        return self.node.value if isinstance(self.node, ast.Constant) else None  # type: ignore[return-value]


@dataclass(eq=False)
class Local:
    """A parameter or variable of automatic storage: Python's local `python`, or `offset` bytes into the call's frame."""

    name: str
    type: CType
    python: str
    offset: int | None = None


@dataclass(eq=False)
class Object:
    """What can be assigned to, or has an address: a Python local, or bytes at `address` (perhaps only some bits)."""

    type: CType
    at: Place
    address: Value
    local: Local | None = None
    bit_offset: int = 0
    bit_width: int | None = None

    @property
    def wide(self) -> bool:
        """Whether it is copied as bytes."""
        return isinstance(self.type, Array | Record)


def unknown(*values: Value | Object) -> bool:
    """Whether one of the expressions was already complained about."""
    return any(v.type is UNKNOWN for v in values)


def is_scalar(ctype: CType) -> bool:
    """Arithmetic or pointer."""
    return isinstance(ctype, Int | Float | Pointer)


def is_bool(ctype: CType) -> bool:
    """Whether the type is ``_Bool``, to which everything but zero converts as one."""
    return isinstance(ctype, Int) and ctype.rank == BOOL.rank


def is_null(v: Value) -> bool:
    """Whether this is a null pointer constant: 0, or 0 cast to ``void *``."""
    return v.constant == 0 and (isinstance(v.type, Int) or (isinstance(v.type, Pointer) and isinstance(v.type.to, Void)))


def _forgets(source: CType, target: CType) -> bool:
    """Whether ``T *`` and ``void *`` are pointed to: Microsoft's compiler takes ``T **`` for ``void **`` silently, also at /W4.

    It builds Microsoft's WSK sample, which does so for ObReferenceObjectByHandle, with warnings as errors.
    """
    if not (isinstance(source, Pointer) and isinstance(target, Pointer) and isinstance(target.to, Void)):
        return False
    return not isinstance(source.to, Function) and (target.to.const or not source.to.const)


def pointer_trouble(value: Value, target: CType) -> str | None:
    """What C says of `value` becoming `target` where it is assigned.

    Returns:
        None when all is well, else the id of the problem: ``"incompatible-types"`` is refused, the others are warned about.
    """
    source = value.type
    if source is UNKNOWN or target is UNKNOWN or (isinstance(source, Int | Float) and isinstance(target, Int | Float)):
        return None
    if isinstance(target, Pointer) and isinstance(source, Pointer):
        either_void = isinstance(source.to, Void) or isinstance(target.to, Void)
        if not either_void and not compatible(source.to, target.to) and not _forgets(source.to, target.to):
            return "pointer-types"
        return "const-discarded" if source.to.const and not target.to.const else None
    if isinstance(target, Pointer) and isinstance(source, Int):
        return None if is_null(value) else "pointer-from-int"
    if isinstance(source, Pointer) and isinstance(target, Int):
        return None if is_bool(target) else "pointer-to-int"
    return None if isinstance(target, Record) and source == target else "incompatible-types"


def type_range(ctype: CType) -> Range:
    """All values of a type."""
    return (ctype.minimum, ctype.maximum) if isinstance(ctype, Int) else (0, MASK)


def possible(v: Value) -> Range:
    """The numbers the value can be, once it is in range of its type."""
    low, high = type_range(v.type)
    return v.span if low <= v.span[0] and v.span[1] <= high else (low, high)


# The three ways to use a value


def reach(v: Value) -> ast.expr:
    """An address for a load or store, which refuses what is out of range."""
    node = py.binary(v.node, "+", v.offset)
    py.locate(node, v.at)
    return node


def settled(v: Value) -> ast.expr:
    """The value in range of its type."""
    if v.truth:
        node = py.choose(v.node, py.constant(1), py.constant(0))
    elif isinstance(v.type, Int):
        node = _wrapped(v.node, v.span, v.type)
    elif isinstance(v.type, Pointer) and (v.offset < 0 or v.span[0] < 0):
        # Upwards no address of ours comes near the end of the address space.
        node = py.binary(reach(v), "&", MASK)
    else:
        node = reach(v)
    py.locate(node, v.at)
    return node


def truth(v: Value) -> ast.expr:
    """The value as a Python condition."""
    return v.node if v.truth else settled(v)


def _wrapped(node: ast.expr, span: Range, ctype: Int) -> ast.expr:
    low, high = ctype.minimum, ctype.maximum
    if low <= span[0] and span[1] <= high:
        return node
    if not ctype.signed:
        return py.binary(node, "&", high)
    fits = py.between(low, py.save(KEPT, node), "<=", py.constant(high))
    return py.choose(fits, py.name(KEPT), py.call(f"wrap·{py.kind(ctype)}", py.name(KEPT)))


def number(ctype: CType, at: Place, value: int | float) -> Value:
    """A known number, in range of its type."""
    return Value(ctype, at, py.constant(value), (value, value) if isinstance(value, int) else _OF_TYPE)


def comma(first: ast.expr, second: Value) -> Value:
    """`first` for its effect, then `second`."""
    return Value(second.type, second.at, py.after(first, settled(second)), possible(second))


# Addresses


def moved(base: Value, offset: int, ctype: CType) -> Value:
    """`base` + `offset` bytes, of type `ctype`; a known address is folded."""
    if isinstance(base.constant, int):
        return number(ctype, base.at, (base.constant + offset) & MASK)
    return replace(base, type=ctype, offset=base.offset + offset)


def element(base: Value, index: Value, scale: int | str, ctype: CType) -> Value:
    """`base` + `index` * `scale` bytes, of type `ctype`; a negative scale subtracts, a name is the Python local with it."""
    if isinstance(scale, str):
        node = py.binary(base.node, "+", py.binary(settled(index), "*", py.name(scale)))
        return Value(ctype, base.at, node, (-1, MASK), base.offset)
    if index.constant is not None:
        return moved(base, int(index.constant) * scale, ctype)
    count = settled(index)
    node = py.binary(base.node, "+" if scale >= 0 else "-", py.binary(count, "*", abs(scale)))
    down = scale < 0 or possible(index)[0] < 0
    item = None
    if base.root is not None and base.element is None and scale > 0:
        item = Element(base.node, base.root, index, count, scale)
    return Value(ctype, base.at, node, (-1, MASK) if down else base.span, base.offset, element=item)


def member(base: Value, offset: int, ctype: CType, bit_offset: int = 0, bit_width: int | None = None) -> Object:
    """What lies `offset` bytes behind the address `base`."""
    return Object(ctype, base.at, moved(base, offset, Pointer(ctype)), None, bit_offset, bit_width)


def is_pure(node: ast.expr) -> bool:
    """Whether an address can be computed twice: it calls, loads and changes nothing."""
    return all(isinstance(part, _PURE) for part in ast.walk(node))


NOTHING = Value(VOID, NOWHERE, py.constant(None))
"""The address of what has none."""
