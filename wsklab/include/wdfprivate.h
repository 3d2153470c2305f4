/*
 * wdfprivate.h: what the framework's functions that are written in C share: the structure behind each handle, and what the
 * machine does for them. A driver sees handles only; a structure's address is the handle combined with a mask (KMDF-OBJ-23).
 */
#ifndef _WDFPRIVATE_H_
#define _WDFPRIVATE_H_

#include "wdfcontrol.h"
#include "wdfmemory.h"
#include "wdftimer.h"
#include "wdfworkitem.h"
#include "wdfdpc.h"
#include "wdfqueryinterface.h"
#include "wdfbugcodes.h"
#include "wdfusb.h"

/* The framework's numbers for kinds of objects: parameter 3 of bug check 0x10D/5. */
enum {
    FX_TYPE_OBJECT = 0x1000,
    FX_TYPE_DRIVER = 0x1001,
    FX_TYPE_DEVICE = 0x1002,
    FX_TYPE_QUEUE = 0x1003,
    FX_TYPE_STRING = 0x1007,
    FX_TYPE_REQUEST = 0x1008,
    FX_TYPE_LOOKASIDE = 0x1009,
    FX_TYPE_MEMORY = 0x100A,
    FX_TYPE_COLLECTION = 0x100E,
    FX_TYPE_DPC = 0x1015,
    FX_TYPE_FILEOBJECT = 0x1018,
    FX_TYPE_MEMORY_PREALLOCATED = 0x1022,
    FX_TYPE_WAIT_LOCK = 0x1023,
    FX_TYPE_SPIN_LOCK = 0x1024,
    FX_TYPE_WORKITEM = 0x1025,
    FX_TYPE_TIMER = 0x1028,
    FX_TYPE_REQUEST_MEMORY = 0x1032,
    FX_TYPE_TARGET_REMOTE = 0x1201,
    FX_TYPE_TARGET_USB_DEVICE = 0x1202,
    FX_TYPE_TARGET_USB_PIPE = 0x1203,
    FX_TYPE_USB_INTERFACE = 0x1204,
    FX_TYPE_TARGET_SELF = 0x1205,
    FX_TYPE_DEVICE_INIT = 0x1FFF /* ours: it is no object of the framework's */
};
#define FX_APPLICATION_PROCESS 0x1234

/* EnhancedVerifierOptions: compare before and after callbacks; queues with a forward progress policy get no memory. */
#define FX_WATCHES 0x00000001
#define FX_LOW_ON_MEMORY 0x00010000

/* What attributes may ask for, beyond a parent (KMDF-CTX-04). */
#define FX_TAKES_PARENT 1
#define FX_TAKES_SCOPE 2
#define FX_TAKES_LEVEL 4
#define FX_TAKES_ALL 7

/*
 * The machine's side. wsklab_wdf: the structure behind a handle; a stop when it is NULL, gone or of another kind. wsklab_given:
 * a stop when a pointer is NULL. wsklab_wdf_check: the status of attributes. wsklab_wdf_create: an object with its structure
 * zeroed and its handle stored. wsklab_wdf_stop: a stop with a rule about an object. wsklab_wdf_break: a breakpoint of the
 * verifier; whether the verifier is on, as wsklab_wdf_verifies tells. wsklab_wdf_watch: compare IRQL and critical regions before
 * and after the callbacks of a table. wsklab_idle: whether nothing else will happen. wsklab_wdf_serialize: whose lock serializes
 * the callbacks of a child of Parent. wsklab_wdf_call: call an event callback with that lock held. wsklab_wdf_wait_for: the
 * same, until it has returned.
 * wsklab_wdf_answer: call a callback that returns something and cannot wait. wsklab_request_fails: whether there is no memory
 * for a request; wsklab_request_attach: a reserved one gets an IRP; wsklab_request_drop: a request goes without its IRP;
 * wsklab_wdf_of: the WDFDRIVER of a DRIVER_OBJECT, NULL for none. wsklab_wdf_status: call a callback that returns a
 * status, if there is one, and note a failure in the trace. wsklab_wdf_thread: run one of our functions in a system thread.
 * wsklab_wdf_reference: add to or take from an object's references. wsklab_wdf_lock: whose callback lock an object's callbacks
 * hold, NULL for none; wsklab_wdf_locked: whether this thread holds it; wsklab_wdf_passive: whether its execution level is
 * passive. wsklab_request_arm: let a request's IRP be cancelled, FALSE when it has been; wsklab_request_disarm: no longer.
 * wsklab_request_finish: complete a request that the driver does not have. wsklab_request_down: pass one on as it is.
 * wsklab_wdf_keep: the driver cannot delete an object; wsklab_wdf_delete: we do. wsklab_device_init: a WDFDEVICE_INIT.
 * wsklab_request_new: a request for an IRP that came. wsklab_request_not_over: a stop when a request has been completed and is
 * gone; wsklab_request_refused: it is not sent. wsklab_device_down: pass an IRP on as it is; wsklab_device_answer: complete one
 * with a status. wsklab_irp_lend: call a routine of the driver that has an IRP itself meanwhile; wsklab_irp_back: it is the
 * framework's again, in the next stack location or not. wsklab_device_adopts: a child's IRP, and its request if it has one, is
 * the parent's now. wsklab_device_link: a symbolic link to a device. wsklab_device_interface: make an interface (Link NULL), or
 * tell its symbolic link. wsklab_wdf_strict: what only strict mode stops. wsklab_ask: what an object kept in Python says; Member
 * is like "Request.irp", with the kind that the handle must stand for; a method gets the arguments. wsklab_ask_waits: the same
 * for a method that waits.
 */
