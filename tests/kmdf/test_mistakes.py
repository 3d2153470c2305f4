"""Common mistakes with KMDF and the rules they break: each is written in C in one small filter driver, and run.

A row says which facts it holds, what the handler and the completion routine do, and what comes of it: the rule that ends the run,
or what the driver prints when nothing does. `answers` is what the device below does with what it gets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab import Lab, Stop

DRIVER = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
WDFDEVICE Device;
WDFQUEUE Queue;
WDFIOTARGET Target;
WDFREQUEST Mine;
WDFMEMORY Memory;
WDFCOLLECTION Sent;
EVT_WDF_REQUEST_COMPLETION_ROUTINE Done;

static void Prepare(WDFREQUEST Request)
{
    WdfRequestFormatRequestUsingCurrentType(Request);
    WdfRequestSetCompletionRoutine(Request, Done, NULL);
}
static void PrepareMine(void)
{
    WdfIoTargetFormatRequestForRead(Target, Mine, Memory, NULL, NULL);
    WdfRequestSetCompletionRoutine(Mine, Done, NULL);
}
static BOOLEAN Send(WDFREQUEST Request) { return WdfRequestSend(Request, Target, WDF_NO_SEND_OPTIONS); }
static BOOLEAN SendWith(WDFREQUEST Request, ULONG Flags, LONGLONG Timeout)
{
    WDF_REQUEST_SEND_OPTIONS options;
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, Flags);
    if (Timeout) WDF_REQUEST_SEND_OPTIONS_SET_TIMEOUT(&options, Timeout);
    return WdfRequestSend(Request, Target, &options);
}
static NTSTATUS Reuse(WDFREQUEST Request)
{
    WDF_REQUEST_REUSE_PARAMS params;
    WDF_REQUEST_REUSE_PARAMS_INIT(&params, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_SUCCESS);
    return WdfRequestReuse(Request, &params);
}
VOID Gone(WDFOBJECT Object) { DbgPrint("gone at %d ", KeGetCurrentIrql()); }
VOID Cancelled(WDFREQUEST Request) { WdfRequestComplete(Request, STATUS_CANCELLED); }
VOID Done(WDFREQUEST Request, WDFIOTARGET To, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    UNREFERENCED_PARAMETER(To);
    UNREFERENCED_PARAMETER(Context);
    DONE
}
VOID Changed(WDFQUEUE From, WDFCONTEXT Context) { UNREFERENCED_PARAMETER(Context); }
VOID Received(WDFQUEUE From, WDFREQUEST Request)
{
    UNREFERENCED_PARAMETER(From);
    RECEIVED
}
VOID Expired(WDFTIMER Timer) { WdfObjectDelete(Timer); }
VOID Stopping(WDFQUEUE From, WDFREQUEST Request, ULONG Flags) { DbgPrint("stop "); }
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_IO_QUEUE_CONFIG config;
    WdfFdoInitSetFilter(DeviceInit);
    WdfDeviceInitSetIoType(DeviceInit, WdfDeviceIoBuffered);
    WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &Device);
    Target = WdfDeviceGetIoTarget(Device);
    WdfRequestCreate(WDF_NO_OBJECT_ATTRIBUTES, Target, &Mine);
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = Device;
    WdfMemoryCreate(&attributes, NonPagedPoolNx, 'mmuS', 8, &Memory, NULL);
    WdfCollectionCreate(WDF_NO_OBJECT_ATTRIBUTES, &Sent);
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchSequential);
    config.EvtIoDefault = Received;
    config.EvtIoStop = STOPPING;
    config.PowerManaged = WdfTrue;
    return WdfIoQueueCreate(Device, &config, WDF_NO_OBJECT_ATTRIBUTES, &Queue);
}
""")
COMPLETE = "WdfRequestComplete(Request, Params->IoStatus.Status);"
PRINT = 'DbgPrint("%08x %d ", Params->IoStatus.Status, (int)Params->IoStatus.Information);'
FORGET = "WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET"


@dataclass(frozen=True)
class Mistake:
    """What is done, and what comes of it: a rule's id, or the driver's text."""

    facts: str
    received: str
    outcome: str
    done: str = "UNREFERENCED_PARAMETER(Request); UNREFERENCED_PARAMETER(Params);"
    asked: str = "read"
    answers: Any = "at once"
    strict: bool = False
    verifier: str = "stop"
    stopping: str = "NULL"
    ends: str = "unload"


