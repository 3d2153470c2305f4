"""C types of x64 Windows: sizes, alignments, members.

What the front end, the simulated machine and the Python views share; nothing here knows about source text or kernels.
The data model is LLP64: int and long are 4 bytes, pointers and long long 8 (design, decision 1; `facts/layouts.json`).

A type is compared by identity of its records and by value otherwise. `alias` keeps the typedef name that a declaration
used (``NTSTATUS``, ``PIRP``): it changes how a value is printed, never how it is computed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Self


@dataclass(frozen=True)
class CType:
    """Base of all types. `alias` is the typedef name that the declaration used, if any; `const` what must not be changed."""

    alias: str | None = field(default=None, kw_only=True, compare=False)
    const: bool = field(default=False, kw_only=True, compare=False)

    @property
    def size(self) -> int:
        """Size in bytes. Raises TypeError for incomplete types and functions."""
        raise TypeError(f"{self} has no size")

    @property
    def align(self) -> int:
        """Alignment in bytes."""
        return self.size

    def named(self, alias: str) -> Self:
        """The same type under a typedef name."""
        return replace(self, alias=alias)

    def spelled(self) -> str:
        """The type as C writes it, without a declared name."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.alias or self.spelled()


@dataclass(frozen=True)
class Void(CType):
    """``void``: no size, only pointed to."""

    def spelled(self) -> str:
        return "void"


@dataclass(frozen=True)
class _Number(CType):
    bytes: int

    @property
    def size(self) -> int:
        return self.bytes


@dataclass(frozen=True)
class Int(_Number):
    """An integer type. `name` is the C spelling; two types are the same when width and signedness agree.

    `rank` orders the standard types for the usual arithmetic conversions (int 3, long 4, long long 5).
    """

    signed: bool
    name: str = field(default="", compare=False)
    rank: int = field(default=3, compare=False)

    @property
    def bits(self) -> int:
        """Width in bits."""
        return self.bytes * 8

    @property
    def minimum(self) -> int:
        """Smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def maximum(self) -> int:
        """Largest value."""
        return (1 << (self.bits - self.signed)) - 1

    def wrap(self, value: int) -> int:
        """`value` reduced to this type, as a C conversion does it."""
        value &= (1 << self.bits) - 1
        return value - (1 << self.bits) if self.signed and value >> (self.bits - 1) else value

    def spelled(self) -> str:
        return self.name or f"{'' if self.signed else 'unsigned '}int{self.bits}"


@dataclass(frozen=True)
class Float(_Number):
    """``float`` (4 bytes) or ``double`` (8 bytes; ``long double`` is the same type on Windows)."""

    def spelled(self) -> str:
        return "float" if self.bytes == 4 else "double"


@dataclass(frozen=True)
class Pointer(CType):
    """A 64-bit pointer."""

    to: CType

    @property
    def size(self) -> int:
        return 8

    def spelled(self) -> str:
        if isinstance(self.to, Function):
            return self.to.spelled().replace("(", "(*)(", 1)
        return f"{self.to}*" if isinstance(self.to, Pointer) else f"{self.to} *"


@dataclass(frozen=True)
class Array(CType):
    """An array; `count` is None while unknown (``T x[]``, a flexible member).

    It has a variable length if `held` is not empty: the Python local that holds its size in bytes, ``"*"`` in a prototype.
    """

    of: CType
    count: int | None
    held: str = field(default="", kw_only=True, compare=False)

    @property
    def size(self) -> int:
        return super().size if self.held else self.of.size * (self.count or 0)

    @property
    def align(self) -> int:
        return self.of.align

    def spelled(self) -> str:
        return f"{self.of}[{'*' if self.held else '' if self.count is None else self.count}]"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a function type."""

    name: str
    type: CType


@dataclass(frozen=True)
class Function(CType):
    """A function type. `varargs` is true for ``(…, ...)``, `unprototyped` for ``()``, which says nothing of the parameters."""

    returns: CType
    parameters: tuple[Parameter, ...]
    varargs: bool = False
    unprototyped: bool = field(default=False, compare=False)

    def spelled(self) -> str:
        inside = ", ".join(str(p.type) for p in self.parameters) or "void"
        return f"{self.returns} ({inside}{', ...' if self.varargs else ''})"


@dataclass(frozen=True)
class Field:
    """One member of a record. `offset` in bytes; bit-fields have `bit_width` and `bit_offset` inside their unit."""

    name: str
    type: CType
    offset: int
    bit_offset: int = 0
    bit_width: int | None = None


