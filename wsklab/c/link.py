"""From checked units to functions that run: symbols, waiting, addresses, initial values.

Every unit gets a namespace of its own (``static`` functions stay private). Which functions can wait is inferred here, over
all units and with what the runtime knows of modelled functions; the emitted code is kept with the unit, so that linking the
same units again (for another run) costs little.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from wsklab.c.check import CheckedUnit, check_function, checked_unit
from wsklab.c.conversions import compatible
from wsklab.c.emit import Emitted, emit
from wsklab.c.emit_expressions import Needs
from wsklab.c.source import CompileError, Place, Problems
from wsklab.c.support import bit_store, helpers
from wsklab.c.tree import Call, CheckedFunction
from wsklab.c.types import Function
from wsklab.c.unit import Unit

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


@dataclass(eq=False)
class _Module:
    """One unit while it is linked."""

    unit: Unit
    checked: CheckedUnit
    functions: dict[str, CheckedFunction]
    initialise: list[CheckedFunction]
    namespace: dict[str, Any] = field(default_factory=dict)
    compiled: dict[str, CompiledFunction] = field(default_factory=dict)
    addresses: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Modelled:
    """A function that the runtime supplies."""

    type: Function
    call: Callable[..., Any]
    waits: bool


_Found = tuple[_Module, CheckedFunction]


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
        self.modules = [_module(unit) for unit in units]
        self.inlines = _module(units[0].headers_unit) if units and units[0].headers_unit is not None else None
        self.problems = Problems()
        for unit in units:
            self.problems.sources.update(unit.problems.sources)
        self.modelled: dict[str, _Modelled] = {}
        self.waiting: set[CheckedFunction] = set()
        self._may_wait: dict[int, bool] = {}

    def link(self) -> Image:
        self._take_inlines()
        self._check_symbols()
        if self.problems.errors:
            raise CompileError(self.problems.errors)
        self._infer_waiting()
        modules = [*self.modules, *([self.inlines] if self.inlines is not None else [])]
        shared = helpers(self.runtime)
        image = Image()
        for module in modules:
            module.namespace.update(shared)
            self._define(module)
        for module in modules:
            self._allocate(module)
        for module in modules:
            self._bind(module)
            for name, compiled in module.compiled.items():
                image.functions.setdefault(name, compiled)
            image.globals.update({name: address for name, address in module.addresses.items() if name not in image.globals})
        for module in modules:
            self._initialise(module)
        if self.inlines is not None:
            for name in self.inlines.compiled:
                image.functions.pop(name, None)
        return image

    # Symbols

    def _take_inlines(self) -> None:
        """Check the inline functions of the headers that the units use, and those that these use."""
        if self.inlines is None:
            return
        unit = self.inlines.unit
        pending = [f for module in self.modules for f in module.functions.values()]
        pending += [f for module in self.modules for f in module.initialise]
        while pending:
            function = pending.pop()
            for name in [*function.calls, *function.addresses]:
                known = name in self.inlines.functions or any(name in module.functions for module in self.modules)
                if not known and name in unit.functions:
                    checked = check_function(unit, unit.functions[name])
                    self.inlines.functions[name] = checked
                    pending.append(checked)
        unit.problems.check()

    def _find(self, module: _Module, name: str) -> _Found | None:
        """The C function that a name means inside a module."""
        if name in module.functions:
            return module, module.functions[name]
        for other in self.modules:
            if name in other.functions and not other.unit.functions[name].static:
                return other, other.functions[name]
        if self.inlines is not None and name in self.inlines.functions:
            return self.inlines, self.inlines.functions[name]
        return None

    def _check_symbols(self) -> None:
        seen: dict[str, Place] = {}
        for module in self.modules:
            for name, definition in module.unit.functions.items():
                if not definition.static:
                    self._once(seen, name, definition.place)
            for variable in module.unit.variables.values():
                if not variable.extern and not variable.static:
                    self._once(seen, variable.name, variable.place)
        for module in [*self.modules, *([self.inlines] if self.inlines is not None else [])]:
            for function in [*module.functions.values(), *module.initialise]:
                self._check_references(module, function)

    def _once(self, seen: dict[str, Place], name: str, place: Place) -> None:
        if name in seen:
            text = "{name} is defined twice; the first time at {first}."
            self.problems.error("defined-twice", place, text, name=name, first=str(seen[name]))
        seen[name] = place

    def _check_references(self, module: _Module, function: CheckedFunction) -> None:
        for name, where in [*function.calls.items(), *function.addresses.items()]:
            if name in self.modelled or self._find(module, name) is not None:
                continue
            place = Place(function.file, where.line, where.column)
            symbol = module.unit.declarations.lookup(name)
            prototype = symbol.type if symbol is not None else None
            try:
                assert isinstance(prototype, Function)
                call, waits = self.runtime.resolve(name, prototype)
                self.modelled[name] = _Modelled(prototype, call, waits)
            except KeyError:
                text = "The function {name} is declared but defined nowhere."
                self.problems.error("undefined-function", place, text, name=name)
        for name, where in function.symbols.items():
            if not self._has_variable(module, name):
                text = "The variable {name} is declared but defined nowhere."
                place = Place(function.file, where.line, where.column)
                self.problems.error("undefined-variable", place, text, name=name)

    def _has_variable(self, module: _Module, name: str) -> bool:
        return name in module.checked.variables or any(name in other.checked.variables for other in self.modules)

    # Waiting

    def _infer_waiting(self) -> None:
        """The functions that can wait: those that call something that can, until nothing changes."""
        modules = [*self.modules, *([self.inlines] if self.inlines is not None else [])]
        everything = [(module, function) for module in modules for function in module.functions.values()]
        self.taken = [found for found in map(self._taken, everything) if found]
        changed = True
        while changed:
            changed = False
            self._may_wait.clear()
            for module, function in everything:
                if function not in self.waiting and self._calls_waiting(module, function):
                    self.waiting.add(function)
                    changed = True

    def _taken(self, item: _Found) -> list[CheckedFunction]:
        module, function = item
        found = [self._find(module, name) for name in function.addresses]
        return [pair[1] for pair in found if pair is not None]

    def _calls_waiting(self, module: _Module, function: CheckedFunction) -> bool:
        return any(self._name_waits(module, name) for name in function.calls) or any(
            self._type_waits(prototype) for prototype in function.indirect
        )

    def _name_waits(self, module: _Module, name: str) -> bool:
        found = self._find(module, name)
        if found is not None:
            return found[1] in self.waiting
        return name in self.modelled and self.modelled[name].waits

    def _type_waits(self, prototype: Function) -> bool:
        known = self._may_wait.get(id(prototype))
        if known is None:
            taken = [f for module in self._initialised() for f in module] + [f for group in self.taken for f in group]
            known = any(f in self.waiting and compatible(f.type, prototype) for f in taken)
            known = known or any(m.waits and compatible(m.type, prototype) for m in self.modelled.values())
            known = known or self.runtime.may_wait(prototype)
            self._may_wait[id(prototype)] = known
        return known

    def _initialised(self) -> list[list[CheckedFunction]]:
        """Functions whose address a static initialiser takes."""
        return [self._taken((module, function)) for module in self.modules for function in module.initialise]

    # Code

    def _define(self, module: _Module) -> None:
        """Emit and run the definitions of a module's functions."""
        file = module.unit.name
        if module is self.inlines:
            for function in module.functions.values():
                self._run(module, self._emitted(module, [function], function.file))
        else:
            everything = [*module.functions.values(), *module.initialise]
            self._run(module, self._emitted(module, everything, file))
        for name, function in module.functions.items():
            place = Place(function.file, function.at.line, function.at.column)
            call = module.namespace[name]
            module.compiled[name] = CompiledFunction(name, function.type, place, function in self.waiting, call)

    def _emitted(self, module: _Module, functions: list[CheckedFunction], file: str) -> Emitted:
        def waits(call: Call) -> bool:
            return self._name_waits(module, call.name) if call.name is not None else self._type_waits(call.function)

        names = frozenset(name for f in functions for name in f.calls if self._name_waits(module, name))
        pointers = tuple(self._type_waits(p) for f in functions for p in f.indirect)
        key = tuple(f.name for f in functions), names, pointers
        known = module.checked.code.get(key)
        if known is None:
            known = module.checked.code[key] = emit(functions, file, waits)
        return known

    def _run(self, module: _Module, emitted: Emitted) -> None:
        self._supply(module.namespace, emitted.needs)
        exec(emitted.code, module.namespace)

    def _supply(self, namespace: dict[str, Any], needs: Needs) -> None:
        runtime = self.runtime
        namespace.update({name: runtime.load(ctype) for name, ctype in needs.loads.items()})
        namespace.update({name: runtime.store(ctype) for name, ctype in needs.stores.items()})
        namespace.update({name: bit_store(runtime, *bits) for name, bits in needs.bits.items()})
        namespace.update({name: runtime.string(data) for name, data in needs.strings.items()})
        namespace.update(needs.prototypes)
        namespace.update(needs.places)

    # Addresses

    def _allocate(self, module: _Module) -> None:
        for compiled in module.compiled.values():
            compiled.address = self.runtime.define_function(compiled.name, compiled)
        for variable in module.checked.variables.values():
            module.addresses[variable.symbol] = self.runtime.allocate_global(variable.symbol, variable.type)

    def _bind(self, module: _Module) -> None:
        """Give the module's code the functions and addresses that it names."""
        namespace = module.namespace
        for function in [*module.functions.values(), *module.initialise]:
            for name in function.calls:
                found = self._find(module, name)
                namespace[name] = found[0].compiled[name].call if found else self.modelled[name].call
            for name in function.addresses:
                namespace[f"address·{name}"] = self._function_address(module, name)
            for name in function.symbols:
                namespace[f"address·{name}"] = self._variable_address(module, name)

    def _function_address(self, module: _Module, name: str) -> int:
        found = self._find(module, name)
        return found[0].compiled[name].address if found else self.runtime.address_of(name)

    def _variable_address(self, module: _Module, name: str) -> int:
        if name in module.addresses:
            return module.addresses[name]
        return next(other.addresses[name] for other in self.modules if name in other.addresses)

    def _initialise(self, module: _Module) -> None:
        for function in module.initialise:
            result = module.namespace[function.name]()
            assert not isinstance(result, Generator)


def _module(unit: Unit) -> _Module:
    checked = checked_unit(unit)
    functions = {name: checked.functions[name] for name in unit.functions if name in checked.functions}
    return _Module(unit, checked, functions, checked.initialise)
