/*
 * wdfusbconfig.c: selecting a configuration of a USB device, or an alternate setting of an interface: pipes are made for the
 * endpoints, and those before go. Follows fxusbdevice*.cpp and fxusbinterface.cpp. Page: working-with-usb-devices.md.
 */

static PFX_USB_PIPE FxPipe(WDFUSBPIPE Pipe)
{
    return (PFX_USB_PIPE)wsklab_wdf(Pipe, FX_TYPE_TARGET_USB_PIPE);
}

/* The pipes of a USB device one after the other; NULL behind the last one, and for other targets. */
static WDFUSBPIPE FxPipeAt(WDFIOTARGET Target, ULONG Index)
{
    PFX_USB_DEVICE device;
    UCHAR i;
    if (wsklab_ask(Target, "IoTarget.TYPE") != FX_TYPE_TARGET_USB_DEVICE) return NULL;
    device = FxUsbDevice((WDFUSBDEVICE)Target);
    for (i = 0; i < device->InterfaceCount; i++) {
        PFX_USB_INTERFACE known = FxUsbInterface(device->Interfaces[i]);
        if (Index < known->PipeCount) return known->Pipes[Index];
        Index -= known->PipeCount;
    }
    return NULL;
}

/* End pipes: nothing is sent to them any more, and what was comes back first. */
static void FxEndPipes(WDFUSBPIPE *Pipes, UCHAR Count)
{
    UCHAR i;
    for (i = 0; i < Count; i++) {
        FxCheckStopped((WDFIOTARGET)Pipes[i]);
        FxReadNoMore((WDFIOTARGET)Pipes[i]);
        wsklab_ask(Pipes[i], "IoTarget.end", WdfIoTargetDeleted);
    }
    for (i = 0; i < Count; i++) {
        wsklab_ask_waits(Pipes[i], "IoTarget.drained", TRUE);
        wsklab_wdf_delete(Pipes[i]);
    }
    wsklab_free(Pipes);
}

static void FxForgetPipes(PFX_USB_INTERFACE Interface)
{
    WDFUSBPIPE *pipes = Interface->Pipes;
    UCHAR count = Interface->PipeCount;
    Interface->Pipes = NULL;
    Interface->PipeCount = 0;
    FxEndPipes(pipes, count);
}

