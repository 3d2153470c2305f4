/*
 * scene.c: the driver around a listing of a page, and the objects that the listing leaves to its reader.
 * It is included behind the listing. Before it stand SceneSupply, which gives the listing's free names their values,
 * SceneContexts, which gives an object the contexts that the listing asks for, and SCENE_<role> for each function of the
 * listing that the framework is to call. An application keeps the requests coming: those that arrive before `Serving` are
 * set aside, the others go to the queue of the listing's own functions.
 * Facts: KMDF-QUE, KMDF-RTG, KMDF-MEM, KMDF-COL.
 */
PVOID SceneAllocate(SIZE_T Size)
{
    return ExAllocatePool2(POOL_FLAG_NON_PAGED, Size, SceneTag);
}

/* What is not made in time is missing for good: the listing would be blamed for it. */
static VOID SceneRequire(NTSTATUS Status, PCSTR What)
{
    if (!NT_SUCCESS(Status)) {
        DbgPrint("scene: %s fails with 0x%08X\n", What, Status);
    }
}

#define SCENE_REQUIRE(call) SceneRequire(call, #call)

static PUNICODE_STRING SceneString16(PCWSTR Text)
{
    PUNICODE_STRING name = (PUNICODE_STRING)SceneAllocate(sizeof(UNICODE_STRING));
    PWSTR copy = (PWSTR)SceneAllocate(128);
    RtlStringCbCopyW(copy, 128, Text);
    RtlInitUnicodeString(name, copy);
    return name;
}

/* The name of a device that can be opened. */
PUNICODE_STRING SceneName(VOID)
{
    return SceneString16(L"\\Device\\remote");
}

static WDFOBJECT SceneKnown(WDFOBJECT Handle)
{
    SceneContexts(Handle);
    return Handle;
}

typedef struct _SCENE_CONTEXT {
    UCHAR Unknown;
} SCENE_CONTEXT;
WDF_DECLARE_CONTEXT_TYPE(SCENE_CONTEXT)

/* So many bytes that are a context of the device. */
PVOID SceneContextOf(SIZE_T Size)
{
    PVOID context = NULL;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT_CONTEXT_TYPE(&attributes, SCENE_CONTEXT);
    attributes.ContextSizeOverride = Size;
    SCENE_REQUIRE(WdfObjectAllocateContext(scene.Device, &attributes, &context));
    return context;
}

/* Requests */

WDFREQUEST SceneReceived(ULONG Kind)
{
    WDFREQUEST request = scene.Count[Kind] ? scene.Received[Kind][--scene.Count[Kind]] : NULL;
    return request;
}

static VOID SceneEvtRequestCancel(WDFREQUEST Request)
{
    WdfRequestComplete(Request, STATUS_CANCELLED);
}

WDFREQUEST SceneMarked(VOID)
{
    WDFREQUEST request = SceneReceived(SceneRead);
    if (request != NULL) {
        WdfRequestMarkCancelable(request, SceneEvtRequestCancel);
    }
    return request;
}

WDFMEMORY SceneMemory(VOID)
{
    WDFMEMORY memory = NULL;
    PVOID buffer;
    SCENE_REQUIRE(WdfMemoryCreate(WDF_NO_OBJECT_ATTRIBUTES, NonPagedPoolNx, SceneTag, SceneBytes, &memory, &buffer));
    RtlZeroMemory(buffer, SceneBytes);
    return (WDFMEMORY)SceneKnown(memory);
}

WDFMEMORY ScenePreallocated(VOID)
{
    WDFMEMORY memory = NULL;
    SCENE_REQUIRE(WdfMemoryCreatePreallocated(WDF_NO_OBJECT_ATTRIBUTES, SceneAllocate(SceneBytes), SceneBytes, &memory));
    return (WDFMEMORY)SceneKnown(memory);
}

static WDFIOTARGET SceneOpen(PCWSTR Name)
{
    WDFIOTARGET target = NULL;
    WDF_IO_TARGET_OPEN_PARAMS parameters;
    SCENE_REQUIRE(WdfIoTargetCreate(scene.Device, WDF_NO_OBJECT_ATTRIBUTES, &target));
    WDF_IO_TARGET_OPEN_PARAMS_INIT_OPEN_BY_NAME(&parameters, SceneString16(Name), GENERIC_READ | GENERIC_WRITE);
#ifdef SCENE_EVT_WDF_IO_TARGET_QUERY_REMOVE
    parameters.EvtIoTargetQueryRemove = SCENE_EVT_WDF_IO_TARGET_QUERY_REMOVE;
#endif
#ifdef SCENE_EVT_WDF_IO_TARGET_REMOVE_CANCELED
    parameters.EvtIoTargetRemoveCanceled = SCENE_EVT_WDF_IO_TARGET_REMOVE_CANCELED;
#endif
#ifdef SCENE_EVT_WDF_IO_TARGET_REMOVE_COMPLETE
    parameters.EvtIoTargetRemoveComplete = SCENE_EVT_WDF_IO_TARGET_REMOVE_COMPLETE;
#endif
    SCENE_REQUIRE(WdfIoTargetOpen(target, &parameters));
    return (WDFIOTARGET)SceneKnown(target);
}

