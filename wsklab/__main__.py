"""``python -m wsklab``."""

import sys

from wsklab.cli import main

sys.exit(main())
