/*
 * wdmzw.c: events by handle and by name, devices by name, and the system's shutdown. Follows the wdm.h and ntifs.h pages
 * nf-ntifs-zw*event, nf-wdm-iocreate*event, nf-wdm-io*shutdownnotification.
 */

static PKEVENT wsklab_new_event(PVOID *Place, EVENT_TYPE Type, BOOLEAN State)
{
    PKEVENT event = (PKEVENT)wsklab_new_object(sizeof(KEVENT), "event", Place);
    KeInitializeEvent(event, Type, State);
    return event;
}

/* An event of an application's: returns its handle. */
_IRQL_requires_max_(PASSIVE_LEVEL)
HANDLE wsklab_application_event(EVENT_TYPE Type, BOOLEAN State)
{
    return wsklab_open_handle(wsklab_new_event(NULL, Type, State), TRUE);
}

/* An event with a handle; one of this name that there is already can only be opened. Page: nf-ntifs-zwcreateevent. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS ZwCreateEvent(PHANDLE EventHandle, ACCESS_MASK DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes, EVENT_TYPE EventType,
                       BOOLEAN InitialState)
{
    PVOID *place = NULL;
    if (EventType != NotificationEvent && EventType != SynchronizationEvent) return STATUS_INVALID_PARAMETER;
    if (ObjectAttributes && ObjectAttributes->ObjectName) place = wsklab_entry("event", ObjectAttributes->ObjectName);
    if (place && *place) {
        if (!(ObjectAttributes->Attributes & OBJ_OPENIF)) return STATUS_OBJECT_NAME_COLLISION;
        ObReferenceObject(*place);
        *EventHandle = wsklab_open_handle(*place, FALSE);
        return STATUS_OBJECT_NAME_EXISTS;
    }
    if (wsklab_fails("ZwCreateEvent")) return STATUS_INSUFFICIENT_RESOURCES;
    *EventHandle = wsklab_open_handle(wsklab_new_event(place, EventType, InitialState), FALSE);
    return STATUS_SUCCESS;
}

static PKEVENT wsklab_named_event(PUNICODE_STRING Name, PHANDLE Handle, EVENT_TYPE Type, BOOLEAN Fails)
{
    PVOID *place = wsklab_entry("event", Name);
    if (Fails) return NULL;
    if (*place) ObReferenceObject(*place);
    else wsklab_new_event(place, Type, TRUE);
    *Handle = wsklab_open_handle(*place, FALSE);
    return (PKEVENT)*place;
}

/* The notification event of a name; a new one is signalled. Page: nf-wdm-iocreatenotificationevent. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PKEVENT IoCreateNotificationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
    return wsklab_named_event(EventName, EventHandle, NotificationEvent, wsklab_fails("IoCreateNotificationEvent"));
}

/* The synchronization event of a name; a new one is signalled. Page: nf-wdm-iocreatesynchronizationevent. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PKEVENT IoCreateSynchronizationEvent(PUNICODE_STRING EventName, PHANDLE EventHandle)
{
    return wsklab_named_event(EventName, EventHandle, SynchronizationEvent, wsklab_fails("IoCreateSynchronizationEvent"));
}

/* Signal the event of a handle. Page: nf-ntifs-zwsetevent. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS ZwSetEvent(HANDLE EventHandle, PLONG PreviousState)
{
    LONG before = KeSetEvent((PRKEVENT)wsklab_object_of(EventHandle, "ZwSetEvent"), 0, FALSE);
    if (PreviousState) *PreviousState = before;
    return STATUS_SUCCESS;
}

/* Wait for the object of a handle. Page: nf-ntifs-zwwaitforsingleobject. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS ZwWaitForSingleObject(HANDLE Handle, BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    return KeWaitForSingleObject(wsklab_object_of(Handle, "ZwWaitForSingleObject"), UserRequest, KernelMode, Alertable, Timeout);
}

/* Devices that others made. */

