"""IRPs, stack locations, MDLs, devices, completion, cancellation, work items; and what is left of them at unload.

Importing this package declares the modelled functions of the I/O manager and of the kernel below it.
"""

from wsklab.io import completion, device, irp, mdl, unload

from wsklab.machine import (  # isort: skip
    exceptions, functions_c, functions_locks, functions_pool, functions_system, functions_text, functions_thread,
)  # fmt: skip

__all__ = [
    "completion", "device", "exceptions", "functions_c", "functions_locks", "functions_pool", "functions_system",
    "functions_text", "functions_thread", "irp", "mdl", "unload",
]  # fmt: skip
