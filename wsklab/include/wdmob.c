/*
 * wdmob.c: objects whose references are counted, their handles, and system threads. Follows the wdm.h pages nf-wdm-ob*,
 * nf-wdm-pscreatesystemthread. Facts: KRN-26 to KRN-29, BUG-20.
 *
 * What is known of each object stands in the system's list of objects. One of an object's references is its own while it exists: a
 * thread until it ends, a device until it is deleted; and each open handle has one. The rest is the driver's.
 */
typedef struct _WSKLAB_COUNTED {
    struct _WSKLAB_COUNTED *Next;
    PVOID Object;
    LONG References;
    LONG Handles;
    BOOLEAN Exists;
    PVOID *Entry;          /* where its name is kept */
    PDEVICE_OBJECT Device; /* that a file is open to */
} WSKLAB_COUNTED, *PWSKLAB_COUNTED;
typedef struct _WSKLAB_HANDLE {
    struct _WSKLAB_HANDLE *Next;
    HANDLE Handle;
    PVOID Object;
} WSKLAB_HANDLE, *PWSKLAB_HANDLE;
#define WSKLAB_FIRST_HANDLE 0xFFFFFFFF80000100ULL

static PWSKLAB_COUNTED *wsklab_counted_place(PVOID Object)
{
    PWSKLAB_COUNTED *place = (PWSKLAB_COUNTED *)wsklab_entry("objects", NULL);
    while (*place && (*place)->Object != Object) place = &(*place)->Next;
    return place;
}

static PWSKLAB_COUNTED wsklab_count(PVOID Object, BOOLEAN Exists)
{
    PWSKLAB_COUNTED *place = wsklab_counted_place(Object);
    PWSKLAB_COUNTED made = (PWSKLAB_COUNTED)wsklab_system_object(sizeof(WSKLAB_COUNTED), "object header", NULL);
    made->Object = Object;
    made->References = 1;
    made->Exists = Exists;
    return *place = made;
}

static PWSKLAB_COUNTED wsklab_counted(PVOID Object, PCSTR Function)
{
    PWSKLAB_COUNTED known = *wsklab_counted_place(Object);
    CSHORT type;
    if (known) return known;
    if (Object && !wsklab_is_there(Object)) wsklab_stop("object-dereferenced-too-often", Object, "function=%s", Function);
    type = *(PCSHORT)Object;
    if (type != IO_TYPE_DEVICE && type != IO_TYPE_DRIVER) wsklab_not_modelled("a reference to an object of this kind");
    return wsklab_count(Object, TRUE);
}

static void wsklab_release(PVOID Object)
{
    PWSKLAB_COUNTED *place = wsklab_counted_place(Object), known = *place;
    PDEVICE_OBJECT device = known->Device;
    if (--known->References) return;
    if (known->Entry) *known->Entry = NULL;
    *place = known->Next;
    wsklab_system_free(known);
    if (device) wsklab_close_file(device, (PFILE_OBJECT)Object);
    else wsklab_system_free(Object);
}

/* An object with one reference, zeroed, which leaves the entry of its name when it ends. */
static PVOID wsklab_new_object(SIZE_T Size, PCSTR What, PVOID *Entry)
{
    PVOID made = wsklab_system_object(Size, What, NULL);
    wsklab_count(made, FALSE)->Entry = Entry;
    if (Entry) *Entry = made;
    return made;
}

/* An object of the I/O manager's is deleted: its memory stays while somebody holds a reference. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_delete(PVOID Object)
{
    PWSKLAB_COUNTED known = *wsklab_counted_place(Object);
    if (!known) {
        wsklab_system_free(Object);
        return;
    }
    known->Exists = FALSE;
    wsklab_release(Object);
}

/* A handle for a reference that there is already: of the system's, or an application's small number. */
static HANDLE wsklab_open_handle(PVOID Object, BOOLEAN Application)
{
    PWSKLAB_HANDLE *place = (PWSKLAB_HANDLE *)wsklab_entry("handles", NULL), made;
    PULONG_PTR opened = (PULONG_PTR)wsklab_entry("opened handles", NULL);
    while (*place) place = &(*place)->Next;
    *place = made = (PWSKLAB_HANDLE)wsklab_system_object(sizeof(WSKLAB_HANDLE), "handle", NULL);
    made->Handle = (HANDLE)((Application ? 0x100 : WSKLAB_FIRST_HANDLE) + 4 * (*opened)++);
    made->Object = Object;
    (*wsklab_counted_place(Object))->Handles++;
    return made->Handle;
}

