"""The typed check: every function body and every initialiser of a unit, all problems in one pass.

`check_unit` leaves its result in `Unit.checked`; the inline functions of the headers are checked one by one when a driver
uses them (`check_function`), because a driver uses few of the many.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pycparser import c_ast

from wsklab.c import tree
from wsklab.c.check_context import Body, at
from wsklab.c.check_statements import Statements
from wsklab.c.declare import Declarations, Symbol
from wsklab.c.source import Place, place_of
from wsklab.c.types import VOID, Array, CType, Function, Pointer, Record
from wsklab.c.unit import FunctionDefinition, Unit

_FRAME_ALIGNMENT = 16


@dataclass
class CheckedVariable:
    """A variable of static storage. `symbol` is its name in the image (``function.name`` for a static local)."""

    symbol: str
    type: CType
    place: Place
    readonly: bool = False


@dataclass
class CheckedUnit:
    """What the linker needs of one unit. `initialise` holds the stores of all static initialisers."""

    functions: dict[str, tree.CheckedFunction] = field(default_factory=dict)
    variables: dict[str, CheckedVariable] = field(default_factory=dict)
    initialise: list[tree.CheckedFunction] = field(default_factory=list)
    code: dict[Any, Any] = field(default_factory=dict)
    """Emitted code by what it depends on; kept by the linker."""


def check_unit(unit: Unit) -> None:
    """Check all functions and variables of a unit; problems go to ``unit.problems``."""
    checked = checked_unit(unit)
    for variable in unit.variables.values():
        if not variable.extern:
            checked.variables[variable.name] = CheckedVariable(variable.name, variable.type, variable.place, variable.readonly)
            if variable.node is not None and variable.node.init is not None:
                _initialise(unit, checked, variable.name, variable.type, variable.node)
    for definition in unit.functions.values():
        check_function(unit, definition)


def checked_unit(unit: Unit) -> CheckedUnit:
    """The unit's collected results, made when first asked for."""
    if not isinstance(unit.checked, CheckedUnit):
        unit.checked = CheckedUnit()
    return unit.checked


def check_function(unit: Unit, definition: FunctionDefinition) -> tree.CheckedFunction:
    """The checked body of one function of the unit; done once."""
    checked = checked_unit(unit)
    known = checked.functions.get(definition.name)
    if known is not None:
        return known
    body = Body(definition.name, unit.declarations, unit.problems, definition.type.returns)
    statements = Statements(body)
    node = definition.node
    statements.find_labels(node.body)
    declarations: Declarations = unit.declarations
    previous = declarations.expression_type
    declarations.expression_type = statements.expressions.type_of
    try:
        with declarations.scope():
            parameters = [_parameter(body, definition, index) for index in range(len(definition.type.parameters))]
            block = statements.items(node.body.block_items, node.body)
    finally:
        declarations.expression_type = previous
    function = _checked(body, definition.name, definition.type, definition.place, parameters, block)
    checked.functions[definition.name] = function
    _add_statics(unit, checked, body)
    return function


def _add_statics(unit: Unit, checked: CheckedUnit, body: Body) -> None:
    for static in body.statics:
        checked.variables[static.symbol] = CheckedVariable(static.symbol, static.type, static.place)
        if static.node.init is not None:
            _initialise(unit, checked, static.symbol, static.type, static.node)


def _parameter(body: Body, definition: FunctionDefinition, index: int) -> tree.Local:
    parameter = definition.type.parameters[index]
    place = _place_of_parameter(definition, index)
    where = tree.At(place.line, place.column)
    variable = body.add_local(parameter.name, parameter.type, where, in_frame=isinstance(parameter.type, Array | Record))
    if parameter.name:
        body.declarations.enter(Symbol(parameter.name, "object", parameter.type, place, "", None, None, variable))
    return variable


def _place_of_parameter(definition: FunctionDefinition, index: int) -> Place:
    arguments = definition.node.decl.type.args
    nodes = arguments.params if arguments is not None else []
    return place_of(nodes[index]) if index < len(nodes) else definition.place


def _checked(
    body: Body, name: str, ctype: Function, place: Place, parameters: list[tree.Local], block: tree.Block
) -> tree.CheckedFunction:
    """The result of a body's check; gives every variable its Python name and its place in the frame."""
    offset = 0
    taken: set[str] = set()
    for variable in body.locals:
        variable.python = _python_name(variable.name, taken | body.calls.keys())
        taken.add(variable.python)
        if variable.in_frame:
            alignment = max(variable.type.align, 1)
            offset = -(-offset // alignment) * alignment
            variable.offset = offset
            offset += variable.type.size
    size = -(-offset // _FRAME_ALIGNMENT) * _FRAME_ALIGNMENT
    where = tree.At(place.line, place.column)
    references = body.calls, body.addresses, body.symbols, body.indirect, body.locals
    return tree.CheckedFunction(name, ctype, place.file, where, parameters, block, size, body.has_gap, *references)


def _python_name(name: str, taken: set[str]) -> str:
    """The C name, with ``·2`` behind it when Python cannot have it or another variable of the function has it."""
    candidate, number = name, 1
    while candidate in taken or candidate in ("", "None", "True", "False", "__debug__"):
        number += 1
        candidate = f"{name or 'unnamed'}·{number}"
    return candidate


def _is_constant(value: tree.Expression) -> bool:
    """Whether a static initialiser may be this: a number, or an address known before the run."""
    if isinstance(value, tree.Offset):
        return _is_constant(value.base)
    if isinstance(value, tree.Cast):
        return _is_constant(value.operand)
    return isinstance(value, tree.Constant | tree.StringAddress | tree.FunctionAddress | tree.GlobalAddress | tree.Gap)


def _initialise(unit: Unit, checked: CheckedUnit, symbol: str, ctype: CType, node: c_ast.Decl) -> None:
    """The stores of one static initialiser, as a function without parameters."""
    body = Body(symbol, unit.declarations, unit.problems, VOID, is_static=True)
    statements = Statements(body)
    where = at(node)
    base = tree.GlobalAddress(Pointer(ctype), where, symbol)
    body.symbols[symbol] = where
    steps = statements.expressions.initialisers.steps(base, ctype, node.init, where, zeroed=True)
    if not all(_is_constant(step.value) for step in steps if isinstance(step, tree.Assign)):
        text = "The initial value of {name} is not constant."
        unit.problems.error("initialiser-not-constant", node.init, text, name=symbol)
    _add_statics(unit, checked, body)
    items: list[tree.Statement] = [tree.Evaluate(step.at, step) for step in steps]
    block = tree.Block(where, items)
    checked.initialise.append(_checked(body, f"initialise·{symbol}", Function(VOID, ()), place_of(node), [], block))
