/* wdfobject.c: attributes, general objects, further contexts. Facts: KMDF-CTX. Page: framework-object-context-space.md. */

/* The status of attributes for a kind that takes a parent, a scope, a level. Facts: KMDF-CTX-03 to 05. */
_IRQL_requires_max_(HIGH_LEVEL)
NTSTATUS wsklab_wdf_check(PWDF_OBJECT_ATTRIBUTES Attributes, ULONG Takes)
{
    PCWDF_OBJECT_CONTEXT_TYPE_INFO info;
    size_t size, override;
    ULONG level, scope;
    if (Attributes == NULL) return STATUS_SUCCESS;
    if (Attributes->Size != sizeof(WDF_OBJECT_ATTRIBUTES)) return STATUS_INFO_LENGTH_MISMATCH;
    info = Attributes->ContextTypeInfo;
    if (info != NULL && info->Size != sizeof(WDF_OBJECT_CONTEXT_TYPE_INFO)) return STATUS_INFO_LENGTH_MISMATCH;
    size = info != NULL ? info->ContextSize : 0;
    override = Attributes->ContextSizeOverride;
    if (size != 0 && info->ContextName == NULL) return STATUS_WDF_OBJECT_ATTRIBUTES_INVALID;
    if (override != 0 && (info == NULL || override < size)) return STATUS_WDF_OBJECT_ATTRIBUTES_INVALID;
    if (Attributes->ParentObject != NULL && !(Takes & FX_TAKES_PARENT)) return STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED;
    level = Attributes->ExecutionLevel;
    scope = Attributes->SynchronizationScope;
    if (level < WdfExecutionLevelInheritFromParent || level > WdfExecutionLevelDispatch ||
        scope < WdfSynchronizationScopeInheritFromParent || scope > WdfSynchronizationScopeNone)
        return STATUS_WDF_OBJECT_ATTRIBUTES_INVALID;
    if ((scope == WdfSynchronizationScopeDevice || scope == WdfSynchronizationScopeQueue) && !(Takes & FX_TAKES_SCOPE))
        return STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID;
    if (level != WdfExecutionLevelInheritFromParent && !(Takes & FX_TAKES_LEVEL)) return STATUS_WDF_EXECUTION_LEVEL_INVALID;
    return STATUS_SUCCESS;
}

/* A general object. Facts: KMDF-OBJ-04, KMDF-CTX-04. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfObjectCreate(PWDF_OBJECT_ATTRIBUTES Attributes, WDFOBJECT *Object)
{
    wsklab_given(Object, "Object");
    return wsklab_wdf_create(FX_TYPE_OBJECT, FX_TAKES_PARENT | FX_TAKES_LEVEL, Attributes, NULL, Object);
}

/* A further context for an object that exists. Facts: KMDF-CTX-08 to 10. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfObjectAllocateContext(WDFOBJECT Handle, PWDF_OBJECT_ATTRIBUTES ContextAttributes, PVOID *Context)
{
    NTSTATUS status;
    PVOID known;
    wsklab_wdf(Handle, FX_TYPE_OBJECT);
    wsklab_given(ContextAttributes, "ContextAttributes");
    status = wsklab_wdf_check(ContextAttributes, FX_TAKES_SCOPE | FX_TAKES_LEVEL);
    if (!NT_SUCCESS(status)) return status;
    if (ContextAttributes->ContextTypeInfo == NULL) return STATUS_OBJECT_NAME_INVALID;
    if (wsklab_ask(Handle, "Object.embedded")) return STATUS_OBJECT_PATH_INVALID;
    if (!wsklab_ask(Handle, "Object.alive")) return STATUS_DELETE_PENDING;
    known = WdfObjectGetTypedContextWorker(Handle, ContextAttributes->ContextTypeInfo);
    if (known == NULL) wsklab_ask(Handle, "Object.attribute", ContextAttributes);
    if (Context != NULL) *Context = WdfObjectGetTypedContextWorker(Handle, ContextAttributes->ContextTypeInfo);
    return known != NULL ? STATUS_OBJECT_NAME_EXISTS : STATUS_SUCCESS;
}

/* Whether a function is refused above PASSIVE_LEVEL: so it is while the verifier is on. Facts: KMDF-VER-06, RULE-34. */
static BOOLEAN FxTooHigh(PVOID Handle, PCSTR Function)
{
    return KeGetCurrentIrql() > PASSIVE_LEVEL && wsklab_wdf_break("kmdf-passive-only", Handle, "function=%s", Function);
}

/* A hook for extensions, of which there are none: every GUID is unknown. Page: WdfObjectQuery ("not implemented"). */
_IRQL_requires_max_(HIGH_LEVEL)
NTSTATUS WdfObjectQuery(WDFOBJECT Object, const GUID *Guid, ULONG QueryBufferLength, PVOID QueryBuffer)
{
    UNREFERENCED_PARAMETER(Guid);
    UNREFERENCED_PARAMETER(QueryBufferLength);
    UNREFERENCED_PARAMETER(QueryBuffer);
    wsklab_wdf(Object, FX_TYPE_OBJECT);
    return STATUS_NOT_FOUND;
}

/* Delete an object and its descendants. Facts: KMDF-OBJ-03, 16 to 19, RULE-39. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfObjectDelete(WDFOBJECT Object)
{
    if (wsklab_ask(Object, "Object.deletable")) wsklab_wdf_delete(Object);
    else wsklab_wdf_break("kmdf-not-deletable", Object, "");
}

/* One more reference. Facts: KMDF-OBJ-21. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfObjectReferenceActual(WDFOBJECT Handle, PVOID Tag, LONG Line, PCCH File)
{
    wsklab_wdf_hold(Handle);
}

/* One reference less; the last one of an object that was never deleted is fatal. Facts: KMDF-OBJ-20, RULE-38. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfObjectDereferenceActual(WDFOBJECT Handle, PVOID Tag, LONG Line, PCCH File)
{
    wsklab_wdf_release(Handle);
}
