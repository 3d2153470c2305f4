/*
 * wdmio.c: routines of the I/O manager that are written in C: remove locks, cancel-safe queues, IRPs that it builds for a driver.
 */

/* Remove locks: the count begins at 1, and ends at 0 when the device is removed and nobody holds the lock. */

static void wsklab_remove_lock(PIO_REMOVE_LOCK Lock, PCSTR Function)
{
    if (!wsklab_written((PVOID)&Lock->Common, sizeof(IO_REMOVE_LOCK_COMMON_BLOCK)))
        wsklab_stop("not-initialized", Lock, "function=%s;expected=IO_REMOVE_LOCK", Function);
}

static void wsklab_remove_lock_release(PIO_REMOVE_LOCK Lock, PCSTR Function)
{
    wsklab_remove_lock(Lock, Function);
    if (Lock->Common.IoCount <= (Lock->Common.Removed ? 0 : 1))
        wsklab_stop("reference-not-acquired", Lock, "function=%s", Function);
    if (--Lock->Common.IoCount == 0) KeSetEvent(&Lock->Common.RemoveEvent, 0, FALSE);
}

/* Make a remove lock, in nonpaged memory. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void IoInitializeRemoveLock(PIO_REMOVE_LOCK Lock, ULONG AllocateTag, ULONG MaxLockedMinutes, ULONG HighWatermark)
{
    wsklab_nonpaged(Lock, "IoInitializeRemoveLock");
    memset(Lock, 0, sizeof(IO_REMOVE_LOCK));
    Lock->Common.IoCount = 1;
    KeInitializeEvent(&Lock->Common.RemoveEvent, SynchronizationEvent, FALSE);
}

/* Keep a device from being removed; STATUS_DELETE_PENDING when its removal has begun. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS IoAcquireRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
    wsklab_remove_lock(RemoveLock, "IoAcquireRemoveLock");
    if (RemoveLock->Common.Removed) return STATUS_DELETE_PENDING;
    RemoveLock->Common.IoCount++;
    return STATUS_SUCCESS;
}

/* Give back what IoAcquireRemoveLock took. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoReleaseRemoveLock(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
    wsklab_remove_lock_release(RemoveLock, "IoReleaseRemoveLock");
}

/* Begin the removal: give back one's own acquisition, let nobody in any more, and wait for the last one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void IoReleaseRemoveLockAndWait(PIO_REMOVE_LOCK RemoveLock, PVOID Tag)
{
    wsklab_remove_lock_release(RemoveLock, "IoReleaseRemoveLockAndWait");
    RemoveLock->Common.Removed = TRUE;
    if (--RemoveLock->Common.IoCount > 0)
        KeWaitForSingleObject(&RemoveLock->Common.RemoveEvent, Executive, KernelMode, FALSE, NULL);
}

/* Cancel-safe queues: the driver keeps the list, the queue keeps it safe from cancellation. */

static void wsklab_csq_canceled(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    PIO_CSQ csq = (PIO_CSQ)Irp->Tail.Overlay.DriverContext[3];
    KIRQL irql;
    UNREFERENCED_PARAMETER(DeviceObject);
    IoReleaseCancelSpinLock(Irp->CancelIrql);
    if (csq->Type != 1 && csq->Type != 3) { /* it was inserted with a context */
        PIO_CSQ_IRP_CONTEXT context = (PIO_CSQ_IRP_CONTEXT)csq;
        context->Irp = NULL;
        csq = context->Csq;
    }
    csq->CsqAcquireLock(csq, &irql);
    csq->CsqRemoveIrp(csq, Irp);
    csq->CsqReleaseLock(csq, irql);
    csq->CsqCompleteCanceledIrp(csq, Irp);
}

