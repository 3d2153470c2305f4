"""The laboratory: one simulated machine, the C loaded into it, and ready-made scenes around it.

``Lab()`` is the Python door to everything else: load C, call its functions, let time pass, look at what happened. One rule
holds: whatever C does wrong comes out as a :class:`~wsklab.machine.Stop`, never as a Python error.
"""

from __future__ import annotations

import itertools
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from wsklab import io as _io
from wsklab import kmdf as _kmdf
from wsklab import wsk as _wsk
from wsklab.c.link import Image, link
from wsklab.c.preprocess import IncludesFrom
from wsklab.c.source import CompileError, closest
from wsklab.c.types import Function, Int, Pointer, Void
from wsklab.c.unit import Unit, compile_all, compile_unit
from wsklab.kmdf import framework
from wsklab.kmdf.verifier import TABLE, Parameters
from wsklab.listings import read_text, unreadable
from wsklab.machine import Machine, NotModelled, Stop, View, Where
from wsklab.machine.api import MODELLED
from wsklab.machine.code import STEPS, Code
from wsklab.machine.cruntime import CRuntime
from wsklab.machine.status import NTSTATUS, name_of
from wsklab.machine.stops import Told, c_stack, c_variables
from wsklab.machine.views import address_of, c_arguments, python_value, read_value, spelled
from wsklab.net import network_of
from wsklab.net.capture import Capture
from wsklab.rules import rules
from wsklab.rules.report import compile_problems, not_modelled
from wsklab.scenes import Handle, Scenes
from wsklab.show.dump import dump_structure
from wsklab.show.journey import Journey
from wsklab.show.life import Life, life
from wsklab.show.look import Looking
from wsklab.show.timeline import Timeline, timeline
from wsklab.words import chosen_language, translate

NO_SOCKETS = 'The loopback network needs real sockets, and a browser has none. Use network="simulated".'

View.dumper = staticmethod(dump_structure)
assert _io and _kmdf and _wsk  # imported because importing them declares the modelled functions


class LabError(Exception):
    """The lab was asked for something it cannot do, in words for the person who asked."""


