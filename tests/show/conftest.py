"""Makes ``runs`` importable for the tests of the pictures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
