/*
 * wdfdriver.c: what a driver asks of its driver object, and the properties of devices. Follows the wdfdriver.h, wdffdo.h and
 * wdfdevice.h pages.
 */

/* The DRIVER_OBJECT behind a WDFDRIVER. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PDRIVER_OBJECT WdfDriverWdmGetDriverObject(WDFDRIVER Driver)
{
    return (PDRIVER_OBJECT)wsklab_ask(Driver, "Driver.object");
}

/* The WDFDRIVER of a DRIVER_OBJECT; NULL for a driver of another kind. Page: nf-wdfdriver-wdfwdmdrivergetwdfdriverhandle. */
_IRQL_requires_max_(HIGH_LEVEL)
WDFDRIVER WdfWdmDriverGetWdfDriverHandle(PDRIVER_OBJECT DriverObject)
{
    wsklab_given(DriverObject, "DriverObject");
    return wsklab_wdf_of(DriverObject);
}

/* The path that DriverEntry got, ending in a null character. Page: nf-wdfdriver-wdfdrivergetregistrypath. */
_IRQL_requires_max_(PASSIVE_LEVEL)
PWSTR WdfDriverGetRegistryPath(WDFDRIVER Driver)
{
    return (PWSTR)wsklab_ask(Driver, "Driver.registry_path");
}

/* A text that names the framework's version. Page: nf-wdfdriver-wdfdriverretrieveversionstring. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDriverRetrieveVersionString(WDFDRIVER Driver, WDFSTRING String)
{
    PFX_STRING string = (PFX_STRING)wsklab_wdf(String, FX_TYPE_STRING);
    UNICODE_STRING text;
    wsklab_wdf(Driver, FX_TYPE_DRIVER);
    if (wsklab_wdf_verifies(Driver)) RtlInitUnicodeString(&text, L"Kernel Mode Driver Framework (verifier on) version 1.33.19041");
    else RtlInitUnicodeString(&text, L"Kernel Mode Driver Framework version 1.33.19041");
    return FxSetString(string, &text);
}

/* Whether the framework is this version or a later one of the same major version. Page: nf-wdfdriver-wdfdriverisversionavailable. */
_IRQL_requires_max_(PASSIVE_LEVEL)
BOOLEAN WdfDriverIsVersionAvailable(WDFDRIVER Driver, PWDF_DRIVER_VERSION_AVAILABLE_PARAMS VersionAvailableParams)
{
    wsklab_wdf(Driver, FX_TYPE_DRIVER);
    wsklab_given(VersionAvailableParams, "VersionAvailableParams");
    return VersionAvailableParams->Size == sizeof(WDF_DRIVER_VERSION_AVAILABLE_PARAMS) &&
           VersionAvailableParams->MajorVersion == KMDF_VERSION_MAJOR &&
           VersionAvailableParams->MinorVersion <= KMDF_VERSION_MINOR;
}

/*
 * What a driver's code reports that was about to call a function of a newer framework. One that returns a status may fail instead,
 * unless the verifier is on. Page: bug-check-0x10d---wdf-violation.
 */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfDriverErrorReportApiMissing(WDFDRIVER Driver, PCWSTR FrameworkExtensionName, ULONG ApiIndex,
                                        BOOLEAN DoesApiReturnNtstatus)
{
    PWSTR path;
    CHAR name[32] = "";
    ULONG i, length = 0;
    wsklab_wdf(Driver, FX_TYPE_DRIVER);
    if (DoesApiReturnNtstatus && !wsklab_wdf_verifies(Driver)) return STATUS_PROCEDURE_NOT_FOUND;
    if (FrameworkExtensionName == NULL) FrameworkExtensionName = L"KMDF";
    path = (PWSTR)wsklab_ask(Driver, "Driver.registry_path");
    for (i = 0; path[i] != 0; i++) {
        if (path[i] == L'\\') length = 0;
        else if (length < sizeof(name) - 1) name[length++] = (CHAR)path[i];
    }
    name[length] = 0;
    wsklab_wdf_stop("kmdf-api-missing", Driver,
                    "driver=%s.sys;name=0x%016I64x;extension=%ws;extensionname=0x%016I64x;index=0x%x", name, (PVOID)name,
                    FrameworkExtensionName, FrameworkExtensionName, ApiIndex);
    return STATUS_PROCEDURE_NOT_FOUND;
}

/* Properties of devices, as their bus reported them; a control device has none. */

