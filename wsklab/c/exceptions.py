"""``__try`` with ``__except`` or ``__finally``, and ``__leave``.

An exception handler's filter becomes a function inside the function: it runs while the frames of the raising code still stand,
before the termination handlers in between, and its answer says where the exception goes. Termination handlers run for what C
raises and for jumps, never for a machine that has stopped. Follows "Handling exceptions" of the kernel guide and the pages
"try-except statement" and "try-finally statement".
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from wsklab.c import python as py
from wsklab.c.parse import Leave, changed, walk
from wsklab.c.python import Python
from wsklab.c.source import place_of
from wsklab.c.types import Int
from wsklab.c.values import Local, settled

if TYPE_CHECKING:
    from wsklab.c.statements import Statements


def guarded(body: Statements, node: Any, tried: Python) -> Python:
    """The statement `node`, whose block in the guard of ``__try`` has become `tried`."""
    body.jumps += 1
    return (_terminated if node.filter is None else _caught)(body, node, tried, f"{body.jumps}")


def leaves_by_name(node: Any) -> bool:
    """Whether a ``__leave`` goes to the end of this block."""
    return any(isinstance(part, Leave) for part in walk(node))


def _terminated(body: Statements, node: Any, tried: Python, number: str) -> Python:
    abnormal = f"abnormal·{number}"
    with body.knows(_abnormal_termination=abnormal):
        handler = body.block(node.handler.block_items)
    raised = ast.ExceptHandler(py.name("raised·"), None, [ast.Raise()])
    stopped = ast.ExceptHandler(None, None, [py.assign(abnormal, 2), ast.Raise()])
    finally_ = py.when(py.compare(py.name(abnormal), "<", 2), handler)
    return [py.assign(abnormal, 1), ast.Try([*tried, py.assign(abnormal, 0)], [raised, stopped], [], [finally_])]


def _caught(body: Statements, node: Any, tried: Python, number: str) -> Python:
    guard, code, pointers, exception = (f"{word}·{number}" for word in ("guard", "code", "pointers", "exception"))
    with body.knows(_exception_code=code, _exception_info=pointers):
        answer = body.value(node.filter)
        if not isinstance(answer.type, Int):
            text = "The filter of __except must be an integer, not {type}."
            answer = body.wrong(node.filter, "bad-filter", text, type=answer.type)
    with body.knows(_exception_code=code):
        handler = body.block(node.handler.block_items)
    symbols = [body.declarations.lookup(name) for name in sorted(changed(node.filter))]
    locals_ = [symbol.data for symbol in symbols if symbol is not None and isinstance(symbol.data, Local)]
    names = [local.python for local in locals_ if local.offset is None]
    arguments = ast.arguments([], [ast.arg(code), ast.arg(pointers)], None, [], [], None, [])
    result: ast.stmt = ast.Return(settled(answer))
    asked = ast.FunctionDef(f"{body.name}·{number}", arguments, [*([ast.Nonlocal(names)] if names else []), result], [], None)
    inner = ast.Try(tried or [ast.Pass()], [], [], [ast.Expr(py.call("unguard·", py.name(guard)))])
    other = py.compare(ast.Attribute(py.name(exception), "guard", py.LOAD), "is not", py.name(guard))
    known = py.assign(code, ast.Attribute(py.name(exception), "code", py.LOAD))
    caught = ast.ExceptHandler(py.name("raised·"), exception, [py.when(other, [ast.Raise()]), known, *handler])
    guarding = py.assign(guard, py.call("guard·", py.name(asked.name)))
    return py.located([asked, guarding, ast.Try([inner], [caught], [], [])], place_of(node))
