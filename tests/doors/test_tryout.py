"""``python -m wsklab check --run``: listings that run in scenes made from themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wsklab.c.source import LEFT_OUT
from wsklab.c.unit import compile_unit
from wsklab.check import check_page
from wsklab.cli import main
from wsklab.listings import page_of
from wsklab.tryout import Trial, try_page
from wsklab.tryout.run import surrounded
from wsklab.tryout.supply import Scene

PAGES = Path(__file__).parent.parent / "pages"


def tried(*listings: str) -> list[Trial]:
    """The trials of a page with these listings."""
    page = page_of("\n".join(f"```C\n{listing}\n```" for listing in listings), "page.md")
    return try_page(page, [verdict.unit for verdict in check_page(page)])


def supplied(listing: str) -> dict[str, str]:
    """What the scene declares for a listing."""
    return Scene(compile_unit(listing, "page.md", left_out=LEFT_OUT), listing).supplied


@pytest.mark.parametrize("language", ["en", "ja", "fr"])
def test_a_page_is_run(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole text, in each language: what runs, what stops where, what is not run and why."""
    assert main(["check", "--run", "--lang", language, str(PAGES / "tried.md")]) == 1
    assert capsys.readouterr().out == (PAGES / f"tried.{language}.txt").read_text("utf-8")


def test_the_run_is_part_of_the_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text("```C\nstatus = WdfIoTargetStart(target);\n```\n", "utf-8")
    assert main(["check", "--run", "--json", str(page)]) == 0
    (listing,) = json.loads(capsys.readouterr().out)["pages"][0]["listings"]
    assert listing["run"] == {
        "verdict": "runs",
        "reason": "",
        "because": "",
        "rule": "",
        "where": "",
        "calls": ["WdfIoTargetStart STATUS_SUCCESS"],
        "supplied": {"status": "NTSTATUS status;", "target": "WDFIOTARGET target;"},
        "unreached": [],
        "together": [],
    }


@pytest.mark.parametrize(
    "listing, declared",
    [
        ("status = WdfRequestGetStatus(request);", {"status": "NTSTATUS status;", "request": "WDFREQUEST request;"}),
        ("if (socket == NULL) return; f((PWSK_SOCKET)socket);", {"socket": "PWSK_SOCKET socket;", "f": "ULONG f(...);"}),
        ("adapter->Lock = lock; KeAcquireInStackQueuedSpinLock(&adapter->Queued, &handle);",
         {"adapter": "struct _SCENE_1 *adapter;", "lock": "ULONG lock;", "handle": "KLOCK_QUEUE_HANDLE handle;"}),
        ("UCHAR text[TEXT_LENGTH]; RtlZeroMemory(text, TEXT_LENGTH);", {"TEXT_LENGTH": "#define TEXT_LENGTH 64"}),
        ("PMY_DATA data = Find(L\"x\"); data->Next->Length = 4;",
         {"PMY_DATA": "typedef struct _MY_DATA *PMY_DATA;", "Find": "struct _MY_DATA *Find(...);"}),
        ("WdfRequestSetCompletionRoutine(request, Done, NULL);",
         {"request": "WDFREQUEST request;",
          "Done": "void Done(WDFREQUEST a1, WDFIOTARGET a2, PWDF_REQUEST_COMPLETION_PARAMS a3, WDFCONTEXT a4);"}),
        ("for (; entry != NULL; entry = entry->Next) { entry->Visit(entry); }", {"entry": "struct _SCENE_1 *entry;"}),
        ("first->Next = second; second->Next = third; third->Next = first; first->Next->Next->Next = first->Next;",
         {name: f"struct _SCENE_1 *{name};" for name in ("first", "second", "third")}),
        ("mdl = mdl->Next; mdl->Next = Find(mdl); IoFreeMdl(mdl);", {"mdl": "MDL *mdl;", "Find": "MDL *Find(...);"}),
        ("size = sizeof(MY_HEADER);", {"MY_HEADER": "typedef struct _MY_HEADER MY_HEADER;", "size": "SIZE_T size;"}),
    ],
)  # fmt: skip
def test_the_use_of_a_name_tells_its_type(listing: str, declared: dict[str, str]) -> None:
    assert supplied(listing) == declared