static void wsklab_csq_make(PIO_CSQ Csq, ULONG Type, PVOID Insert, PIO_CSQ_REMOVE_IRP Remove, PIO_CSQ_PEEK_NEXT_IRP Peek,
                            PIO_CSQ_ACQUIRE_LOCK Acquire, PIO_CSQ_RELEASE_LOCK Release, PIO_CSQ_COMPLETE_CANCELED_IRP Complete)
{
    Csq->Type = Type;
    Csq->CsqInsertIrp = (PIO_CSQ_INSERT_IRP)Insert;
    Csq->CsqRemoveIrp = Remove;
    Csq->CsqPeekNextIrp = Peek;
    Csq->CsqAcquireLock = Acquire;
    Csq->CsqReleaseLock = Release;
    Csq->CsqCompleteCanceledIrp = Complete;
    Csq->ReservePointer = NULL;
}

/* Make a cancel-safe queue over the driver's routines. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS IoCsqInitialize(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                         PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                         PIO_CSQ_RELEASE_LOCK CsqReleaseLock, PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    wsklab_csq_make(Csq, 1, (PVOID)CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
                    CsqCompleteCanceledIrp);
    return STATUS_SUCCESS;
}

/* Make a cancel-safe queue whose insert routine has a context and can refuse. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS IoCsqInitializeEx(PIO_CSQ Csq, PIO_CSQ_INSERT_IRP_EX CsqInsertIrp, PIO_CSQ_REMOVE_IRP CsqRemoveIrp,
                           PIO_CSQ_PEEK_NEXT_IRP CsqPeekNextIrp, PIO_CSQ_ACQUIRE_LOCK CsqAcquireLock,
                           PIO_CSQ_RELEASE_LOCK CsqReleaseLock, PIO_CSQ_COMPLETE_CANCELED_IRP CsqCompleteCanceledIrp)
{
    wsklab_csq_make(Csq, 3, (PVOID)CsqInsertIrp, CsqRemoveIrp, CsqPeekNextIrp, CsqAcquireLock, CsqReleaseLock,
                    CsqCompleteCanceledIrp);
    return STATUS_SUCCESS;
}

/* Queue an IRP, marked pending; one that is cancelled already is completed by the driver's routine for that. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoCsqInsertIrp(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context)
{
    IoCsqInsertIrpEx(Csq, Irp, Context, NULL);
}

/* Queue an IRP as IoCsqInsertIrp does; what the driver's insert routine refuses is not queued and not marked pending. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS IoCsqInsertIrpEx(PIO_CSQ Csq, PIRP Irp, PIO_CSQ_IRP_CONTEXT Context, PVOID InsertContext)
{
    NTSTATUS status = STATUS_SUCCESS;
    KIRQL irql;
    if (Context) {
        Context->Type = 2;
        Context->Irp = Irp;
        Context->Csq = Csq;
    }
    Irp->Tail.Overlay.DriverContext[3] = Context ? (PVOID)Context : (PVOID)Csq;
    Csq->CsqAcquireLock(Csq, &irql);
    if (Csq->Type == 3)
        status = ((PIO_CSQ_INSERT_IRP_EX)Csq->CsqInsertIrp)(Csq, Irp, InsertContext);
    else
        Csq->CsqInsertIrp(Csq, Irp);
    if (!NT_SUCCESS(status)) {
        Csq->CsqReleaseLock(Csq, irql);
        return status;
    }
    IoMarkIrpPending(Irp);
    IoSetCancelRoutine(Irp, wsklab_csq_canceled);
    if (Irp->Cancel && IoSetCancelRoutine(Irp, NULL)) {
        if (Context) Context->Irp = NULL;
        Csq->CsqRemoveIrp(Csq, Irp);
        Csq->CsqReleaseLock(Csq, irql);
        Csq->CsqCompleteCanceledIrp(Csq, Irp);
        return status;
    }
    Csq->CsqReleaseLock(Csq, irql);
    return status;
}

/* Take the IRP of a context out of its queue; NULL when it has been cancelled or taken. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PIRP IoCsqRemoveIrp(PIO_CSQ Csq, PIO_CSQ_IRP_CONTEXT Context)
{
    PIRP irp = Context->Irp;
    KIRQL irql;
    Csq->CsqAcquireLock(Csq, &irql);
    if (irp && !IoSetCancelRoutine(irp, NULL)) irp = NULL; /* its cancel routine is about to run */
    if (irp) {
        Csq->CsqRemoveIrp(Csq, irp);
        Context->Irp = NULL;
    }
    Csq->CsqReleaseLock(Csq, irql);
    return irp;
}

