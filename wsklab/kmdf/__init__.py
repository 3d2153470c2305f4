"""The driver framework (KMDF): objects, requests, I/O targets, memory, and what a driver needs around them.

`core` and `objects` are the base, `request`, `format`, `target` and `send` are the subject of seed 004, `wdm` is the only way to
the I/O manager, `scene` is what lessons and the command line use. Importing the package declares its functions to the machine.
Where Microsoft's source and documentation differ, it follows the source.
"""

from wsklab.kmdf import device, format, memory, private, request, send, target
from wsklab.kmdf.core import Framework, framework

__all__ = ["Framework", "device", "format", "framework", "memory", "private", "request", "send", "target"]
