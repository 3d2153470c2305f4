/* A client for tools/bench.py: opens, uses and closes one connection of many, waiting for each request. */
#include <ntddk.h>
#include <wsk.h>
static WSK_REGISTRATION Registration;
static WSK_PROVIDER_NPI Provider;
static const WSK_CLIENT_DISPATCH Dispatch = { MAKE_WSK_VERSION(1, 0), 0, NULL };
static PWSK_SOCKET Sockets[10000];
static PIRP Irp;
static PMDL Mdl;
static KEVENT Done;
static UCHAR Text[100];

static NTSTATUS Signal(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    KeSetEvent(&Done, IO_NO_INCREMENT, FALSE);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Arm(void)
{
    IoReuseIrp(Irp, STATUS_UNSUCCESSFUL);
    IoSetCompletionRoutine(Irp, Signal, NULL, TRUE, TRUE, TRUE);
    return Irp;
}

static NTSTATUS Wait(void)
{
    KeWaitForSingleObject(&Done, Executive, KernelMode, FALSE, NULL);
    return Irp->IoStatus.Status;
}

NTSTATUS Start(void)
{
    WSK_CLIENT_NPI Npi = { NULL, &Dispatch };
    WskRegister(&Npi, &Registration);
    KeInitializeEvent(&Done, SynchronizationEvent, FALSE);
    Irp = IoAllocateIrp(1, FALSE);
    Mdl = IoAllocateMdl(Text, sizeof(Text), FALSE, FALSE, NULL);
    MmBuildMdlForNonPagedPool(Mdl);
    return WskCaptureProviderNPI(&Registration, WSK_INFINITE_WAIT, &Provider);
}

NTSTATUS Open(ULONG n)
{
    SOCKADDR_IN Local = { AF_INET }, Remote = { AF_INET, 0x0700, { { { 10, 0, 0, 2 } } } };
    NTSTATUS Status;
    Provider.Dispatch->WskSocketConnect(Provider.Client, SOCK_STREAM, IPPROTO_TCP, (PSOCKADDR)&Local, (PSOCKADDR)&Remote, 0, NULL,
                                        NULL, NULL, NULL, NULL, Arm());
    Status = Wait();
    Sockets[n] = (PWSK_SOCKET)Irp->IoStatus.Information;
    return Status;
}

NTSTATUS Use(ULONG n)
{
    const WSK_PROVIDER_CONNECTION_DISPATCH *Table = (const WSK_PROVIDER_CONNECTION_DISPATCH *)Sockets[n]->Dispatch;
    WSK_BUF Buffer = { Mdl, 0, sizeof(Text) };
    NTSTATUS Status;
    Table->WskSend(Sockets[n], &Buffer, 0, Arm());
    Status = Wait();
    if (!NT_SUCCESS(Status)) return Status;
    Table->WskReceive(Sockets[n], &Buffer, WSK_FLAG_WAITALL, Arm());
    return Wait();
}

NTSTATUS Close(ULONG n)
{
    ((const WSK_PROVIDER_BASIC_DISPATCH *)Sockets[n]->Dispatch)->WskCloseSocket(Sockets[n], Arm());
    return Wait();
}
