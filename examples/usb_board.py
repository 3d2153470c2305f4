"""A board with lights and buttons under the driver of usb_board.c, and an application that uses it.

python examples/usb_board.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab
from wsklab.kmdf.lower import USB  # a configuration with two bulk pipes and an interrupt pipe

SET_LIGHTS = 0x22A000


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    # Nobody presses a button yet: the two reads of the continuous reader wait. What follows is answered later.
    board = lab.lower_device("board", answers=["never", "never", "later"], data=b"18 degrees", usb=USB)
    loaded = lab.start_driver(driver := lab.load(Path(__file__).with_suffix(".c")), lower=board)
    print("reads under way on the interrupt pipe:", len(board.pending))

    file = lab.open(loaded)
    print("write:", file.write(b"measure").status, board.received[-1].content)
    print("read:", file.read(64).data)
    print("read of 60 bytes:", file.read(60).status)
    print("lights:", file.ioctl(SET_LIGHTS, b"\x5a").status, board.received[-1].urb[-8:].hex(" "), board.received[-1].content)

    board.answers, board.data = "never", b"\x05"
    board.complete_all()
    lab.run()
    context = driver.GetBoardContext(loaded.devices[0])
    print(f"buttons: {context.Pressed} reports, the last one {context.LastButtons}; under way again: {len(board.pending)}")
    file.close()
    lab.unload_driver(loaded)
    print("cancelled at the end:", [str(seen.status) for seen in board.received[-2:]])
    return lab


if __name__ == "__main__":
    journey = main().journey()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(journey.svg, "utf-8")
    else:
        print(journey.text)
