"""The exercises of the lessons: under which outcomes they are played and what must hold.

The C that a reader starts with and one solution lie beside this module (``exercise_01_start.c`` …). Facts: 01 WSK-SEND-05,
WSK-USE-01 to 06; 02 WSK-STO-02, WSK-SRA-03, WSK-SSA-02; 03 KMDF-MUL-01, KMDF-MIS-02, KMDF-MIS-14.
"""

from __future__ import annotations

from wsklab.learn.exercise import RUNS, Check, Exercise, Play, Scene
from wsklab.machine.status import name_of

# 01: count what was sent and give everything back, whatever happens


def _send(play: Play, accepted: bool = False, peer: str = "reads") -> None:
    """Make a socket, send once, let time pass."""
    socket = play.lab.accepted_socket(peer=peer) if accepted else play.lab.connected_socket(peer=peer)
    play.values["status"] = int(play.driver.SendHello(socket))
    play.lab.run()


def _counts(play: Play) -> bool:
    ended = [event.data for event in play.lab.events if event.kind == "complete" and event.data.get("function") == "WskSend"]
    return play.number("BytesSent") == sum(int(data["information"]) for data in ended if data["status"] == 0)


def _says_no_memory(play: Play) -> bool:
    return name_of(play.values["status"]) == "STATUS_INSUFFICIENT_RESOURCES"


_NO_IRP = "IoAllocateIrp returns NULL"

_CONNECTION_SEND = Exercise(
    id="01",
    goal="Count the bytes that were sent in BytesSent, and free the send in every outcome.",
    scenes=(
        Scene("the send completes inside the call", _send, {"WskSend": "inline"}),
        Scene("the send completes later", _send, {"WskSend": "pending"}),
        Scene("the socket was accepted", lambda play: _send(play, accepted=True)),
        Scene("the peer resets the connection", lambda play: _send(play, peer="resets")),
        Scene("the peer has closed", lambda play: _send(play, peer="has closed")),
        Scene(_NO_IRP, _send, {"IoAllocateIrp": "fails"}),
    ),
    checks=(
        RUNS,
        Check("BytesSent is what IoStatus.Information said, and does not count a failed send.", _counts),
        Check("The memory of the send is freed.", lambda play: not play.left("pool")),
        Check("The MDL is freed.", lambda play: not play.left("mdl")),
        Check("The IRP is freed.", lambda play: not play.left("irp")),
        Check("SendHello says STATUS_INSUFFICIENT_RESOURCES when there is no IRP.", _says_no_memory, (_NO_IRP,)),
    ),
    hints=(
        "The number of bytes is in Irp->IoStatus.Information, and only when Irp->IoStatus.Status is STATUS_SUCCESS.",
        "The completion routine runs for success and for failure. What must happen in both cases stands behind the if.",
        "Without an IRP nobody will ever call SendComplete: SendHello itself has to call FreeSend before it returns.",
    ),
)

# 02: report to one fixed destination and still answer everybody who asks


def _conversation(play: Play) -> None:
    """The collector is fixed and gets a report; then somebody else asks and is answered."""
    lab, driver = play.lab, play.driver
    socket = lab.datagram_socket()
    collector, client = lab.host("10.0.0.9"), lab.host("10.0.0.2")
    play.values.update(collector=collector, client=client)
    driver.FixCollector(socket, lab.sockaddr("10.0.0.9:514"))
    lab.run()
    driver.Report(socket, lab.buffer(b"started"))
    driver.Listen(socket, lab.buffer(bytes(32)))
    client.send(b"how are you?", "10.0.0.1:5000", port=7000)
    lab.run()
    if play.number("Questions"):
        driver.Answer(socket, lab.buffer(b"fine"))
    driver.Report(socket, lab.buffer(b"asked"))
    lab.run()


def _heard(play: Play, who: str) -> list[bytes]:
    return [datagram.content for datagram in play.values[who].datagrams]