PVOID wsklab_wdf(PVOID Handle, ULONG Type);
void wsklab_request_not_over(WDFREQUEST Request);
void wsklab_given(const VOID *Pointer, PCSTR Name);
WDFDRIVER wsklab_wdf_of(PDRIVER_OBJECT DriverObject);
NTSTATUS wsklab_wdf_check(PWDF_OBJECT_ATTRIBUTES Attributes, ULONG Takes);
NTSTATUS wsklab_wdf_create(ULONG Type, ULONG Takes, PWDF_OBJECT_ATTRIBUTES Attributes, PVOID Parent, PVOID Out);
BOOLEAN wsklab_wdf_stop(PCSTR Rule, PVOID Object, PCSTR Values, ...);
BOOLEAN wsklab_wdf_strict(PCSTR Rule, PVOID Object, PCSTR Values, ...);
ULONG_PTR wsklab_ask(PVOID Handle, PCSTR Member, ...);
ULONG_PTR wsklab_ask_waits(PVOID Handle, PCSTR Member, ...);
BOOLEAN wsklab_wdf_break(PCSTR Rule, PVOID Object, PCSTR Values, ...);
NTSTATUS wsklab_wdf_serialize(WDFOBJECT Parent, BOOLEAN Automatic, BOOLEAN Passive, WDFOBJECT *Lock);
void wsklab_wdf_call(PVOID Lock, PVOID Routine, ...);
void wsklab_wdf_wait_for(PVOID Lock, PVOID Routine, PVOID Argument);
void wsklab_wdf_thread(PVOID Function, PVOID Handle);
ULONG_PTR wsklab_wdf_answer(PVOID Routine, ...);
BOOLEAN wsklab_request_fails(void);
NTSTATUS wsklab_wdf_status(PCSTR Name, PVOID Routine, ...);
PVOID wsklab_allocate(SIZE_T Size);
void wsklab_free(PVOID Memory);

PVOID wsklab_memory_buffer(SIZE_T Size, ULONG Tag);
PMDL wsklab_mdl_build(PVOID Buffer, SIZE_T Length, BOOLEAN Write);
void wsklab_mdl_free(PMDL Mdl);

/* What objects that are kept in Python are asked for. */
#define wsklab_wdf_verifies(Object) ((BOOLEAN)wsklab_ask((PVOID)(Object), "Object.fw.checking"))
#define wsklab_wdf_watch(Object, Callbacks, Count)                        \
    ((wsklab_wdf_parameter("EnhancedVerifierOptions") & FX_WATCHES) != 0 && \
     wsklab_ask((PVOID)(Object), "Object.fw.watch", Callbacks, Count))