/* Take the next IRP that matches out of a queue; NULL when there is none. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PIRP IoCsqRemoveNextIrp(PIO_CSQ Csq, PVOID PeekContext)
{
    PIRP irp = NULL;
    KIRQL irql;
    Csq->CsqAcquireLock(Csq, &irql);
    while ((irp = Csq->CsqPeekNextIrp(Csq, irp, PeekContext)) != NULL && !IoSetCancelRoutine(irp, NULL))
        ;
    if (irp) {
        PVOID place = irp->Tail.Overlay.DriverContext[3];
        Csq->CsqRemoveIrp(Csq, irp);
        if (place != Csq) ((PIO_CSQ_IRP_CONTEXT)place)->Irp = NULL;
    }
    Csq->CsqReleaseLock(Csq, irql);
    return irp;
}

/* IRPs that the I/O manager builds. It takes the synchronous ones back itself: wsklab_build_irp has wsklab_finish_irp called then. */

static void wsklab_buffer(PIRP Irp, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length, BOOLEAN Reads)
{
    if (!Length) return;
    if (DeviceObject->Flags & DO_BUFFERED_IO) {
        Irp->AssociatedIrp.SystemBuffer = wsklab_system_buffer(Length);
        Irp->Flags |= IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER | (Reads ? IRP_INPUT_OPERATION : 0);
        if (!Reads) memmove(Irp->AssociatedIrp.SystemBuffer, Buffer, Length);
    } else if (DeviceObject->Flags & DO_DIRECT_IO) {
        Irp->MdlAddress = wsklab_system_mdl(Buffer, Length);
    }
    Irp->UserBuffer = Buffer;
}

