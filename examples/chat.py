"""Three members of the chat of chat.c: what one of them writes, the other two read.

python examples/chat.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab
from wsklab.net import Address, Peer


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    loaded = lab.start_driver(lab.load(Path(__file__).with_suffix(".c")))
    lab.host("10.0.0.2")
    members = [Peer(lab.network, Address.parse("10.0.0.2").at(port), "reads") for port in (6001, 6002, 6003)]
    for member in members:
        member.connect(Address.parse("10.0.0.1").at(40009))
        lab.run()
    members[0].send(b"hello\n")
    lab.run()
    print("heard:", [member.received for member in members])
    lab.unload_driver(loaded)
    return lab


if __name__ == "__main__":
    picture = main().timeline()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(picture.svg, "utf-8")
    else:
        print(picture.text)
