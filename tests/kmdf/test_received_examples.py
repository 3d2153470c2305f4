"""The examples about received requests: each driver in C with its application in Python."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PRINTED = {
    "echo": """\
bytes were there: b'first'
the read that waited: b'second' and the others: [False, False]
cancelled: True STATUS_CANCELLED
the next one: b'third'
cancelled at the end: 1 STATUS_CANCELLED
""",
    "cancel_collection": """\
below: 3
written: ['STATUS_SUCCESS', 'None', 'None']
cancelled: 2 ['STATUS_SUCCESS', 'STATUS_CANCELLED', 'STATUS_CANCELLED']
once more: 0
""",
}


@pytest.mark.parametrize("name", PRINTED)
def test_the_application_over_the_driver(name: str, capsys: Any, monkeypatch: Any) -> None:
    """KMDF-MCA-06, 10, KMDF-CAN-07 to 10, KMDF-QUE-14, 16, 20: what the comments of the two drivers promise."""
    monkeypatch.setenv("WSKLAB_LANG", "en")
    lab = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]()
    assert capsys.readouterr().out == PRINTED[name]
    lab.machine.run()
    assert not [block for block in lab.machine.memory.blocks if block.live and block.kind in ("irp", "mdl", "pool")]
    ElementTree.fromstring(lab.timeline().svg)


def echo(kit: Any) -> Any:
    driver = kit.lab.load((EXAMPLES / "echo.c").read_text("utf-8"), "echo.c")
    return kit.lab.start_driver(driver)


def test_the_cancel_callback_and_the_write_never_both_win(make_kit: Any) -> None:
    """KMDF-MCA-06: whichever comes first has the read, and the other one leaves it alone."""
    for first in ("write", "cancel"):
        kit = make_kit()
        echo(kit)
        file = kit.lab.open(r"\\.\Echo")
        read = file.read(8, overlapped=True)
        if first == "cancel":
            read.cancel()
        assert file.write(b"late").status == 0
        assert not read.cancel()
        assert (str(read.status), read.data) == (("STATUS_SUCCESS", b"late") if first == "write" else ("STATUS_CANCELLED", b""))


def test_a_write_that_is_too_long_is_refused(kit: Any) -> None:
    echo(kit)
    with kit.lab.open(r"\\.\Echo") as file:
        assert str(file.write(bytes(65)).status) == "STATUS_BUFFER_OVERFLOW"


def test_every_allocation_of_the_echo_driver_can_fail(make_kit: Any) -> None:
    """KMDF-VER-07, KMDF-DEV-07: DriverEntry fails cleanly, whichever allocation it was, and nothing is left."""
    outcomes = set()
    for nth in range(8):
        kit = make_kit(choices="replay:" + "0" * nth + "1")
        loaded = echo(kit)
        outcomes.add(str(loaded.status))
        kit.lab.unload_driver(loaded)
        assert not [block for block in kit.m.memory.blocks if block.live and block.kind == "pool"]
    assert outcomes == {"STATUS_INSUFFICIENT_RESOURCES", "STATUS_SUCCESS"}
