"""The most common mistakes with WSK, each made on purpose: the rule that stops it, or what the mistaken driver sees instead.

Mistakes that no rule forbids end in an outcome that the driver did not expect: a status, fewer bytes, no callback. The ones that
only advice can decide stand in docs/facts.toml. Facts: WSK-GAP-15, and those cited test by test.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsk.test_control import cached, client
from tests.wsk.test_events import (
    DISABLE,
    LISTEN,
    NOT_ACCEPTED,
    PENDING,
    RECEIVE,
    RECEIVE_FROM,
    SUCCESS,
    Bound,
    Connected,
    Server,
)  # fmt: skip
from tests.wsk.test_listening import PEND, Inspecting
from tests.wsk.test_names import Resolver
from wsklab import CompileError, Lab, Stop
from wsklab.driverlife import start, unload
from wsklab.machine.status import is_success
from wsklab.wsk import check_unload, scene
from wsklab.wsk.subsystem import subsystem
from wsklab.wsk.tables import tables

PRELUDE = """
#include <ntddk.h>
#include <wsk.h>
#define CONNECTION ((PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch)

static NTSTATUS Signal(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    KeSetEvent((PKEVENT)Context, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS SignalPending(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    if (Irp->PendingReturned) KeSetEvent((PKEVENT)Context, IO_NETWORK_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS Free(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS Keep(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context) { return STATUS_MORE_PROCESSING_REQUIRED; }
static NTSTATUS Finish(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context) { return STATUS_SUCCESS; }

static NTSTATUS Mark(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    if (Irp->PendingReturned) IoMarkIrpPending(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS Block(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    KEVENT Never;
    KeInitializeEvent(&Never, SynchronizationEvent, FALSE);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

typedef struct _CHAIN { PWSK_SOCKET Socket; PWSK_BUF Buffer; } CHAIN;
static NTSTATUS Next(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    CHAIN *Chain = (CHAIN *)Context;
    PWSK_SOCKET Socket = Chain->Socket;
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Irp, Next, Chain, TRUE, TRUE, TRUE);
    CONNECTION->WskSend(Socket, Chain->Buffer, 0, Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Make(PIO_COMPLETION_ROUTINE Routine, PVOID Context)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(Irp, Routine, Context, TRUE, TRUE, TRUE);
    return Irp;
}

static WSK_BUF Describe(PVOID Memory, SIZE_T Length)
{
    WSK_BUF Buffer = { IoAllocateMdl(Memory, (ULONG)Length, FALSE, FALSE, NULL), 0, Length };
    MmBuildMdlForNonPagedPool(Buffer.Mdl);
    return Buffer;
}

static NTSTATUS Ask(PWSK_SOCKET Socket)
{
    ULONG On = 1;
    return CONNECTION->WskControlSocket(Socket, WskSetOption, SO_KEEPALIVE, SOL_SOCKET, sizeof(On), &On, 0, NULL, NULL,
                                        Make(Free, NULL));
}

static NTSTATUS Close(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PWSK_SOCKET Socket = (PWSK_SOCKET)Context;
    CONNECTION->WskCloseSocket(Socket, Make(Free, NULL));
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS FreeContext(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    ExFreePool(Context);
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static NTSTATUS Paged(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context);
#pragma alloc_text(PAGE, Paged)
static NTSTATUS Paged(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    PAGED_CODE();
    return STATUS_MORE_PROCESSING_REQUIRED;
}
"""

DRIVER = """
static const WSK_CLIENT_DISPATCH ClientDispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
static WSK_REGISTRATION Registration;
static WSK_PROVIDER_NPI Provider;

static VOID Work(PVOID Context)
{
    KEVENT Never;
    KeInitializeEvent(&Never, SynchronizationEvent, FALSE);
    KeWaitForSingleObject(&Never, Executive, KernelMode, FALSE, NULL);
}

static VOID Unload(PDRIVER_OBJECT DriverObject) { UNLOAD; }

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WSK_CLIENT_NPI Npi = { NULL, &ClientDispatch };
    NTSTATUS Status = WskRegister(&Npi, &Registration);
    DriverObject->DriverUnload = Unload;
    ENTRY;
    return Status;
}
"""


CHOSEN = tables().chosen
INLINE, AFTER = {"WskSend": "inline"}, {"WskSend": "inline", "inline completion": "after the return"}
WAIT = "KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);"
EVENT = "KEVENT Done; KeInitializeEvent(&Done, SynchronizationEvent, FALSE);"
POOL = "PVOID Memory = ExAllocatePool2(POOL_FLAG_NON_PAGED, 5, 'kaml'); WSK_BUF Local = Describe(Memory, 5);"

NO_PROVIDER, SILENT = {"WSK provider": "never"}, {"peer": "silent"}
CAPTURE = "WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);"
RELEASE, END = "WskReleaseProviderNPI(&Registration);", "WskDeregister(&Registration)"

# mistake: the rule that stops it; the body of Run(Socket, Buffer); choices, and the socket's peer
IN_C: dict[str, tuple[str, str, dict[str, str]]] = {
    "MIS-01": ("irp-freed-twice",
        "PIRP Irp = Make(Free, NULL); if (!NT_SUCCESS(CONNECTION->WskSend(Socket, Buffer, 0x80, Irp))) IoFreeIrp(Irp);", {}),
    "MIS-02 waits too little": ("irp-freed-in-flight",
        EVENT + "PIRP Irp = Make(Signal, &Done);"
        "if (CONNECTION->WskSend(Socket, Buffer, 0, Irp) == STATUS_PENDING) {" + WAIT + "} IoFreeIrp(Irp);", AFTER),
    "MIS-02 waits for ever": ("hang",
        EVENT + "PIRP Irp = Make(SignalPending, &Done); CONNECTION->WskSend(Socket, Buffer, 0, Irp);" + WAIT, INLINE),
    "MIS-03": ("use-after-free",
        "PIRP Irp = Make(Free, NULL); CONNECTION->WskSend(Socket, Buffer, 0, Irp); DbgPrint(\"%Iu\", Irp->IoStatus.Information);",
        INLINE),
    "MIS-04": ("own-irp-not-stopped", "CONNECTION->WskSend(Socket, Buffer, 0, Make(Finish, NULL));", {}),
    "MIS-05 no routine": ("irp-without-routine", "CONNECTION->WskSend(Socket, Buffer, 0, IoAllocateIrp(1, FALSE));", {}),
    "MIS-05 not always": ("irp-missing-invoke-flag",
        "PIRP Irp = IoAllocateIrp(1, FALSE); IoSetCompletionRoutine(Irp, Free, NULL, TRUE, FALSE, TRUE);"
        "CONNECTION->WskSend(Socket, Buffer, 0, Irp);", {}),
    "MIS-06": ("irp-sent-again",
        EVENT + "PIRP Irp = Make(Signal, &Done); CONNECTION->WskSend(Socket, Buffer, 0, Irp);" + WAIT
        + "CONNECTION->WskSend(Socket, Buffer, 0, Irp);", {}),
    "MIS-06 no routine": ("irp-without-routine",
        EVENT + "PIRP Irp = Make(Signal, &Done); CONNECTION->WskSend(Socket, Buffer, 0, Irp);" + WAIT
        + "IoReuseIrp(Irp, STATUS_SUCCESS); CONNECTION->WskSend(Socket, Buffer, 0, Irp);", {}),
    "MIS-07": ("irp-reused-in-flight",
        "PIRP Irp = Make(Keep, NULL); CONNECTION->WskReceive(Socket, Buffer, 0, Irp); IoReuseIrp(Irp, STATUS_SUCCESS);", {}),
    "MIS-08": ("mark-pending-own-irp", "CONNECTION->WskSend(Socket, Buffer, 0, Make(Mark, NULL));", {}),
    "MIS-09 completed": ("own-irp-completed", "IoCompleteRequest(Make(Keep, NULL), IO_NO_INCREMENT);", {}),
    "MIS-09 pool": ("irp-pool-freed", "ExFreePool(Make(Keep, NULL));", {}),
    "MIS-10": ("irp-no-stack-location",
        "PIRP Irp = IoAllocateIrp(0, FALSE); IoSetCompletionRoutine(Irp, Free, NULL, TRUE, TRUE, TRUE);", {}),
    "MIS-11": ("stack-overflow",
        "CHAIN Chain = { Socket, Buffer }; CONNECTION->WskSend(Socket, Buffer, 0, Make(Next, &Chain));", INLINE),
    "MIS-12": ("wait-in-callback", EVENT + "CONNECTION->WskSend(Socket, Buffer, 0, Make(Block, NULL));" + WAIT,
        {"completion IRQL": "PASSIVE_LEVEL"}),
    "MIS-13": ("irp-freed-in-flight",
        EVENT + "LARGE_INTEGER Second; PIRP Irp = Make(Signal, &Done); Second.QuadPart = -10000000;"
        "CONNECTION->WskReceive(Socket, Buffer, 0, Irp);"
        "KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, &Second); IoFreeIrp(Irp);", {}),
    "MIS-13 cancels too late": ("irp-cancelled-after-completion",
        EVENT + "PIRP Irp = Make(Signal, &Done); CONNECTION->WskSend(Socket, Buffer, 0, Irp);" + WAIT + "IoCancelIrp(Irp);", {}),
    "MIS-16": ("null-dereference",
        EVENT + "PIRP Irp = Make(Signal, &Done); CONNECTION->WskSend(Socket, Buffer, 0x80, Irp);" + WAIT
        + "Socket = (PWSK_SOCKET)Irp->IoStatus.Information; CONNECTION->WskSend(Socket, Buffer, 0, Irp);", {}),
    "MIS-18": ("object-in-paged-pool",
        "PKEVENT Event = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(KEVENT), 'kaml');"
        "KeInitializeEvent(Event, SynchronizationEvent, FALSE);", {}),
    "MIS-19 freed": ("wsk-buffer-freed",
        POOL + "CONNECTION->WskSend(Socket, &Local, 0, Make(Free, NULL)); ExFreePool(Memory);", {}),
    "MIS-19 changed": ("wsk-buffer-changed",
        POOL + "LARGE_INTEGER Moment; CONNECTION->WskSend(Socket, &Local, 0, Make(Free, NULL)); Moment.QuadPart = -10000;"
        "KeDelayExecutionThread(KernelMode, FALSE, &Moment); *(char *)Memory = 1;", {"peer": "slow"}),
    "MIS-20": ("use-after-scope", "Ask(Socket);", {"WskControlSocket": "pending"}),
    "MIS-20 an MDL": ("mdl-of-stack", "char Memory[5]; Describe(Memory, 5);", {}),
    "MIS-21": ("mdl-freed-in-use",
        POOL + "CONNECTION->WskSend(Socket, &Local, 0, Make(Free, NULL)); IoFreeMdl(Local.Mdl);", {}),
    "MIS-22": ("null-dereference", POOL, {"IoAllocateMdl": "fails"}),
    "MIS-22 outside try": ("mdl-bad-buffer", "PMDL Mdl = IoAllocateMdl((PVOID)0x1000, 5, FALSE, FALSE, NULL);"
        "MmProbeAndLockPages(Mdl, KernelMode, IoReadAccess);", {}),
    "MIS-23": ("mdl-unlocked-nonpaged", POOL + "MmUnlockPages(Local.Mdl);", {}),
    "MIS-24 paged": ("paged-memory-at-dispatch",
        "PSOCKADDR Place = ExAllocatePool2(POOL_FLAG_PAGED, sizeof(SOCKADDR_IN), 'kaml');"
        "CONNECTION->WskGetLocalAddress(Socket, Place, Make(Free, NULL));", {"WskGetLocalAddress": "pending"}),
    "MIS-48": ("hang", EVENT + "CONNECTION->WskSend(Socket, Buffer, 0, Make(Free, NULL));"
        "CONNECTION->WskDisconnect(Socket, NULL, 0, Make(Signal, &Done));" + WAIT, SILENT),
    "MIS-52 while a call runs": ("wsk-close-while-call-runs",
        "CONNECTION->WskSend(Socket, Buffer, 0, Make(Close, Socket));", INLINE),
    "MIS-52 called after": ("use-after-free",
        "CONNECTION->WskCloseSocket(Socket, Make(Free, NULL)); CONNECTION->WskSend(Socket, Buffer, 0, Make(Free, NULL));", {}),
    "MIS-52 called through a copy": ("wsk-call-after-close",
        "PWSK_PROVIDER_CONNECTION_DISPATCH Table = CONNECTION; Table->WskCloseSocket(Socket, Make(Free, NULL));"
        "Table->WskSend(Socket, Buffer, 0, Make(Free, NULL));", {}),
    "MIS-52 twice": ("wsk-second-close",
        "PWSK_PROVIDER_CONNECTION_DISPATCH Table = CONNECTION; Table->WskCloseSocket(Socket, Make(Free, NULL));"
        "Table->WskCloseSocket(Socket, Make(Free, NULL));", {}),
    "MIS-53": ("use-after-free",
        "CHAIN *Chain = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(CHAIN), 'kaml');"
        "CONNECTION->WskCloseSocket(Socket, Make(FreeContext, Chain)); Chain->Buffer = Buffer;", {}),
    "MIS-61": ("paged-code-at-dispatch", "CONNECTION->WskSend(Socket, Buffer, 0, Make(Paged, NULL));", {}),
}  # fmt: skip

# mistake: the rule; what DriverEntry does behind WskRegister; what Unload does; choices
IN_A_DRIVER: dict[str, tuple[str, str, str, dict[str, str]]] = {
    "MIS-26": ("local-overrun", CAPTURE + "{ ULONG Size; Provider.Dispatch->WskControlClient(Provider.Client,"
        "WSK_TRANSPORT_LIST_QUERY, 0, NULL, 0, NULL, (PSIZE_T)&Size, NULL); }", "", {}),
    "MIS-54 the registration": ("wsk-not-deregistered", "", "", {}),
    "MIS-54 the thread": ("thread-at-unload", "{ HANDLE Thread; PsCreateSystemThread(&Thread, THREAD_ALL_ACCESS, NULL, NULL,"
        "NULL, Work, NULL); ZwClose(Thread); }", END, {}),
    "MIS-55 the socket": ("hang", CAPTURE + "Provider.Dispatch->WskSocket(Provider.Client, AF_INET, SOCK_DGRAM, IPPROTO_UDP,"
        "WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, NULL, NULL, NULL, Make(Free, NULL));" + RELEASE, END, {}),
    "MIS-55 the provider": ("hang", CAPTURE, END, {}),
    "MIS-56 the client": ("wsk-npi-not-captured", CAPTURE + RELEASE + "Provider.Dispatch->WskControlClient(Provider.Client,"
        "WSK_TDI_BEHAVIOR, 0, NULL, 0, NULL, NULL, NULL);", END, {}),
    "MIS-56 not balanced": ("wsk-released-too-often", CAPTURE + RELEASE + RELEASE, END, {}),
    "MIS-57": ("hang", CAPTURE, RELEASE + END, NO_PROVIDER),
    "MIS-58": ("wsk-not-deregistered", "Status = WskCaptureProviderNPI(&Registration, WSK_NO_WAIT, &Provider)", "", NO_PROVIDER),
    "MIS-59 the IRP": ("irp-leaked", "IoAllocateIrp(1, FALSE);", END, {}),
    "MIS-59 the memory": ("pool-leaked", "ExAllocatePool2(POOL_FLAG_NON_PAGED, 5, 'kaml');", END, {}),
}  # fmt: skip


def stop_of(text: str, choices: dict[str, str]) -> Stop:
    """Run C until it is stopped: the life of a driver, or Run with a connected socket and a buffer."""
    lab = Lab(choices={kind: answer for kind, answer in choices.items() if kind != "peer"})
    driver = lab.load(text, "mistake.c")
    with pytest.raises(Stop) as stop:
        if "DriverEntry" in driver.functions:
            unload(lab, start(lab, driver, "mistake"))
        else:
            driver.Run(lab.connected_socket(choices.get("peer", "reads")), lab.buffer(b"bytes"))
            lab.run()
    return stop.value


@pytest.mark.parametrize("mistake", IN_C)
def test_a_rule_stops_what_a_function_does_wrong(mistake: str) -> None:
    rule, body, choices = IN_C[mistake]
    stopped = stop_of(f"{PRELUDE}void Run(PWSK_SOCKET Socket, PWSK_BUF Buffer) {{ {body} }}", choices).rule
    assert (stopped.id, mistake[:6] in stopped.facts) == (rule, True)


@pytest.mark.parametrize("mistake", IN_A_DRIVER)
def test_a_rule_stops_what_a_driver_does_wrong(mistake: str) -> None:
    rule, entry, end, choices = IN_A_DRIVER[mistake]
    stopped = stop_of(PRELUDE + DRIVER.replace("ENTRY;", entry + ";").replace("UNLOAD;", end + ";"), choices).rule
    assert (stopped.id, mistake[:6] in stopped.facts) == (rule, True)


def stopped(mistake: str, rule: str, action: Any) -> None:
    """An action is stopped by a rule that is about this mistake."""
    with pytest.raises(Stop) as stop:
        action()
    assert (stop.value.rule.id, mistake in stop.value.rule.facts) == (rule, True)


def test_an_address_that_is_too_long_for_its_place(driver: Any) -> None:
    """MIS-24: a SOCKADDR_IN on an IPv6 socket."""
    socket = scene.datagram(driver.m, family=23)
    stopped("MIS-24", "overrun", lambda: driver.call("WskGetLocalAddress", socket, driver.m.allocate(16)))


def test_an_address_of_a_list_that_is_freed_or_never_freed(driver: Any) -> None:
    """MIS-27."""
    resolver = Resolver(driver)
    resolver.ask("localhost")
    m, head = driver.m, driver.m.u64(resolver.result)
    place = int(m.view(head, "ADDRINFOEXW").ai_addr)
    m.api("WskFreeAddressInfo")(resolver.client, head)
    stopped("MIS-27", "use-after-free", lambda: m.u16(place))
    resolver.ask("localhost")
    m.api("WskReleaseProviderNPI")(driver.block)
    m.start_thread(m.api("WskDeregister")(driver.block), "deregister")
    driver.run()
    stopped("MIS-27", "wsk-address-info-not-freed", lambda: check_unload(m))


def test_what_a_callback_was_shown_is_gone(driver: Any) -> None:
    """MIS-28: indications, and the addresses of WskAcceptEvent."""
    c = Connected(driver)
    c.send(b"x")
    stopped("MIS-28", "use-after-free", lambda: driver.indicated(c.heads[0]))
    other = driver.__class__()
    places: list[int] = []
    Server(other, take=lambda socket, out, table: SUCCESS)
    table = other.callbacks(LISTEN, WskAcceptEvent=lambda *given: places.append(given[3]) or 0xC00000D0)
    listener = other.socket("listening", 0, table)
    other.bind(listener, "10.0.0.1:81")
    other.switch(listener, 0x200)
    other.peer("10.0.0.1:81")
    other.run()
    stopped("MIS-28", "use-after-free", lambda: other.m.u16(places[0]))


def test_a_function_of_the_wrong_table(driver: Any) -> None:
    """MIS-33: seen by the socket's category where the parameters fit, else by their number."""
    stopped("MIS-33", "wsk-wrong-dispatch", lambda: driver.send(scene.datagram(driver.m), b"x"))


def test_outputs_that_are_not_set(driver: Any) -> None:
    """MIS-36."""
    Server(driver, take=lambda *_: SUCCESS)
    driver.peer("10.0.0.1:80")
    stopped("MIS-36", "wsk-accept-outputs-not-set", driver.run)


def test_an_irp_too_many_and_one_too_few(driver: Any) -> None:
    """MIS-37."""
    c, m = Connected(driver), driver.m
    stopped("MIS-37", "wsk-irp-forbidden", lambda: driver.switch(c.socket, RECEIVE, irp=True))
    stopped("MIS-37", "wsk-no-irp", lambda: m.api("WskReceive")(c.socket, scene.wsk_buf(m, b"x"), 0, 0))


def test_the_pointer_to_an_inspect_id_is_not_the_id(driver: Any) -> None:
    """MIS-40: afterwards it leads nowhere; a copy names the request."""
    i, pointers = Inspecting(driver, PEND), []
    inspect = i.inspect
    table = driver.callbacks(
        LISTEN, WskInspectEvent=lambda *given: pointers.append(given[3]) or inspect(*given), WskAbortEvent=i.abort
    )
    subsystem(driver.m).sockets[i.listener].events.table = table
    i.arrive()
    stopped("MIS-40", "use-after-free", lambda: driver.call("WskInspectComplete", i.listener, pointers[0], 1))
    assert i.complete(1).result == ("STATUS_SUCCESS", 0)


def test_indications_that_are_kept_until_the_close(driver: Any) -> None:
    """MIS-45."""
    c = Connected(driver, PENDING)
    c.send(b"x")
    stopped("MIS-45", "wsk-indications-not-released", lambda: driver.close(c.socket))


def test_a_descriptor_released_too_early_or_never(driver: Any) -> None:
    """MIS-60."""
    driver.register()
    descriptor = cached(driver)
    driver.m.choices["WskSocket"] = "pending"
    driver.call("WskSocket", driver.m.u64(driver.provider), 2, 2, 17, 4, 0, 0, 0, 0, descriptor)
    release = descriptor.to_bytes(8, "little")
    stopped("MIS-60", "wsk-descriptor-in-use", lambda: client(driver, "WSK_RELEASE_SD", release))
    other = driver.__class__()
    other.register()
    cached(other)
    other.m.api("WskReleaseProviderNPI")(other.block)
    other.m.start_thread(other.m.api("WskDeregister")(other.block), "deregister")
    other.run()
    stopped("MIS-60", "wsk-descriptor-not-released", lambda: check_unload(other.m))


# Mistakes that no rule forbids: what the driver sees instead of what it expected


def test_a_time_out_is_a_success() -> None:
    """MIS-14, MIS-15: so is STATUS_PENDING, and success has more values than one."""
    text = PRELUDE + f"NTSTATUS Run(void) {{ LARGE_INTEGER Second; Second.QuadPart = -10000000; {EVENT}"
    text += "return KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, &Second); }"
    status = Lab().load(text).Run()
    assert (repr(status), is_success(status), is_success(0x103), status == 0) == ("STATUS_TIMEOUT", True, True, False)


def test_the_information_of_a_resolution_is_no_count(driver: Any) -> None:
    """MIS-16."""
    assert Resolver(driver).ask("nobody.example").result == ("STATUS_NO_MATCH", 0xC0000272)


def test_a_port_in_host_byte_order_is_another_port(driver: Any) -> None:
    """MIS-25: 40007 is 0x9C47 and arrives as 0x479C, which is 18332."""
    driver.register()
    socket, address = driver.socket("listening"), scene.sockaddr(driver.m, "0.0.0.0:0")
    driver.m.set_u16(address + 2, 40007)
    driver.call("WskBind", socket, address, 0)
    assert subsystem(driver.m).sockets[socket].local.port == 18332


def test_callbacks_enabled_too_early(driver: Any) -> None:
    """MIS-29: before the bind of a listener or datagram socket, before the connect of a connection."""
    driver.register()
    flags = {"listening": 0x200, "datagram": RECEIVE_FROM, "connection": RECEIVE}
    assert [driver.switch(driver.socket(category), flag) for category, flag in flags.items()] == [
        CHOSEN["wrong state"].status
    ] * 3


def test_options_that_come_too_late(driver: Any) -> None:
    """MIS-30: after the bind; static callbacks after the first socket."""
    m = driver.m
    driver.register()
    listener, on = driver.socket("listening"), m.allocate(4)
    m.set_u32(on, 1)
    driver.bind(listener, "10.0.0.1:80")
    answers = []
    for option in ("SO_CONDITIONAL_ACCEPT", "SO_EXCLUSIVEADDRUSE", "SO_REUSEADDR"):
        code = m.constant(option) & 0xFFFF_FFFF
        answers.append(driver.call("WskControlSocket", listener, 0, code, 0xFFFF, 4, on, 0, 0, 0).result[0])
    assert (answers, driver.for_all(0x200)) == (
        [CHOSEN["option after the bind"].status] * 3, CHOSEN["sockets exist already"].status,
    )  # fmt: skip


def test_sockets_that_are_not_bound_or_do_not_listen(driver: Any) -> None:
    """MIS-31, MIS-34."""
    driver.register()
    address, wrong = scene.sockaddr(driver.m, "10.0.0.2:7"), (CHOSEN["wrong state"].status, 0)
    assert driver.call("WskConnect", driver.socket("connection"), address, 0).result == wrong
    assert driver.send_to(driver.socket("datagram"), b"x", "10.0.0.2:7").result == wrong
    stream = driver.socket("stream")
    driver.bind(stream, "10.0.0.1:80")
    assert driver.call("WskAccept", stream, 0, 0, 0, 0, 0).result == wrong
    assert "WskListen" not in tables().categories["listening"].slots


def test_protocol_0(driver: Any) -> None:
    """MIS-32."""
    made = driver.call("WskSocket", driver.register(), 2, 1, 0, 2, 0, 0, 0, 0, 0)
    assert made.result == (CHOSEN["protocol 0"].status, 0)


def test_an_accepted_socket_has_its_own_callbacks(driver: Any) -> None:
    """MIS-35: WskAccept hands nothing on."""
    s = Server(driver, flags=0x200 | RECEIVE)
    driver.call("WskAccept", s.listener, 0, 0x22, s.table, 0, 0)
    peer = driver.peer("10.0.0.1:80")
    driver.run()
    peer.send(b"x")
    driver.run()
    assert s.received == []


def test_disabling_several_or_taking_it_for_done(driver: Any) -> None:
    """MIS-38: STATUS_EVENT_PENDING is a success, and the callback still runs."""
    answers: list[str] = []
    c = Connected(driver, lambda head: answers.append(driver.switch(c.socket, RECEIVE | DISABLE)) or SUCCESS)
    answers.append(driver.switch(c.socket, RECEIVE | 0x80 | DISABLE))
    c.send(b"x")
    assert answers == [CHOSEN["bad argument"].status, "STATUS_EVENT_PENDING"]
    assert is_success(driver.m.constant("STATUS_EVENT_PENDING"))


def test_a_queued_receive_does_not_keep_the_callback_away(driver: Any) -> None:
    """MIS-39."""
    driver.m.choices["callback race"] = "the callback"
    c = Connected(driver)
    call, _ = driver.receive(c.socket, 9)
    assert (c.send(b"x"), call.result) == ([b"x"], None)


def test_sends_and_receives_do_not_match_and_the_stream_ends(driver: Any) -> None:
    """MIS-41, MIS-42: two sends in one receive, one send in two; then success and no bytes, again and again."""
    socket = scene.connected(driver.m)
    peer = scene.peer_of(driver.m, socket)
    for piece in (b"ab", b"cdef"):
        peer.send(piece)
    peer.close()
    driver.run()
    counts = []
    for _ in range(4):
        call, _ = driver.receive(socket, 4)
        driver.run()
        counts.append(call.result)
    assert counts == [("STATUS_SUCCESS", count) for count in (4, 2, 0, 0)]


@pytest.mark.parametrize("answer", [NOT_ACCEPTED, (SUCCESS, 1)])
def test_a_callback_that_refused_is_not_called_again(driver: Any, answer: Any) -> None:
    """MIS-43: until WskReceive is called."""
    c = Connected(driver, answer)
    assert c.send(b"ab", b"cd") == [b"ab"]
    driver.receive(c.socket, 1)
    driver.run()
    assert len(c.told) == 2


def test_the_callback_of_a_datagram_socket_has_to_be_enabled_again(driver: Any) -> None:
    """MIS-44: a receive does not resume it."""
    b = Bound(driver, NOT_ACCEPTED)
    b.send(b"a")
    driver.receive_from(b.socket, 9)
    assert b.send(b"b", b"c") == [[b"a"]]
    assert driver.switch(b.socket, RECEIVE_FROM) == "STATUS_SUCCESS"
    driver.run()
    assert b.told == [[b"a"], [b"b", b"c"]]


def test_bytes_accepted_of_a_list_that_is_kept_say_nothing(driver: Any) -> None:
    """MIS-46."""
    c = Connected(driver, (PENDING, 1))
    assert c.send(b"abc", b"def") == [b"abc", b"def"]


def test_a_close_is_no_polite_end(driver: Any) -> None:
    """MIS-47: the peer sees a reset."""
    socket = scene.connected(driver.m)
    peer = scene.peer_of(driver.m, socket)
    driver.close(socket)
    driver.run()
    assert peer.broken


def test_no_last_data_with_an_abortive_disconnect(driver: Any) -> None:
    """MIS-49."""
    socket = scene.connected(driver.m)
    call = driver.call("WskDisconnect", socket, scene.wsk_buf(driver.m, b"last"), 1)
    assert (call.result, scene.peer_of(driver.m, socket).received) == ((CHOSEN["bad argument"].status, 0), b"")


def test_an_answer_from_another_address_than_the_fixed_one(driver: Any) -> None:
    """MIS-50."""
    m, socket = driver.m, scene.datagram(driver.m)
    scene.network(m).host("10.0.0.3").echoes = True
    scene.control(m, socket, "SIO_WSK_SET_REMOTE_ADDRESS", scene.sockaddr(m, "10.0.0.2:7"))
    receive, _ = driver.receive_from(socket, 9)
    sent = driver.send_to(socket, b"x", "10.0.0.3:7")
    driver.run()
    assert (sent.result, receive.result) == (("STATUS_SUCCESS", 1), None)


def test_a_connection_comes_before_the_pointer_to_its_listener_is_stored(driver: Any) -> None:
    """MIS-62: a static callback is on from the bind on, whoever still waits for the bind."""
    stored: list[int] = []
    seen: list[list[int]] = []
    driver.register()
    driver.for_all(0x200)
    table = driver.callbacks(LISTEN, WskAcceptEvent=lambda *_: seen.append(list(stored)) or 0xC00000D0)
    listener = driver.socket("listening", 0, table)
    driver.m.choices["WskBind"] = "pending"
    driver.m.after(0, lambda: driver.peer("10.0.0.1:80"))
    driver.then = lambda call: driver.m.after(10_000_000, lambda: stored.append(listener))
    driver.call("WskBind", listener, scene.sockaddr(driver.m, "10.0.0.1:80"), 0)
    driver.run()
    assert (seen, stored) == ([[]], [listener])


# The listings of the pages

SLIPS = {
    "NTSTATUS F(PVOID A; PVOID B) { return STATUS_SUCCESS; }": "A semicolon cannot stand between these parentheses.",
    "NTSTATUS F(PVOID A,) { return STATUS_SUCCESS; }": "A comma separates, and nothing follows this one.",
    "NTSTATUS F(void) { NTSTATUS Status = 0; return status; }": "status is not declared.",
    "NTSTATUS F(void) { return STATUS_SUCCESS: }": "A statement ends with a semicolon, not with a colon.",
    "WSK_REGISTRATION Registration\nNTSTATUS F(void) { return 0; }": "A semicolon is missing after Registration.",
    "NTSTATUS F(PIRP Irp) { PIRP Irp; return STATUS_SUCCESS; }": "Irp is already declared in line 2 of slip.c.",
    "void F(WSK_CLIENT_NPI *P, WSK_CLIENT_DISPATCH D) { P->Dispatch = D; }":
        "assignment: WSK_CLIENT_DISPATCH cannot become WSK_CLIENT_DISPATCH *.",
}  # fmt: skip


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_of_a_listing_is_reported(text: str) -> None:
    """WSK-GAP-16; assigning an output's parameter instead of what it points to compiles, and is MIS-36."""
    with pytest.raises(CompileError) as error:
        Lab(language="en").load("#include <wsk.h>\n" + text, "slip.c")
    assert SLIPS[text] in str(error.value)


def test_a_listing_without_its_return_is_stopped() -> None:
    """WSK-GAP-16."""
    with pytest.raises(Stop) as stop:
        Lab().load(PRELUDE + "static NTSTATUS F(void) { } NTSTATUS Run(void) { NTSTATUS Status = F(); return Status; }").Run()
    assert (stop.value.rule.id, stop.value.rule.facts) == ("no-return-value", ("WSK-GAP-16",))
