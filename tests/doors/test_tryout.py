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
