/*
 * wdfdevice.c: what a WDFDEVICE_INIT collects, and what a driver asks a device. Follows the wdfdevice.h, wdfcontrol.h and
 * wdffdo.h pages. Facts: KMDF-DEV-04 to 07, KMDF-TGT-04.
 */

static PFX_DEVICE_INIT FxInit(PWDFDEVICE_INIT DeviceInit)
{
    return (PFX_DEVICE_INIT)wsklab_wdf(DeviceInit, FX_TYPE_DEVICE_INIT);
}

static PFX_DEVICE FxDevice(WDFDEVICE Device)
{
    return (PFX_DEVICE)wsklab_wdf(Device, FX_TYPE_DEVICE);
}

/* A WDFDEVICE_INIT for a control device. Facts: KMDF-DEV-06. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PWDFDEVICE_INIT WdfControlDeviceInitAllocate(WDFDRIVER Driver, const UNICODE_STRING *SDDLString)
{
    wsklab_wdf(Driver, FX_TYPE_DRIVER);
    wsklab_given(SDDLString, "SDDLString");
    return wsklab_device_init(Driver);
}

/* Give a control device's WDFDEVICE_INIT back unused. Facts: KMDF-DEV-07. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitFree(PWDFDEVICE_INIT DeviceInit)
{
    FxInit(DeviceInit);
    WdfObjectDelete(DeviceInit);
}

/* How buffers are to arrive. Facts: KMDF-DEV-05. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetIoType(PWDFDEVICE_INIT DeviceInit, WDF_DEVICE_IO_TYPE IoType)
{
    FxInit(DeviceInit)->IoType = IoType > WdfDeviceIoDirect ? WdfDeviceIoDirect : IoType;
}

/* A filter: what it has no queue for goes down. Facts: KMDF-DEV-05. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfFdoInitSetFilter(PWDFDEVICE_INIT DeviceInit)
{
    FxInit(DeviceInit)->Filter = TRUE;
}

/* The device at the bottom of the stack. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PDEVICE_OBJECT WdfFdoInitWdmGetPhysicalDevice(PWDFDEVICE_INIT DeviceInit)
{
    return FxInit(DeviceInit)->Physical;
}

/* A name under which the device can be opened; NULL takes it back. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDeviceInitAssignName(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING DeviceName)
{
    PFX_DEVICE_INIT init = FxInit(DeviceInit);
    if (init->Name.Buffer != NULL) wsklab_free(init->Name.Buffer);
    RtlZeroMemory(&init->Name, sizeof(UNICODE_STRING));
    if (DeviceName == NULL) return STATUS_SUCCESS;
    init->Name.Buffer = (PWCH)wsklab_allocate(DeviceName->Length + sizeof(WCHAR));
    if (init->Name.Buffer == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    init->Name.Length = DeviceName->Length;
    init->Name.MaximumLength = DeviceName->Length + sizeof(WCHAR);
    RtlCopyMemory(init->Name.Buffer, DeviceName->Buffer, DeviceName->Length);
    return STATUS_SUCCESS;
}

/* The name goes with the WDFDEVICE_INIT. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_wdfdevice_init_destroyed(PFX_DEVICE_INIT Init)
{
    if (Init->Name.Buffer != NULL) wsklab_free(Init->Name.Buffer);
}

/* Who may open the device; the machine has one user, who may. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDeviceInitAssignSDDLString(PWDFDEVICE_INIT DeviceInit, PCUNICODE_STRING SDDLString)
{
    FxInit(DeviceInit);
    return STATUS_SUCCESS;
}

/* One handle at a time. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetExclusive(PWDFDEVICE_INIT DeviceInit, BOOLEAN IsExclusive)
{
    FxInit(DeviceInit)->Exclusive = IsExclusive;
}

/* The DeviceType of the DEVICE_OBJECT. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetDeviceType(PWDFDEVICE_INIT DeviceInit, DEVICE_TYPE DeviceType)
{
    FxInit(DeviceInit)->DeviceType = DeviceType;
}

/* The Characteristics of the DEVICE_OBJECT. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetCharacteristics(PWDFDEVICE_INIT DeviceInit, ULONG DeviceCharacteristics, BOOLEAN OrInValues)
{
    PFX_DEVICE_INIT init = FxInit(DeviceInit);
    init->Characteristics = OrInValues ? init->Characteristics | DeviceCharacteristics : DeviceCharacteristics;
}

/* The setup class of a raw device; nothing here depends on it. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetDeviceClass(PWDFDEVICE_INIT DeviceInit, const GUID *DeviceClassGuid)
{
    FxInit(DeviceInit);
    wsklab_given(DeviceClassGuid, "DeviceClassGuid");
}

/* Power callbacks may touch paged memory: so it is unless the driver says otherwise. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetPowerPageable(PWDFDEVICE_INIT DeviceInit)
{
    FxInit(DeviceInit)->NotPageable = FALSE;
}

/* Power callbacks touch no paged memory; from now on they are watched (see wdfpower.c). */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetPowerNotPageable(PWDFDEVICE_INIT DeviceInit)
{
    FxInit(DeviceInit)->NotPageable = TRUE;
}

