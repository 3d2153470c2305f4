"""The Winsock Kernel provider: what a driver calls through dispatch tables, on the simulated network.

Importing this package declares its functions. `subsystem.py` tells how every call that takes an IRP goes; ``tables.toml`` has the
socket categories and their states, and the statuses that the documents do not name.
"""

from wsklab.wsk import client, control, names
from wsklab.wsk.client import check_unload
from wsklab.wsk.subsystem import Subsystem, subsystem

__all__ = ["Subsystem", "check_unload", "client", "control", "names", "subsystem"]
