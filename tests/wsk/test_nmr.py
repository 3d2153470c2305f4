"""A driver in C that registers through the Network Module Registrar. Facts WSK-NMR."""

from __future__ import annotations

import pytest

from wsklab import Lab
from wsklab.driverlife import start, unload
from wsklab.machine import Stop
from wsklab.machine.status import name_of

DRIVER = """
#include <ntddk.h>
#include <wsk.h>
#include <netioddk.h>

#define VERSION MAKE_WSK_VERSION(1, 0)

static NPI_CLIENT_ATTACH_PROVIDER_FN Attach;
static NPI_CLIENT_DETACH_PROVIDER_FN Detach;
static NPI_CLIENT_CLEANUP_BINDING_CONTEXT_FN Cleanup;

static const WSK_CLIENT_DISPATCH Newer = { MAKE_WSK_VERSION(2, 0), 0, NULL };
static const WSK_CLIENT_DISPATCH Dispatch = { VERSION, 0, NULL };
static const NPI_MODULEID ModuleId = { sizeof(NPI_MODULEID), MIT_GUID, { { 1, 2, 3, { 4 } } } };
static const NPI_CLIENT_CHARACTERISTICS Characteristics = {
    0, sizeof(NPI_CLIENT_CHARACTERISTICS), Attach, Detach, Cleanup,
    { 0, sizeof(NPI_REGISTRATION_INSTANCE), &INTERFACE, &ModuleId, 0, NULL }
};
static HANDLE Handle, Binding;
static struct { PWSK_CLIENT Client; const WSK_PROVIDER_DISPATCH *Dispatch; PWSK_SOCKET Socket; } Bound;

static NTSTATUS Keep(PDEVICE_OBJECT Device, PIRP Irp, PVOID Context)
{
    UNREFERENCED_PARAMETER(Device);
    if (Irp->IoStatus.Information) *(PWSK_SOCKET *)Context = (PWSK_SOCKET)Irp->IoStatus.Information;
    else *(PWSK_SOCKET *)Context = NULL;
    IoFreeIrp(Irp);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

static PIRP Prepare(void)
{
    PIRP Irp = IoAllocateIrp(1, FALSE);
    IoSetCompletionRoutine(Irp, Keep, &Bound.Socket, TRUE, TRUE, TRUE);
    return Irp;
}

static NTSTATUS Attach(HANDLE NmrBindingHandle, PVOID ClientContext, PNPI_REGISTRATION_INSTANCE Provider)
{
    const WSK_PROVIDER_CHARACTERISTICS *Versions = (const WSK_PROVIDER_CHARACTERISTICS *)Provider->NpiSpecificCharacteristics;
    NTSTATUS Status;
    Binding = NmrBindingHandle;
    Status = NmrClientAttachProvider(NmrBindingHandle, &Bound, &Newer, &Bound.Client, (const VOID **)&Bound.Dispatch);
    DbgPrint("%p %x %x\\n", ClientContext, Versions->HighestVersion, Status);
    Status = NmrClientAttachProvider(NmrBindingHandle, &Bound, &Dispatch, &Bound.Client, (const VOID **)&Bound.Dispatch);
    if (NT_SUCCESS(Status))
        Bound.Dispatch->WskSocket(Bound.Client, AF_INET, SOCK_DGRAM, IPPROTO_UDP, WSK_FLAG_DATAGRAM_SOCKET, NULL, NULL, NULL,
                                  NULL, NULL, Prepare());
    return Status;
}

static NTSTATUS Detach(PVOID ClientBindingContext)
{
    DbgPrint("detach %d\\n", ClientBindingContext == &Bound);
    return RETURNED;
}

static VOID Cleanup(PVOID ClientBindingContext)
{
    DbgPrint("cleanup %d\\n", ClientBindingContext == &Bound);
}

static VOID Unload(PDRIVER_OBJECT DriverObject)
{
    UNREFERENCED_PARAMETER(DriverObject);
    DbgPrint("early %x\\n", NmrWaitForClientDeregisterComplete(Handle));
    DbgPrint("deregister %x\\n", NmrDeregisterClient(Handle));
    if (Bound.Socket) ((PWSK_PROVIDER_BASIC_DISPATCH)Bound.Socket->Dispatch)->WskCloseSocket(Bound.Socket, Prepare());
    THEN;
    DbgPrint("wait %x\\n", NmrWaitForClientDeregisterComplete(Handle));
}

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    UNREFERENCED_PARAMETER(RegistryPath);
    DriverObject->DriverUnload = Unload;
    return NmrRegisterClient(&Characteristics, (PVOID)0x77, &Handle);
}
"""

