"""How framework functions are declared, what they check first, and those that every kind of object shares.

`wdf` turns the handles among a function's arguments into objects; `create` is what each Wdf…Create function does once its own
arguments are checked. The order of the checks on WDF_OBJECT_ATTRIBUTES is the framework's (KMDF-CTX-03); a refused creation has
made nothing.

Facts: KMDF-CTX, KMDF-OBJ. Pages: framework-object-context-space.md, ns-wdfobject-_wdf_object_attributes.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from wsklab.kmdf.objects import ALIVE, KINDS, Framework, Object, framework
from wsklab.machine import DISPATCH_LEVEL, Machine, status, wdk

_F = TypeVar("_F", bound=Callable[..., Any])
INHERIT, LEVEL_MAX, SCOPE_NONE, SCOPE_MAX = 1, 3, 4, 4


def wdf(irql: int = DISPATCH_LEVEL) -> Callable[[_F], _F]:
    """Declare a framework function; a parameter annotated with a class of objects arrives as that object (NULL if `| None`)."""

    def declare(function: _F) -> _F:
        parameters = list(inspect.signature(function).parameters.values())[1:]
        kinds = [
            (index, parts[0], len(parts) > 1)
            for index, parts in enumerate(str(parameter.annotation).split(" | ") for parameter in parameters)
            if parts[0] not in ("int", "inspect._empty")
        ]

        def objects(fw: Framework, values: tuple[int, ...]) -> list[Any]:
            found: list[Any] = list(values)
            for index, kind, optional in kinds:
                found[index] = None if optional and not values[index] else fw.get(values[index], KINDS[kind])
            return found

        def plain(m: Machine, *values: int) -> Any:
            fw = framework(m)
            return function(fw, *objects(fw, values))

        def waiting(m: Machine, *values: int) -> Any:
            fw = framework(m)
            return (yield from function(fw, *objects(fw, values)))

        waits = inspect.isgeneratorfunction(function)
        declared = waiting if waits else plain
        declared.__doc__ = function.__doc__
        wdk(irql=irql, waits=waits, lane="framework", name=function.__name__)(declared)
        return function

    return declare


def getters(kind: str, table: dict[str, tuple[str, Callable[[Any], int]]]) -> None:
    """Declare functions of one object and nothing else: name → (docstring, what it does and returns)."""

    def declare(name: str, text: str, look: Callable[[Any], int]) -> None:
        def getter(m: Machine, handle: int) -> int:
            return look(framework(m).get(handle, KINDS[kind]))

        getter.__doc__ = text
        wdk(lane="framework", name=name)(getter)

    for name, (text, look) in table.items():
        declare(name, text, look)


def handle_of(obj: Object | None) -> int:
    """The handle of an object, NULL for none."""
    return obj.handle if obj else 0


class Accepts(NamedTuple):
    """What a kind of object takes in its attributes. `parent` is "optional", "required" or "forbidden"."""

    parent: str = "optional"
    scope: bool = False
    level: bool = False


PLAIN = Accepts()
ROOT = Accepts("forbidden", True, True)


def validate(m: Machine, attributes: int, accepts: Accepts) -> int:
    """The status of a WDF_OBJECT_ATTRIBUTES; NULL passes unless a parent is needed. Facts: KMDF-CTX-03 to 05."""
    if not attributes:
        return status.WDF_PARENT_NOT_SPECIFIED if accepts.parent == "required" else 0
    a = m.view(attributes, "WDF_OBJECT_ATTRIBUTES")
    if a.Size != m.sizeof("WDF_OBJECT_ATTRIBUTES"):
        return status.INFO_LENGTH_MISMATCH
    override, level, scope, parent = a.ContextSizeOverride, a.ExecutionLevel, a.SynchronizationScope, int(a.ParentObject)
    if a.ContextTypeInfo:
        info = m.view(int(a.ContextTypeInfo), "WDF_OBJECT_CONTEXT_TYPE_INFO")
        if info.Size != m.sizeof("WDF_OBJECT_CONTEXT_TYPE_INFO"):
            return status.INFO_LENGTH_MISMATCH
        if (info.ContextSize and not int(info.ContextName)) or 0 < override < info.ContextSize:
            return status.WDF_OBJECT_ATTRIBUTES_INVALID
    elif override:
        return status.WDF_OBJECT_ATTRIBUTES_INVALID
    if parent and accepts.parent == "forbidden":
        return status.WDF_PARENT_ASSIGNMENT_NOT_ALLOWED
    if not parent and accepts.parent == "required":
        return status.WDF_PARENT_NOT_SPECIFIED
    if not 1 <= level <= LEVEL_MAX or not 1 <= scope <= SCOPE_MAX:
        return status.WDF_OBJECT_ATTRIBUTES_INVALID
    if scope not in (INHERIT, SCOPE_NONE) and not accepts.scope:
        return status.WDF_SYNCHRONIZATION_SCOPE_INVALID
    return status.WDF_EXECUTION_LEVEL_INVALID if level != INHERIT and not accepts.level else 0


def creation(fw: Framework, attributes: int, accepts: Accepts = PLAIN, default: Object | None = None) -> tuple[int, Object]:
    """Status and parent of a new object: the stated one, else `default`, else the WDFDRIVER. Facts: KMDF-OBJ-04, 05."""
    answer = validate(fw.m, attributes, accepts)
    parent = fw.m.u64(attributes + fw.layout.attributes_parent) if attributes and answer >= 0 else 0
    return answer, fw.get(parent, Object) if parent else default or fw.default_parent()


def commit(fw: Framework, obj: Object, attributes: int, out: int = 0) -> int:
    """Give a new object its callbacks, context and place in the tree, and the driver its handle. Facts: KMDF-OBJ-22."""
    if attributes:
        a = fw.m.view(attributes, "WDF_OBJECT_ATTRIBUTES")
        obj.callbacks.append([int(a.EvtCleanupCallback), int(a.EvtDestroyCallback)])
        if int(a.ContextTypeInfo):
            add_context(fw, obj, int(a.ContextTypeInfo), a.ContextSizeOverride)
    answer = fw.adopt(obj)
    if answer >= 0 and out:
        fw.m.set_u64(out, obj.handle)
    return answer


def create(
    fw: Framework, attributes: int, out: int, make: Callable[[Object], Object], accepts: Accepts = PLAIN, *,
    name: str, default: Object | None = None,
) -> int:  # fmt: skip
    """Create an object: out pointer, attributes, the object, its place in the tree. `name` is the out pointer's."""
    fw.required(out, name)
    fw.m.set_u64(out, 0)
    answer, parent = creation(fw, attributes, accepts, default)
    return answer if answer < 0 else commit(fw, make(parent), attributes, out)


