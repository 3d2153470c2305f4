"""Three devices under the driver of mirror.c: they differ in stack size and buffering, and one of them fails.

python examples/mirror.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    shapes = {"MirrorA": ("buffered", 1), "MirrorB": ("direct", 3), "MirrorC": ("neither", 2)}
    mirrors = [lab.lower_device(name, io_type=io_type, stack_size=size) for name, (io_type, size) in shapes.items()]
    mirrors[2].answers = "later"
    loaded = lab.start_driver(lab.load(Path(__file__).with_suffix(".c")))

    first = loaded.write(b"to all")
    lab.run()
    print("write:", first.status, first.information)
    mirrors[1].answers = "error"
    second = loaded.write(b"to two")
    lab.run()
    print("write:", second.status, second.information)
    for mirror in mirrors:
        print(mirror.name, [(seen.content, str(seen.status)) for seen in mirror.received])
    lab.unload_driver(loaded)
    print("files left open:", [mirror.files for mirror in mirrors])
    return lab


if __name__ == "__main__":
    journey = main().journey()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(journey.svg, "utf-8")
    else:
        print(journey.text)
