"""WDF_OBJECT_ATTRIBUTES, typed contexts, and the WdfObject* functions that every kind of object shares.

`creation` is what each Wdf…Create function asks first: the status of the attributes and the parent they lead to. The order of
its checks is the framework's (KMDF-CTX-03); a refused creation has made nothing.

Facts: KMDF-CTX, KMDF-OBJ. Pages: framework-object-context-space.md, ns-wdfobject-_wdf_object_attributes.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from wsklab.kmdf.objects import ALIVE, Callbacks, Context, Framework, Object, framework
from wsklab.machine import DISPATCH_LEVEL, Machine, status, wdk

INHERIT, LEVEL_MAX = 1, 3
SCOPE_NONE, SCOPE_MAX = 4, 4


@dataclass(frozen=True)
class Accepts:
    """What a kind of object takes in its attributes. `parent` is "optional", "required" or "forbidden"."""

    parent: str = "optional"
    scope: bool = False
    level: bool = False


PLAIN = Accepts()
LEVEL = Accepts(level=True)
BOTH = Accepts(scope=True, level=True)
ROOT = Accepts("forbidden", True, True)
CHILD = Accepts("required", False, True)


def validate(m: Machine, attributes: int, accepts: Accepts) -> int:
    """The status of a WDF_OBJECT_ATTRIBUTES for a kind of object; NULL attributes pass unless a parent is required.

    Facts: KMDF-CTX-03, 04, 05.
    """
    if not attributes:
        return status.WDF_PARENT_NOT_SPECIFIED if accepts.parent == "required" else status.SUCCESS
    a = m.view(attributes, "WDF_OBJECT_ATTRIBUTES")
    if a.Size != m.sizeof("WDF_OBJECT_ATTRIBUTES"):
        return status.INFO_LENGTH_MISMATCH
    invalid = status.WDF_OBJECT_ATTRIBUTES_INVALID
    type_info, override = int(a.ContextTypeInfo), a.ContextSizeOverride
    if type_info:
        info = m.view(type_info, "WDF_OBJECT_CONTEXT_TYPE_INFO")
        if info.Size != m.sizeof("WDF_OBJECT_CONTEXT_TYPE_INFO"):
            return status.INFO_LENGTH_MISMATCH
        if info.ContextSize and not int(info.ContextName):
            return invalid
        if override and override < info.ContextSize:
            return invalid
    elif override:
        return invalid
    parent = int(a.ParentObject)
    if parent and accepts.parent == "forbidden":
        return status.WDF_PARENT_ASSIGNMENT_NOT_ALLOWED
    if not parent and accepts.parent == "required":
        return status.WDF_PARENT_NOT_SPECIFIED
    level, scope = a.ExecutionLevel, a.SynchronizationScope
    if not 1 <= level <= LEVEL_MAX or not 1 <= scope <= SCOPE_MAX:
        return invalid
    if scope not in (INHERIT, SCOPE_NONE) and not accepts.scope:
        return status.WDF_SYNCHRONIZATION_SCOPE_INVALID
    if level != INHERIT and not accepts.level:
        return status.WDF_EXECUTION_LEVEL_INVALID
    return status.SUCCESS


def creation(fw: Framework, attributes: int, accepts: Accepts, default: Object | None = None) -> tuple[int, Object | None]:
    """Status and parent for a new object. `default` is the parent when the attributes name none (else the WDFDRIVER).

    Facts: KMDF-OBJ-04, 05, KMDF-CTX-03.
    """
    answer = validate(fw.m, attributes, accepts)
    if answer < 0 or accepts.parent == "forbidden":
        return answer, None
    parent = fw.m.u64(attributes + fw.m.offset("WDF_OBJECT_ATTRIBUTES", "ParentObject")) if attributes else 0
    if parent:
        return answer, fw.get(parent, Object)
    return answer, default or fw.default_parent()


def commit(fw: Framework, obj: Object, attributes: int) -> int:
    """Give a new object its callbacks and context, and its place in the tree; STATUS_DELETE_PENDING frees it (KMDF-OBJ-22)."""
    if attributes:
        a = fw.m.view(attributes, "WDF_OBJECT_ATTRIBUTES")
        cleanup, destroy = int(a.EvtCleanupCallback), int(a.EvtDestroyCallback)
        if cleanup or destroy:
            obj.callbacks.append(Callbacks(cleanup, destroy))
        if int(a.ContextTypeInfo):
            add_context(fw, obj, int(a.ContextTypeInfo), a.ContextSizeOverride)
    return fw.adopt(obj)


def add_context(fw: Framework, obj: Object, type_info: int, override: int = 0) -> Context:
    """One zero-filled context (KMDF-CTX-06), found again by the address of its type record (KMDF-CTX-07, 14)."""
    info = fw.m.view(type_info, "WDF_OBJECT_CONTEXT_TYPE_INFO")
    size = override or info.ContextSize
    name = text_at(fw.m, int(info.ContextName))
    address = fw.m.allocate(max(size, 1), kind="object", label=name or "context", zero=True)
    context = Context(address, size, type_info)
    obj.contexts[type_info] = context
    fw.by_context[address] = obj
    return context


def text_at(m: Machine, address: int) -> str:
    """The zero-terminated text at `address`, "" for NULL."""
    out = bytearray()
    while address and (byte := m.u8(address + len(out))):
        out.append(byte)
    return out.decode("latin-1")


class General(Object):
    """A WDFOBJECT made by WdfObjectCreate: nothing but a place in the tree and a context."""

    KIND: ClassVar[str] = "WDFOBJECT"


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfObjectCreate(m: Machine, Attributes: int, Object: int) -> int:
    """A general object. Facts: KMDF-OBJ-04, KMDF-CTX-04."""
    fw = framework(m)
    fw.required(Object, "Object")
    m.set_u64(Object, 0)
    answer, parent = creation(fw, Attributes, LEVEL)
    if answer < 0:
        return answer
    made = General(fw, parent)
    answer = commit(fw, made, Attributes)
    if answer >= 0:
        m.set_u64(Object, made.handle)
    return answer


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfObjectDelete(m: Machine, Object: int) -> None:
    """Delete an object and its descendants. Facts: KMDF-OBJ-16, 17, 18, RULE-39."""
    fw = framework(m)
    obj = fw.get(Object, _Any)
    if not obj.deletable:
        fw.breakpoint("kmdf-not-deletable", obj)
        return
    obj.delete()


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfObjectReferenceActual(m: Machine, Handle: int, Tag: int, Line: int, File: int) -> None:
    """One more reference. Facts: KMDF-OBJ-21."""
    framework(m).get(Handle, _Any).reference()


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfObjectDereferenceActual(m: Machine, Handle: int, Tag: int, Line: int, File: int) -> None:
    """One reference less; the last one of an object that was never deleted is fatal. Facts: KMDF-OBJ-20, RULE-38."""
    framework(m).get(Handle, _Any).release()


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfObjectGetTypedContextWorker(m: Machine, Handle: int, TypeInfo: int) -> int:
    """The context of that type, NULL when the object has none. Facts: KMDF-CTX-07, KMDF-OBJ-11."""
    fw = framework(m)
    obj = fw.dying.get(Handle) or fw.get(Handle, _Any)
    context = obj.contexts.get(TypeInfo)
    return context.address if context else 0


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfObjectContextGetObject(m: Machine, ContextPointer: int) -> int:
    """The object a context belongs to. Facts: KMDF-CTX-13."""
    fw = framework(m)
    obj = fw.by_context.get(ContextPointer)
    if obj is None:
        m.stop("kmdf-not-a-context", address=ContextPointer)
    return obj.handle


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfObjectAllocateContext(m: Machine, Handle: int, ContextAttributes: int, Context: int) -> int:
    """A further context for an object that exists. Facts: KMDF-CTX-08, 09, 10."""
    fw = framework(m)
    obj = fw.get(Handle, _Any)
    fw.required(ContextAttributes, "ContextAttributes")
    answer = validate(m, ContextAttributes, Accepts("forbidden", True, True))
    if answer < 0:
        return answer
    a = m.view(ContextAttributes, "WDF_OBJECT_ATTRIBUTES")
    type_info = int(a.ContextTypeInfo)
    if not type_info:
        return status.OBJECT_NAME_INVALID
    if getattr(obj, "embedded", False):
        return status.OBJECT_PATH_INVALID
    if obj.state != ALIVE:
        return status.DELETE_PENDING
    known = obj.contexts.get(type_info)
    answer = status.OBJECT_NAME_EXISTS if known else status.SUCCESS
    if known is None:
        known = add_context(fw, obj, type_info, a.ContextSizeOverride)
        cleanup, destroy = int(a.EvtCleanupCallback), int(a.EvtDestroyCallback)
        if cleanup or destroy:
            obj.callbacks.append(Callbacks(cleanup, destroy))
    if Context:
        m.set_u64(Context, known.address)
    return answer


_Any = Object
# The parameter of some functions is called Object, as on Microsoft's pages; inside them the class goes by this name.
