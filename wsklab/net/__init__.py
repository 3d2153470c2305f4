"""What carries bytes: hosts, addresses, connections and datagrams on virtual time, and peers that a lesson scripts.

Nothing here knows about IRPs or sockets of the Winsock Kernel. What uses the network hands it plain Python: a function that
reads the bytes when they go out, and one that is told how it ended. The network calls its users back through the small
protocols `Owner` and `Listener`, and `datagram_arrived`.
"""

from wsklab.net.address import Address
from wsklab.net.network import DELAY, Network
from wsklab.net.peers import BEHAVIOURS, Host, Peer
from wsklab.net.tcp import End

__all__ = ["BEHAVIOURS", "DELAY", "Address", "End", "Host", "Network", "Peer"]
