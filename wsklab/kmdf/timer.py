"""WDFTIMER: a callback at a later time.

Facts: KMDF-AUX-01 to 06. Page: using-timers.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from wsklab.kmdf.attributes import CHILD, commit, creation
from wsklab.kmdf.device import Device
from wsklab.kmdf.objects import Framework, Object, framework
from wsklab.kmdf.target import delay_until
from wsklab.machine import DISPATCH_LEVEL, Machine, status, wdk

LEVEL_PASSIVE = 2
MILLISECOND = 10_000


class Timer(Object):
    """A timer: `routine` runs at DISPATCH_LEVEL, or at PASSIVE_LEVEL when its execution level says so."""

    KIND: ClassVar[str] = "WDFTIMER"
    TYPE: ClassVar[int] = 0x1028
    PASSIVE_DISPOSAL: ClassVar[bool] = True

    def __init__(self, fw: Framework, parent: Object, routine: int, period: int, *, passive: bool) -> None:
        super().__init__(fw, parent)
        self.routine, self.period, self.irql = routine, period, 0 if passive else 2
        self.owner = parent
        self.cancel: Callable[[], None] | None = None

    def arm(self, delay: int) -> None:
        """Let it fire after `delay` 100-ns units."""
        self.cancel = self.m.after(delay, self._fire, irql=self.irql, name="timer")

    def stop(self) -> bool:
        """Take it back; whether it was armed."""
        cancel, self.cancel = self.cancel, None
        if cancel is not None:
            cancel()
        return cancel is not None

    def _fire(self) -> None:
        self.cancel = None
        if self.period:
            self.arm(self.period * MILLISECOND)
        self.framework.run(self.routine, self.handle)

    def on_dispose(self) -> None:
        """A timer that is being disposed no longer fires (KMDF-AUX-06)."""
        self.stop()


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfTimerCreate(m: Machine, Config: int, Attributes: int, Timer: int) -> int:
    """A timer under a parent that leads to a device. Facts: KMDF-AUX-01, 02."""
    fw = framework(m)
    fw.required(Config, "Config")
    fw.required(Timer, "Timer")
    m.set_u64(Timer, 0)
    answer, parent = creation(fw, Attributes, CHILD)
    if answer < 0 or parent is None:
        return answer
    config = m.view(Config, "WDF_TIMER_CONFIG")
    if config.Size != m.sizeof("WDF_TIMER_CONFIG"):
        return status.INFO_LENGTH_MISMATCH
    if config.Period > 0x7FFF_FFFF:
        return status.INVALID_PARAMETER
    passive = m.view(Attributes, "WDF_OBJECT_ATTRIBUTES").ExecutionLevel == LEVEL_PASSIVE
    if passive and config.Period:
        return status.NOT_SUPPORTED
    if not _has_device(parent):
        return status.INVALID_DEVICE_REQUEST
    if passive and config.AutomaticSerialization:
        return status.WDF_INCOMPATIBLE_EXECUTION_LEVEL
    made = _Timer(fw, parent, int(config.EvtTimerFunc), config.Period, passive=passive)
    answer = commit(fw, made, Attributes)
    if answer >= 0:
        m.set_u64(Timer, made.handle)
    return answer


def _has_device(obj: Object | None) -> bool:
    while obj is not None and not isinstance(obj, Device):
        obj = obj.parent
    return obj is not None


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfTimerStart(m: Machine, Timer: int, DueTime: int) -> int:
    """Arm the timer; TRUE when it was armed already. Facts: KMDF-AUX-03."""
    fw = framework(m)
    timer = fw.get(Timer, _Timer)
    before = timer.stop()
    timer.arm(delay_until(fw, DueTime))
    return int(before)


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfTimerStop(m: Machine, Timer: int, Wait: int) -> int:
    """Disarm the timer; TRUE when it was armed. Facts: KMDF-AUX-04."""
    return int(framework(m).get(Timer, _Timer).stop())


@wdk(irql=DISPATCH_LEVEL, lane="framework")
def WdfTimerGetParentObject(m: Machine, Timer: int) -> int:
    """The timer's parent. Facts: KMDF-AUX-06."""
    return framework(m).get(Timer, _Timer).owner.handle


_Timer = Timer
# The out parameter of WdfTimerCreate carries the name of Microsoft's page; inside it the class goes by this name.
