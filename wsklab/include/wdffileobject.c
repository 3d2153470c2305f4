/*
 * wdffileobject.c: file objects: one for each handle an application has, from its create to its close.
 * Follows the wdffileobject.h pages and framework-file-objects.md.
 */

static PFX_FILE FxFile(PFX_DEVICE Device, PFILE_OBJECT File)
{
    PLIST_ENTRY entry;
    for (entry = Device->OpenFiles.Flink; entry != &Device->OpenFiles; entry = entry->Flink) {
        PFX_FILE file = CONTAINING_RECORD(entry, FX_FILE, Entry);
        if (file->File == File) return file;
    }
    return NULL;
}

static PFX_FILE FxFileHandle(WDFFILEOBJECT FileObject)
{
    return (PFX_FILE)wsklab_wdf(FileObject, FX_TYPE_FILEOBJECT);
}

static void FxForgetFile(PFX_FILE File)
{
    RemoveEntryList(&File->Entry);
    wsklab_wdf_delete(File->Handle);
}

/* An application opens the device. What is returned: a failure, success, or that the request is on its way. */
static NTSTATUS FxFileCreate(WDFDEVICE Device, PFX_DEVICE device, PIRP Irp, PFILE_OBJECT File)
{
    PWDF_OBJECT_ATTRIBUTES attributes = device->Init.FileAttributes.Size != 0 ? &device->Init.FileAttributes : NULL;
    ULONG class = device->Init.Files.FileObjectClass & ~(ULONG)WdfFileObjectCanBeOptional;
    WDFFILEOBJECT handle = NULL;
    PFX_REQUEST request;
    NTSTATUS status;
    if (device->Init.Exclusive && device->OpenCount > 0) return STATUS_ACCESS_DENIED;
    if (class > WdfFileObjectNotRequired && File != NULL) {
        PFX_FILE file;
        status = wsklab_wdf_create(FX_TYPE_FILEOBJECT, FX_TAKES_ALL, attributes, Device, &handle);
        if (!NT_SUCCESS(status)) return status;
        file = FxFileHandle(handle);
        file->Handle = handle;
        file->File = File;
        file->Device = Device;
        InsertTailList(&device->OpenFiles, &file->Entry);
        wsklab_wdf_keep(handle);
        if (class == WdfFileObjectWdfCanUseFsContext) File->FsContext = handle;
        if (class == WdfFileObjectWdfCanUseFsContext2) File->FsContext2 = handle;
    }
    device->OpenCount++;
    if (device->Queues[IRP_MJ_CREATE] == NULL && device->Init.Files.EvtDeviceFileCreate == NULL) return STATUS_SUCCESS;
    request = FxRequest(wsklab_request_new(Device, Irp));
    if (device->Queues[IRP_MJ_CREATE] != NULL) {
        FxInsert(FxQueue(device->Queues[IRP_MJ_CREATE]), request, FALSE);
        wsklab_queue_dispatch(device->Queues[IRP_MJ_CREATE]);
    } else {
        request->Queue = device->Creates;
        FxOwn(FxQueue(device->Creates), request);
        wsklab_wdf_call(wsklab_wdf_lock(Device), (PVOID)device->Init.Files.EvtDeviceFileCreate, Device, request->Handle, handle);
    }
    return STATUS_PENDING;
}

/* Create, cleanup and close of a device. Cleanup and close always succeed. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS wsklab_device_file(WDFDEVICE Device, PIRP Irp)
{
    PFX_DEVICE device = FxDevice(Device);
    PIO_STACK_LOCATION here = Irp->Tail.Overlay.CurrentStackLocation;
    PFX_FILE file;
    PVOID callback;
    if (here->MajorFunction == IRP_MJ_CREATE) return FxFileCreate(Device, device, Irp, here->FileObject);
    file = FxFile(device, here->FileObject);
    callback = (PVOID)device->Init.Files.EvtFileClose;
    if (here->MajorFunction == IRP_MJ_CLEANUP) callback = (PVOID)device->Init.Files.EvtFileCleanup;
    if (callback != NULL) wsklab_wdf_call(wsklab_wdf_lock(Device), callback, file != NULL ? file->Handle : NULL);
    if (here->MajorFunction == IRP_MJ_CLOSE) {
        if (file != NULL) FxForgetFile(file);
        device->OpenCount--;
    }
    return STATUS_SUCCESS;
}

/* The driver refused to open the device: no cleanup or close will come. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_file_refused(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    PFX_DEVICE device = FxDevice(FxQueue(request->Queue)->Device);
    PFX_FILE file = FxFile(device, FxLocation(request)->FileObject);
    if (file != NULL) FxForgetFile(file);
    device->OpenCount--;
}

/* The name that was opened, behind the device's own. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PUNICODE_STRING WdfFileObjectGetFileName(WDFFILEOBJECT FileObject)
{
    return &FxFileHandle(FileObject)->File->FileName;
}

/* The flags of the FILE_OBJECT. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG WdfFileObjectGetFlags(WDFFILEOBJECT FileObject)
{
    return FxFileHandle(FileObject)->File->Flags;
}

/* The device that was opened. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFDEVICE WdfFileObjectGetDevice(WDFFILEOBJECT FileObject)
{
    return FxFileHandle(FileObject)->Device;
}

/* The FILE_OBJECT that a file object stands for. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PFILE_OBJECT WdfFileObjectWdmGetFileObject(WDFFILEOBJECT FileObject)
{
    return FxFileHandle(FileObject)->File;
}

/* The process that opened the device: there is one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
ULONG WdfFileObjectGetInitiatorProcessId(WDFFILEOBJECT FileObject)
{
    FxFileHandle(FileObject);
    return FX_APPLICATION_PROCESS;
}

/* The file object of a received request; NULL when the device has none. Facts: KMDF-GET-12, 13, RULE-84. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFFILEOBJECT WdfRequestGetFileObject(WDFREQUEST Request)
{
    PFX_REQUEST request = FxRequest(Request);
    PFX_DEVICE device;
    PFX_FILE file;
    if (!FxHasIrp(Request, "WdfRequestGetFileObject")) return NULL;
    device = FxDevice(request->Device);
    if (device->Init.Files.Size == 0) wsklab_wdf_break("kmdf-no-file-objects", Request, "function=WdfRequestGetFileObject");
    file = FxFile(device, FxLocation(request)->FileObject);
    return file != NULL ? file->Handle : NULL;
}
