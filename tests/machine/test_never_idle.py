"""A run that would never end: it is told, unless somebody says how long to run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from wsklab import Lab, Stop
from wsklab.machine import scheduler

TICKS = """
KTIMER Timer;
KDPC Dpc;
ULONG Ticks;
VOID Tick(PKDPC D, PVOID Context, PVOID One, PVOID Other) { Ticks++; }
VOID Start(VOID)
{
    LARGE_INTEGER Due = { .QuadPart = -10000 };
    KeInitializeTimer(&Timer);
    KeInitializeDpc(&Dpc, Tick, NULL);
    KeSetTimerEx(&Timer, Due, 1, &Dpc);
}
"""


def test_a_timer_that_repeats_for_ever_ends_the_run_with_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "TURNS", 1000)
    lab = Lab(trace=False)
    lab.load(TICKS).Start()
    with pytest.raises(Stop) as stopped:
        lab.run()
    assert stopped.value.rule.id == "never-idle"


def test_so_long_and_no_longer() -> None:
    lab = Lab(trace=False)
    driver = lab.load(TICKS)
    driver.Start()
    lab.run(seconds=2)
    assert (driver.variables["Ticks"], lab.machine.time) == (2000, 20_000_000)


def test_the_command_line_can_say_how_long(tmp_path: Path) -> None:
    """The timer is stopped at unload, so the driver leaves nothing behind."""
    driver = tmp_path / "ticks.c"
    driver.write_text(
        TICKS
        + """
        VOID Unload(PDRIVER_OBJECT DriverObject) { KeCancelTimer(&Timer); DbgPrint("%u ticks", Ticks); }
        NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
        {
            DriverObject->DriverUnload = Unload;
            Start();
            return STATUS_SUCCESS;
        }
        """
    )
    command = [sys.executable, "-m", "wsklab", "run", str(driver), "--seconds", "0.5"]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (0, "500 ticks")
