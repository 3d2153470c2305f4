/*
 * wdfusbinterface.c: what is known of an interface of a USB device: its settings by the descriptors, its pipes once one is selected.
 * Follows fxusbinterface*.cpp and the wdfusb.h pages.
 */

/* The number of an interface, as its descriptor says. */
_IRQL_requires_max_(DISPATCH_LEVEL)
UCHAR WdfUsbInterfaceGetInterfaceNumber(WDFUSBINTERFACE UsbInterface)
{
    return FxUsbInterface(UsbInterface)->Number;
}

/* How many alternate settings an interface has. */
_IRQL_requires_max_(DISPATCH_LEVEL)
UCHAR WdfUsbInterfaceGetNumSettings(WDFUSBINTERFACE UsbInterface)
{
    return FxUsbInterface(UsbInterface)->SettingCount;
}

static PUSB_INTERFACE_DESCRIPTOR FxSettingOf(WDFUSBINTERFACE UsbInterface, UCHAR Setting)
{
    PFX_USB_INTERFACE known = FxUsbInterface(UsbInterface);
    return Setting < known->SettingCount ? FxSetting(FxUsbDevice(known->Device), known->Number, Setting) : NULL;
}

/* How many endpoints a setting of an interface has; 0 for no setting. */
_IRQL_requires_max_(DISPATCH_LEVEL)
UCHAR WdfUsbInterfaceGetNumEndpoints(WDFUSBINTERFACE UsbInterface, UCHAR SettingIndex)
{
    PUSB_INTERFACE_DESCRIPTOR setting = FxSettingOf(UsbInterface, SettingIndex);
    return setting != NULL ? setting->bNumEndpoints : 0;
}

/* The descriptor of a setting; zeros for no setting. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfUsbInterfaceGetDescriptor(WDFUSBINTERFACE UsbInterface, UCHAR SettingIndex, PUSB_INTERFACE_DESCRIPTOR InterfaceDescriptor)
{
    PUSB_INTERFACE_DESCRIPTOR setting = FxSettingOf(UsbInterface, SettingIndex);
    wsklab_given(InterfaceDescriptor, "InterfaceDescriptor");
    if (setting != NULL) *InterfaceDescriptor = *setting;
    else RtlZeroMemory(InterfaceDescriptor, sizeof(*InterfaceDescriptor));
}

/* What the descriptor of an endpoint says, whether a pipe has been made of it or not. */
_IRQL_requires_max_(DISPATCH_LEVEL)
VOID WdfUsbInterfaceGetEndpointInformation(WDFUSBINTERFACE UsbInterface, UCHAR SettingIndex, UCHAR EndpointIndex,
                                           PWDF_USB_PIPE_INFORMATION EndpointInfo)
{
    PUSB_INTERFACE_DESCRIPTOR setting = FxSettingOf(UsbInterface, SettingIndex);
    PFX_USB_DEVICE device = FxUsbDevice(FxUsbInterface(UsbInterface)->Device);
    PUSB_ENDPOINT_DESCRIPTOR endpoint;
    wsklab_given(EndpointInfo, "EndpointInfo");
    if (EndpointInfo->Size != sizeof(WDF_USB_PIPE_INFORMATION)) return;
    if (setting == NULL || EndpointIndex >= setting->bNumEndpoints) return;
    endpoint = (PUSB_ENDPOINT_DESCRIPTOR)setting;
    do {
        endpoint = (PUSB_ENDPOINT_DESCRIPTOR)USBD_ParseDescriptors(device->Configuration, device->Configuration->wTotalLength,
                                                                   (PUCHAR)endpoint + endpoint->bLength,
                                                                   USB_ENDPOINT_DESCRIPTOR_TYPE);
        if (endpoint == NULL) return;
    } while (EndpointIndex-- > 0);
    EndpointInfo->MaximumPacketSize = endpoint->wMaxPacketSize;
    EndpointInfo->EndpointAddress = endpoint->bEndpointAddress;
    EndpointInfo->Interval = endpoint->bInterval;
    EndpointInfo->PipeType = (WDF_USB_PIPE_TYPE)((endpoint->bmAttributes & USB_ENDPOINT_TYPE_MASK) + WdfUsbPipeTypeControl);
    EndpointInfo->MaximumTransferSize = 256 * 1024;
    if (device->Information.Traits & WDF_USB_DEVICE_TRAIT_AT_HIGH_SPEED) EndpointInfo->MaximumTransferSize = 2 * 1024 * 1024;
    if (EndpointInfo->PipeType == WdfUsbPipeTypeControl) EndpointInfo->MaximumTransferSize = 4 * 1024;
    EndpointInfo->SettingIndex = SettingIndex;
}

/* Which setting of an interface is selected. */
_IRQL_requires_max_(DISPATCH_LEVEL)
UCHAR WdfUsbInterfaceGetConfiguredSettingIndex(WDFUSBINTERFACE Interface)
{
    PFX_USB_INTERFACE known = FxUsbInterface(Interface);
    if (known->Pipes != NULL) return known->Setting;
    wsklab_wdf_break("kmdf-interface-not-configured", Interface, "number=%d", known->Number);
    return 0;
}

/* How many pipes the selected setting of an interface has. */
_IRQL_requires_max_(DISPATCH_LEVEL)
UCHAR WdfUsbInterfaceGetNumConfiguredPipes(WDFUSBINTERFACE UsbInterface)
{
    return FxUsbInterface(UsbInterface)->PipeCount;
}

/* A pipe of the selected setting of an interface, and what is known of it; NULL for none. */
_IRQL_requires_max_(DISPATCH_LEVEL)
WDFUSBPIPE WdfUsbInterfaceGetConfiguredPipe(WDFUSBINTERFACE UsbInterface, UCHAR PipeIndex, PWDF_USB_PIPE_INFORMATION PipeInfo)
{
    PFX_USB_INTERFACE known = FxUsbInterface(UsbInterface);
    if (PipeInfo != NULL && PipeInfo->Size != sizeof(WDF_USB_PIPE_INFORMATION)) return NULL;
    if (PipeIndex >= known->PipeCount) return NULL;
    if (PipeInfo != NULL) WdfUsbTargetPipeGetInformation(known->Pipes[PipeIndex], PipeInfo);
    return known->Pipes[PipeIndex];
}

/* Its memory goes. */
_IRQL_requires_max_(DISPATCH_LEVEL)
void wsklab_wdfusbinterface_destroyed(PFX_USB_INTERFACE Interface)
{
    wsklab_free(Interface->Pipes);
}
