"""Objects whose functions are written in C: what these ask of the machine, in quiet functions (`wdfprivate.h` declares them).

A C function named ``wsklab_`` + kind in small letters + ``_disposed`` or ``_destroyed`` is called when an object of the kind is.
"""

from __future__ import annotations

from collections.abc import Generator

from wsklab.kmdf.core import LEVEL_PASSIVE, framework
from wsklab.kmdf.objects import SCOPE_NONE, Object, create, validate
from wsklab.machine import Machine, Wait, status, wdk
from wsklab.machine.api import quiet
from wsklab.machine.functions_memory import c_text
from wsklab.machine.functions_system import named_values

TAKES = {1: "parent", 2: "scope", 4: "level"}


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


def _kind(kind: str, number: int, structure: str, passive: bool = False) -> type[Object]:
    return type(kind, (Private,), {"__doc__": f"A {kind}."}, kind=kind, number=number, structure=structure, passive=passive)


OF_TYPE = {made.TYPE: made for made in (
    Object,
    _kind("WDFSTRING", 0x1007, "FX_STRING", passive=True),
    _kind("WDFLOOKASIDE", 0x1009, "FX_LOOKASIDE"),
    _kind("WDFCOLLECTION", 0x100E, "FX_COLLECTION"),
    _kind("WDFDPC", 0x1015, "FX_LATER", passive=True),
    _kind("WDFWAITLOCK", 0x1023, "FX_WAIT_LOCK"),
    _kind("WDFSPINLOCK", 0x1024, "FX_SPIN_LOCK"),
    _kind("WDFWORKITEM", 0x1025, "FX_LATER", passive=True),
    _kind("WDFTIMER", 0x1028, "FX_LATER", passive=True),
)}  # fmt: skip
"""The kinds that C knows, by the framework's number; `device` adds its own."""


@quiet()
def wsklab_wdf(m: Machine, Handle: int, Type: int) -> int:
    """The structure behind a handle of a kind. Facts: KMDF-OBJ-23, 24."""
    return framework(m).get(Handle, OF_TYPE[Type]).address


@quiet()
def wsklab_given(m: Machine, Pointer: int, Name: int) -> None:
    """Stop when a pointer is NULL. Facts: KMDF-OBJ-25."""
    if not Pointer:
        m.stop("kmdf-null-parameter", name=c_text(m, Name))


def _takes(bits: int) -> tuple[str, ...]:
    return tuple(word for bit, word in TAKES.items() if bits & bit)


@quiet()
def wsklab_wdf_check(m: Machine, Attributes: int, Takes: int) -> int:
    """The status of attributes. Facts: KMDF-CTX-03."""
    return validate(m, Attributes, _takes(Takes))


@quiet()
def wsklab_wdf_create(m: Machine, Type: int, Takes: int, Attributes: int, Parent: int, Out: int) -> int:
    """An object of a kind under the stated parent, else Parent, else the driver. Facts: KMDF-OBJ-04, 22."""
    fw, kind = framework(m), OF_TYPE[Type]
    m.set_u64(Out, 0)
    if fw.fails():
        return int(status.INSUFFICIENT_RESOURCES)
    default = fw.get(Parent, Object) if Parent else None
    return create(fw, Attributes, Out, lambda parent: kind(fw, parent), _takes(Takes), default)


@quiet()
def wsklab_wdf_stop(m: Machine, Rule: int, Object_: int, Values: int, *arguments: int | float) -> None:
    """Stop with a rule about an object."""
    fw = framework(m)
    fw.stop(c_text(m, Rule), fw.get(Object_, Object), **named_values(m, Values, arguments))


@quiet()
def wsklab_wdf_break(m: Machine, Rule: int, Object_: int, Values: int, *arguments: int | float) -> int:
    """A breakpoint of the verifier about an object; whether the verifier is on. Facts: KMDF-VER-04."""
    fw = framework(m)
    fw.breakpoint(c_text(m, Rule), fw.get(Object_, Object), **named_values(m, Values, arguments))
    return int(fw.checking)


@quiet()
def wsklab_wdf_reference(m: Machine, Object_: int, Change: int) -> None:
    """Add a reference to an object or take one from it."""
    obj = framework(m).get(Object_, Object)
    if Change > 0:
        obj.references += 1
    else:
        obj.release()


@quiet()
def wsklab_wdf_serialize(m: Machine, Parent: int, Automatic: int, Passive: int, Lock: int) -> int:
    """Whose callback lock serializes a timer, DPC or work item under Parent; NULL for none. Facts: KMDF-AUX-01."""
    fw = framework(m)
    near: Object | None = fw.get(Parent, Object)
    while near is not None and near.KIND not in ("WDFQUEUE", "WDFDEVICE"):
        near = near.parent
    if near is None:
        return int(status.INVALID_DEVICE_REQUEST)
    if Automatic and near.constraint("scope") != SCOPE_NONE:
        if Passive != (near.constraint("level") == LEVEL_PASSIVE):
            fw.breakpoint("kmdf-incompatible-level", near)
            return int(status.WDF_INCOMPATIBLE_EXECUTION_LEVEL)
        m.set_u64(Lock, near.lock_holder().handle)
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
