/*
 * wdmusb.c: descriptors, and the USB driver stack with the device on the bus, as far as a scripted lower device needs them: what
 * a URB asks for and gets. How it is answered, and when, is told to the lower device in Python (kmdf/lower.py).
 *
 * A pipe's handle is the address of its endpoint descriptor, an interface's that of its interface descriptor.
 * Follows the usb.h pages and chapter 9 of the USB specification.
 */

/* The next descriptor of a type in a buffer, from a place in it on; NULL at its end. Page: USBD_ParseDescriptors. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PUSB_COMMON_DESCRIPTOR USBD_ParseDescriptors(PVOID DescriptorBuffer, ULONG TotalLength, PVOID StartPosition, LONG DescriptorType)
{
    PUCHAR here = (PUCHAR)StartPosition;
    PUCHAR end = (PUCHAR)DescriptorBuffer + TotalLength;
    while (here + sizeof(USB_COMMON_DESCRIPTOR) <= end && here[0] != 0) {
        if (here[1] == DescriptorType) return (PUSB_COMMON_DESCRIPTOR)here;
        here += here[0];
    }
    return NULL;
}

/* The first interface descriptor that has all values that are not -1. Page: USBD_ParseConfigurationDescriptorEx. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PUSB_INTERFACE_DESCRIPTOR USBD_ParseConfigurationDescriptorEx(PUSB_CONFIGURATION_DESCRIPTOR ConfigurationDescriptor,
                                                              PVOID StartPosition, LONG InterfaceNumber, LONG AlternateSetting,
                                                              LONG InterfaceClass, LONG InterfaceSubClass,
                                                              LONG InterfaceProtocol)
{
    const USHORT length = ConfigurationDescriptor->wTotalLength;
    PUSB_INTERFACE_DESCRIPTOR found = (PUSB_INTERFACE_DESCRIPTOR)USBD_ParseDescriptors(
        ConfigurationDescriptor, length, StartPosition, USB_INTERFACE_DESCRIPTOR_TYPE);
    while (found != NULL) {
        if ((InterfaceNumber == -1 || found->bInterfaceNumber == InterfaceNumber) &&
            (AlternateSetting == -1 || found->bAlternateSetting == AlternateSetting) &&
            (InterfaceClass == -1 || found->bInterfaceClass == InterfaceClass) &&
            (InterfaceSubClass == -1 || found->bInterfaceSubClass == InterfaceSubClass) &&
            (InterfaceProtocol == -1 || found->bInterfaceProtocol == InterfaceProtocol))
            return found;
        found = (PUSB_INTERFACE_DESCRIPTOR)USBD_ParseDescriptors(ConfigurationDescriptor, length, (PUCHAR)found + found->bLength,
                                                                 USB_INTERFACE_DESCRIPTOR_TYPE);
    }
    return NULL;
}

static USBD_STATUS UsbBad(PUCHAR *Offset, PVOID Where, USBD_STATUS Status)
{
    *Offset = (PUCHAR)Where;
    return Status;
}

/* Level 3: a descriptor is exactly as long as its type says, and an interface has the endpoints that it says. */
static USBD_STATUS UsbCheckClosely(PUSB_CONFIGURATION_DESCRIPTOR Configuration, PUSB_INTERFACE_DESCRIPTOR Setting, PUCHAR *Offset)
{
    PUCHAR end = (PUCHAR)Configuration + Configuration->wTotalLength;
    PUCHAR here = (PUCHAR)Setting + Setting->bLength;
    ULONG count = 0;
    if (Setting->bLength != sizeof(*Setting)) return UsbBad(Offset, Setting, USBD_STATUS_BAD_DESCRIPTOR_BLEN);
    for (; here < end && here[1] != USB_INTERFACE_DESCRIPTOR_TYPE; here += here[0]) {
        if (here[1] != USB_ENDPOINT_DESCRIPTOR_TYPE) continue;
        if (here[0] != sizeof(USB_ENDPOINT_DESCRIPTOR)) return UsbBad(Offset, here, USBD_STATUS_BAD_DESCRIPTOR_BLEN);
        count++;
    }
    return count == Setting->bNumEndpoints ? USBD_STATUS_SUCCESS : UsbBad(Offset, Setting, USBD_STATUS_BAD_NUMBER_OF_ENDPOINTS);
}