WDFIOTARGET SceneClosedTarget(VOID)
{
    WDFIOTARGET target = NULL;
    SCENE_REQUIRE(WdfIoTargetCreate(scene.Device, WDF_NO_OBJECT_ATTRIBUTES, &target));
    return (WDFIOTARGET)SceneKnown(target);
}

/* A request of the driver's own, formatted for a read. */
static WDFREQUEST SceneMadeFor(WDFIOTARGET Target)
{
    WDFREQUEST request = NULL;
    SCENE_REQUIRE(WdfRequestCreate(WDF_NO_OBJECT_ATTRIBUTES, Target, &request));
    SCENE_REQUIRE(WdfIoTargetFormatRequestForRead(Target, request, SceneMemory(), NULL, NULL));
    return (WDFREQUEST)SceneKnown(request);
}

WDFREQUEST SceneMade(VOID)
{
    return SceneMadeFor(scene.Target);
}

/* One that has been sent and is back. */
WDFREQUEST SceneSent(VOID)
{
    WDF_REQUEST_SEND_OPTIONS options;
    WDFREQUEST request = SceneMade();
    WDF_REQUEST_SEND_OPTIONS_INIT(&options, WDF_REQUEST_SEND_OPTION_SYNCHRONOUS);
    WdfRequestSend(request, scene.Target, &options);
    return request;
}

/* One that has been taken out of a queue. */
WDFREQUEST SceneQueued(VOID)
{
    WDFREQUEST request = NULL;
    SCENE_REQUIRE(WdfIoQueueRetrieveNextRequest(scene.Queue, &request));
    return request;
}

WDFQUEUE SceneEmptyQueue(VOID)
{
    WDFQUEUE queue = NULL;
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    SCENE_REQUIRE(WdfIoQueueCreate(scene.Device, &config, WDF_NO_OBJECT_ATTRIBUTES, &queue));
    return (WDFQUEUE)SceneKnown(queue);
}

static VOID SceneEvtCompletion(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
}

/* One that has been sent and does not come back. */
WDFREQUEST ScenePending(VOID)
{
    WDFIOTARGET silent = SceneOpen(L"\\Device\\silent");
    WDFREQUEST request = SceneMadeFor(silent);
    WdfRequestSetCompletionRoutine(request, SceneEvtCompletion, NULL);
    WdfRequestSend(request, silent, WDF_NO_SEND_OPTIONS);
    return request;
}

/* Other objects */

static VOID SceneEvtTimer(WDFTIMER Timer)
{
}

WDFTIMER SceneTimer(VOID)
{
    WDFTIMER timer = NULL;
    WDF_TIMER_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = scene.Device;
#ifdef SCENE_EVT_WDF_TIMER
    WDF_TIMER_CONFIG_INIT(&config, SCENE_EVT_WDF_TIMER);
    attributes.ParentObject = scene.Page;
#else
    WDF_TIMER_CONFIG_INIT(&config, SceneEvtTimer);
#endif
    SCENE_REQUIRE(WdfTimerCreate(&config, &attributes, &timer));
    return (WDFTIMER)SceneKnown(timer);
}

static VOID SceneEvtWorkItem(WDFWORKITEM WorkItem)
{
}

WDFWORKITEM SceneWorkItem(VOID)
{
    WDFWORKITEM item = NULL;
    WDF_WORKITEM_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = scene.Device;
#ifdef SCENE_EVT_WDF_WORKITEM
    WDF_WORKITEM_CONFIG_INIT(&config, SCENE_EVT_WDF_WORKITEM);
#else
    WDF_WORKITEM_CONFIG_INIT(&config, SceneEvtWorkItem);
#endif
    SCENE_REQUIRE(WdfWorkItemCreate(&config, &attributes, &item));
    return (WDFWORKITEM)SceneKnown(item);
}

static VOID SceneEvtDpc(WDFDPC Dpc)
{
}

WDFDPC SceneDpc(VOID)
{
    WDFDPC dpc = NULL;
    WDF_DPC_CONFIG config;
    WDF_OBJECT_ATTRIBUTES attributes;
    WDF_OBJECT_ATTRIBUTES_INIT(&attributes);
    attributes.ParentObject = scene.Device;
#ifdef SCENE_EVT_WDF_DPC
    WDF_DPC_CONFIG_INIT(&config, SCENE_EVT_WDF_DPC);
#else
    WDF_DPC_CONFIG_INIT(&config, SceneEvtDpc);
#endif
    SCENE_REQUIRE(WdfDpcCreate(&config, &attributes, &dpc));
    return (WDFDPC)SceneKnown(dpc);
}

