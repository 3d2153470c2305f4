"""The life of an object as text and as a table."""

from __future__ import annotations

from runs import IRP, freed_twice, pending_send

from wsklab.machine.trace import Event
from wsklab.show.life import life


def about(address: int) -> list[Event]:
    return [event for event in freed_twice().events if address in event.objects]


def test_a_life_names_every_station_the_call_and_the_place() -> None:
    assert life(about(IRP), IRP, "en").text.split("\n") == [
        "The life of IRP 0xffff9a8000149a40:",
        "  0 µs   PASSIVE   allocated                                                         send.c:28",
        "  0 µs   PASSIVE   handed over to WSK                                     WskSend    send.c:52",
        "  51 µs  DISPATCH  completed with STATUS_SUCCESS",
        "  51 µs  DISPATCH  given to SendComplete",
        "  51 µs  DISPATCH  freed                                                  IoFreeIrp  send.c:95",
        "  51 µs  DISPATCH  SendComplete returned STATUS_MORE_PROCESSING_REQUIRED",
        "  51 µs  DISPATCH  the machine stopped here: An IRP was freed twice                  send.c:97",
    ]


def test_a_table_has_a_row_for_each_station() -> None:
    html = life([event for event in pending_send().events if IRP in event.objects], IRP, "ja").html
    assert (html.count("<tr>"), html.count('<th scope="col">')) == (7, 5)
    assert '<th scope="col">時刻</th>' in html
    assert "<caption>IRP 0xffff9a8000149a40 の一生</caption>" in html


def test_an_object_nobody_recorded_says_so() -> None:
    assert life([], 0x1000, "en").text == "The life of 0x0000000000001000:\n  nothing was recorded"