class Lab(Scenes, Looking):
    """One simulated machine with everything around it.

    Args:
        language: language of messages and pictures (``"ja"``); None takes ``WSKLAB_LANG``, else English.
        network: ``"simulated"``, or ``"loopback"``: real sockets on 127.0.0.1 and ::1; :meth:`close` the lab then.
        choices: how the machine decides what the documents leave open: None for the usual answers, ``"seed:7"``,
            ``"replay:…"`` or a mapping such as ``{"WskSend": "inline"}``.
        trace: whether events are recorded; without them a run is faster and has no pictures.
        steps: loop iterations a call may take before it counts as endless.
    """

    def __init__(
        self, language: str | None = None, network: str = "simulated", choices: str | dict[str, str] | None = None,
        trace: bool = True, steps: int = STEPS,
    ) -> None:  # fmt: skip
        if network not in ("simulated", "loopback"):
            raise LabError(f'network is "simulated" or "loopback", not {network!r}')
        self.language = chosen_language(language)
        self.machine = Machine(choices, trace, steps)
        if network == "loopback":
            if sys.platform == "emscripten":
                raise LabError(translate(NO_SOCKETS, self.language))
            from wsklab.net.loopback import Loopback  # here, because nothing else may need asyncio or sockets

            Loopback(self.machine)
        self.wdk = Wdk(self)
        self.events = self.machine.trace.events  # everything that happened so far
        self.choices = self.machine.choices  # the choice point: lab.choices["WskSend"] = "inline" fixes an answer
        self.wdf_parameters = self.machine.model(Parameters, TABLE["values"])  # the values of Parameters\Wdf, for every driver
        self.drivers: list[Driver] = []
        self.stopped: Stop | None = None

    # C

    def load(
        self, source: str | Path | Driver | Unit, name: str = "listing.c", includes: IncludesFrom = None,
        defines: Mapping[str, str] | None = None,
    ) -> Driver:  # fmt: skip
        """Compile a C text, link it against the modelled kernel, and bind its functions.

        Args:
            source: the C text; the path of a C file; or a driver that another lab loaded, to load the same text here.
            name: the file name that messages show, of a text.
            includes: where ``#include "…"`` finds files, besides the folder of a C file: a tuple of folders, or a mapping of
                names to texts.
            defines: macros that exist beforehand, name to text, for example ``{"DBG": "1"}``.

        Returns:
            The driver: its C functions are its attributes.

        Raises:
            CompileError: with file, line, column and caret for every mistake.
            LabError: for a file that cannot be read.
        """
        if not isinstance(source, (str, Path, Driver, Unit)):
            raise LabError(f"load takes a C text or the Path of a C file, not {type(source).__name__}")
        return self.load_all(list(source.units) if isinstance(source, Driver) else [source], name, includes, defines)

    def load_all(
        self, sources: Sequence[str | Path | Unit], name: str = "listing.c", includes: IncludesFrom = None,
        defines: Mapping[str, str] | None = None,
    ) -> Driver:  # fmt: skip
        """Like :meth:`load` for several texts or files that link into one driver."""
        try:
            units = compile_all(partial(self._compiled, source, name, includes, defines) for source in sources)
            for unit in units:
                self.machine.sources.update(unit.lines)
            self.drivers.append(Driver(self, link(units, CRuntime(self.machine)), units))
        except CompileError as error:
            raise _CompileError(error, self.language) from None
        return self.drivers[-1]

    def _compiled(self, source: str | Path | Unit, name: str, includes: IncludesFrom, defines: Mapping[str, str] | None) -> Unit:
        if isinstance(source, Unit):
            return source
        if isinstance(source, Path):
            includes = (source.parent, *includes) if isinstance(includes, tuple) else includes or (source.parent,)
            name = source.name
        try:
            text = read_text(source) if isinstance(source, Path) else source
        except (OSError, ValueError) as error:
            raise LabError(unreadable(Path(source), error, self.language)) from None
        return compile_unit(text, self._free_name(name), includes=includes, defines=defines)

    def _free_name(self, name: str) -> str:
        names = (f"{name.removesuffix('.c')}-{number}.c" for number in itertools.count(2))
        return next(each for each in itertools.chain([name], names) if each not in self.machine.sources)

    def run(self, seconds: float | None = None) -> None:
        """Let time pass until nothing is left to do, or for so many seconds.

        On the loopback network the machine without `seconds` is idle when nothing has come in for a moment.
        """
        with self.guarded():
            self.machine.run(None if seconds is None else self.network.now() + int(seconds * 10_000_000))

    @property
    def network(self) -> Any:
        """The machine's network: its hosts, peers and names, and the event loop and `client` of the loopback network."""
        return network_of(self.machine)

    def capture(self, path: str | Path) -> None:
        """Write what crosses the network from now on to a pcapng file, for Wireshark."""
        self.network.capture = Capture(path)

    def close(self) -> None:
        """Close a capture file and, on the loopback network, every real socket."""
        self.network.close()

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def call(self, code: Code, prototype: Function, arguments: Sequence[Any], traced: bool = False) -> Any:
        """Call a function of the machine with Python values; what :class:`Driver` and :class:`Wdk` do for their attributes."""
        values, trace = c_arguments(code.name, prototype, tuple(arguments)), self.machine.trace
        with self.guarded():
            if traced:
                trace.add("callback", code.name, actor="app", target="driver", arguments=tuple(values))
            value = self.machine.run_function(code, *values)
            if traced:
                trace.add("callback-return", code.name, actor="driver", target="app", value=value)
        return python_value(self.machine, value, prototype.returns)

    def routine(self, function: Callable[..., Any], prototype: str = "IO_COMPLETION_ROUTINE") -> Handle:
        """A Python function that the kernel can call, for example as a completion routine.

        Args:
            function: called with Python values: structures as views, handles and plain pointers as numbers.
            prototype: name of the function type in the headers.
        """
        ctype = self.machine.headers.type(prototype)
        target = ctype.to if isinstance(ctype, Pointer) else ctype
        assert isinstance(target, Function), f"{prototype} is not a function type"

        def called(*values: Any) -> int:
            pairs = zip(values, target.parameters, strict=True)
            answer = address_of(function(*(python_value(self.machine, value, parameter.type) for value, parameter in pairs)))
            return target.returns.wrap(answer) if isinstance(target.returns, Int) else answer

        name = function.__name__
        return Handle(self.machine, self.machine.define_code(Code(name, called, False, target, True)), name)

    @property
    def verifier(self) -> str:
        """What the framework's verifier does at a breakpoint: ``"stop"``, ``"continue"`` or, when it is off, ``"off"``."""
        return framework(self.machine).verifier

    @verifier.setter
    def verifier(self, does: str) -> None:
        if does not in ("stop", "continue", "off"):
            raise LabError(f'verifier is "stop", "continue" or "off", not {does!r}')
        framework(self.machine).verifier = does

    @property
    def strict(self) -> bool:
        """Whether a run also stops where a driver relies on what only the framework's source grants, or breaks a static rule."""
        return framework(self.machine).strict

    @strict.setter
    def strict(self, does: bool) -> None:
        framework(self.machine).strict = does

    # What happened

    @property
    def console(self) -> str:
        """The text that DbgPrint and its kind wrote."""
        return "".join(self.machine.console)

    @property
    def gaps(self) -> list[Where]:
        """The places of the ``...`` that were reached, in order."""
        return [event.where for event in self.events if event.kind == "gap" and event.where]

    def irps(self) -> list[str]:
        """What became of each IRP that was handed over, in order: its final status, byte count and whether it was freed."""
        told: list[str] = []
        for irp in dict.fromkeys(event.objects[0] for event in self.events if event.kind == "hand-over"):
            events = list(self.machine.trace.about(irp))
            ends = [event.data for event in events if event.kind == "complete"]
            words = f"{name_of(ends[-1]['status'])}, {ends[-1]['information']}" if ends else "-"
            told.append(", ".join([words, *("IoFreeIrp" for event in events if event.kind == "free")]))
        return told

    def timeline(self, **options: Any) -> Timeline:
        """The picture of the run so far; options as for :func:`wsklab.show.timeline.timeline`."""
        return timeline(self.events, language=self.language, machine=self.machine, **options)

    def journey(self) -> Journey:
        """The picture of the requests on their way through the drivers: who has each IRP when, and what befalls it there."""
        return Journey(self.events, lambda device: self.machine.name_of(device).split()[1], self.language)

    def life(self, thing: object) -> Life:
        """The life of one object: allocated, handed over, completed and freed where."""
        handles: dict[int, int] = self.machine.handles
        address = handles.get(address_of(thing), address_of(thing))
        return life(self.machine.trace.about(address), address, language=self.language)

    def view(self, address: object, ctype: str) -> View:
        """The structure at an address, by its header name: ``lab.view(irp, "IRP")``."""
        return self.machine.view(address_of(address), ctype)

    # Faults

    @contextmanager
    def explain(self) -> Iterator[None]:
        """Print why the machine stopped instead of raising it; for showing a broken rule in a lesson."""
        try:
            yield
        except Stop as stop:
            print(stop.report(self.language))
        except NotModelled as error:
            print(not_modelled(error, self.machine.sources, self.language))

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Run the block so that what C does wrong comes out as a stop. Refuses to run on a stopped machine."""
        if self.stopped:
            raise LabError(f"this machine has stopped ({self.stopped.rule.id}); make a new Lab()")
        try:
            yield
        except Stop as stop:
            self._stopped_by(stop)
            raise
        except (NameError, RecursionError) as error:  # what C did wrong in a compiled function
            among = [*traceback.walk_tb(error.__traceback__)][::-1]
            stack = c_stack(self.machine.sources, among)
            if not stack or "is not defined" in str(error):
                raise
            variable = re.search(r"'(\w+)'", str(error))
            rule = "stack-overflow" if isinstance(error, RecursionError) else "uninitialised-variable"
            values = {"variable": variable[1]} if variable else {}
            own = Stop(rules()[rule], values, (), stack, {}, self.machine.sources)
            own.variables = c_variables(self.machine.sources, (frame for frame, _ in among))
            raise self._stopped_by(own) from None

    def _stopped_by(self, stop: Stop) -> Stop:
        stop.language = self.language
        self.stopped = stop
        return stop


class _CompileError(CompileError, Told):
    """A compile error in the reader's language."""

    def __init__(self, error: CompileError, language: str) -> None:
        super().__init__(error.problems)
        self.language = language

    def __str__(self) -> str:
        return compile_problems(self.problems, self.language)