/* The device draws much current when it starts; its power callbacks may not touch paged memory. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetPowerInrush(PWDFDEVICE_INIT DeviceInit)
{
    PFX_DEVICE_INIT init = FxInit(DeviceInit);
    init->Inrush = init->NotPageable = TRUE;
}

/* Callbacks for start, power and removal. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetPnpPowerEventCallbacks(PWDFDEVICE_INIT DeviceInit, PWDF_PNPPOWER_EVENT_CALLBACKS PnpPowerEventCallbacks)
{
    PFX_DEVICE_INIT init = FxInit(DeviceInit);
    wsklab_given(PnpPowerEventCallbacks, "PnpPowerEventCallbacks");
    if (PnpPowerEventCallbacks->EvtDeviceQueryStop != NULL) wsklab_not_modelled("the callback EvtDeviceQueryStop");
    if (PnpPowerEventCallbacks->EvtDeviceUsageNotification != NULL || PnpPowerEventCallbacks->EvtDeviceUsageNotificationEx != NULL)
        wsklab_not_modelled("the callback EvtDeviceUsageNotification");
    init->Callbacks = *PnpPowerEventCallbacks;
    wsklab_wdf_watch(DeviceInit, &init->Callbacks.EvtDeviceD0Entry,
                     (ULONG)((PVOID *)(&init->Callbacks + 1) - (PVOID *)&init->Callbacks.EvtDeviceD0Entry));
}

/* File objects: their callbacks, and what each carries. Facts: KMDF-GET-13. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetFileObjectConfig(PWDFDEVICE_INIT DeviceInit, PWDF_FILEOBJECT_CONFIG FileObjectConfig,
                                      PWDF_OBJECT_ATTRIBUTES FileObjectAttributes)
{
    PFX_DEVICE_INIT init = FxInit(DeviceInit);
    wsklab_given(FileObjectConfig, "FileObjectConfig");
    init->Files = *FileObjectConfig;
    if (FileObjectAttributes != NULL) init->FileAttributes = *FileObjectAttributes;
}

/* What every request of the device carries. Facts: KMDF-CTX-11. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetRequestAttributes(PWDFDEVICE_INIT DeviceInit, PWDF_OBJECT_ATTRIBUTES RequestAttributes)
{
    PFX_DEVICE_INIT init = FxInit(DeviceInit);
    wsklab_given(RequestAttributes, "RequestAttributes");
    init->RequestAttributes = *RequestAttributes;
}

/* A callback that sees each request first, in its sender's thread. Facts: KMDF-BUF-13. */
_IRQL_requires_max_(PASSIVE_LEVEL)
VOID WdfDeviceInitSetIoInCallerContextCallback(PWDFDEVICE_INIT DeviceInit, PFN_WDF_IO_IN_CALLER_CONTEXT EvtIoInCallerContext)
{
    FxInit(DeviceInit)->EvtIoInCallerContext = EvtIoInCallerContext;
}

