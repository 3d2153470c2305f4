/*
 * wdmstartio.c: what belongs to a device object: its queue of IRPs for the StartIo routine, its DPC, its timer; and what a driver
 * keeps with its driver object. Follows the wdm.h pages nf-wdm-iostart*, nf-wdm-io*dpc*, nf-wdm-io*timer.
 */

static void wsklab_start_io(PDEVICE_OBJECT Device, PIRP Irp)
{
    Device->DriverObject->DriverStartIo(Device, Irp);
    if (KeGetCurrentIrql() != DISPATCH_LEVEL)
        wsklab_stop("routine-changed-irql", Device, "what=StartIo;before=2;after=%d", KeGetCurrentIrql());
}

static void wsklab_has_start_io(PDEVICE_OBJECT Device, PCSTR Function)
{
    if (!Device->DriverObject->DriverStartIo) wsklab_stop("start-io-missing", Device, "function=%s", Function);
}

/* Let the StartIo routine have an IRP, now if the device is idle, else later in order of Key. Page: nf-wdm-iostartpacket. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoStartPacket(PDEVICE_OBJECT DeviceObject, PIRP Irp, PULONG Key, PDRIVER_CANCEL CancelFunction)
{
    PKDEVICE_QUEUE_ENTRY entry = &Irp->Tail.Overlay.DeviceQueueEntry;
    KIRQL before, cancel;
    BOOLEAN queued;
    wsklab_has_start_io(DeviceObject, "IoStartPacket");
    before = KfRaiseIrql(DISPATCH_LEVEL);
    if (CancelFunction) {
        IoAcquireCancelSpinLock(&cancel);
        IoSetCancelRoutine(Irp, CancelFunction);
    }
    queued = Key ? KeInsertByKeyDeviceQueue(&DeviceObject->DeviceQueue, entry, *Key)
                 : KeInsertDeviceQueue(&DeviceObject->DeviceQueue, entry);
    if (!queued) DeviceObject->CurrentIrp = Irp;
    if (queued && CancelFunction && Irp->Cancel) { /* it was cancelled before it had a cancel routine, which releases the lock */
        Irp->CancelIrql = cancel;
        IoSetCancelRoutine(Irp, NULL);
        CancelFunction(DeviceObject, Irp);
    } else if (CancelFunction) {
        IoReleaseCancelSpinLock(cancel);
    }
    if (!queued) wsklab_start_io(DeviceObject, Irp);
    KeLowerIrql(before);
}

static void wsklab_start_next(PDEVICE_OBJECT Device, BOOLEAN Cancelable, PULONG Key)
{
    PKDEVICE_QUEUE_ENTRY entry;
    KIRQL irql;
    if (Cancelable) IoAcquireCancelSpinLock(&irql);
    entry = Key ? KeRemoveByKeyDeviceQueue(&Device->DeviceQueue, *Key) : KeRemoveDeviceQueue(&Device->DeviceQueue);
    Device->CurrentIrp = entry ? CONTAINING_RECORD(entry, IRP, Tail.Overlay.DeviceQueueEntry) : NULL;
    if (Cancelable) IoReleaseCancelSpinLock(irql);
    if (entry) wsklab_start_io(Device, Device->CurrentIrp);
}

static void wsklab_at_dispatch(PDEVICE_OBJECT Device, PCSTR Function)
{
    if (KeGetCurrentIrql() < DISPATCH_LEVEL)
        wsklab_stop("irql-too-low", Device, "function=%s;required=DISPATCH_LEVEL", Function);
    wsklab_has_start_io(Device, Function);
}

/* The device has done with its current IRP: let the StartIo routine have the next one. Page: nf-wdm-iostartnextpacket. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoStartNextPacket(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable)
{
    wsklab_at_dispatch(DeviceObject, "IoStartNextPacket");
    wsklab_start_next(DeviceObject, Cancelable, NULL);
}

/* The same, with the first IRP whose key is this or larger. Page: nf-wdm-iostartnextpacketbykey. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoStartNextPacketByKey(PDEVICE_OBJECT DeviceObject, BOOLEAN Cancelable, ULONG Key)
{
    wsklab_at_dispatch(DeviceObject, "IoStartNextPacketByKey");
    wsklab_start_next(DeviceObject, Cancelable, &Key);
}

/* Give the device's DPC its DpcForIsr routine. Page: nf-wdm-ioinitializedpcrequest. */
_IRQL_requires_max_(HIGH_LEVEL)
void IoInitializeDpcRequest(PDEVICE_OBJECT DeviceObject, PIO_DPC_ROUTINE DpcRoutine)
{
    KeInitializeDpc(&DeviceObject->Dpc, (PKDEFERRED_ROUTINE)DpcRoutine, DeviceObject);
}

/* Queue the device's DpcForIsr routine. Page: nf-wdm-iorequestdpc. */
_IRQL_requires_max_(HIGH_LEVEL)
void IoRequestDpc(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    KeInsertQueueDpc(&DeviceObject->Dpc, Irp, Context);
}

/* The device's timer: the KTIMER comes first, so that it is known as one. It goes with the device. */
typedef struct _WSKLAB_IO_TIMER {
    KTIMER Timer;
    KDPC Dpc;
    PDEVICE_OBJECT Device;
    PIO_TIMER_ROUTINE Routine;
    PVOID Context;
} WSKLAB_IO_TIMER, *PWSKLAB_IO_TIMER;

static void wsklab_io_timer_expired(PKDPC Dpc, PVOID Context, PVOID First, PVOID Second)
{
    PWSKLAB_IO_TIMER timer = (PWSKLAB_IO_TIMER)Context;
    timer->Routine(timer->Device, timer->Context);
}

