"""The driver of async_send.c over a device that answers later: one request of each kind.

python examples/async_send.py [PICTURE.svg]
"""

from __future__ import annotations

import sys
from pathlib import Path

from wsklab import Lab


def main() -> Lab:
    """Run it, tell what came of it, and return the lab."""
    lab = Lab()
    device = lab.lower_device("disk", answers="later", data=b"data from below")
    driver = lab.load(Path(__file__).with_suffix(".c"))
    loaded = lab.start_driver(driver, lower=device)
    lab.run()
    print("seen below:", [seen.name for seen in device.received])
    result = driver.variables["LastResult"]
    print(f"completions {result.Completions}, bytes of the last one {result.Information}")
    lab.unload_driver(loaded)
    return lab


if __name__ == "__main__":
    picture = main().journey()
    if sys.argv[1:]:
        Path(sys.argv[1]).write_text(picture.svg, "utf-8")
    else:
        print(picture.text)