/* The top of a device's stack, with one more reference. Page: nf-wdm-iogetattacheddevicereference. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDEVICE_OBJECT IoGetAttachedDeviceReference(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT top = IoGetAttachedDevice(DeviceObject);
    ObReferenceObject(top);
    return top;
}

/* The top of the stack that a file is open to. Page: nf-wdm-iogetrelateddeviceobject. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDEVICE_OBJECT IoGetRelatedDeviceObject(PFILE_OBJECT FileObject)
{
    return IoGetAttachedDevice(FileObject->DeviceObject);
}

/* Open a device by its name: the top of its stack, and a file that has to be dereferenced. Page: nf-wdm-iogetdeviceobjectpointer. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoGetDeviceObjectPointer(PUNICODE_STRING ObjectName, ACCESS_MASK DesiredAccess, PFILE_OBJECT *FileObject,
                                  PDEVICE_OBJECT *DeviceObject)
{
    NTSTATUS status = wsklab_open_file(ObjectName, FileObject, DeviceObject);
    if (NT_SUCCESS(status)) wsklab_count(*FileObject, FALSE)->Device = *DeviceObject;
    return status;
}

/* Put a device on top of a named device's stack. Page: nf-wdm-ioattachdevice. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoAttachDevice(PDEVICE_OBJECT SourceDevice, PUNICODE_STRING TargetDevice, PDEVICE_OBJECT *AttachedDevice)
{
    PFILE_OBJECT file;
    PDEVICE_OBJECT top;
    NTSTATUS status = IoGetDeviceObjectPointer(TargetDevice, 0, &file, &top);
    if (!NT_SUCCESS(status)) return status;
    *AttachedDevice = IoAttachDeviceToDeviceStack(SourceDevice, top);
    SourceDevice->AlignmentRequirement = top->AlignmentRequirement;
    ObDereferenceObject(file);
    return STATUS_SUCCESS;
}

/* Shutdown: the devices whose drivers want to know, the last registered first. */
typedef struct _WSKLAB_SHUTDOWN {
    struct _WSKLAB_SHUTDOWN *Next;
    PDEVICE_OBJECT Device;
    BOOLEAN Last;
} WSKLAB_SHUTDOWN, *PWSKLAB_SHUTDOWN;

static NTSTATUS wsklab_tell_shutdown(PDEVICE_OBJECT Device, BOOLEAN Last, BOOLEAN Fails)
{
    PVOID *place = wsklab_entry("shutdown", NULL);
    PWSKLAB_SHUTDOWN made;
    if (Fails) return STATUS_INSUFFICIENT_RESOURCES;
    made = (PWSKLAB_SHUTDOWN)wsklab_system_object(sizeof(WSKLAB_SHUTDOWN), "shutdown notification", NULL);
    made->Next = (PWSKLAB_SHUTDOWN)*place;
    made->Device = Device;
    made->Last = Last;
    *place = made;
    Device->Flags |= DO_SHUTDOWN_REGISTERED;
    return STATUS_SUCCESS;
}

/* Have IRP_MJ_SHUTDOWN sent to a device when the system shuts down. Page: nf-wdm-ioregistershutdownnotification. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoRegisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    return wsklab_tell_shutdown(DeviceObject, FALSE, wsklab_fails("IoRegisterShutdownNotification"));
}

/* The same, after the file systems were flushed. Page: nf-wdm-ioregisterlastchanceshutdownnotification. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoRegisterLastChanceShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    return wsklab_tell_shutdown(DeviceObject, TRUE, wsklab_fails("IoRegisterLastChanceShutdownNotification"));
}

/* Have none sent any more; deleting the device does that too. Page: nf-wdm-iounregistershutdownnotification. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void IoUnregisterShutdownNotification(PDEVICE_OBJECT DeviceObject)
{
    PVOID *place = wsklab_entry("shutdown", NULL);
    PWSKLAB_SHUTDOWN known;
    while ((known = (PWSKLAB_SHUTDOWN)*place) != NULL) {
        if (known->Device == DeviceObject) {
            *place = known->Next;
            wsklab_system_free(known);
        } else {
            place = (PVOID *)&known->Next;
        }
    }
    DeviceObject->Flags &= ~DO_SHUTDOWN_REGISTERED;
}

static void wsklab_shut_down_device(PDEVICE_OBJECT Device)
{
    KEVENT event;
    IO_STATUS_BLOCK iosb;
    PIRP irp;
    PDEVICE_OBJECT top = IoGetAttachedDevice(Device);
    if (wsklab_wdf_shut_down(Device)) return;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    irp = IoBuildSynchronousFsdRequest(IRP_MJ_SHUTDOWN, top, NULL, 0, NULL, &event, &iosb);
    if (irp && IoCallDriver(top, irp) == STATUS_PENDING)
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
}

/* The system shuts down: IRP_MJ_SHUTDOWN to every device that asked for it, and then to those that asked to be the last. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void wsklab_shut_down(void)
{
    PWSKLAB_SHUTDOWN known, next;
    ULONG last;
    for (last = 0; last < 2; last++)
        for (known = (PWSKLAB_SHUTDOWN)*wsklab_entry("shutdown", NULL); known; known = next) {
            next = known->Next;
            if (known->Last == last) wsklab_shut_down_device(known->Device);
        }
}
