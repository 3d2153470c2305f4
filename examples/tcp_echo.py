"""A client of the server in tcp_echo.c: it sends five bytes, gets them back and finishes.

python examples/tcp_echo.py [PICTURE.svg]
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
    client = Peer(lab.network, Address.parse("10.0.0.2").at(6000), "reads")
    client.connect(Address.parse("10.0.0.1").at(40007))
    lab.run()
    client.send(b"hello")
    lab.run()
    print("came back:", client.received)
    client.close()
    lab.run()
    print("the server has finished too:", client.finished)
    lab.unload_driver(loaded)
    return lab


if __name__ == "__main__":
    picture = main().timeline()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(picture.svg, "utf-8")
    else:
        print(picture.text)
