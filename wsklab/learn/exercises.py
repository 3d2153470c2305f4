"""The exercises of the lessons: how an outcome is played and how a check is asked; the rest is in ``exercises.toml``."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Callable
from importlib import resources
from typing import Any

from wsklab.learn.exercise import RUNS, Check, Exercise, Play, Scene
from wsklab.machine.status import name_of

_DATA = b"the same for both"


def _send(play: Play, accepted: bool = False, peer: str = "reads") -> None:
    """01: make a socket, send once, let time pass."""
    socket = play.lab.accepted_socket(peer=peer) if accepted else play.lab.connected_socket(peer=peer)
    play.values["status"] = int(play.driver.SendHello(socket))
    play.lab.run()


def _conversation(play: Play) -> None:
    """02: the collector is fixed and gets a report; then somebody else asks and is answered."""
    lab, driver = play.lab, play.driver
    socket = lab.datagram_socket()
    collector, client = lab.host("10.0.0.9"), lab.host("10.0.0.2")
    play.values.update(collector=collector, client=client)
    driver.FixCollector(socket, lab.sockaddr("10.0.0.9:514"))
    lab.run()
    driver.Report(socket, lab.buffer(b"started"))
    driver.Listen(socket, lab.buffer(bytes(32)))
    client.send(b"how are you?", "10.0.0.1:5000", port=7000)
    lab.run()
    if play.number("Questions"):
        driver.Answer(socket, lab.buffer(b"fine"))
    driver.Report(socket, lab.buffer(b"asked"))
    lab.run()


def _write(play: Play, first: str = "at once", second: str = "at once", refuses: str = "") -> None:
    """03: two devices, one request; `refuses` names the target that takes no requests (it was purged)."""
    lab = play.lab
    devices = {name: lab.lower_device(name, answers=answers) for name, answers in (("first", first), ("second", second))}
    targets = {name: lab.io_target(device) for name, device in devices.items()}
    play.values["devices"] = devices
    request = lab.request(targets["first"])
    if refuses:
        lab.wdk.WdfIoTargetPurge(targets[refuses], lab.machine.constant("WdfIoTargetPurgeIo"))
    play.driver.WriteBoth(request, targets["first"], targets["second"], lab.memory(_DATA))
    lab.run()


def _counts(play: Play) -> bool:
    ended = [event.data for event in play.lab.events if event.kind == "complete" and event.data.get("function") == "WskSend"]
    return play.number("BytesSent") == sum(int(data["information"]) for data in ended if data["status"] == 0)


def _heard(play: Play, who: str) -> list[bytes]:
    return [datagram.content for datagram in play.values[who].datagrams]


def _got(play: Play, name: str) -> list[bytes]:
    return [seen.content for seen in play.values["devices"][name].received]


def _final(play: Play) -> str:
    return name_of(play.number("FinalStatus"))


_PLAYS: dict[str, Callable[..., None]] = {"01": _send, "02": _conversation, "03": _write}
_CHECKS: dict[str, Callable[[Play], bool]] = {
    "counts": _counts,
    "frees pool": lambda play: not play.left("pool"),
    "frees mdl": lambda play: not play.left("mdl"),
    "frees irp": lambda play: not play.left("irp"),
    "tells": lambda play: name_of(play.values["status"]) == "STATUS_INSUFFICIENT_RESOURCES",
    "hears": lambda play: play.number("Questions") == 1,
    "answers": lambda play: _heard(play, "client") == [b"fine"],
    "reports": lambda play: _heard(play, "collector") == [b"started", b"asked"],
    "frees what came back": lambda play: not play.unfreed_irps(),
    "finishes once": lambda play: play.number("Finished") == 1,
    "both got it": lambda play: _got(play, "first") == _got(play, "second") == [_DATA],
    "succeeds": lambda play: _final(play) == "STATUS_SUCCESS",
    "fails": lambda play: _final(play) != "STATUS_SUCCESS",
    "spares the second": lambda play: not _got(play, "second"),
}


def _exercise(name: str, entry: dict[str, Any]) -> Exercise:
    play = _PLAYS[name]
    scenes = (Scene(e["label"], functools.partial(play, **e.get("play", {})), e.get("choices", {})) for e in entry["scenes"])
    checks = (Check(e["text"], _CHECKS[e["holds"]], tuple(e.get("scenes", ()))) for e in entry["checks"])
    return Exercise(name, entry["goal"], tuple(scenes), (RUNS, *checks), tuple(entry["hints"]))


_TABLE = tomllib.loads(resources.files(__package__).joinpath("exercises.toml").read_text("utf-8"))
EXERCISES = {name: _exercise(name, entry) for name, entry in _TABLE.items()}
"""Every exercise by its id, in the order of the lessons."""
