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

  if (Irp->IoStatus.Status == STATUS_SUCCESS)
  {
    // Count the bytes and give the send back
    ...
  }
  else
  {
    ...
  }

  IoFreeIrp(Irp);

  return STATUS_MORE_PROCESSING_REQUIRED;
}
