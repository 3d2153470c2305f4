"""Draw the README's picture: the run of the send listing. ``python tools/picture.py`` writes docs/assets/timeline.svg anew."""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "assets" / "timeline.svg"


def picture() -> str:
    """The SVG of one send that completes later."""
    lab = Lab(language="en")
    driver = lab.load((ROOT / "tests" / "programs" / "send_data.c").read_text("utf-8"), "send_data.c")
    driver.SendData(lab.connected_socket(), lab.buffer(b"Hello from the kernel"))
    lab.run()
    svg: str = lab.timeline().svg
    return svg + "\n"


if __name__ == "__main__":
    if "--print" in sys.argv:
        sys.stdout.write(picture())
    else:
        PICTURE.write_text(picture(), "utf-8")