/* The end of an IRP that the I/O manager built and takes back: results go to who waits for them. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_finish_irp(PIRP Irp)
{
    if (Irp->Flags & IRP_INPUT_OPERATION && !NT_ERROR(Irp->IoStatus.Status) && Irp->IoStatus.Information)
        memmove(Irp->UserBuffer, Irp->AssociatedIrp.SystemBuffer, Irp->IoStatus.Information);
    if (Irp->Flags & IRP_DEALLOCATE_BUFFER) wsklab_system_free(Irp->AssociatedIrp.SystemBuffer);
    if (Irp->MdlAddress) wsklab_system_free(Irp->MdlAddress);
    *Irp->UserIosb = Irp->IoStatus;
    if (Irp->UserEvent) KeSetEvent(Irp->UserEvent, 0, FALSE);
}

static void wsklab_transfer(PIRP Irp, ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                            PLARGE_INTEGER StartingOffset, PIO_STATUS_BLOCK IoStatusBlock)
{
    PIO_STACK_LOCATION next = IoGetNextIrpStackLocation(Irp);
    Irp->UserIosb = IoStatusBlock;
    next->MajorFunction = (UCHAR)MajorFunction;
    if (MajorFunction != IRP_MJ_READ && MajorFunction != IRP_MJ_WRITE) return;
    wsklab_buffer(Irp, DeviceObject, Buffer, Length, MajorFunction == IRP_MJ_READ);
    next->Parameters.Read.Length = Length;
    if (StartingOffset) next->Parameters.Read.ByteOffset = *StartingOffset;
}

/* An IRP for a read, write, flush, shutdown or PnP request; the event is set when it is complete. Facts: IRP-06. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PIRP IoBuildSynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                  PLARGE_INTEGER StartingOffset, PKEVENT Event, PIO_STATUS_BLOCK IoStatusBlock)
{
    PIRP irp = wsklab_build_irp(DeviceObject->StackSize);
    if (!irp) return NULL;
    irp->UserEvent = Event;
    wsklab_transfer(irp, MajorFunction, DeviceObject, Buffer, Length, StartingOffset, IoStatusBlock);
    return irp;
}

/* An IRP as IoBuildSynchronousFsdRequest makes it, which the driver frees itself with IoFreeIrp. Facts: IRP-06. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PIRP IoBuildAsynchronousFsdRequest(ULONG MajorFunction, PDEVICE_OBJECT DeviceObject, PVOID Buffer, ULONG Length,
                                   PLARGE_INTEGER StartingOffset, PIO_STATUS_BLOCK IoStatusBlock)
{
    PIRP irp = IoAllocateIrp(DeviceObject->StackSize, FALSE);
    if (irp) wsklab_transfer(irp, MajorFunction, DeviceObject, Buffer, Length, StartingOffset, IoStatusBlock);
    return irp;
}

/* An IRP for a device control request; the event is set when it is complete. Facts: IRP-06. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PIRP IoBuildDeviceIoControlRequest(ULONG IoControlCode, PDEVICE_OBJECT DeviceObject, PVOID InputBuffer, ULONG InputBufferLength,
                                   PVOID OutputBuffer, ULONG OutputBufferLength, BOOLEAN InternalDeviceIoControl, PKEVENT Event,
                                   PIO_STATUS_BLOCK IoStatusBlock)
{
    PIRP irp = wsklab_build_irp(DeviceObject->StackSize);
    PIO_STACK_LOCATION next;
    ULONG method = METHOD_FROM_CTL_CODE(IoControlCode), both = InputBufferLength;
    if (!irp) return NULL;
    next = IoGetNextIrpStackLocation(irp);
    irp->UserEvent = Event;
    irp->UserIosb = IoStatusBlock;
    next->MajorFunction = InternalDeviceIoControl ? IRP_MJ_INTERNAL_DEVICE_CONTROL : IRP_MJ_DEVICE_CONTROL;
    next->Parameters.DeviceIoControl.IoControlCode = IoControlCode;
    next->Parameters.DeviceIoControl.InputBufferLength = InputBufferLength;
    next->Parameters.DeviceIoControl.OutputBufferLength = OutputBufferLength;
    if (method == METHOD_NEITHER) {
        next->Parameters.DeviceIoControl.Type3InputBuffer = InputBuffer;
        irp->UserBuffer = OutputBuffer;
        return irp;
    }
    if (method == METHOD_BUFFERED && OutputBufferLength > both) both = OutputBufferLength;
    if (both) {
        irp->AssociatedIrp.SystemBuffer = wsklab_system_buffer(both);
        irp->Flags = IRP_BUFFERED_IO | IRP_DEALLOCATE_BUFFER;
        if (InputBufferLength) memmove(irp->AssociatedIrp.SystemBuffer, InputBuffer, InputBufferLength);
    }
    if (method == METHOD_BUFFERED) {
        irp->UserBuffer = OutputBuffer;
        if (OutputBuffer) irp->Flags |= IRP_INPUT_OPERATION;
    } else if (OutputBufferLength) {
        irp->MdlAddress = wsklab_system_mdl(OutputBuffer, OutputBufferLength);
    }
    return irp;
}

/*
 * Associated IRPs: a highest-level driver splits an IRP that it was given. It writes their number into AssociatedIrp.IrpCount of the
 * master; the I/O manager completes the master, with the status that the driver put there, when the last of them is complete. A
 * completion routine that returns STATUS_MORE_PROCESSING_REQUIRED keeps an associated IRP from it: the driver then frees that IRP
 * and completes the master itself. Pages: IoMakeAssociatedIrp, creating-irps-for-lower-level-drivers.
 */