WDFSPINLOCK SceneSpinLock(VOID)
{
    WDFSPINLOCK lock = NULL;
    SCENE_REQUIRE(WdfSpinLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &lock));
    return (WDFSPINLOCK)SceneKnown(lock);
}

WDFWAITLOCK SceneWaitLock(VOID)
{
    WDFWAITLOCK lock = NULL;
    SCENE_REQUIRE(WdfWaitLockCreate(WDF_NO_OBJECT_ATTRIBUTES, &lock));
    return (WDFWAITLOCK)SceneKnown(lock);
}

WDFSTRING SceneString(VOID)
{
    WDFSTRING string = NULL;
    SCENE_REQUIRE(WdfStringCreate(SceneName(), WDF_NO_OBJECT_ATTRIBUTES, &string));
    return (WDFSTRING)SceneKnown(string);
}

WDFLOOKASIDE SceneLookaside(VOID)
{
    WDFLOOKASIDE list = NULL;
    SCENE_REQUIRE(WdfLookasideListCreate(WDF_NO_OBJECT_ATTRIBUTES, SceneBytes, NonPagedPoolNx, WDF_NO_OBJECT_ATTRIBUTES, SceneTag, &list));
    return (WDFLOOKASIDE)SceneKnown(list);
}

WDFOBJECT SceneReferenced(VOID)
{
    WDFOBJECT object = SceneString();
    WdfObjectReference(object);
    return object;
}

/* One for all, with something in it: the target, which a driver keeps in one, and another object. */
WDFCOLLECTION SceneCollection(VOID)
{
    if (scene.Collection == NULL) {
        SCENE_REQUIRE(WdfCollectionCreate(WDF_NO_OBJECT_ATTRIBUTES, &scene.Collection));
        SCENE_REQUIRE(WdfCollectionAdd(scene.Collection, SceneString()));
        if (scene.Target != NULL) {
            SCENE_REQUIRE(WdfCollectionAdd(scene.Collection, scene.Target));
        }
    }
    return scene.Collection;
}

