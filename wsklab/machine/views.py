"""C structures as Python sees them.

A view is an address with a type. Members read and write the machine's real bytes: ``irp.IoStatus.Status``. A pointer member is
again a view, false when NULL; a view prints like a debugger shows it. Nothing is copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from wsklab.c.types import Array, CType, Field, Float, Function, Int, Pointer, Record, Void
from wsklab.machine.status import NTSTATUS

if TYPE_CHECKING:
    from wsklab.machine.machine import Machine


class View:
    """An object of the simulated machine: an address and the type that lies there."""

    __slots__ = ("_address", "_machine", "_type")
    dumper: ClassVar[Callable[[Machine, int, CType], str]]  # what dump() says; given by the lab, for pictures lie above machines

    def __init__(self, machine: Machine, address: int, ctype: CType) -> None:
        object.__setattr__(self, "_machine", machine)
        object.__setattr__(self, "_address", address)
        object.__setattr__(self, "_type", ctype)

    # As a pointer

    def __bool__(self) -> bool:
        return bool(self._address)

    def __int__(self) -> int:
        return int(self._address)

    __index__ = __int__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (int, View)) and int(other) == self._address

    def __hash__(self) -> int:
        return hash(self._address)

    # As a structure

    def _member(self, name: str) -> Field:
        if isinstance(self._type, Record) and name in self._type.members:
            return self._type.members[name]
        raise AttributeError(f"{self._type} has no member {name}")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        member = self._member(name)
        return read_value(self._machine, self._address + member.offset, member.type, member)

    def __setattr__(self, name: str, value: Any) -> None:
        member = self._member(name)
        write_value(self._machine, self._address + member.offset, member.type, value, member)

    def __dir__(self) -> list[str]:
        return sorted(self._type.members) if isinstance(self._type, Record) else []

    # As an array

    def __getitem__(self, index: int) -> Any:
        element = self._type.of if isinstance(self._type, Array) else self._type
        if isinstance(self._type, Array) and self._type.count is not None and not 0 <= index < self._type.count:
            raise IndexError(f"{self._type} has no element {index}")
        return read_value(self._machine, self._address + index * element.size, element)

    def __setitem__(self, index: int, value: Any) -> None:
        element = self._type.of if isinstance(self._type, Array) else self._type
        write_value(self._machine, self._address + index * element.size, element, value)

    def __iter__(self) -> Iterator[Any]:
        if not isinstance(self._type, Array):
            raise TypeError(f"{self._type} is not an array")
        return (self[index] for index in range(self._type.count or 0))

    def __repr__(self) -> str:
        if not self._address:
            return f"NULL ({self._type} *)"
        block = self._machine.memory.block_at(self._address)
        state = "" if block is None or block.live else ", freed"
        return f"<{self._type} at {self._address:#018x}{state}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        # IPython shows a structure the way the debugger's dt command does.
        printer.text(repr(self) if cycle or not self._address else self.dump())

    def dump(self) -> str:
        """The members with their offsets and values, like the debugger's ``dt``."""
        return View.dumper(self._machine, self._address, self._type)


def address_of(value: object) -> int:
    """The number behind what Python passes for a pointer or an integer: a view, an int, a bool or None."""
    if value is None:
        return 0
    if isinstance(value, (int, View)):
        return int(value)
    handle = getattr(value, "address", None)
    if isinstance(handle, int):
        return handle
    raise TypeError(f"{type(value).__name__} is neither a number nor an object of the machine")


def read_value(machine: Machine, address: int, ctype: CType, member: Field | None = None) -> Any:
    """The value at an address, as Python likes it: numbers, statuses with names, views for structures and pointers."""
    if isinstance(ctype, (Record, Array)):
        return View(machine, address, ctype)
    value = machine.memory.load(ctype)(address)
    if member is not None and member.bit_width is not None:
        value = value >> member.bit_offset & ((1 << member.bit_width) - 1)
    return python_value(machine, value, ctype)


def python_value(machine: Machine, value: Any, ctype: CType) -> Any:
    """A C value of type `ctype` as Python shows it."""
    if isinstance(ctype, Pointer):
        to = ctype.to
        if isinstance(to, Record) and to.complete:
            return View(machine, value, to)
        return FunctionPointer(machine, value, to) if isinstance(to, Function) else Address(value)
    if isinstance(ctype, Int) and ctype.alias == "NTSTATUS":
        return NTSTATUS(value)
    if isinstance(ctype, Int) and ctype.alias == "BOOLEAN":
        return bool(value)
    return None if isinstance(ctype, Void) else value


def write_value(machine: Machine, address: int, ctype: CType, value: Any, member: Field | None = None) -> None:
    """Store a Python value of a fitting kind at an address. Raises TypeError for a structure or array."""
    if isinstance(ctype, (Record, Array, Function, Void)):
        if isinstance(value, (bytes, bytearray)) and len(value) <= ctype.size:
            machine.memory.write(address, bytes(value))
            return
        raise TypeError(f"assign the members of {ctype}, not the whole of it")
    number: Any = value if isinstance(ctype, Float) else address_of(value)
    if isinstance(ctype, Int):
        number = ctype.wrap(number)
    elif isinstance(ctype, Pointer):
        number &= (1 << 64) - 1
    if member is not None and member.bit_width is not None:
        mask = ((1 << member.bit_width) - 1) << member.bit_offset
        number = (machine.memory.load(ctype)(address) & ~mask) | (number << member.bit_offset & mask)
    machine.memory.store(ctype)(address, number)


class Address(int):
    """A pointer to something without members; prints in hexadecimal and is false when NULL."""

    def __repr__(self) -> str:
        return f"{int(self):#018x}" if self else "NULL"

    __str__ = __repr__


class FunctionPointer(Address):
    """A pointer to a function; calling it calls the function on the machine with Python values."""

    def __new__(cls, machine: Machine, value: int, prototype: Function) -> FunctionPointer:
        """The pointer `value` with its prototype."""
        self = super().__new__(cls, value)
        self.machine, self.prototype = machine, prototype
        return self

    machine: Machine
    prototype: Function

    def __call__(self, *arguments: Any) -> Any:
        """Call the function on the machine; takes and returns Python values."""
        code = self.machine.code_at(int(self))
        value = self.machine.run_function(code, *c_arguments(code.name, self.prototype, arguments))
        return python_value(self.machine, value, self.prototype.returns)


def c_arguments(name: str, prototype: Function, arguments: tuple[Any, ...]) -> list[Any]:
    """Python values as C arguments. Raises TypeError for a wrong number or an unfit value."""
    if len(arguments) != len(prototype.parameters) and not (prototype.varargs and len(arguments) > len(prototype.parameters)):
        raise TypeError(f"{spelled(name, prototype)} takes {len(prototype.parameters)} arguments, not {len(arguments)}")
    values: list[Any] = []
    for index, argument in enumerate(arguments):
        ctype = prototype.parameters[index].type if index < len(prototype.parameters) else None
        if isinstance(ctype, Float):
            values.append(float(argument))
        else:
            number = address_of(argument)
            values.append(ctype.wrap(number) if isinstance(ctype, Int) else number & 0xFFFF_FFFF_FFFF_FFFF)
    return values


def spelled(name: str, prototype: Function) -> str:
    """A prototype as C writes it, parameter names included."""
    inside = ", ".join(f"{parameter.type} {parameter.name}".strip() for parameter in prototype.parameters)
    return f"{prototype.returns} {name}({inside or 'void'})"
