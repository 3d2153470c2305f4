"""The Winsock Kernel provider: what a driver calls through dispatch tables, on the simulated network.

Importing this package declares its functions. `states.py` has the socket categories and their states, `chosen.py` the statuses
that the documents do not name, `request.py` how every call that takes an IRP goes.
"""

from wsklab.wsk import client, control, datagram, listening, registration, setup, stream, unmodelled
from wsklab.wsk.registration import check_unload
from wsklab.wsk.subsystem import Subsystem, subsystem

__all__ = [
    "Subsystem", "check_unload", "client", "control", "datagram", "listening", "registration", "setup", "stream", "subsystem",
    "unmodelled",
]  # fmt: skip
