"""From checked units to functions that run: symbols, waiting, addresses, initial values.

Every unit gets a namespace of its own (``static`` functions stay private). The inline functions of the headers that are used
make one more module, and so does ``library.c`` when a driver names a variable that Windows' libraries define. What the headers
define without ``static`` is a kernel function, linked once for a machine by itself (`link_export`). Which functions
can wait is inferred over all of them; compiled code is kept with its unit, so that linking it again for another run costs little.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import CodeType, SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from wsklab.c import python as py
from wsklab.c.check import CheckedFunction, check_function, waiting
from wsklab.c.declare import Symbol
from wsklab.c.headers import INCLUDE, headers
from wsklab.c.parse import deep_recursion
from wsklab.c.source import CompileError, Place, Problem, Problems
from wsklab.c.support import helpers
from wsklab.c.types import Function, Pair, compatible, is_constant
from wsklab.c.unit import FunctionDefinition, Unit, compile_unit

if TYPE_CHECKING:
    from wsklab.c.runtime import Runtime


@dataclass(eq=False)
class CompiledFunction:
    """A function that can be called from Python: ``call(*arguments)``; a generator function when it `waits`."""

    name: str
    type: Function
    place: Place
    waits: bool = False
    call: Callable[..., Any] = NotImplemented
    address: int = 0


@dataclass
class Image:
    """Linked units. `globals` are addresses of variables by name (``function.name`` for static locals)."""

    functions: dict[str, CompiledFunction] = field(default_factory=dict)
    globals: dict[str, int] = field(default_factory=dict)


class _Module:
    """One unit while it is linked; `private` says whether its static functions are hidden from the other modules."""

    def __init__(self, unit: Unit, *, inlines: bool = False) -> None:
        self.unit, self.private = unit, not inlines
        self.bodies: list[CheckedFunction] = []
        """All code: the functions, and the static initialisers."""
        self.functions: dict[str, CompiledFunction] = {}
        self.namespace: dict[str, Any] = {}
        self.addresses: dict[str, int] = {}
        for body in unit.checked.values() if self.private else ():
            self.add(body)
        self.bodies += unit.initialise if self.private else ()

    def add(self, body: CheckedFunction) -> None:
        """Take a function in; what it is to call comes later."""
        self.bodies.append(body)
        self.functions[body.name] = CompiledFunction(body.name, body.type, body.place)

    def shows(self, name: str) -> bool:
        """Whether other modules see its function `name`."""
        return name in self.functions and not (self.private and self.unit.functions[name].static)


_HOSTED = {"stdio.h", "stdlib.h", "math.h"}
"""Headers whose functions only programs with a main have."""


@functools.cache
def _library() -> Unit:
    return compile_unit((INCLUDE / "library.c").read_text("utf-8"), "library.c")


def link(units: list[Unit], runtime: Runtime) -> Image:
    """Make compiled units, which see each other and the inline functions of the headers, one image for a machine.

    Kernel functions that the headers define in C are the runtime's, like those it models itself.

    Returns:
        The image, with its variables initialised.

    Raises:
        CompileError: a symbol is missing or defined twice.
    """
    return _Linker(units, runtime).link()


def link_export(name: str, headers_unit: Unit, runtime: Runtime) -> Image:
    """Make an image of one kernel function that the headers define in C, with all that it needs of them."""
    linker = _Linker([], runtime)
    linker.take_inlines(headers_unit, [name], exports=True)
    return linker.link()


def unresolved(units: list[Unit]) -> list[Problem]:
    """What linking units would report of which some do not compile. Of names in their holes nothing is known."""
    machine = SimpleNamespace(resolve=lambda name, prototype: (headers().prototypes[name], False))
    linker = _Linker(units, cast("Runtime", machine))
    lost = {name for unit in units for hole in unit.problems.lost for name in hole.names}
    with suppress(CompileError):
        linker.check()
    return [problem for problem in linker.problems.errors if problem.values["name"] not in lost]


class _Linker:
    def __init__(self, units: list[Unit], runtime: Runtime) -> None:
        self.runtime = runtime
        self.own = [_Module(unit) for unit in units]
        self.modules = list(self.own)
        self.problems = Problems()
        self.modelled: dict[str, CompiledFunction] = {}
        """Functions that the runtime supplies."""
        self.is_driver = any("DriverEntry" in unit.functions for unit in units)
        self._may_wait: dict[int, bool] = {}
        for unit in units:
            self.problems.sources.update(unit.problems.sources)

    def check(self) -> None:
        """Find what each name stands for. Raises CompileError."""
        self._check_definitions()
        if self.own and self.own[0].unit.headers_unit:
            named = [name for _, body in self._pairs() for name in [*body.references.calls, *body.references.addresses]]
            self.take_inlines(self.own[0].unit.headers_unit, named)
        if any(self._home(module, name) is None for module, body in self._pairs() for name in body.references.symbols):
            self.modules.append(_Module(_library()))
        for module, body in self._pairs():
            self._resolve(module, body)
        if self.problems.errors:
            raise CompileError(self.problems.errors)

    def link(self) -> Image:
        """Make the image."""
        self.check()
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
            for name, variable in module.unit.statics.items():
                if is_constant(variable.type):
                    self.runtime.seal(module.addresses[name], variable.type.size)
            image.globals = {**module.addresses, **image.globals}
            image.functions = {**(module.functions if module in self.own or not self.own else {}), **image.functions}
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
                    self.problems.error("defined-twice", item.place, text, name=item.name, first=seen[item.name])
                seen[item.name] = item.place

    def take_inlines(self, unit: Unit, names: Iterable[str], *, exports: bool = False) -> None:
        """Check the functions of the headers that are named, and those that these use; `exports` too, or inline ones only."""
        pending = list(names)
        inlines = _Module(unit, inlines=True)
        self.modules.append(inlines)
        while pending:
            name = pending.pop()
            definition = unit.functions.get(name)
            if definition and (definition.static or exports) and not any(name in module.functions for module in self.modules):
                body = check_function(unit, definition)
                inlines.add(body)
                pending += [*body.references.calls, *body.references.addresses]
        unit.problems.check()

    def _function(self, module: _Module, name: str) -> CompiledFunction | None:
        """What the name of a function means inside a module."""
        shown = (other.functions[name] for other in self.modules if other.shows(name))
        return module.functions.get(name) or next(shown, None) or self.modelled.get(name)

    def _home(self, module: _Module, variable: str) -> _Module | None:
        """The module of a variable that is named inside a module."""
        return next((other for other in [module, *self.modules] if variable in other.unit.statics), None)

    def _resolve(self, module: _Module, body: CheckedFunction) -> None:
        """Ask the runtime for the functions that no unit defines."""
        named = body.references
        for name, where in [*named.calls.items(), *named.addresses.items()]:
            symbol = module.unit.declarations.lookup(name)
            if symbol is not None and symbol.place.file in _HOSTED and self.is_driver and module.private:
                text = "The kernel has no function {name}."
                hint = "It belongs to programs with a main; a driver cannot be linked with it."
                self.problems.error("not-in-kernel", where, text, hint, name=name)
            if (function := self._function(module, name)) is not None:
                self._agree(symbol, function)
                continue
            try:
                assert symbol is not None and isinstance(symbol.type, Function)
                call, waits = self.runtime.resolve(name, symbol.type)
                self.modelled[name] = CompiledFunction(name, symbol.type, symbol.place, waits, call)
            except KeyError:
                text = "The function {name} is declared but defined nowhere."
                self.problems.error("undefined-function", where, text, name=name)
        for name, where in named.symbols.items():
            if (home := self._home(module, name)) is not None:
                self._agree(module.unit.declarations.lookup(name), home.unit.statics[name])
            else:
                text = "The variable {name} is declared but defined nowhere."
                self.problems.error("undefined-variable", where, text, name=name)

    def _agree(self, declared: Symbol | None, defined: CompiledFunction | Symbol) -> None:
        """Report what one file declares otherwise than another defines it."""
        records: list[Pair] = []
        if declared is not None and not compatible(declared.type, defined.type, exact=True, across=records):
            values: dict[str, Any] = {"name": declared.name, "new": declared.type, "old": defined.type}
            text, hint = "{name} is declared as {new} here, but as {old} in line {line} of {file}.", None
            place = defined.place
            if records and all(record.place for record in records[-1]):
                hint = "The members of {record} are not the same at {first} and at {second}."
                first, second = (Place(*record.place) for record in records[-1] if record.place)
                values |= {"record": records[-1][0], "first": first, "second": second}
            self.problems.error("conflicting-types", declared.place, text, hint, **values, line=place.line, file=place.file)

    # Waiting

    def _infer_waiting(self) -> None:
        """The functions that can wait: those that call something that can, until nothing changes."""
        pairs = self._pairs()
        self.taken = [self._function(module, name) for module, body in pairs for name in body.references.addresses]
        bodies = [(m, body, m.functions[body.name]) for m, body in pairs if body.name in m.functions]
        new = True
        while new:
            new = False
            self._may_wait.clear()
            for module, body, function in bodies:
                if not function.waits and any(self._sites(module, body)):
                    function.waits = new = True

    def _sites(self, module: _Module, body: CheckedFunction) -> Iterator[bool]:
        """Of each call in a body, whether it waits."""
        yield from (self._waits(module, name) for name in body.references.calls)
        yield from (self._type_waits(prototype) for prototype in body.references.indirect)

    def _waits(self, module: _Module, name: str) -> bool:
        function = self._function(module, name)
        return function is not None and function.waits

    def _type_waits(self, prototype: Function) -> bool:
        """Whether a call through a pointer of this type may reach a function that waits."""
        known = self._may_wait.get(id(prototype))
        if known is None:
            taken = [function for function in self.taken if function and function.waits]
            known = any(compatible(function.type, prototype, across=[]) for function in taken)
            known = self._may_wait[id(prototype)] = known or self.runtime.may_wait(prototype)
        return known

    # Code and addresses

    def _define(self, module: _Module) -> None:
        """Compile and run the definitions of a module's functions, and give functions and variables their addresses."""

        # Code knows one file. Each inline function of our headers is a piece of its own: every driver uses other ones.
        def piece_of(body: CheckedFunction) -> str:
            return body.place.file if module.private else body.name

        for piece in [list(bodies) for _, bodies in itertools.groupby(sorted(module.bodies, key=piece_of), piece_of)]:
            needs = {name: need for body in piece for name, need in body.needs.items() if name not in module.namespace}
            for name, (kind, *details) in needs.items():
                module.namespace[name] = details[0] if kind == "given" else getattr(self.runtime, kind)(*details)
            exec(self._compiled(module, piece), module.namespace)
        for name, function in module.functions.items():
            function.call = module.namespace[py.spelled(name)]
            function.address = self.runtime.define_function(name, function)
        for name, variable in module.unit.statics.items():
            module.addresses[name] = self.runtime.allocate_global(name, variable.type)

    def _compiled(self, module: _Module, bodies: list[CheckedFunction]) -> CodeType:
        def waits(name: str | None, function: Function) -> bool:
            return self._waits(module, name) if name is not None else self._type_waits(function)

        key = tuple((body.name, tuple(self._sites(module, body))) for body in bodies)
        known = module.unit.code.get(key)
        if known is None:
            file = bodies[0].place.file
            try:
                with deep_recursion():
                    nodes = [waiting(module.unit, b.name, waits) if self._waits(module, b.name) else b.node for b in bodies]
                    known = module.unit.code[key] = compile(ast.Module(nodes, []), file, "exec", dont_inherit=True)
            except (RecursionError, SyntaxError):  # Python allows 20 loops in each other
                text = "The expressions or statements of this text are nested too deeply."
                self.problems.error("nested-too-deeply", Place(file, 1, 0), text)
                raise CompileError(self.problems.errors) from None
        return known

    def _bind(self, module: _Module, body: CheckedFunction) -> None:
        """Give a body the functions and addresses that it names."""
        namespace, named = module.namespace, body.references
        for name in [*named.calls, *named.addresses]:
            function = self._function(module, name)
            assert function is not None
            namespace[py.spelled(name)] = function.call
            if name in named.addresses:
                namespace[f"address·{name}"] = function.address or self.runtime.address_of(name)
        for name in named.symbols:
            home = self._home(module, name)
            assert home is not None
            namespace[f"address·{name}"] = home.addresses[name]