class Driver:
    """A linked C text. Its functions are attributes: ``driver.SendData(socket, buffer)``."""

    def __init__(self, lab: Lab, image: Image, units: list[Unit]) -> None:
        self.lab, self.image, self.units = lab, image, units
        self.source = units[0].source.text  # the C text, the first one where there are several
        self.functions = list(image.functions)  # the names of its functions
        self.calls: dict[str, Any] = {}  # its functions by name, also those that are called like an attribute of this class
        for name, function in image.functions.items():
            code = Code(name, function.call, function.waits, function.type, True)
            self.calls[name] = _binding(lab, code, function.type, traced=True)
            self.calls[name].address = function.address
            if not hasattr(self, name):
                setattr(self, name, self.calls[name])

    @property
    def variables(self) -> dict[str, Any]:
        """The values of its global variables by name; structures and arrays as views."""
        machine = self.lab.machine
        kinds = {name: variable.type for unit in self.units for name, variable in unit.variables.items()}
        return {name: read_value(machine, address, kinds[name]) for name, address in self.image.globals.items() if name in kinds}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # IPython asks for these
            raise AttributeError(name)
        said = translate("{file} defines no function {name}.", self.lab.language, file=self.units[0].name, name=name)
        raise _unknown(said, self.lab, name, self.functions)

    def __repr__(self) -> str:
        return f"<driver {self.units[0].name}: {', '.join(self.functions)}>"


