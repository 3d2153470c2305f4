"""Our WDK headers against what is known of the WDK: layouts, constants, prototypes.

Expected values come from the fact sheets, not from the headers: the layouts from ``data/layouts.json`` (measured with public
headers), the constants from section 1.4 of the WSK sheet and section 2.1 of the KMDF sheet, the names of parameters from the
reference pages.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from wsklab.c.headers import INCLUDE, Headers, _pack, _unpack, headers
from wsklab.c.source import Problems
from wsklab.c.tokens import BLANK, NEWLINE, Reader, tokenize
from wsklab.c.types import Function, Pointer, Record
from wsklab.c.unit import compile_unit

LAYOUTS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "layouts.json").read_text("utf-8"))

WSK_CONSTANTS = """
WSK_FLAG_BASIC_SOCKET 0 WSK_FLAG_LISTEN_SOCKET 1 WSK_FLAG_CONNECTION_SOCKET 2 WSK_FLAG_DATAGRAM_SOCKET 4 WSK_FLAG_STREAM_SOCKET 8
WSK_FLAG_ABORTIVE 1 WSK_FLAG_NODELAY 2 WSK_FLAG_WAITALL 2 WSK_FLAG_DRAIN 4 WSK_FLAG_RELEASE_ASAP 2 WSK_FLAG_ENTIRE_MESSAGE 4
WSK_FLAG_AT_DISPATCH_LEVEL 8 WSK_EVENT_SEND_BACKLOG 0x10 WSK_EVENT_RECEIVE 0x40 WSK_EVENT_DISCONNECT 0x80
WSK_EVENT_RECEIVE_FROM 0x100 WSK_EVENT_ACCEPT 0x200 WSK_EVENT_DISABLE 0x80000000 WSK_NO_WAIT 0 WSK_INFINITE_WAIT 0xFFFFFFFF
WSK_TRANSPORT_LIST_QUERY 2 WSK_TRANSPORT_LIST_CHANGE 3 WSK_CACHE_SD 4 WSK_RELEASE_SD 5 WSK_TDI_DEVICENAME_MAPPING 6
WSK_SET_STATIC_EVENT_CALLBACKS 7 WSK_TDI_BEHAVIOR 8 WSK_TDI_BEHAVIOR_BYPASS_TDI 1 WSK_SO_BASE 0x4000 SO_WSK_SECURITY 0x4001
SO_WSK_EVENT_CALLBACK 0x4002 SIO_WSK_SET_REMOTE_ADDRESS 0x8F000001 SIO_WSK_REGISTER_EXTENSION 0xCF000002
SIO_WSK_QUERY_IDEAL_SEND_BACKLOG 0x4F000003 SIO_WSK_QUERY_RECEIVE_BACKLOG 0x4F000004 SIO_WSK_QUERY_INSPECT_ID 0x4F000005
SIO_WSK_SET_SENDTO_ADDRESS 0x8F000006 SIO_WSK_SET_TCP_SILENT_MODE 0x2F000007 SIO_ADDRESS_LIST_QUERY 0x48000016
SIO_ADDRESS_LIST_CHANGE 0x28000017 SIO_ADDRESS_LIST_SORT 0xC8000019 WskSetOption 0 WskGetOption 1 WskIoctl 2 WskInspectReject 0
WskInspectAccept 1 WskInspectPend 2 MSG_TRUNC 0x100 MSG_CTRUNC 0x200 MSG_BCAST 0x400 MSG_MCAST 0x800 AF_INET 2 AF_INET6 23
SOCK_STREAM 1 SOCK_DGRAM 2 SOCK_RAW 3 IPPROTO_TCP 6 IPPROTO_UDP 17 IPPROTO_IPV6 41 IPPROTO_RAW 255 SOL_SOCKET 0xFFFF
SO_REUSEADDR 4 SO_KEEPALIVE 8 SO_BROADCAST 0x20 SO_EXCLUSIVEADDRUSE 0xFFFFFFFB SO_RCVBUF 0x1002 SO_CONDITIONAL_ACCEPT 0x3002
NI_NOFQDN 1 NI_NUMERICHOST 2 NI_NAMEREQD 4 NI_NUMERICSERV 8 NI_DGRAM 0x10 NS_ALL 0
STATUS_SUCCESS 0 STATUS_TIMEOUT 0x102 STATUS_PENDING 0x103 STATUS_EVENT_PENDING 0x40000013 STATUS_BUFFER_OVERFLOW 0x80000005
STATUS_FILE_FORCED_CLOSED 0xC00000B6 STATUS_NOT_SUPPORTED 0xC00000BB STATUS_INVALID_PARAMETER 0xC000000D
STATUS_INVALID_DEVICE_REQUEST 0xC0000010 STATUS_INVALID_DEVICE_STATE 0xC0000184 STATUS_DEVICE_NOT_READY 0xC00000A3
STATUS_NOINTERFACE 0xC00002B9 STATUS_NO_MATCH 0xC0000272 STATUS_ADDRESS_ALREADY_EXISTS 0xC000020A
STATUS_ACCESS_DENIED 0xC0000022 STATUS_BUFFER_TOO_SMALL 0xC0000023 STATUS_NOT_FOUND 0xC0000225
STATUS_INTEGER_OVERFLOW 0xC0000095 STATUS_INVALID_BUFFER_SIZE 0xC0000206 STATUS_DATA_NOT_ACCEPTED 0xC000021B
STATUS_REQUEST_NOT_ACCEPTED 0xC00000D0 STATUS_NOT_IMPLEMENTED 0xC0000002 STATUS_MORE_PROCESSING_REQUIRED 0xC0000016
"""
"""WSK 1.4, WSK-NUM-02 to 04."""

KMDF_CONSTANTS = """
WdfRequestTypeCreate 0 WdfRequestTypeCreateNamedPipe 1 WdfRequestTypeClose 2 WdfRequestTypeRead 3 WdfRequestTypeWrite 4
WdfRequestTypeQueryInformation 5 WdfRequestTypeSetInformation 6 WdfRequestTypeQueryEA 7 WdfRequestTypeSetEA 8
WdfRequestTypeFlushBuffers 9 WdfRequestTypeQueryVolumeInformation 0xA WdfRequestTypeSetVolumeInformation 0xB
WdfRequestTypeDirectoryControl 0xC WdfRequestTypeFileSystemControl 0xD WdfRequestTypeDeviceControl 0xE
WdfRequestTypeDeviceControlInternal 0xF WdfRequestTypeShutdown 0x10 WdfRequestTypeLockControl 0x11 WdfRequestTypeCleanup 0x12
WdfRequestTypeCreateMailSlot 0x13 WdfRequestTypeQuerySecurity 0x14 WdfRequestTypeSetSecurity 0x15 WdfRequestTypePower 0x16
WdfRequestTypeSystemControl 0x17 WdfRequestTypeDeviceChange 0x18 WdfRequestTypeQueryQuota 0x19 WdfRequestTypeSetQuota 0x1A
WdfRequestTypePnp 0x1B WdfRequestTypeOther 0x1C WdfRequestTypeUsb 0x40 WdfRequestTypeNoFormat 0xFF WdfRequestTypeMax 0x100
WDF_REQUEST_SEND_OPTION_TIMEOUT 1 WDF_REQUEST_SEND_OPTION_SYNCHRONOUS 2 WDF_REQUEST_SEND_OPTION_IGNORE_TARGET_STATE 4
WDF_REQUEST_SEND_OPTION_SEND_AND_FORGET 8 WDF_REQUEST_SEND_OPTION_IMPERSONATE_CLIENT 0x10000
WDF_REQUEST_SEND_OPTION_IMPERSONATION_IGNORE_FAILURE 0x20000 WDF_REQUEST_REUSE_NO_FLAGS 0 WDF_REQUEST_REUSE_SET_NEW_IRP 1
WdfRequestStopActionInvalid 0 WdfRequestStopActionSuspend 1 WdfRequestStopActionPurge 2
WdfRequestStopRequestCancelable 0x10000000 WDF_REQUEST_FORWARD_OPTION_SEND_AND_FORGET 1
WdfIoTargetStateUndefined 0 WdfIoTargetStarted 1 WdfIoTargetStopped 2 WdfIoTargetClosedForQueryRemove 3 WdfIoTargetClosed 4
WdfIoTargetDeleted 5 WdfIoTargetPurged 6 WdfIoTargetOpenUndefined 0 WdfIoTargetOpenUseExistingDevice 1
WdfIoTargetOpenByName 2 WdfIoTargetOpenReopen 3 WdfIoTargetOpenLocalTargetByFile 4 WdfIoTargetSentIoUndefined 0
WdfIoTargetCancelSentIo 1 WdfIoTargetWaitForSentIoToComplete 2 WdfIoTargetLeaveSentIoPending 3 WdfIoTargetPurgeIoUndefined 0
WdfIoTargetPurgeIoAndWait 1 WdfIoTargetPurgeIo 2 WdfIoQueueDispatchInvalid 0 WdfIoQueueDispatchSequential 1
WdfIoQueueDispatchParallel 2 WdfIoQueueDispatchManual 3 WdfIoQueueDispatchMax 4 WdfIoQueueAcceptRequests 1
WdfIoQueueDispatchRequests 2 WdfIoQueueNoRequests 4 WdfIoQueueDriverNoRequests 8 WdfIoQueuePnpHeld 0x10 WdfFalse 0 WdfTrue 1
WdfUseDefault 2 WdfExecutionLevelInvalid 0 WdfExecutionLevelInheritFromParent 1 WdfExecutionLevelPassive 2
WdfExecutionLevelDispatch 3 WdfSynchronizationScopeInvalid 0 WdfSynchronizationScopeInheritFromParent 1
WdfSynchronizationScopeDevice 2 WdfSynchronizationScopeQueue 3 WdfSynchronizationScopeNone 4 WdfMemoryDescriptorTypeInvalid 0
WdfMemoryDescriptorTypeBuffer 1 WdfMemoryDescriptorTypeMdl 2 WdfMemoryDescriptorTypeHandle 3 WdfDeviceIoUndefined 0
WdfDeviceIoNeither 1 WdfDeviceIoBuffered 2 WdfDeviceIoDirect 3 WdfDeviceIoBufferedOrDirect 4 WdfFileObjectInvalid 0
WdfFileObjectNotRequired 1 WdfFileObjectWdfCanUseFsContext 2 WdfFileObjectWdfCanUseFsContext2 3
WdfFileObjectWdfCannotUseFsContexts 4 WdfFileObjectCanBeOptional 0x80000000 METHOD_BUFFERED 0 METHOD_IN_DIRECT 1
METHOD_OUT_DIRECT 2 METHOD_NEITHER 3 WDF_TIMEOUT_TO_SEC 10000000 WDF_TIMEOUT_TO_MS 10000 WDF_TIMEOUT_TO_US 10
WDF_NO_HANDLE 0 WDF_NO_OBJECT_ATTRIBUTES 0 WDF_NO_EVENT_CALLBACK 0 WDF_NO_CONTEXT 0 WDF_NO_SEND_OPTIONS 0
STATUS_WDF_QUEUED 0x40200000 STATUS_WDF_POSTED 0x40200002 STATUS_WDF_NO_PACKAGE 0xC0200200 STATUS_WDF_INTERNAL_ERROR 0xC0200201
STATUS_WDF_PAUSED 0xC0200203 STATUS_WDF_BUSY 0xC0200204 STATUS_WDF_IO_TIMEOUT_NOT_SENT 0xC0200205
STATUS_WDF_DEVICE_REMOVED_NOT_SENT 0xC0200206 STATUS_WDF_REQUEST_ALREADY_PENDING 0xC0200207
STATUS_WDF_REQUEST_INVALID_STATE 0xC0200208 STATUS_WDF_OBJECT_ATTRIBUTES_INVALID 0xC0200209
STATUS_WDF_TOO_FRAGMENTED 0xC020020A STATUS_WDF_NO_CALLBACK 0xC020020B STATUS_WDF_INCOMPATIBLE_EXECUTION_LEVEL 0xC020020C
STATUS_WDF_PARENT_ALREADY_ASSIGNED 0xC020020D STATUS_WDF_PARENT_IS_SELF 0xC020020E
STATUS_WDF_PARENT_ASSIGNMENT_NOT_ALLOWED 0xC020020F STATUS_WDF_SYNCHRONIZATION_SCOPE_INVALID 0xC0200210
STATUS_WDF_EXECUTION_LEVEL_INVALID 0xC0200211 STATUS_WDF_PARENT_NOT_SPECIFIED 0xC0200212
STATUS_WDF_TOO_MANY_TRANSFERS 0xC0200213 STATUS_WDF_NOT_ENOUGH_MAP_REGISTERS 0xC0200214
"""
"""KMDF-CON-01, 02, 04 to 21."""

KMDF_SIZES: dict[str, tuple[int, dict[str, int]]] = {
    "WDF_REQUEST_SEND_OPTIONS": (16, {"Timeout": 8}),
    "WDF_REQUEST_REUSE_PARAMS": (24, {"Status": 8, "NewIrp": 16}),
    "WDF_REQUEST_COMPLETION_PARAMS": (72, {"IoStatus": 8, "Parameters": 24}),
    "WDF_REQUEST_PARAMETERS": (40, {"Type": 4, "Parameters": 8}),
    "WDF_MEMORY_DESCRIPTOR": (24, {}),
    "WDF_OBJECT_ATTRIBUTES": (56, {}),
    "WDF_IO_QUEUE_CONFIG": (96, {}),
    "WDF_TIMER_CONFIG": (40, {}),
    "WDF_IO_TARGET_OPEN_PARAMS": (136, {}),
    "WDF_DRIVER_CONFIG": (32, {}),
}
"""KMDF-CON-22: size, and offsets of members, in bytes."""

ARGUMENTS = """
WskRegister: WskClientNpi WskRegistration
WskCaptureProviderNPI: WskRegistration WaitTimeout WskProviderNpi
WskReleaseProviderNPI: WskRegistration
WskQueryProviderCharacteristics: WskRegistration WskProviderCharacteristics
WskDeregister: WskRegistration
PFN_WSK_SOCKET: Client AddressFamily SocketType Protocol Flags SocketContext Dispatch OwningProcess OwningThread SecurityDescriptor Irp
PFN_WSK_SOCKET_CONNECT: Client SocketType Protocol LocalAddress RemoteAddress Flags SocketContext Dispatch OwningProcess OwningThread SecurityDescriptor Irp
PFN_WSK_CONTROL_CLIENT: Client ControlCode InputSize InputBuffer OutputSize OutputBuffer OutputSizeReturned Irp
PFN_WSK_GET_ADDRESS_INFO: Client NodeName ServiceName NameSpace Provider Hints Result OwningProcess OwningThread Irp
PFN_WSK_FREE_ADDRESS_INFO: Client AddrInfo
PFN_WSK_GET_NAME_INFO: Client SockAddr SockAddrLength NodeName ServiceName Flags OwningProcess OwningThread Irp
PFN_WSK_CONTROL_SOCKET: Socket RequestType ControlCode Level InputSize InputBuffer OutputSize OutputBuffer OutputSizeReturned Irp
PFN_WSK_CLOSE_SOCKET: Socket Irp
PFN_WSK_BIND: Socket LocalAddress Flags Irp
PFN_WSK_CONNECT: Socket RemoteAddress Flags Irp
PFN_WSK_CONNECT_EX: Socket RemoteAddress Buffer Flags Irp
PFN_WSK_LISTEN: Socket Irp
PFN_WSK_ACCEPT: ListenSocket Flags AcceptSocketContext AcceptSocketDispatch LocalAddress RemoteAddress Irp
PFN_WSK_INSPECT_COMPLETE: ListenSocket InspectID Action Irp
PFN_WSK_SEND: Socket Buffer Flags Irp
PFN_WSK_RECEIVE: Socket Buffer Flags Irp
PFN_WSK_DISCONNECT: Socket Buffer Flags Irp
PFN_WSK_RELEASE_DATA_INDICATION_LIST: Socket DataIndication
PFN_WSK_RELEASE_DATAGRAM_INDICATION_LIST: Socket DatagramIndication
PFN_WSK_SEND_TO: Socket Buffer Flags RemoteAddress ControlInfoLength ControlInfo Irp
PFN_WSK_SEND_MESSAGES: Socket BufferList Flags RemoteAddress ControlInfoLength ControlInfo Irp
PFN_WSK_RECEIVE_FROM: Socket Buffer Flags RemoteAddress ControlLength ControlInfo ControlFlags Irp
PFN_WSK_GET_LOCAL_ADDRESS: Socket LocalAddress Irp
PFN_WSK_GET_REMOTE_ADDRESS: Socket RemoteAddress Irp
PFN_WSK_CLIENT_EVENT: ClientContext EventType Information InformationLength
PFN_WSK_ACCEPT_EVENT: SocketContext Flags LocalAddress RemoteAddress AcceptSocket AcceptSocketContext AcceptSocketDispatch
PFN_WSK_INSPECT_EVENT: SocketContext LocalAddress RemoteAddress InspectID
PFN_WSK_ABORT_EVENT: SocketContext InspectID
PFN_WSK_RECEIVE_EVENT: SocketContext Flags DataIndication BytesIndicated BytesAccepted
PFN_WSK_DISCONNECT_EVENT: SocketContext Flags
PFN_WSK_SEND_BACKLOG_EVENT: SocketContext IdealBacklogSize
PFN_WSK_RECEIVE_FROM_EVENT: SocketContext Flags DataIndication
NmrRegisterClient: ClientCharacteristics ClientContext NmrClientHandle
NmrClientAttachProvider: NmrBindingHandle ClientBindingContext ClientDispatch ProviderBindingContext ProviderDispatch
NmrDeregisterClient: NmrClientHandle
NmrWaitForClientDeregisterComplete: NmrClientHandle
NmrClientDetachProviderComplete: NmrBindingHandle
IoAllocateIrp: StackSize ChargeQuota
IoSetCompletionRoutine: Irp CompletionRoutine Context InvokeOnSuccess InvokeOnError InvokeOnCancel
IO_COMPLETION_ROUTINE: DeviceObject Irp Context
KeWaitForSingleObject: Object WaitReason WaitMode Alertable Timeout
WdfDriverCreate: DriverObject RegistryPath DriverAttributes DriverConfig Driver
WdfDeviceCreate: DeviceInit DeviceAttributes Device
WdfRequestCreate: RequestAttributes IoTarget Request
WdfRequestCreateFromIrp: RequestAttributes Irp RequestFreesIrp Request
WdfRequestReuse: Request ReuseParams
WdfRequestChangeTarget: Request IoTarget
WdfRequestSend: Request Target Options
WdfRequestSetCompletionRoutine: Request CompletionRoutine CompletionContext
EVT_WDF_REQUEST_COMPLETION_ROUTINE: Request Target Params Context
WdfIoTargetCreate: Device IoTargetAttributes IoTarget
WdfIoTargetOpen: IoTarget OpenParams
WdfIoTargetFormatRequestForRead: IoTarget Request OutputBuffer OutputBufferOffset DeviceOffset
WdfIoTargetFormatRequestForWrite: IoTarget Request InputBuffer InputBufferOffset DeviceOffset
WdfIoTargetFormatRequestForIoctl: IoTarget Request IoctlCode InputBuffer InputBufferOffset OutputBuffer OutputBufferOffset
WdfIoTargetFormatRequestForInternalIoctl: IoTarget Request IoctlCode InputBuffer InputBufferOffset OutputBuffer OutputBufferOffset
WdfIoTargetFormatRequestForInternalIoctlOthers: IoTarget Request IoctlCode OtherArg1 OtherArg1Offset OtherArg2 OtherArg2Offset OtherArg4 OtherArg4Offset
WdfIoTargetSendReadSynchronously: IoTarget Request OutputBuffer DeviceOffset RequestOptions BytesRead
WdfIoTargetSendIoctlSynchronously: IoTarget Request IoctlCode InputBuffer OutputBuffer RequestOptions BytesReturned
WdfMemoryCreate: Attributes PoolType PoolTag BufferSize Memory Buffer
WdfMemoryCreatePreallocated: Attributes Buffer BufferSize Memory
WdfIoQueueCreate: Device Config QueueAttributes Queue
"""  # noqa: E501 - one function a line
"""Names of the parameters in order: the pages nc-wsk-*, nf-wsk-*, nf-netioddk-*, nf-wdm-*, nf-wdf*; WSK-SOCK-01 and its like."""

NAMED_IN_FACTS = """
ExAllocatePool2 ExAllocatePoolUninitialized ExAllocatePoolWithTag ExAllocatePoolZero ExFreePool ExFreePoolWithTag
IoAllocateIrp IoAllocateMdl IoAllocateWorkItem IoBuildPartialMdl IoCallDriver IoCancelIrp IoCompleteRequest
IoCopyCurrentIrpStackLocationToNext IoFreeIrp IoFreeMdl IoInitializeIrp IoMarkIrpPending IoQueueWorkItem IoReuseIrp
IoSetCompletionRoutine IoSetCompletionRoutineEx IoSkipCurrentIrpStackLocation KeClearEvent KeInitializeEvent KeLowerIrql
KeRaiseIrql KeResetEvent KeSetEvent KeWaitForSingleObject MmBuildMdlForNonPagedPool MmGetSystemAddressForMdlSafe
MmPrepareMdlForReuse MmProbeAndLockPages MmUnlockPages NmrClientAttachProvider NmrClientDetachProviderComplete
NmrDeregisterClient NmrRegisterClient NmrWaitForClientDeregisterComplete ObDereferenceObject ObReferenceObjectByHandle
PsCreateSystemThread PsTerminateSystemThread RemoveEntryList RemoveHeadList RtlInitUnicodeString WskCaptureProviderNPI
WskDeregister WskQueryProviderCharacteristics WskRegister WskReleaseProviderNPI ZwClose DbgBreakPoint
WDF_DRIVER_CONFIG_INIT WDF_IO_QUEUE_CONFIG_INIT WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE
WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_DEFAULT_INIT WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_EXAMINE_INIT
WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY_PAGINGIO_INIT WDF_IO_TARGET_OPEN_PARAMS_INIT_CREATE_BY_NAME
WDF_IO_TARGET_OPEN_PARAMS_INIT_EXISTING_DEVICE WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME
WDF_IO_TARGET_OPEN_PARAMS_INIT_REOPEN WDF_MEMORY_DESCRIPTOR_INIT_BUFFER WDF_MEMORY_DESCRIPTOR_INIT_HANDLE
WDF_MEMORY_DESCRIPTOR_INIT_MDL WDF_OBJECT_ATTRIBUTES_INIT WDF_PNPPOWER_EVENT_CALLBACKS_INIT WDF_REQUEST_COMPLETION_PARAMS_INIT
WDF_REQUEST_FORWARD_OPTIONS_INIT WDF_REQUEST_PARAMETERS_INIT WDF_REQUEST_REUSE_PARAMS_INIT WDF_REQUEST_SEND_OPTIONS_INIT
WDF_TIMER_CONFIG_INIT WDF_TIMER_CONFIG_INIT_PERIODIC WdfCollectionAdd WdfCollectionCreate WdfCollectionGetCount
WdfCollectionGetFirstItem WdfCollectionGetItem WdfCollectionGetLastItem WdfCollectionRemove WdfCollectionRemoveItem
WdfControlDeviceInitAllocate WdfControlFinishInitializing WdfDeviceConfigureRequestDispatching WdfDeviceCreate
WdfDeviceEnqueueRequest WdfDeviceGetDefaultQueue WdfDeviceGetIoTarget WdfDeviceInitSetFileObjectConfig WdfDeviceInitSetIoType
WdfDeviceInitSetPnpPowerEventCallbacks WdfDeviceInitSetRequestAttributes WdfDeviceWdmDispatchPreprocessedIrp WdfDriverCreate
WdfIoQueueAssignForwardProgressPolicy WdfIoQueueCreate WdfIoQueueDrain WdfIoQueueDrainSynchronously WdfIoQueueFindRequest
WdfIoQueueGetDevice WdfIoQueueGetState WdfIoQueuePurge WdfIoQueuePurgeSynchronously WdfIoQueueReadyNotify
WdfIoQueueRetrieveFoundRequest WdfIoQueueRetrieveNextRequest WdfIoQueueRetrieveRequestByFileObject WdfIoQueueStart
WdfIoQueueStop WdfIoQueueStopAndPurge WdfIoQueueStopSynchronously WdfIoTargetAllocAndQueryTargetProperty WdfIoTargetClose
WdfIoTargetCloseForQueryRemove WdfIoTargetCreate WdfIoTargetFormatRequestForInternalIoctl
WdfIoTargetFormatRequestForInternalIoctlOthers WdfIoTargetFormatRequestForIoctl WdfIoTargetFormatRequestForRead
WdfIoTargetFormatRequestForWrite WdfIoTargetGetDevice WdfIoTargetGetState WdfIoTargetOpen WdfIoTargetPurge
WdfIoTargetQueryForInterface WdfIoTargetQueryTargetProperty WdfIoTargetSendInternalIoctlOthersSynchronously
WdfIoTargetSendInternalIoctlSynchronously WdfIoTargetSendIoctlSynchronously WdfIoTargetSendReadSynchronously
WdfIoTargetSendWriteSynchronously WdfIoTargetStart WdfIoTargetStop WdfIoTargetWdmGetTargetDeviceObject
WdfIoTargetWdmGetTargetFileHandle WdfIoTargetWdmGetTargetFileObject WdfIoTargetWdmGetTargetPhysicalDevice
WdfLookasideListCreate WdfMemoryAssignBuffer WdfMemoryCopyFromBuffer WdfMemoryCopyToBuffer WdfMemoryCreate
WdfMemoryCreateFromLookaside WdfMemoryCreatePreallocated WdfMemoryGetBuffer WdfObjectAcquireLock WdfObjectAllocateContext
WdfObjectContextGetObject WdfObjectCreate WdfObjectDelete WdfObjectDereferenceActual WdfObjectReferenceActual
WdfObjectReleaseLock WdfRequestAllocateTimer WdfRequestCancelSentRequest WdfRequestChangeTarget WdfRequestComplete
WdfRequestCompleteWithInformation WdfRequestCompleteWithPriorityBoost WdfRequestCreate WdfRequestCreateFromIrp
WdfRequestFormatRequestUsingCurrentType WdfRequestForwardToIoQueue WdfRequestForwardToParentDeviceIoQueue
WdfRequestGetCompletionParams WdfRequestGetFileObject WdfRequestGetInformation WdfRequestGetIoQueue WdfRequestGetParameters
WdfRequestGetRequestorMode WdfRequestGetStatus WdfRequestIsCanceled WdfRequestIsFrom32BitProcess WdfRequestIsReserved
WdfRequestMarkCancelable WdfRequestMarkCancelableEx WdfRequestProbeAndLockUserBufferForRead
WdfRequestProbeAndLockUserBufferForWrite WdfRequestRequeue WdfRequestRetrieveInputBuffer WdfRequestRetrieveInputMemory
WdfRequestRetrieveInputWdmMdl WdfRequestRetrieveOutputBuffer WdfRequestRetrieveOutputMemory WdfRequestRetrieveOutputWdmMdl
WdfRequestRetrieveUnsafeUserInputBuffer WdfRequestRetrieveUnsafeUserOutputBuffer WdfRequestReuse WdfRequestSend
WdfRequestSetCompletionRoutine WdfRequestSetInformation WdfRequestStopAcknowledge WdfRequestUnmarkCancelable
WdfRequestWdmFormatUsingStackLocation WdfRequestWdmGetIrp WdfSpinLockAcquire WdfSpinLockCreate WdfSpinLockRelease
WdfTimerCreate WdfTimerGetParentObject WdfTimerStart WdfTimerStop WdfWaitLockAcquire WdfWaitLockCreate WdfWaitLockRelease
WdfWorkItemFlush
"""
"""Every function that a fact sheet names, without macros and without the USB, PDO and user-mode families."""

SLOTS = {
    "WSK_PROVIDER_BASIC_DISPATCH": "WskControlSocket WskCloseSocket",
    "WSK_PROVIDER_LISTEN_DISPATCH": "WskControlSocket WskCloseSocket WskBind WskAccept WskInspectComplete WskGetLocalAddress",
    "WSK_PROVIDER_DATAGRAM_DISPATCH": "WskControlSocket WskCloseSocket WskBind WskSendTo WskReceiveFrom WskRelease "
    "WskGetLocalAddress WskSendMessages",
    "WSK_PROVIDER_CONNECTION_DISPATCH": "WskControlSocket WskCloseSocket WskBind WskConnect WskGetLocalAddress "
    "WskGetRemoteAddress WskSend WskReceive WskDisconnect WskRelease WskConnectEx WskSendEx WskReceiveEx",
    "WSK_PROVIDER_STREAM_DISPATCH": "WskControlSocket WskCloseSocket WskBind WskAccept WskConnect WskListen WskSend WskReceive "
    "WskDisconnect WskRelease WskGetLocalAddress WskGetRemoteAddress WskConnectEx WskSendEx WskReceiveEx",
}
"""WSK-CAT-01, 02 and WSK-OBJ-22: in C the two slots of ``Basic`` are members like the others."""


@pytest.fixture(scope="module")
def wdk() -> Headers:
    return headers()


def _members(record: Record, prefix: str = "", base: int = 0) -> dict[str, list[int]]:
    """Offset and size of every member, by dotted name; members of unnamed records count as the outer record's."""
    found: dict[str, list[int]] = {}
    for member in record.fields:
        name = prefix + member.name
        if member.name:
            found[name] = [base + member.offset, member.type.size]
        if isinstance(member.type, Record) and member.type.complete:
            found |= _members(member.type, name + "." if member.name else prefix, base + member.offset)
    return found