def test_a_listing_is_run_with_what_the_page_declared_above() -> None:
    first, second = tried(
        "typedef struct _HEADER { ULONG Size; } HEADER;", 'HEADER header; header.Size = 4; DbgPrint("%u", header.Size);'
    )
    assert (first.verdict, first.reason, second.verdict, second.together) == ("compiles", "only declares", "runs", (2,))


def test_a_function_that_nobody_calls_is_told() -> None:
    """A routine that is only shown to the kernel is called when its time comes; one whose time never comes is not."""
    (trial,) = tried(
        "VOID Never(WDFREQUEST Request) { WdfRequestComplete(Request, STATUS_SUCCESS); }\n"
        "NTSTATUS Mark(WDFREQUEST Request, BOOLEAN Wanted)\n"
        "{ return Wanted == 7 ? WdfRequestMarkCancelableEx(Request, Never) : STATUS_SUCCESS; }"
    )
    assert (trial.verdict, trial.unreached) == ("runs", ("Never",))


@pytest.mark.parametrize("listing", ["WdfRequestSend(request, target, NULL);", "Socket->Dispatch; WskRelease(registration);"])
def test_the_driver_around_needs_nothing_from_the_reader(listing: str) -> None:
    page = page_of(f"```C\n{listing}\n```", "page.md")
    unit = compile_unit(page.listings[0].placed, "page.md", left_out=LEFT_OUT)
    _, whole = surrounded(unit, page.listings[0], page)
    assert [name for name, place in whole.problems.assumed.items() if place.file != "page.md"] == []


def test_a_variable_that_the_page_never_sets_is_set() -> None:
    """What the listing itself sets, the scene leaves alone."""
    (trial,) = tried("WDFQUEUE queue;\nWDFSTRING string;\nNTSTATUS status;\nWdfIoQueueStart(queue);\n"
                     "status = WdfStringCreate(NULL, NULL, &string);")  # fmt: skip
    assert (trial.verdict, trial.supplied) == ("runs", {"queue": "WDFQUEUE queue;"})


def test_a_list_that_the_scene_makes_ends() -> None:
    (trial,) = tried("for (; entry != NULL; entry = entry->Next) { entry->Visit(entry); entry->Next = NULL; }")
    assert (trial.verdict, trial.supplied) == ("runs", {"entry": "struct _SCENE_1 *entry;"})


def test_an_endless_loop_ends() -> None:
    (trial,) = tried("for (;;) { count++; }")
    assert (trial.verdict, trial.rule) == ("stops", "step-budget")


