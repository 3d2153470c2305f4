"""Hand-made events of runs, so that the pictures are tested without an engine underneath. Every test states what it expects."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from itertools import combinations
from typing import Any

from wsklab.c.types import CHAR, LONG, UCHAR, ULONG, VOID, CType, Function, Parameter, Pointer
from wsklab.machine.trace import Event, Where
from wsklab.show import svg

IRP, SOCKET, BUFFER, ROUTINE = 0xFFFF_9A80_0014_9A40, 0xFFFF_9A80_0010_0100, 0xFFFF_9A80_0010_0800, 0xFFFF_9A80_0000_0040
PENDING, MORE_PROCESSING_REQUIRED, CONNECTION_RESET = 0x103, 0xC000_0016 - (1 << 32), 0xC000_020D - (1 << 32)
SYMBOLS = {ROUTINE: "SendComplete"}

_NTSTATUS, _BOOLEAN, _POINTER = LONG.named("NTSTATUS"), UCHAR.named("BOOLEAN"), Pointer(VOID)


def _function(returns: CType, **parameters: CType) -> Function:
    return Function(returns, tuple(Parameter(name, ctype) for name, ctype in parameters.items()))


_ROUTINE_FLAGS = {"InvokeOnSuccess": _BOOLEAN, "InvokeOnError": _BOOLEAN, "InvokeOnCancel": _BOOLEAN}
PROTOTYPES = {
    "IoAllocateIrp": _function(_POINTER, StackSize=CHAR, ChargeQuota=_BOOLEAN),
    "IoSetCompletionRoutine": _function(VOID, Irp=_POINTER, CompletionRoutine=_POINTER, Context=_POINTER, **_ROUTINE_FLAGS),
    "WskSend": _function(_NTSTATUS, Socket=_POINTER, Buffer=_POINTER, Flags=ULONG, Irp=_POINTER),
    "IoFreeIrp": _function(VOID, Irp=_POINTER),
    "SendComplete": _function(_NTSTATUS, DeviceObject=_POINTER, Irp=_POINTER, Context=_POINTER),
    "SendData": _function(_NTSTATUS, Socket=_POINTER, DataBuffer=_POINTER),
}


class Recorder:
    """Collects events; `time`, `irql` and `thread` are set between them."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.time, self.irql, self.thread = 0, 0, "main"

    def __call__(
        self,
        kind: str,
        name: str,
        actor: str,
        target: str | None = None,
        line: int = 0,
        objects: tuple[int, ...] = (),
        **data: Any,
    ) -> None:
        where = Where("send.c", line, 5, "SendData") if line else None
        place = len(self.events)
        self.events.append(Event(place, self.time, self.thread, self.irql, kind, name, actor, target, objects, where, data))


def pending_send(reset: bool = False) -> Recorder:
    """SendData on a connected socket: STATUS_PENDING, then the acknowledgement or a reset, then the completion routine."""
    run = Recorder()
    run("callback", "SendData", "app", "driver", arguments=(SOCKET, BUFFER))
    run("call", "IoAllocateIrp", "driver", "io", 28, arguments=(1, 0))
    run("allocate", "IRP", "io", None, 28, (IRP,))
    run("return", "IoAllocateIrp", "io", "driver", value=IRP)
    run("call", "IoSetCompletionRoutine", "driver", "io", 41, (IRP,), arguments=(IRP, ROUTINE, BUFFER, 1, 1, 1))
    run("return", "IoSetCompletionRoutine", "io", "driver", value=None)
    run("call", "WskSend", "driver", "wsk", 52, (IRP,), arguments=(SOCKET, BUFFER, 0, IRP))
    run("hand-over", "IRP", "driver", "wsk", 52, (IRP,), irp=IRP, function="WskSend")
    run("return", "WskSend", "wsk", "driver", value=PENDING)
    run("callback-return", "SendData", "driver", "app", value=PENDING)
    run.time, run.irql, run.thread = 10, 2, "system"
    run("message", "data", "transport", "peer", bytes=b"Hello from the kernel")
    run.time = 510
    run("message", "RST" if reset else "ACK", "peer", "transport", bytes=b"")
    status, information = (CONNECTION_RESET, 0) if reset else (0, 21)
    run("complete", "IRP", "wsk", None, 0, (IRP,), irp=IRP, status=status, information=information)
    run("callback", "SendComplete", "io", "driver", 0, (IRP,), arguments=(0, IRP, BUFFER))
    run("gap", "statement", "driver", None, 84)
    run("call", "IoFreeIrp", "driver", "io", 95, (IRP,), arguments=(IRP,))
    run("free", "IRP", "io", None, 95, (IRP,))
    run("return", "IoFreeIrp", "io", "driver", value=None)
    run("callback-return", "SendComplete", "driver", "io", value=MORE_PROCESSING_REQUIRED)
    run("routine-returned", "SendComplete", "io", None, 0, (IRP,), irp=IRP, value=MORE_PROCESSING_REQUIRED)
    return run


def freed_twice() -> Recorder:
    """The same, and then the IRP is freed a second time."""
    run = pending_send()
    run("call", "IoFreeIrp", "driver", "io", 97, (IRP,), arguments=(IRP,))
    run("stop", "irp-freed-twice", "driver", None, 97, (IRP,), title="An IRP was freed twice")
    return run


# Words of a picture


def overlaps(picture: str) -> list[tuple[str, str]]:
    """Pairs of words of an SVG that lie over each other, and words that reach over its edge (paired with "")."""
    boxes = [_box(element) for element in ElementTree.fromstring(picture).iter() if element.tag.endswith("}text")]
    outside = [(box[4], "") for box in boxes if box[0] < 0 or box[2] > 700]
    return outside + [(a[4], b[4]) for a, b in combinations(boxes, 2) if _overlap(a, b)]


Box = tuple[float, float, float, float, str]


def _box(element: ElementTree.Element) -> Box:
    """Left, top, right, bottom and words of a text element."""
    words = "".join(element.itertext())
    css = element.attrib.get("class", "").split()
    size = 11.0 if "s" in css else 11.5 if "m" in css else 12.0
    wide = svg.width(words, size, "m" in css)
    x, y = float(element.attrib["x"]), float(element.attrib["y"])
    left = x - {"": 0.0, "middle": wide / 2, "end": wide}[element.attrib.get("text-anchor", "")]
    return left, y - size * 0.75, left + wide, y + size * 0.2, words


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
