"""What carries bytes: hosts, addresses, connections and datagrams on virtual time, and peers that a lesson scripts.

Nothing here knows about IRPs or sockets of the Winsock Kernel. What uses the network hands it plain Python: a function that
reads the bytes when they go out, and one that is told how it ended.
"""

from wsklab.net.network import BEHAVIOURS, DELAY, Host, Network, Peer
from wsklab.net.tcp import Address, End

__all__ = ["BEHAVIOURS", "DELAY", "Address", "End", "Host", "Network", "Peer"]
