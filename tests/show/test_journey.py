"""The journey picture: who has each request when, in every language, and what it draws."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from wsklab import Lab
from wsklab.show.svg import width

SVG = "{http://www.w3.org/2000/svg}"


def run(language: str = "en") -> Any:
    """A request pended in a stopped target that times out, one that is out for ever, one that is refused."""
    lab = Lab(language=language)
    lab.verifier = "continue"
    target = lab.io_target(lab.lower_device("disk", answers="never", stack_size=2))
    options = lab.machine.allocate(16, kind="native", zero=True)
    lab.machine.set_u32(options, 16)
    lab.machine.set_u32(options + 4, 1)
    lab.machine.set_i64(options + 8, -10_000)
    requests = [lab.request(target) for _ in range(3)]
    for request in requests:
        lab.wdk.WdfIoTargetFormatRequestForRead(target, request, lab.memory(4), None, None)
    lab.wdk.WdfRequestSend(requests[0], target, options)
    lab.wdk.WdfRequestSend(requests[1], target, None)
    lab.run()
    lab.wdk.WdfIoTargetPurge(target, 2)
    lab.wdk.WdfRequestSend(requests[2], target, None)
    return lab.journey()


def test_what_befalls_a_request() -> None:
    """KMDF-TMO-01, KMDF-CAN-13: cancelled by the framework for a timeout and for a purge."""
    assert run().text == (
        "0 µs, PASSIVE  IRP 1  scene → disk: READ, stack location 2 of 2\n"
        "0 µs, PASSIVE  IRP 2  scene → disk: READ, stack location 2 of 2\n"
        "1 ms, DISPATCH  IRP 1  disk: request timed out\n"
        "1 ms, DISPATCH  IRP 1  disk: IRP cancelled by framework\n"
        "1 ms, DISPATCH  IRP 1  disk → scene: STATUS_CANCELLED, 0\n"
        "1 ms, DISPATCH  IRP 2  disk: IRP cancelled by framework\n"
        "1 ms, PASSIVE  IRP 2  disk → scene: STATUS_CANCELLED, 0"
    )


@pytest.mark.parametrize("language", ["en", "ja", "fr"])
def test_the_drawing(language: str) -> None:
    """Valid XML with a title; every row is there, words stay inside the picture, and there is a bar for each stay."""
    journey = run(language)
    picture = ElementTree.fromstring(journey.svg)
    assert picture.get("lang") == language and picture.findtext(f"{SVG}title")
    assert picture.findtext(f"{SVG}desc") == journey.text
    texts = picture.findall(f"{SVG}text")
    assert len(texts) == len(journey.columns) + 2 * len(journey.rows)
    for text in texts:
        x, wide = float(text.get("x", "0")), width(text.text or "", 11)
        start = {"end": x - wide, "middle": x - wide / 2}.get(text.get("text-anchor", ""), x)
        assert start >= 0 and start + wide <= 700 + 1, text.text
    assert journey.columns == ["scene", "disk"]


def test_a_pending_request_stays_on_the_picture() -> None:
    lab = Lab(language="en")
    target = lab.io_target(lab.lower_device("disk", answers="never"))
    request = lab.request(target)
    lab.wdk.WdfIoTargetFormatRequestForRead(target, request, lab.memory(4), None, None)
    lab.wdk.WdfRequestSend(request, target, None)
    journey = lab.journey()
    bars = [rect for rect in ElementTree.fromstring(journey.svg).findall(f"{SVG}rect") if rect.get("class") == "i1"]
    assert [float(bar.get("height", "0")) > 10 for bar in bars] == [False, True]
    assert repr(journey) == "0 µs, PASSIVE  IRP 1  scene → disk: READ, stack location 1 of 1"


def bars(lab: Lab) -> list[tuple[float, float, float]]:
    """The bars of the picture: x, top and bottom."""
    root = ElementTree.fromstring(lab.journey().svg)
    drawn = [each.attrib for each in root.iter(f"{SVG}rect") if each.get("class", "").startswith("i")]
    return [(float(each["x"]), float(each["y"]), float(each["y"]) + float(each["height"])) for each in drawn]


def test_bars_of_requests_under_way_stand_side_by_side() -> None:
    """Of nine requests the first comes back at once and the others stay: no bar covers another one."""
    lab = Lab()
    device = lab.lower_device("disk", answers=["at once", *["never"] * 8])
    target = lab.io_target(device)
    for _ in range(9):
        request = lab.request(target)
        lab.wdk.WdfIoTargetFormatRequestForRead(target, request, lab.memory(4), None, None)
        lab.wdk.WdfRequestSend(request, target, None)
    drawn = sorted(bars(lab))
    pairs = zip(drawn, drawn[1:], strict=False)
    assert [(one, other) for one, other in pairs if one[0] == other[0] and other[1] < one[2]] == []
    assert len({x for x, _, bottom in drawn if bottom == max(each[2] for each in drawn)}) == 9


FIRST = """
#include <ntddk.h>
#include <wdf.h>
NTSTATUS First(WDFDEVICE Device, PIRP Irp)
{
    IoCopyCurrentIrpStackLocationToNext(Irp);
    return WdfDeviceWdmDispatchPreprocessedIrp(Device, Irp);
}
NTSTATUS Add(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDFDEVICE device;
    WdfDeviceInitAssignWdmIrpPreprocessCallback(DeviceInit, First, IRP_MJ_READ, NULL, 0);
    return WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;
    WDF_DRIVER_CONFIG_INIT(&config, Add);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
"""


def test_a_move_within_one_driver_is_no_arrow() -> None:
    """An IRP that a driver gives to its own device's framework again: the bar goes on, and the words say where it is."""
    lab = Lab()
    lab.start_driver(lab.load(FIRST, "first.c")).read(4)
    assert [row.words for row in lab.journey().rows][:2] == ["READ, stack location 3 of 3", "READ, stack location 2 of 3"]
    drawn = [each.get("class", "").split()[0] for each in ElementTree.fromstring(lab.journey().svg).iter(f"{SVG}path")]
    assert (drawn.count("c"), drawn.count("k")) == (2, 2)  # a line and a head, down and up