def _table(text: str) -> dict[str, int]:
    words = text.split()
    return {name: int(value, 0) for name, value in zip(words[::2], words[1::2], strict=True)}


def _function(wdk: Headers, name: str) -> Function:
    inline = wdk.unit.functions.get(name)
    ctype = inline.type if inline else wdk.prototypes.get(name) or wdk.typedefs[name]
    ctype = ctype.to if isinstance(ctype, Pointer) else ctype
    assert isinstance(ctype, Function)
    return ctype


@pytest.mark.parametrize("name", LAYOUTS)
def test_layout(wdk: Headers, name: str) -> None:
    ctype = wdk.type(name)
    expected = {member: place for member, place in LAYOUTS[name]["fields"].items() if member != "Basic"}
    members = _members(ctype) if isinstance(ctype, Record) else {}
    assert ctype.size == LAYOUTS[name]["size"]
    assert {member: members.get(member) for member in expected} == expected


def test_alignments_that_members_alone_would_not_give(wdk: Headers) -> None:
    names = ("SLIST_ENTRY", "SLIST_HEADER", "GENERAL_LOOKASIDE", "NPAGED_LOOKASIDE_LIST", "LIST_ENTRY")
    assert {name: wdk.type(name).align for name in names} == {
        "SLIST_ENTRY": 16, "SLIST_HEADER": 16, "GENERAL_LOOKASIDE": 64, "NPAGED_LOOKASIDE_LIST": 64, "LIST_ENTRY": 8,
    }  # fmt: skip