/* Level 2: lengths, endpoint addresses, each setting of an interface once; at level 3 interfaces have the numbers from 0 on. */
static USBD_STATUS UsbCheckAll(PUSB_CONFIGURATION_DESCRIPTOR Configuration, USHORT Level, PUCHAR *Offset)
{
    PUCHAR here = (PUCHAR)Configuration + Configuration->bLength;
    PUCHAR end = (PUCHAR)Configuration + Configuration->wTotalLength;
    PUSB_INTERFACE_DESCRIPTOR setting = NULL;
    USBD_STATUS status = USBD_STATUS_SUCCESS;
    ULONG interfaces = 0;
    for (; here < end; here += here[0]) {
        if (here + sizeof(USB_COMMON_DESCRIPTOR) > end || here[0] < sizeof(USB_COMMON_DESCRIPTOR) || here + here[0] > end)
            return UsbBad(Offset, here, USBD_STATUS_BAD_DESCRIPTOR_BLEN);
        if (here[1] == USB_INTERFACE_DESCRIPTOR_TYPE) {
            setting = (PUSB_INTERFACE_DESCRIPTOR)here;
            if (here[0] < sizeof(*setting)) return UsbBad(Offset, here, USBD_STATUS_BAD_INTERFACE_DESCRIPTOR);
            if (USBD_ParseConfigurationDescriptorEx(Configuration, Configuration, setting->bInterfaceNumber,
                                                    setting->bAlternateSetting, -1, -1, -1) != setting)
                return UsbBad(Offset, here, USBD_STATUS_BAD_INTERFACE_DESCRIPTOR);
            if (setting->bAlternateSetting == 0 && Level > 2 && setting->bInterfaceNumber != interfaces)
                return UsbBad(Offset, here, USBD_STATUS_BAD_INTERFACE_DESCRIPTOR);
            interfaces += setting->bAlternateSetting == 0;
        } else if (here[1] == USB_ENDPOINT_DESCRIPTOR_TYPE) {
            if (setting == NULL || here[0] < sizeof(USB_ENDPOINT_DESCRIPTOR))
                return UsbBad(Offset, here, USBD_STATUS_BAD_ENDPOINT_DESCRIPTOR);
            if ((here[2] & 0x70) || !(here[2] & USB_ENDPOINT_ADDRESS_MASK))
                return UsbBad(Offset, here, USBD_STATUS_BAD_ENDPOINT_ADDRESS);
        }
    }
    if (interfaces != Configuration->bNumInterfaces)
        return UsbBad(Offset, Configuration, USBD_STATUS_BAD_NUMBER_OF_INTERFACES);
    setting = Level > 2 ? USBD_ParseConfigurationDescriptorEx(Configuration, Configuration, -1, -1, -1, -1, -1) : NULL;
    while (setting != NULL && USBD_SUCCESS(status)) {
        status = UsbCheckClosely(Configuration, setting, Offset);
        setting = USBD_ParseConfigurationDescriptorEx(Configuration, (PUCHAR)setting + setting->bLength, -1, -1, -1, -1, -1);
    }
    return status;
}

/*
 * Whether a configuration descriptor and what belongs to it are in order, as closely as Level says; where not. The page leaves
 * open which error stands for what: the choice is ours. Page: USBD_ValidateConfigurationDescriptor.
 */
_IRQL_requires_max_(DISPATCH_LEVEL)
USBD_STATUS USBD_ValidateConfigurationDescriptor(PUSB_CONFIGURATION_DESCRIPTOR ConfigDesc, ULONG BufferLength, USHORT Level,
                                                 PUCHAR *Offset, ULONG Tag)
{
    if (BufferLength < sizeof(*ConfigDesc)) return UsbBad(Offset, ConfigDesc, USBD_STATUS_BAD_CONFIG_DESC_LENGTH);
    if (ConfigDesc->bDescriptorType != USB_CONFIGURATION_DESCRIPTOR_TYPE)
        return UsbBad(Offset, ConfigDesc, USBD_STATUS_BAD_DESCRIPTOR_TYPE);
    if (ConfigDesc->bLength < sizeof(*ConfigDesc)) return UsbBad(Offset, ConfigDesc, USBD_STATUS_BAD_DESCRIPTOR_BLEN);
    if (ConfigDesc->wTotalLength < ConfigDesc->bLength || ConfigDesc->wTotalLength > BufferLength)
        return UsbBad(Offset, ConfigDesc, USBD_STATUS_BAD_CONFIG_DESC_LENGTH);
    return Level > 1 ? UsbCheckAll(ConfigDesc, Level, Offset) : USBD_STATUS_SUCCESS;
}

