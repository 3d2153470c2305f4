"""The driver of http_get.c asks a host for a page and prints it.

python examples/http_get.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    loaded = lab.start_driver(lab.load(Path(__file__).with_suffix(".c")))
    lab.unload_driver(loaded)
    print(lab.console.replace("\r", ""))
    return lab


if __name__ == "__main__":
    picture = main().timeline()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(picture.svg, "utf-8")
    else:
        print(picture.text)
