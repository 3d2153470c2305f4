/*
 * usb_board.c: the driver of a USB device with lights and buttons. What an application writes goes out on a bulk pipe, what it reads
 * comes in on another one; a control code sets the lights with a request of the device's own; a continuous reader on the interrupt
 * pipe hears the buttons.
 *
 * A received request is formatted for a pipe with its own memory and sent on: nothing is copied. Pipes are I/O targets. They are
 * started when the device works and stopped before it sleeps, which cancels what is out.
 */
#include <ntddk.h>
#include <usb.h>
#include <usbdlib.h>
#include <wdf.h>
#include <wdfusb.h>

#define IOCTL_BOARD_SET_LIGHTS CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_WRITE_ACCESS)
#define BOARD_SET_LIGHTS 0xD8 /* bRequest of the vendor request */

typedef struct _BOARD_CONTEXT {
    WDFUSBDEVICE Usb;
    WDFUSBPIPE In;
    WDFUSBPIPE Out;
    WDFUSBPIPE Buttons;
    LONG Pressed; /* how often */
    UCHAR LastButtons;
} BOARD_CONTEXT, *PBOARD_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(BOARD_CONTEXT, GetBoardContext)

DRIVER_INITIALIZE DriverEntry;
EVT_WDF_DRIVER_DEVICE_ADD EvtDeviceAdd;
EVT_WDF_DEVICE_PREPARE_HARDWARE EvtPrepareHardware;
EVT_WDF_DEVICE_D0_ENTRY EvtD0Entry;
EVT_WDF_DEVICE_D0_EXIT EvtD0Exit;
EVT_WDF_IO_QUEUE_IO_READ EvtRead;
EVT_WDF_IO_QUEUE_IO_WRITE EvtWrite;
EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL EvtDeviceControl;
EVT_WDF_REQUEST_COMPLETION_ROUTINE EvtTransferred;
EVT_WDF_USB_READER_COMPLETION_ROUTINE EvtButtons;

/* A USB transfer tells its length in the USB part of the completion params. */
VOID EvtTransferred(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    PWDF_USB_REQUEST_COMPLETION_PARAMS usb = Params->Parameters.Usb.Completion;
    size_t length = usb->Type == WdfUsbRequestTypePipeRead ? usb->Parameters.PipeRead.Length : usb->Parameters.PipeWrite.Length;

    UNREFERENCED_PARAMETER(Target);
    UNREFERENCED_PARAMETER(Context);
    WdfRequestCompleteWithInformation(Request, Params->IoStatus.Status, length);
}

/* Send a formatted request to its pipe; one that cannot be sent is still ours. */
static VOID Transfer(WDFREQUEST Request, WDFUSBPIPE Pipe, NTSTATUS Status)
{
    if (NT_SUCCESS(Status)) {
        WdfRequestSetCompletionRoutine(Request, EvtTransferred, NULL);
        if (WdfRequestSend(Request, WdfUsbTargetPipeGetIoTarget(Pipe), WDF_NO_SEND_OPTIONS)) {
            return;
        }
        Status = WdfRequestGetStatus(Request);
    }
    WdfRequestComplete(Request, Status);
}

/* Whole packets come in: a read of another length is refused when it is formatted. */
VOID EvtRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PBOARD_CONTEXT board = GetBoardContext(WdfIoQueueGetDevice(Queue));
    WDFMEMORY memory;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Length);
    status = WdfRequestRetrieveOutputMemory(Request, &memory);
    if (NT_SUCCESS(status)) {
        status = WdfUsbTargetPipeFormatRequestForRead(board->In, Request, memory, NULL);
    }
    Transfer(Request, board->In, status);
}

VOID EvtWrite(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    PBOARD_CONTEXT board = GetBoardContext(WdfIoQueueGetDevice(Queue));
    WDFMEMORY memory;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Length);
    status = WdfRequestRetrieveInputMemory(Request, &memory);
    if (NT_SUCCESS(status)) {
        status = WdfUsbTargetPipeFormatRequestForWrite(board->Out, Request, memory, NULL);
    }
    Transfer(Request, board->Out, status);
}

/* One byte of lights goes down on the default pipe; the queue calls at PASSIVE_LEVEL, so the driver may wait. */
VOID EvtDeviceControl(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputLength, size_t InputLength, ULONG Code)
{
    PBOARD_CONTEXT board = GetBoardContext(WdfIoQueueGetDevice(Queue));
    WDF_USB_CONTROL_SETUP_PACKET setup;
    WDF_REQUEST_SEND_OPTIONS options;
    WDF_MEMORY_DESCRIPTOR lights;
    NTSTATUS status = STATUS_INVALID_DEVICE_REQUEST;
    WDFMEMORY memory;

    UNREFERENCED_PARAMETER(OutputLength);
    UNREFERENCED_PARAMETER(InputLength);
    if (Code == IOCTL_BOARD_SET_LIGHTS) {
        status = WdfRequestRetrieveInputMemory(Request, &memory);
    }
    if (NT_SUCCESS(status)) {
        WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&lights, memory, NULL);
        WDF_USB_CONTROL_SETUP_PACKET_INIT_VENDOR(&setup, BmRequestHostToDevice, BmRequestToDevice, BOARD_SET_LIGHTS, 0, 0);
        WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_TIMEOUT);
        WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, WDF_REL_TIMEOUT_IN_SEC(1));
        status = WdfUsbTargetDeviceSendControlTransferSynchronously(board->Usb, NULL, &options, &setup, &lights, NULL);
    }
    WdfRequestComplete(Request, status);
}

