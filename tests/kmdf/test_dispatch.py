"""Who sees an IRP before a queue gets it: preprocessing, the callback that chooses a queue, the self target, interfaces."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kmdf.conftest import whole_driver
from wsklab.kmdf.application import File
from wsklab.machine.status import name_of

ENTRY = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_IO_QUEUE_IO_READ Read;
EVT_WDF_IO_QUEUE_IO_READ OtherRead;
EVT_WDF_IO_IN_CALLER_CONTEXT InCallerContext;
WDFDEVICE device;
WDFQUEUE other;
WDFREQUEST held;
BOOLEAN hold;
VOID Finish(VOID) { WdfRequestCompleteWithInformation(held, STATUS_SUCCESS, 7); }
VOID Read(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    DbgPrint("Read(%d) ", (int)Length);
    held = Request;
    if (hold) return;
    WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, Length);
}
VOID OtherRead(WDFQUEUE Queue, WDFREQUEST Request, size_t Length)
{
    DbgPrint("OtherRead(%d) ", (int)Length);
    WdfRequestCompleteWithInformation(Request, STATUS_SUCCESS, Length);
}
VOID InCallerContext(WDFDEVICE Device, WDFREQUEST Request)
{
    DbgPrint("InCallerContext ");
    WdfDeviceEnqueueRequest(Device, Request);
}
static NTSTATUS MakeQueues(void)
{
    WDF_IO_QUEUE_CONFIG config;
    NTSTATUS status;
    WDF_IO_QUEUE_CONFIG_INIT_DEFAULT_QUEUE(&config, WdfIoQueueDispatchParallel);
    config.EvtIoRead = Read;
    status = WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, WDF_NO_HANDLE);
    if (!NT_SUCCESS(status)) return status;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchParallel);
    config.EvtIoRead = OtherRead;
    return WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, &other);
}
""")

PREPROCESS = (
    ENTRY
    + """
EVT_WDFDEVICE_WDM_IRP_PREPROCESS Preprocess;
IO_COMPLETION_ROUTINE Postprocess;
NTSTATUS Postprocess(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    DbgPrint("Postprocess(%x, %d) ", Irp->IoStatus.Status, (int)Irp->IoStatus.Information);
    if (Irp->PendingReturned) IoMarkIrpPending(Irp);
    return STATUS_CONTINUE_COMPLETION;
}
NTSTATUS Preprocess(WDFDEVICE Device, PIRP Irp)
{
    DbgPrint("Preprocess(%d) ", IoGetCurrentIrpStackLocation(Irp)->MajorFunction);
    DOES
}
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    UCHAR minors[] = {0x11, 8};
    NTSTATUS status;
    status = WdfDeviceInitAssignWdmIrpPreprocessCallback(DeviceInit, Preprocess, IRP_MJ_MAXIMUM_FUNCTION + 1, NULL, 0);
    if (status != STATUS_INVALID_PARAMETER) return STATUS_UNSUCCESSFUL;
    status = WdfDeviceInitAssignWdmIrpPreprocessCallback(DeviceInit, Preprocess, MAJOR, MINORS);
    if (!NT_SUCCESS(status)) return status;
    WdfDeviceInitSetIoInCallerContextCallback(DeviceInit, FIRST);
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    return NT_SUCCESS(status) ? MakeQueues() : status;
}
"""
)
SKIP = "IoSkipCurrentIrpStackLocation(Irp); return WdfDeviceWdmDispatchPreprocessedIrp(Device, Irp);"
COPY = """IoCopyCurrentIrpStackLocationToNext(Irp);
    IoSetCompletionRoutine(Irp, Postprocess, NULL, TRUE, TRUE, TRUE);
    return WdfDeviceWdmDispatchPreprocessedIrp(Device, Irp);"""
ANSWER = """Irp->IoStatus.Status = STATUS_SUCCESS;
    Irp->IoStatus.Information = 0;
    IoCompleteRequest(Irp, IO_NO_INCREMENT);
    return STATUS_SUCCESS;"""