def add_context(fw: Framework, obj: Object, type_info: int, override: int = 0) -> int:
    """One zero-filled context (KMDF-CTX-06), found again by the address of its type record (KMDF-CTX-07, 14)."""
    info = fw.m.view(type_info, "WDF_OBJECT_CONTEXT_TYPE_INFO")
    name, place = bytearray(), int(info.ContextName)
    while place and (byte := fw.m.u8(place + len(name))):
        name.append(byte)
    address = fw.m.allocate(max(override or info.ContextSize, 1), kind="object", label=name.decode() or "context", zero=True)
    obj.contexts[type_info] = address
    fw.by_context[address] = obj
    return address


class General(Object):
    """A WDFOBJECT made by WdfObjectCreate: nothing but a place in the tree and a context."""


@wdf()
def WdfObjectCreate(fw: Framework, attributes: int, out: int) -> int:
    """A general object. Facts: KMDF-OBJ-04, KMDF-CTX-04."""
    return create(fw, attributes, out, lambda parent: General(fw, parent), Accepts(level=True), name="Object")


@wdf()
def WdfObjectDelete(fw: Framework, obj: Object) -> None:
    """Delete an object and its descendants. Facts: KMDF-OBJ-16, 17, 18, RULE-39."""
    if obj.deletable:
        obj.delete()
    else:
        fw.breakpoint("kmdf-not-deletable", obj)


@wdf()
def WdfObjectReferenceActual(fw: Framework, obj: Object, tag: int, line: int, file: int) -> None:
    """One more reference. Facts: KMDF-OBJ-21."""
    obj.references += 1


@wdf()
def WdfObjectDereferenceActual(fw: Framework, obj: Object, tag: int, line: int, file: int) -> None:
    """One reference less; the last one of an object that was never deleted is fatal. Facts: KMDF-OBJ-20, RULE-38."""
    obj.release()


@wdf()
def WdfObjectGetTypedContextWorker(fw: Framework, handle: int, type_info: int) -> int:
    """The context of that type, NULL when the object has none. Facts: KMDF-CTX-07, KMDF-OBJ-11."""
    return (fw.dying.get(handle) or fw.get(handle, Object)).contexts.get(type_info, 0)


@wdf()
def WdfObjectContextGetObject(fw: Framework, context: int) -> int:
    """The object a context belongs to. Facts: KMDF-CTX-13."""
    if context not in fw.by_context:
        fw.m.stop("kmdf-not-a-context", address=f"{context:#018x}")
    return fw.by_context[context].handle


@wdf()
def WdfObjectAllocateContext(fw: Framework, obj: Object, attributes: int, out: int) -> int:
    """A further context for an object that exists. Facts: KMDF-CTX-08, 09, 10."""
    fw.required(attributes, "ContextAttributes")
    answer = validate(fw.m, attributes, ROOT)
    a = fw.m.view(attributes, "WDF_OBJECT_ATTRIBUTES")
    type_info = int(a.ContextTypeInfo)
    if answer < 0 or not type_info:
        return answer or status.OBJECT_NAME_INVALID
    if obj.embedded:
        return status.OBJECT_PATH_INVALID
    if obj.state != ALIVE:
        return status.DELETE_PENDING
    known = type_info in obj.contexts
    if not known:
        add_context(fw, obj, type_info, a.ContextSizeOverride)
        obj.callbacks.append([int(a.EvtCleanupCallback), int(a.EvtDestroyCallback)])
    if out:
        fw.m.set_u64(out, obj.contexts[type_info])
    return status.OBJECT_NAME_EXISTS if known else 0
