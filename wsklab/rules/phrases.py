"""Values of rule texts that are words of a language and not identifiers: what stands for each, as a translation key.

``{holder}``, ``{maker}``, ``{to}``, ``{what}``, ``{state}`` and ``{expected}`` are filled with these; every other value
(addresses, names of C functions, statuses, numbers) is shown as it is.
"""

from __future__ import annotations

import tomllib
from importlib import resources

_TABLE = tomllib.loads(resources.files("wsklab").joinpath("locale/phrases.toml").read_text("utf-8"))
PHRASES: dict[str, str] = {**_TABLE["actors"], **{words: words for words in _TABLE["words"]}}
"""Value → the English text that stands for it, to be translated."""
