"""The notebook door: the cell magic ``%%c``, and ``%look``.

``%look`` shows the locals of the C call in which the machine stopped, ``%look 1`` those of its caller.

``%%c send_data`` compiles the cell, shows mistakes with line and caret in the reader's language, and binds two things for the
Python cells below: the name on the magic's line (the listing, to be loaded into further labs) and each C function. A function
runs on the lab of the variable ``lab``; when that is another lab than before, the listing is loaded into it first.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from keyword import iskeyword
from typing import Any

from wsklab.lab import Driver, Lab
from wsklab.machine.stops import Told
from wsklab.rules.report import compile_problems
from wsklab.words import translate


class ListingError(Told):
    """A C cell whose first line is wrong."""


def register(shell: Any) -> None:
    """Add ``%%c`` and ``%look`` to an IPython shell."""

    def c(line: str, cell: str) -> None:
        compile_cell(shell.user_ns, line.strip() or "listing", cell)

    def look(line: str) -> None:
        print(shell.user_ns["lab"].look(int(line or 0)))

    shell.register_magic_function(c, magic_kind="cell", magic_name="c")
    shell.register_magic_function(look, magic_kind="line", magic_name="look")


def compile_cell(namespace: dict[str, Any], name: str, text: str) -> None:
    """Compile a C cell and bind its names in a Python namespace.

    Raises:
        CompileError: the C has mistakes.
        ListingError: the name is not one.
    """
    lab = namespace.get("lab")
    if not isinstance(lab, Lab):
        lab = namespace["lab"] = Lab()
    if not name.isidentifier() or iskeyword(name) or name == "lab":
        raise ListingError(translate("{name} is not a name. Write for example: %%c send_data", lab.language, name=name))
    driver = lab.load(text, f"{name}.c")
    if driver.units[0].warnings:
        print(compile_problems(driver.units[0].warnings, lab.language))
    namespace[name] = driver
    loaded = {lab: driver}
    for function in driver.functions:
        namespace[function] = _late(namespace, driver, function, loaded)
    print(translate("{name}: compiled {functions}", lab.language, name=name, functions=", ".join(driver.functions)))


def _late(namespace: dict[str, Any], driver: Driver, function: str, loaded: dict[Lab, Driver]) -> Callable[..., Any]:
    """The C function, called on the lab that the namespace has then."""

    @functools.wraps(driver.calls[function])
    def call(*arguments: Any) -> Any:
        lab = namespace.get("lab")
        lab = lab if isinstance(lab, Lab) else driver.lab
        if lab not in loaded:
            loaded[lab] = lab.load(driver)
        return loaded[lab].calls[function](*arguments)

    return call
