"""The driver framework (KMDF): objects, requests, I/O targets, memory, and what a driver needs around them.

`objects` is the base, `request`, `format`, `target` and `send` are the subject of seed 004, `wdm` is the only way to the I/O
manager, `scene` is what lessons and the command line use. Importing the package declares its functions to the machine.
`wsklab/kmdf` follows the framework's source where source and documentation differ (facts: kmdf.md).
"""

from wsklab.kmdf import attributes, complete, device, driver, format, locks, memory, queue, requests, send, targets, timer
from wsklab.kmdf.objects import Framework, framework

__all__ = ["Framework", "framework", "attributes", "complete", "device", "driver", "format", "locks", "memory", "queue",
"requests", "send", "targets", "timer"]  # fmt: skip