@dataclass(frozen=True, eq=False)
class Record(CType):
    """A struct or union, compared by identity because it can refer to itself.

    `fields` are the members as declared (name "" for an unnamed struct or union); `members` also finds the names
    inside unnamed members, with offsets from the start of this record. Both are empty until `complete`.
    """

    kind: str
    tag: str
    fields: list[Field] = field(default_factory=list)
    members: dict[str, Field] = field(default_factory=dict)
    layout: list[int] = field(default_factory=list)
    place: tuple[str, int, int] | None = None
    """Where it is first named: file, line, column; None in our headers, which every file shares."""

    @property
    def complete(self) -> bool:
        """Whether the body has been seen."""
        return bool(self.layout)

    @property
    def size(self) -> int:
        return self.layout[0] if self.layout else super().size

    @property
    def align(self) -> int:
        return self.layout[1] if self.layout else super().align

    def finish(self, fields: list[Field], size: int, align: int) -> None:
        """Complete the record with laid-out members."""
        self.fields[:] = fields
        self.members.update(_flattened(fields, 0))
        self.layout[:] = [size, align]

    def spelled(self) -> str:
        return f"{self.kind} {self.tag or '(unnamed)'}"

    def __hash__(self) -> int:
        return hash((self.kind, self.tag))

    def __eq__(self, other: object) -> bool:
        # A typedef name makes a renamed copy that shares the member list with the original.
        return isinstance(other, Record) and other.fields is self.fields


def _flattened(fields: list[Field], base: int) -> Iterator[tuple[str, Field]]:
    for member in fields:
        if member.name:
            yield member.name, replace(member, offset=member.offset + base)
        elif isinstance(member.type, Record):
            yield from _flattened(member.type.fields, member.offset + base)


def sized(ctype: CType, sizes: Mapping[str, int]) -> CType:
    """The type with the lengths that its arrays have while `sizes` are held, none for what is not known yet."""
    if isinstance(ctype, Pointer):
        return replace(ctype, to=sized(ctype.to, sizes))
    if not isinstance(ctype, Array):
        return ctype
    element = sized(ctype.of, sizes)
    count = sizes.get(ctype.held, 0) // (element.size or 1) if ctype.held else ctype.count
    return Array(element, count, alias=ctype.alias)


def is_variable(ctype: CType) -> bool:
    """Whether the size of an array in it, or of one that it points to, is known only at run time."""
    if isinstance(ctype, Array):
        return bool(ctype.held) or is_variable(ctype.of)
    return isinstance(ctype, Pointer) and is_variable(ctype.to)


def has_size(ctype: CType) -> bool:
    """Whether there can be an object of this type."""
    return not isinstance(ctype, (Void, Function)) and (not isinstance(ctype, Record) or ctype.complete)


Pair = tuple[Record, Record]


def compatible(one: CType, other: CType, *, exact: bool = False, across: list[Pair] | None = None) -> bool:
    """Whether objects of the two types look the same. Signedness of integers is not looked at, as in MSVC below /W4.

    If `exact`, whether two declarations of one name agree. Names of parameters and typedef names never matter. If the types are
    of two files, records agree that are written alike; `across` collects the pairs of them, and ends with the one that differs.
    """
    same = partial(compatible, exact=exact, across=across)
    if one is UNKNOWN or other is UNKNOWN:
        return True
    if isinstance(one, Int) and isinstance(other, Int) and not exact:
        return one.bytes == other.bytes
    if isinstance(one, Pointer) and isinstance(other, Pointer):
        return same(one.to, other.to)
    if isinstance(one, Array) and isinstance(other, Array):
        return same(one.of, other.of) and (one.count == other.count or None in (one.count, other.count))
    if isinstance(one, Function) and isinstance(other, Function):
        if one.unprototyped or other.unprototyped:
            return same(one.returns, other.returns)
        alike = one.varargs == other.varargs and len(one.parameters) == len(other.parameters) and same(one.returns, other.returns)
        return alike and all(same(a.type, b.type) for a, b in zip(one.parameters, other.parameters, strict=True))
    if isinstance(one, Record) and isinstance(other, Record) and across is not None and one != other:
        return _written_alike(one, other, across)
    return one == other