static PURB UsbUrb(PIRP Irp)
{
    PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(Irp);
    if (here->MajorFunction != IRP_MJ_INTERNAL_DEVICE_CONTROL) return NULL;
    if (here->Parameters.DeviceIoControl.IoControlCode != IOCTL_INTERNAL_USB_SUBMIT_URB) return NULL;
    return (PURB)here->Parameters.Others.Argument1;
}

/* The URB of an IRP that moves data of a pipe, which takes its time; NULL for what the stack answers at once. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PURB wsklab_usb_transfer(PIRP Irp)
{
    PURB urb = UsbUrb(Irp);
    USHORT function = urb != NULL ? urb->UrbHeader.Function : URB_FUNCTION_ABORT_PIPE;
    return function == URB_FUNCTION_CONTROL_TRANSFER || function == URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER ? urb : NULL;
}

/* Where the data of a URB are. */
_IRQL_requires_max_(DISPATCH_LEVEL)
PVOID wsklab_usb_buffer(PURB Urb)
{
    PMDL list = Urb->UrbControlTransfer.TransferBufferMDL;
    return list != NULL ? MmGetSystemAddressForMdlSafe(list, NormalPagePriority) : Urb->UrbControlTransfer.TransferBuffer;
}

static NTSTATUS UsbRefuse(PURB Urb, USBD_STATUS UsbdStatus, NTSTATUS Status)
{
    URB_STATUS(Urb) = UsbdStatus;
    return Status;
}

/* As much of some bytes as a URB has room for. */
static NTSTATUS UsbGive(PURB Urb, const VOID *Bytes, ULONG Length)
{
    struct _URB_CONTROL_TRANSFER *urb = &Urb->UrbControlTransfer;
    if (Length < urb->TransferBufferLength) urb->TransferBufferLength = Length;
    RtlCopyMemory(wsklab_usb_buffer(Urb), Bytes, urb->TransferBufferLength);
    return UsbRefuse(Urb, USBD_STATUS_SUCCESS, STATUS_SUCCESS);
}

/* The strings stand behind the configuration, the one of the languages first. */
static NTSTATUS UsbGiveString(PURB Urb, PUSB_CONFIGURATION_DESCRIPTOR Configuration)
{
    PUCHAR here = (PUCHAR)Configuration + Configuration->wTotalLength;
    UCHAR i;
    for (i = 0; here[0] != 0 && i < Urb->UrbControlDescriptorRequest.Index; i++) here += here[0];
    if (here[0] != 0) return UsbGive(Urb, here, here[0]);
    return UsbRefuse(Urb, USBD_STATUS_STALL_PID, STATUS_UNSUCCESSFUL);
}

static NTSTATUS UsbGiveDescriptor(PURB Urb, PUSB_CONFIGURATION_DESCRIPTOR Configuration)
{
    struct _URB_CONTROL_DESCRIPTOR_REQUEST *urb = &Urb->UrbControlDescriptorRequest;
    USB_DEVICE_DESCRIPTOR device = {
        sizeof(device), USB_DEVICE_DESCRIPTOR_TYPE, 0x0200, 0, 0, 0, 64, 0x1209, 0x0001, 0x0100, 0, 0, 0, 1,
    };
    urb->Reserved = Configuration; /* the handle of the default pipe */
    if (urb->DescriptorType == USB_DEVICE_DESCRIPTOR_TYPE) return UsbGive(Urb, &device, sizeof(device));
    if (urb->DescriptorType == USB_CONFIGURATION_DESCRIPTOR_TYPE && urb->Index == 0)
        return UsbGive(Urb, Configuration, Configuration->wTotalLength);
    if (urb->DescriptorType == USB_STRING_DESCRIPTOR_TYPE) return UsbGiveString(Urb, Configuration);
    return UsbRefuse(Urb, USBD_STATUS_STALL_PID, STATUS_UNSUCCESSFUL);
}

