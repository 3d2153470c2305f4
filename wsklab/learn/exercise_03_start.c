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
  WdfRequestSend(Request, FirstTarget, WDF_NO_SEND_OPTIONS);
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

  WdfIoTargetFormatRequestForWrite(Second, Request, Memory, NULL, NULL);
  WdfRequestChangeTarget(Request, Second);
  WdfRequestSetCompletionRoutine(Request, SecondDone, NULL);
  WdfRequestSend(Request, Second, WDF_NO_SEND_OPTIONS);
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
