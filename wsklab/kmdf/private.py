"""Objects whose functions are written in C: what these ask of the machine, in quiet functions (`wdfprivate.h` declares them).

A C function named ``wsklab_`` + kind in small letters + ``_disposed`` or ``_destroyed`` is called when an object of the kind is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from operator import attrgetter
from typing import Any

from wsklab.kmdf.core import HANDLE_MASK, KINDS, LEVEL_PASSIVE, OF_TYPE, Framework, framework
from wsklab.kmdf.objects import Object, creation, parent_in
from wsklab.machine import Machine, Wait, status, wdk
from wsklab.machine.api import HIGH_LEVEL, quiet
from wsklab.machine.functions_memory import c_text
from wsklab.machine.functions_system import named_values


class Private(Object):
    """An object with a structure of C's at its address."""

    def _event(self, name: str) -> None:
        function = f"wsklab_{self.KIND.lower()}_{name}"
        if function in self.m.headers.exports:
            self.m.modelled(function).function(self.m, self.handle if name == "disposed" else self.address)

    def on_dispose(self) -> None:
        """The C function for it."""
        self._event("disposed")

    def on_destroy(self) -> None:
        """The C function for it."""
        self._event("destroyed")


PLAIN = (
    ("WDFSTRING", 0x1007, "FX_STRING", True),
    ("WDFLOOKASIDE", 0x1009, "FX_LOOKASIDE", False),
    ("WDFFILEOBJECT", 0x1018, "FX_FILE", True),
    ("WDFCOLLECTION", 0x100E, "FX_COLLECTION", False),
    ("WDFDPC", 0x1015, "FX_LATER", True),
    ("WDFWAITLOCK", 0x1023, "FX_WAIT_LOCK", False),
    ("WDFSPINLOCK", 0x1024, "FX_SPIN_LOCK", False),
    ("WDFWORKITEM", 0x1025, "FX_LATER", True),
    ("WDFTIMER", 0x1028, "FX_LATER", True),
    ("WDFUSBINTERFACE", 0x1204, "FX_USB_INTERFACE", True),
)
"""Kinds that have nothing in Python: handle type, the framework's number, structure, whether cleanup needs PASSIVE_LEVEL."""
for _kind, _number, _structure, _passive in PLAIN:
    type(_kind, (Private,), {"__doc__": f"A {_kind}."}, kind=_kind, number=_number, structure=_structure, passive=_passive)


NEEDS_PARENT = ("WDFMEMORY", "WDFSPINLOCK", "WDFWAITLOCK")
"""What static analysis wants an explicit parent for. Facts: RULE-81."""


@quiet()
def wsklab_wdf(m: Machine, Handle: int, Type: int) -> int:
    """The structure behind a handle of a kind. Facts: KMDF-OBJ-23, 24."""
    return framework(m).get(Handle, OF_TYPE[Type]).address


@quiet()
def wsklab_wdf_of(m: Machine, Object: int) -> int:
    """The WDFDRIVER of a DRIVER_OBJECT; NULL for a driver of another kind."""
    return next((driver.handle for driver in framework(m).drivers if driver.object == Object), 0)


@quiet()
def wsklab_given(m: Machine, Pointer: int, Name: int) -> None:
    """Stop when a pointer is NULL. Facts: KMDF-OBJ-25."""
    if not Pointer:
        m.stop("kmdf-null-parameter", name=c_text(m, Name))


@quiet()
def wsklab_wdf_create(m: Machine, Type: int, Takes: int, Attributes: int, Parent: int, Out: int) -> int:
    """An object of a kind under the stated parent, else Parent, else the driver. Facts: KMDF-OBJ-04, 22."""
    fw, kind = framework(m), OF_TYPE[Type]
    m.set_u64(Out, 0)
    if not kind.embedded and fw.fails():
        return int(status.INSUFFICIENT_RESOURCES)
    default = fw.get(Parent, Object) if Parent else None
    answer, parent = creation(fw, Attributes, Takes, default)
    if kind.KIND in NEEDS_PARENT and answer >= 0 and not (default or parent_in(fw, Attributes)):
        fw.relies("kmdf-no-explicit-parent", parent, what=kind.KIND)
    return answer if answer < 0 else kind(fw, parent).commit(Attributes, Out)


def _tell(how: Callable[..., Any], m: Machine, rule: int, handle: int, values: int, *arguments: int | float) -> int:
    """Report a rule about an object; whether the verifier is on. Facts: KMDF-VER-04."""
    fw = framework(m)
    how(fw, c_text(m, rule), fw.get(handle, Object), **named_values(m, values, arguments))
    return int(fw.checking)


for _name, _how in (("stop", Framework.stop), ("break", Framework.breakpoint), ("strict", Framework.relies)):
    quiet(f"wsklab_wdf_{_name}")(partial(_tell, _how))


