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
      SIO_WSK_SET_REMOTE_ADDRESS,
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
  return SendDatagram(Socket, Buffer, NULL);
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
