"""What a driver says to the system and asks of it: time, assertions and bug checks; and what inline functions ask.

What formats text is in ``functions_text``.
"""

from __future__ import annotations

from typing import NoReturn

from wsklab.machine.api import HIGH_LEVEL, quiet, wdk
from wsklab.machine.code import KERNEL_STACK
from wsklab.machine.exceptions import BREAKPOINT, raise_exception
from wsklab.machine.functions_memory import c_text
from wsklab.machine.functions_pool import refuse_paged
from wsklab.machine.functions_text import formatted
from wsklab.machine.machine import Machine

# Time, assertions, bug checks


@quiet()
def KeQueryInterruptTime(m: Machine) -> int:
    """100-ns units since the machine started."""
    return m.time


@wdk(irql=HIGH_LEVEL)
def KeStallExecutionProcessor(m: Machine, MicroSeconds: int) -> None:
    """Keep the processor busy; virtual time goes on."""
    m.time += 10 * MicroSeconds


@quiet()
def RtlAssert(m: Machine, VoidFailedAssertion: int, VoidFileName: int, LineNumber: int, MutableMessage: int) -> NoReturn:
    """An ASSERT that failed. Facts: BUG-15."""
    message = f" ({c_text(m, MutableMessage)})" if MutableMessage else ""
    m.stop("assertion-failed", condition=c_text(m, VoidFailedAssertion) + message)


@quiet()
def wsklab_breakpoint(m: Machine, Function: int) -> None:
    """A breakpoint exception: without a debugger, a handler of the driver takes it or the system stops."""
    raise_exception(m, BREAKPOINT)
    m.stop("breakpoint", function=c_text(m, Function))


@quiet()
def wsklab_not_modelled(m: Machine, What: int) -> NoReturn:
    """A function in C needs something that is not modelled."""
    m.not_modelled(c_text(m, What))


@quiet()
def wsklab_in_application(m: Machine) -> int:
    """Whether the current thread is an application's, whose request comes in."""
    return int(m.thread.in_application)


@quiet()
def wsklab_stack(m: Machine, Which: int) -> int:
    """Of the current thread's stack: 0 the lowest address, 1 the innermost frame, 2 the end."""
    stack, frames = m.thread.stack, m.thread.frames
    return (stack.address, frames[-1], stack.end)[Which] if frames else (0, KERNEL_STACK, KERNEL_STACK)[Which]


@wdk(irql=HIGH_LEVEL)
def KeBugCheckEx(m: Machine, code: int, *parameters: int) -> NoReturn:
    """Stop the system."""
    m.stop("bug-check", code=f"{code:#x}", values=", ".join(f"{value & (1 << 64) - 1:#x}" for value in parameters))


def named_values(m: Machine, template: int, arguments: tuple[int | float, ...]) -> dict[str, str]:
    """The values that fill a rule's texts, from a format like ``count=%d;limit=%d``."""
    return dict(part.split("=", 1) for part in formatted(m, c_text(m, template), arguments).split(";") if part)


@quiet()
def wsklab_stop(m: Machine, Rule: int, Object: int, Values: int, *arguments: int | float) -> NoReturn:
    """Stop because an inline function found a rule broken; Values is like ``count=%d;limit=%d``."""
    values = named_values(m, Values, arguments)
    m.stop(c_text(m, Rule), objects=(Object,) if Object else (), **{"object": f"{Object:#018x}", **values})


@quiet()
def wsklab_written(m: Machine, Memory: int, Size: int) -> int:
    """Whether every byte was written since it was allocated."""
    return int(b"\x01" not in m.memory.peek(Memory, Size)[1])


@quiet()
def wsklab_nonpaged(m: Machine, Object: int, Function: int) -> None:
    """Stop when an object that has to be in nonpaged memory is in paged pool."""
    refuse_paged(m, Object, c_text(m, Function))
