"""Two hosts send datagrams to the server in udp_echo.c, and each gets its own back.

python examples/udp_echo.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    loaded = lab.start_driver(lab.load(Path(__file__).with_suffix(".c")))
    hosts = [lab.host("10.0.0.2"), lab.host("10.0.0.3")]
    for host, content in zip(hosts, (b"one", b"two"), strict=True):
        host.send(content, "10.0.0.1:40008", 7000)
    lab.run()
    for host in hosts:
        print("came back:", [datagram.content for datagram in host.datagrams])
    lab.unload_driver(loaded)
    return lab


if __name__ == "__main__":
    picture = main().timeline()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(picture.svg, "utf-8")
    else:
        print(picture.text)
