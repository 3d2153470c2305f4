"""Exercise 01: count what was sent and give everything back, whatever happens. Facts: WSK-SEND-05, WSK-USE-01 to 06."""

from __future__ import annotations

from wsklab.learn.exercise import RUNS, Check, Exercise, Play, Scene

_HEAD = """\
#define SEND_TAG 'dneS'

// One send: the buffer that WskSend gets and the bytes that it describes.
typedef struct _SEND {
  WSK_BUF Buffer;
  CHAR Data[32];
} SEND, *PSEND;

// How many bytes have been sent, all sends together.
ULONG BytesSent;

NTSTATUS
  SendComplete(
    PDEVICE_OBJECT DeviceObject,
    PIRP Irp,
    PVOID Context
    );

// Give back what a send was made of.
VOID
  FreeSend(
    PSEND Send
    )
{
  IoFreeMdl(Send->Buffer.Mdl);
  ExFreePoolWithTag(Send, SEND_TAG);
}

// Send the text "Hello from the driver".
NTSTATUS
  SendHello(
    PWSK_SOCKET Socket
    )
{
  PWSK_PROVIDER_CONNECTION_DISPATCH Dispatch;
  PSEND Send;
  PIRP Irp;

  Dispatch = (PWSK_PROVIDER_CONNECTION_DISPATCH)(Socket->Dispatch);

  Send = ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(SEND), SEND_TAG);
  if (!Send)
  {
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  RtlCopyMemory(Send->Data, "Hello from the driver", 21);

  Send->Buffer.Offset = 0;
  Send->Buffer.Length = 21;
  Send->Buffer.Mdl = IoAllocateMdl(Send->Data, 21, FALSE, FALSE, NULL);
  if (!Send->Buffer.Mdl)
  {
    ExFreePoolWithTag(Send, SEND_TAG);
    return STATUS_INSUFFICIENT_RESOURCES;
  }
  MmBuildMdlForNonPagedPool(Send->Buffer.Mdl);

  Irp = IoAllocateIrp(1, FALSE);
  if (!Irp)
  {
"""

_MIDDLE = """\
    return STATUS_INSUFFICIENT_RESOURCES;
  }

  IoSetCompletionRoutine(Irp, SendComplete, Send, TRUE, TRUE, TRUE);

  return Dispatch->WskSend(Socket, &Send->Buffer, 0, Irp);
}

NTSTATUS
  SendComplete(
    PDEVICE_OBJECT DeviceObject,
    PIRP Irp,
    PVOID Context
    )
{
  UNREFERENCED_PARAMETER(DeviceObject);

"""

_TAIL = """\
  IoFreeIrp(Irp);

  return STATUS_MORE_PROCESSING_REQUIRED;
}
"""

START = (
    _HEAD
    + _MIDDLE
    + """\
  if (Irp->IoStatus.Status == STATUS_SUCCESS)
  {
    // Count the bytes and give the send back
    ...
  }
  else
  {
    ...
  }

"""
    + _TAIL
)

SOLUTION = (
    _HEAD
    + "    FreeSend(Send);\n"
    + _MIDDLE
    + """\
  if (Irp->IoStatus.Status == STATUS_SUCCESS)
  {
    BytesSent += (ULONG)(Irp->IoStatus.Information);
  }

  // The send is over, well or badly: nobody needs its memory any more.
  FreeSend((PSEND)Context);

"""
    + _TAIL
)


def _send(play: Play, accepted: bool = False, peer: str = "reads") -> None:
    """Make a socket, send once, let time pass."""
    socket = play.lab.accepted_socket(peer=peer) if accepted else play.lab.connected_socket(peer=peer)
    play.values["status"] = int(play.driver.SendHello(socket))
    play.lab.run()


def _sent(play: Play) -> int:
    """What the completed sends reported, in bytes."""
    ended = [event.data for event in play.lab.events if event.kind == "complete" and event.data.get("function") == "WskSend"]
    return sum(data["information"] for data in ended if data["status"] == 0)


_INLINE, _LATER, _ACCEPTED = "the send completes inside the call", "the send completes later", "the socket was accepted"
_RESET, _CLOSED, _NO_IRP = "the peer resets the connection", "the peer has closed", "IoAllocateIrp returns NULL"

CONNECTION_SEND = Exercise(
    id="01",
    goal="Count the bytes that were sent in BytesSent, and free the send in every outcome.",
    start=START,
    solution=SOLUTION,
    scenes=(
        Scene(_INLINE, _send, {"WskSend": "inline"}),
        Scene(_LATER, _send, {"WskSend": "pending"}),
        Scene(_ACCEPTED, lambda play: _send(play, accepted=True)),
        Scene(_RESET, lambda play: _send(play, peer="resets")),
        Scene(_CLOSED, lambda play: _send(play, peer="has closed")),
        Scene(_NO_IRP, _send, {"IoAllocateIrp": "fails"}),
    ),
    checks=(
        RUNS,
        Check(
            "BytesSent is what IoStatus.Information said, and does not count a failed send.",
            lambda p: p.number("BytesSent") == _sent(p),
        ),
        Check("The memory of the send is freed.", lambda play: not play.left("pool")),
        Check("The MDL is freed.", lambda play: not play.left("mdl")),
        Check("The IRP is freed.", lambda play: not play.left("irp")),
        Check(
            "SendHello says STATUS_INSUFFICIENT_RESOURCES when there is no IRP.",
            lambda play: play.values["status"] & 0xFFFF_FFFF == 0xC000_009A,
            (_NO_IRP,),
        ),
    ),
    hints=(
        "The number of bytes is in Irp->IoStatus.Information, and only when Irp->IoStatus.Status is STATUS_SUCCESS.",
        "The completion routine runs for success and for failure. What must happen in both cases stands behind the if.",
        "Without an IRP nobody will ever call SendComplete: SendHello itself has to call FreeSend before it returns.",
    ),
)
