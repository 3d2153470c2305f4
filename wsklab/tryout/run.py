"""Running the listings of a page, each in a scene of its own, and telling how it ended.

A driver is loaded as one; other functions are called in their roles by a driver around them, and statements without a function
run as one. The machine decides: a listing `runs`, `stops` at a broken rule, or only `compiles`, for a reason of `tell.REASONS`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from types import FrameType
from typing import Any

from wsklab.c.headers import INCLUDE
from wsklab.c.parse import deep_recursion
from wsklab.c.preprocess import includes_from
from wsklab.c.source import LEFT_OUT, CompileError
from wsklab.c.unit import Unit, compile_unit
from wsklab.kmdf.application import AppRequest
from wsklab.kmdf.wdm import MJ_DEVICE_CONTROL, MJ_INTERNAL_DEVICE_CONTROL, MJ_READ, MJ_WRITE
from wsklab.lab import Lab
from wsklab.listings import Listing, Page
from wsklab.machine import NotModelled, Stop, Where
from wsklab.machine.status import name_of
from wsklab.net import Address, Peer
from wsklab.net.tcp import AF_INET, AF_INET6
from wsklab.tryout.supply import Scene, is_accessor, tables
from wsklab.wsk.connections import Connection
from wsklab.wsk.datagrams import Datagram
from wsklab.wsk.listening import Listening
from wsklab.wsk.scene import peer_of
from wsklab.wsk.subsystem import subsystem

_THERE = "10.0.0.2:7"
_CALLERS = {AF_INET: ("10.0.0.3:5000", "10.0.0.1"), AF_INET6: ("[fd00::3]:5000", "[fd00::1]")}
_BYTES, _STEPS = 64, 20_000
_CONTROLS = {"read": (MJ_READ, 0), "write": (MJ_WRITE, 0), "control": (MJ_DEVICE_CONTROL, 0x222000),
             "internal": (MJ_INTERNAL_DEVICE_CONTROL, 0x222003)}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """How a listing ran: ``runs``, ``stops``, ``compiles`` (and why it was not run) or ``does not compile``.

    `calls` are the calls that it made, with what they returned; `supplied` is what the scene declared or set for it, by name;
    `unreached` are its functions that nothing called.
    """

    line: int
    verdict: str
    reason: str = ""
    rule: str = ""
    place: Where | None = None
    calls: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict)  # of the reason
    stop: Stop | None = field(default=None, compare=False, repr=False)
    supplied: dict[str, str] = field(default_factory=dict)
    unreached: tuple[str, ...] = ()
    together: tuple[int, ...] = ()  # the lines of the listings that it was run with


def try_page(page: Page, units: Sequence[Unit | None]) -> list[Trial]:
    """Run the listings of a page, each together with those above it that declare what it needs.

    `units` are its listings as they were compiled, None for each that does not compile.
    """
    return [_tried(page, units, number) for number in range(len(units))]


def _tried(page: Page, units: Sequence[Unit | None], number: int) -> Trial:
    listing, unit = page.listings[number], units[number]
    if unit is None:
        return Trial(listing.line, "does not compile")
    if not any("(" in listing.text and not is_accessor(listing.text, name) for name in unit.functions):
        return Trial(listing.line, "compiles", "only declares")
    above = _needed(units, number)
    if above:
        lines: list[str] = []
        for each in [*above, number]:
            lines += [""] * (page.listings[each].line - 1 - len(lines)) + page.listings[each].text.split("\n")[:-1]
        first = page.listings[above[0]].line
        together = Listing(first, "\n".join([*lines[first - 1 :], ""]))
        try:
            whole = compile_unit(together.placed, page.name, left_out=LEFT_OUT, includes=page.folders, defines=page.defines)
        except CompileError:
            return _run(listing, page, unit)
        trial = _run(together, page, whole)
        if trial.verdict != "compiles":
            return replace(trial, line=listing.line, together=tuple(page.listings[each].line for each in above))
    return _run(listing, page, unit)


def _needed(units: Sequence[Unit | None], number: int) -> list[int]:
    """The listings above that declare a name that this one, or one of them, leaves out, and nothing that it declares itself."""
    taken, pending = {number}, [number]
    while pending:
        unit = units[pending.pop()]
        assert unit is not None
        own = {name for each in taken if (known := units[each]) for name in known.declarations.scopes[0].names}
        for other, candidate in enumerate(units[:number]):
            names = set(candidate.declarations.scopes[0].names) if candidate and other not in taken else set()
            if names & set(unit.problems.assumed) and not names & own:
                taken.add(other)
                pending.append(other)
    return sorted(taken - {number})


def _run(listing: Listing, page: Page, unit: Unit) -> Trial:
    """Run one listing in its scene."""
    try:
        scene, whole = surrounded(unit, listing, page)
    except CompileError as error:
        return Trial(listing.line, "compiles", "scene misfits", values={"what": error.problems[0].message})
    needed = [each for each in whole.problems.assumed if each in scene.things.free or each in scene.things.types]
    if needed:
        return Trial(listing.line, "compiles", "not inferred", values={"what": ", ".join(needed)})
    unknown = [each for each, thing in scene.things.free.items() if thing.find().called and re.match(tables()["kernel"], each)]
    if unknown:
        return Trial(listing.line, "compiles", "not modelled", values={"what": unknown[0]})
    stage, trial = _Stage(scene, whole), Trial(listing.line, "runs")
    try:
        with _reaching(page.name) as reached:
            stage.run()
    except Stop as stop:
        place = next((frame.where for frame in stop.stack if frame.where.file == page.name), None)
        trial = Trial(listing.line, "stops", rule=stop.rule.id, place=place, stop=stop)
        if place is None:
            trial = Trial(listing.line, "compiles", "scene stops", stop.rule.id, values={"what": stop.rule.id})
    except NotModelled as error:
        trial = Trial(listing.line, "compiles", "not modelled", values={"what": error.what})
    except CompileError as error:
        trial = Trial(listing.line, "compiles", "scene misfits", values={"what": error.problems[0].message})
    unreached = tuple(each for each in unit.functions if each not in reached | {"DriverUnload"} and "·" not in each
                      and not is_accessor(listing.text, each))  # fmt: skip
    return replace(trial, calls=stage.calls(page.name), supplied=scene.supplied | scene.given, unreached=unreached)


@contextmanager
def _reaching(file: str) -> Iterator[set[str]]:
    """The names of the functions of a file that are called in the block."""
    reached: set[str] = set()

    def called(frame: FrameType, event: str, _: object) -> None:
        if event == "call" and frame.f_code.co_filename == file:
            reached.add(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        yield reached
    finally:
        sys.setprofile(before)


def surrounded(unit: Unit, listing: Listing, page: Page) -> tuple[Scene, Unit]:
    """The scene of a listing, and the listing in it."""
    with deep_recursion():
        scene = Scene(unit, listing.text)
    # What stands before goes to a line that the page has blank here: the listing keeps its line numbers.
    lines = listing.placed.split("\n", 1)
    first = f'#include "supply.h"\n{lines[1]}' if listing.line > 1 else f'#include "supply.h"\n#line 1\n{listing.text}'
    own = {"supply.h": scene.before, "after.c": scene.after}
    others = includes_from((*page.folders, INCLUDE))
    whole = f'{first}\n#include "after.c"\n'
    return scene, compile_unit(
        whole, page.name, includes=lambda file: own.get(file) or others(file), left_out=LEFT_OUT, defines=page.defines
    )


class _Stage:
    """The machine that a listing runs on, and the application and the system around it."""

    def __init__(self, scene: Scene, unit: Unit) -> None:
        self.scene, self.unit = scene, unit
        self.lab = Lab("en", steps=_STEPS)
        self.requests: list[AppRequest] = []
        self.loaded: Any = None
        self.file: Any = None
        self.codes: list[int] = []  # control codes that the listing knows

    def run(self) -> None:
        """The whole life of the scene."""
        lab = self.lab
        driver = lab.load_all([self.unit])
        if "main" in driver.functions:
            driver.calls["main"]()
            return
        said = dict.fromkeys(("DevicePropertyDeviceDescription", "DevicePropertyFriendlyName"), "a device of the scene")
        remote = lab.lower_device("remote", io_type="direct", data=b"data from the remote device" * 4, properties=said)
        lab.lower_device("silent", answers="never")
        lab.network.peer(_THERE)
        with lab.guarded():
            self.loaded = lab.start_driver(driver)
        own = "DRIVER_INITIALIZE" in self.scene.roles or "EVT_WDF_DRIVER_DEVICE_ADD" in self.scene.roles
        if self.loaded.devices:
            if not own:
                self._requests(["read", "write", "control", "internal"] * 6)
            driver.calls["SceneBegin"](self.loaded.devices[0])
        table = driver.image.globals["SceneCodes"]
        self.codes = [lab.machine.u32(table + 4 * number) for number, _ in enumerate(self.scene.things.codes)]
        for name in [each for each in driver.functions if each.startswith("fragment·")]:
            driver.calls[name]()
            lab.run()
        for caller in self.scene.calls.values():
            driver.calls[caller]()
            lab.run()
        for _ in ("connected", "served"):
            self._network()
        self._act(remote)
        lab.run()

    def _network(self) -> None:
        """Programs on other machines send to the driver's sockets, and connect to them."""
        wsk = subsystem(self.lab.machine)
        for socket in list(wsk.sockets.values()):
            if socket.local is None:
                continue
            caller, here = _CALLERS[socket.local.family]
            local = str(socket.local).replace("0.0.0.0", here).replace("[::]", here)
            if isinstance(socket, Listening):
                Peer(self.lab.network, Address.parse(caller), "reads").connect(Address.parse(local))
            elif isinstance(socket, Connection) and socket.end and not socket.end.answer:
                peer_of(self.lab.machine, socket.address).send(b"data from the peer")
            elif isinstance(socket, Datagram):
                self.lab.host(caller).send(b"a datagram", local)
        self.lab.run()

    def _act(self, remote: Any) -> None:
        """What an application and the system do, as the roles of the listing's functions ask for it."""
        acts: dict[str, Callable[[], object]] = {
            "suspend": self.loaded.suspend, "resume": self.loaded.resume,
            "cancel": lambda: [request.cancel() for request in self.requests],
            **{event: partial(self.lab.pnp, remote, event) for event in ("query remove", "cancel remove", "remove")},
        }  # fmt: skip
        asked = dict.fromkeys(act for role in self.scene.roles for act in tables()["acts"].get(role, ()))
        for act in asked if self.loaded.devices else ():
            with self.lab.guarded():
                acts[act]() if act in acts else self._requests([act])
            self.lab.run()

    def _requests(self, kinds: list[str]) -> None:
        """An application asks; each request is on its way before the next one."""
        m = self.lab.machine
        with self.lab.guarded():
            self.file = self.file or self.lab.open(self.loaded)
            device, file = self.file.device, self.file.object
            for major, code in [_CONTROLS[kind] for kind in kinds]:
                content, room = b"" if major == MJ_READ else b"\1" * _BYTES, 0 if major == MJ_WRITE else _BYTES
                for each in (major == MJ_DEVICE_CONTROL and self.codes) or [code]:
                    asked = AppRequest(m, device, major, content=content, room=room, code=each, file=file)
                    self.requests.append(asked)
            m.run()

    def calls(self, page: str) -> tuple[str, ...]:
        """The calls that the listing itself made, in order, with what they returned."""
        told: list[str] = []
        under_way: list[str | None] = []
        for event in self.lab.events:
            if event.kind == "call":
                under_way.append(event.name if event.where and event.where.file == page else None)
            elif event.kind == "return" and under_way and (name := under_way.pop()):
                value = event.data.get("value")
                prototype = self.lab.machine.headers.prototypes.get(name)
                status = prototype is not None and prototype.returns.alias == "NTSTATUS"
                told.append(f"{name} {name_of(value)}" if status and isinstance(value, int) else name)
        return tuple(told)