_DATAGRAM_SEND = Exercise(
    id="02",
    goal="Reports go to the fixed collector, questions from anybody are heard, and the answer goes to whoever asked.",
    scenes=(
        Scene("the datagrams are sent later", _conversation, {"WskSendTo": "pending"}),
        Scene("the datagrams are sent inside the call", _conversation, {"WskSendTo": "inline"}),
        Scene("fixing the address takes its time", _conversation, {"WskControlSocket": "pending"}),
    ),
    checks=(
        RUNS,
        Check("The question of somebody other than the collector is heard.", lambda play: play.number("Questions") == 1),
        Check("Whoever asked gets the answer.", lambda play: _heard(play, "client") == [b"fine"]),
        Check("The collector gets the reports and nothing else.", lambda p: _heard(p, "collector") == [b"started", b"asked"]),
        Check("Every IRP that came back is freed.", lambda play: not play.unfreed_irps()),
    ),
    hints=(
        "A fixed remote address also decides who is heard: only datagrams from that address come in.",
        "SIO_WSK_SET_SENDTO_ADDRESS fixes where datagrams go and leaves open from whom they come.",
        "A RemoteAddress that is not NULL wins over every fixed address. Answer knows whom to write to: Sender.",
    ),
)

# 03: one request to two devices in turn, in the right order

_DATA = b"the same for both"


def _write(play: Play, first: str = "at once", second: str = "at once", refuses: str = "") -> None:
    """Two devices, one request; `refuses` names the target that takes no requests (it was purged)."""
    lab = play.lab
    devices = {name: lab.lower_device(name, answers=answers) for name, answers in (("first", first), ("second", second))}
    targets = {name: lab.io_target(device) for name, device in devices.items()}
    play.values["devices"] = devices
    request = lab.request(targets["first"])
    if refuses:
        lab.wdk.WdfIoTargetPurge(targets[refuses], lab.machine.constant("WdfIoTargetPurgeIo"))
    play.driver.WriteBoth(request, targets["first"], targets["second"], lab.memory(_DATA))
    lab.run()


def _got(play: Play, name: str) -> list[bytes]:
    return [seen.content for seen in play.values["devices"][name].received]


def _spares_second(play: Play) -> bool:
    return not _got(play, "second")


def _succeeds(play: Play) -> bool:
    return name_of(play.number("FinalStatus")) == "STATUS_SUCCESS"


_ONCE, _BOTH_LATER = "both devices answer at once", "both devices answer later"
_FIRST_FAILS, _SECOND_FAILS = "the first device answers with an error", "the second device answers with an error"
_FIRST_REFUSES, _SECOND_REFUSES = "WdfRequestSend to the first returns FALSE", "WdfRequestSend to the second returns FALSE"
_GOOD, _BAD = (_ONCE, _BOTH_LATER), (_FIRST_FAILS, _SECOND_FAILS, _FIRST_REFUSES, _SECOND_REFUSES)

_KMDF_SEND = Exercise(
    id="03",
    goal="Write the same data to two devices in turn, and reach Finish exactly once in every outcome.",
    scenes=(
        Scene(_ONCE, _write),
        Scene(_BOTH_LATER, lambda play: _write(play, "later", "later")),
        Scene(_FIRST_FAILS, lambda play: _write(play, first="error")),
        Scene(_SECOND_FAILS, lambda play: _write(play, second="error")),
        Scene(_FIRST_REFUSES, lambda play: _write(play, refuses="first")),
        Scene(_SECOND_REFUSES, lambda play: _write(play, refuses="second")),
    ),
    checks=(
        RUNS,
        Check("Finish is reached exactly once.", lambda play: play.number("Finished") == 1),
        Check("Both devices got the data.", lambda p: _got(p, "first") == _got(p, "second") == [_DATA], _GOOD),
        Check("FinalStatus is a success when both devices succeeded.", _succeeds, _GOOD),
        Check("FinalStatus tells the error otherwise.", lambda play: not _succeeds(play), _BAD),
        Check("The second device gets nothing after the first has failed.", _spares_second, (_FIRST_FAILS, _FIRST_REFUSES)),
    ),
    hints=(
        "WdfRequestChangeTarget undoes the format. Call it before you format the request for the second target.",
        "FALSE from WdfRequestSend means: not sent, and no completion routine will run. WdfRequestGetStatus tells why.",
        "A call that returns a status can fail. Test it before you go on, also inside FirstDone.",
    ),
)

EXERCISES: dict[str, Exercise] = {each.id: each for each in (_CONNECTION_SEND, _DATAGRAM_SEND, _KMDF_SEND)}
"""Every exercise by its id, in the order of the lessons."""