@pytest.mark.parametrize("name", KMDF_SIZES)
def test_kmdf_sizes(wdk: Headers, name: str) -> None:
    record = wdk.record(name)
    size, offsets = KMDF_SIZES[name]
    assert (record.size, {member: record.members[member].offset for member in offsets}) == (size, offsets)


@pytest.mark.parametrize("table", [WSK_CONSTANTS, KMDF_CONSTANTS], ids=["WSK", "KMDF"])
def test_constants(wdk: Headers, table: str) -> None:
    expected = _table(table)
    # A macro's sign depends on its type in C; the sheets give 32 bits.
    assert {name: wdk.constants.get(name, 0xBAD) & 0xFFFFFFFF for name in expected} == expected


def test_nt_status_values_are_signed_and_distinct(wdk: Headers) -> None:
    values = {name: value for name, value in wdk.constants.items() if name.startswith("STATUS_") and "SEVERITY" not in name}
    assert all(-(1 << 31) <= value < 1 << 31 for value in values.values())
    twins: dict[int, list[str]] = {}
    for name, value in values.items():
        twins.setdefault(value, []).append(name)
    assert sorted(sorted(names) for names in twins.values() if len(names) > 1) == [
        ["STATUS_ABANDONED", "STATUS_ABANDONED_WAIT_0"], ["STATUS_CONTINUE_COMPLETION", "STATUS_SUCCESS", "STATUS_WAIT_0"],
    ]  # fmt: skip


