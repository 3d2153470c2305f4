"""From a unit's parsed bodies to Python functions: every function and every static initialiser, all problems in one pass.

`check_unit` leaves its results in the unit; the inline functions of the headers are done one by one when a driver uses
them (`check_function`), because a driver uses few of the many. Whether a call has to be waited for is not known before the
units are linked: a function that waits is then made once more (`waiting`), with ``yield from`` at the calls that wait.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from wsklab.c import python as py
from wsklab.c.body import ARGUMENTS, FRAME, REST, RESULT, References, Waits, never
from wsklab.c.declare import Symbol
from wsklab.c.initialisers import steps
from wsklab.c.labels import INTO, JUMP
from wsklab.c.python import Python, leaves
from wsklab.c.runtime import MOST_LOCALS, RED_ZONE
from wsklab.c.source import Place, place_of
from wsklab.c.statements import Statements
from wsklab.c.types import UNKNOWN, VOID, Function, Record, Void, is_variable
from wsklab.c.unit import FunctionDefinition, Unit
from wsklab.c.values import Local, settled

_FRAME_ALIGNMENT = 16
_CONSTANT = (ast.Constant, ast.BinOp, ast.operator, ast.expr_context, ast.Call, ast.Name)
_CONSTANT_NAMES = ("address·", "string·", "gap·", "place·", "float·")


@dataclass(eq=False)
class CheckedFunction:
    """A body that C allows, as a Python function definition; `needs` and `locals` as in `Body`."""

    name: str
    type: Function
    place: Place
    node: ast.stmt
    needs: dict[str, tuple[Any, ...]]
    references: References
    locals: list[Local]


def check_unit(unit: Unit) -> None:
    """Check all functions and variables of a unit; problems go to ``unit.problems``."""
    for variable in unit.variables.values():
        if not variable.only_declared:
            _add_static(unit, variable)
    for definition in unit.functions.values():
        check_function(unit, definition)


def check_function(unit: Unit, definition: FunctionDefinition) -> CheckedFunction:
    """The checked body of one function of the unit; done once."""
    if definition.name not in unit.checked:
        body, unit.checked[definition.name] = _translated(unit, definition, never)
        for static in body.statics:
            _add_static(unit, static)
    return unit.checked[definition.name]


def waiting(unit: Unit, name: str, waits: Waits) -> ast.stmt:
    """The Python definition of a checked function in which calls wait: a generator, also when none of them is ever reached."""
    node = _translated(unit, unit.functions[name], waits)[1].node
    assert isinstance(node, ast.FunctionDef)
    never_reached = ast.If(py.constant(False), [ast.Expr(ast.Yield())], [])
    node.body.append(ast.fix_missing_locations(ast.copy_location(never_reached, node)))
    return node


def _translated(unit: Unit, definition: FunctionDefinition, waits: Waits) -> tuple[Statements, CheckedFunction]:
    node, place, ctype = definition.node, definition.place, definition.type
    declarations = unit.declarations
    body = Statements(definition.name, declarations, unit.problems, node.body, ctype.returns, waits)
    body.known = {"wsklab_arguments": ARGUMENTS} if ctype.varargs else {}
    for name in sorted({name for name in body.labels if body.labels.count(name) > 1}):
        body.wrong(node.body, "duplicate-label", "The label {name} appears twice.", name=name)
    body.begin(node.body)
    declarations.makes_array = body.variable_array if declarations.hosted else None
    with declarations.scope():
        first = _parameters(body, definition)
        statements = py.located(body.items(node.body.block_items or []), place_of(node.body))
    declarations.makes_array = None
    return body, _finished(body, ctype, place, first, statements)


def _parameters(body: Statements, definition: FunctionDefinition) -> Python:
    """Declare the parameters; those whose bytes matter are copied into the frame."""
    arguments = definition.node.decl.type.args
    nodes = arguments.params if arguments is not None else []
    result: Python = []
    for index, parameter in enumerate(definition.type.parameters):
        place = place_of(nodes[index]) if index < len(nodes) else definition.place
        if is_variable(parameter.type):
            parameter = body.declarations.parameter(nodes[index])
            result += [ast.Expr(size) for size in body.sizes]
            body.sizes.clear()
        variable = body.add_local(parameter.name, parameter.type)
        body.parameters.append(variable)
        if parameter.name:
            body.declarations.enter(Symbol(parameter.name, "object", parameter.type, place, "", None, None, variable))
        if variable.offset is not None:
            x = body.object_of(variable, place)
            result.append(ast.Expr(body.store(x, py.name(variable.python))))
    return result


def _finished(body: Statements, ctype: Function, place: Place, first: Python, statements: Python) -> CheckedFunction:
    """The Python function around a body."""
    # Declares all locals: without ``name: 0`` Python would look for a global when no statement assigns the name.
    python = [v.python for v in body.locals if v.offset is None and v not in body.parameters]
    lines: Python = [ast.AnnAssign(ast.Name(name, py.STORE), py.constant(0), None, 1) for name in python] + first
    if body.jumps:
        lines.append(py.assign(JUMP, 0))
    if body.entered:
        lines.append(py.assign(INTO, 0))
    lines += statements
    if not leaves(statements):
        lines += _end(body, ctype, place)
    if body.frame_size > MOST_LOCALS:
        text = "The local variables of {name} take {size} bytes; more than {most} are not compiled."
        hint = "A kernel stack is small: large buffers come from the pool."
        body.problems.error("too-many-locals", place, text, hint, name=body.name, size=body.frame_size, most=MOST_LOCALS)
    elif body.frame_size or body.uses_rest or body.uses_stack:
        layout = bytearray(-(-(body.frame_size + RED_ZONE) // _FRAME_ALIGNMENT) * _FRAME_ALIGNMENT)
        for local in body.locals:
            if local.offset is not None:
                layout[local.offset : local.offset + local.type.size] = b"\1" * local.type.size
        whole = py.constant(bytes(layout))
        if body.uses_rest:
            # The arguments of ``...`` lie behind the locals, where va_list reads them.
            whole = py.binary(whole, "+", py.call("room·", py.name(REST)))
            where = py.binary(py.name(FRAME), "+", len(layout))
            lines.insert(0, py.assign(ARGUMENTS, py.call("slots·", where, py.name(REST))))
        align = max([_FRAME_ALIGNMENT, *(local.type.align for local in body.locals if local.offset is not None)])
        push = py.assign(FRAME, py.call("push·", whole, py.constant(body.name), py.constant(align)))
        ends = ["cut·", "pop·"] if body.uses_stack else ["pop·"]
        lines = [push, ast.Try(lines or [ast.Pass()], [], [], [ast.Expr(py.call(end, py.name(FRAME))) for end in ends])]
    arguments = [ast.arg(parameter.python) for parameter in body.parameters]
    if isinstance(ctype.returns, Record):
        arguments.insert(0, ast.arg(RESULT))
    rest = ast.arg(REST) if ctype.varargs else None
    signature = ast.arguments(posonlyargs=[], args=arguments, vararg=rest, kwonlyargs=[], kw_defaults=[], defaults=[])
    node = ast.FunctionDef(py.spelled(body.name), signature, lines or [ast.Pass()], [], None)
    py.locate(node, place)
    return CheckedFunction(body.name, ctype, place, node, body.needs, body.references, body.locals)


def _end(body: Statements, ctype: Function, place: Place) -> Python:
    """What stands behind the last statement: C lets a function end without a value if nobody uses it."""
    if isinstance(ctype.returns, Void):
        return []
    if isinstance(ctype.returns, Record):
        return [ast.Return(py.name(RESULT))]
    # With a gap, the value was left out of the listing together with the rest; zero is what a gap gives everywhere.
    zero = body.references.has_gap or body.name == "main"
    if not zero and not body.returns_value and ctype.returns is not UNKNOWN:
        body.problems.warning("no-return", place, "{name} ends without returning its value.", name=body.name)
    return [ast.Return(py.constant(0) if zero else py.call("no_value·", py.constant(body.name)))]


# Variables of static storage


def _add_static(unit: Unit, variable: Symbol) -> None:
    unit.statics[variable.name] = variable
    init, name = variable.node.init, variable.name
    if init is None:
        return
    body = Statements(name, unit.declarations, unit.problems, init)
    stores: Python = []
    for step in steps(body, body.static(name, variable.type, place_of(variable.node)), init, zeroed=True):
        if not isinstance(step, tuple) or not _is_constant(settled(step[1])):
            text = "The initial value of {name} is not constant."
            unit.problems.error("initialiser-not-constant", init, text, name=name)
        else:
            stores += body.assignment(*step, step[1].at)
    for static in body.statics:
        _add_static(unit, static)
    body.name = f"initialise·{name}"
    unit.initialise.append(_finished(body, Function(VOID, ()), variable.place, [], stores))


def _is_constant(value: ast.expr) -> bool:
    """Whether a static initialiser may be this: a number, or an address known before the run."""
    nodes = list(ast.walk(value))
    named = all(node.id.startswith(_CONSTANT_NAMES) for node in nodes if isinstance(node, ast.Name))
    return named and all(isinstance(node, _CONSTANT) for node in nodes)
