"""Two applications and the driver of echo.c: bytes wait for a read, reads wait for bytes, and a waiting read is cancelled.

python examples/echo.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    driver = lab.load(Path(__file__).with_suffix(".c"))
    loaded = lab.start_driver(driver)

    with lab.open(r"\\.\Echo") as writer, lab.open(r"\\.\Echo") as reader:
        writer.write(b"first")
        print("bytes were there:", reader.read(16).data)

        waiting = [reader.read(16, overlapped=True) for _ in range(3)]
        writer.write(b"second")
        print("the read that waited:", waiting[0].data, "and the others:", [read.done for read in waiting[1:]])

        cancelled = reader.read(16, overlapped=True)
        print("cancelled:", cancelled.cancel(), cancelled.status)
        writer.write(b"third")
        print("the next one:", waiting[1].data)
        print("cancelled at the end:", reader.cancel(), waiting[2].status)
    lab.unload_driver(loaded)
    return lab


if __name__ == "__main__":
    picture = main().timeline()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(picture.svg, "utf-8")
    else:
        print(picture.text)
