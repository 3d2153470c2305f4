/*
 * scene.h: what stands before a listing of a page, so that the code around it can be written: see scene.c.
 */
enum { SceneRead, SceneWrite, SceneControl, SceneInternal, SceneKinds };
enum { SceneUsbIn, SceneUsbOut, SceneUsbInterrupt };
enum { SceneRoom = 8, SceneBytes = 64, SceneTag = 'necS' };

struct {
    WDFDEVICE Device;
    WDFQUEUE Queue; /* a manual queue with requests in it */
    WDFQUEUE Page;  /* the queue of the listing's functions */
    WDFIOTARGET Target;
    WDFFILEOBJECT File;
    WDFCOLLECTION Collection;
    WDFUSBDEVICE Usb;
    WDFDEVICE Child;
    WDFREQUEST ChildRequest;
    WDFREQUEST Received[SceneKinds][SceneRoom];
    ULONG Count[SceneKinds];
    BOOLEAN Serving;
    BOOLEAN Filling; /* a context is being given its values, which need contexts of their own */
} scene;

PVOID SceneAllocate(SIZE_T Size);
PUNICODE_STRING SceneName(VOID);
WDFREQUEST SceneReceived(ULONG Kind);
WDFREQUEST SceneMarked(VOID);
WDFREQUEST SceneMade(VOID);
WDFREQUEST SceneSent(VOID);
WDFREQUEST ScenePending(VOID);
WDFREQUEST SceneQueued(VOID);
WDFQUEUE SceneEmptyQueue(VOID);
WDFMEMORY SceneMemory(VOID);
WDFMEMORY ScenePreallocated(VOID);
WDFOBJECT SceneReferenced(VOID);
PVOID SceneContextOf(SIZE_T Size);
WDFIOTARGET SceneClosedTarget(VOID);
WDFTIMER SceneTimer(VOID);
WDFWORKITEM SceneWorkItem(VOID);
WDFDPC SceneDpc(VOID);
WDFSPINLOCK SceneSpinLock(VOID);
WDFWAITLOCK SceneWaitLock(VOID);
WDFSTRING SceneString(VOID);
WDFLOOKASIDE SceneLookaside(VOID);
WDFCOLLECTION SceneCollection(VOID);
WDFUSBDEVICE SceneUsbDevice(VOID);
WDFUSBINTERFACE SceneUsbInterface(VOID);
WDFUSBPIPE SceneUsbPipe(UCHAR Index);
WDFDEVICE SceneChild(VOID);
WDFREQUEST SceneChildRequest(VOID);
PMDL SceneMdl(VOID);
PIRP SceneIrp(VOID);
PIRP SceneArrivedIrp(VOID);
ULONG_PTR SceneNothing(...);
NTSTATUS SceneIrpCompleted(PIRP Irp);
PWSK_BUF SceneWskBuf(VOID);
PSOCKADDR SceneAddress(VOID);
VOID SceneRegister(PWSK_REGISTRATION Registration);
PWSK_REGISTRATION SceneRegistration(VOID);
PWSK_PROVIDER_NPI SceneNpi(VOID);
PWSK_SOCKET SceneBound(VOID);
PWSK_SOCKET SceneConnection(VOID);
PWSK_SOCKET SceneListener(VOID);
PWSK_SOCKET SceneDatagram(VOID);