static PWSKLAB_IO_TIMER wsklab_io_timer(PDEVICE_OBJECT Device, PCSTR Function)
{
    if (!Device->Timer) wsklab_stop("not-initialized", Device, "function=%s;expected=IO_TIMER", Function);
    return (PWSKLAB_IO_TIMER)Device->Timer;
}

/* Give the device a timer routine, to be called at DISPATCH_LEVEL once a second. Page: nf-wdm-ioinitializetimer. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoInitializeTimer(PDEVICE_OBJECT DeviceObject, PIO_TIMER_ROUTINE TimerRoutine, PVOID Context)
{
    PWSKLAB_IO_TIMER timer = (PWSKLAB_IO_TIMER)DeviceObject->Timer;
    if (!timer) {
        timer = (PWSKLAB_IO_TIMER)wsklab_system_object(sizeof(WSKLAB_IO_TIMER), "IO_TIMER", NULL);
        KeInitializeTimer(&timer->Timer);
        KeInitializeDpc(&timer->Dpc, wsklab_io_timer_expired, timer);
        DeviceObject->Timer = (PIO_TIMER)timer;
    }
    timer->Device = DeviceObject;
    timer->Routine = TimerRoutine;
    timer->Context = Context;
    return STATUS_SUCCESS;
}

/* Call the device's timer routine every second from now on. Page: nf-wdm-iostarttimer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoStartTimer(PDEVICE_OBJECT DeviceObject)
{
    PWSKLAB_IO_TIMER timer = wsklab_io_timer(DeviceObject, "IoStartTimer");
    LARGE_INTEGER second = { .QuadPart = -10000000 };
    KeSetTimerEx(&timer->Timer, second, 1000, &timer->Dpc);
}

/* Call the device's timer routine no more. Page: nf-wdm-iostoptimer. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoStopTimer(PDEVICE_OBJECT DeviceObject)
{
    KeCancelTimer(&wsklab_io_timer(DeviceObject, "IoStopTimer")->Timer);
}

/* What drivers keep with their driver objects, each under an address of its own. */
typedef struct _IO_CLIENT_EXTENSION {
    struct _IO_CLIENT_EXTENSION *Next;
    PDRIVER_OBJECT Driver;
    PVOID Client;
} IO_CLIENT_EXTENSION, *PIO_CLIENT_EXTENSION;

/* Memory that a driver finds again by an address; it goes with the driver object. Page: nf-wdm-ioallocatedriverobjectextension. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS IoAllocateDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress,
                                         ULONG DriverObjectExtensionSize, PVOID *DriverObjectExtension)
{
    PVOID *first = wsklab_entry("driver object extensions", NULL);
    PIO_CLIENT_EXTENSION made;
    *DriverObjectExtension = NULL;
    if (IoGetDriverObjectExtension(DriverObject, ClientIdentificationAddress)) return STATUS_OBJECT_NAME_COLLISION;
    if (wsklab_fails("IoAllocateDriverObjectExtension")) return STATUS_INSUFFICIENT_RESOURCES;
    made = (PIO_CLIENT_EXTENSION)wsklab_system_object(sizeof(IO_CLIENT_EXTENSION) + DriverObjectExtensionSize,
                                                      "driver object extension", NULL);
    made->Next = (PIO_CLIENT_EXTENSION)*first;
    made->Driver = DriverObject;
    made->Client = ClientIdentificationAddress;
    *first = made;
    *DriverObjectExtension = made + 1;
    return STATUS_SUCCESS;
}

/* The memory that a driver keeps under an address; NULL for none. Page: nf-wdm-iogetdriverobjectextension. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID IoGetDriverObjectExtension(PDRIVER_OBJECT DriverObject, PVOID ClientIdentificationAddress)
{
    PIO_CLIENT_EXTENSION known = (PIO_CLIENT_EXTENSION)*wsklab_entry("driver object extensions", NULL);
    while (known && (known->Driver != DriverObject || known->Client != ClientIdentificationAddress)) known = known->Next;
    return known ? known + 1 : NULL;
}

/* A device object with a security descriptor; there is one user, who may do everything. Page: wdmlib-iocreatedevicesecure. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoCreateDeviceSecure(PDRIVER_OBJECT DriverObject, ULONG DeviceExtensionSize, PUNICODE_STRING DeviceName,
                              DEVICE_TYPE DeviceType, ULONG DeviceCharacteristics, BOOLEAN Exclusive,
                              PCUNICODE_STRING DefaultSDDLString, LPCGUID DeviceClassGuid, PDEVICE_OBJECT *DeviceObject)
{
    return IoCreateDevice(DriverObject, DeviceExtensionSize, DeviceName, DeviceType, DeviceCharacteristics, Exclusive, DeviceObject);
}

/* Give a device a second name that everybody may change. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoCreateUnprotectedSymbolicLink(PUNICODE_STRING SymbolicLinkName, PUNICODE_STRING DeviceName)
{
    return IoCreateSymbolicLink(SymbolicLinkName, DeviceName);
}

/* Whether the system has this version of WDM; since Windows Vista it is 6.0. Page: nf-wdm-ioiswdmversionavailable. */
_IRQL_requires_max_(PASSIVE_LEVEL)
BOOLEAN IoIsWdmVersionAvailable(UCHAR MajorVersion, UCHAR MinorVersion)
{
    return MajorVersion < 6 || (MajorVersion == 6 && MinorVersion == 0);
}