static NTSTATUS FxQueryProperty(PDEVICE_OBJECT Physical, DEVICE_REGISTRY_PROPERTY Property, ULONG Length, PVOID Buffer, PULONG Result)
{
    wsklab_given(Result, "ResultLength");
    if (Length != 0) wsklab_given(Buffer, "PropertyBuffer");
    return Physical == NULL ? STATUS_INVALID_DEVICE_REQUEST : IoGetDeviceProperty(Physical, Property, Length, Buffer, Result);
}

static NTSTATUS FxAllocAndQueryProperty(PDEVICE_OBJECT Physical, DEVICE_REGISTRY_PROPERTY Property, POOL_TYPE PoolType,
                                        PWDF_OBJECT_ATTRIBUTES Attributes, WDFMEMORY *Memory)
{
    ULONG length = 0;
    PVOID buffer;
    NTSTATUS status;
    wsklab_given(Memory, "PropertyMemory");
    *Memory = NULL;
    status = FxQueryProperty(Physical, Property, 0, NULL, &length);
    if (status != STATUS_BUFFER_TOO_SMALL) return status;
    status = WdfMemoryCreate(Attributes, PoolType, 'PxFd', length, Memory, &buffer);
    return NT_SUCCESS(status) ? IoGetDeviceProperty(Physical, Property, length, buffer, &length) : status;
}

/* A property of the device below, before there is a WDFDEVICE. Page: nf-wdffdo-wdffdoinitqueryproperty. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfFdoInitQueryProperty(PWDFDEVICE_INIT DeviceInit, DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength,
                                 PVOID PropertyBuffer, PULONG ResultLength)
{
    return FxQueryProperty(FxInit(DeviceInit)->Physical, DeviceProperty, BufferLength, PropertyBuffer, ResultLength);
}

/* The same, in a memory object that fits. Page: nf-wdffdo-wdffdoinitallocandqueryproperty. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfFdoInitAllocAndQueryProperty(PWDFDEVICE_INIT DeviceInit, DEVICE_REGISTRY_PROPERTY DeviceProperty, POOL_TYPE PoolType,
                                         PWDF_OBJECT_ATTRIBUTES PropertyMemoryAttributes, WDFMEMORY *PropertyMemory)
{
    return FxAllocAndQueryProperty(FxInit(DeviceInit)->Physical, DeviceProperty, PoolType, PropertyMemoryAttributes, PropertyMemory);
}

/* What the bus says of the device. Page: nf-wdfdevice-wdfdevicequeryproperty. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDeviceQueryProperty(WDFDEVICE Device, DEVICE_REGISTRY_PROPERTY DeviceProperty, ULONG BufferLength,
                                PVOID PropertyBuffer, PULONG ResultLength)
{
    return FxQueryProperty(FxDevice(Device)->Init.Physical, DeviceProperty, BufferLength, PropertyBuffer, ResultLength);
}

/* The same, in a memory object that fits. Page: nf-wdfdevice-wdfdeviceallocandqueryproperty. */
_IRQL_requires_max_(PASSIVE_LEVEL)
NTSTATUS WdfDeviceAllocAndQueryProperty(WDFDEVICE Device, DEVICE_REGISTRY_PROPERTY DeviceProperty, POOL_TYPE PoolType,
                                        PWDF_OBJECT_ATTRIBUTES PropertyMemoryAttributes, WDFMEMORY *PropertyMemory)
{
    return FxAllocAndQueryProperty(FxDevice(Device)->Init.Physical, DeviceProperty, PoolType, PropertyMemoryAttributes,
                                   PropertyMemory);
}

/* Shutdown. */

/* Have a callback called when the system shuts down. Page: nf-wdfcontrol-wdfcontroldeviceinitsetshutdownnotification. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfControlDeviceInitSetShutdownNotification(PWDFDEVICE_INIT DeviceInit, PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION Notification,
                                                 UCHAR Flags)
{
    PFX_DEVICE_INIT init = FxInit(DeviceInit);
    wsklab_given((PVOID)Notification, "Notification");
    init->EvtShutdown = Notification;
    init->ShutdownFlags = Flags;
}

/* The system shuts down: call the callback of a device of the framework, at PASSIVE_LEVEL, where it may wait; FALSE for others. */
_IRQL_requires_max_(PASSIVE_LEVEL)
BOOLEAN wsklab_wdf_shut_down(PDEVICE_OBJECT DeviceObject)
{
    PFX_DEVICE device = (PFX_DEVICE)DeviceObject->DeviceExtension;
    if (wsklab_wdf_of(DeviceObject->DriverObject) == NULL || device->Init.EvtShutdown == NULL) return FALSE;
    wsklab_wdf_status("EvtDeviceShutdownNotification", (PVOID)device->Init.EvtShutdown, device->Handle);
    return TRUE;
}