/* What the bus tells of an interface whose setting is selected: its handle, and its pipes. */
static NTSTATUS UsbSelect(PUSBD_INTERFACE_INFORMATION Into, PUSB_CONFIGURATION_DESCRIPTOR Configuration)
{
    PUSB_INTERFACE_DESCRIPTOR setting = USBD_ParseConfigurationDescriptorEx(
        Configuration, Configuration, Into->InterfaceNumber, Into->AlternateSetting, -1, -1, -1);
    PUSB_ENDPOINT_DESCRIPTOR endpoint = (PUSB_ENDPOINT_DESCRIPTOR)setting;
    ULONG i;
    if (setting == NULL || Into->NumberOfPipes != setting->bNumEndpoints) return STATUS_INVALID_PARAMETER;
    Into->InterfaceHandle = setting;
    Into->Class = setting->bInterfaceClass;
    Into->SubClass = setting->bInterfaceSubClass;
    Into->Protocol = setting->bInterfaceProtocol;
    for (i = 0; i < Into->NumberOfPipes; i++) {
        PUSBD_PIPE_INFORMATION pipe = &Into->Pipes[i];
        endpoint = (PUSB_ENDPOINT_DESCRIPTOR)USBD_ParseDescriptors(
            Configuration, Configuration->wTotalLength, (PUCHAR)endpoint + endpoint->bLength, USB_ENDPOINT_DESCRIPTOR_TYPE);
        if (endpoint == NULL) return STATUS_INVALID_PARAMETER;
        pipe->MaximumPacketSize = endpoint->wMaxPacketSize;
        pipe->EndpointAddress = endpoint->bEndpointAddress;
        pipe->Interval = endpoint->bInterval;
        pipe->PipeType = (USBD_PIPE_TYPE)(endpoint->bmAttributes & USB_ENDPOINT_TYPE_MASK);
        pipe->PipeHandle = endpoint;
    }
    return STATUS_SUCCESS;
}

static NTSTATUS UsbSelectAll(PURB Urb, PUSB_CONFIGURATION_DESCRIPTOR Configuration)
{
    PUSBD_INTERFACE_INFORMATION each = &Urb->UrbSelectConfiguration.Interface;
    PUCHAR end = (PUCHAR)Urb + Urb->UrbHeader.Length;
    if (Urb->UrbSelectConfiguration.ConfigurationDescriptor == NULL) return STATUS_SUCCESS;
    while ((PUCHAR)each < end) {
        NTSTATUS status = UsbSelect(each, Configuration);
        if (!NT_SUCCESS(status)) return status;
        each = (PUSBD_INTERFACE_INFORMATION)((PUCHAR)each + each->Length);
    }
    Urb->UrbSelectConfiguration.ConfigurationHandle = Configuration;
    return STATUS_SUCCESS;
}

static BOOLEAN UsbIsPipe(PURB Urb, PUSB_CONFIGURATION_DESCRIPTOR Configuration)
{
    PUCHAR handle = (PUCHAR)Urb->UrbPipeRequest.PipeHandle;
    return handle > (PUCHAR)Configuration && handle < (PUCHAR)Configuration + Configuration->wTotalLength;
}

/* The default pipe, by flag or handle, or one of an endpoint. Data have been moved before. */
static NTSTATUS UsbTransfer(PURB Urb, PUSB_CONFIGURATION_DESCRIPTOR Configuration, ULONG Moved)
{
    struct _URB_CONTROL_TRANSFER *urb = &Urb->UrbControlTransfer;
    if (Urb->UrbHeader.Function != URB_FUNCTION_CONTROL_TRANSFER && !UsbIsPipe(Urb, Configuration))
        return UsbRefuse(Urb, USBD_STATUS_INVALID_PIPE_HANDLE, STATUS_INVALID_PARAMETER);
    if (urb->TransferFlags & USBD_TRANSFER_DIRECTION_IN) urb->TransferBufferLength = Moved;
    return UsbRefuse(Urb, USBD_STATUS_SUCCESS, STATUS_SUCCESS);
}

/* A transfer that is answered with a failure, or cancelled. */
static NTSTATUS UsbFail(PURB Urb, NTSTATUS Status)
{
    Urb->UrbControlTransfer.TransferBufferLength = 0;
    return UsbRefuse(Urb, Status == STATUS_CANCELLED ? USBD_STATUS_CANCELED : USBD_STATUS_STALL_PID, Status);
}