#define wsklab_idle(Object) ((BOOLEAN)wsklab_ask((PVOID)(Object), "Object.m.scheduler.idle"))
#define wsklab_wdf_lock(Object) ((WDFOBJECT)wsklab_ask((PVOID)(Object), "Object.callback_lock"))
#define wsklab_wdf_locked(Object) ((BOOLEAN)wsklab_ask((PVOID)(Object), "Object.locked"))
#define wsklab_wdf_passive(Object) ((BOOLEAN)wsklab_ask((PVOID)(Object), "Object.passive"))
#define wsklab_wdf_keep(Object) wsklab_ask((PVOID)(Object), "Object.keep")
#define wsklab_wdf_delete(Object) wsklab_ask((PVOID)(Object), "Object.delete")
#define wsklab_wdf_hold(Object) wsklab_ask((PVOID)(Object), "Object.reference")
#define wsklab_wdf_release(Object) wsklab_ask((PVOID)(Object), "Object.release")
#define wsklab_request_irp(Request) ((PIRP)wsklab_ask(Request, "Request.irp"))
#define wsklab_request_refused(Request, Status) ((BOOLEAN)wsklab_ask(Request, "Request.refuse", Status))
#define wsklab_request_arm(Request, Cancelled) ((BOOLEAN)wsklab_ask(Request, "Request.arm", Cancelled))
#define wsklab_request_disarm(Request) wsklab_ask(Request, "Request.disarm")
#define wsklab_request_finish(Request, Status) wsklab_ask(Request, "Request.finish", Status, 0)
#define wsklab_request_down(Request) wsklab_ask(Request, "Request.pass_down")
#define wsklab_device_init(Driver) ((PWDFDEVICE_INIT)wsklab_ask(Driver, "Driver.control_init"))
#define wsklab_request_new(Device, Irp) ((WDFREQUEST)wsklab_ask(Device, "Device.new_request", Irp))
#define wsklab_device_down(Device, Irp) ((NTSTATUS)wsklab_ask(Device, "Device.pass_down", Irp))
#define wsklab_device_answer(Device, Irp, Status) ((NTSTATUS)wsklab_ask(Device, "Device.answer", Irp, Status))
#define wsklab_irp_lend(Device, Irp, Routine, ...) ((NTSTATUS)wsklab_ask(Device, "Device.lend", Irp, Routine, __VA_ARGS__))
#define wsklab_irp_back(Device, Irp, Next) (BOOLEAN)wsklab_ask(Device, "Device.take_back", Irp, Next)
#define wsklab_device_adopts(Device, Irp, Request) wsklab_ask(Device, "Device.adopt", Irp, Request)
#define wsklab_request_attach(Request, Irp) wsklab_ask(Request, "Request.attach", Irp)
#define wsklab_request_drop(Request) wsklab_ask(Request, "Request.drop")
#define wsklab_device_link(Device, Link) ((NTSTATUS)wsklab_ask(Device, "Device.add_link", Link))
#define wsklab_device_interface(Device, Class, Reference, Link) \
    ((NTSTATUS)wsklab_ask(Device, "Device.interface", Class, Reference, Link))

/* The structures. */
typedef struct _FX_MEMBER {
    LIST_ENTRY Entry;
    WDFOBJECT Object;
} FX_MEMBER, *PFX_MEMBER;
typedef struct _FX_COLLECTION {
    LIST_ENTRY Members;
    ULONG Count;
} FX_COLLECTION, *PFX_COLLECTION;

typedef struct _FX_STRING {
    UNICODE_STRING Text;
} FX_STRING, *PFX_STRING;

typedef struct _FX_SPIN_LOCK {
    KSPIN_LOCK Lock;
    PKTHREAD Owner;
    KIRQL Irql;
} FX_SPIN_LOCK, *PFX_SPIN_LOCK;
typedef struct _FX_WAIT_LOCK {
    KEVENT Free;
    PKTHREAD Owner;
} FX_WAIT_LOCK, *PFX_WAIT_LOCK;

/* A memory: where its buffer is, and of which request's buffers it is one (Request NULL: of none). */
typedef struct _FX_PLACE {
    PVOID Address;
    size_t Length;
    PMDL Mdl;
} FX_PLACE, *PFX_PLACE;
typedef struct _FX_MEMORY {
    FX_PLACE Place;
    WDFREQUEST Request;
    BOOLEAN Output;
    BOOLEAN ReadOnly;
    BOOLEAN Owned;
    BOOLEAN Locked;
} FX_MEMORY, *PFX_MEMORY;
typedef struct _FX_LOOKASIDE {
    WDF_OBJECT_ATTRIBUTES Attributes;
    size_t Size;
    POOL_TYPE PoolType;
    ULONG Tag;
} FX_LOOKASIDE, *PFX_LOOKASIDE;