def preprocessing(
    kit: Any, body: str, major: str = "IRP_MJ_READ", minors: str = "NULL, 0", caller: str = "WDF_NO_EVENT_CALLBACK"
) -> Any:
    text = PREPROCESS.replace("DOES", body).replace("MAJOR,", f"{major},").replace("MINORS", minors).replace("FIRST", caller)
    loaded = kit.lab.start_driver(kit.lab.load(text, "preprocess.c"))
    assert (loaded.status, loaded.device_status) == (0, 0)
    return loaded


def test_a_skipped_location_gives_the_irp_back(kit: Any) -> None:
    """Pages: preprocessing-and-postprocessing-irps.md. The device needs one stack location more."""
    driver = preprocessing(kit, SKIP)
    assert kit.m.view(driver.object, "DEVICE_OBJECT").StackSize == 3
    assert driver.read(5).information == 5
    assert kit.lab.console == "Preprocess(3) Read(5) "


def test_a_completion_routine_postprocesses(kit: Any) -> None:
    driver = preprocessing(kit, COPY)
    assert driver.read(5).information == 5
    assert kit.lab.console == "Preprocess(3) Read(5) Postprocess(0, 5) "
    assert kit.lab.journey().text == (
        "0 µs, PASSIVE  IRP 1  application → preprocess: READ, stack location 3 of 3\n"
        "0 µs, PASSIVE  IRP 1  preprocess → preprocess: READ, stack location 2 of 3\n"
        "0 µs, PASSIVE  IRP 1  preprocess → application: STATUS_SUCCESS, 5"
    )


def test_an_irp_that_the_framework_does_not_know(kit: Any) -> None:
    """Page: handling-an-irp-that-the-framework-does-not-support.md."""
    driver = preprocessing(kit, ANSWER, "IRP_MJ_FLUSH_BUFFERS")
    with File(kit.m, driver.object) as file:
        assert name_of(file.flush().status) == "STATUS_SUCCESS"
        assert file.read(2).information == 2
    assert kit.lab.console == "Preprocess(9) Read(2) "


def test_without_the_callback_that_irp_fails(kit: Any) -> None:
    driver = preprocessing(kit, SKIP)
    with File(kit.m, driver.object) as file:
        assert name_of(file.flush().status) == "STATUS_INVALID_DEVICE_REQUEST"


def test_only_the_minor_functions_that_were_named(kit: Any) -> None:
    driver = preprocessing(kit, SKIP, minors="minors, 2")
    assert driver.read(5).information == 5
    assert kit.lab.console == "Read(5) "


def test_minor_functions_are_given_once(kit: Any) -> None:
    """STATUS_INVALID_DEVICE_REQUEST for a second list; no callback and no list are NULL parameters."""
    text = PREPROCESS.replace("DOES", SKIP).replace("MINORS", "minors, 1").replace("FIRST", "NULL")
    text = text.replace(
        "MAJOR, minors, 1);\n    if (!NT_SUCCESS(status)) return status;",
        "3, minors, 1);\n    return WdfDeviceInitAssignWdmIrpPreprocessCallback(DeviceInit, Preprocess, 3, minors, 1);",
    )
    loaded = kit.lab.start_driver(kit.lab.load(text, "twice.c"))
    assert name_of(loaded.device_status) == "STATUS_INVALID_DEVICE_REQUEST"


def test_memory_for_the_list_can_lack(kit: Any) -> None:
    """KMDF-VER-07."""
    kit.lab.choices["framework allocation"] = "fails"
    text = PREPROCESS.replace("DOES", SKIP).replace("MAJOR,", "3,").replace("MINORS", "NULL, 0").replace("FIRST", "NULL")
    loaded = kit.lab.start_driver(kit.lab.load(text, "memory.c"))
    assert name_of(loaded.device_status) == "STATUS_INSUFFICIENT_RESOURCES"


def test_a_callback_that_keeps_the_irp_breaks_a_rule(kit: Any) -> None:
    """IRP-26: not completed, not passed on, not pending."""
    driver = preprocessing(kit, "return STATUS_SUCCESS;")
    with kit.stops("irp-lost"):
        driver.read(5)


