// What SendData hands over comes back here.
NTSTATUS
  SendComplete(
    PDEVICE_OBJECT DeviceObject,
    PIRP Irp,
    PVOID Context
    );

// Send one buffer on a connected socket.
NTSTATUS
  SendData(
    PWSK_SOCKET Socket,
    PWSK_BUF DataBuffer
    )
{
  PWSK_PROVIDER_CONNECTION_DISPATCH Dispatch;
  PIRP Irp;
  NTSTATUS Status;

  // Every function of the socket is reached through its dispatch table.
  Dispatch =
    (PWSK_PROVIDER_CONNECTION_DISPATCH)(Socket->Dispatch);

  // One stack location is enough: the one WSK uses.
  Irp =
    IoAllocateIrp(
      1,
      FALSE
      );

  // No memory, no IRP: nothing was handed over, so nothing will complete.
  if (!Irp)
  {
    return STATUS_INSUFFICIENT_RESOURCES;
  }

  // All three TRUE: success, error or cancellation, the IRP comes back to us.
  IoSetCompletionRoutine(
    Irp,
    SendComplete,
    DataBuffer,  // the routine gets the buffer as its context
    TRUE,
    TRUE,
    TRUE
    );

  // From this call on the IRP is in WSK's hands, whatever the call returns.
  Status =
    Dispatch->WskSend(
      Socket,
      DataBuffer,
      0,  // no flags
      Irp
      );

  return Status;
}

// WSK has finished with the IRP.
NTSTATUS
  SendComplete(
    PDEVICE_OBJECT DeviceObject,
    PIRP Irp,
    PVOID Context
    )
{
  UNREFERENCED_PARAMETER(DeviceObject);

  PWSK_BUF DataBuffer;
  ULONG ByteCount;

  // The outcome stands in the IRP.
  if (Irp->IoStatus.Status == STATUS_SUCCESS)
  {
    DataBuffer = (PWSK_BUF)Context;

    // How many bytes went out
    ByteCount = (ULONG)(Irp->IoStatus.Information);

    // Here the buffer may be used again or freed.
    ...
  }

  // The data did not go out.
  else
  {
    // Here the failure is dealt with.
    ...
  }

  // We allocated the IRP, so we free it.
  IoFreeIrp(Irp);

  // Tell the I/O manager to stop here: the IRP is ours and is gone.
  return STATUS_MORE_PROCESSING_REQUIRED;
}
