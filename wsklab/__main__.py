"""``python -m wsklab``."""

import os
import sys

from wsklab.cli import main

try:
    status = main()
    sys.stdout.flush()
except BrokenPipeError:  # whoever read our output has seen enough: end as other programs do, without a traceback
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    status = 141
sys.exit(status)
