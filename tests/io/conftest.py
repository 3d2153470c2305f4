"""What the tests of the I/O manager share: a machine, its functions by name, and a way to say which rule must stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

import wsklab.io  # noqa: F401  (declares the modelled functions)
from wsklab.io import irp
from wsklab.machine import Machine, Stop

Stops = Callable[[str], AbstractContextManager[list[Stop]]]


@contextmanager
def must_stop(rule: str) -> Iterator[list[Stop]]:
    """The block must be stopped by `rule`; the list then holds the stop."""
    found: list[Stop] = []
    with pytest.raises(Stop) as caught:
        yield found
    assert caught.value.rule.id == rule
    assert "{" not in caught.value.report("en"), "a value of the rule's texts is missing"
    assert "?" not in caught.value.parameters, "a value of the bug check's parameters is missing"
    found.append(caught.value)


@pytest.fixture
def stops() -> Stops:
    """``with stops("irp-freed-twice"): …``."""
    return must_stop


@pytest.fixture
def m() -> Machine:
    return Machine()


class Own:
    """An own IRP with a Python completion routine that notes its arguments and returns what it is told."""

    def __init__(self, m: Machine, stack_size: int = 1, returns: int = irp.MORE_PROCESSING_REQUIRED) -> None:
        self.m, self.returns = m, returns
        self.calls: list[tuple[int, int, int]] = []
        self.inside: Callable[[], Any] = lambda: None
        self.routine = m.python_code(self._completed, "Completed")
        self.irp: int = m.api("IoAllocateIrp")(stack_size, 0)

    def _completed(self, device: int, irp: int, context: int) -> int:
        self.calls.append((device, irp, context))
        self.inside()
        return self.returns

    def arm(self, *flags: int, context: int = 0x77) -> Own:
        self.m.api("IoSetCompletionRoutine")(self.irp, self.routine, context, *(flags or (1, 1, 1)))
        return self


@pytest.fixture
def own(m: Machine) -> Own:
    return Own(m)