static NTSTATUS UsbAnswerUrb(PURB Urb, PUSB_CONFIGURATION_DESCRIPTOR Configuration, NTSTATUS Scripted, ULONG Moved)
{
    const USHORT powered = Configuration->bmAttributes & USB_CONFIG_SELF_POWERED ? USB_GETSTATUS_SELF_POWERED : 0;
    NTSTATUS status;
    switch (Urb->UrbHeader.Function) {
    case URB_FUNCTION_CONTROL_TRANSFER:
    case URB_FUNCTION_BULK_OR_INTERRUPT_TRANSFER:
        return NT_SUCCESS(Scripted) ? UsbTransfer(Urb, Configuration, Moved) : UsbFail(Urb, Scripted);
    case URB_FUNCTION_GET_DESCRIPTOR_FROM_DEVICE: return UsbGiveDescriptor(Urb, Configuration);
    case URB_FUNCTION_GET_STATUS_FROM_DEVICE: return UsbGive(Urb, &powered, sizeof(powered));
    case URB_FUNCTION_SELECT_CONFIGURATION: status = UsbSelectAll(Urb, Configuration); break;
    case URB_FUNCTION_SELECT_INTERFACE: status = UsbSelect(&Urb->UrbSelectInterface.Interface, Configuration); break;
    case URB_FUNCTION_ABORT_PIPE:
    case URB_FUNCTION_SYNC_RESET_PIPE_AND_CLEAR_STALL:
    case URB_FUNCTION_SYNC_RESET_PIPE:
    case URB_FUNCTION_SYNC_CLEAR_STALL: status = UsbIsPipe(Urb, Configuration) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER; break;
    default: wsklab_not_modelled("a USB device that gets a URB of this function"); return STATUS_NOT_SUPPORTED;
    }
    return UsbRefuse(Urb, NT_SUCCESS(status) ? USBD_STATUS_SUCCESS : USBD_STATUS_INVALID_PARAMETER, status);
}

/* Answer an internal control code as the stack of a USB device does; a transfer as it was told, of which so many bytes moved. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS wsklab_usb_answer(PIRP Irp, PUSB_CONFIGURATION_DESCRIPTOR Configuration, NTSTATUS Scripted, ULONG Moved)
{
    PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(Irp);
    switch (here->Parameters.DeviceIoControl.IoControlCode) {
    case IOCTL_INTERNAL_USB_SUBMIT_URB: return UsbAnswerUrb(UsbUrb(Irp), Configuration, Scripted, Moved);
    case IOCTL_INTERNAL_USB_RESET_PORT: return STATUS_SUCCESS;
    case IOCTL_INTERNAL_USB_GET_PORT_STATUS:
        *(PULONG)here->Parameters.Others.Argument1 = USBD_PORT_ENABLED | USBD_PORT_CONNECTED;
        return STATUS_SUCCESS;
    default: wsklab_not_modelled("a USB device that gets this control code"); return STATUS_NOT_SUPPORTED;
    }
}

/* The bus interface: nobody counts references to it. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_usb_referenced(PVOID Context)
{
}

/* Versions, and what the host controller can do. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_usb_versions(PVOID BusContext, PUSBD_VERSION_INFORMATION VersionInformation, PULONG HcdCapabilities)
{
    VersionInformation->USBDI_Version = USBDI_VERSION;
    VersionInformation->Supported_USB_Version = 0x0200;
    *HcdCapabilities = 0;
}

/* The number of the frame: one each millisecond. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS wsklab_usb_time(PVOID BusContext, PULONG CurrentUsbFrame)
{
    *CurrentUsbFrame = (ULONG)(KeQueryInterruptTime() / 10000);
    return STATUS_SUCCESS;
}

/* The device is a full-speed device. */
_IRQL_requires_max_(DISPATCH_LEVEL)
BOOLEAN wsklab_usb_high_speed(PVOID BusContext)
{
    return FALSE;
}

/* Answer IRP_MN_QUERY_INTERFACE: the status for it. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS wsklab_usb_interface(PIRP Irp)
{
    PIO_STACK_LOCATION here = IoGetCurrentIrpStackLocation(Irp);
    PUSB_BUS_INTERFACE_USBDI_V1 into = (PUSB_BUS_INTERFACE_USBDI_V1)here->Parameters.QueryInterface.Interface;
    const GUID wanted = WSKLAB_USBDI_GUID;
    if (!RtlEqualMemory(here->Parameters.QueryInterface.InterfaceType, &wanted, sizeof(GUID))) return Irp->IoStatus.Status;
    if (here->Parameters.QueryInterface.Version > USB_BUSIF_USBDI_VERSION_1) return Irp->IoStatus.Status;
    if (here->Parameters.QueryInterface.Size < sizeof(USB_BUS_INTERFACE_USBDI_V0)) return Irp->IoStatus.Status;
    into->Size = here->Parameters.QueryInterface.Size;
    into->Version = here->Parameters.QueryInterface.Version;
    into->BusContext = here->DeviceObject;
    into->InterfaceReference = into->InterfaceDereference = wsklab_usb_referenced;
    into->GetUSBDIVersion = wsklab_usb_versions;
    into->QueryBusTime = wsklab_usb_time;
    into->SubmitIsoOutUrb = NULL;
    into->QueryBusInformation = NULL;
    if (into->Version == USB_BUSIF_USBDI_VERSION_1) into->IsDeviceHighSpeed = wsklab_usb_high_speed;
    return STATUS_SUCCESS;
}