PMDL SceneMdl(VOID)
{
    PMDL list = IoAllocateMdl(SceneAllocate(SceneBytes), SceneBytes, FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(list);
    return list;
}

PIRP SceneIrp(VOID)
{
    PIRP irp = IoAllocateIrp(4, FALSE);
    irp->IoStatus.Status = STATUS_SUCCESS;
    irp->IoStatus.Information = 0;
    return irp;
}

static NTSTATUS SceneIrpBack(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    return STATUS_MORE_PROCESSING_REQUIRED;
}

/* One as it arrives at a dispatch routine of the device: a read with all kinds of buffers. */
PIRP SceneArrivedIrp(VOID)
{
    PIRP irp = SceneIrp();
    PIO_STACK_LOCATION here;
    IoSetNextIrpStackLocation(irp);
    IoSetCompletionRoutine(irp, SceneIrpBack, NULL, TRUE, TRUE, TRUE);
    IoSetNextIrpStackLocation(irp);
    irp->AssociatedIrp.SystemBuffer = SceneAllocate(SceneBytes);
    irp->UserBuffer = SceneAllocate(SceneBytes);
    irp->MdlAddress = SceneMdl();
    here = IoGetCurrentIrpStackLocation(irp);
    here->MajorFunction = IRP_MJ_READ;
    here->DeviceObject = WdfDeviceWdmGetDeviceObject(scene.Device);
    here->FileObject = WdfFileObjectWdmGetFileObject(scene.File);
    here->Parameters.Read.Length = SceneBytes;
    return irp;
}

/* A function of which nothing is known but that it is called. */
ULONG_PTR SceneNothing(...)
{
    return 0;
}

/* What a completion routine of the reader's does: nothing. Who made the IRP keeps it, a lower driver's goes on its way. */
NTSTATUS SceneIrpCompleted(PIRP Irp)
{
    if (Irp->CurrentLocation > Irp->StackCount) {
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    if (Irp->PendingReturned) {
        IoMarkIrpPending(Irp);
    }
    return STATUS_SUCCESS;
}

#ifdef SCENE_USB
/* The device below is a USB device with one interface, and a pipe of each kind that transfers. */
WDFUSBDEVICE SceneUsbDevice(VOID)
{
    WDF_USB_DEVICE_CREATE_CONFIG config;
    WDF_USB_DEVICE_SELECT_CONFIG_PARAMS select;
    if (scene.Usb == NULL) {
        WDF_USB_DEVICE_CREATE_CONFIG_INIT(&config, USBD_CLIENT_CONTRACT_VERSION_602);
        SCENE_REQUIRE(WdfUsbTargetDeviceCreateWithParameters(scene.Device, &config, WDF_NO_OBJECT_ATTRIBUTES, &scene.Usb));
        WDF_USB_DEVICE_SELECT_CONFIG_PARAMS_INIT_SINGLE_INTERFACE(&select);
        SCENE_REQUIRE(WdfUsbTargetDeviceSelectConfig(scene.Usb, WDF_NO_OBJECT_ATTRIBUTES, &select));
    }
    return scene.Usb;
}

WDFUSBINTERFACE SceneUsbInterface(VOID)
{
    return WdfUsbTargetDeviceGetInterface(SceneUsbDevice(), 0);
}

WDFUSBPIPE SceneUsbPipe(UCHAR Index)
{
    return WdfUsbInterfaceGetConfiguredPipe(SceneUsbInterface(), Index, NULL);
}

#ifdef SCENE_EVT_WDF_USB_READER_COMPLETION_ROUTINE
/* What the interrupt pipe sends goes to the listing. */
static VOID SceneReads(VOID)
{
    WDFUSBPIPE pipe = SceneUsbPipe(SceneUsbInterrupt);
    WDF_USB_CONTINUOUS_READER_CONFIG config;
    WDF_USB_CONTINUOUS_READER_CONFIG_INIT(&config, SCENE_EVT_WDF_USB_READER_COMPLETION_ROUTINE, SceneContextOf(4096), 8);
#ifdef SCENE_EVT_WDF_USB_READERS_FAILED
    config.EvtUsbTargetPipeReadersFailed = SCENE_EVT_WDF_USB_READERS_FAILED;
#endif
    SCENE_REQUIRE(WdfUsbTargetPipeConfigContinuousReader(pipe, &config));
    SCENE_REQUIRE(WdfIoTargetStart(WdfUsbTargetPipeGetIoTarget(pipe)));
}
#endif

#ifdef SCENE_EVT_WDF_REQUEST_COMPLETION_ROUTINE
/* A received read goes on to a pipe, and comes back to the listing. */
static VOID SceneEvtIoPass(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    WDFUSBPIPE pipe = SceneUsbPipe(SceneUsbIn);
    WDFMEMORY memory = NULL;
    SCENE_REQUIRE(WdfRequestRetrieveOutputMemory(Request, &memory));
    SCENE_REQUIRE(WdfUsbTargetPipeFormatRequestForRead(pipe, Request, memory, NULL));
    WdfRequestSetCompletionRoutine(Request, SCENE_EVT_WDF_REQUEST_COMPLETION_ROUTINE, pipe);
    WdfRequestSend(Request, WdfUsbTargetPipeGetIoTarget(pipe), WDF_NO_SEND_OPTIONS);
}
#endif
#endif

#ifdef SCENE_CHILD
/* A child of the device, as a bus driver makes one, and a request that came for it. */
static const GUID SceneClass;

static VOID SceneEvtChildRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    scene.ChildRequest = Request;
}

WDFDEVICE SceneChild(VOID)
{
    DECLARE_CONST_UNICODE_STRING(name, L"SCENE\\Child");
    WDF_IO_QUEUE_CONFIG config;
    PWDFDEVICE_INIT init;
    if (scene.Child == NULL) {
        init = WdfPdoInitAllocate(scene.Device);
        SCENE_REQUIRE(WdfPdoInitAssignDeviceID(init, &name));
        SCENE_REQUIRE(WdfPdoInitAssignInstanceID(init, &name));
        SCENE_REQUIRE(WdfPdoInitAssignRawDevice(init, &SceneClass));
        WdfPdoInitAllowForwardingRequestToParent(init);
        SCENE_REQUIRE(WdfDeviceCreate(&init, WDF_NO_OBJECT_ATTRIBUTES, &scene.Child));
        WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
        config.PowerManaged = WdfFalse;
        config.EvtIoRead = SceneEvtChildRead;
        SCENE_REQUIRE(WdfIoQueueCreate(scene.Child, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE));
        SCENE_REQUIRE(WdfFdoAddStaticChild(scene.Device, scene.Child));
    }
    return scene.Child;
}

WDFREQUEST SceneChildRequest(VOID)
{
    PDEVICE_OBJECT device = WdfDeviceWdmGetDeviceObject(SceneChild());
    LARGE_INTEGER soon;
    PIRP irp;
    soon.QuadPart = WDF_REL_TIMEOUT_IN_MS(1);
    KeDelayExecutionThread(KernelMode, FALSE, &soon); /* the child starts */
    irp = IoBuildAsynchronousFsdRequest(IRP_MJ_READ, device, SceneAllocate(SceneBytes), SceneBytes, NULL, NULL);
    IoSetCompletionRoutine(irp, SceneIrpBack, NULL, TRUE, TRUE, TRUE);
    IoCallDriver(device, irp);
    return scene.ChildRequest;
}
#endif

#ifdef SCENE_WSK
/* Winsock Kernel: a client, and sockets of it whose event callbacks are the listing's or do nothing. */
static NTSTATUS SceneEvtReceive(PVOID Context, ULONG Flags, PWSK_DATA_INDICATION Data, SIZE_T Bytes, SIZE_T *Accepted)
{
    return STATUS_SUCCESS;
}

static NTSTATUS SceneEvtDisconnect(PVOID Context, ULONG Flags)
{
    return STATUS_SUCCESS;
}

static NTSTATUS SceneEvtBacklog(PVOID Context, SIZE_T Size)
{
    return STATUS_SUCCESS;
}

static NTSTATUS SceneEvtReceiveFrom(PVOID Context, ULONG Flags, PWSK_DATAGRAM_INDICATION Data)
{
    return STATUS_SUCCESS;
}

static NTSTATUS SceneEvtAccept(PVOID Context, ULONG Flags, PSOCKADDR Local, PSOCKADDR Remote, PWSK_SOCKET Socket, PVOID *SocketContext,
                               const WSK_CLIENT_CONNECTION_DISPATCH **Dispatch)
{
    return STATUS_REQUEST_NOT_ACCEPTED;
}

enum { SceneConnectionEvents = 0
#ifdef SCENE_PFN_WSK_RECEIVE_EVENT
    | WSK_EVENT_RECEIVE
#else
#define SCENE_PFN_WSK_RECEIVE_EVENT SceneEvtReceive
#endif
#ifdef SCENE_PFN_WSK_DISCONNECT_EVENT
    | WSK_EVENT_DISCONNECT
#else
#define SCENE_PFN_WSK_DISCONNECT_EVENT SceneEvtDisconnect
#endif
#ifdef SCENE_PFN_WSK_SEND_BACKLOG_EVENT
    | WSK_EVENT_SEND_BACKLOG
#else
#define SCENE_PFN_WSK_SEND_BACKLOG_EVENT SceneEvtBacklog
#endif
    , SceneDatagramEvents = 0
#ifdef SCENE_PFN_WSK_RECEIVE_FROM_EVENT
    | WSK_EVENT_RECEIVE_FROM
#else
#define SCENE_PFN_WSK_RECEIVE_FROM_EVENT SceneEvtReceiveFrom
#endif
    , SceneListenEvents = 0
#ifdef SCENE_PFN_WSK_ACCEPT_EVENT
    | WSK_EVENT_ACCEPT
#else
#define SCENE_PFN_WSK_ACCEPT_EVENT SceneEvtAccept
#endif
};

static const WSK_CLIENT_DISPATCH SceneClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
static const WSK_CLIENT_CONNECTION_DISPATCH SceneConnectionDispatch = {
    SCENE_PFN_WSK_RECEIVE_EVENT, SCENE_PFN_WSK_DISCONNECT_EVENT, SCENE_PFN_WSK_SEND_BACKLOG_EVENT,
};
static const WSK_CLIENT_LISTEN_DISPATCH SceneListenDispatch = { SCENE_PFN_WSK_ACCEPT_EVENT, NULL, NULL };
static const WSK_CLIENT_DATAGRAM_DISPATCH SceneDatagramDispatch = { SCENE_PFN_WSK_RECEIVE_FROM_EVENT };
static WSK_REGISTRATION SceneClient;

VOID SceneRegister(PWSK_REGISTRATION Registration)
{
    static WSK_CLIENT_NPI client;
    client.Dispatch = &SceneClientDispatch;
    SCENE_REQUIRE(WskRegister(&client, Registration));
}

PWSK_REGISTRATION SceneRegistration(VOID)
{
    static BOOLEAN registered;
    if (!registered) {
        registered = TRUE;
        SceneRegister(&SceneClient);
    }
    return &SceneClient;
}

PWSK_PROVIDER_NPI SceneNpi(VOID)
{
    static WSK_PROVIDER_NPI npi;
    if (npi.Client == NULL) {
        SCENE_REQUIRE(WskCaptureProviderNPI(SceneRegistration(), WSK_INFINITE_WAIT, &npi));
    }
    return &npi;
}

static NTSTATUS SceneEvtSignal(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    KeSetEvent((PKEVENT)Context, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP SceneAsk(PKEVENT Done)
{
    PIRP irp = IoAllocateIrp(1, FALSE);
    KeInitializeEvent(Done, NotificationEvent, FALSE);
    IoSetCompletionRoutine(irp, SceneEvtSignal, Done, TRUE, TRUE, TRUE);
    return irp;
}

static PVOID SceneAnswer(PIRP Irp, PKEVENT Done)
{
    PVOID answer;
    KeWaitForSingleObject(Done, Executive, KernelMode, FALSE, NULL);
    SceneRequire(Irp->IoStatus.Status, "a socket of the scene");
    answer = (PVOID)Irp->IoStatus.Information;
    IoFreeIrp(Irp);
    return answer;
}

static PWSK_SOCKET SceneSocket(USHORT Type, ULONG Protocol, ULONG Flags, const VOID *Dispatch, USHORT Port)
{
    KEVENT done;
    SOCKADDR_IN local = { AF_INET };
    PIRP irp = SceneAsk(&done);
    PWSK_SOCKET socket;
    SceneNpi()->Dispatch->WskSocket(SceneNpi()->Client, AF_INET, Type, Protocol, Flags, NULL, Dispatch, NULL, NULL, NULL, irp);
    socket = (PWSK_SOCKET)SceneAnswer(irp, &done);
    local.sin_port = RtlUshortByteSwap(Port);
    irp = SceneAsk(&done);
    if (Flags == WSK_FLAG_CONNECTION_SOCKET) {
        ((PWSK_PROVIDER_CONNECTION_DISPATCH)socket->Dispatch)->WskBind(socket, (PSOCKADDR)&local, 0, irp);
    } else if (Flags == WSK_FLAG_LISTEN_SOCKET) {
        ((PWSK_PROVIDER_LISTEN_DISPATCH)socket->Dispatch)->WskBind(socket, (PSOCKADDR)&local, 0, irp);
    } else {
        ((PWSK_PROVIDER_DATAGRAM_DISPATCH)socket->Dispatch)->WskBind(socket, (PSOCKADDR)&local, 0, irp);
    }
    SceneAnswer(irp, &done);
    return socket;
}

/* Bound, not connected yet. */
PWSK_SOCKET SceneBound(VOID)
{
    return SceneSocket(SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_CONNECTION_SOCKET, &SceneConnectionDispatch, 0);
}

PWSK_SOCKET SceneConnection(VOID)
{
    KEVENT done;
    PWSK_SOCKET socket = SceneBound();
    PIRP irp = SceneAsk(&done);
    ((PWSK_PROVIDER_CONNECTION_DISPATCH)socket->Dispatch)->WskConnect(socket, SceneAddress(), 0, irp);
    SceneAnswer(irp, &done);
    return socket;
}

PWSK_SOCKET SceneListener(VOID)
{
    return SceneSocket(SOCK_STREAM, IPPROTO_TCP, WSK_FLAG_LISTEN_SOCKET, &SceneListenDispatch, 80);
}

PWSK_SOCKET SceneDatagram(VOID)
{
    return SceneSocket(SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_DATAGRAM_SOCKET, &SceneDatagramDispatch, 5000);
}

static VOID SceneEnable(PWSK_SOCKET Socket, const NPIID *Interface, ULONG Events)
{
    WSK_EVENT_CALLBACK_CONTROL control = { (PNPIID)Interface, Events };
    SCENE_REQUIRE(((PWSK_PROVIDER_BASIC_DISPATCH)Socket->Dispatch)->WskControlSocket(
        Socket, WskSetOption, SO_WSK_EVENT_CALLBACK, SOL_SOCKET, sizeof(control), &control, 0, NULL, NULL, NULL));
}

/* The sockets whose events the listing handles. */
static VOID SceneEvents(VOID)
{
    if (SceneConnectionEvents) {
        SceneEnable(SceneConnection(), &NPI_WSK_INTERFACE_ID, SceneConnectionEvents);
    }
    if (SceneDatagramEvents) {
        SceneEnable(SceneDatagram(), &NPI_WSK_INTERFACE_ID, SceneDatagramEvents);
    }
    if (SceneListenEvents) {
        SceneEnable(SceneListener(), &NPI_WSK_INTERFACE_ID, SceneListenEvents);
    }
}
#endif

PWSK_BUF SceneWskBuf(VOID)
{
    PWSK_BUF buffer = (PWSK_BUF)SceneAllocate(sizeof(WSK_BUF));
    buffer->Mdl = SceneMdl();
    buffer->Offset = 0;
    buffer->Length = SceneBytes;
    return buffer;
}

/* The address of a program on another machine that takes connections and datagrams. */
PSOCKADDR SceneAddress(VOID)
{
    PSOCKADDR_IN address = (PSOCKADDR_IN)SceneAllocate(sizeof(SOCKADDR_STORAGE));
    address->sin_family = AF_INET;
    address->sin_port = RtlUshortByteSwap(7);
    address->sin_addr.s_addr = 0x0200000A; /* 10.0.0.2 */
    return (PSOCKADDR)address;
}

/* The driver */

static VOID SceneTake(WDFREQUEST Request, ULONG Kind)
{
    SceneContexts(Request);
    if (scene.Serving) {
        SCENE_REQUIRE(WdfRequestForwardToIoQueue(Request, scene.Page));
    } else if (scene.Count[Kind] == SceneRoom / 2) {
        SCENE_REQUIRE(WdfRequestForwardToIoQueue(Request, scene.Queue));
    } else {
        scene.Received[Kind][scene.Count[Kind]++] = Request;
    }
}

static VOID SceneEvtIoRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    scene.File = WdfRequestGetFileObject(Request);
    SceneTake(Request, SceneRead);
}

static VOID SceneEvtIoWrite(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    SceneTake(Request, SceneWrite);
}

static VOID SceneEvtIoControl(WDFQUEUE Queue, WDFREQUEST Request, size_t Output, size_t Input, ULONG Code)
{
    SceneTake(Request, SceneControl);
}

static VOID SceneEvtIoInternal(WDFQUEUE Queue, WDFREQUEST Request, size_t Output, size_t Input, ULONG Code)
{
    SceneTake(Request, SceneInternal);
}

static VOID SceneEvtIoPend(WDFQUEUE Queue, WDFREQUEST Request)
{
#ifdef SCENE_EVT_WDF_REQUEST_CANCEL
    WdfRequestMarkCancelable(Request, SCENE_EVT_WDF_REQUEST_CANCEL);
#elif defined(SCENE_UNMARKS)
    WdfRequestMarkCancelable(Request, SceneEvtRequestCancel);
#endif
}

static NTSTATUS SceneQueues(VOID)
{
    WDF_IO_QUEUE_CONFIG config;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.PowerManaged = WdfFalse;
    config.EvtIoRead = SceneEvtIoRead;
    config.EvtIoWrite = SceneEvtIoWrite;
    config.EvtIoDeviceControl = SceneEvtIoControl;
    config.EvtIoInternalDeviceControl = SceneEvtIoInternal;
    SCENE_REQUIRE(WdfIoQueueCreate(scene.Device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE));
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    SCENE_REQUIRE(WdfIoQueueCreate(scene.Device, &config, WDF_NO_OBJECT_ATTRIBUTES, &scene.Queue));
#ifdef SCENE_EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchManual);
    config.EvtIoCanceledOnQueue = SCENE_EVT_WDF_IO_QUEUE_IO_CANCELED_ON_QUEUE;
#else
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDefault = SceneEvtIoPend;
#endif
#ifdef SCENE_EVT_WDF_IO_QUEUE_IO_DEFAULT
    config.EvtIoDefault = SCENE_EVT_WDF_IO_QUEUE_IO_DEFAULT;
#endif
#ifdef SCENE_EVT_WDF_REQUEST_COMPLETION_ROUTINE
    config.EvtIoRead = SceneEvtIoPass;
#endif
#ifdef SCENE_EVT_WDF_IO_QUEUE_IO_READ
    config.EvtIoRead = SCENE_EVT_WDF_IO_QUEUE_IO_READ;
#endif
#ifdef SCENE_EVT_WDF_IO_QUEUE_IO_WRITE
    config.EvtIoWrite = SCENE_EVT_WDF_IO_QUEUE_IO_WRITE;
#endif
#ifdef SCENE_EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL
    config.EvtIoDeviceControl = SCENE_EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL;
#endif
#ifdef SCENE_EVT_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL
    config.EvtIoInternalDeviceControl = SCENE_EVT_WDF_IO_QUEUE_IO_INTERNAL_DEVICE_CONTROL;
#endif
#ifdef SCENE_EVT_WDF_IO_QUEUE_IO_STOP
    config.EvtIoStop = SCENE_EVT_WDF_IO_QUEUE_IO_STOP;
#endif
#ifdef SCENE_EVT_WDF_IO_QUEUE_IO_RESUME
    config.EvtIoResume = SCENE_EVT_WDF_IO_QUEUE_IO_RESUME;
#endif
    SCENE_REQUIRE(WdfIoQueueCreate(scene.Device, &config, WDF_NO_OBJECT_ATTRIBUTES, &scene.Page));
    return STATUS_SUCCESS;
}

/* What the contexts lead to, and then the contexts. */
static VOID SceneOwn(VOID)
{
    scene.Target = SceneOpen(L"\\Device\\remote");
    if (scene.Collection != NULL) { /* a context of the target has it */
        SCENE_REQUIRE(WdfCollectionAdd(scene.Collection, scene.Target));
    }
    SceneContexts(scene.Device);
    if (scene.Queue != NULL) {
        SceneContexts(scene.Queue);
    }
    if (scene.Page != NULL) {
        SceneContexts(scene.Page);
    }
}

#ifdef SCENE_USB
/* The bus has started the device below: now it can be asked. */
static NTSTATUS SceneEvtPrepareHardware(WDFDEVICE Device, WDFCMRESLIST ResourcesRaw, WDFCMRESLIST ResourcesTranslated)
{
    SceneOwn();
#ifdef SCENE_EVT_WDF_DEVICE_PREPARE_HARDWARE
    return SCENE_EVT_WDF_DEVICE_PREPARE_HARDWARE(Device, ResourcesRaw, ResourcesTranslated);
#else
    return STATUS_SUCCESS;
#endif
}
#endif

static VOID SceneEvtDeviceFileCreate(WDFDEVICE Device, WDFREQUEST Request, WDFFILEOBJECT FileObject)
{
    SceneContexts(FileObject);
#ifdef SCENE_EVT_WDF_DEVICE_FILE_CREATE
    SCENE_EVT_WDF_DEVICE_FILE_CREATE(Device, Request, FileObject);
#else
    WdfRequestComplete(Request, STATUS_SUCCESS);
#endif
}

#ifndef SCENE_EVT_WDF_DRIVER_DEVICE_ADD
static NTSTATUS SceneEvtDeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_PNPPOWER_EVENT_CALLBACKS power;
    WDF_FILEOBJECT_CONFIG file;
    NTSTATUS status;
    WDF_PNPPOWER_EVENT_CALLBACKS_INIT(&power);
#ifdef SCENE_USB
    power.EvtDevicePrepareHardware = SceneEvtPrepareHardware;
#elif defined(SCENE_EVT_WDF_DEVICE_PREPARE_HARDWARE)
    power.EvtDevicePrepareHardware = SCENE_EVT_WDF_DEVICE_PREPARE_HARDWARE;
#endif
#ifdef SCENE_EVT_WDF_DEVICE_D0_ENTRY
    power.EvtDeviceD0Entry = SCENE_EVT_WDF_DEVICE_D0_ENTRY;
#endif
#ifdef SCENE_EVT_WDF_DEVICE_D0_EXIT
    power.EvtDeviceD0Exit = SCENE_EVT_WDF_DEVICE_D0_EXIT;
#endif
#ifdef SCENE_EVT_WDF_DEVICE_RELEASE_HARDWARE
    power.EvtDeviceReleaseHardware = SCENE_EVT_WDF_DEVICE_RELEASE_HARDWARE;
#endif
    WdfDeviceInitSetPnpPowerEventCallbacks(DeviceInit, &power);
    WDF_FILEOBJECT_CONFIG_INIT(&file, SceneEvtDeviceFileCreate, WDF_NO_EVENT_CALLBACK, WDF_NO_EVENT_CALLBACK);
#ifdef SCENE_EVT_WDF_FILE_CLOSE
    file.EvtFileClose = SCENE_EVT_WDF_FILE_CLOSE;
#endif
#ifdef SCENE_EVT_WDF_FILE_CLEANUP
    file.EvtFileCleanup = SCENE_EVT_WDF_FILE_CLEANUP;
#endif
    WdfDeviceInitSetFileObjectConfig(DeviceInit, &file, WDF_NO_OBJECT_ATTRIBUTES);
#ifdef SCENE_EVT_WDF_IO_IN_CALLER_CONTEXT
    WdfDeviceInitSetIoInCallerContextCallback(DeviceInit, SCENE_EVT_WDF_IO_IN_CALLER_CONTEXT);
#endif
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &scene.Device);
    if (NT_SUCCESS(status)) {
        status = SceneQueues();
#ifndef SCENE_USB
        SceneOwn();
#endif
    }
    return status;
}
#define SCENE_EVT_WDF_DRIVER_DEVICE_ADD SceneEvtDeviceAdd
#endif

