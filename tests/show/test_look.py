"""What a person can look at after a stop, and from step to step."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from wsklab import Lab
from wsklab.cli import main
from wsklab.machine import Stop
from wsklab.machine.status import NTSTATUS

LISTING = """
typedef struct _PAIR { ULONG First; PVOID Second; } PAIR;

static NTSTATUS Inner(PIRP Irp, ULONG Count)
{
  PAIR Pair;
  ULONG Unset;
  PULONG Pointer = &Unset;
  NTSTATUS Status = STATUS_PENDING;
  double Half = 0.5;
  UCHAR Text[8] = "abc";
  Pair.First = 7;
  for (ULONG i = 0; i < Count; i++) Text[0] = 'x';
  IoFreeIrp(Irp);
  IoFreeIrp(Irp);
  return Status;
}

NTSTATUS Outer(ULONG Count)
{
  PIRP Irp = IoAllocateIrp(1, FALSE);
  return Inner(Irp, Count);
}
"""
INNER = """Inner  twice.c:15:3
  Irp      PIRP      0xADDRESS IRP (freed)
  Count    ULONG     2
  Pair     PAIR      <PAIR at 0xADDRESS>
  Unset    ULONG     ??
  Pointer  PULONG    0xADDRESS stack of main+0xOFFSET
  Status   NTSTATUS  STATUS_PENDING
  Half     double    0.5
  Text     UCHAR[8]  "xbc"
  i        ULONG     2"""
OUTER = """Outer  twice.c:22:10
  Count  ULONG  2
  Irp    PIRP   0xADDRESS IRP (freed)"""


@pytest.fixture
def stopped() -> Lab:
    lab = Lab()
    driver = lab.load(LISTING, "twice.c")
    with pytest.raises(Stop):
        driver.Outer(2)
    return lab


def without_addresses(text: str) -> str:
    return re.sub(r"\+0x[0-9a-f]+$", "+0xOFFSET", re.sub(r"0xffff[0-9a-f]{12}", "0xADDRESS", text), flags=re.MULTILINE)


def test_the_locals_of_each_call_as_text(stopped: Lab) -> None:
    assert without_addresses(stopped.look()) == INNER
    assert without_addresses(stopped.look(1)) == OUTER
    with pytest.raises(IndexError, match="There are 2 C calls to look at."):
        stopped.look(2)


def test_the_locals_as_values(stopped: Lab) -> None:
    """By C name; a structure is a view, what was never set is not there."""
    found = stopped.locals()
    assert list(found) == ["Irp", "Count", "Pair", "Pointer", "Status", "Half", "Text", "i"]
    assert (found["Count"], found["Half"], found["Status"]) == (2, 0.5, NTSTATUS(0x103))
    assert found["Pair"].dump().split("\n")[1:] == ["  +0x000 First   ULONG  7", "  +0x008 Second  PVOID  ??"]
    assert stopped.hex_dump(found["Text"], 8)[18:41] == "78 62 63 00 00 00 00 00"


def test_a_local_that_was_never_set_and_an_exhausted_stack_can_be_looked_at() -> None:
    lab = Lab()
    driver = lab.load("int f(int n) { int unset; int known = 5; if (n) unset = 1; return unset + known; }", "f.c")
    with pytest.raises(Stop):
        driver.f(0)
    assert lab.look() == "f  f.c:1:67\n  n      int  0\n  unset  int  ??\n  known  int  5"


def test_an_array_of_variable_length_is_shown_as_long_as_it_is() -> None:
    lab = Lab()
    text = "int f(int n) { short a[n]; short (*p)[n] = &a; a[0] = 7; a[1] = 8; return a[2]; } int main(void) { return 0; }"
    driver = lab.load(text, "f.c")
    with pytest.raises(Stop):
        driver.f(2)
    assert lab.look().split("\n")[2] == "  a  short[2]    0700 0800"
    assert [type(each).__name__ for each in lab.locals().values()] == ["int", "View", "Address"]


def test_single_steps_with_locals() -> None:
    """Each line that begins to run, with what it finds; afterwards nothing is traced."""
    lab = Lab()
    driver = lab.load("int twice(int a)\n{\n  int b = 2;\n  while (b < a)\n    b += 2;\n  return a + b;\n}\n", "t.c")
    before = sys.gettrace()
    with lab.single_steps() as steps:
        assert driver.twice(4) == 8
    assert sys.gettrace() is before
    found = [(step.where.line, step.locals) for step in steps]
    assert found[-1] == (6, {"a": "4", "b": "4"})
    assert (5, {"a": "4", "b": "2"}) in found
    with lab.single_steps(most=3) as few:
        driver.twice(100)
    assert len(few) == 3


def test_the_command_line_shows_locals(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "driver.c"
    entry = "NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path) { ULONG Zero = 0; return 1 / Zero; }"
    path.write_text(entry, "utf-8")
    assert main(["run", "--locals", str(path)]) == 1
    assert without_addresses(capsys.readouterr().err).split("\n\n")[-1] == (
        "DriverEntry  driver.c:1:92\n"
        "  Driver  PDRIVER_OBJECT   0xADDRESS driver driver\n"
        "  Path    PUNICODE_STRING  0xADDRESS UNICODE_STRING\n"
        "  Zero    ULONG            0\n"
    )
