"""Exercise 02: report to one fixed destination and still answer everybody who asks. Facts: WSK-STO-02, WSK-SRA-03, WSK-SSA-02."""

from __future__ import annotations

from wsklab.learn.exercise import RUNS, Check, Exercise, Play, Scene

_HEAD = """\
// Who asked last, and how many questions have come in.
SOCKADDR_IN Sender;
ULONG Questions;

NTSTATUS
  HeardComplete(
    PDEVICE_OBJECT DeviceObject,
    PIRP Irp,
    PVOID Context
    );

// For requests after which there is nothing to do but to free the IRP.
NTSTATUS
  DoneComplete(
    PDEVICE_OBJECT DeviceObject,
    PIRP Irp,
    PVOID Context
    )
{
  UNREFERENCED_PARAMETER(DeviceObject);
  UNREFERENCED_PARAMETER(Context);

  IoFreeIrp(Irp);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

// Fix the address to which reports go.
NTSTATUS
  FixCollector(
    PWSK_SOCKET Socket,
    PSOCKADDR Collector
    )
{
  PWSK_PROVIDER_DATAGRAM_DISPATCH Dispatch;
  PIRP Irp;

  Dispatch = (PWSK_PROVIDER_DATAGRAM_DISPATCH)(Socket->Dispatch);

  Irp = IoAllocateIrp(1, FALSE);
  if (!Irp)
  {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  IoSetCompletionRoutine(Irp, DoneComplete, NULL, TRUE, TRUE, TRUE);

  return
    Dispatch->WskControlSocket(
      Socket,
      WskIoctl,
      %CODE%,
      0,
      sizeof(SOCKADDR_IN),
      Collector,
      0,
      NULL,
      NULL,
      Irp
      );
}

// Send a datagram to an address, or to the fixed one when Address is NULL.
NTSTATUS
  SendDatagram(
    PWSK_SOCKET Socket,
    PWSK_BUF Buffer,
    PSOCKADDR Address
    )
{
  PWSK_PROVIDER_DATAGRAM_DISPATCH Dispatch;
  PIRP Irp;

  Dispatch = (PWSK_PROVIDER_DATAGRAM_DISPATCH)(Socket->Dispatch);

  Irp = IoAllocateIrp(1, FALSE);
  if (!Irp)
  {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  IoSetCompletionRoutine(Irp, DoneComplete, NULL, TRUE, TRUE, TRUE);

  return Dispatch->WskSendTo(Socket, Buffer, 0, Address, 0, NULL, Irp);
}

// Report to the collector.
NTSTATUS
  Report(
    PWSK_SOCKET Socket,
    PWSK_BUF Buffer
    )
{
  return SendDatagram(Socket, Buffer, NULL);
}

// Answer whoever asked last.
NTSTATUS
  Answer(
    PWSK_SOCKET Socket,
    PWSK_BUF Buffer
    )
{
  return SendDatagram(Socket, Buffer, %ADDRESS%);
}

// Wait for one question.
NTSTATUS
  Listen(
    PWSK_SOCKET Socket,
    PWSK_BUF Buffer
    )
{
  PWSK_PROVIDER_DATAGRAM_DISPATCH Dispatch;
  PIRP Irp;

  Dispatch = (PWSK_PROVIDER_DATAGRAM_DISPATCH)(Socket->Dispatch);

  Irp = IoAllocateIrp(1, FALSE);
  if (!Irp)
  {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  IoSetCompletionRoutine(Irp, HeardComplete, NULL, TRUE, TRUE, TRUE);

  return Dispatch->WskReceiveFrom(Socket, Buffer, 0, (PSOCKADDR)&Sender, NULL, NULL, NULL, Irp);
}

NTSTATUS
  HeardComplete(
    PDEVICE_OBJECT DeviceObject,
    PIRP Irp,
    PVOID Context
    )
{
  UNREFERENCED_PARAMETER(DeviceObject);
  UNREFERENCED_PARAMETER(Context);

  if (Irp->IoStatus.Status == STATUS_SUCCESS)
  {
    Questions += 1;
  }
  IoFreeIrp(Irp);
  return STATUS_MORE_PROCESSING_REQUIRED;
}
"""

START = _HEAD.replace("%CODE%", "SIO_WSK_SET_REMOTE_ADDRESS").replace("%ADDRESS%", "NULL")
SOLUTION = _HEAD.replace("%CODE%", "SIO_WSK_SET_SENDTO_ADDRESS").replace("%ADDRESS%", "(PSOCKADDR)&Sender")


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
    """The datagrams that somebody received, in order."""
    return [datagram.content for datagram in play.values[who].datagrams]


_LATER, _INLINE = "the datagrams are sent later", "the datagrams are sent inside the call"
_CONTROL = "fixing the address takes its time"

DATAGRAM_SEND = Exercise(
    id="02",
    goal="Reports go to the fixed collector, questions from anybody are heard, and the answer goes to whoever asked.",
    start=START,
    solution=SOLUTION,
    scenes=(
        Scene(_LATER, _conversation, {"WskSendTo": "pending"}),
        Scene(_INLINE, _conversation, {"WskSendTo": "inline"}),
        Scene(_CONTROL, _conversation, {"WskControlSocket": "pending"}),
    ),
    checks=(
        RUNS,
        Check("The question of somebody other than the collector is heard.", lambda play: play.number("Questions") == 1),
        Check("Whoever asked gets the answer.", lambda play: _heard(play, "client") == [b"fine"]),
        Check(
            "The collector gets the reports and nothing else.", lambda play: _heard(play, "collector") == [b"started", b"asked"]
        ),
        Check("Every IRP that came back is freed.", lambda play: not play.unfreed_irps()),
    ),
    hints=(
        "A fixed remote address also decides who is heard: only datagrams from that address come in.",
        "SIO_WSK_SET_SENDTO_ADDRESS fixes where datagrams go and leaves open from whom they come.",
        "A RemoteAddress that is not NULL wins over every fixed address. Answer knows whom to write to: Sender.",
    ),
)