/* Timers, DPCs and work items: a callback that runs later. Lock serializes it, NULL for none; Running counts calls under way. */
typedef struct _FX_LATER {
    PVOID Callback;
    WDFOBJECT Parent;
    WDFOBJECT Lock;
    ULONG Period;
    BOOLEAN Passive;
    BOOLEAN Queued;
    ULONG Running;
    PKTHREAD Thread;
    KEVENT Idle;
    KTIMER Timer;
    KDPC Dpc;
} FX_LATER, *PFX_LATER;

/* A request that came with an IRP. List: in which of its queue's lists Entry is; Second is in the lists of callbacks to make. */
enum { FX_UNLISTED, FX_WAITING, FX_OWNED };
typedef struct _FX_REQUEST {
    LIST_ENTRY Entry;
    LIST_ENTRY Second;
    WDFMEMORY Memories[2];
    PMDL Mdls[2];
    WDFREQUEST Handle;
    WDFQUEUE Queue;
    WDFDEVICE Device;
    PIRP Irp;
    WDFQUEUE Chosen;
    WDFQUEUE Home; /* of a reserved request: whose reserve it belongs to */
    PFN_WDF_REQUEST_CANCEL Cancel;
    UCHAR List;
    BOOLEAN CallbackDue;
    BOOLEAN DriverOwned;
    BOOLEAN Completed;
    BOOLEAN Presented;
    BOOLEAN Cancelable;
    BOOLEAN Cancelled;
    BOOLEAN Found;
    BOOLEAN InCallerContext;
    BOOLEAN Notified;
    BOOLEAN InIoStop;
    BOOLEAN Acknowledged;
    BOOLEAN GoesBack;
    BOOLEAN Reserved;
} FX_REQUEST, *PFX_REQUEST;

/* A queue: requests that wait in it, those that the driver has, and callbacks that are due. */
enum { FX_POWER_ON, FX_POWER_OFF, FX_POWER_STOPPING, FX_POWER_PURGING, FX_POWER_RESUMING };
typedef struct _FX_STATE_CALLBACK {
    PFN_WDF_IO_QUEUE_STATE Routine;
    WDFCONTEXT Context;
} FX_STATE_CALLBACK, *PFX_STATE_CALLBACK;
typedef struct _FX_PROGRESS {
    WDF_IO_QUEUE_FORWARD_PROGRESS_POLICY Policy;
    LIST_ENTRY Reserved;
    LIST_ENTRY Pended; /* IRPs */
} FX_PROGRESS, *PFX_PROGRESS;
typedef struct _FX_QUEUE {
    WDFQUEUE Handle;
    WDFDEVICE Device;
    LIST_ENTRY Sibling;
    WDFOBJECT Lock;
    WDF_IO_QUEUE_CONFIG Config;
    LIST_ENTRY Waiting;
    LIST_ENTRY Owned;
    LIST_ENTRY CancelDue;
    LIST_ENTRY CanceledOnQueueDue;
    ULONG WaitingCount;
    ULONG OwnedCount;
    ULONG Limit;
    ULONG State;
    ULONG Power;
    FX_STATE_CALLBACK Idle;
    FX_STATE_CALLBACK Empty;
    FX_STATE_CALLBACK Ready;
    BOOLEAN PowerManaged;
    BOOLEAN Passive;
    BOOLEAN Dispatching;
    BOOLEAN Deferred;
    BOOLEAN CancelsDispatched;
    BOOLEAN BecameReady;
    BOOLEAN NextMakesReady;
    BOOLEAN ShuttingDown;
    BOOLEAN InPowerCallback;
    PFX_PROGRESS Progress;
    KEVENT AtRest; /* signalled unless the device waits until the driver has let go of requests */
    KDPC Dpc;
} FX_QUEUE, *PFX_QUEUE;

/* Callbacks that see IRPs before the framework: by major function, for all minor functions (Count 0) or those in a bit map. */
typedef struct _FX_PREPROCESS {
    PFN_WDFDEVICE_WDM_IRP_PREPROCESS Callback;
    ULONG Count;
    UCHAR Minors[32];
} FX_PREPROCESS, *PFX_PREPROCESS;
typedef struct _FX_DYNAMIC_DISPATCH {
    PFN_WDFDEVICE_WDM_IRP_DISPATCH Callback;
    WDFCONTEXT Context;
} FX_DYNAMIC_DISPATCH, *PFX_DYNAMIC_DISPATCH;
typedef struct _FX_QUERY_INTERFACE {
    LIST_ENTRY Entry;
    GUID Type;
    WDF_QUERY_INTERFACE_CONFIG Config;
    INTERFACE Interface; /* as many bytes as its Size says */
} FX_QUERY_INTERFACE, *PFX_QUERY_INTERFACE;

