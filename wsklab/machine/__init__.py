"""One simulated x64 kernel: memory, pool, objects, IRQL, threads, virtual time, choices, trace.

Everything above it (``io``, ``wsk``, ``kmdf``) imports from here; it knows the C front end only through types and headers.
"""

from wsklab.machine.api import APC_LEVEL, DISPATCH_LEVEL, HIGH_LEVEL, IRQL_NAMES, PASSIVE_LEVEL, quiet, wdk
from wsklab.machine.machine import Machine
from wsklab.machine.scheduler import Thread, Wait
from wsklab.machine.stops import NotModelled, Stop
from wsklab.machine.trace import Event, Where
from wsklab.machine.views import View

__all__ = [
    "APC_LEVEL", "DISPATCH_LEVEL", "HIGH_LEVEL", "IRQL_NAMES", "PASSIVE_LEVEL",
    "Event", "Machine", "NotModelled", "Stop", "Thread", "View", "Wait", "Where", "quiet", "wdk",
]  # fmt: skip
