"""What the tests of the machine share: functions of the headers, called as a driver calls them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import wsklab.io  # noqa: F401  (declares the modelled functions)
from wsklab.c.headers import headers
from wsklab.c.link import link
from wsklab.c.unit import compile_unit
from wsklab.machine import Machine
from wsklab.machine.cruntime import CRuntime


def called_from_c(m: Machine, name: str) -> Callable[..., Any]:
    """A function that the headers define in C, as a driver's call of it; a generator function when it can wait.

    One that takes ``...`` takes two int for it here.
    """
    prototype = headers().unit.functions[name].type
    types = [str(parameter.type) for parameter in prototype.parameters] + ["int"] * (2 * prototype.varargs)
    names = ", ".join(f"p{index}" for index in range(len(types)))
    declared = ", ".join(f"{ctype} p{index}" for index, ctype in enumerate(types))
    kept = "" if str(prototype.returns) == "void" else "return "
    source = f"{prototype.returns} call({declared or 'void'}) {{ {kept}{name}({names}); }}"
    call: Callable[..., Any] = link([compile_unit(source)], CRuntime(m)).functions["call"].call
    return call


@pytest.fixture
def inline() -> Callable[[Machine, str], Callable[..., Any]]:
    """``inline(m, "strlen")(address)``."""
    return called_from_c
