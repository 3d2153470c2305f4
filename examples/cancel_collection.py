"""An application over the driver of cancel_collection.c: three writes, of which one succeeds, and the others are cancelled.

python examples/cancel_collection.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab

IOCTL_CANCEL_ALL = 0x222004


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    disk = lab.lower_device("disk", answers=["later", "never", "never"])
    driver = lab.load(Path(__file__).with_suffix(".c"))
    loaded = lab.start_driver(driver, lower=disk)

    with lab.open(loaded) as file:
        writes = [file.write(text, overlapped=True) for text in (b"one", b"two", b"three")]
        print("below:", len(disk.pending))
        lab.run()
        print("written:", [str(write.status) for write in writes])
        answer = file.ioctl(IOCTL_CANCEL_ALL, output=4)
        print("cancelled:", int.from_bytes(answer.data, "little"), [str(write.status) for write in writes])
        print("once more:", int.from_bytes(file.ioctl(IOCTL_CANCEL_ALL, output=4).data, "little"))
    lab.unload_driver(loaded)
    return lab


if __name__ == "__main__":
    picture = main().timeline()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(picture.svg, "utf-8")
    else:
        print(picture.text)