/* An IRP associated with the master Irp; NULL when there is no memory. Facts: IRP-01, IRP-06, KRN-46. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PIRP IoMakeAssociatedIrp(PIRP Irp, CCHAR StackSize)
{
    PIRP associated;
    if (Irp->Flags & IRP_ASSOCIATED_IRP) wsklab_stop("irp-not-a-master", Irp, "irp=%#018llx;what=it is an associated IRP itself", Irp);
    if (Irp->Flags & IRP_BUFFERED_IO)
        wsklab_stop("irp-not-a-master", Irp, "irp=%#018llx;what=it asks for buffered I/O", Irp);
    associated = wsklab_associated_irp(StackSize);
    if (!associated) return NULL;
    associated->Flags = IRP_ASSOCIATED_IRP;
    associated->AssociatedIrp.MasterIrp = Irp;
    associated->Tail.Overlay.Thread = Irp->Tail.Overlay.Thread;
    return associated;
}

/* The end of an associated IRP: the last one completes the master. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_associated_done(PIRP Irp)
{
    PIRP master = Irp->AssociatedIrp.MasterIrp;
    if (master->AssociatedIrp.IrpCount < 1) wsklab_stop("irp-count-wrong", master, "irp=%#018llx;associated=%#018llx", master, Irp);
    if (InterlockedDecrement(&master->AssociatedIrp.IrpCount) == 0) IoCompleteRequest(master, IO_NO_INCREMENT);
}

static NTSTATUS wsklab_forwarded(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(DeviceObject);
    if (Irp->PendingReturned) KeSetEvent((PKEVENT)Context, 0, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* Send an own IRP and wait until it is back; it stays the caller's. Facts: IRP-24. */
_IRQL_requires_max_(APC_LEVEL)
NTSTATUS IoSynchronousCallDriver(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    KEVENT event;
    KeInitializeEvent(&event, NotificationEvent, FALSE);
    IoSetCompletionRoutine(Irp, wsklab_forwarded, &event, TRUE, TRUE, TRUE);
    if (IoCallDriver(DeviceObject, Irp) == STATUS_PENDING)
        KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
    return Irp->IoStatus.Status;
}

/* Send an IRP to the next lower driver and wait until it comes back; FALSE when no stack location is left. Facts: IRP-24. */
_IRQL_requires_max_(PASSIVE_LEVEL)
BOOLEAN IoForwardIrpSynchronously(PDEVICE_OBJECT DeviceObject, PIRP Irp)
{
    if (Irp->CurrentLocation == 1) return FALSE;
    IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSynchronousCallDriver(DeviceObject, Irp);
    return TRUE;
}

/* A property of a device, as its bus reported it; one that it did not report is not found. Page: IoGetDeviceProperty. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS IoGetDeviceProperty(PDEVICE_OBJECT DeviceObject, DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength,
                             PVOID PropertyBuffer, PULONG ResultLength)
{
    ULONG length;
    *ResultLength = 0;
    if (DeviceProperty < DevicePropertyDeviceDescription || DeviceProperty > DevicePropertyContainerID)
        return STATUS_INVALID_PARAMETER_2;
    length = wsklab_device_property(DeviceObject, DeviceProperty, PropertyBuffer, BufferLength);
    if (length == 0) return STATUS_OBJECT_NAME_NOT_FOUND;
    *ResultLength = length;
    return length > BufferLength ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

/* Work items: a routine of the driver, run once at PASSIVE_LEVEL in a system thread. */

static void wsklab_item(PIO_WORKITEM Item, PCSTR Function)
{
    if (Item->Self != Item) wsklab_stop("not-initialized", Item, "function=%s;expected=IO_WORKITEM", Function);
}

static void wsklab_item_ends(PIO_WORKITEM Item, PCSTR Function)
{
    wsklab_item(Item, Function);
    if (wsklab_item_queued(Item)) wsklab_stop("workitem-freed-queued", Item, "function=%s", Function);
    Item->Self = NULL;
}

/* Make a work item in memory of the driver's own, of IoSizeofWorkItem bytes. Facts: KRN-30. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoInitializeWorkItem(PVOID IoObject, PIO_WORKITEM IoWorkItem)
{
    memset(IoWorkItem, 0, sizeof(IO_WORKITEM));
    IoWorkItem->IoObject = *(PCSHORT)IoObject ? IoObject : NULL; /* it needs a driver or device object; NULL stops here */
    IoWorkItem->Self = IoWorkItem;
}

