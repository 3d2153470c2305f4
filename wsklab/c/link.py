"""From checked units to functions that run: symbols, waiting, addresses, initial values.

Every unit gets a namespace of its own (``static`` functions stay private). The inline functions of the headers that are used
make one more module, and so does ``library.c`` when a driver names a variable that Windows' libraries define. Which functions
can wait is inferred over all of them; emitted code is kept with its unit, so that linking it again for another run costs little.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wsklab.c.check import CheckedUnit, check_function, checked_unit
from wsklab.c.conversions import compatible
from wsklab.c.emit import Emitted, emit
from wsklab.c.emit_expressions import Needs
from wsklab.c.headers import INCLUDE
from wsklab.c.parse import deep_recursion
from wsklab.c.source import CompileError, Place, Problems
from wsklab.c.support import bit_store, helpers
from wsklab.c.tree import Call, CheckedFunction
from wsklab.c.types import Function
from wsklab.c.unit import FunctionDefinition, Unit, Variable, compile_unit

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
        self.checked: CheckedUnit = checked_unit(unit)
        self.functions = {} if inlines else dict(self.checked.functions)
        self.namespace: dict[str, Any] = {}
        self.compiled: dict[str, CompiledFunction] = {}
        self.addresses: dict[str, int] = {}

    @property
    def bodies(self) -> list[CheckedFunction]:
        """All code of the module: its functions, and its static initialisers."""
        return [*self.functions.values(), *(self.checked.initialise if self.private else [])]

    def shows(self, name: str) -> bool:
        """Whether other modules see its function `name`."""
        return name in self.functions and not (self.private and self.unit.functions[name].static)


@dataclass(frozen=True)
class _Modelled:
    """A function that the runtime supplies."""

    type: Function
    call: Callable[..., Any]
    waits: bool


@functools.cache
def _library() -> Unit:
    return compile_unit((INCLUDE / "library.c").read_text("utf-8"), "library.c")


def link(units: list[Unit], runtime: Runtime) -> Image:
    """Make the units one image.

    Args:
        units: compiled units; their functions see each other, and the inline functions of the headers.
        runtime: the machine that the image will run on.

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
        self.modelled: dict[str, _Modelled] = {}
        self.waiting: set[CheckedFunction] = set()
        self._may_wait: dict[int, bool] = {}
        for unit in units:
            self.problems.sources.update(unit.problems.sources)

    def link(self) -> Image:
        self._check_definitions()
        if any(not self._has_variable(module, name) for module in self.own for body in module.bodies for name in body.symbols):
            self.modules.append(_Module(_library()))
        self._take_inlines()
        for module in self.modules:
            for body in module.bodies:
                self._resolve(module, body)
        if self.problems.errors:
            raise CompileError(self.problems.errors)
        self._infer_waiting()
        shared = helpers(self.runtime)
        for module in self.modules:
            module.namespace.update(shared)
            self._define(module)
        for module in self.modules:
            self._bind(module)
        image = Image()
        for module in self.modules:
            for body in module.checked.initialise if module.private else []:
                module.namespace[body.name]()
            image.globals = {**module.addresses, **image.globals}
        for module in self.own:
            image.functions = {**module.compiled, **image.functions}
        return image

    # Symbols

    def _check_definitions(self) -> None:
        seen: dict[str, Place] = {}
        for module in self.own:
            defined: list[FunctionDefinition | Variable] = [d for d in module.unit.functions.values() if not d.static]
            defined += [v for v in module.unit.variables.values() if not v.extern and not v.static]
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
        pending = [body for module in self.modules for body in module.bodies]
        while pending:
            body = pending.pop()
            for name in [*body.calls, *body.addresses]:
                if name in unit.functions and not any(name in module.functions for module in self.modules):
                    inlines.functions[name] = check_function(unit, unit.functions[name])
                    pending.append(inlines.functions[name])
        unit.problems.check()

    def _find(self, module: _Module, name: str) -> tuple[_Module, CheckedFunction] | None:
        """The C function that a name means inside a module."""
        for other in [module, *self.modules]:
            if name in other.functions if other is module else other.shows(name):
                return other, other.functions[name]
        return None

    def _has_variable(self, module: _Module, name: str) -> bool:
        return any(name in other.checked.variables for other in [module, *self.modules])

    def _resolve(self, module: _Module, body: CheckedFunction) -> None:
        """Ask the runtime for the functions that no unit defines."""
        for name, where in [*body.calls.items(), *body.addresses.items()]:
            if name in self.modelled or self._find(module, name) is not None:
                continue
            symbol = module.unit.declarations.lookup(name)
            prototype = symbol.type if symbol is not None else None
            try:
                assert isinstance(prototype, Function)
                self.modelled[name] = _Modelled(prototype, *self.runtime.resolve(name, prototype))
            except KeyError:
                text = "The function {name} is declared but defined nowhere."
                self.problems.error("undefined-function", Place(body.file, *where), text, name=name)
        for name, where in body.symbols.items():
            if not self._has_variable(module, name):
                text = "The variable {name} is declared but defined nowhere."
                self.problems.error("undefined-variable", Place(body.file, *where), text, name=name)

    # Waiting

    def _infer_waiting(self) -> None:
        """The functions that can wait: those that call something that can, until nothing changes."""
        pairs = [(module, body) for module in self.modules for body in module.bodies]
        taken = {(module, name) for module, body in pairs for name in body.addresses}
        found = [self._find(module, name) for module, name in taken]
        self.taken = [pair[1] for pair in found if pair is not None]
        self.taken_modelled = [self.modelled[name] for _, name in taken if name in self.modelled]
        changed = True
        while changed:
            changed = False
            self._may_wait.clear()
            for module, body in pairs:
                if body not in self.waiting and self._calls_waiting(module, body):
                    self.waiting.add(body)
                    changed = True

    def _calls_waiting(self, module: _Module, body: CheckedFunction) -> bool:
        return any(self._name_waits(module, name) for name in body.calls) or any(map(self._type_waits, body.indirect))

    def _name_waits(self, module: _Module, name: str) -> bool:
        found = self._find(module, name)
        return found[1] in self.waiting if found is not None else name in self.modelled and self.modelled[name].waits

    def _type_waits(self, prototype: Function) -> bool:
        """Whether a call through a pointer of this type may reach a function that waits."""
        known = self._may_wait.get(id(prototype))
        if known is None:
            waiting = [f.type for f in self.taken if f in self.waiting] + [m.type for m in self.taken_modelled if m.waits]
            known = any(compatible(ctype, prototype) for ctype in waiting) or self.runtime.may_wait(prototype)
            self._may_wait[id(prototype)] = known
        return known

    # Code and addresses

    def _define(self, module: _Module) -> None:
        """Emit and run the definitions of a module's functions, and give functions and variables their addresses."""
        # Each inline function is a piece of its own: every driver uses other ones.
        for piece in [module.bodies] if module.private else [[body] for body in module.bodies]:
            emitted = self._emitted(module, piece)
            self._supply(module.namespace, emitted.needs)
            exec(emitted.code, module.namespace)
        for name, body in module.functions.items():
            compiled = CompiledFunction(name, body.type, Place(body.file, *body.at), body in self.waiting, module.namespace[name])
            compiled.address = self.runtime.define_function(name, compiled)
            module.compiled[name] = compiled
        for variable in module.checked.variables.values():
            module.addresses[variable.symbol] = self.runtime.allocate_global(variable.symbol, variable.type)

    def _emitted(self, module: _Module, bodies: list[CheckedFunction]) -> Emitted:
        def waits(call: Call) -> bool:
            return self._name_waits(module, call.name) if call.name is not None else self._type_waits(call.function)

        names = frozenset(name for body in bodies for name in body.calls if self._name_waits(module, name))
        pointers = tuple(self._type_waits(prototype) for body in bodies for prototype in body.indirect)
        key = tuple(body.name for body in bodies), names, pointers
        known: Emitted | None = module.checked.code.get(key)
        if known is None:
            file = bodies[0].file if bodies else module.unit.name
            try:
                with deep_recursion():
                    known = module.checked.code[key] = emit(bodies, file, waits)
            except (RecursionError, SyntaxError):  # Python allows 20 loops in each other
                text = "The expressions or statements of this text are nested too deeply."
                self.problems.error("nested-too-deeply", Place(file, 1, 0), text)
                raise CompileError(self.problems.errors) from None
        return known

    def _supply(self, namespace: dict[str, Any], needs: Needs) -> None:
        runtime = self.runtime
        namespace.update({name: runtime.load(ctype) for name, ctype in needs.loads.items()})
        namespace.update({name: runtime.store(ctype) for name, ctype in needs.stores.items()})
        namespace.update({name: bit_store(runtime, *bits) for name, bits in needs.bits.items()})
        namespace.update({name: runtime.string(data) for name, data in needs.strings.items()})
        namespace.update(needs.prototypes)
        namespace.update(needs.places)

    def _bind(self, module: _Module) -> None:
        """Give the module's code the functions and addresses that it names."""
        for body in module.bodies:
            for name in body.calls:
                found = self._find(module, name)
                module.namespace[name] = found[0].compiled[name].call if found else self.modelled[name].call
            for name in body.addresses:
                found = self._find(module, name)
                address = found[0].compiled[name].address if found else self.runtime.address_of(name)
                module.namespace[f"address·{name}"] = address
            for name in body.symbols:
                places: Iterable[_Module] = [module, *self.modules]
                module.namespace[f"address·{name}"] = next(m.addresses[name] for m in places if name in m.addresses)
