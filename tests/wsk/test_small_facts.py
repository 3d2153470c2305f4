"""Facts that one line shows each: constants, tables, levels, and what the arguments of each function must be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wsk.conftest import Driver, rule_of
from wsklab import Lab
from wsklab.machine.api import MODELLED
from wsklab.machine.status import is_success
from wsklab.wsk import scene
from wsklab.wsk.subsystem import parameters, subsystem
from wsklab.wsk.tables import tables

CATEGORIES, CHOSEN, EVENTS = tables().categories, tables().chosen, tables().events


# name → value, as fact sheet section 1.4 has them
VALUES = {
    "WSK_FLAG_BASIC_SOCKET": 0, "WSK_FLAG_LISTEN_SOCKET": 1, "WSK_FLAG_CONNECTION_SOCKET": 2, "WSK_FLAG_DATAGRAM_SOCKET": 4,
    "WSK_FLAG_STREAM_SOCKET": 8, "WSK_FLAG_ABORTIVE": 1, "WSK_FLAG_NODELAY": 2, "WSK_FLAG_WAITALL": 2, "WSK_FLAG_DRAIN": 4,
    "WSK_FLAG_RELEASE_ASAP": 2, "WSK_FLAG_ENTIRE_MESSAGE": 4, "WSK_FLAG_AT_DISPATCH_LEVEL": 8, "WSK_EVENT_SEND_BACKLOG": 0x10,
    "WSK_EVENT_RECEIVE": 0x40, "WSK_EVENT_DISCONNECT": 0x80, "WSK_EVENT_RECEIVE_FROM": 0x100, "WSK_EVENT_ACCEPT": 0x200,
    "WSK_EVENT_DISABLE": 0x80000000, "WSK_NO_WAIT": 0, "WSK_INFINITE_WAIT": 0xFFFFFFFF, "WSK_TRANSPORT_LIST_QUERY": 2,
    "WSK_TRANSPORT_LIST_CHANGE": 3, "WSK_CACHE_SD": 4, "WSK_RELEASE_SD": 5, "WSK_TDI_DEVICENAME_MAPPING": 6,
    "WSK_SET_STATIC_EVENT_CALLBACKS": 7, "WSK_TDI_BEHAVIOR": 8, "WSK_TDI_BEHAVIOR_BYPASS_TDI": 1, "SO_WSK_SECURITY": 0x4001,
    "SO_WSK_EVENT_CALLBACK": 0x4002, "SIO_WSK_SET_REMOTE_ADDRESS": 0x8F000001, "SIO_WSK_REGISTER_EXTENSION": 0xCF000002,
    "SIO_WSK_QUERY_IDEAL_SEND_BACKLOG": 0x4F000003, "SIO_WSK_QUERY_RECEIVE_BACKLOG": 0x4F000004,
    "SIO_WSK_QUERY_INSPECT_ID": 0x4F000005, "SIO_WSK_SET_SENDTO_ADDRESS": 0x8F000006, "SIO_WSK_SET_TCP_SILENT_MODE": 0x2F000007,
    "SIO_ADDRESS_LIST_QUERY": 0x48000016, "SIO_ADDRESS_LIST_CHANGE": 0x28000017, "SIO_ADDRESS_LIST_SORT": 0xC8000019,
    "WskSetOption": 0, "WskGetOption": 1, "WskIoctl": 2, "WskInspectReject": 0, "WskInspectAccept": 1, "WskInspectPend": 2,
    "MSG_TRUNC": 0x100, "MSG_CTRUNC": 0x200, "MSG_BCAST": 0x400, "MSG_MCAST": 0x800, "SO_EXCLUSIVEADDRUSE": 0xFFFFFFFB,
    "SO_RCVBUF": 0x1002, "SO_CONDITIONAL_ACCEPT": 0x3002, "NI_NOFQDN": 1, "NI_NUMERICHOST": 2, "NI_NAMEREQD": 4,
    "NI_NUMERICSERV": 8, "NI_DGRAM": 0x10, "NS_ALL": 0, "STATUS_FILE_FORCED_CLOSED": 0xC00000B6,
    "STATUS_NOT_SUPPORTED": 0xC00000BB, "STATUS_INVALID_DEVICE_STATE": 0xC0000184, "STATUS_DEVICE_NOT_READY": 0xC00000A3,
    "STATUS_NOINTERFACE": 0xC00002B9, "STATUS_NO_MATCH": 0xC0000272, "STATUS_ADDRESS_ALREADY_EXISTS": 0xC000020A,
    "STATUS_BUFFER_TOO_SMALL": 0xC0000023, "STATUS_NOT_FOUND": 0xC0000225, "STATUS_INVALID_BUFFER_SIZE": 0xC0000206,
    "STATUS_DATA_NOT_ACCEPTED": 0xC000021B, "STATUS_REQUEST_NOT_ACCEPTED": 0xC00000D0, "STATUS_NOT_IMPLEMENTED": 0xC0000002,
    "STATUS_MORE_PROCESSING_REQUIRED": 0xC0000016,
}  # fmt: skip


def test_constants(driver: Any) -> None:
    """WSK-NUM-01, WSK-NUM-03, WSK-NUM-04, WSK-IEV-07: three flags share the value 2."""
    assert {name: driver.m.constant(name) & 0xFFFF_FFFF for name in VALUES} == VALUES


def test_severity_decides() -> None:
    """WSK-NUM-02, WSK-TLQ-03, WSK-CONX-04, WSK-CTL-07."""
    assert [is_success(value) for value in (0, 0x102, 0x103, 0x40000013, 0x80000005)] == [True, True, True, True, False]


def test_versions_in_c() -> None:
    """WSK-OBJ-11, WSK-OBJ-12, WSK-OBJ-18, WSK-OBJ-19, WSK-OBJ-21, WSK-OBJ-22: wsk.h alone is enough."""
    text = """
    #include <ntddk.h>
    #include <wsk.h>
    NTSTATUS WSKAPI Event(PVOID Context, ULONG Flags) { return Flags ? STATUS_SUCCESS : STATUS_NOT_IMPLEMENTED; }
    ULONG Pack(void) { return MAKE_WSK_VERSION(3, 7); }
    ULONG Major(void) { return WSK_MAJOR_VERSION(0x0307); }
    ULONG Minor(void) { return WSK_MINOR_VERSION(0x0307); }
    ULONG Slot(void) { return FIELD_OFFSET(WSK_PROVIDER_LISTEN_DISPATCH, WskCloseSocket); }
    ULONG Names(void) { return FIELD_OFFSET(WSK_PROVIDER_DISPATCH, WskGetNameInfo); }
    """
    code = Lab().load(text)
    assert (code.Pack(), code.Major(), code.Minor(), code.Slot(), code.Names()) == (0x0307, 3, 7, 8, 48)


def test_every_table_starts_with_the_basic_slots(driver: Any) -> None:
    """WSK-OBJ-24, WSK-OBJ-03, WSK-CAT-03."""
    driver.register()
    for make in (scene.connected, scene.listener, scene.datagram):
        table = driver.m.u64(make(driver.m))
        assert [driver.m.code_at(driver.m.u64(table + 8 * n)).name for n in (0, 1)] == ["WskControlSocket", "WskCloseSocket"]


def test_what_each_category_does_not_have() -> None:
    """WSK-CAT-03 to 06, WSK-CAT-08, WSK-CAT-12, WSK-RLS-06: no bind for basic sockets, no remote address for datagram sockets,
    no listen and no release for listening sockets, no inspection for stream sockets."""
    assert CATEGORIES["basic"].slots.keys() == {"WskControlSocket", "WskCloseSocket"}
    assert not {"WskConnect", "WskGetRemoteAddress"} & CATEGORIES["datagram"].slots.keys()
    assert not {"WskListen", "WskRelease", "WskConnect"} & CATEGORIES["listening"].slots.keys()
    assert "WskInspectComplete" not in CATEGORIES["stream"].slots


def test_the_callbacks_of_each_category() -> None:
    """WSK-EV-01 to 03, WSK-IRQL-03, WSK-SOE-06: which are switched by a flag, and by which."""
    shown = {name: (row.flag.removeprefix("WSK_EVENT_"), row.categories[0]) for name, row in EVENTS.items()}
    assert shown == {
        "WskAcceptEvent": ("ACCEPT", "listening"), "WskInspectEvent": ("", "listening"), "WskAbortEvent": ("", "listening"),
        "WskReceiveEvent": ("RECEIVE", "connection"), "WskDisconnectEvent": ("DISCONNECT", "connection"),
        "WskSendBacklogEvent": ("SEND_BACKLOG", "connection"), "WskReceiveFromEvent": ("RECEIVE_FROM", "datagram"),
    }  # fmt: skip


# function → its arguments behind the socket or client, without the IRP at the end
ARGUMENTS = {
    "WskSocketConnect": "SocketType Protocol LocalAddress RemoteAddress Flags SocketContext Dispatch OwningProcess OwningThread "
    "SecurityDescriptor",
    "WskControlSocket": "RequestType ControlCode Level InputSize InputBuffer OutputSize OutputBuffer OutputSizeReturned",
    "WskControlClient": "ControlCode InputSize InputBuffer OutputSize OutputBuffer OutputSizeReturned",
    "WskCloseSocket": "", "WskBind": "LocalAddress Flags", "WskConnect": "RemoteAddress Flags", "WskListen": "",
    "WskConnectEx": "RemoteAddress Buffer Flags", "WskInspectComplete": "InspectID Action", "WskSend": "Buffer Flags",
    "WskAccept": "Flags AcceptSocketContext AcceptSocketDispatch LocalAddress RemoteAddress", "WskReceive": "Buffer Flags",
    "WskDisconnect": "Buffer Flags", "WskGetLocalAddress": "LocalAddress", "WskGetRemoteAddress": "RemoteAddress",
    "WskReceiveFrom": "Buffer Flags RemoteAddress ControlLength ControlInfo ControlFlags",
}  # fmt: skip


@pytest.mark.parametrize("function", ARGUMENTS)
def test_arguments(function: str) -> None:
    """WSK-SC-01, WSK-CTL-01, WSK-CC-01, WSK-CLOSE-01, WSK-BIND-01, WSK-CONN-01, WSK-LSTN-01, WSK-CONX-01, WSK-INSC-01,
    WSK-SEND-01, WSK-RECV-01, WSK-ACC-01, WSK-DISC-01, WSK-GLA-01, WSK-RFR-01, WSK-GAP-09."""
    assert parameters(function)[1:-1] == ARGUMENTS[function].split()


# the highest IRQL: 0 PASSIVE_LEVEL, 2 DISPATCH_LEVEL
PASSIVE = ("WskRegister", "WskDeregister", "WskGetAddressInfo", "WskGetNameInfo", "WskFreeAddressInfo")


def test_irql_of_every_function() -> None:
    """WSK-IRQL-01, WSK-REG-01, WSK-REL-01, WSK-QPC-01, WSK-DER-01, WSK-CAP-01."""
    found = {name: row.irql for name, row in MODELLED.items() if row.lane == "wsk"}
    assert found == {name: 0 if name in PASSIVE else 2 for name in found}


def test_a_family_comes_from_the_local_address(driver: Any) -> None:
    """WSK-AF-04, WSK-SC-03, WSK-SC-05 to 07: its callbacks are off."""
    m, client = driver.m, driver.register()
    scene.network(m).peer("[fd00::2]:80")
    places = scene.sockaddr(m, "[::]:0"), scene.sockaddr(m, "[fd00::2]:80")
    call = driver.call("WskSocketConnect", client, 1, 6, *places, 0, 0, 0, 0, 0, 0)
    driver.run()
    socket = subsystem(m).sockets[call.result[1]]
    assert (socket.family, socket.category, socket.events.mask) == (23, "connection", 0)


def test_a_wildcard_is_decided_by_the_connect(driver: Any) -> None:
    """WSK-AF-08, WSK-AF-09, WSK-BIND-07: before, there is a port and no address."""
    m, place = driver.m, driver.m.allocate(16)
    driver.register()
    scene.network(m).peer("10.0.0.2:80")
    socket, shown = driver.socket("connection"), []
    driver.bind(socket, "0.0.0.0:0")
    for _ in range(2):
        driver.call("WskGetLocalAddress", socket, place)
        shown.append(m.read(place + 4, 4))
        driver.call("WskConnect", socket, scene.sockaddr(m, "10.0.0.2:80"), 0)
        driver.run()
    assert shown == [bytes(4), bytes([10, 0, 0, 1])]


def test_information_says_how_much_was_written(driver: Any) -> None:
    """WSK-CTL-05, WSK-CTL-06, WSK-CTL-09, WSK-SOO-04: 0 for a set, 4 for a get, 0 for a failure."""
    m, socket, place = driver.m, scene.datagram(driver.m), driver.m.allocate(4, zero=True)
    kinds = [(0, 4, place, 0, 0), (1, 0, 0, 4, place), (1, 0, 0, 3, place)]
    results = []
    for kind, *buffers in kinds:
        call = driver.call("WskControlSocket", socket, kind, m.constant("SO_BROADCAST"), 0xFFFF, *buffers, 0)
        driver.run()
        results.append(call.result)
    assert results == [("STATUS_SUCCESS", 0), ("STATUS_SUCCESS", 4), (CHOSEN["wrong size of option buffer"].status, 0)]


def test_the_output_size_is_a_size_t(driver: Any) -> None:
    """WSK-CC-07, WSK-GAP-03: a ULONG variable is overrun, which is seen."""
    client, place = driver.register(), driver.m.allocate(4)
    assert rule_of(lambda: driver.m.api("WskControlClient")(client, 2, 0, 0, 0, 0, place, 0)) == "overrun"


def test_an_owning_process_changes_nothing(driver: Any) -> None:
    """WSK-GAP-05, WSK-GAI-07."""
    m, client, result = driver.m, driver.register(), driver.m.allocate(8)
    name = m.view(m.new("UNICODE_STRING"), "UNICODE_STRING")
    name.Length, name.MaximumLength, name.Buffer = 18, 20, m.allocate(20)
    m.write(int(name.Buffer), "localhost\0".encode("utf-16-le"))
    heads = []
    for process in (0, 0x1234):
        call = driver.call("WskGetAddressInfo", client, int(name), 0, 0, 0, 0, result, process, 0)
        driver.run()
        heads.append(call.result)
        m.api("WskFreeAddressInfo")(client, m.u64(result))
    assert heads == [("STATUS_SUCCESS", 0)] * 2


@pytest.mark.parametrize(
    "option", ["SO_KEEPALIVE", "SO_RCVBUF", "TCP_NODELAY", "TCP_FASTOPEN", "IPV6_V6ONLY", "SO_CONDITIONAL_ACCEPT"]
)
def test_options_of_a_listener(option: str) -> None:
    """WSK-SOO-02, WSK-SOO-03, WSK-SOO-05, WSK-CONX-06, WSK-CTL-02: all are there; accepted sockets inherit two."""
    row = tables().options[option]
    assert "listening" in row.categories
    assert row.inherited == (option in ("SO_KEEPALIVE", "SO_RCVBUF"))


def test_a_time_out_is_a_wait_and_a_cancel() -> None:
    """WSK-USE-26 to 29, WSK-USE-31: as a library does it; the end of the registration waits for the IRP."""
    text = """
    #include <ntddk.h>
    #include <wsk.h>
    static NTSTATUS Signal(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
    {
        KeSetEvent((PKEVENT)Context, 0, FALSE);
        return STATUS_MORE_PROCESSING_REQUIRED;
    }
    NTSTATUS Receive(PWSK_SOCKET Socket, PWSK_BUF Buffer)
    {
        KEVENT Done;
        LARGE_INTEGER Second;
        NTSTATUS Status;
        PIRP Irp = IoAllocateIrp(1, FALSE);
        Second.QuadPart = -10000000;
        KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
        IoSetCompletionRoutine(Irp, Signal, &Done, TRUE, TRUE, TRUE);
        ((PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch)->WskReceive(Socket, Buffer, 0, Irp);
        if (KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, &Second) == STATUS_TIMEOUT) {
            IoCancelIrp(Irp);
            KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
        }
        Status = Irp->IoStatus.Status;
        IoFreeIrp(Irp);
        return Status;
    }
    """
    lab = Lab()
    driver, socket = lab.load(text), lab.connected_socket()
    assert (repr(driver.Receive(socket, lab.buffer(bytes(5)))), lab.machine.time) == ("STATUS_CANCELLED", 10_000_000)


def test_the_client_event_is_never_called() -> None:
    """WSK-CEV-01, WSK-CEV-02, WSK-OBJ-13: no event is defined."""
    called: list[int] = []
    driver = Driver()
    m = driver.m
    driver.register()
    table = driver.callbacks("WSK_CLIENT_DISPATCH", WskClientEvent=lambda *_: called.append(1) or 0)
    m.set_u16(table, 0x0100)
    npi, block = m.new("WSK_CLIENT_NPI"), m.allocate(24)
    m.set_u64(npi + 8, table)
    assert m.api("WskRegister")(npi, block) == 0
    m.start_thread(m.api("WskDeregister")(block), "deregister")
    driver.run()
    assert called == []


def test_a_dispatch_table_that_is_gone(driver: Any) -> None:
    """WSK-OBJ-15, WSK-REG-07."""
    m = driver.m
    dispatch, npi, block = m.new("WSK_CLIENT_DISPATCH"), m.new("WSK_CLIENT_NPI"), m.allocate(24)
    m.set_u16(dispatch, 0x0100)
    m.set_u64(npi + 8, dispatch)
    m.api("WskRegister")(npi, block)
    m.free(npi)  # this one may be a local variable
    m.free(dispatch)
    assert rule_of(lambda: list(m.api("WskCaptureProviderNPI")(block, 0, m.allocate(16)))) == "use-after-free"


def test_an_accepted_socket_is_the_drivers_to_close(driver: Any) -> None:
    """WSK-ACC-05, WSK-ACC-09, WSK-ACC-11, WSK-CLOSE-16: it holds the end of the registration up."""
    m = driver.m
    driver.register()
    listener = driver.socket("listening")
    driver.bind(listener, "10.0.0.1:80")
    call = driver.call("WskAccept", listener, 0, 0, 0, 0, 0)
    driver.peer("10.0.0.1:80")
    driver.run()
    m.api("WskReleaseProviderNPI")(driver.block)
    driver.close(listener)
    ending = m.start_thread(m.api("WskDeregister")(driver.block), "deregister")
    driver.run()
    assert ending.waiting.why == ("WskDeregister", "open sockets:", call.result[1])
    driver.close(call.result[1])
    driver.run()
    assert ending.done


def test_a_disconnect_does_not_close(driver: Any) -> None:
    """WSK-DISC-09, WSK-DISC-11, WSK-RECV-10: the final buffer belongs to the request too."""
    m, socket = driver.m, scene.connected(driver.m, "slow")
    buffer = scene.wsk_buf(m, b"last")
    call = driver.call("WskDisconnect", socket, buffer, 0)
    mdl = m.u64(buffer)
    assert rule_of(lambda: m.api("IoFreeMdl")(mdl)) == "mdl-freed-in-use"
    driver.run()
    assert call.result == ("STATUS_SUCCESS", 0)
    assert driver.close(socket).result == ("STATUS_SUCCESS", 0)


def test_no_delay_is_a_flag_of_send_only(driver: Any) -> None:
    """WSK-SEND-03, WSK-NUM-01."""
    socket = scene.connected(driver.m)
    assert driver.send(socket, b"x", 2).returned == "STATUS_PENDING"
    assert driver.send(socket, b"x", 4).returned == CHOSEN["unknown flag"].status


def test_receiving_from_nobody_in_particular(driver: Any) -> None:
    """WSK-RFR-02, WSK-RFR-05, WSK-RFR-08: with no place for anything else, ControlFlags is ignored."""
    m, socket = driver.m, scene.datagram(driver.m)
    call = driver.call("WskReceiveFrom", socket, scene.wsk_buf(m, bytes(9)), 0, 0, 0, 0, 0x1234)
    scene.network(m).host("10.0.0.2").send(b"x", "10.0.0.1:5000")
    driver.run()
    assert call.result == ("STATUS_SUCCESS", 1)


def test_a_reply_from_another_address_is_filtered(driver: Any) -> None:
    """WSK-SRA-01 to 05, WSK-SSA-01 to 03, WSK-STO-03, WSK-STO-06."""
    m, socket = driver.m, scene.datagram(driver.m)
    other = scene.network(m).host("10.0.0.3")
    other.echoes = True
    assert scene.control(m, socket, "SIO_WSK_SET_REMOTE_ADDRESS", scene.sockaddr(m, "10.0.0.2:7")) == 0
    receive, _ = driver.receive_from(socket, 9)
    sent = driver.send_to(socket, b"x", "10.0.0.3:7")
    driver.run()
    assert (sent.result, len(other.datagrams), receive.result) == (("STATUS_SUCCESS", 1), 1, None)
    assert scene.control(m, socket, "SIO_WSK_SET_REMOTE_ADDRESS", None) == 0
    driver.send_to(socket, b"y", "10.0.0.3:7")
    driver.run()
    assert receive.result == ("STATUS_SUCCESS", 1)


def test_what_is_stored_at_the_end_must_live_until_then(driver: Any) -> None:
    """WSK-GLA-05, WSK-RFR-09, WSK-RFR-13, WSK-CC-06, WSK-USE-06."""
    m, socket, place = driver.m, scene.datagram(driver.m), driver.m.allocate(16)
    m.choices["WskGetLocalAddress"] = "pending"
    driver.call("WskGetLocalAddress", socket, place)
    m.free(place)
    assert rule_of(driver.run) == "use-after-free"
    other = Driver()
    socket, length = scene.datagram(other.m), other.m.allocate(4, zero=True)
    other.receive_from(socket, 9, length=length)
    other.m.free(length)
    scene.network(other.m).host("10.0.0.2").send(b"x", "10.0.0.1:5000")
    assert rule_of(other.run) == "use-after-free"


def test_a_listener_listens_from_the_bind_on(driver: Any) -> None:
    """WSK-BIND-05, WSK-CAT-06."""
    driver.register()
    listener = driver.socket("listening")
    early = driver.peer("10.0.0.1:80")
    driver.run()
    driver.bind(listener, "0.0.0.0:80")
    late = driver.peer("10.0.0.1:80", "10.0.0.2:5001")
    driver.run()
    assert (len(early.ends), len(late.ends)) == (0, 1)


@pytest.mark.parametrize(
    ("answer", "result"),
    [("the socket can connect again", "STATUS_SUCCESS"), ("the socket is of no more use", CHOSEN["after a break"].status)],
)
def test_what_a_failed_connect_leaves_is_a_choice(driver: Any, answer: str, result: str) -> None:
    """WSK-CONN-07."""
    m = driver.m
    m.choices["failed connect"] = answer
    driver.register()
    socket = driver.socket("connection")
    driver.bind(socket, "0.0.0.0:0")
    results = []
    for behaviour in ("refuses", "reads"):
        scene.network(m).peer("10.0.0.2:80", behaviour)
        call = driver.call("WskConnect", socket, scene.sockaddr(m, "10.0.0.2:80"), 0)
        driver.run()
        results.append(call.result)
    assert results == [("STATUS_CONNECTION_REFUSED", 0), (result, 0)]