MISTAKES = [
    Mistake(
        "KMDF-MIS-01, RULE-11: it is looked at after TRUE",
        "Prepare(Request); Send(Request); WdfRequestGetStatus(Request);",
        "kmdf-request-touched-after-completion",
        COMPLETE,
    ),
    Mistake(
        "KMDF-MIS-02: TRUE is not the success of the I/O",
        'Prepare(Request); DbgPrint("%d ", Send(Request));',
        "c0000185 0 1 ",
        PRINT + COMPLETE,
        answers="error",
    ),
    Mistake(
        "KMDF-MIS-03, RULE-57: nobody completes what was not sent",
        "WdfIoTargetPurge(Target, WdfIoTargetPurgeIo); Prepare(Request); Send(Request);",
        "kmdf-send-failed-never-completed",
    ),
    Mistake(
        "KMDF-MIS-04, RULE-01, 48: both complete it",
        "Prepare(Request); Send(Request); WdfRequestComplete(Request, STATUS_SUCCESS);",
        "kmdf-double-completion",
        COMPLETE,
    ),
    Mistake(
        "KMDF-MIS-06, RULE-16, 55: the routine is for one send only",
        "Prepare(Request); Send(Request);",
        "kmdf-no-completion-routine",
        "WdfRequestFormatRequestUsingCurrentType(Request); Send(Request);",
    ),
    Mistake(
        "KMDF-MIS-07, KMDF-CRT-10, 11: reuse empties what the params point to",
        "PrepareMine(); Send(Mine); WdfRequestComplete(Request, 0);",
        "00000000 8 00000000 0 ",
        PRINT + "Reuse(Request);" + PRINT,
    ),
    Mistake(
        "KMDF-MIS-08, RULE-55: reuse removes the routine",
        "WdfRequestSetCompletionRoutine(Request, Done, NULL); Reuse(Request);"
        "WdfRequestFormatRequestUsingCurrentType(Request); Send(Request);",
        "kmdf-no-completion-routine",
    ),
    Mistake(
        "KMDF-MIS-10, 11, KMDF-MUL-08: the lower completion does not let go of the memory",
        "WDFMEMORY memory; WdfRequestRetrieveOutputMemory(Request, &memory);"
        "WdfIoTargetFormatRequestForRead(Target, Mine, memory, NULL, NULL);"
        "Send(Mine); WdfRequestComplete(Request, STATUS_SUCCESS);",
        "kmdf-memory-referenced",
    ),
    Mistake(
        "KMDF-MIS-12, RULE-04, 56: a request of one's own is completed",
        "PrepareMine(); Send(Mine); WdfRequestComplete(Request, 0);",
        "kmdf-completed-driver-created",
        COMPLETE,
    ),
    Mistake(
        "KMDF-MIS-13: a request of one's own has no parameters",
        "WDF_REQUEST_PARAMETERS p; WDF_REQUEST_PARAMETERS_INIT(&p); WdfRequestGetParameters(Mine, &p);",
        "kmdf-request-parameters",
    ),
    Mistake(
        "KMDF-MIS-13: nor buffers",
        "PVOID buffer; WdfRequestRetrieveOutputBuffer(Mine, 1, &buffer, NULL);",
        "kmdf-request-parameters",
    ),
    Mistake(
        "KMDF-MIS-14, RULE-08, 59: changing the target undoes the format",
        "PrepareMine(); WdfRequestChangeTarget(Mine, Target); Send(Mine);",
        "kmdf-request-unformatted",
    ),
    Mistake(
        "KMDF-MIS-17: the data of a write was copied when it was formatted",
        "char *text = WdfMemoryGetBuffer(Memory, NULL); text[0] = 'a';"
        "WdfIoTargetFormatRequestForWrite(Target, Mine, Memory, NULL, NULL); text[0] = 'b';"
        'DbgPrint("%c", *(char *)WdfRequestWdmGetIrp(Mine)->AssociatedIrp.SystemBuffer); WdfRequestComplete(Request, 0);',
        "a",
    ),
    Mistake(
        "KMDF-MIS-18: length 0 is the rest of the buffer",
        "WDFMEMORY_OFFSET part = {2, 0}; WdfIoTargetFormatRequestForRead(Target, Mine, Memory, &part, NULL);"
        "WdfRequestSetCompletionRoutine(Mine, Done, NULL); Send(Mine); WdfRequestComplete(Request, 0);",
        "00000000 6 ",
        PRINT,
    ),
    Mistake(
        "KMDF-MIS-19: FALSE from the cancellation, and the routine runs all the same",
        "PrepareMine(); Send(Mine); WdfRequestComplete(Request, 0);"
        'DbgPrint("%d ", WdfRequestCancelSentRequest(Mine)); WdfIoTargetStop(Target, WdfIoTargetWaitForSentIoToComplete);',
        "0 00000000 8 ",
        PRINT,
        answers="uncancelable",
    ),
    Mistake(
        "KMDF-MIS-20: the routine deletes what the canceller still uses",
        "PrepareMine(); Send(Mine); WdfRequestCancelSentRequest(Mine); WdfRequestGetStatus(Mine);",
        "kmdf-stale-handle",
        "WdfObjectDelete(Request);",
        answers="never",
    ),
    Mistake(
        "KMDF-MIS-21, RULE-13, 58: it is sent under a lock that the routine takes",
        "KSPIN_LOCK lock; KIRQL irql; KeInitializeSpinLock(&lock); KeAcquireSpinLock(&lock, &irql);"
        "Prepare(Request); Send(Request); KeReleaseSpinLock(&lock, irql);",
        "kmdf-send-under-lock",
        COMPLETE,
        strict=True,
    ),
    Mistake(
        "KMDF-MIS-22: an idle request is cancelled to be safe",
        "WdfRequestCancelSentRequest(Mine); PrepareMine();"
        'DbgPrint("%d %08x", Send(Mine), WdfRequestGetStatus(Mine)); WdfRequestComplete(Request, 0);',
        "0 c0000120",
    ),
    Mistake(
        "KMDF-MIS-23, RULE-10, 53: it is cancelable and sent",
        "Prepare(Request); WdfRequestMarkCancelable(Request, Cancelled); Send(Request);",
        "kmdf-still-cancelable",
    ),
    Mistake(
        "RULE-51: it is marked cancelable twice",
        "WdfRequestMarkCancelable(Request, Cancelled); WdfRequestMarkCancelable(Request, Cancelled);",
        "kmdf-still-cancelable",
    ),
    Mistake(
        "KMDF-MIS-24, RULE-12: a timeout does not free the thread of a device that cannot cancel",
        "PrepareMine(); SendWith(Mine, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, WDF_REL_TIMEOUT_IN_MS(1));"
        'DbgPrint("%d ", (int)(KeQueryInterruptTime() / 10000)); WdfRequestComplete(Request, 0);',
        "00000000 8 5 ",
        PRINT,
        answers="uncancelable",
    ),
    Mistake(
        "KMDF-MIS-25: a timeout that fired, and the device succeeded",
        "PrepareMine(); SendWith(Mine, 0, WDF_REL_TIMEOUT_IN_MS(1)); WdfRequestComplete(Request, 0);"
        "WdfIoTargetStop(Target, WdfIoTargetWaitForSentIoToComplete);",
        "00000000 8 ",
        PRINT,
        answers="uncancelable",
    ),
    Mistake(
        "KMDF-MIS-26, KMDF-TMO-09: an absolute time is long past",
        "PrepareMine(); SendWith(Mine, 0, WDF_ABS_TIMEOUT_IN_MS(5000)); WdfRequestComplete(Request, 0);",
        "c00000b5 0 ",
        PRINT,
        answers="never",
    ),
    Mistake(
        "KMDF-MIS-28, RULE-62, 63: a synchronous send without a timeout",
        "PrepareMine(); SendWith(Mine, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, 0);",
        "kmdf-sync-without-timeout",
        strict=True,
    ),
    Mistake(
        "KMDF-MIS-28, RULE-64: or at raised IRQL",
        "KIRQL irql; PrepareMine(); KeRaiseIrql(DISPATCH_LEVEL, &irql);"
        "SendWith(Mine, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS, WDF_REL_TIMEOUT_IN_MS(1)); KeLowerIrql(irql);",
        "kmdf-sync-send-irql",
    ),
    Mistake(
        "KMDF-MIS-29, KMDF-TSS-07: a completion routine waits until its own request is back",
        "Prepare(Request); Send(Request);",
        "wait-in-callback",
        "WdfIoTargetStop(Target, WdfIoTargetWaitForSentIoToComplete);",
    ),
    Mistake(
        "KMDF-MIS-30, KMDF-TSS-09, KMDF-SND-21: once more between the purge and the end of the source",
        "WdfIoTargetPurge(Target, WdfIoTargetPurgeIo); PrepareMine();"
        'DbgPrint("%d %08x", Send(Mine), WdfRequestGetStatus(Mine)); WdfRequestComplete(Request, 0);',
        "0 c0000184",
    ),
    Mistake(
        "KMDF-MIS-32, RULE-43: what has no parent stays until the driver is unloaded",
        "WDF_OBJECT_ATTRIBUTES a; WDFMEMORY m; WDF_OBJECT_ATTRIBUTES_INIT(&a); a.EvtCleanupCallback = Gone;"
        "WdfMemoryCreate(&a, NonPagedPoolNx, 0, 8, &m, NULL);"
        'WdfRequestComplete(Request, 0); DbgPrint("completed ");',
        "completed gone at 0 ",
    ),
    Mistake(
        "KMDF-MIS-33, KMDF-IOT-16, RULE-23, 24: a request that is out goes with its parent",
        "WDF_OBJECT_ATTRIBUTES a; WDFOBJECT parent; WDFREQUEST child;"
        "WdfObjectCreate(WDF_NO_OBJECT_ATTRIBUTES, &parent);"
        "WDF_OBJECT_ATTRIBUTES_INIT(&a); a.ParentObject = parent; WdfRequestCreate(&a, Target, &child);"
        "WdfIoTargetFormatRequestForRead(Target, child, Memory, NULL, NULL); Send(child); WdfObjectDelete(parent);",
        "kmdf-deleted-while-sent",
        answers="never",
    ),
    Mistake(
        "KMDF-MIS-34: a child that needs PASSIVE_LEVEL outlives a request that is completed above it",
        "WDF_OBJECT_ATTRIBUTES a; WDFSTRING s; WDF_OBJECT_ATTRIBUTES_INIT(&a); a.ParentObject = Request;"
        "a.EvtCleanupCallback = Gone; WdfStringCreate(NULL, &a, &s); Prepare(Request); Send(Request);",
        "completed gone at 0 ",
        COMPLETE + 'DbgPrint("completed ");',
        answers="later",
    ),
    Mistake(
        "KMDF-MIS-36, RULE-07: the count of a larger sub-request is passed on",
        "WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, 9);",
        "kmdf-information-too-large",
    ),
    Mistake(
        "KMDF-MIS-37, KMDF-CRT-12: after a format by type only the status is there",
        "Prepare(Request); Send(Request);",
        "255 0 00000000 8 ",
        'DbgPrint("%d %d ", Params->Type, (int)Params->Parameters.Read.Length);' + PRINT + COMPLETE,
    ),
    Mistake(
        "KMDF-MIS-37, RULE-26: and nothing to ask for",
        "Prepare(Request); Send(Request);",
        "kmdf-completion-params",
        "WDF_REQUEST_COMPLETION_PARAMS p; WDF_REQUEST_COMPLETION_PARAMS_INIT(&p); WdfRequestGetCompletionParams(Request, &p);",
    ),
    Mistake(
        "KMDF-MIS-38: the wrong member of the union",
        "PrepareMine(); Send(Mine); WdfRequestComplete(Request, 0);",
        "1 1",
        'DbgPrint("%d %d", Params->Parameters.Ioctl.IoControlCode == (ULONG)(ULONG_PTR)Memory,'
        " Params->Parameters.Ioctl.IoControlCode == (ULONG)(ULONG_PTR)Params->Parameters.Read.Buffer);",
    ),
    Mistake(
        "KMDF-MIS-39: a memory handle is taken for the buffer's address",
        "WdfIoTargetFormatRequestForInternalIoctlOthers(Target, Mine, 0x222003, Memory, NULL, NULL, NULL, NULL, NULL);"
        "WdfRequestSetCompletionRoutine(Mine, Done, NULL); Send(Mine); WdfRequestComplete(Request, 0);",
        "wild-pointer",
        'DbgPrint("%d", *(PULONG)Params->Parameters.Others.Argument1.Ptr);',
    ),
    Mistake(
        "KMDF-MIS-40, RULE-26: completion params after a function that sends and waits",
        "WDF_REQUEST_COMPLETION_PARAMS p; WdfIoTargetSendReadSynchronously(Target, Mine, NULL, NULL, NULL, NULL);"
        "WDF_REQUEST_COMPLETION_PARAMS_INIT(&p); WdfRequestGetCompletionParams(Mine, &p);",
        "kmdf-completion-params",
    ),
    Mistake(
        "KMDF-MIS-41, RULE-60: the status of what is on its way",
        "PrepareMine(); Send(Mine); WdfRequestGetStatus(Mine);",
        "kmdf-status-too-early",
        answers="never",
        strict=True,
    ),
    Mistake(
        "KMDF-MIS-42, RULE-18, 61: a formatted request is sent and forgotten",
        "WDFMEMORY memory; WdfRequestRetrieveOutputMemory(Request, &memory);"
        f"WdfIoTargetFormatRequestForRead(Target, Request, memory, NULL, NULL); SendWith(Request, {FORGET}, 0);",
        "kmdf-forget-formatted",
    ),
    Mistake(
        "KMDF-MIS-42, RULE-19: or one of the driver's own",
        f'PrepareMine(); DbgPrint("%d %08x", SendWith(Mine, {FORGET}, 0), WdfRequestGetStatus(Mine));'
        "WdfRequestComplete(Request, 0);",
        "0 c0000184",
    ),
    Mistake(
        "KMDF-MIS-43: a stopped target holds back nothing that is sent and forgotten",
        f'WdfIoTargetStop(Target, WdfIoTargetLeaveSentIoPending); DbgPrint("%d", SendWith(Request, {FORGET}, 0));',
        "1",
    ),
    Mistake(
        "KMDF-MIS-44, KMDF-SAF-14: it is used after it was sent and forgotten",
        f"SendWith(Request, {FORGET}, 0); WdfRequestGetStatus(Request);",
        "kmdf-request-touched-after-send-and-forget",
    ),
    Mistake(
        "KMDF-MIS-45: a stopped target lets it wait",
        'WdfIoTargetStop(Target, WdfIoTargetLeaveSentIoPending); PrepareMine(); DbgPrint("%d ", Send(Mine));'
        'DbgPrint("started: "); WdfIoTargetStart(Target); WdfRequestComplete(Request, 0);',
        "1 started: 00000000 8 ",
        PRINT,
    ),
    Mistake(
        "KMDF-MIS-46: a target that was never opened says Started",
        "WDFIOTARGET t; WdfIoTargetCreate(Device, WDF_NO_OBJECT_ATTRIBUTES, &t);"
        'DbgPrint("%d %08x", WdfIoTargetGetState(t), WdfRequestChangeTarget(Mine, t)); WdfRequestComplete(Request, 0);',
        "1 c0000184",
    ),
    Mistake(
        "KMDF-MIS-47, KMDF-CRT-15: the routine sends again and again",
        "PrepareMine(); Send(Mine);",
        "stack-overflow",
        "Reuse(Request); PrepareMine(); Send(Request);",
    ),
    Mistake(
        "KMDF-MIS-48: a routine runs at DISPATCH_LEVEL",
        "Prepare(Request); Send(Request);",
        "irql-too-high",
        "LARGE_INTEGER t; t.QuadPart = -10; KeDelayExecutionThread(KernelMode, FALSE, &t);" + COMPLETE,
        answers="later",
    ),
    Mistake(
        "KMDF-MIS-50, RULE-71, 75: nobody answers for a request that is out",
        "Prepare(Request); Send(Request);",
        "kmdf-power-blocked",
        COMPLETE,
        answers="never",
        ends="suspend",
        stopping="Stopping",
    ),
    Mistake(
        "KMDF-MIS-51: input and output of METHOD_BUFFERED are one buffer",
        "char *in, *out; WdfRequestRetrieveInputBuffer(Request, 1, &in, NULL);"
        "WdfRequestRetrieveOutputBuffer(Request, 1, &out, NULL);"
        "out[0] = 'X'; DbgPrint(\"%c\", in[0]); WdfRequestComplete(Request, 0);",
        "X",
        asked="ioctl",
    ),
    Mistake(
        "KMDF-MIS-52: a fixed answer is copied with the caller's length",
        'static const char answer[] = "hi"; char *out; size_t n; WdfRequestRetrieveOutputBuffer(Request, 1, &out, &n);'
        "RtlCopyMemory(out, answer, n); WdfRequestComplete(Request, 0);",
        "overrun",
    ),
    Mistake(
        "KMDF-MIS-53, RULE-40: the routine looks for it in the collection first",
        "PrepareMine(); Send(Mine); WdfCollectionAdd(Sent, Mine);",
        "kmdf-not-in-collection",
        "WdfCollectionRemove(Sent, Request);",
    ),
    Mistake(
        "KMDF-MIS-54, RULE-42, 46, 47: an early return",
        "return;",
        "kmdf-request-never-completed",
    ),
    Mistake(
        "RULE-45: it is kept for later, and later does not come",
        "Mine = Request;",
        "kmdf-request-never-completed",
    ),
    Mistake(
        "KMDF-MIS-55, KMDF-SND-11: without a verifier an unformatted request goes down",
        'DbgPrint("%d", Send(Mine)); WdfRequestComplete(Request, 0);',
        "1",
        verifier="off",
    ),
    Mistake(
        "RULE-65: above the limit of a function",
        "KIRQL irql; KeRaiseIrql(DISPATCH_LEVEL, &irql); WdfIoTargetPurge(Target, WdfIoTargetPurgeIoAndWait); KeLowerIrql(irql);",
        "kmdf-passive-only",
    ),
    Mistake(
        "RULE-67: the input of a read",
        'PVOID in; DbgPrint("%08x", WdfRequestRetrieveInputBuffer(Request, 1, &in, NULL)); WdfRequestComplete(Request, 0);',
        "c0000010",
    ),
    Mistake(
        "RULE-67: the output of a write",
        'PVOID out; DbgPrint("%08x", WdfRequestRetrieveOutputBuffer(Request, 1, &out, NULL)); WdfRequestComplete(Request, 0);',
        "c0000010",
        asked="write",
    ),
    Mistake(
        "RULE-74: a stop is acknowledged where none is asked for",
        "WdfRequestStopAcknowledge(Request, FALSE);",
        "kmdf-stop-acknowledged",
    ),
    Mistake(
        "RULE-77: two changes of a queue's state at once",
        "WdfIoQueueStop(Queue, Changed, NULL); WdfIoQueueStop(Queue, Changed, NULL);",
        "kmdf-queue-state",
    ),
    Mistake(
        "RULE-78, KMDF-QUE-23: a handler waits for its own queue, and never completes what the queue waits for",
        "WdfIoQueuePurgeSynchronously(Queue);",
        "kmdf-wait-for-queue",
    ),
    Mistake(
        "KMDF-OBJ-19: a control device is deleted above PASSIVE_LEVEL, an I/O target may be",
        "KIRQL irql; WDFIOTARGET t; WdfIoTargetCreate(Device, WDF_NO_OBJECT_ATTRIBUTES, &t);"
        'KeRaiseIrql(DISPATCH_LEVEL, &irql); WdfObjectDelete(t); KeLowerIrql(irql); DbgPrint("deleted");'
        "WdfRequestComplete(Request, 0);",
        "deleted",
    ),
    Mistake(
        "KMDF-OBJ-27: what hangs under a request is disposed before its IRP leaves",
        "WDF_OBJECT_ATTRIBUTES a; WDFMEMORY m; WDF_OBJECT_ATTRIBUTES_INIT(&a); a.ParentObject = Request;"
        "a.EvtCleanupCallback = Gone; WdfMemoryCreate(&a, NonPagedPoolNx, 0, 8, &m, NULL);"
        'WdfRequestComplete(Request, 0); DbgPrint("completed");',
        "gone at 0 completed",
    ),
    Mistake(
        "KMDF-MIS-05: a successful format is taken for a successful read",
        'DbgPrint("%08x ", WdfIoTargetFormatRequestForRead(Target, Mine, Memory, NULL, NULL));'
        "WdfRequestSetCompletionRoutine(Mine, Done, NULL); Send(Mine); WdfRequestComplete(Request, 0);",
        "00000000 c0000185 0 ",
        PRINT,
        answers="error",
    ),
    Mistake(
        "KMDF-MIS-09: reuse hides that the sender has cancelled",
        'WdfRequestWdmGetIrp(Request)->Cancel = TRUE; DbgPrint("%d ", WdfRequestIsCanceled(Request)); Reuse(Request);'
        'DbgPrint("%d", WdfRequestIsCanceled(Request)); WdfRequestComplete(Request, 0);',
        "1 0",
    ),
    Mistake(
        "KMDF-MIS-16: a format lays the buffers out for its own target",
        "WdfIoTargetFormatRequestForRead(Target, Mine, Memory, NULL, NULL);"
        "PIRP irp = WdfRequestWdmGetIrp(Mine);"
        'DbgPrint("%d", irp->AssociatedIrp.SystemBuffer != NULL && irp->MdlAddress == NULL);'
        "WdfRequestComplete(Request, 0);",
        "1",
    ),
    Mistake(
        "KMDF-MIS-27: the timeout of a pended request does not go on after the start",
        "WdfIoTargetStop(Target, WdfIoTargetLeaveSentIoPending); PrepareMine(); SendWith(Mine, 0, WDF_REL_TIMEOUT_IN_MS(1));"
        "WdfIoTargetStart(Target); WdfRequestComplete(Request, 0);"
        "WdfIoTargetStop(Target, WdfIoTargetWaitForSentIoToComplete);",
        "00000000 8 ",
        PRINT,
        answers="uncancelable",
    ),
    Mistake(
        "KMDF-MIS-31: a memory per attempt stays under a request that lives on",
        "WDF_OBJECT_ATTRIBUTES a; WDFMEMORY m; int attempt; WDF_OBJECT_ATTRIBUTES_INIT(&a); a.ParentObject = Mine;"
        "a.EvtCleanupCallback = Gone; WdfIoTargetPurge(Target, WdfIoTargetPurgeIo);"
        "for (attempt = 0; attempt < 2; attempt++) { WdfMemoryCreate(&a, NonPagedPoolNx, 0, 8, &m, NULL);"
        " WdfIoTargetFormatRequestForRead(Target, Mine, m, NULL, NULL); Send(Mine); }"
        'WdfRequestComplete(Request, 0); DbgPrint("completed ");',
        "completed gone at 0 gone at 0 ",
    ),
    Mistake(
        "KMDF-MIS-35, KMDF-CMP-09: a status of the framework's own is passed on",
        "WdfRequestComplete(Request, STATUS_WDF_DEVICE_REMOVED_NOT_SENT);",
        "app: c0000010",
        ends="status",
    ),
    Mistake(
        "KMDF-CRE-10: a request is made at once for a target that is not open",
        "WDFIOTARGET t; WDFREQUEST r; WdfIoTargetCreate(Device, WDF_NO_OBJECT_ATTRIBUTES, &t);"
        'DbgPrint("%08x", WdfRequestCreate(WDF_NO_OBJECT_ATTRIBUTES, t, &r)); WdfRequestComplete(Request, 0);',
        "c0000184",
    ),
    Mistake(
        "KMDF-SSY-15, 16, RULE-42: a received request is sent synchronously and not completed",
        "WDFMEMORY m; WDF_MEMORY_DESCRIPTOR d; WdfRequestRetrieveOutputMemory(Request, &m);"
        "WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&d, m, NULL);"
        "WdfIoTargetSendReadSynchronously(Target, Request, &d, NULL, NULL, NULL);",
        "kmdf-request-never-completed",
    ),
    Mistake(
        "KMDF-SAF-13: after that it may still be sent and forgotten",
        "WDFMEMORY m; WDF_MEMORY_DESCRIPTOR d; WdfRequestRetrieveOutputMemory(Request, &m);"
        "WDF_MEMORY_DESCRIPTOR_INIT_HANDLE(&d, m, NULL);"
        "WdfIoTargetSendReadSynchronously(Target, Request, &d, NULL, NULL, NULL);"
        f'DbgPrint("%d", SendWith(Request, {FORGET}, 0));',
        "1",
    ),
    Mistake(
        "KMDF-SSY-05, 13: a synchronous sender above PASSIVE_LEVEL",
        "KIRQL irql; KeRaiseIrql(DISPATCH_LEVEL, &irql); WdfIoTargetSendReadSynchronously(Target, NULL, NULL, NULL, NULL, NULL);",
        "kmdf-passive-only",
    ),
    Mistake(
        "KMDF-SAF-03: a location made by hand may be sent and forgotten",
        "WdfRequestWdmFormatUsingStackLocation(Request, IoGetCurrentIrpStackLocation(WdfRequestWdmGetIrp(Request)));"
        f'DbgPrint("%d", SendWith(Request, {FORGET}, 0));',
        "1",
    ),
    Mistake(
        "KMDF-SAF-08, KMDF-STA-13: nobody waits for what was sent and forgotten",
        f'SendWith(Request, {FORGET}, 0); WdfIoTargetStop(Target, WdfIoTargetWaitForSentIoToComplete);DbgPrint("stopped");',
        "stopped",
        answers="never",
    ),
    Mistake(
        "KMDF-CAN-14: nor can it be cancelled",
        f"SendWith(Request, {FORGET}, 0); WdfRequestCancelSentRequest(Request);",
        "kmdf-request-touched-after-send-and-forget",
        answers="never",
    ),
    Mistake(
        "KMDF-SAF-16: nor is EvtIoStop called for it",
        f"SendWith(Request, {FORGET}, 0);",
        "",
        answers="never",
        ends="suspend",
        stopping="Stopping",
    ),
    Mistake(
        "KMDF-TGT-02: the local target is not closed by the driver",
        "WdfIoTargetClose(Target);",
        "kmdf-wrong-handle",
    ),
    Mistake(
        "KMDF-CON-03: the framework's own flag is no driver's",
        "Prepare(Request); SendWith(Request, 0x80000000, 0);",
        "kmdf-send-options",
    ),
    Mistake(
        "KMDF-CFI-03, KMDF-WHO-03: a request around the driver's own IRP is completed",
        "WDFREQUEST r; WdfRequestCreateFromIrp(NULL, IoAllocateIrp(1, FALSE), TRUE, &r); WdfRequestComplete(r, 0);",
        "kmdf-completed-driver-created",
    ),
    Mistake(
        "KMDF-CRT-01: NULL removes the routine",
        "PrepareMine(); WdfRequestSetCompletionRoutine(Mine, NULL, NULL);"
        'DbgPrint("%d ", Send(Mine)); WdfRequestComplete(Request, 0);',
        "1 ",
        PRINT,
    ),
    Mistake(
        "KMDF-FCU-07, KMDF-TSS-08: what may be called at DISPATCH_LEVEL",
        "KIRQL irql; KeRaiseIrql(DISPATCH_LEVEL, &irql); WdfIoTargetStop(Target, WdfIoTargetLeaveSentIoPending);"
        "WdfIoTargetPurge(Target, WdfIoTargetPurgeIo); WdfIoTargetStart(Target);"
        'WdfRequestFormatRequestUsingCurrentType(Request); KeLowerIrql(irql); DbgPrint("all"); WdfRequestComplete(Request, 0);',
        "all",
    ),
    Mistake(
        "KMDF-REU-01: what the macros leave in the reuse parameters",
        "WDF_REQUEST_REUSE_PARAMS p; WDF_REQUEST_REUSE_PARAMS_INIT(&p, WDF_REQUEST_REUSE_NO_FLAGS, STATUS_NOT_SUPPORTED);"
        'DbgPrint("%d %d %08x %d ", p.Size, p.Flags, p.Status, p.NewIrp == NULL);'
        "WDF_REQUEST_REUSE_PARAMS_SET_NEW_IRP(&p, WdfRequestWdmGetIrp(Request));"
        'DbgPrint("%d %d", p.Flags, p.NewIrp == WdfRequestWdmGetIrp(Request)); WdfRequestComplete(Request, 0);',
        "24 0 c00000bb 1 1 1",
    ),
    Mistake(
        "KMDF-MEM-10: the routine deletes the memory first and reuses the request then, which lets the buffer go",
        "WDF_OBJECT_ATTRIBUTES a; WDF_OBJECT_ATTRIBUTES_INIT(&a); a.EvtDestroyCallback = Gone;"
        "WdfMemoryCreate(&a, NonPagedPoolNx, 0, 8, &Memory, NULL); PrepareMine(); Send(Mine); WdfRequestComplete(Request, 0);",
        "deleted gone at 0 reused",
        'WdfObjectDelete(Memory); DbgPrint("deleted "); Reuse(Request); DbgPrint("reused");',
    ),
    Mistake(
        "KMDF-CMP-07: bytes for a METHOD_BUFFERED code that gave no room",
        "WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, 1);",
        "kmdf-information-without-output",
        asked="question",
    ),
    Mistake(
        "KMDF-AUX-05: a timer is deleted in its own callback at PASSIVE_LEVEL",
        "WDF_TIMER_CONFIG c; WDF_OBJECT_ATTRIBUTES a; WDFTIMER t; WDF_TIMER_CONFIG_INIT(&c, Expired);"
        "c.AutomaticSerialization = FALSE; WDF_OBJECT_ATTRIBUTES_INIT(&a); a.ParentObject = Device;"
        "a.ExecutionLevel = WdfExecutionLevelPassive; WdfTimerCreate(&c, &a, &t); WdfTimerStart(t, WDF_REL_TIMEOUT_IN_MS(1));"
        "WdfRequestComplete(Request, 0);",
        "kmdf-waits-for-itself",
    ),
]


