"""What carries bytes: hosts, addresses, connections and datagrams, and peers that a lesson scripts.

Nothing here knows about IRPs or sockets of the Winsock Kernel. What uses a network hands it plain Python: a function that reads
the bytes when they go out, and one that is told how it ended. `network.py` is the boundary, behind it stand `simulated.py` and
`loopback.py`; `capture.py` writes down what crosses.
"""

from wsklab.machine import Machine
from wsklab.net.network import Network
from wsklab.net.peers import BEHAVIOURS, Host, Peer
from wsklab.net.simulated import DELAY, Simulated
from wsklab.net.tcp import Address, End


def network_of(m: Machine) -> Network:
    """The network of a machine: the simulated one, unless another drives the machine from outside."""
    outside = m.scheduler.outside
    return outside if isinstance(outside, Network) else m.model(Simulated, m)


__all__ = ["BEHAVIOURS", "DELAY", "Address", "End", "Host", "Network", "Peer", "Simulated", "network_of"]
