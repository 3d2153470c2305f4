"""The README's picture is what the engine draws, not a picture of an earlier engine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_the_picture_is_current(root: Path) -> None:
    """``python tools/picture.py`` would change nothing."""
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(root)}
    command = [sys.executable, str(root / "tools" / "picture.py"), "--print"]
    drawn = subprocess.run(command, env=environment, capture_output=True, check=True).stdout.decode("utf-8")
    assert drawn.replace("\r\n", "\n") == (root / "docs" / "assets" / "timeline.svg").read_text("utf-8")
