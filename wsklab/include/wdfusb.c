/*
 * wdfusb.c: the device below as a USB device: its descriptors, which are asked for when the target is made, and its interfaces.
 *
 * Follows the framework's source (fxusbdevice*.cpp, fxusbinterface.cpp) and the wdfusb.h pages. Page: usb-i-o-targets.md.
 */

static PFX_USB_DEVICE FxUsbDevice(WDFUSBDEVICE UsbDevice)
{
    return (PFX_USB_DEVICE)wsklab_wdf(UsbDevice, FX_TYPE_TARGET_USB_DEVICE);
}

static PFX_USB_INTERFACE FxUsbInterface(WDFUSBINTERFACE UsbInterface)
{
    return (PFX_USB_INTERFACE)wsklab_wdf(UsbInterface, FX_TYPE_USB_INTERFACE);
}

static PUSB_INTERFACE_DESCRIPTOR FxSetting(PFX_USB_DEVICE Device, LONG Number, LONG Setting)
{
    return USBD_ParseConfigurationDescriptorEx(Device->Configuration, Device->Configuration, Number, Setting, -1, -1, -1);
}

/* Send a request of the framework's own, if it could be formatted, and wait; Timeout in seconds. */
static NTSTATUS FxSendOwn(WDFIOTARGET Target, WDFREQUEST Request, NTSTATUS Formatted, ULONG Flags, ULONG Timeout)
{
    NTSTATUS status = Formatted;
    WDF_REQUEST_SEND_OPTIONS options;
    if (NT_SUCCESS(status)) {
        WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS | Flags);
        WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, WDF_REL_TIMEOUT_IN_SEC(Timeout));
        WdfRequestSend(Request, Target, &options);
        status = WdfRequestGetStatus(Request);
    }
    WdfObjectDelete(Request);
    return status;
}

/* The same with a URB. */
static NTSTATUS FxSubmit(WDFIOTARGET Target, PURB Urb, ULONG Flags, ULONG Timeout)
{
    WDFREQUEST request = (WDFREQUEST)wsklab_ask(Target, "IoTarget.own_request");
    NTSTATUS status = FxFormatUrb(Target, request, Urb, NULL, WdfUsbRequestTypeNoFormat);
    return FxSendOwn(Target, request, status, Flags, Timeout);
}

/* Ask the stack below for its interface of a version: nobody has it unless somebody says so. */
static NTSTATUS FxAskInterface(WDFIOTARGET Target, PUSB_BUS_INTERFACE_USBDI_V1 Into, USHORT Size, USHORT Version)
{
    WSKLAB_FORMAT format = {Target, (WDFREQUEST)wsklab_ask(Target, "IoTarget.own_request")};
    NTSTATUS status = wsklab_format_begin(&format, IRP_MJ_PNP, 1);
    const GUID type = WSKLAB_USBDI_GUID;
    RtlZeroMemory(Into, sizeof(*Into));
    if (NT_SUCCESS(status)) {
        format.Next->MinorFunction = IRP_MN_QUERY_INTERFACE;
        format.Next->Parameters.QueryInterface.InterfaceType = &type;
        format.Next->Parameters.QueryInterface.Size = Size;
        format.Next->Parameters.QueryInterface.Version = Version;
        format.Next->Parameters.QueryInterface.Interface = (PINTERFACE)Into;
        format.Irp->IoStatus.Status = STATUS_NOT_SUPPORTED;
        status = wsklab_format_end(&format, WdfRequestTypeOther, NULL, FALSE);
    }
    return FxSendOwn(Target, format.Request, status, 0, 5);
}

/* Ask for the first so many bytes of a descriptor; how many came. */
static NTSTATUS FxAskDescriptor(WDFIOTARGET Target, UCHAR Type, UCHAR Index, USHORT Language, PVOID Buffer, PULONG Length,
                                USBD_PIPE_HANDLE *ControlPipe)
{
    NTSTATUS status;
    URB urb;
    RtlZeroMemory(&urb, sizeof(urb));
    UsbBuildGetDescriptorRequest(&urb, sizeof(struct _URB_CONTROL_DESCRIPTOR_REQUEST), Type, Index, Language, Buffer, NULL,
                                 *Length, NULL);
    status = FxSubmit(Target, &urb, 0, 5);
    *Length = urb.UrbControlDescriptorRequest.TransferBufferLength;
    if (ControlPipe != NULL) *ControlPipe = urb.UrbControlDescriptorRequest.Reserved;
    return status;
}

