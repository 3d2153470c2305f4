"""Exercise 03: one request to two devices in turn, in the right order. Facts: KMDF-MUL-01, KMDF-MIS-02, KMDF-MIS-14."""

from __future__ import annotations

from wsklab.learn.exercise import RUNS, Check, Exercise, Play, Scene

_HEAD = """\
// What the second step needs to know, and how the whole ended.
WDFIOTARGET Second;
WDFMEMORY Memory;
ULONG Finished;
NTSTATUS FinalStatus;

EVT_WDF_REQUEST_COMPLETION_ROUTINE FirstDone;
EVT_WDF_REQUEST_COMPLETION_ROUTINE SecondDone;

// The end of the whole, to be reached exactly once.
VOID
  Finish(
    NTSTATUS Status
    )
{
  Finished += 1;
  FinalStatus = Status;
}

// Write the same data to two devices, one after the other.
VOID
  WriteBoth(
    WDFREQUEST Request,
    WDFIOTARGET FirstTarget,
    WDFIOTARGET SecondTarget,
    WDFMEMORY Data
    )
{
  NTSTATUS Status;

  Second = SecondTarget;
  Memory = Data;

  Status = WdfIoTargetFormatRequestForWrite(FirstTarget, Request, Data, NULL, NULL);
  if (!NT_SUCCESS(Status))
  {
    Finish(Status);
    return;
  }
  WdfRequestSetCompletionRoutine(Request, FirstDone, NULL);
"""

_MIDDLE = """\
}

// The first device has answered: on to the second.
VOID
  FirstDone(
    WDFREQUEST Request,
    WDFIOTARGET Target,
    PWDF_REQUEST_COMPLETION_PARAMS Params,
    WDFCONTEXT Context
    )
{
  NTSTATUS Status;

  UNREFERENCED_PARAMETER(Target);
  UNREFERENCED_PARAMETER(Context);

  Status = Params->IoStatus.Status;
  if (!NT_SUCCESS(Status))
  {
    Finish(Status);
    return;
  }

"""

_TAIL = """\
}

// The second device has answered: the end.
VOID
  SecondDone(
    WDFREQUEST Request,
    WDFIOTARGET Target,
    PWDF_REQUEST_COMPLETION_PARAMS Params,
    WDFCONTEXT Context
    )
{
  UNREFERENCED_PARAMETER(Request);
  UNREFERENCED_PARAMETER(Target);
  UNREFERENCED_PARAMETER(Context);

  Finish(Params->IoStatus.Status);
}
"""

START = (
    _HEAD
    + """\
  WdfRequestSend(Request, FirstTarget, WDF_NO_SEND_OPTIONS);
"""
    + _MIDDLE
    + """\
  WdfIoTargetFormatRequestForWrite(Second, Request, Memory, NULL, NULL);
  WdfRequestChangeTarget(Request, Second);
  WdfRequestSetCompletionRoutine(Request, SecondDone, NULL);
  WdfRequestSend(Request, Second, WDF_NO_SEND_OPTIONS);
"""
    + _TAIL
)

SOLUTION = (
    _HEAD
    + """\
  if (!WdfRequestSend(Request, FirstTarget, WDF_NO_SEND_OPTIONS))
  {
    // Not sent: the completion routine will not run.
    Finish(WdfRequestGetStatus(Request));
  }
"""
    + _MIDDLE
    + """\
  // First ask whether the request may go there, then format it for there.
  Status = WdfRequestChangeTarget(Request, Second);
  if (NT_SUCCESS(Status))
  {
    Status = WdfIoTargetFormatRequestForWrite(Second, Request, Memory, NULL, NULL);
  }
  if (!NT_SUCCESS(Status))
  {
    Finish(Status);
    return;
  }
  WdfRequestSetCompletionRoutine(Request, SecondDone, NULL);
  if (!WdfRequestSend(Request, Second, WDF_NO_SEND_OPTIONS))
  {
    Finish(WdfRequestGetStatus(Request));
  }
"""
    + _TAIL
)

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


def _status(play: Play) -> str:
    from wsklab.machine.status import name_of

    return name_of(play.number("FinalStatus"))


_ONCE, _LATER = "both devices answer at once", "both devices answer later"
_FIRST_FAILS, _SECOND_FAILS = "the first device answers with an error", "the second device answers with an error"
_FIRST_REFUSES, _SECOND_REFUSES = "WdfRequestSend to the first returns FALSE", "WdfRequestSend to the second returns FALSE"
_GOOD, _BAD = (_ONCE, _LATER), (_FIRST_FAILS, _SECOND_FAILS, _FIRST_REFUSES, _SECOND_REFUSES)

KMDF_SEND = Exercise(
    id="03",
    goal="Write the same data to two devices in turn, and reach Finish exactly once in every outcome.",
    start=START,
    solution=SOLUTION,
    scenes=(
        Scene(_ONCE, _write),
        Scene(_LATER, lambda play: _write(play, "later", "later")),
        Scene(_FIRST_FAILS, lambda play: _write(play, first="error")),
        Scene(_SECOND_FAILS, lambda play: _write(play, second="error")),
        Scene(_FIRST_REFUSES, lambda play: _write(play, refuses="first")),
        Scene(_SECOND_REFUSES, lambda play: _write(play, refuses="second")),
    ),
    checks=(
        RUNS,
        Check("Finish is reached exactly once.", lambda play: play.number("Finished") == 1),
        Check("Both devices got the data.", lambda p: _got(p, "first") == _got(p, "second") == [_DATA], _GOOD),
        Check("FinalStatus is a success when both devices succeeded.", lambda play: _status(play) == "STATUS_SUCCESS", _GOOD),
        Check("FinalStatus tells the error otherwise.", lambda play: _status(play) != "STATUS_SUCCESS", _BAD),
        Check(
            "The second device gets nothing after the first has failed.",
            lambda p: not _got(p, "second"),
            (_FIRST_FAILS, _FIRST_REFUSES),
        ),
    ),
    hints=(
        "WdfRequestChangeTarget undoes the format. Call it before you format the request for the second target.",
        "FALSE from WdfRequestSend means: not sent, and no completion routine will run. WdfRequestGetStatus tells why.",
        "A call that returns a status can fail. Test it before you go on, also inside FirstDone.",
    ),
)
