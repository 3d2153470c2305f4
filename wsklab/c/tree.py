"""The typed tree: what a checked function body is made of.

`check` builds it from the parser's tree, `emit` turns it into Python. Three rules hold for every tree:
every conversion that C makes silently is a `Cast` node; every address is computed in bytes (no scaled pointers are left);
an array or a function that C turns into a pointer already is one. So `emit` never asks about C's rules.

A record-typed expression (struct, union) has its address as its value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple, dataclass_transform

from wsklab.c.types import CType, Function


class At(NamedTuple):
    """Line and column in the C source, both 1-based; column 0 is unknown."""

    line: int
    column: int


@dataclass(eq=False)
class Local:
    """A parameter or variable of automatic storage.

    It is a Python local called `python`, unless its bytes matter (`in_frame`: a record, an array, or its address is
    taken); then it lies at `offset` in the call's frame.
    """

    name: str
    type: CType
    at: At
    python: str = ""
    in_frame: bool = False
    offset: int = -1
    used: bool = False


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class Node:
    """Base of all nodes: every class below is a data class, compared by identity."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Make the class a data class."""
        super().__init_subclass__(**options)
        dataclass(eq=False)(cls)


# fmt: off
# Expressions
class Expression(Node):
    """Base of all expressions; `type` is the C type of the value."""
    type: CType
    at: At
class Constant(Expression):
    """A number, in range of its type."""
    value: int | float
class StringAddress(Expression):
    """The address of a string literal; `data` includes the final zero."""
    data: bytes
class FunctionAddress(Expression):
    """The address of a function known by name."""
    name: str
class GlobalAddress(Expression):
    """The address of a variable of static storage; `symbol` is its name in the image."""
    symbol: str
class LocalAddress(Expression):
    """The address of a local that lies in the frame."""
    variable: Local
class Offset(Expression):
    """An address and a constant number of bytes: a member's address."""
    base: Expression
    bytes: int
class Element(Expression):
    """`base` + `index` * `scale` bytes; a negative scale subtracts."""
    base: Expression
    index: Expression
    scale: int
class Distance(Expression):
    """Difference of two addresses in units of `scale` bytes."""
    left: Expression
    right: Expression
    scale: int
class LocalValue(Expression):
    """A scalar local: its value, or the target of an assignment."""
    variable: Local
class Memory(Expression):
    """What lies at `base` + `offset`: its value, or the target of an assignment. Bit-fields have a `bit_width`."""
    base: Expression
    offset: int
    bit_offset: int = 0
    bit_width: int | None = None
class Unary(Expression):
    """``-`` or ``~``."""
    op: str
    operand: Expression
class Binary(Expression):
    """``+ - * / % & | ^ << >>`` on two operands of the result's type (a shift's count keeps its own)."""
    op: str
    left: Expression
    right: Expression
class Comparison(Expression):
    """``== != < > <= >=`` on two operands of one type."""
    op: str
    left: Expression
    right: Expression
class Not(Expression):
    """``!``."""
    operand: Expression
class Logical(Expression):
    """``&&`` or ``||``."""
    op: str
    left: Expression
    right: Expression
class Conditional(Expression):
    """``condition ? then : otherwise``."""
    condition: Expression
    then: Expression
    otherwise: Expression
class Comma(Expression):
    """`first` for its effect, then `second`."""
    first: Expression
    second: Expression
class Cast(Expression):
    """A conversion to `type`, written or silent."""
    operand: Expression
class Assign(Expression):
    """`target` = `value`; the value already has the target's type. Copies bytes when the type is a record."""
    target: LocalValue | Memory
    value: Expression
class PostStep(Expression):
    """``x++`` or ``x--``: stores `update` (which reads the old value through `old`), and is the old value."""
    target: LocalValue | Memory
    old: Saved
    update: Expression
class Saved(Expression):
    """`operand`, kept for a `Recalled` that is evaluated later in the same full expression."""
    operand: Expression
    slot: list[str] = field(default_factory=list)
class Recalled(Expression):
    """The value kept by `saved`."""
    saved: Saved
class Call(Expression):
    """A call by name, or of what `address` points to. `result` is where a returned record is put."""
    name: str | None
    address: Expression | None
    function: Function
    arguments: list[Expression]
    result: Local | None = None
class Fill(Expression):
    """Zero `size` bytes at `base`."""
    base: Expression
    size: int
class Gap(Expression):
    """A ``...`` where C has an expression; `kind` as in `Runtime.gap`."""
    kind: str

# Statements
class Statement(Node):
    """Base of all statements."""
    at: At
class Evaluate(Statement):
    """An expression for its effect."""
    expression: Expression
class Block(Statement):
    """Statements in order. Labels stand between them as `Label`."""
    items: list[Statement]
class If(Statement):
    """``if``."""
    condition: Expression
    then: Statement
    otherwise: Statement | None
class Loop(Statement):
    """``while``, ``for`` and ``do`` (`test_last`). A condition of None is always true."""
    condition: Expression | None
    step: Expression | None
    body: Statement
    test_last: bool = False
class Case(Node):
    """The statements after one or more labels of a switch, up to the next label."""
    labels: list[int]
    default: bool
    body: Block
class Switch(Statement):
    """``switch``."""
    selector: Expression
    cases: list[Case]
class Break(Statement):
    """``break``."""
class Continue(Statement):
    """``continue``."""
class Goto(Statement):
    """``goto label``."""
    label: str
class Label(Statement):
    """A label: only in `Block.items`."""
    name: str
class Return(Statement):
    """``return``; the value already has the function's type."""
    value: Expression | None
# fmt: on


class CheckedFunction(Node):
    """A function body that C allows, with what it refers to outside itself, and where first.

    `calls` are functions called by name, `addresses` functions whose address is taken, `symbols` variables of static
    storage, `indirect` the types of calls through pointers.
    """

    name: str
    type: Function
    file: str
    at: At
    parameters: list[Local]
    body: Block
    frame_size: int = 0
    has_gap: bool = False
    calls: dict[str, At] = field(default_factory=dict)
    addresses: dict[str, At] = field(default_factory=dict)
    symbols: dict[str, At] = field(default_factory=dict)
    indirect: list[Function] = field(default_factory=list)
    locals: list[Local] = field(default_factory=list)
