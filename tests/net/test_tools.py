"""Programs that everybody has talk to the example servers over real sockets: nc, curl, Python. What is not installed is said."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.net.test_examples import EXAMPLES, free_port, running, talk
from wsklab import Lab
from wsklab.driverlife import start, unload

HOSTS = [("127.0.0.1", "-4"), ("::1", "-6")]

ANSWERS_WITH_A_PAGE = r"""
static const CHAR Page[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 20\r\n\r\nHello from a kernel.";

typedef struct _ANSWER {
    PCONNECTION Connection;
    PMDL Mdl;
} ANSWER, *PANSWER;

static NTSTATUS
PageSent(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
    PANSWER Answer = (PANSWER)Context;
    PCONNECTION Connection = Answer->Connection;

    UNREFERENCED_PARAMETER(DeviceObject);
    IoFreeMdl(Answer->Mdl);
    IoFreeIrp(Irp);
    ExFreePoolWithTag(Answer, ECHO_TAG);
    ClientFinished(Connection);         // one request for each connection
    Release(Connection);
    return STATUS_MORE_PROCESSING_REQUIRED;
}

// Any request gets the page.
static NTSTATUS WSKAPI
ReceiveEvent(PVOID SocketContext, ULONG Flags, PWSK_DATA_INDICATION DataIndication, SIZE_T BytesIndicated,
             SIZE_T *BytesAccepted)
{
    PCONNECTION Connection = (PCONNECTION)SocketContext;
    PANSWER Answer;
    WSK_BUF Buffer = { NULL, 0, sizeof(Page) - 1 };
    PIRP Irp;

    UNREFERENCED_PARAMETER(Flags);
    UNREFERENCED_PARAMETER(BytesIndicated);
    UNREFERENCED_PARAMETER(BytesAccepted);
    if (DataIndication == NULL) {
        ClientFinished(Connection);
        return STATUS_SUCCESS;
    }
    Answer = (PANSWER)ExAllocatePool2(POOL_FLAG_NON_PAGED, sizeof(*Answer), ECHO_TAG);
    Irp = IoAllocateIrp(1, FALSE);
    Buffer.Mdl = IoAllocateMdl((PVOID)Page, sizeof(Page) - 1, FALSE, FALSE, NULL);
    if (Answer == NULL || Irp == NULL || Buffer.Mdl == NULL) {
        if (Answer != NULL) ExFreePoolWithTag(Answer, ECHO_TAG);
        if (Irp != NULL) IoFreeIrp(Irp);
        if (Buffer.Mdl != NULL) IoFreeMdl(Buffer.Mdl);
        return STATUS_SUCCESS;
    }
    MmBuildMdlForNonPagedPool(Buffer.Mdl);
    Answer->Connection = Connection;
    Answer->Mdl = Buffer.Mdl;
    InterlockedIncrement(&Connection->References);
    IoSetCompletionRoutine(Irp, PageSent, Answer, TRUE, TRUE, TRUE);
    Functions(Connection)->WskSend(Connection->Socket, &Buffer, 0, Irp);
    return STATUS_SUCCESS;
}

"""


def program(name: str) -> str:
    """Where a program is; the test is skipped where it is not installed."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed here; .ci/run installs it")
    return found


def asked(lab: Lab, given: bytes, *command: str) -> subprocess.CompletedProcess[bytes]:
    """Run a program with something on its standard input while the driver serves."""
    arguments: dict[str, Any] = {"input": given, "capture_output": True, "timeout": 60}
    found: subprocess.CompletedProcess[bytes] = lab.network.client(asyncio.to_thread(subprocess.run, command, **arguments))
    return found


@pytest.mark.parametrize(("host", "family"), HOSTS)
@pytest.mark.parametrize("content", [b"x", b"hello, kernel\n", bytes(range(256)) * 400])
def test_nc_over_tcp(host: str, family: str, content: bytes) -> None:
    nc = program("nc")
    with running("tcp_echo.c", "loopback") as (lab, port, _):
        said = asked(lab, content, nc, family, "-N", "-w", "10", host, str(port))
        assert (said.returncode, said.stdout) == (0, content)
        lab.run()


@pytest.mark.parametrize(("host", "family"), HOSTS)
def test_nc_over_udp(host: str, family: str) -> None:
    nc = program("nc")
    with running("udp_echo.c", "loopback") as (lab, port, _):
        assert asked(lab, b"ping", nc, family, "-u", "-W", "1", "-w", "10", host, str(port)).stdout == b"ping"
        lab.run()


@contextmanager
def page_server() -> Iterator[tuple[Lab, int]]:
    """The echo server's example, which answers with a page instead."""
    text = (EXAMPLES / "tcp_echo.c").read_text("utf-8")
    first, last = (text.index(f"static NTSTATUS WSKAPI\n{name}Event") for name in ("Receive", "Disconnect"))
    port = free_port()
    text = text[:first] + ANSWERS_WITH_A_PAGE + text[last:].replace("ECHO_PORT", str(port))
    with Lab(network="loopback") as lab:
        started = start(lab, lab.load(text, "http_server.c"), "http_server")
        assert started.status == 0
        yield lab, port
        assert unload(lab, started)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]"])
def test_curl_gets_a_page(host: str) -> None:
    curl = program("curl")
    with page_server() as (lab, port):
        said = asked(lab, b"", curl, "--silent", "--show-error", "--noproxy", "*", "--max-time", "20", f"http://{host}:{port}/")
        assert (said.returncode, said.stdout, said.stderr) == (0, b"Hello from a kernel.", b"")
        lab.run()


def test_twenty_curls_at_once() -> None:
    curl = program("curl")
    with page_server() as (lab, port):
        url = f"http://127.0.0.1:{port}/"

        async def all_of_them() -> list[bytes]:
            command = [curl, "--silent", "--noproxy", "*", "--max-time", "30", url]
            runs = (asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60) for _ in range(20))
            return [found.stdout for found in await asyncio.gather(*runs)]

        assert lab.network.client(all_of_them()) == [b"Hello from a kernel."] * 20
        lab.run()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_python_client(host: str) -> None:
    with running("tcp_echo.c", "loopback") as (lab, port, _):
        assert lab.network.client(asyncio.wait_for(talk(host, port, b"hello, kernel"), 60)) == b"hello, kernel"
        lab.run()
