/*
 * wdfusbstring.c: string descriptors of a USB device. Follows fxusbdevicekm.cpp and fxusbdeviceapi.cpp.
 */

/* How many characters a string has and, with a String, as many of them as there is room for; 2 seconds unless Options say more. */
static NTSTATUS FxAskString(WDFUSBDEVICE UsbDevice, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS Options, PUSHORT String,
                            PUSHORT Count, UCHAR Index, USHORT Language, PCSTR Function)
{
    ULONG length = sizeof(USB_COMMON_DESCRIPTOR) + (String != NULL ? *Count * sizeof(WCHAR) : 0);
    PUSB_STRING_DESCRIPTOR answer = (PUSB_STRING_DESCRIPTOR)wsklab_allocate(length);
    WDF_REQUEST_SEND_OPTIONS usual;
    NTSTATUS status;
    USHORT count;
    URB urb;
    if (answer == NULL) return STATUS_INSUFFICIENT_RESOURCES;
    RtlZeroMemory(&urb, sizeof(urb));
    UsbBuildGetDescriptorRequest(&urb, sizeof(struct _URB_CONTROL_DESCRIPTOR_REQUEST), USB_STRING_DESCRIPTOR_TYPE, Index, Language,
                                 answer, NULL, length, NULL);
    WDF_REQUEST_SEND_OPTIONS_INIT(&usual, 0);
    WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&usual, WDF_REL_TIMEOUT_IN_SEC(2));
    status = FxSendOther((WDFIOTARGET)UsbDevice, Request, Options != NULL ? Options : &usual, 0, &urb, Function);
    if (NT_SUCCESS(status) && ((answer->bLength & 1) || answer->bLength < sizeof(USB_COMMON_DESCRIPTOR)))
        status = STATUS_DEVICE_DATA_ERROR;
    if (NT_SUCCESS(status)) {
        count = (answer->bLength - sizeof(USB_COMMON_DESCRIPTOR)) / sizeof(WCHAR);
        if (String != NULL && count > *Count) status = STATUS_BUFFER_OVERFLOW;
        if (String != NULL) RtlCopyMemory(String, answer->bString, (count > *Count ? *Count : count) * sizeof(WCHAR));
        *Count = count;
    }
    wsklab_free(answer);
    return status;
}

/* A string of the device in the driver's buffer; without one, how long it is. Page: WdfUsbTargetDeviceQueryString. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceQueryString(WDFUSBDEVICE UsbDevice, WDFREQUEST Request, PWDF_REQUEST_SEND_OPTIONS RequestOptions,
                                       PUSHORT String, PUSHORT NumCharacters, UCHAR StringIndex, USHORT LangID)
{
    FxUsbDevice(UsbDevice);
    wsklab_given(NumCharacters, "NumCharacters");
    return FxAskString(UsbDevice, Request, RequestOptions, String, NumCharacters, StringIndex, LangID,
                       "WdfUsbTargetDeviceQueryString");
}

/* The same in a memory object of its size; an empty string needs none. Page: WdfUsbTargetDeviceAllocAndQueryString. */
_IRQL_requires_max_(DISPATCH_LEVEL)
NTSTATUS WdfUsbTargetDeviceAllocAndQueryString(WDFUSBDEVICE UsbDevice, PWDF_OBJECT_ATTRIBUTES StringMemoryAttributes,
                                               WDFMEMORY *StringMemory, PUSHORT NumCharacters, UCHAR StringIndex, USHORT LangID)
{
    PCSTR name = "WdfUsbTargetDeviceAllocAndQueryString";
    USHORT count = 0;
    WDFMEMORY made;
    PVOID buffer;
    NTSTATUS status;
    FxUsbDevice(UsbDevice);
    wsklab_given(StringMemory, "StringMemory");
    *StringMemory = NULL;
    if (NumCharacters != NULL) *NumCharacters = 0;
    status = wsklab_wdf_check(StringMemoryAttributes, FX_TAKES_PARENT);
    if (NT_SUCCESS(status)) status = FxAskString(UsbDevice, NULL, NULL, NULL, &count, StringIndex, LangID, name);
    if (!NT_SUCCESS(status) || count == 0) return status;
    status = WdfMemoryCreate(StringMemoryAttributes, NonPagedPoolNx, 0, count * sizeof(WCHAR), &made, &buffer);
    if (!NT_SUCCESS(status)) return STATUS_INSUFFICIENT_RESOURCES;
    status = FxAskString(UsbDevice, NULL, NULL, (PUSHORT)buffer, &count, StringIndex, LangID, name);
    if (!NT_SUCCESS(status)) {
        WdfObjectDelete(made);
        return status;
    }
    if (NumCharacters != NULL) *NumCharacters = count;
    *StringMemory = made;
    return status;
}
