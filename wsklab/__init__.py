"""wsklab: run Windows kernel networking and driver I/O code on a simulated machine, with no Windows.

Three doors lead in: Python (:class:`Lab`), the command line (``python -m wsklab``) and the notebook (``%load_ext wsklab``).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wsklab.c.source import CompileError
    from wsklab.lab import Lab, LabError
    from wsklab.machine import NotModelled, Stop

__version__ = "0.1.0"
__all__ = ["CompileError", "Lab", "LabError", "NotModelled", "Stop"]

_HOMES = {
    "CompileError": "wsklab.c.source", "Lab": "wsklab.lab", "LabError": "wsklab.lab",
    "NotModelled": "wsklab.machine", "Stop": "wsklab.machine",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that importing one part (words, say) does not parse headers.
    if name not in _HOMES:
        raise AttributeError(name)
    return getattr(importlib.import_module(_HOMES[name]), name)


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext wsklab``: the cell magic ``%%c``."""
    from wsklab.magics import register

    register(shell)