/* Pipes for a setting that is about to be selected; the ones before go. */
static NTSTATUS FxMakePipes(PFX_USB_INTERFACE Interface, PWDF_OBJECT_ATTRIBUTES Attributes, ULONG Count)
{
    NTSTATUS status = STATUS_SUCCESS;
    if (Count > MAXUCHAR) return STATUS_INVALID_DEVICE_REQUEST;
    Interface->NewCount = 0;
    Interface->New = (WDFUSBPIPE *)wsklab_allocate((Count + 1) * sizeof(WDFUSBPIPE));
    if (Interface->New == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    while (NT_SUCCESS(status) && Interface->NewCount < Count) {
        WDFUSBPIPE *pipe = &Interface->New[Interface->NewCount];
        status = wsklab_wdf_create(FX_TYPE_TARGET_USB_PIPE, 0, Attributes, Interface->Handle, pipe);
        if (!NT_SUCCESS(status)) return status;
        wsklab_wdf_keep(*pipe);
        Interface->NewCount++;
    }
    if (Interface->Pipes != NULL) FxForgetPipes(Interface);
    return status;
}

/* The setting is selected: the pipes get what the bus says of them. */
static void FxUsePipes(PFX_USB_INTERFACE Interface, PUSBD_INTERFACE_INFORMATION Known)
{
    UCHAR i;
    Interface->Pipes = Interface->New;
    Interface->PipeCount = Interface->NewCount;
    Interface->Setting = Known->AlternateSetting;
    Interface->New = NULL;
    for (i = 0; i < Interface->PipeCount; i++) {
        PFX_USB_PIPE pipe = FxPipe(Interface->Pipes[i]);
        pipe->Device = Interface->Device;
        pipe->Interface = Interface->Handle;
        pipe->Information = Known->Pipes[i];
    }
}

/* The setting is not selected: the pipes for it go. */
static void FxDropPipes(PFX_USB_INTERFACE Interface)
{
    if (Interface->New != NULL) FxEndPipes(Interface->New, Interface->NewCount);
    Interface->New = NULL;
}

static PUSBD_INTERFACE_INFORMATION FxNextInformation(PUSBD_INTERFACE_INFORMATION Known)
{
    return (PUSBD_INTERFACE_INFORMATION)((PUCHAR)Known + Known->Length);
}

static PFX_USB_INTERFACE FxByNumber(PFX_USB_DEVICE Device, UCHAR Number)
{
    UCHAR i;
    for (i = 0; i < Device->InterfaceCount; i++)
        if (FxUsbInterface(Device->Interfaces[i])->Number == Number) return FxUsbInterface(Device->Interfaces[i]);
    return NULL;
}

/* What the driver asks for about the pipes of a setting. */
static void FxAskPipes(PUSBD_INTERFACE_INFORMATION Into, UCHAR Number, UCHAR Setting, UCHAR Count)
{
    UCHAR i;
    Into->Length = (USHORT)GET_USBD_INTERFACE_SIZE(Count);
    Into->InterfaceNumber = Number;
    Into->AlternateSetting = Setting;
    Into->NumberOfPipes = Count;
    for (i = 0; i < Count; i++) Into->Pipes[i].MaximumTransferSize = USBD_DEFAULT_MAXIMUM_TRANSFER_SIZE;
}

/* Select a setting of an interface with a URB of its own: its pipes' information comes back in Known. */
static NTSTATUS FxAskSetting(PFX_USB_INTERFACE Interface, UCHAR Setting, UCHAR Count, PUSBD_INTERFACE_INFORMATION Known)
{
    USHORT size = (USHORT)GET_SELECT_INTERFACE_REQUEST_SIZE(Count);
    PURB urb = (PURB)wsklab_allocate(size);
    NTSTATUS status;
    if (urb == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    UsbBuildSelectInterfaceRequest(urb, size, FxUsbDevice(Interface->Device)->ConfigurationHandle, Interface->Number, Setting);
    FxAskPipes(&urb->UrbSelectInterface.Interface, Interface->Number, Setting, Count);
    status = FxSubmit((WDFIOTARGET)Interface->Device, urb, WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE, 2);
    if (NT_SUCCESS(status)) RtlCopyMemory(Known, &urb->UrbSelectInterface.Interface, urb->UrbSelectInterface.Interface.Length);
    wsklab_free(urb);
    return status;
}

/* The URB has been answered: the first interface is configured; each other one with pipes is selected once more. */
static NTSTATUS FxUseConfiguration(PFX_USB_DEVICE Device, PURB Urb, PUCHAR Count)
{
    PUSBD_INTERFACE_INFORMATION known = &Urb->UrbSelectConfiguration.Interface;
    PUCHAR end = (PUCHAR)Urb + Urb->UrbHeader.Length;
    NTSTATUS status;
    Device->ConfigurationHandle = Urb->UrbSelectConfiguration.ConfigurationHandle;
    for (*Count = 0; (PUCHAR)known < end; known = FxNextInformation(known)) {
        PFX_USB_INTERFACE of = FxByNumber(Device, known->InterfaceNumber);
        if (*Count > 0 && known->NumberOfPipes > 0) {
            status = FxAskSetting(of, known->AlternateSetting, (UCHAR)known->NumberOfPipes, known);
            if (!NT_SUCCESS(status)) return status;
        }
        FxUsePipes(of, known);
        (*Count)++;
    }
    return STATUS_SUCCESS;
}

/* Make the pipes, send the URB. Facts: KMDF-OBJ-18. */
static NTSTATUS FxSelect(WDFUSBDEVICE UsbDevice, PWDF_OBJECT_ATTRIBUTES Attributes, PURB Urb, PUCHAR Count)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    PUSBD_INTERFACE_INFORMATION known = &Urb->UrbSelectConfiguration.Interface;
    PUCHAR end = (PUCHAR)Urb + Urb->UrbHeader.Length;
    NTSTATUS status = STATUS_SUCCESS;
    UCHAR i;
    *Count = 0;
    for (; NT_SUCCESS(status) && (PUCHAR)known < end; known = FxNextInformation(known)) {
        PFX_USB_INTERFACE of = FxByNumber(device, known->InterfaceNumber);
        status = of != NULL ? FxMakePipes(of, Attributes, known->NumberOfPipes) : STATUS_INVALID_DEVICE_REQUEST;
    }
    if (NT_SUCCESS(status)) status = FxSubmit((WDFIOTARGET)UsbDevice, Urb, WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE, 2);
    if (NT_SUCCESS(status)) status = FxUseConfiguration(device, Urb, Count);
    for (i = 0; i < device->InterfaceCount; i++) FxDropPipes(FxUsbInterface(device->Interfaces[i]));
    return status;
}

/* Select these settings, one of each interface. */
static NTSTATUS FxSelectSettings(WDFUSBDEVICE UsbDevice, PWDF_OBJECT_ATTRIBUTES Attributes, PUSB_CONFIGURATION_DESCRIPTOR Of,
                                 PUSB_INTERFACE_DESCRIPTOR *Settings, ULONG SettingCount, PUCHAR Count)
{
    ULONG size = sizeof(struct _URB_SELECT_CONFIGURATION) - sizeof(USBD_INTERFACE_INFORMATION);
    PUSBD_INTERFACE_INFORMATION each;
    NTSTATUS status;
    PURB urb;
    ULONG i;
    for (i = 0; i < SettingCount; i++) {
        if (Settings[i] == NULL) return STATUS_INVALID_PARAMETER;
        size += (ULONG)GET_USBD_INTERFACE_SIZE(Settings[i]->bNumEndpoints);
    }
    if (size > MAXUSHORT) return STATUS_INSUFFICIENT_RESOURCES;
    urb = (PURB)wsklab_allocate(size);
    if (urb == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    UsbBuildSelectConfigurationRequest(urb, size, Of);
    each = &urb->UrbSelectConfiguration.Interface;
    for (i = 0; i < SettingCount; i++) {
        FxAskPipes(each, Settings[i]->bInterfaceNumber, Settings[i]->bAlternateSetting, Settings[i]->bNumEndpoints);
        each = FxNextInformation(each);
    }
    status = FxSelect(UsbDevice, Attributes, urb, Count);
    wsklab_free(urb);
    return status;
}

/* Setting 0 of every interface, or for each the one that a pair names. */
static NTSTATUS FxSelectAll(WDFUSBDEVICE UsbDevice, PWDF_OBJECT_ATTRIBUTES Attributes, PWDF_USB_INTERFACE_SETTING_PAIR Pairs,
                            PUCHAR Count)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    PUSB_INTERFACE_DESCRIPTOR *settings =
        (PUSB_INTERFACE_DESCRIPTOR *)wsklab_allocate(device->InterfaceCount * sizeof(PUSB_INTERFACE_DESCRIPTOR));
    NTSTATUS status = STATUS_SUCCESS;
    UCHAR i, j;
    if (settings == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    for (i = 0; i < device->InterfaceCount; i++) {
        PFX_USB_INTERFACE known = FxUsbInterface(Pairs != NULL ? Pairs[i].UsbInterface : device->Interfaces[i]);
        settings[i] = FxSetting(device, known->Number, Pairs != NULL ? Pairs[i].SettingIndex : 0);
        for (j = 0; j < i; j++)
            if (settings[j] != NULL && settings[j]->bInterfaceNumber == known->Number) status = STATUS_INVALID_PARAMETER;
    }
    if (NT_SUCCESS(status))
        status = FxSelectSettings(UsbDevice, Attributes, device->Configuration, settings, device->InterfaceCount, Count);
    wsklab_free(settings);
    return status;
}

/* The device is configured no longer. */
static NTSTATUS FxDeconfigure(WDFUSBDEVICE UsbDevice)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    struct _URB_SELECT_CONFIGURATION urb;
    UCHAR i;
    for (i = 0; i < device->InterfaceCount; i++)
        if (FxUsbInterface(device->Interfaces[i])->Pipes != NULL) FxForgetPipes(FxUsbInterface(device->Interfaces[i]));
    RtlZeroMemory(&urb, sizeof(urb));
    UsbBuildSelectConfigurationRequest((PURB)&urb, sizeof(urb), NULL);
    return FxSubmit((WDFIOTARGET)UsbDevice, (PURB)&urb, WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE, 2);
}

static BOOLEAN FxPairsFit(PFX_USB_DEVICE Device, PWDF_USB_DEVICE_SELECT_CONFIG_PARAMS Params)
{
    PWDF_USB_INTERFACE_SETTING_PAIR pairs = Params->Types.MultiInterface.Pairs;
    UCHAR i;
    if (pairs == NULL || Params->Types.MultiInterface.NumberInterfaces != Device->InterfaceCount) return FALSE;
    for (i = 0; i < Device->InterfaceCount; i++)
        if (pairs[i].SettingIndex >= FxUsbInterface(pairs[i].UsbInterface)->SettingCount) return FALSE;
    return TRUE;
}

/* Select what the parameters say, and fill in what came of it. */
static NTSTATUS FxSelectBy(WDFUSBDEVICE UsbDevice, PWDF_OBJECT_ATTRIBUTES Attributes, PWDF_USB_DEVICE_SELECT_CONFIG_PARAMS Params)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    PFX_USB_INTERFACE first = FxUsbInterface(device->Interfaces[0]);
    PUSB_CONFIGURATION_DESCRIPTOR given = Params->Types.Descriptor.ConfigurationDescriptor;
    PURB urb = Params->Types.Urb.Urb;
    NTSTATUS status;
    UCHAR count;
    switch (Params->Type) {
    case WdfUsbTargetDeviceSelectConfigTypeDeconfig:
        return FxDeconfigure(UsbDevice);
    case WdfUsbTargetDeviceSelectConfigTypeSingleInterface:
        RtlZeroMemory(&Params->Types.SingleInterface, sizeof(Params->Types.SingleInterface));
        if (device->InterfaceCount > 1) return STATUS_INVALID_PARAMETER;
        status = FxSelectAll(UsbDevice, Attributes, NULL, &count);
        if (!NT_SUCCESS(status)) return status;
        Params->Types.SingleInterface.NumberConfiguredPipes = first->PipeCount;
        Params->Types.SingleInterface.ConfiguredUsbInterface = first->Handle;
        return status;
    case WdfUsbTargetDeviceSelectConfigTypeInterfacesPairs:
        if (!FxPairsFit(device, Params)) return STATUS_INVALID_PARAMETER;
        return FxSelectAll(UsbDevice, Attributes, Params->Types.MultiInterface.Pairs,
                           &Params->Types.MultiInterface.NumberOfConfiguredInterfaces);
    case WdfUsbTargetDeviceSelectConfigTypeMultiInterface:
        return FxSelectAll(UsbDevice, Attributes, NULL, &Params->Types.MultiInterface.NumberOfConfiguredInterfaces);
    case WdfUsbTargetDeviceSelectConfigTypeInterfacesDescriptor:
        if (Params->Types.Descriptor.InterfaceDescriptors == NULL || Params->Types.Descriptor.NumInterfaceDescriptors == 0)
            return STATUS_INVALID_PARAMETER;
        return FxSelectSettings(UsbDevice, Attributes, given != NULL ? given : device->Configuration,
                                Params->Types.Descriptor.InterfaceDescriptors, Params->Types.Descriptor.NumInterfaceDescriptors,
                                &count);
    default:
        if (urb == NULL || urb->UrbHeader.Function != URB_FUNCTION_SELECT_CONFIGURATION ||
            urb->UrbHeader.Length < sizeof(struct _URB_SELECT_CONFIGURATION) - sizeof(USBD_PIPE_INFORMATION))
            return STATUS_INVALID_PARAMETER;
        return FxSelect(UsbDevice, Attributes, urb, &count);
    }
}