/* A work item of a device object; NULL on failure. Facts: KRN-30, KRN-31. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    PIO_WORKITEM item = (PIO_WORKITEM)wsklab_new_item(sizeof(IO_WORKITEM));
    if (item) IoInitializeWorkItem(DeviceObject, item);
    return item;
}

/* Free a work item that is not queued; allowed in its own routine. Facts: KRN-30, BUG-22. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    wsklab_item_ends(IoWorkItem, "IoFreeWorkItem");
    wsklab_system_free(IoWorkItem);
}

/* End a work item that IoInitializeWorkItem made and that is not queued. Facts: BUG-22. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoUninitializeWorkItem(PIO_WORKITEM IoWorkItem)
{
    wsklab_item_ends(IoWorkItem, "IoUninitializeWorkItem");
}

/* The bytes of a work item. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG IoSizeofWorkItem(void)
{
    return sizeof(IO_WORKITEM);
}

/* Run WorkerRoutine(DeviceObject, Context) soon in a system thread. Facts: KRN-30. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    wsklab_item(IoWorkItem, "IoQueueWorkItem");
    wsklab_item_queue("IoQueueWorkItem", IoWorkItem, WorkerRoutine, IoWorkItem->IoObject, Context);
}

/* Run WorkerRoutine(IoObject, Context, IoWorkItem) soon in a system thread. Facts: KRN-30. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void IoQueueWorkItemEx(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE_EX WorkerRoutine, WORK_QUEUE_TYPE QueueType, PVOID Context)
{
    wsklab_item(IoWorkItem, "IoQueueWorkItemEx");
    wsklab_item_queue("IoQueueWorkItemEx", IoWorkItem, WorkerRoutine, IoWorkItem->IoObject, Context, IoWorkItem);
}

/* Run the routine of a WORK_QUEUE_ITEM with its parameter soon in a system thread. Facts: BUG-22. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void ExQueueWorkItem(PWORK_QUEUE_ITEM WorkItem, WORK_QUEUE_TYPE QueueType)
{
    wsklab_item_queue("ExQueueWorkItem", WorkItem, WorkItem->WorkerRoutine, WorkItem->Parameter);
}

/* Delete a device object, with its timer and what it asked for; its memory stays while somebody holds a reference. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void IoDeleteDevice(PDEVICE_OBJECT DeviceObject)
{
    PDEVICE_OBJECT *place = &DeviceObject->DriverObject->DeviceObject;
    while (*place && *place != DeviceObject) place = &(*place)->NextDevice;
    if (*place) *place = DeviceObject->NextDevice;
    if (DeviceObject->Flags & DO_SHUTDOWN_REGISTERED) IoUnregisterShutdownNotification(DeviceObject);
    if (DeviceObject->Timer) {
        wsklab_take_back(DeviceObject->Timer);
        wsklab_system_free(DeviceObject->Timer);
    }
    wsklab_forget_device(DeviceObject);
    wsklab_delete(DeviceObject);
}

/* The device at the top of a device's stack. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDEVICE_OBJECT IoGetAttachedDevice(PDEVICE_OBJECT DeviceObject)
{
    while (DeviceObject->AttachedDevice) DeviceObject = DeviceObject->AttachedDevice;
    return DeviceObject;
}

/* Put a device on top of the target's stack; returns the device that was on top before. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PDEVICE_OBJECT IoAttachDeviceToDeviceStack(PDEVICE_OBJECT SourceDevice, PDEVICE_OBJECT TargetDevice)
{
    PDEVICE_OBJECT below = IoGetAttachedDevice(TargetDevice);
    below->AttachedDevice = SourceDevice;
    SourceDevice->StackSize = below->StackSize + 1;
    return below;
}

/* Take the device above TargetDevice off the stack. */
_IRQL_requires_max_(PASSIVE_LEVEL)
void IoDetachDevice(PDEVICE_OBJECT TargetDevice)
{
    TargetDevice->AttachedDevice = NULL;
}