/* The configuration descriptor and what belongs to it: first its length, then the whole. */
static NTSTATUS FxAskConfiguration(WDFIOTARGET Target, PFX_USB_DEVICE Device)
{
    USB_CONFIGURATION_DESCRIPTOR first = {0};
    ULONG length = sizeof(first);
    NTSTATUS status = FxAskDescriptor(Target, USB_CONFIGURATION_DESCRIPTOR_TYPE, 0, 0, &first, &length, NULL);
    if (!NT_SUCCESS(status)) return status;
    if (length == 0 || first.wTotalLength < sizeof(first)) return STATUS_UNSUCCESSFUL;
    length = first.wTotalLength;
    Device->Configuration = (PUSB_CONFIGURATION_DESCRIPTOR)wsklab_allocate(length);
    if (Device->Configuration == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    status = FxAskDescriptor(Target, USB_CONFIGURATION_DESCRIPTOR_TYPE, 0, 0, Device->Configuration, &length, NULL);
    if (NT_SUCCESS(status) && Device->Configuration->wTotalLength != first.wTotalLength) return STATUS_DEVICE_DATA_ERROR;
    return status;
}

/* What the bus says of the device: whether it is at high speed, and versions. Without that the default pipe has a handle. */
static NTSTATUS FxAskBus(WDFIOTARGET Target, PFX_USB_DEVICE Device)
{
    USB_BUS_INTERFACE_USBDI_V1 *bus = &Device->Bus;
    NTSTATUS status = FxAskInterface(Target, bus, sizeof(*bus), USB_BUSIF_USBDI_VERSION_1);
    if (!NT_SUCCESS(status))
        status = FxAskInterface(Target, bus, sizeof(USB_BUS_INTERFACE_USBDI_V0), USB_BUSIF_USBDI_VERSION_0);
    if (status == STATUS_NOT_SUPPORTED) {
        Device->OnUsbd = TRUE;
        return STATUS_SUCCESS;
    }
    if (!NT_SUCCESS(status)) return status;
    if (bus->IsDeviceHighSpeed != NULL && bus->IsDeviceHighSpeed(bus->BusContext))
        Device->Information.Traits |= WDF_USB_DEVICE_TRAIT_AT_HIGH_SPEED;
    bus->GetUSBDIVersion(bus->BusContext, &Device->Information.UsbdVersionInformation, &Device->Information.HcdPortCapabilities);
    return STATUS_SUCCESS;
}

static NTSTATUS FxAskDevice(WDFIOTARGET Target, PFX_USB_DEVICE Device)
{
    ULONG length = sizeof(USB_DEVICE_DESCRIPTOR);
    USHORT state = 0;
    NTSTATUS status;
    URB urb;
    status = FxAskDescriptor(Target, USB_DEVICE_DESCRIPTOR_TYPE, 0, 0, &Device->Descriptor, &length, &Device->ControlPipe);
    if (NT_SUCCESS(status)) status = FxAskConfiguration(Target, Device);
    if (!NT_SUCCESS(status)) return status;
    if (Device->Configuration->bmAttributes & USB_CONFIG_REMOTE_WAKEUP)
        Device->Information.Traits |= WDF_USB_DEVICE_TRAIT_REMOTE_WAKE_CAPABLE;
    RtlZeroMemory(&urb, sizeof(urb));
    UsbBuildGetStatusRequest(&urb, URB_FUNCTION_GET_STATUS_FROM_DEVICE, 0, &state, NULL, NULL);
    if (NT_SUCCESS(FxSubmit(Target, &urb, 0, 5)) && (state & USB_GETSTATUS_SELF_POWERED))
        Device->Information.Traits |= WDF_USB_DEVICE_TRAIT_SELF_POWERED;
    return FxAskBus(Target, Device);
}

/* Whether every descriptor of a configuration is as long as it must be, and ends in it. */
static BOOLEAN FxIsWhole(PUSB_CONFIGURATION_DESCRIPTOR Configuration)
{
    PUCHAR here = (PUCHAR)Configuration;
    PUCHAR end = here + Configuration->wTotalLength;
    while (here < end) {
        PUSB_COMMON_DESCRIPTOR known = (PUSB_COMMON_DESCRIPTOR)here;
        if (here + sizeof(USB_COMMON_DESCRIPTOR) > end || known->bLength == 0 || here + known->bLength > end) return FALSE;
        if (known->bDescriptorType == USB_INTERFACE_DESCRIPTOR_TYPE && known->bLength < sizeof(USB_INTERFACE_DESCRIPTOR))
            return FALSE;
        if (known->bDescriptorType == USB_ENDPOINT_DESCRIPTOR_TYPE && known->bLength < sizeof(USB_ENDPOINT_DESCRIPTOR))
            return FALSE;
        here += known->bLength;
    }
    return TRUE;
}

/* The object of an interface; its alternate settings have the numbers from 0 on. */
static NTSTATUS FxMakeInterface(WDFUSBDEVICE UsbDevice, PFX_USB_DEVICE Device, UCHAR Number)
{
    WDFUSBINTERFACE *handle = &Device->Interfaces[Device->InterfaceCount];
    NTSTATUS status = wsklab_wdf_create(FX_TYPE_USB_INTERFACE, 0, WDF_NO_OBJECT_ATTRIBUTES, UsbDevice, handle);
    PFX_USB_INTERFACE known;
    PUSB_INTERFACE_DESCRIPTOR each;
    if (!NT_SUCCESS(status)) return status;
    wsklab_wdf_keep(*handle);
    Device->InterfaceCount++;
    known = FxUsbInterface(*handle);
    known->Handle = *handle;
    known->Device = UsbDevice;
    known->Number = Number;
    while (FxSetting(Device, Number, known->SettingCount) != NULL) known->SettingCount++;
    each = FxSetting(Device, Number, -1);
    while (each != NULL) {
        if (each->bAlternateSetting >= known->SettingCount) return STATUS_INVALID_DEVICE_REQUEST;
        each = USBD_ParseConfigurationDescriptorEx(Device->Configuration, (PUCHAR)each + each->bLength, Number, -1, -1, -1, -1);
    }
    return STATUS_SUCCESS;
}

static NTSTATUS FxMakeInterfaces(WDFUSBDEVICE UsbDevice, PFX_USB_DEVICE Device)
{
    const UCHAR said = Device->Configuration->bNumInterfaces;
    PUSB_INTERFACE_DESCRIPTOR each;
    NTSTATUS status = STATUS_SUCCESS;
    UCHAR i;
    if (!FxIsWhole(Device->Configuration)) return STATUS_INVALID_PARAMETER;
    each = FxSetting(Device, -1, -1);
    Device->Mismatched = each != NULL && said == 0;
    Device->Interfaces = (WDFUSBINTERFACE *)wsklab_allocate((said + 1) * sizeof(WDFUSBINTERFACE));
    if (Device->Interfaces == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    while (NT_SUCCESS(status) && each != NULL && Device->InterfaceCount < said) {
        for (i = 0; i < Device->InterfaceCount; i++)
            if (FxUsbInterface(Device->Interfaces[i])->Number == each->bInterfaceNumber) break;
        if (i == Device->InterfaceCount) status = FxMakeInterface(UsbDevice, Device, each->bInterfaceNumber);
        each = USBD_ParseConfigurationDescriptorEx(Device->Configuration, (PUCHAR)each + each->bLength, -1, -1, -1, -1, -1);
    }
    return NT_SUCCESS(status) && Device->InterfaceCount == 0 && said > 0 ? STATUS_INVALID_DEVICE_REQUEST : status;
}

/* Make the target, and ask the device what it is. It gets its attributes last: what fails is not seen. */
static NTSTATUS FxCreateUsbDevice(WDFDEVICE Device, PWDF_OBJECT_ATTRIBUTES Attributes, WDFUSBDEVICE *UsbDevice, PCSTR Function)
{
    WDFUSBDEVICE made;
    NTSTATUS status;
    wsklab_given(UsbDevice, "UsbDevice");
    *UsbDevice = NULL;
    if (FxTooHigh(Device, Function)) return STATUS_INVALID_DEVICE_REQUEST;
    if (FxDevice(Device)->Target == NULL) return STATUS_INVALID_DEVICE_STATE; /* no device is below */
    status = wsklab_wdf_check(Attributes, 0);
    if (NT_SUCCESS(status)) status = wsklab_wdf_create(FX_TYPE_TARGET_USB_DEVICE, 0, WDF_NO_OBJECT_ATTRIBUTES, Device, &made);
    if (!NT_SUCCESS(status)) return status;
    status = FxAskDevice((WDFIOTARGET)made, FxUsbDevice(made));
    if (NT_SUCCESS(status)) status = FxMakeInterfaces(made, FxUsbDevice(made));
    if (NT_SUCCESS(status)) status = (NTSTATUS)wsklab_ask(made, "Object.commit", Attributes, UsbDevice);
    else wsklab_wdf_delete(made);
    return status;
}

/* The device below as a USB device. Page: WdfUsbTargetDeviceCreate. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceCreate(WDFDEVICE Device, PWDF_OBJECT_ATTRIBUTES Attributes, WDFUSBDEVICE *UsbDevice)
{
    FxDevice(Device);
    return FxCreateUsbDevice(Device, Attributes, UsbDevice, "WdfUsbTargetDeviceCreate");
}

/* The same for a driver that says which contract it keeps to. Page: WdfUsbTargetDeviceCreateWithParameters. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceCreateWithParameters(WDFDEVICE Device, PWDF_USB_DEVICE_CREATE_CONFIG Config,
                                                PWDF_OBJECT_ATTRIBUTES Attributes, WDFUSBDEVICE *UsbDevice)
{
    FxDevice(Device);
    wsklab_given(Config, "Config");
    wsklab_given(UsbDevice, "UsbDevice");
    if (Config->Size != sizeof(WDF_USB_DEVICE_CREATE_CONFIG)) return STATUS_INFO_LENGTH_MISMATCH;
    return FxCreateUsbDevice(Device, Attributes, UsbDevice, "WdfUsbTargetDeviceCreateWithParameters");
}

/* Its memory goes. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_wdfusbdevice_destroyed(PFX_USB_DEVICE Device)
{
    if (Device->Bus.InterfaceDereference != NULL) Device->Bus.InterfaceDereference(Device->Bus.BusContext);
    wsklab_free(Device->Configuration);
    wsklab_free(Device->Interfaces);
}

/* Speed, power and versions. Page: WdfUsbTargetDeviceRetrieveInformation. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceRetrieveInformation(WDFUSBDEVICE UsbDevice, PWDF_USB_DEVICE_INFORMATION Information)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    wsklab_given(Information, "Information");
    if (Information->Size != sizeof(WDF_USB_DEVICE_INFORMATION)) return STATUS_INFO_LENGTH_MISMATCH;
    *Information = device->Information;
    Information->Size = sizeof(WDF_USB_DEVICE_INFORMATION);
    return STATUS_SUCCESS;
}

/* The device descriptor. Page: WdfUsbTargetDeviceGetDeviceDescriptor. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfUsbTargetDeviceGetDeviceDescriptor(WDFUSBDEVICE UsbDevice, PUSB_DEVICE_DESCRIPTOR UsbDeviceDescriptor)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    wsklab_given(UsbDeviceDescriptor, "UsbDeviceDescriptor");
    if (FxTooHigh(UsbDevice, "WdfUsbTargetDeviceGetDeviceDescriptor")) return;
    *UsbDeviceDescriptor = device->Descriptor;
}

/* The configuration descriptor, or as much as there is room for, and its length. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceRetrieveConfigDescriptor(WDFUSBDEVICE UsbDevice, PVOID ConfigDescriptor,
                                                    PUSHORT ConfigDescriptorLength)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    USHORT length = device->Configuration->wTotalLength;
    USHORT room;
    wsklab_given(ConfigDescriptorLength, "ConfigDescriptorLength");
    if (FxTooHigh(UsbDevice, "WdfUsbTargetDeviceRetrieveConfigDescriptor")) return STATUS_INVALID_DEVICE_REQUEST;
    room = ConfigDescriptor != NULL ? *ConfigDescriptorLength : 0;
    if (room > 0) RtlCopyMemory(ConfigDescriptor, device->Configuration, room < length ? room : length);
    *ConfigDescriptorLength = length;
    return room < length ? STATUS_BUFFER_TOO_SMALL : STATUS_SUCCESS;
}

/* Whether the device is still there. Page: WdfUsbTargetDeviceIsConnectedSynchronous. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceIsConnectedSynchronous(WDFUSBDEVICE UsbDevice)
{
    WSKLAB_SEND send = {(WDFIOTARGET)UsbDevice, WdfRequestTypeOther, IOCTL_INTERNAL_USB_GET_PORT_STATUS};
    WDF_MEMORY_DESCRIPTOR descriptor;
    WDF_REQUEST_SEND_OPTIONS options;
    ULONG port = 0;
    NTSTATUS status;
    FxUsbDevice(UsbDevice);
    WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&descriptor, &port, sizeof(port));
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE);
    WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, WDF_REL_TIMEOUT_IN_SEC(5));
    send.Descriptors[0] = &descriptor;
    status = wsklab_sync_send(&send, NULL, &options, NULL, "WdfUsbTargetDeviceIsConnectedSynchronous");
    return NT_SUCCESS(status) && !(port & USBD_PORT_CONNECTED) ? STATUS_DEVICE_DOES_NOT_EXIST : status;
}

/* Cancel what the device and its pipes were sent, and reset its port. Page: WdfUsbTargetDeviceResetPortSynchronously. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceResetPortSynchronously(WDFUSBDEVICE UsbDevice)
{
    WSKLAB_SEND send = {(WDFIOTARGET)UsbDevice, WdfRequestTypeOther, IOCTL_INTERNAL_USB_RESET_PORT};
    WDF_REQUEST_SEND_OPTIONS options;
    WDFUSBPIPE pipe;
    ULONG i;
    FxUsbDevice(UsbDevice);
    if (FxTooHigh(UsbDevice, "WdfUsbTargetDeviceResetPortSynchronously")) return STATUS_INVALID_DEVICE_REQUEST;
    for (i = 0; (pipe = FxPipeAt((WDFIOTARGET)UsbDevice, i)) != NULL; i++) wsklab_ask(pipe, "IoTarget.cancel_all");
    wsklab_ask(UsbDevice, "IoTarget.cancel_all");
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE);
    WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, WDF_REL_TIMEOUT_IN_SEC(5));
    return wsklab_sync_send(&send, NULL, &options, NULL, "WdfUsbTargetDeviceResetPortSynchronously");
}

/* The number of the bus's present frame. Page: WdfUsbTargetDeviceRetrieveCurrentFrameNumber. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceRetrieveCurrentFrameNumber(WDFUSBDEVICE UsbDevice, PULONG CurrentFrameNumber)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    wsklab_given(CurrentFrameNumber, "CurrentFrameNumber");
    if (device->Bus.QueryBusTime == NULL) return STATUS_UNSUCCESSFUL;
    return device->Bus.QueryBusTime(device->Bus.BusContext, CurrentFrameNumber);
}

/* How many interfaces the device has. */
_IRQL_requires_max_(DISPATCH_LEVEL)
UCHAR WdfUsbTargetDeviceGetNumInterfaces(WDFUSBDEVICE UsbDevice)
{
    return FxUsbDevice(UsbDevice)->InterfaceCount;
}

/* An interface by its place, which need not be its number; NULL for none. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFUSBINTERFACE WdfUsbTargetDeviceGetInterface(WDFUSBDEVICE UsbDevice, UCHAR InterfaceIndex)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    return InterfaceIndex < device->InterfaceCount ? device->Interfaces[InterfaceIndex] : NULL;
}

/* The handle of the selected configuration. */
_IRQL_requires_max_(DISPATCH_LEVEL)
USBD_CONFIGURATION_HANDLE WdfUsbTargetDeviceWdmGetConfigurationHandle(WDFUSBDEVICE UsbDevice)
{
    return FxUsbDevice(UsbDevice)->ConfigurationHandle;
}