/* Select the device's configuration. Page: WdfUsbTargetDeviceSelectConfig. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceSelectConfig(WDFUSBDEVICE UsbDevice, PWDF_OBJECT_ATTRIBUTES PipeAttributes,
                                        PWDF_USB_DEVICE_SELECT_CONFIG_PARAMS Params)
{
    PFX_USB_DEVICE device = FxUsbDevice(UsbDevice);
    NTSTATUS status;
    wsklab_given(Params, "Params");
    if (FxTooHigh(UsbDevice, "WdfUsbTargetDeviceSelectConfig")) return STATUS_INVALID_DEVICE_REQUEST;
    if (Params->Size != sizeof(WDF_USB_DEVICE_SELECT_CONFIG_PARAMS)) return STATUS_INFO_LENGTH_MISMATCH;
    if (Params->Type < WdfUsbTargetDeviceSelectConfigTypeDeconfig || Params->Type > WdfUsbTargetDeviceSelectConfigTypeUrb)
        return STATUS_INVALID_PARAMETER;
    status = wsklab_wdf_check(PipeAttributes, 0);
    if (!NT_SUCCESS(status)) return status;
    if (device->Mismatched) return STATUS_INVALID_DEVICE_REQUEST;
    return device->InterfaceCount > 0 ? FxSelectBy(UsbDevice, PipeAttributes, Params) : STATUS_SUCCESS;
}

/* Select a setting of an interface, unless it is. */
static NTSTATUS FxSelectSetting(PFX_USB_INTERFACE Interface, PWDF_OBJECT_ATTRIBUTES Attributes, UCHAR Setting, UCHAR PipeCount)
{
    PUSBD_INTERFACE_INFORMATION known;
    NTSTATUS status;
    if (Interface->Pipes != NULL && Interface->Setting == Setting) return STATUS_SUCCESS;
    known = (PUSBD_INTERFACE_INFORMATION)wsklab_allocate(GET_USBD_INTERFACE_SIZE(PipeCount));
    if (known == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    status = FxMakePipes(Interface, Attributes, PipeCount);
    if (NT_SUCCESS(status)) status = FxAskSetting(Interface, Setting, PipeCount, known);
    if (NT_SUCCESS(status)) FxUsePipes(Interface, known);
    FxDropPipes(Interface);
    wsklab_free(known);
    return status;
}

/* Select an alternate setting of an interface. Page: WdfUsbInterfaceSelectSetting. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbInterfaceSelectSetting(WDFUSBINTERFACE UsbInterface, PWDF_OBJECT_ATTRIBUTES PipesAttributes,
                                      PWDF_USB_INTERFACE_SELECT_SETTING_PARAMS Params)
{
    PFX_USB_INTERFACE known = FxUsbInterface(UsbInterface);
    PUSB_INTERFACE_DESCRIPTOR wanted;
    NTSTATUS status;
    wsklab_given(Params, "Params");
    if (FxTooHigh(UsbInterface, "WdfUsbInterfaceSelectSetting")) return STATUS_INVALID_DEVICE_REQUEST;
    if (Params->Size != sizeof(WDF_USB_INTERFACE_SELECT_SETTING_PARAMS)) return STATUS_INFO_LENGTH_MISMATCH;
    status = wsklab_wdf_check(PipesAttributes, 0);
    if (!NT_SUCCESS(status)) return status;
    if (Params->Type == WdfUsbInterfaceSelectSettingTypeUrb) wsklab_not_modelled("WdfUsbInterfaceSelectSetting with a URB");
    wanted = NULL;
    if (Params->Type == WdfUsbInterfaceSelectSettingTypeDescriptor) wanted = Params->Types.Descriptor.InterfaceDescriptor;
    if (Params->Type == WdfUsbInterfaceSelectSettingTypeSetting)
        wanted = FxSettingOf(UsbInterface, Params->Types.Interface.SettingIndex);
    if (wanted == NULL || wanted->bInterfaceNumber != known->Number) return STATUS_INVALID_PARAMETER;
    return FxSelectSetting(known, PipesAttributes, wanted->bAlternateSetting, wanted->bNumEndpoints);
}
