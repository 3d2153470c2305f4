"""The examples about sent requests: each driver in C with its application in Python."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

PRINTED = {
    "forward_filter": """\
read: b'hello' STATUS_SUCCESS
write: STATUS_IO_DEVICE_ERROR
write, cancelled: STATUS_CANCELLED
forwarded 3, failed 2, not sent 0, bytes read 5
""",
    "outstanding_reads": """\
reads under way after the start: 4
delivered: 4 under way again: 4
reads that brought data 5, bytes 21, last byte e
cancelled at the end: 4 {'STATUS_CANCELLED'}
""",
    "usb_board": """\
reads under way on the interrupt pipe: 2
write: STATUS_SUCCESS b'measure'
read: b'18 degrees'
read of 60 bytes: STATUS_INVALID_BUFFER_SIZE
lights: STATUS_SUCCESS 40 d8 00 00 00 00 01 00 b'Z'
buttons: 2 reports, the last one 5; under way again: 2
cancelled at the end: ['STATUS_CANCELLED', 'STATUS_CANCELLED']
""",
    "mirror": """\
write: STATUS_SUCCESS 6
write: STATUS_SUCCESS 6
MirrorA [(b'to all', 'STATUS_SUCCESS'), (b'to two', 'STATUS_SUCCESS')]
MirrorB [(b'to all', 'STATUS_SUCCESS'), (b'to two', 'STATUS_IO_DEVICE_ERROR')]
MirrorC [(b'to all', 'STATUS_SUCCESS'), (b'to two', 'STATUS_SUCCESS')]
files left open: [0, 0, 0]
""",
}

FILTERED = """\
0 µs, PASSIVE  IRP 1  application → forward_filter: READ, stack location 2 of 2
0 µs, PASSIVE  IRP 1  forward_filter → disk: READ, stack location 1 of 2
1 ms, DISPATCH  IRP 1  disk → forward_filter: STATUS_SUCCESS, 5
1 ms, DISPATCH  IRP 1  forward_filter → application: STATUS_SUCCESS, 5
1 ms, PASSIVE  IRP 2  application → forward_filter: WRITE, stack location 2 of 2
1 ms, PASSIVE  IRP 2  forward_filter → disk: WRITE, stack location 1 of 2
1 ms, PASSIVE  IRP 2  disk → forward_filter: STATUS_IO_DEVICE_ERROR, 0
1 ms, PASSIVE  IRP 2  forward_filter → application: STATUS_IO_DEVICE_ERROR, 0
1 ms, PASSIVE  IRP 3  application → forward_filter: WRITE, stack location 2 of 2
1 ms, PASSIVE  IRP 3  forward_filter → disk: WRITE, stack location 1 of 2
1 ms, DISPATCH  IRP 3  disk: IRP cancelled by application
1 ms, PASSIVE  IRP 3  disk → forward_filter: STATUS_CANCELLED, 0
1 ms, PASSIVE  IRP 3  forward_filter → application: STATUS_CANCELLED, 0"""


@pytest.mark.parametrize("name", PRINTED)
def test_the_application_over_the_driver(name: str, capsys: Any, monkeypatch: Any) -> None:
    """KMDF-MUL-01 to 05, KMDF-MIS-06, 07, 08, 10, 15, 47: what the comments of the drivers promise."""
    monkeypatch.setenv("WSKLAB_LANG", "en")
    lab = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]()
    assert capsys.readouterr().out == PRINTED[name]
    lab.machine.run()
    assert not [block for block in lab.machine.memory.blocks if block.live and block.kind in ("irp", "mdl", "pool")]
    ElementTree.fromstring(lab.journey().svg)
    if name == "forward_filter":
        assert lab.journey().text == FILTERED


@pytest.mark.parametrize("state", ["Stopped", "Purged"])
def test_a_filter_whose_target_does_not_take_it(kit: Any, state: str) -> None:
    """KMDF-SND-20, KMDF-MIS-03: FALSE means that the filter completes; a stopped target holds the request instead."""
    driver = kit.lab.load((EXAMPLES / "forward_filter.c").read_text("utf-8"), "forward_filter.c")
    loaded = kit.lab.start_driver(driver, lower=kit.device())
    target = kit.wdk.WdfDeviceGetIoTarget(loaded.devices[0])
    kit.wdk.WdfIoTargetStop(target, 3) if state == "Stopped" else kit.wdk.WdfIoTargetPurge(target, 2)
    read = loaded.read(4)
    counts = driver.GetFilterContext(loaded.devices[0])
    assert (counts.Forwarded, counts.NotSent) == ((1, 0) if state == "Stopped" else (0, 1))
    assert str(read.status) == ("None" if state == "Stopped" else "STATUS_INVALID_DEVICE_STATE")
    kit.wdk.WdfIoTargetStart(target)
    assert read.done