def test_preprocessed_to_a_queue_of_choice(kit: Any) -> None:
    """RULE-85. The flags: the next stack location is set up, and EvtIoInCallerContext is called or not."""
    flags = "WDF_DISPATCH_IRP_TO_IO_QUEUE_PREPROCESSED_IRP"
    for more, expected in (
        ("", "Preprocess(3) OtherRead(5) "),
        ("| WDF_DISPATCH_IRP_TO_IO_QUEUE_INVOKE_INCALLERCTX_CALLBACK", "Preprocess(3) InCallerContext OtherRead(5) "),
    ):
        own = type(kit)()
        body = f"IoSkipCurrentIrpStackLocation(Irp); return WdfDeviceWdmDispatchIrpToIoQueue(Device, Irp, other, {flags}{more});"
        driver = preprocessing(own, body, caller="InCallerContext")
        assert driver.read(5).information == 5
        assert own.lab.console == expected


DISPATCH = (
    ENTRY
    + """
EVT_WDFDEVICE_WDM_IRP_DISPATCH Choose;
PIRP last;
NTSTATUS Choose(WDFDEVICE Device, UCHAR MajorFunction, UCHAR MinorFunction, ULONG Code, WDFCONTEXT DriverContext, PIRP Irp,
                WDFCONTEXT DispatchContext)
{
    DbgPrint("Choose(%d, %d, %x, %s) ", MajorFunction, MinorFunction, MajorFunction == 14 ? Code : 0, (char *)DriverContext);
    last = Irp;
    DOES
}
NTSTATUS Again(void) { return WdfDeviceWdmDispatchIrp(device, last, device); }
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    NTSTATUS status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    status = MakeQueues();
    if (!NT_SUCCESS(status)) return status;
    if (WdfDeviceConfigureWdmIrpDispatchCallback(device, NULL, IRP_MJ_CREATE, Choose, NULL) != STATUS_INVALID_PARAMETER)
        return STATUS_UNSUCCESSFUL;
    status = WdfDeviceConfigureWdmIrpDispatchCallback(device, Driver, IRP_MJ_READ, Choose, "mine");
    if (!NT_SUCCESS(status)) return status;
    if (WdfDeviceConfigureWdmIrpDispatchCallback(device, Driver, IRP_MJ_READ, Choose, NULL) != STATUS_INVALID_PARAMETER)
        return STATUS_UNSUCCESSFUL;
    return WdfDeviceConfigureWdmIrpDispatchCallback(device, NULL, IRP_MJ_DEVICE_CONTROL, Choose, "mine");
}
NTSTATUS TooLate(void) { return WdfDeviceConfigureWdmIrpDispatchCallback(device, NULL, IRP_MJ_WRITE, Choose, NULL); }
"""
)
CHOSEN = "return WdfDeviceWdmDispatchIrpToIoQueue(Device, Irp, other, WDF_DISPATCH_IRP_TO_IO_QUEUE_NO_FLAGS);"


def dispatching(kit: Any, body: str) -> tuple[Any, Any]:
    driver = kit.lab.load(DISPATCH.replace("DOES", body), "dispatch.c")
    loaded = kit.lab.start_driver(driver)
    assert (loaded.status, loaded.device_status) == (0, 0)
    return driver, loaded


def test_a_callback_chooses_the_queue(kit: Any) -> None:
    """Page: dispatching-irps-to-i-o-queues.md. RULE-85."""
    driver, loaded = dispatching(kit, CHOSEN)
    assert loaded.read(7).information == 7
    assert kit.lab.console == "Choose(3, 0, 0, mine) OtherRead(7) "
    assert name_of(driver.TooLate()) == "STATUS_INVALID_DEVICE_STATE"


def test_a_callback_gives_the_irp_back(kit: Any) -> None:
    """The framework then does what it does without the callback; a queue without a handler fails a control code."""
    _, loaded = dispatching(kit, "return WdfDeviceWdmDispatchIrp(Device, Irp, DispatchContext);")
    assert loaded.read(7).information == 7
    assert name_of(loaded.ioctl(0x222000).status) == "STATUS_INVALID_DEVICE_REQUEST"
    assert kit.lab.console == "Choose(3, 0, 0, mine) Read(7) Choose(14, 0, 222000, mine) "