def outcome(mistake: Mistake) -> str:
    """The rule that ends the run, or what the driver printed."""
    lab = Lab(language="en")
    lab.strict, lab.verifier = mistake.strict, mistake.verifier
    slow = mistake.answers == "uncancelable"
    answers = "later" if slow else mistake.answers
    lower = lab.lower_device("disk", answers=answers, cancelable=not slow, delay=50_000 if slow else 10_000)
    text = DRIVER.replace("RECEIVED", mistake.received).replace("DONE", mistake.done).replace("STOPPING", mistake.stopping)
    try:
        loaded = lab.start_driver(lab.load(text), lower=lower)
        assert (loaded.status, loaded.device_status) == (0, 0)
        asking = {"read": (8,), "write": (b"12345678",), "ioctl": (0x222000, b"abc", 3), "question": (0x222000,)}
        asked = getattr(loaded, "ioctl" if mistake.asked == "question" else mistake.asked)(*asking[mistake.asked])
        lab.run()
        loaded.suspend() if mistake.ends == "suspend" else lab.unload_driver(loaded)
    except Stop as stop:
        return stop.rule.id
    return f"app: {asked.status & 0xFFFFFFFF:08x}" if mistake.ends == "status" else lab.console


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.facts.partition(":")[0])
def test_a_mistake(mistake: Mistake) -> None:
    assert outcome(mistake) == mistake.outcome