@pytest.mark.parametrize("line", ARGUMENTS.strip().split("\n"), ids=lambda line: str(line).partition(":")[0])
def test_parameters(wdk: Headers, line: str) -> None:
    name, names = line.split(":")
    assert [parameter.name for parameter in _function(wdk, name).parameters] == names.split()


def test_every_function_that_the_facts_name_is_declared(wdk: Headers) -> None:
    declared = {*wdk.prototypes, *wdk.unit.functions}
    assert [name for name in NAMED_IN_FACTS.split() if name not in declared] == []


@pytest.mark.parametrize("table", SLOTS)
def test_dispatch_tables_hold_pointers_to_the_named_functions(wdk: Headers, table: str) -> None:
    slots = {name: member.offset for name, member in wdk.record(table).members.items() if member.name}
    basic = {} if table.endswith("BASIC_DISPATCH") else {"Basic": 0}  # the C++ spelling, in which pages write it too
    assert slots == {name: 8 * index for index, name in enumerate(SLOTS[table].split())} | basic


def test_handles_are_types_of_their_own_and_all_convert_to_wdfobject(wdk: Headers) -> None:
    assert str(wdk.type("WDFOBJECT").spelled()) == "void *"
    assert wdk.type("WDFREQUEST") != wdk.type("WDFIOTARGET")
    compile_unit("VOID f(WDFREQUEST Request) { WdfObjectDelete(Request); }")


