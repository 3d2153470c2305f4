"""C that must be stopped, with the exact text of the explanation beside it.

Each ``stops/*.c`` breaks one rule. It has a function ``Run``, whose parameters are filled from the lab's scenes by their types,
or a DriverEntry, which is loaded and unloaded as the command line does. Comment lines ``// choices: KIND=ANSWER`` and
``// steps: N`` set up the lab. ``pytest tests/test_stops.py --accept`` writes the texts anew; read the difference before
committing it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from wsklab import Lab, Stop
from wsklab.driverlife import start, unload
from wsklab.machine.code import STEPS
from wsklab.rules import RULES
from wsklab.words import LANGUAGES

FOLDER = Path(__file__).parent / "stops"
PROGRAMS = sorted(FOLDER.glob("*.c"))


def stopped(path: Path) -> Stop:
    """Run a program and return the stop that it must end in."""
    text = path.read_text("utf-8")
    choices = dict(line.split("=", 1) for line in re.findall(r"^// choices: (.+)$", text, re.MULTILINE))
    steps = [int(line) for line in re.findall(r"^// steps: (\d+)$", text, re.MULTILINE)]
    lab = Lab(language="en", choices=choices, steps=steps[0] if steps else STEPS)
    with pytest.raises(Stop) as caught:
        driver = lab.load(text, path.name)
        if "DriverEntry" in driver.functions:
            run_driver(lab, driver, path.stem)
        else:
            driver.Run(*arguments(lab, driver))
            lab.run()
    return caught.value


def run_driver(lab: Lab, driver: Any, name: str) -> None:
    """Load the driver, read from it when it is a framework driver, unload it."""
    started = start(lab, driver, name)
    assert started.status == 0
    if started.framework is not None:
        started.framework.read(16)
        lab.run()
    unload(lab, started)


def arguments(lab: Lab, driver: Any) -> list[Any]:
    """A scene for each parameter of Run, by its type."""
    found: list[Any] = []
    for parameter in driver.image.functions["Run"].type.parameters:
        kind = str(parameter.type)
        if kind == "PWSK_SOCKET":
            found.append(lab.connected_socket())
        elif kind == "PWSK_BUF":
            found.append(lab.buffer(b"sixteen bytes..."))
        elif kind == "WDFIOTARGET":
            found.append(lab.io_target(lab.lower_device()))
        elif kind == "WDFREQUEST":
            found.append(lab.request(found[0]))
        else:
            raise AssertionError(f"no scene for {kind}")
    return found


def stable(text: str) -> str:
    """The text with addresses numbered in order of appearance, so that it does not change with the engine's insides."""
    seen: dict[str, str] = {}
    return re.sub(r"0x[0-9a-f]{16}", lambda found: seen.setdefault(found[0], f"ADDRESS-{len(seen) + 1}"), text)


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_stop(path: Path, request: pytest.FixtureRequest) -> None:
    """The machine stops, names the rule, and explains it in exactly these words."""
    text = stable(stopped(path).report("en")) + "\n"
    expected = path.with_suffix(".txt")
    if request.config.getoption("--accept"):
        expected.write_text(text, "utf-8")
    assert text == expected.read_text("utf-8")


@pytest.mark.parametrize("path", PROGRAMS, ids=[path.stem for path in PROGRAMS])
def test_stop_speaks_every_language(path: Path) -> None:
    """The report exists in every language, differs from the English one, and keeps place and bug check."""
    stop = stopped(path)
    english = stop.report("en")
    for language in LANGUAGES[1:]:
        report = stop.report(language)
        assert report != english
        assert stop.where is None or str(stop.where) in report
        if stop.bugcheck:
            assert f"0x{stop.bugcheck:X}" in report


def test_rule_ids_are_known() -> None:
    """Every program names a rule that exists, or is one of several ways to break one."""
    ways = {"kmdf-request-touched-after-completion", "kmdf-buffer-after-completion", "endless-loop", "irp-used-after-free"} | {
        "kernel-address-in-try", "local-underrun", "overrun-in-loop", "global-overrun", "string-literal-written",
        "constant-written",
        "block-entered-again", "uninitialised-in-filter", "second-round", "second-round-of-goto", "second-round-of-switch",
    }  # fmt: skip
    assert {path.stem for path in PROGRAMS} - set(RULES) <= ways | {
        path.stem for path in PROGRAMS if path.stem.startswith("kmdf-")
    }
