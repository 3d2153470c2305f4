"""From checked units to functions that run: symbols, waiting, addresses, initial values.

Every unit gets a namespace of its own (``static`` functions stay private). The inline functions of the headers that are used
make one more module, and so does ``library.c`` when a driver names a variable that Windows' libraries define. Which functions
can wait is inferred over all of them; compiled code is kept with its unit, so that linking it again for another run costs little.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import TYPE_CHECKING, Any

from wsklab.c.check import CheckedFunction, check_function, waiting
from wsklab.c.declare import Symbol
from wsklab.c.headers import INCLUDE
from wsklab.c.parse import deep_recursion
from wsklab.c.source import CompileError, Place, Problems
from wsklab.c.support import helpers
from wsklab.c.types import Function, compatible
from wsklab.c.unit import FunctionDefinition, Unit, compile_unit

if TYPE_CHECKING:
    from wsklab.c.runtime import Runtime


@dataclass
class CompiledFunction:
    """A C function that can be called from Python: ``call(*arguments)``; a generator function when it `waits`."""

    name: str
    type: Function
    place: Place
    waits: bool
    call: Callable[..., Any]
    address: int = 0


@dataclass
class Image:
    """Linked units. `globals` are addresses of variables by name (``function.name`` for static locals)."""

    functions: dict[str, CompiledFunction] = field(default_factory=dict)
    globals: dict[str, int] = field(default_factory=dict)


class _Module:
    """One unit while it is linked; `private` says whether its static functions are hidden from the other modules."""

    def __init__(self, unit: Unit, *, inlines: bool = False) -> None:
        self.unit = unit
        self.private = not inlines
        self.functions = {} if inlines else dict(unit.checked)
        self.namespace: dict[str, Any] = {}
        self.compiled: dict[str, CompiledFunction] = {}
        self.addresses: dict[str, int] = {}

    @property
    def bodies(self) -> list[CheckedFunction]:
        """All code of the module: its functions, and its static initialisers."""
        return [*self.functions.values(), *(self.unit.initialise if self.private else [])]

    def shows(self, name: str) -> bool:
        """Whether other modules see its function `name`."""
        return name in self.functions and not (self.private and self.unit.functions[name].static)


@functools.cache
def _library() -> Unit:
    return compile_unit((INCLUDE / "library.c").read_text("utf-8"), "library.c")


def link(units: list[Unit], runtime: Runtime) -> Image:
    """Make compiled units, which see each other and the inline functions of the headers, one image for a machine.

    Returns:
        The image, with its variables initialised.

    Raises:
        CompileError: a symbol is missing or defined twice.
    """
    return _Linker(units, runtime).link()


class _Linker:
    def __init__(self, units: list[Unit], runtime: Runtime) -> None:
        self.runtime = runtime
        self.own = [_Module(unit) for unit in units]
        self.modules = list(self.own)
        self.problems = Problems()
        self.modelled: dict[str, tuple[Function, Callable[..., Any], bool]] = {}
        """Functions that the runtime supplies, and whether they wait."""
        self.waiting: set[CheckedFunction] = set()
        self._may_wait: dict[int, bool] = {}
        for unit in units:
            self.problems.sources.update(unit.problems.sources)

    def link(self) -> Image:
        self._check_definitions()
        needed = [(module, name) for module in self.own for body in module.bodies for name in body.references.symbols]
        if any(self._home(module, name) is None for module, name in needed):
            self.modules.append(_Module(_library()))
        self._take_inlines()
        for module, body in self._pairs():
            self._resolve(module, body)
        if self.problems.errors:
            raise CompileError(self.problems.errors)
        self._infer_waiting()
        shared = helpers(self.runtime)
        for module in self.modules:
            module.namespace.update(shared)
            self._define(module)
        for module, body in self._pairs():
            self._bind(module, body)
        image = Image()
        for module in self.modules:
            for body in module.unit.initialise if module.private else []:
                module.namespace[body.name]()
            image.globals = {**module.addresses, **image.globals}
            image.functions = {**(module.compiled if module in self.own else {}), **image.functions}
        return image

    def _pairs(self) -> list[tuple[_Module, CheckedFunction]]:
        return [(module, body) for module in self.modules for body in module.bodies]

    # Symbols

    def _check_definitions(self) -> None:
        seen: dict[str, Place] = {}
        for module in self.own:
            defined: list[FunctionDefinition | Symbol] = [d for d in module.unit.functions.values() if not d.static]
            defined += [v for v in module.unit.variables.values() if not v.only_declared and v.storage != "static"]
            for item in defined:
                if item.name in seen:
                    text = "{name} is defined twice; the first time at {first}."
                    self.problems.error("defined-twice", item.place, text, name=item.name, first=str(seen[item.name]))
                seen[item.name] = item.place

    def _take_inlines(self) -> None:
        """Check the inline functions of the headers that are used, and those that these use."""
        unit = self.own[0].unit.headers_unit if self.own else None
        if unit is None:
            return
        inlines = _Module(unit, inlines=True)
        self.modules.append(inlines)
        pending = [body for _, body in self._pairs()]
        while pending:
            body = pending.pop()
            for name in [*body.references.calls, *body.references.addresses]:
                if name in unit.functions and not any(name in module.functions for module in self.modules):
                    inlines.functions[name] = check_function(unit, unit.functions[name])
                    pending.append(inlines.functions[name])
        unit.problems.check()

    def _find(self, module: _Module, name: str) -> tuple[_Module, CheckedFunction] | None:
        """The C function that a name means inside a module."""
        shown = (other for other in self.modules if other.shows(name))
        home = module if name in module.functions else next(shown, None)
        return None if home is None else (home, home.functions[name])

    def _home(self, module: _Module, variable: str) -> _Module | None:
        """The module of a variable that is named inside a module."""
        return next((other for other in [module, *self.modules] if variable in other.unit.statics), None)

    def _resolve(self, module: _Module, body: CheckedFunction) -> None:
        """Ask the runtime for the functions that no unit defines."""
        named = body.references
        for name, where in [*named.calls.items(), *named.addresses.items()]:
            if name in self.modelled or self._find(module, name) is not None:
                continue
            symbol = module.unit.declarations.lookup(name)
            prototype = symbol.type if symbol is not None else None
            try:
                assert isinstance(prototype, Function)
                self.modelled[name] = prototype, *self.runtime.resolve(name, prototype)
            except KeyError:
                text = "The function {name} is declared but defined nowhere."
                self.problems.error("undefined-function", where, text, name=name)
        for name, where in named.symbols.items():
            if self._home(module, name) is None:
                text = "The variable {name} is declared but defined nowhere."
                self.problems.error("undefined-variable", where, text, name=name)

    # Waiting

    def _infer_waiting(self) -> None:
        """The functions that can wait: those that call something that can, until nothing changes."""
        pairs = self._pairs()
        taken = {(module, name) for module, body in pairs for name in body.references.addresses}
        found = [self._find(module, name) for module, name in taken]
        self.taken = [pair[1] for pair in found if pair is not None]
        modelled = [self.modelled[name] for _, name in taken if name in self.modelled]
        self.waiting_types = [ctype for ctype, _, waits in modelled if waits]
        before = -1
        while before != len(self.waiting):
            before = len(self.waiting)
            self._may_wait.clear()
            self.waiting |= {body for module, body in pairs if body not in self.waiting and self._calls_waiting(module, body)}
        self._may_wait.clear()

    def _calls_waiting(self, module: _Module, body: CheckedFunction) -> bool:
        calls, indirect = body.references.calls, body.references.indirect
        return any(self._name_waits(module, name) for name in calls) or any(map(self._type_waits, indirect))

    def _name_waits(self, module: _Module, name: str) -> bool:
        found = self._find(module, name)
        return found[1] in self.waiting if found is not None else name in self.modelled and self.modelled[name][2]

    def _type_waits(self, prototype: Function) -> bool:
        """Whether a call through a pointer of this type may reach a function that waits."""
        known = self._may_wait.get(id(prototype))
        if known is None:
            waiting_types = self.waiting_types + [function.type for function in self.taken if function in self.waiting]
            known = any(compatible(ctype, prototype) for ctype in waiting_types) or self.runtime.may_wait(prototype)
            self._may_wait[id(prototype)] = known
        return known

    # Code and addresses

    def _define(self, module: _Module) -> None:
        """Compile and run the definitions of a module's functions, and give functions and variables their addresses."""
        # Each inline function is a piece of its own: every driver uses other ones.
        for piece in [module.bodies] if module.private else [[body] for body in module.bodies]:
            needs = {name: need for body in piece for name, need in body.needs.items() if name not in module.namespace}
            for name, (kind, *details) in needs.items():
                module.namespace[name] = details[0] if kind == "given" else getattr(self.runtime, kind)(*details)
            exec(self._compiled(module, piece), module.namespace)
        for name, body in module.functions.items():
            compiled = CompiledFunction(name, body.type, body.place, body in self.waiting, module.namespace[name])
            compiled.address = self.runtime.define_function(name, compiled)
            module.compiled[name] = compiled
        for name, variable in module.unit.statics.items():
            module.addresses[name] = self.runtime.allocate_global(name, variable.type)

    def _compiled(self, module: _Module, bodies: list[CheckedFunction]) -> CodeType:
        def waits(name: str | None, function: Function) -> bool:
            return self._name_waits(module, name) if name is not None else self._type_waits(function)

        names = frozenset(name for body in bodies for name in body.references.calls if self._name_waits(module, name))
        pointers = tuple(self._type_waits(prototype) for body in bodies for prototype in body.references.indirect)
        key = tuple(body.name for body in bodies), names, pointers
        known = module.unit.code.get(key)
        if known is None:
            file = bodies[0].place.file if bodies else module.unit.name
            try:
                with deep_recursion():
                    nodes = [waiting(module.unit, b.name, waits) if b in self.waiting else b.node for b in bodies]
                    known = module.unit.code[key] = compile(ast.Module(nodes, []), file, "exec", dont_inherit=True)
            except (RecursionError, SyntaxError):  # Python allows 20 loops in each other
                text = "The expressions or statements of this text are nested too deeply."
                self.problems.error("nested-too-deeply", Place(file, 1, 0), text)
                raise CompileError(self.problems.errors) from None
        return known

    def _bind(self, module: _Module, body: CheckedFunction) -> None:
        """Give a body the functions and addresses that it names."""
        namespace, named = module.namespace, body.references
        for name in named.calls:
            found = self._find(module, name)
            namespace[name] = found[0].compiled[name].call if found else self.modelled[name][1]
        for name in named.addresses:
            found = self._find(module, name)
            namespace[f"address·{name}"] = found[0].compiled[name].address if found else self.runtime.address_of(name)
        for name in named.symbols:
            home = self._home(module, name)
            assert home is not None
            namespace[f"address·{name}"] = home.addresses[name]