def _written_alike(one: Record, other: Record, across: list[Pair]) -> bool:
    """Whether two files declare the same structure: its tag, and names, types and places of its members (C11 6.2.7)."""
    if (one.kind, one.tag) != (other.kind, other.tag):
        return False
    if any(pair == (one, other) for pair in across):
        return True  # it refers to itself
    across.append((one, other))
    alike = one.layout == other.layout and len(one.fields) == len(other.fields)
    alike = alike and all(
        replace(f, type=g.type) == g and compatible(f.type, g.type, exact=True, across=across)
        for f, g in zip(one.fields, other.fields, strict=True)
    )
    if alike or not one.complete or not other.complete:
        across.insert(0, across.pop(across.index((one, other))))
        return True
    return False


def constant(ctype: CType) -> CType:
    """The type with ``const``; of an array, its elements have it."""
    if isinstance(ctype, Array):
        return replace(ctype, of=constant(ctype.of))
    return ctype if ctype is UNKNOWN else replace(ctype, const=True)


def is_constant(ctype: CType) -> bool:
    """Whether an object of this type must not be changed."""
    return is_constant(ctype.of) if isinstance(ctype, Array) else ctype.const


def same_type(one: CType, other: CType) -> bool:
    """Whether ``_Generic`` takes two types as the same: also the kinds of integer and what is const behind a pointer count."""
    if isinstance(one, Int) and isinstance(other, Int):
        return (one.rank, one.signed, one.rank == 1 and one.name) == (other.rank, other.signed, other.rank == 1 and other.name)
    if isinstance(one, Pointer) and isinstance(other, Pointer):
        return one.to.const == other.to.const and same_type(one.to, other.to)
    return compatible(one, other, exact=True)


VOID = Void()
BOOL = Int(1, False, "_Bool", 0)
CHAR = Int(1, True, "char", 1)
SCHAR = Int(1, True, "signed char", 1)
UCHAR = Int(1, False, "unsigned char", 1)
SHORT = Int(2, True, "short", 2)
USHORT = Int(2, False, "unsigned short", 2)
INT = Int(4, True, "int", 3)
UINT = Int(4, False, "unsigned int", 3)
LONG = Int(4, True, "long", 4)
ULONG = Int(4, False, "unsigned long", 4)
LLONG = Int(8, True, "long long", 5)
ULLONG = Int(8, False, "unsigned long long", 5)
FLOAT = Float(4)
DOUBLE = Float(8)


class _Unknown(Int):
    def named(self, alias: str) -> Self:
        return self


UNKNOWN = _Unknown(4, True, "unknown", 3)
"""Type of what was already complained about, or of what a page leaves to its reader (compared by identity): nobody complains."""
SIZE_T = Int(8, False, "unsigned long long", 5)


def layout_record(kind: str, members: list[tuple[str, CType, int | None, int]], pack: int = 16) -> tuple[list[Field], int, int]:
    """Lay out members as the Microsoft x64 compiler does.

    Args:
        kind: ``"struct"`` or ``"union"``.
        members: (name, type, bit width or None, extra alignment in bytes or 0), in order.
        pack: the ``#pragma pack`` value in force, in bytes.

    Returns:
        The fields with their offsets, the size and the alignment in bytes.
    """
    fields: list[Field] = []
    offset = align = size = 0
    unit_size = unit_used = unit_offset = 0
    for name, ctype, width, extra in members:
        # An alignment beyond the packing can only come from __declspec(align), which packing does not lower.
        member_align = max(ctype.align if ctype.align > 16 else min(ctype.align, pack), extra)
        if width is not None and kind == "struct":
            # A bit-field shares the unit of the one before it when the declared sizes agree and it still fits.
            if width and unit_size == ctype.size and unit_used + width <= ctype.size * 8:
                fields.append(Field(name, ctype, unit_offset, unit_used, width))
                unit_used += width
                continue
            unit_size = 0
            if width == 0:
                continue
            unit_offset = -(-offset // member_align) * member_align
            unit_size, unit_used = ctype.size, width
            fields.append(Field(name, ctype, unit_offset, 0, width))
            offset = unit_offset + ctype.size
        else:
            unit_size = 0
            place = 0 if kind == "union" else -(-offset // member_align) * member_align
            fields.append(Field(name, ctype, place, 0, width))
            offset = place + ctype.size
        align = max(align, member_align)
        size = max(size, offset)
    align = align or 1
    return fields, -(-size // align) * align, align