/* What a driver said of a device before it was made, and the device: its queues by major function, its open files. */
typedef struct _FX_DEVICE_INIT {
    UNICODE_STRING Name;
    PDEVICE_OBJECT Lower;
    PDEVICE_OBJECT Physical;
    WDF_DEVICE_IO_TYPE IoType;
    DEVICE_TYPE DeviceType;
    ULONG Characteristics;
    BOOLEAN Filter;
    BOOLEAN Exclusive;
    WDF_PNPPOWER_EVENT_CALLBACKS Callbacks;
    WDF_FILEOBJECT_CONFIG Files;
    WDF_OBJECT_ATTRIBUTES FileAttributes;
    WDF_OBJECT_ATTRIBUTES RequestAttributes;
    PFN_WDF_IO_IN_CALLER_CONTEXT EvtIoInCallerContext;
    PFN_WDF_DEVICE_SHUTDOWN_NOTIFICATION EvtShutdown;
    UCHAR ShutdownFlags;
    PFX_PREPROCESS Preprocess;
    BOOLEAN AllowSelf;
    BOOLEAN NotPageable; /* power callbacks touch no paged memory, and are watched */
    BOOLEAN Inrush;
    UCHAR Owner; /* of the power policy: 0 by default, 1 no, 2 yes */
    WDFDEVICE Parent;    /* of a bus driver's child, NULL for others */
    BOOLEAN Raw;
    BOOLEAN Forwards;
} FX_DEVICE_INIT, *PFX_DEVICE_INIT;
typedef struct _FX_DEVICE {
    WDFDRIVER Driver;
    WDFIOTARGET Target;
    PDEVICE_OBJECT Object;
    FX_DEVICE_INIT Init;
    WDFQUEUE DefaultQueue;
    WDFQUEUE Creates;
    WDFQUEUE Queues[IRP_MJ_MAXIMUM_FUNCTION + 1];
    WDFIOTARGET SelfTarget;
    WDFQUEUE SelfQueue;
    FX_DYNAMIC_DISPATCH Dispatch[4];
    LIST_ENTRY OpenFiles;
    LIST_ENTRY AllQueues;
    LIST_ENTRY Interfaces;
    LIST_ENTRY Children;
    LIST_ENTRY Sibling;
    WDFDEVICE Handle;
    ULONG OpenCount;
    ULONG IdleStops;
    BOOLEAN Started;
    BOOLEAN Pnp;
    BOOLEAN Prepared;
    BOOLEAN InD0;
    BOOLEAN SelfManaged;
    BOOLEAN Surprised;
    BOOLEAN Reported;
    BOOLEAN PnpPending; /* while it handles an IRP that changes its Plug and Play state */
    WDF_POWER_ROUTINE_TIMED_OUT_DATA Watched; /* what the power watchdog would report */
    KTIMER Watchdog;
    KDPC WatchdogDpc;
    BOOLEAN FromSelf; /* the IRP that comes next was sent to the self target */
} FX_DEVICE, *PFX_DEVICE;
typedef struct _FX_FILE {
    LIST_ENTRY Entry;
    WDFFILEOBJECT Handle;
    WDFDEVICE Device;
    PFILE_OBJECT File;
} FX_FILE, *PFX_FILE;