#ifndef SCENE_DRIVER_INITIALIZE
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;
    WDF_DRIVER_CONFIG_INIT(&config, SCENE_EVT_WDF_DRIVER_DEVICE_ADD);
#ifdef SCENE_EVT_WDF_DRIVER_UNLOAD
    config.EvtDriverUnload = SCENE_EVT_WDF_DRIVER_UNLOAD;
#endif
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
#endif

/* The device is there, and requests have come: make the rest, and give the listing's names their values. */
VOID SceneBegin(WDFDEVICE Device)
{
    if (scene.Device == NULL) { /* the listing's own driver made it */
        scene.Device = Device;
        scene.Queue = WdfDeviceGetDefaultQueue(Device);
        SceneOwn();
    }
    SceneSupply();
#ifdef SCENE_WSK
    SceneEvents();
#endif
#ifdef SCENE_EVT_WDF_USB_READER_COMPLETION_ROUTINE
    SceneReads();
#endif
#ifdef SCENE_EVT_WDF_TIMER
    WdfTimerStart(SceneTimer(), WDF_REL_TIMEOUT_IN_MS(1));
#endif
#ifdef SCENE_EVT_WDF_WORKITEM
    WdfWorkItemEnqueue(SceneWorkItem());
#endif
#ifdef SCENE_EVT_WDF_DPC
    WdfDpcEnqueue(SceneDpc());
#endif
    scene.Serving = TRUE;
}