def test_a_callback_completes_the_irp(kit: Any) -> None:
    _, loaded = dispatching(kit, ANSWER)
    assert (loaded.read(7).information, kit.lab.console) == (0, "Choose(3, 0, 0, mine) ")


def test_a_callback_keeps_the_irp_pending(kit: Any) -> None:
    driver, loaded = dispatching(kit, "IoMarkIrpPending(Irp); return STATUS_PENDING;")
    read = loaded.read(7)
    assert not read.done
    kit.m.set_u8(driver.image.globals["hold"], 1)
    assert name_of(driver.Again()) == "STATUS_PENDING"
    with kit.stops("kmdf-irp-not-lent"):
        driver.Again()
    driver.Finish()
    assert read.information == 7


@pytest.mark.parametrize(
    ("queue", "flags"), [("other", "4"), ("WdfDeviceGetDefaultQueue(Device)", "0"), ("other", "0")], ids=["flags", "no", "type"]
)
def test_the_queue_must_fit(make_kit: Any, queue: str, flags: str) -> None:
    """RULE-85: a breakpoint, and the IRP is completed with STATUS_INVALID_PARAMETER."""
    for verifier in ("stop", "continue"):
        kit = make_kit()
        kit.fw.verifier = verifier
        _, loaded = dispatching(kit, f"return WdfDeviceWdmDispatchIrpToIoQueue(Device, Irp, {queue}, {flags});")
        if verifier == "stop":
            with kit.stops("kmdf-irp-to-wrong-queue"):
                loaded.ioctl(0x222000)
        else:
            assert name_of(loaded.ioctl(0x222000).status) == "STATUS_INVALID_PARAMETER"


def test_no_completion_routine_from_there(make_kit: Any) -> None:
    """RULE-85: SetCompletionRoutineFromDispatch is a rule of static analysis; strict mode sees it."""
    body = """IoGetNextIrpStackLocation(Irp)->CompletionRoutine = (PIO_COMPLETION_ROUTINE)MakeQueues;
    """
    _, loaded = dispatching(make_kit(), body + CHOSEN)
    assert loaded.read(1).information == 1
    kit = make_kit()
    kit.fw.strict = True
    _, loaded = dispatching(kit, body + CHOSEN)
    with kit.stops("kmdf-routine-from-dispatch"):
        loaded.read(1)


SELF = (
    ENTRY
    + """
EVT_WDF_IO_QUEUE_IO_DEVICE_CONTROL Control;
EVT_WDF_REQUEST_COMPLETION_ROUTINE Back;
VOID Back(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params, WDFCONTEXT Context)
{
    DbgPrint("Back(%x) ", Params->IoStatus.Status);
    WdfRequestCompleteWithInformation(Request, Params->IoStatus.Status, 0);
}
VOID Control(WDFQUEUE Queue, WDFREQUEST Request, size_t OutputLength, size_t InputLength, ULONG Code)
{
    WDFIOTARGET self = WdfDeviceGetSelfIoTarget(WdfIoQueueGetDevice(Queue));
    IO_STACK_LOCATION location;
    RtlZeroMemory(&location, sizeof(location));
    location.MajorFunction = (UCHAR)(Code >> 2);
    location.Parameters.Read.Length = 3;
    WdfRequestWdmFormatUsingStackLocation(Request, &location);
    WdfRequestSetCompletionRoutine(Request, Back, NULL);
    if (!WdfRequestSend(Request, self, NULL)) WdfRequestComplete(Request, WdfRequestGetStatus(Request));
}
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDF_IO_QUEUE_CONFIG config;
    NTSTATUS status;
    ALLOW
    status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    WDF_IO_QUEUE_CONFIG_INIT(&config, WdfIoQueueDispatchParallel);
    config.EvtIoDeviceControl = Control;
    status = WdfIoQueueCreate(device, &config, WDF_NO_OBJECT_ATTRIBUTES, &other);
    if (!NT_SUCCESS(status)) return status;
    status = WdfDeviceConfigureRequestDispatching(device, other, WdfRequestTypeDeviceControl);
    if (!NT_SUCCESS(status)) return status;
    MORE
}
NTSTATUS Assign(WDFQUEUE Queue) { return WdfIoTargetSelfAssignDefaultIoQueue(WdfDeviceGetSelfIoTarget(device), Queue); }
"""
)
ALLOW = "WdfDeviceInitAllowSelfIoTarget(DeviceInit);"
ASSIGN = """status = MakeQueues();
    return NT_SUCCESS(status) ? WdfIoTargetSelfAssignDefaultIoQueue(WdfDeviceGetSelfIoTarget(device), other) : status;"""