def test_a_context_type_has_a_record_and_an_accessor(wdk: Headers) -> None:
    text = """
        typedef struct _C { ULONG a; } C;
        WDF_DECLARE_CONTEXT_TYPE_WITH_NAME(C, GetC)
        ULONG f(WDFDEVICE d) { WDF_OBJECT_ATTRIBUTES a; WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&a, C); return GetC(d)->a; }
    """
    unit = compile_unit(text)
    assert (sorted(unit.functions), sorted(unit.variables)) == (["GetC", "f"], ["_WDF_C_TYPE_INFO"])


def test_library_defines_every_variable_that_the_headers_declare() -> None:
    texts = "".join(path.read_text("utf-8") for path in INCLUDE.glob("*.h"))
    declared = set(re.findall(r"^extern [\w ]+?\*?(\w+)(?:\[\d+\])?;", texts, re.MULTILINE))
    library = compile_unit((INCLUDE / "library.c").read_text("utf-8"), "library.c")
    assert {name for name, variable in library.variables.items() if variable.storage != "static"} == declared


@pytest.mark.parametrize("name", sorted(path.name for path in INCLUDE.glob("*.h")))
def test_every_header_says_what_it_is_and_belongs_to_the_prelude(wdk: Headers, name: str) -> None:
    text = (INCLUDE / name).read_text("utf-8")
    assert text.startswith(("/*\n * " + name + ": ", "/* " + name + ": "))
    assert name.lower() in wdk.files
    assert max(map(len, text.split("\n"))) <= 140


def test_the_tokens_of_a_function_are_kept_whole() -> None:
    text = "int f(int a)\n{\n    if (a)\n\n        return  'x' + L'é' +\t0x1FULL;\n    return f(\n-1);\n}\n"
    read = Reader([token for token in tokenize(text, "x.h") if token.type not in (BLANK, NEWLINE)], Problems()).read()
    words: dict[tuple[str, str], int] = {}
    again = _unpack(_pack(read, words), list(words))
    kept = [[(t.type, t.value, t.lineno, t.column, t.filename) for t in tokens] for tokens in (read, again)]
    assert kept[0] == kept[1] and kept[0][-1] == ("RBRACE", "}", 8, 1, "x.h")
