"""Structured exceptions: what raises them, and which handler of the thread takes them.

The filters are asked before anything is unwound. An exception that nobody takes is a bug check; a bad access to user space is
then reported as what it is. Accesses to bad addresses of the system never raise. Follows "Handling exceptions" of the kernel
guide. Facts: BUG-15.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from wsklab.machine.api import APC_LEVEL, wdk
from wsklab.machine.status import name_of

if TYPE_CHECKING:
    from wsklab.machine.machine import Machine

USER_END = 1 << 47
"""Where the user's half of the address space ends."""
ACCESS_VIOLATION, BREAKPOINT = 0xC000_0005, 0x8000_0003


@dataclass(eq=False)
class Guard:
    """The ``__except`` of a call under way: `asked` is its filter, called with the exception's code and EXCEPTION_POINTERS.

    `among` are the guards of its thread.
    """

    asked: Callable[[int, int], Any]
    among: list[Guard]


class Raised(Exception):
    """An exception on its way to the handler that takes it."""

    def __init__(self, code: int, guard: Guard) -> None:
        super().__init__(code)
        self.code, self.guard = code, guard


def raise_exception(m: Machine, code: int, *information: int) -> None:
    """Raise an exception; returns when no handler of the thread takes it."""
    guards = m.thread.guards
    pointers = _pointers(m, code, information) if guards else 0
    for guard in reversed(guards):
        answer = guard.asked(code, pointers)
        if isinstance(answer, Generator):
            answer = m.drive(answer, "__except")
        if answer < 0:
            m.not_modelled("EXCEPTION_CONTINUE_EXECUTION")
        if answer > 0:
            m.trace.add("exception", name_of(code), actor="driver", target="driver", here=True, code=code)
            raise Raised(code, guard)


def _pointers(m: Machine, code: int, information: tuple[int, ...]) -> int:
    """The EXCEPTION_POINTERS of an exception, for GetExceptionInformation."""
    record, pointers = (m.new(name, "global") for name in ("EXCEPTION_RECORD", "EXCEPTION_POINTERS"))
    m.set_u32(record, code)
    m.set_u32(record + m.offset("EXCEPTION_RECORD", "NumberParameters"), len(information))
    for index, value in enumerate(information):
        m.set_u64(record + m.offset("EXCEPTION_RECORD", "ExceptionInformation") + 8 * index, value)
    m.set_u64(pointers, record)
    return pointers


@wdk(irql=APC_LEVEL)
def ExRaiseStatus(m: Machine, Status: int) -> NoReturn:
    """Raise an exception with this code. Facts: BUG-15."""
    code = Status & 0xFFFF_FFFF
    raise_exception(m, code)
    m.stop("exception-not-handled", code=f"{code:#010x}", code_digits=f"{code:08X}", status=name_of(code))