def with_self(kit: Any, more: str = "return MakeQueues();", allow: str = ALLOW) -> tuple[Any, Any]:
    driver = kit.lab.load(SELF.replace("ALLOW", allow).replace("MORE", more), "self.c")
    loaded = kit.lab.start_driver(driver)
    assert (loaded.status, loaded.device_status) == (0, 0)
    return driver, loaded


def test_a_request_to_the_self_target_comes_to_the_own_queues(kit: Any) -> None:
    """KMDF-TGT-06: from a queue to the queue for reads; one more stack location."""
    driver, loaded = with_self(kit)
    assert kit.m.view(loaded.object, "DEVICE_OBJECT").StackSize == 3
    answer = loaded.ioctl(3 << 2)
    assert (name_of(answer.status), kit.lab.console) == ("STATUS_SUCCESS", "Read(3) Back(0) ")
    assert name_of(driver.Assign(kit.m.u64(driver.image.globals["other"]))) == "STATUS_INVALID_DEVICE_STATE"
    kit.lab.unload_driver(loaded)


def test_the_self_target_can_have_a_queue_of_its_own(kit: Any) -> None:
    """KMDF-TGT-06."""
    _, loaded = with_self(kit, ASSIGN)
    assert loaded.ioctl(3 << 2).status == 0
    assert loaded.read(4).information == 4
    assert kit.lab.console == "OtherRead(3) Back(0) Read(4) "


def test_what_the_self_target_does_not_take(make_kit: Any) -> None:
    """KMDF-TGT-06: another major function is STATUS_INVALID_PARAMETER, no queue at all STATUS_INVALID_DEVICE_STATE."""
    kit = make_kit()
    _, loaded = with_self(kit)
    with kit.stops("kmdf-self-target"):
        loaded.ioctl(9 << 2)
    kit = make_kit()
    kit.fw.verifier = "continue"
    _, loaded = with_self(kit)
    assert name_of(loaded.ioctl(9 << 2).status) == "STATUS_INVALID_PARAMETER"
    _, loaded = with_self(kit, "return STATUS_SUCCESS;")
    assert name_of(loaded.ioctl(3 << 2).status) == "STATUS_INVALID_DEVICE_STATE"


def test_no_self_target_unless_asked_for(kit: Any) -> None:
    """KMDF-TGT-06."""
    _, loaded = with_self(kit, allow="")
    assert kit.wdk.WdfDeviceGetSelfIoTarget(loaded.devices[0]) == 0