USB_LISTINGS = {
    "a pipe that writes": (
        "VOID Save(WDFDEVICE Device)\n{\n    WDF_MEMORY_DESCRIPTOR text;\n    UCHAR bytes[4] = {1, 2, 3, 4};\n"
        "    WDF_MEMORY_DESCRIPTOR_INIT_BUFFER(&text, bytes, 4);\n"
        "    WdfUsbTargetPipeWriteSynchronously(GetMyContext(Device)->Down, NULL, NULL, &text, NULL);\n}",
        ("WdfUsbTargetPipeWriteSynchronously STATUS_SUCCESS",),
    ),
    "a pipe that reads": (
        "VOID Fetch(WDFREQUEST Asked, WDFUSBPIPE Up)\n{\n    WDFMEMORY memory;\n"
        "    WdfRequestRetrieveOutputMemory(Asked, &memory);\n"
        "    WdfUsbTargetPipeFormatRequestForRead(Up, Asked, memory, NULL);\n}",
        ("WdfRequestRetrieveOutputMemory STATUS_SUCCESS", "WdfUsbTargetPipeFormatRequestForRead STATUS_SUCCESS"),
    ),
    "the device": (
        "WDF_USB_DEVICE_INFORMATION about;\nWDF_USB_DEVICE_INFORMATION_INIT(&about);\n"
        "if (NT_SUCCESS(WdfUsbTargetDeviceRetrieveInformation(usbDevice, &about)) &&\n"
        "    WdfUsbTargetDeviceGetNumInterfaces(usbDevice) == 1)\n"
        "    WdfUsbInterfaceGetNumConfiguredPipes(WdfUsbTargetDeviceGetInterface(usbDevice, 0));",
        (
            "WdfUsbTargetDeviceRetrieveInformation STATUS_SUCCESS", "WdfUsbTargetDeviceGetNumInterfaces",
            "WdfUsbTargetDeviceGetInterface", "WdfUsbInterfaceGetNumConfiguredPipes",
        ),
    ),
    "power": (
        "NTSTATUS TapeEvtDeviceD0Entry(WDFDEVICE Device, WDF_POWER_DEVICE_STATE PreviousState)\n{\n"
        "    return WdfIoTargetStart(WdfUsbTargetPipeGetIoTarget(GetTape(Device)->InterruptPipe));\n}\n"
        "NTSTATUS TapeEvtDeviceD0Exit(WDFDEVICE Device, WDF_POWER_DEVICE_STATE TargetState)\n{\n"
        "    WdfIoTargetStop(WdfUsbTargetPipeGetIoTarget(GetTape(Device)->InterruptPipe), WdfIoTargetCancelSentIo);\n"
        "    return STATUS_SUCCESS;\n}",
        ("WdfIoTargetStart STATUS_SUCCESS", "WdfIoTargetStop", "WdfIoTargetStart STATUS_SUCCESS"),
    ),
    "a completion routine": (
        "VOID FetchCompletionRoutine(WDFREQUEST Request, WDFIOTARGET Target, PWDF_REQUEST_COMPLETION_PARAMS Params,\n"
        "                            WDFCONTEXT Context)\n{\n"
        "    size_t length = Params->Parameters.Usb.Completion->Parameters.PipeRead.Length;\n"
        "    WdfRequestCompleteWithInformation(Request, Params->IoStatus.Status, length);\n}",
        ("WdfRequestCompleteWithInformation",),
    ),
    "a reader": (
        "VOID KeyUsbReaderCompletionRoutine(WDFUSBPIPE Pipe, WDFMEMORY Buffer, size_t Transferred, WDFCONTEXT Context)\n{\n"
        "    PUCHAR bytes = WdfMemoryGetBuffer(Buffer, NULL);\n    if (bytes[0] != 'd') ObDereferenceObject(NULL);\n}",
        ("WdfMemoryGetBuffer",) * 64,
    ),
}  # fmt: skip
"""By what they need of the scene: the listing, and the calls that it makes."""


@pytest.mark.parametrize("name", USB_LISTINGS)
def test_a_usb_device_is_below_a_listing_that_uses_one(name: str) -> None:
    listing, calls = USB_LISTINGS[name]
    (trial,) = tried(listing)
    assert (trial.verdict, trial.reason, trial.calls, trial.unreached) == ("runs", "", calls, ())


def test_a_request_that_goes_to_the_parent_came_for_a_child() -> None:
    (trial,) = tried(
        "WDF_REQUEST_FORWARD_OPTIONS options;\n"
        "WDFDEVICE bus = WdfPdoGetParent(WdfIoQueueGetDevice(WdfRequestGetIoQueue(asked)));\n"
        "WDF_REQUEST_FORWARD_OPTIONS_INIT(&options);\n"
        "status = WdfRequestForwardToParentDeviceIoQueue(asked, WdfDeviceGetDefaultQueue(bus), &options);"
    )
    assert (trial.verdict, trial.calls[-1]) == ("runs", "WdfRequestForwardToParentDeviceIoQueue STATUS_SUCCESS")


def test_macros_of_the_command_line_are_there_in_the_scene(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also for a listing that runs together with the one above it."""
    path = tmp_path / "page.md"
    path.write_text(
        "```c\ntypedef struct _CTX { ULONG Size; } CTX;\n```\n"
        '```c\nVOID Show(VOID)\n{\n    CTX Context;\n    Context.Size = SIZE;\n    DbgPrint("%lu", Context.Size);\n}\n```\n'
    )
    assert main(["check", "--run", str(path), "-D", "SIZE=7"]) == 0
    assert "supplied by the scene" not in capsys.readouterr().out