/* USB. What a format leaves with its request: completion params of its own, and the URB: this one, or one of the driver's. */
typedef struct _FX_USB_TRANSFER {
    WDF_USB_REQUEST_COMPLETION_PARAMS Params;
    PURB Urb;
    URB Own;
} FX_USB_TRANSFER, *PFX_USB_TRANSFER;
typedef struct _FX_USB_DEVICE {
    USB_DEVICE_DESCRIPTOR Descriptor;
    PUSB_CONFIGURATION_DESCRIPTOR Configuration; /* and what belongs to it */
    USBD_CONFIGURATION_HANDLE ConfigurationHandle;
    USBD_PIPE_HANDLE ControlPipe;
    WDF_USB_DEVICE_INFORMATION Information;
    USB_BUS_INTERFACE_USBDI_V1 Bus;
    WDFUSBINTERFACE *Interfaces;
    UCHAR InterfaceCount;
    BOOLEAN Mismatched;
    BOOLEAN OnUsbd; /* the bus has no interface to drivers */
} FX_USB_DEVICE, *PFX_USB_DEVICE;
typedef struct _FX_USB_INTERFACE {
    WDFUSBINTERFACE Handle;
    WDFUSBDEVICE Device;
    UCHAR Number;
    UCHAR SettingCount;
    UCHAR Setting;
    UCHAR PipeCount;
    UCHAR NewCount;
    WDFUSBPIPE *Pipes; /* NULL: not configured */
    WDFUSBPIPE *New;   /* of a configuration that is being selected */
} FX_USB_INTERFACE, *PFX_USB_INTERFACE;
typedef struct _FX_USB_PIPE {
    WDFUSBDEVICE Device;
    WDFUSBINTERFACE Interface;
    USBD_PIPE_INFORMATION Information;
    BOOLEAN AnyLength;
    struct _FX_USB_READER *Reader;
} FX_USB_PIPE, *PFX_USB_PIPE;

/* What our functions need of each other before it is defined. */
void wsklab_queue_dispatch(WDFQUEUE Queue);
void wsklab_queue_deferred(WDFQUEUE Queue);
void wsklab_queue_blocked(WDFQUEUE Queue);
void wsklab_queue_power(WDFQUEUE Queue, ULONG Power);
static void FxPowerFlags(PFX_DEVICE Device);
static void FxFreeReserve(PFX_QUEUE Queue);
static void FxCancelPended(PFX_QUEUE Queue, PFILE_OBJECT File);
static NTSTATUS FxProgress(PFX_QUEUE Queue, PIRP Irp, PFX_REQUEST *Request);
static BOOLEAN FxReturnReserved(PFX_REQUEST Request);
static BOOLEAN FxHandles(PFX_QUEUE Queue, UCHAR MajorFunction);
NTSTATUS wsklab_device_file(WDFDEVICE Device, PIRP Irp);
void wsklab_queue_flush(WDFQUEUE Queue, PFILE_OBJECT File);
static BOOLEAN FxTooHigh(PVOID Handle, PCSTR Function);
static PFX_DEVICE_INIT FxInit(PWDFDEVICE_INIT DeviceInit);
static PFX_DEVICE FxDevice(WDFDEVICE Device);
static PFX_FILE FxFile(PFX_DEVICE Device, PFILE_OBJECT File);
static PFX_QUEUE FxQueue(WDFQUEUE Queue);
static void FxWaitForQueue(WDFQUEUE Queue, PKEVENT Event, PCSTR What);
static PFX_REQUEST FxRequest(WDFREQUEST Request);
static PIO_STACK_LOCATION FxLocation(PFX_REQUEST Request);
static BOOLEAN FxHasIrp(WDFREQUEST Request, PCSTR Function);
static NTSTATUS FxSetString(PFX_STRING String, PCUNICODE_STRING Text);
static NTSTATUS FxInsert(PFX_QUEUE Queue, PFX_REQUEST Request, BOOLEAN Head);
static void FxOwn(PFX_QUEUE Queue, PFX_REQUEST Request);
static NTSTATUS FxLocate(WDFREQUEST Request, BOOLEAN Output, size_t Minimum, PFX_PLACE Place);
static NTSTATUS FxFormatUrb(WDFIOTARGET Target, WDFREQUEST Request, PURB Urb, WDFMEMORY Memory, WDF_USB_REQUEST_TYPE Type);
static void FxCheckStopped(WDFIOTARGET Target);
void wsklab_usb_read_done(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context);
void wsklab_usb_read_again(PKDPC Dpc, PVOID Context, PVOID Argument1, PVOID Argument2);
void wsklab_usb_reader_recovers(WDFUSBPIPE Pipe);
static WDFUSBPIPE FxPipeAt(WDFIOTARGET Target, ULONG Index);
static struct _FX_USB_READER *FxReaderOf(WDFIOTARGET Target);
static NTSTATUS FxReadAgain(WDFIOTARGET Target);
static void FxReadNoMore(WDFIOTARGET Target);
static NTSTATUS FxMakeMemory(ULONG Type, PWDF_OBJECT_ATTRIBUTES Attributes, PVOID Parent, PVOID Buffer, size_t Size,
                             WDFMEMORY *Memory);

#endif