class Wdk:
    """The kernel's functions, callable from Python: ``lab.wdk.IoAllocateIrp(1, False)``; and every constant of the headers.

    A function is modelled in Python, or written in C in the headers; all are called alike.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def __getattr__(self, name: str) -> Any:
        if name == "_lab":
            raise AttributeError(name)
        machine, headers = self._lab.machine, self._lab.machine.headers
        if name in headers.constants:
            return NTSTATUS(headers.constants[name]) if name.startswith("STATUS_") else headers.constants[name]
        modelled = machine.modelled(name) if name in MODELLED or name in headers.exports else None
        if modelled is None and name in headers.unit.functions:
            return self._inline(name, headers.unit.functions[name].type)
        prototype = headers.prototypes.get(name)
        if modelled is None or (prototype is None and modelled.prototype is None):
            said = translate("The headers know no function {name}.", self._lab.language, name=name)
            raise NotModelled(name) if prototype else _unknown(said, self._lab, name, dir(self))
        code = machine.code[machine.slot(name)]
        known = prototype or code.prototype
        assert known is not None
        return _binding(self._lab, code, known, modelled.function.__doc__ or "")

    def _inline(self, name: str, prototype: Function) -> Callable[..., Any]:
        names = [f"argument{number}" for number, _ in enumerate(prototype.parameters)]
        declared = ", ".join(f"{parameter.type} {each}" for parameter, each in zip(prototype.parameters, names, strict=True))
        keeps = "" if isinstance(prototype.returns, Void) else "return "
        text = f"{prototype.returns} call({declared or 'void'}) {{ {keeps}{name}({', '.join(names)}); }}"
        function = link([compile_unit(text, name)], CRuntime(self._lab.machine)).functions["call"]
        return _binding(self._lab, Code(name, function.call, function.waits, prototype), prototype)

    def __dir__(self) -> list[str]:
        return sorted({*MODELLED, *self._lab.machine.headers.unit.functions})


def _unknown(said: str, lab: Lab, name: str, known: list[str]) -> AttributeError:
    close = closest(name, known)
    return AttributeError(f"{said} {translate('Did you mean {close}?', lab.language, close=close)}" if close else said)


def _binding(lab: Lab, code: Code, prototype: Function, about: str = "", traced: bool = False) -> Callable[..., Any]:
    """A Python function that calls a function of the machine, with the prototype as its documentation."""

    def call(*arguments: Any) -> Any:
        return lab.call(code, prototype, arguments, traced)

    call.__name__ = call.__qualname__ = code.name
    call.__doc__ = f"{spelled(code.name, prototype)}\n\n{about}".rstrip()
    return call
