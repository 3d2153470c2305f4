"""The timeline says the same as picture and as text, and its words never overlap."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest
from runs import BUFFER, IRP, PROTOTYPES, SOCKET, SYMBOLS, Recorder, freed_twice, overlaps, pending_send

from wsklab.show.timeline import Timeline, timeline
from wsklab.words import LANGUAGES

RUNS = {"sent": pending_send, "reset": lambda: pending_send(reset=True), "freed twice": freed_twice}


def of(run: Recorder, language: str = "en", **options: object) -> Timeline:
    return timeline(run.events, language, symbols=SYMBOLS, prototypes=PROTOTYPES.get, **options)  # type: ignore[arg-type]


def test_a_run_reads_as_text() -> None:
    assert of(pending_send()).text.split("\n") == [
        "0 µs, PASSIVE",
        "  SendData(Socket, DataBuffer)",
        "  your driver → I/O manager: IoAllocateIrp(1, FALSE) → IRP 1  [line 28]",
        "  your driver → I/O manager: IoSetCompletionRoutine(IRP 1, SendComplete, Context, TRUE, TRUE, TRUE)  [line 41]",
        "  your driver → WSK: WskSend(Socket, Buffer, 0, IRP 1) → STATUS_PENDING  [line 52]",
        "  SendData → STATUS_PENDING",
        "1 µs, DISPATCH",
        "  transport → peer: 21 bytes “Hello from the …”",
        "51 µs, DISPATCH",
        "  peer → transport: ACK",
        "  I/O manager → your driver: SendComplete(NULL, IRP 1, Context) (IRP 1: STATUS_SUCCESS, 21)",
        "  “...” reached  [line 84]",
        "  your driver → I/O manager: IoFreeIrp(IRP 1)  [line 95]",
        "  your driver → I/O manager: STATUS_MORE_PROCESSING_REQUIRED",
    ]


def test_a_stop_names_the_rule_and_the_line() -> None:
    assert of(freed_twice()).text.split("\n")[-2:] == [
        "  your driver → I/O manager: IoFreeIrp(IRP 1)  [line 97]",
        "  STOP irp-freed-twice: An IRP was freed twice  [line 97]",
    ]


def test_helpers_that_say_nothing_are_left_out_unless_asked_for() -> None:
    run = Recorder()
    run("call", "RtlZeroMemory", "driver", "io", 3, arguments=(IRP, 8))
    run("return", "RtlZeroMemory", "io", "driver", value=None)
    run("gap", "statement", "driver", None, 4)
    assert of(run).text == "0 µs, PASSIVE\n  “...” reached  [line 4]"
    assert "RtlZeroMemory" in of(run, noise=True).text


def test_a_choice_and_printed_text_are_rows_of_their_own() -> None:
    run = Recorder()
    run("choice", "WskSend", "io", answer="inline", options=("pending", "inline"))
    run("print", "DbgPrint", "driver", None, 7, text="sent 5 bytes\n")
    assert of(run).text == "0 µs, PASSIVE\n  choice: WskSend: inline\n  “sent 5 bytes”  [line 7]"


def test_a_dropped_datagram_says_why() -> None:
    run = Recorder()
    run("message", "datagram", "transport", "peer", bytes=b"hi", destination="10.0.0.2:7")
    run("message", "dropped", "transport", bytes=b"hi", reason="lost on the way")
    assert of(run).text.split("\n")[1:] == [
        "  transport → peer: 2 bytes → 10.0.0.2:7 “hi”",
        "  2 bytes dropped: lost on the way",
    ]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", RUNS)
def test_the_picture_is_well_formed_small_and_described(name: str, language: str) -> None:
    picture = of(RUNS[name](), language)
    root = ElementTree.fromstring(picture.svg)
    title, description = root[0], root[1]
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == f"{title.attrib['id']} {description.attrib['id']}"
    assert description.text == picture.text
    assert len(picture.svg.encode()) < 25_000


def test_two_pictures_on_a_page_share_no_id() -> None:
    picture = of(pending_send())
    ids = re.findall(r' id="([^"]+)"', picture.draw() + picture.draw())
    assert len(ids) == 4 == len(set(ids))


def test_nothing_is_loaded_from_anywhere() -> None:
    assert re.findall(r"(?:url\(|href=|src=|@import|<script)", of(freed_twice()).svg) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", RUNS)
def test_words_overlap_nowhere_and_stay_inside(name: str, language: str) -> None:
    assert overlaps(of(RUNS[name](), language).svg) == []


def test_a_choice_between_call_and_hand_over_does_not_move_the_bar() -> None:
    run = Recorder()
    run("call", "WskSend", "driver", "wsk", 52, arguments=(SOCKET, BUFFER, 0, IRP))
    run("choice", "WskSend", "io", answer="early", options=("pending", "early"))
    run("hand-over", "IRP", "driver", "wsk", 52, (IRP,), irp=IRP)
    run("return", "WskSend", "wsk", "driver", value=0x103)
    steps = of(run).steps.steps
    assert [(step.kind, step.starts) for step in steps] == [("call", [(IRP, "provider")]), ("choice", []), ("return", [])]


def test_a_long_run_shows_its_beginning_and_its_end() -> None:
    run = Recorder()
    for line in range(1, 501):
        run("gap", "statement", "driver", None, line)
    lines = of(run).text.split("\n")
    assert (len(lines), lines[80:83]) == (
        122,
        ["  “...” reached  [line 80]", "  … 380 more rows …", "  “...” reached  [line 461]"],
    )
    assert len(of(run).svg.encode()) < 50_000