INTERFACES = whole_driver("""
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD DeviceAdd;
EVT_WDF_DEVICE_PROCESS_QUERY_INTERFACE_REQUEST Process;
typedef int ADD(PVOID Context, int Number);
typedef struct _ADDER {
    INTERFACE Header;
    ADD *Add;
} ADDER;
static const GUID GUID_ADDER = {0x1234, 0x56, 0x78, {1, 2, 3, 4, 5, 6, 7, 8}};
static const GUID GUID_OTHER = {0x4321, 0x56, 0x78, {1, 2, 3, 4, 5, 6, 7, 8}};
WDFDEVICE device;
int references;
static int Add(PVOID Context, int Number) { return *(int *)Context + Number; }
static VOID Reference(PVOID Context) { references++; }
static VOID Dereference(PVOID Context) { references--; }
int number = 40;
NTSTATUS Process(WDFDEVICE Device, LPGUID InterfaceType, PINTERFACE ExposedInterface, PVOID ExposedInterfaceSpecificData)
{
    DbgPrint("Process(%x, %d) ", InterfaceType->Data1, (int)(LONG_PTR)ExposedInterfaceSpecificData);
    return ANSWER;
}
NTSTATUS Offer(BOOLEAN Import, USHORT Size, BOOLEAN Counts, BOOLEAN Processes)
{
    ADDER own = {{Size, 2, &number, Counts ? Reference : NULL, Counts ? Dereference : NULL}, Add};
    WDF_QUERY_INTERFACE_CONFIG config;
    WDF_QUERY_INTERFACE_CONFIG_INIT(&config, &own.Header, &GUID_ADDER, Processes ? Process : NULL);
    config.ImportInterface = Import;
    return WdfDeviceAddQueryInterface(device, &config);
}
NTSTATUS OfferNothing(void)
{
    WDF_QUERY_INTERFACE_CONFIG config;
    WDF_QUERY_INTERFACE_CONFIG_INIT(&config, NULL, &GUID_ADDER, Process);
    return WdfDeviceAddQueryInterface(device, &config);
}
NTSTATUS OfferOfOtherSize(void)
{
    WDF_QUERY_INTERFACE_CONFIG config;
    WDF_QUERY_INTERFACE_CONFIG_INIT(&config, NULL, &GUID_ADDER, Process);
    config.Size--;
    return WdfDeviceAddQueryInterface(device, &config);
}
int Ask(USHORT Version, BOOLEAN Other)
{
    ADDER their;
    NTSTATUS status = WdfFdoQueryForInterface(device, Other ? &GUID_OTHER : &GUID_ADDER, &their.Header, sizeof(ADDER), Version,
                                              (PVOID)7);
    if (!NT_SUCCESS(status)) return status;
    status = their.Add(their.Header.Context, 2);
    their.Header.InterfaceDereference(their.Header.Context);
    return status;
}
NTSTATUS DeviceAdd(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    return WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
}
""")


def interfaces(kit: Any, process: str = "STATUS_SUCCESS") -> tuple[Any, Any]:
    """A driver that offers an interface, and one above it that asks."""
    below, above = (kit.lab.load(INTERFACES.replace("ANSWER", process), name) for name in ("below.c", "above.c"))
    kit.lab.start_driver(above, lower=kit.lab.start_driver(below))
    return below, above


def test_an_interface_is_copied_and_counted(kit: Any) -> None:
    """Page: using-driver-defined-interfaces.md."""
    below, above = interfaces(kit)
    assert name_of(above.Ask(2, False)) == "STATUS_NOT_SUPPORTED"
    assert below.Offer(False, 40, True, True) == 0
    assert above.Ask(2, False) == 42
    assert (kit.lab.console, kit.m.i32(below.image.globals["references"])) == ("Process(1234, 7) ", 0)
    assert name_of(above.Ask(1, False)) == "STATUS_INVALID_BUFFER_SIZE"
    assert name_of(above.Ask(2, True)) == "STATUS_NOT_SUPPORTED"


def test_an_interface_without_counting_or_callback(kit: Any) -> None:
    below, above = interfaces(kit)
    assert below.Offer(False, 40, False, False) == 0
    assert (above.Ask(3, False), kit.lab.console) == (42, "")


def test_a_callback_refuses_an_interface(make_kit: Any) -> None:
    """An error ends the query; STATUS_NOT_SUPPORTED lets it go on down, where nobody has it."""
    for process, expected in (("STATUS_ACCESS_DENIED", "STATUS_ACCESS_DENIED"), ("STATUS_NOT_SUPPORTED", "STATUS_NOT_SUPPORTED")):
        below, above = interfaces(make_kit(), process)
        assert below.Offer(False, 40, False, True) == 0
        assert name_of(above.Ask(2, False)) == expected


def test_what_an_offer_must_be(kit: Any) -> None:
    below, _ = interfaces(kit)
    assert name_of(below.OfferNothing()) == "STATUS_INVALID_PARAMETER"
    assert name_of(below.OfferOfOtherSize()) == "STATUS_INFO_LENGTH_MISMATCH"
    assert name_of(below.Offer(True, 40, False, False)) == "STATUS_INVALID_PARAMETER"
    assert name_of(below.Offer(False, 31, False, False)) == "STATUS_INVALID_PARAMETER"
    kit.lab.choices["framework allocation"] = "fails"
    assert name_of(below.Offer(False, 40, False, False)) == "STATUS_INSUFFICIENT_RESOURCES"
