"""The one place where the machine makes up its mind (design, decision 5).

Whatever the documents leave open is asked here: ``choose(kind, options)``. The first option is the usual answer. A lesson
fixes an answer by kind, a seed draws answers, a replay string repeats them. Nothing else in the engine is random.
"""

from __future__ import annotations

import random
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from importlib import resources

_TABLE = resources.files(__package__).joinpath("choices.toml")
KINDS = frozenset(tomllib.loads(_TABLE.read_text("utf-8"))["kinds"])
"""Every kind of question that the engine asks; a test holds that."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class ChoiceError(ValueError):
    """A fixed answer is not among the options of its kind, or a mode is unknown."""


class Choices(dict[str, str]):
    """Answers by kind, and the record of what was decided.

    Args:
        mode: None for the usual answers, ``"seed:7"`` to draw them, ``"replay:0102"`` to repeat a recorded run, or a
            mapping of kinds to fixed answers.

    ``choices["WskSend"] = "inline"`` fixes a kind, ``del choices["WskSend"]`` frees it again. ``choices.once("WskSend",
    "inline")`` answers only the next question of that kind.
    """

    def __init__(self, mode: str | dict[str, str] | None = None) -> None:
        super().__init__()
        for kind, answer in mode.items() if isinstance(mode, dict) else ():
            self[kind] = answer
        self._once: dict[str, list[str]] = {}
        self._random: random.Random | None = None
        self._replay: Iterator[int] = iter(())
        self.taken: list[tuple[str, tuple[str, ...], int]] = []
        if mode is None or isinstance(mode, dict):
            return
        if mode.startswith("seed:"):
            self._random = random.Random(mode[5:])
        elif mode.startswith("replay:"):
            if not all(digit in _DIGITS for digit in mode[7:]):
                raise ChoiceError(f"a replay string has only digits and small letters: {mode!r}")
            self._replay = iter([_DIGITS.index(digit) for digit in mode[7:]])
        elif mode:
            raise ChoiceError(f'choices is None, "seed:…", "replay:…" or a mapping, not {mode!r}')

    def __setitem__(self, kind: str, answer: str) -> None:
        if kind not in KINDS:
            close = "".join(f"; did you mean {each!r}?" for each in get_close_matches(str(kind), KINDS, 1))
            raise ChoiceError(f"nothing asks for a choice of the kind {kind!r}{close}")
        super().__setitem__(kind, answer)

    def choose(self, kind: str, options: tuple[str, ...]) -> str:
        """One of `options`; the first is the usual answer."""
        index = self._index(kind, options)
        self.taken.append((kind, options, index))
        return options[index]

    def _index(self, kind: str, options: tuple[str, ...]) -> int:
        queued = self._once.get(kind)
        fixed = queued.pop(0) if queued else self.get(kind)
        if fixed is not None:
            if fixed not in options:
                raise ChoiceError(f"{kind}: {fixed!r} is not one of {', '.join(map(repr, options))}")
            return options.index(fixed)
        replayed = next(self._replay, None)
        if replayed is not None:
            return min(replayed, len(options) - 1)
        return self._random.randrange(len(options)) if self._random else 0

    def once(self, kind: str, *answers: str) -> None:
        """Fix the answers to the next questions of this kind only, in order."""
        self._once.setdefault(kind, []).extend(answers)

    @property
    def replay(self) -> str:
        """The string that repeats every decision of this run."""
        return "replay:" + "".join(_DIGITS[min(index, 35)] for _, _, index in self.taken).rstrip("0")
