"""Pictures of a run: timeline, object life, structure dump, and the *what if* panel.

Everything here only reads: the events of the trace and the bytes of the memory. Nothing here changes a machine.
"""

from __future__ import annotations

from typing import Any

from wsklab.words import translate


class Shown:
    """What a notebook shows as a picture or table and everything else as its attribute ``text``."""

    shown_as = ("text/html", "html")  # media type, and the attribute that has it
    language: str | None

    def say(self, key: str, **values: Any) -> str:
        """A text in the reader's language."""
        return translate(key, self.language, **values)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        media, attribute = self.shown_as
        return {media: getattr(self, attribute), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return str(getattr(self, "text", ""))