static PWSKLAB_HANDLE *wsklab_handle_place(HANDLE Handle)
{
    PWSKLAB_HANDLE *place = (PWSKLAB_HANDLE *)wsklab_entry("handles", NULL);
    while (*place && (*place)->Handle != Handle) place = &(*place)->Next;
    return place;
}

static PWSKLAB_HANDLE *wsklab_opened(HANDLE Handle, PCSTR Function)
{
    PWSKLAB_HANDLE *place = wsklab_handle_place(Handle);
    ULONG_PTR number = (ULONG_PTR)Handle - WSKLAB_FIRST_HANDLE;
    if (!*place)
        wsklab_stop("handle-invalid", NULL, "function=%s;handle=%#llx;what=%s", Function, Handle,
                    number < 4 * *(PULONG_PTR)wsklab_entry("opened handles", NULL) ? "has been closed" : "was never opened");
    return place;
}

/* The object of a handle; a stop when it is not open. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID wsklab_object_of(HANDLE Handle, PCSTR Function)
{
    return (*wsklab_opened(Handle, Function))->Object;
}

/* Close a handle. Facts: KRN-27, BUG-20. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS ZwClose(HANDLE Handle)
{
    PWSKLAB_HANDLE *place = wsklab_opened(Handle, "ZwClose"), known = *place;
    PVOID object = known->Object;
    *place = known->Next;
    wsklab_system_free(known);
    (*wsklab_counted_place(object))->Handles--;
    wsklab_release(object);
    return STATUS_SUCCESS;
}

/* Close a handle. Page: nf-wdm-obclosehandle. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS ObCloseHandle(HANDLE Handle, KPROCESSOR_MODE PreviousMode)
{
    return ZwClose(Handle);
}

/* The types of objects lie side by side (nttypes in the headers): the last digit of a type's address says which one it is. */
static BOOLEAN wsklab_is_of_type(PVOID Object, POBJECT_TYPE Type)
{
    UCHAR kind = ((PDISPATCHER_HEADER)Object)->Type;
    return ((ULONG_PTR)Type & 15) == (kind == 6 ? 0 : kind == 5 ? 4 : kind <= 1 ? 3 : 15);
}

