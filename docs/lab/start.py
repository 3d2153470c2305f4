"""What Python does in the lab before it is asked for anything: it imports what every lesson needs.

python.mjs runs this in the browser while JupyterLite is still being set up, and imports wsklab after it. tools/compiled.py runs
it while building, to see what is worth compiling.
"""

import importlib
import sys
import types

# IPython imports its terminal whether there is one or not. In a browser there is none, so half of what it needs is never fetched.
terminal = types.ModuleType("IPython.terminal.embed")
terminal.embed = None
sys.modules[terminal.__name__] = terminal

for name in ("piplite.piplite", "pyodide_kernel", "ipywidgets"):
    importlib.import_module(name)
