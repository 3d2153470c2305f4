"""``python -m wsklab check --run``: does a listing of a page also run, with what its reader would have to supply?

`infer` finds out what the listing's free names are, `supply` writes the C around it, `run` runs it, `tell` tells how it ended.
"""

from wsklab.tryout.run import Trial, try_page
from wsklab.tryout.tell import as_json, told

__all__ = ["Trial", "as_json", "told", "try_page"]