/* The object of a handle, with one more reference; what an application gives is looked at first. Facts: KRN-28. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode,
                                   PVOID *Object, POBJECT_HANDLE_INFORMATION HandleInformation)
{
    PVOID object;
    *Object = NULL;
    if (AccessMode != KernelMode && !*wsklab_handle_place(Handle)) return STATUS_INVALID_HANDLE;
    object = wsklab_object_of(Handle, "ObReferenceObjectByHandle");
    if (ObjectType && !wsklab_is_of_type(object, ObjectType)) return STATUS_OBJECT_TYPE_MISMATCH;
    wsklab_counted(object, "ObReferenceObjectByHandle")->References++;
    *Object = object;
    return STATUS_SUCCESS;
}

/* The same; the tag decides nothing. Page: nf-wdm-obreferenceobjectbyhandlewithtag. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS ObReferenceObjectByHandleWithTag(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                          KPROCESSOR_MODE AccessMode, ULONG Tag, PVOID *Object,
                                          POBJECT_HANDLE_INFORMATION HandleInformation)
{
    return ObReferenceObjectByHandle(Handle, DesiredAccess, ObjectType, AccessMode, Object, HandleInformation);
}

/* One more reference to an object. Facts: KRN-28. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG_PTR ObfReferenceObject(PVOID Object)
{
    return ++wsklab_counted(Object, "ObReferenceObject")->References;
}

/* One more reference to an object. Facts: KRN-28. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG_PTR ObReferenceObject(PVOID Object)
{
    return ObfReferenceObject(Object);
}

/* One more reference; the tag decides nothing. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG_PTR ObReferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    return ObfReferenceObject(Object);
}

/* One more reference. Page: nf-wdm-obreferenceobjectbypointer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS ObReferenceObjectByPointer(PVOID Object, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType, KPROCESSOR_MODE AccessMode)
{
    ObfReferenceObject(Object);
    return STATUS_SUCCESS;
}

/* One reference less to an object. Facts: KRN-28, BUG-20. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG_PTR ObfDereferenceObject(PVOID Object)
{
    PWSKLAB_COUNTED known = wsklab_counted(Object, "ObDereferenceObject");
    LONG left = known->References - 1;
    if (known->References <= known->Handles + known->Exists)
        wsklab_stop("object-dereferenced-too-often", Object, "function=ObDereferenceObject");
    wsklab_release(Object);
    return left;
}

/* One reference less to an object. Facts: KRN-28, BUG-20. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG_PTR ObDereferenceObject(PVOID Object)
{
    return ObfDereferenceObject(Object);
}

/* One reference less; the tag decides nothing. */
_IRQL_requires_max_(DISPATCH_LEVEL)
LONG_PTR ObDereferenceObjectWithTag(PVOID Object, ULONG Tag)
{
    return ObfDereferenceObject(Object);
}

/* One reference less; here the object is deleted at once. Page: nf-wdm-obdereferenceobjectdeferdelete. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ObDereferenceObjectDeferDelete(PVOID Object)
{
    ObfDereferenceObject(Object);
}

/* At unload: a stop when a handle of the driver's is open, or it holds a reference. Facts: KRN-27. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_check_objects(void)
{
    PWSKLAB_HANDLE handle = (PWSKLAB_HANDLE)*wsklab_entry("handles", NULL), first = NULL;
    PWSKLAB_COUNTED known = (PWSKLAB_COUNTED)*wsklab_entry("objects", NULL);
    ULONG count = 0;
    for (; handle; handle = handle->Next) {
        if ((ULONG_PTR)handle->Handle < WSKLAB_FIRST_HANDLE) continue; /* an application's */
        if (!first) first = handle;
        count++;
    }
    if (first) wsklab_stop("handle-leaked", first->Object, "count=%u;handle=%#llx", count, first->Handle);
    for (; known; known = known->Next)
        if (known->References > known->Handles + known->Exists && ((PDISPATCHER_HEADER)known->Object)->Type != 6)
            wsklab_stop("object-reference-leaked", known->Object, "function=ObDereferenceObject;count=%d",
                        known->References - known->Handles - known->Exists);
}

/* Start a system thread; the handle has to be closed with ZwClose. Facts: KRN-27, KRN-28. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes, HANDLE ProcessHandle,
                              PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    PKTHREAD thread;
    if (wsklab_fails("PsCreateSystemThread")) return STATUS_INSUFFICIENT_RESOURCES;
    thread = wsklab_start_thread((PVOID)StartRoutine, StartContext);
    wsklab_count(thread, TRUE)->References++;
    *ThreadHandle = wsklab_open_handle(thread, FALSE);
    if (ClientId) {
        ClientId->UniqueProcess = (HANDLE)WSKLAB_SYSTEM_PROCESS;
        ClientId->UniqueThread = PsGetThreadId((PETHREAD)thread);
    }
    return STATUS_SUCCESS;
}

/* Start a system thread that keeps the driver or device of IoObject. Page: nf-wdm-iocreatesystemthread. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoCreateSystemThread(PVOID IoObject, PHANDLE ThreadHandle, ULONG DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                              HANDLE ProcessHandle, PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine, PVOID StartContext)
{
    return PsCreateSystemThread(ThreadHandle, DesiredAccess, ObjectAttributes, ProcessHandle, ClientId, StartRoutine, StartContext);
}
