"""Gaps: the ``...`` of the documents where C allows a statement, a condition or a value.

Listings leave out what every driver does in its own way and print ``...`` there. The parser puts a `Gap` into the tree in
its stead; the machine says so when a run reaches one, and goes on. Prototypes keep their ``...``, because the parser asks
for a gap only where a statement or an expression begins. Gaps among declarations have nothing to run: only their place is kept.
"""

from __future__ import annotations

from typing import Any, Literal

from pycparser import c_ast

Kind = Literal["statement", "condition", "argument", "initialiser"]


class Gap(c_ast.EllipsisParam):  # type: ignore[misc]
    """Stands in the tree where ``...`` stands in the text.

    `kind` is ``"statement"``, ``"condition"`` (of if, while, do, for, switch, or a part of one), ``"argument"`` (fills all
    remaining parameters of the call) or ``"initialiser"`` (any other value). `number` counts the gaps of the unit from 0.
    """

    __slots__ = attr_names = ("kind", "number")

    def __init__(self, kind: Kind, number: int, coord: Any) -> None:
        super().__init__(coord)
        self.kind = kind
        self.number = number