/* The driver a device belongs to. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFDRIVER WdfDeviceGetDriver(WDFDEVICE Device)
{
    return FxDevice(Device)->Driver;
}

/* The local target; NULL for a control device. Facts: KMDF-TGT-01 to 05. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFIOTARGET WdfDeviceGetIoTarget(WDFDEVICE Device)
{
    return FxDevice(Device)->Target;
}

/* The default queue; NULL for none. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFQUEUE WdfDeviceGetDefaultQueue(WDFDEVICE Device)
{
    return FxDevice(Device)->DefaultQueue;
}

/* The DEVICE_OBJECT of a device. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDEVICE_OBJECT WdfDeviceWdmGetDeviceObject(WDFDEVICE Device)
{
    return FxDevice(Device)->Object;
}

/* The DEVICE_OBJECT below; NULL for a control device. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDEVICE_OBJECT WdfDeviceWdmGetAttachedDevice(WDFDEVICE Device)
{
    return FxDevice(Device)->Init.Lower;
}

/* The DEVICE_OBJECT at the bottom of the stack; NULL for a control device. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDEVICE_OBJECT WdfDeviceWdmGetPhysicalDevice(WDFDEVICE Device)
{
    return FxDevice(Device)->Init.Physical;
}

/* The WDFDEVICE behind a DEVICE_OBJECT of the framework's, which a WDM routine such as a completion routine gets. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFDEVICE WdfWdmDeviceGetWdfDeviceHandle(PDEVICE_OBJECT DeviceObject)
{
    wsklab_given(DeviceObject, "DeviceObject");
    return ((PFX_DEVICE)DeviceObject->DeviceExtension)->Handle;
}

/* The Characteristics of the DEVICE_OBJECT. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG WdfDeviceGetCharacteristics(WDFDEVICE Device)
{
    return FxDevice(Device)->Object->Characteristics;
}

/* Set the Characteristics of the DEVICE_OBJECT. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfDeviceSetCharacteristics(WDFDEVICE Device, ULONG DeviceCharacteristics)
{
    FxDevice(Device)->Object->Characteristics = DeviceCharacteristics;
}

/* The AlignmentRequirement of the DEVICE_OBJECT. */
_IRQL_requires_max_(DISPATCH_LEVEL)
ULONG WdfDeviceGetAlignmentRequirement(WDFDEVICE Device)
{
    return FxDevice(Device)->Object->AlignmentRequirement;
}

/* Set the AlignmentRequirement of the DEVICE_OBJECT. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfDeviceSetAlignmentRequirement(WDFDEVICE Device, ULONG AlignmentRequirement)
{
    FxDevice(Device)->Object->AlignmentRequirement = AlignmentRequirement;
}

/* A second name, which applications use. A control device has to have a first one. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDeviceCreateSymbolicLink(WDFDEVICE Device, PCUNICODE_STRING SymbolicLinkName)
{
    PFX_DEVICE device = FxDevice(Device);
    wsklab_given(SymbolicLinkName, "SymbolicLinkName");
    if (device->Init.Name.Buffer == NULL) return STATUS_INVALID_DEVICE_STATE;
    return wsklab_device_link(Device, SymbolicLinkName);
}

/* The name of a device. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDeviceRetrieveDeviceName(WDFDEVICE Device, WDFSTRING String)
{
    PFX_DEVICE device = FxDevice(Device);
    PFX_STRING string = (PFX_STRING)wsklab_wdf(String, FX_TYPE_STRING);
    if (device->Init.Name.Buffer == NULL) return STATUS_INVALID_DEVICE_STATE;
    return FxSetString(string, &device->Init.Name);
}

/* An interface by which applications find the device; it is open to them while the device is started. Plug and Play only. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDeviceCreateDeviceInterface(WDFDEVICE Device, const GUID *InterfaceClassGUID, PCUNICODE_STRING ReferenceString)
{
    PFX_DEVICE device = FxDevice(Device);
    wsklab_given(InterfaceClassGUID, "InterfaceClassGUID");
    if (!device->Pnp) return STATUS_INVALID_DEVICE_REQUEST;
    return wsklab_device_interface(Device, InterfaceClassGUID, ReferenceString, NULL);
}

/* The symbolic link of an interface. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDeviceRetrieveDeviceInterfaceString(WDFDEVICE Device, const GUID *InterfaceClassGUID,
                                                PCUNICODE_STRING ReferenceString, WDFSTRING String)
{
    PFX_STRING string = (PFX_STRING)wsklab_wdf(String, FX_TYPE_STRING);
    UNICODE_STRING name;
    NTSTATUS status;
    FxDevice(Device);
    wsklab_given(InterfaceClassGUID, "InterfaceClassGUID");
    status = wsklab_device_interface(Device, InterfaceClassGUID, ReferenceString, &name);
    return NT_SUCCESS(status) ? FxSetString(string, &name) : status;
}

/* The WDFFILEOBJECT that stands for a FILE_OBJECT; NULL for none. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFFILEOBJECT WdfDeviceGetFileObject(WDFDEVICE Device, PFILE_OBJECT FileObject)
{
    PFX_FILE file = FxFile(FxDevice(Device), FileObject);
    return file != NULL ? file->Handle : NULL;
}