/* Called for each report of the interrupt pipe; the framework has the next read out already or sends it when this returns. */
VOID EvtButtons(WDFUSBPIPE Pipe, WDFMEMORY Buffer, size_t Length, WDFCONTEXT Context)
{
    PBOARD_CONTEXT board = (PBOARD_CONTEXT)Context;
    PUCHAR report = (PUCHAR)WdfMemoryGetBuffer(Buffer, NULL);

    UNREFERENCED_PARAMETER(Pipe);
    if (Length > 0) {
        board->LastButtons = report[0];
        InterlockedIncrement(&board->Pressed);
    }
}

/* A pipe of each kind that the driver needs. */
static NTSTATUS FindPipes(PBOARD_CONTEXT Board, WDFUSBINTERFACE Interface, UCHAR Count)
{
    WDF_USB_PIPE_INFORMATION information;
    UCHAR i;

    for (i = 0; i < Count; i++) {
        WDFUSBPIPE pipe;
        WDF_USB_PIPE_INFORMATION_INIT(&information);
        pipe = WdfUsbInterfaceGetConfiguredPipe(Interface, i, &information);
        if (information.PipeType == WdfUsbPipeTypeInterrupt) {
            Board->Buttons = pipe;
        } else if (information.PipeType == WdfUsbPipeTypeBulk && WdfUsbTargetPipeIsInEndpoint(pipe)) {
            Board->In = pipe;
        } else if (information.PipeType == WdfUsbPipeTypeBulk) {
            Board->Out = pipe;
        }
    }
    return Board->In && Board->Out && Board->Buttons ? STATUS_SUCCESS : STATUS_DEVICE_CONFIGURATION_ERROR;
}

NTSTATUS EvtPrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    PBOARD_CONTEXT board = GetBoardContext(Device);
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS select;
    WDF_USB_CONTINUOUS_READER_CONFIG reader;
    WDF_USB_DEVICE_CREATE_CONFIG config;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(ResourcesRaw);
    UNREFERENCED_PARAMETER(ResourcesTranslated);
    WDF_USB_DEVICE_CREATE_CONFIG_INIT(&config, USBD_CLIENT_CONTRACT_VERSION_602);
    status = WdfUsbTargetDeviceCreateWithParameters(Device, &config, WDF_NO_OBJECT_ATTRIBUTES, &board->Usb);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS_INIT_SINGLE_INTERFACE(&select);
    status = WdfUsbTargetDeviceSelectConfig(board->Usb, WDF_NO_OBJECT_ATTRIBUTES, &select);
    if (NT_SUCCESS(status)) {
        status = FindPipes(board, select.Types.SingleInterface.ConfiguredUsbInterface,
                           select.Types.SingleInterface.NumberConfiguredPipes);
    }
    if (NT_SUCCESS(status)) {
        WDF_USB_CONTINUOUS_READER_CONFIG_INIT(&reader, EvtButtons, board, 8);
        status = WdfUsbTargetPipeConfigContinuousReader(board->Buttons, &reader);
    }
    return status;
}

NTSTATUS EvtD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)
{
    UNREFERENCED_PARAMETER(PreviousState);
    return WdfIoTargetStart(WdfUsbTargetDeviceGetIoTarget(GetBoardContext(Device)->Usb)); /* and all pipes */
}

NTSTATUS EvtD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)
{
    UNREFERENCED_PARAMETER(TargetState);
    WdfIoTargetStop(WdfUsbTargetDeviceGetIoTarget(GetBoardContext(Device)->Usb), WdfIoTargetCancelSentIo);
    return STATUS_SUCCESS;
}

NTSTATUS EvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS callbacks;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG queue;
    WDFDEVICE device;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(Driver);
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&callbacks);
    callbacks.EvtDevicePrepareHardware = EvtPrepareHardware;
    callbacks.EvtDeviceD0Entry = EvtD0Entry;
    callbacks.EvtDeviceD0Exit = EvtD0Exit;
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &callbacks);
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, BOARD_CONTEXT);
    status = WdfDeviceCreate(&DeviceInit, &attributes, &device);
    if (!NT_SUCCESS(status)) {
        return status;
    }
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&queue, WdfIoQueueDispatchParallel);
    queue.EvtIoRead = EvtRead;
    queue.EvtIoWrite = EvtWrite;
    queue.EvtIoDeviceControl = EvtDeviceControl;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ExecutionLevel = WdfExecutionLevelPassive;
    return WdfIoQueueCreate(device, &queue, &attributes, WDF_NO_HANDLE);
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;

    WDF_DRIVER_CONFIG_INIT(&config, EvtDeviceAdd);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