@quiet()
def wsklab_wdf_parameter(m: Machine, Name: int) -> int:
    """A value of the registry key Parameters\\Wdf; VerifierOn is 1 while the verifier is on. Facts: KMDF-VER-01, 02, 03."""
    value = framework(m).parameters[c_text(m, Name)]
    return int(framework(m).checking if value == "VerifierOn" else value)


def _member(m: Machine, handle: int, path: int) -> Any:
    fw = framework(m)
    if path not in fw.members:  # a string literal: its address stands for it
        kind, *names = c_text(m, path).split(".")
        fw.members[path] = KINDS[kind], attrgetter(".".join(names))
    wanted, get = fw.members[path]
    return get(fw.get(handle, wanted))


def _as_number(value: Any) -> int:
    if isinstance(value, (str, dict)):  # how much there is of it
        return len(value)
    return value.handle if isinstance(value, Object) else int(value or 0) & 0xFFFF_FFFF_FFFF_FFFF


@quiet()
def wsklab_ask(m: Machine, Handle: int, Member: int, *arguments: int) -> int:
    """What an object says: `Member` is like ``Request.irp``. A method is called; an object comes as its handle."""
    found = _member(m, Handle, Member)
    return _as_number(found(*arguments) if callable(found) else found)


@wdk(irql=HIGH_LEVEL, waits=True, quiet=True)
def wsklab_ask_waits(m: Machine, Handle: int, Member: int, *arguments: int) -> Generator[Wait, Any, int]:
    """The same for a method that may wait."""
    return _as_number((yield from _member(m, Handle, Member)(*arguments)))


@quiet()
def wsklab_wdf_serialize(m: Machine, Parent: int, Automatic: int, Passive: int, Lock: int) -> int:
    """Whose callback lock serializes a timer, DPC or work item under Parent; NULL for none. Facts: KMDF-AUX-01."""
    fw = framework(m)
    near: Object | None = fw.get(Parent, Object)
    while near is not None and near.KIND not in ("WDFQUEUE", "WDFDEVICE"):
        near = near.parent
    if near is None:
        return int(status.INVALID_DEVICE_REQUEST)
    if Automatic and (lock := near.callback_lock) is not None:
        if Passive != (near.constraint("level") == LEVEL_PASSIVE):
            fw.breakpoint("kmdf-incompatible-level", near)
            return int(status.WDF_INCOMPATIBLE_EXECUTION_LEVEL)
        m.set_u64(Lock, lock.handle)
    return 0


@quiet()
def wsklab_wdf_call(m: Machine, Lock: int, Routine: int, *arguments: int) -> None:
    """Call an event callback of the driver, with the callback lock of an object held."""
    fw = framework(m)
    fw.run(Routine, *arguments, lock=fw.get(Lock, Object) if Lock else None)


@wdk(quiet=True, waits=True)
def wsklab_wdf_wait_for(m: Machine, Lock: int, Routine: int, Argument: int) -> Generator[Wait, int | None, None]:
    """The same, until it has returned."""
    fw = framework(m)
    yield from fw.serialized(fw.get(Lock, Object) if Lock else None, Routine, Argument)


@quiet()
def wsklab_wdf_answer(m: Machine, Routine: int, *arguments: int) -> int:
    """Call a callback of the driver that returns something and cannot wait."""
    return framework(m).call(Routine, *arguments)


@quiet()
def wsklab_request_fails(m: Machine) -> int:
    """Whether there is no memory for a request of a queue: a choice."""
    return int(framework(m).fails("request of a queue"))


@wdk(irql=HIGH_LEVEL, quiet=True, waits=True)
def wsklab_wdf_status(m: Machine, Name: int, Routine: int, *arguments: int) -> Generator[Wait, Any, int]:
    """Call a callback of the driver that returns a status, if there is one; the trace tells of a failure."""
    answer = (yield from framework(m).call_waiting(Routine, *arguments)) if Routine else 0
    if answer < 0:
        framework(m).event("state", f"{c_text(m, Name)} failed", arguments[0] ^ HANDLE_MASK, status=answer)
    return answer


@quiet()
def wsklab_wdf_thread(m: Machine, Function: int, Handle: int) -> None:
    """Run a function in a system thread."""
    m.start_thread(m.call_waiting(Function, Handle), "system worker")


@quiet()
def wsklab_allocate(m: Machine, Size: int) -> int:
    """Memory of the framework, zeroed; NULL when there is none."""
    return 0 if framework(m).fails() else m.allocate(Size, kind="native", label="framework memory", zero=True)


@quiet()
def wsklab_free(m: Machine, Memory: int) -> None:
    """Give memory of the framework back."""
    if Memory:
        m.free(Memory)