COMPLETE = "NmrClientDetachProviderComplete(Binding)"


def run(detach: str = "STATUS_SUCCESS", later: str = "", interface: str = "NPI_WSK_INTERFACE_ID", **choices: str) -> list[str]:
    """Load, run and unload; what it printed."""
    lab = Lab(choices={name.replace("_", " "): answer for name, answer in choices.items()})
    text = DRIVER.replace("RETURNED", detach).replace("THEN", later).replace("&INTERFACE", f"&{interface}")
    started = start(lab, lab.load(text, "nmr.c"), "nmr")
    assert name_of(started.status) == "STATUS_SUCCESS"
    unload(lab, started)
    return lab.console.splitlines()


ATTACHED = ["0000000000000077 100 c00002b9"]
ENDED = ["early c000000d", "detach 1", "deregister 103", "cleanup 1", "wait 0"]


@pytest.mark.parametrize("provider", ["ready", "late"])
@pytest.mark.parametrize(("detach", "later"), [("STATUS_SUCCESS", ""), ("STATUS_PENDING", COMPLETE)])
def test_a_whole_life(provider: str, detach: str, later: str) -> None:
    """WSK-NMR-01 to 10: attached at once or when the provider comes; a version it does not have; the order at the end."""
    assert run(detach, later, WSK_provider=provider) == ATTACHED + ENDED


def test_a_provider_that_never_comes() -> None:
    """WSK-NMR-03."""
    assert run(WSK_provider="never") == ["early c000000d", "deregister 103", "wait 0"]


def test_another_interface_has_no_provider() -> None:
    text = "const NPIID Other = { 7 };\n"
    lab = Lab()
    driver = DRIVER.replace("static NPI_CLIENT_ATTACH", f"{text}static NPI_CLIENT_ATTACH", 1).replace("&INTERFACE", "&Other")
    started = start(lab, lab.load(driver.replace("RETURNED", "STATUS_SUCCESS").replace("THEN", ""), "nmr.c"), "nmr")
    unload(lab, started)
    assert lab.console.splitlines() == ["early c000000d", "deregister 103", "wait 0"]


def stopped_by(detach: str, later: str, text: str = DRIVER) -> tuple[str, str]:
    lab = Lab()
    driver = text.replace("RETURNED", detach).replace("THEN", later).replace("&INTERFACE", "&NPI_WSK_INTERFACE_ID")
    started = start(lab, lab.load(driver, "nmr.c"), "nmr")
    with pytest.raises(Stop) as stop:
        unload(lab, started)
    return stop.value.rule.id, str(stop.value.values.get("threads", ""))


@pytest.mark.parametrize(("detach", "later"), [("STATUS_SUCCESS", COMPLETE), ("STATUS_PENDING", f"{COMPLETE}; {COMPLETE}")])
def test_a_detach_is_reported_once_and_only_when_it_was_pending(detach: str, later: str) -> None:
    """WSK-NMR-07."""
    assert stopped_by(detach, later)[0] == "wsk-nmr-not-detaching"


def test_a_detach_that_is_never_reported_hangs() -> None:
    assert stopped_by("STATUS_PENDING", "")[0] == "hang"


def test_an_open_socket_holds_the_end_up() -> None:
    """WSK-NMR-08."""
    rule, threads = stopped_by("STATUS_SUCCESS", "", DRIVER.replace("if (Bound.Socket)", "if (FALSE)"))
    assert (rule, "WskDeregister open sockets: 0xffff" in threads) == ("hang", True)


def test_an_unload_without_the_end() -> None:
    """WSK-NMR-06."""
    early = DRIVER.replace('DbgPrint("wait', 'return; DbgPrint("wait')
    assert stopped_by("STATUS_SUCCESS", "", early)[0] == "wsk-not-deregistered"
