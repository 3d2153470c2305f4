"""The lab and the cell magic: Python's and the notebook's way in."""

from __future__ import annotations

from typing import Any

import pytest

from wsklab import CompileError, Lab, LabError, NotModelled, Stop
from wsklab.magics import ListingError, compile_cell

TWICE = "ULONG Twice(ULONG Value) { return 2 * Value; }\nULONG Count = 3;\n"


def test_functions_and_variables_of_a_driver() -> None:
    lab = Lab()
    driver = lab.load(TWICE)
    assert driver.Twice(21) == 42
    assert driver.variables == {"Count": 3}
    assert driver.Twice.__doc__ == "ULONG Twice(ULONG Value)"
    with pytest.raises(TypeError, match=r"ULONG Twice\(ULONG Value\) takes 1 arguments, not 2"):
        driver.Twice(1, 2)
    with pytest.raises(TypeError, match="str is neither a number nor an object of the machine"):
        driver.Twice("one")


def test_a_driver_loads_into_another_lab() -> None:
    first = Lab().load(TWICE)
    second = Lab().load(first)
    assert second.lab is not first.lab and second.Twice(4) == 8


def test_modelled_functions_from_python() -> None:
    lab = Lab()
    irp = lab.wdk.IoAllocateIrp(1, False)
    assert (irp.StackCount, irp.CurrentLocation, bool(irp)) == (1, 2, True)
    assert lab.wdk.IoAllocateIrp.__doc__.startswith("PIRP IoAllocateIrp(")
    lab.wdk.IoFreeIrp(irp)
    assert repr(irp).endswith(", freed>")
    assert repr(lab.wdk.STATUS_PENDING) == "STATUS_PENDING"
    assert lab.wdk.RtlUshortByteSwap(0x1234) == 0x3412  # written in C in the headers
    with pytest.raises(AttributeError):
        _ = lab.wdk.NoSuchFunction
    with pytest.raises(TypeError):
        lab.wdk.IoAllocateIrp(1)


def test_a_python_routine_is_called_by_the_kernel() -> None:
    lab = Lab()
    seen: list[Any] = []

    def completed(device: Any, irp: Any, context: Any) -> Any:
        seen.append((bool(device), irp.IoStatus.Information, int(context)))
        lab.wdk.IoFreeIrp(irp)
        return lab.wdk.STATUS_MORE_PROCESSING_REQUIRED

    socket, buffer, irp = lab.connected_socket(), lab.buffer(b"hello"), lab.wdk.IoAllocateIrp(1, False)
    lab.wdk.IoSetCompletionRoutine(irp, lab.routine(completed), 7, True, True, True)
    dispatch = lab.view(socket.socket.Dispatch, "WSK_PROVIDER_CONNECTION_DISPATCH")
    assert repr(dispatch.WskSend(socket, buffer, 0, irp)) == "STATUS_PENDING"
    lab.run()
    assert seen == [(False, 5, 7)] and socket.received == b"hello"


def test_a_stopped_machine_stays_stopped() -> None:
    lab = Lab()
    driver = lab.load("int f(void) { int x; if (KeGetCurrentIrql() > 9) x = 1; return x; }")
    with pytest.raises(Stop) as stop:
        driver.f()
    assert (stop.value.rule.id, stop.value.values["variable"], stop.value.where.line) == ("uninitialised-variable", "x", 1)
    with pytest.raises(LabError, match="uninitialised-variable"):
        driver.f()


def test_what_is_not_modelled_says_so() -> None:
    with pytest.raises(NotModelled, match="loopback"):
        Lab(network="loopback")


def test_the_same_choices_give_the_same_run() -> None:
    def texts(choices: str | None) -> tuple[str, str]:
        lab = Lab(choices=choices)
        driver = lab.load("void f(void) { PVOID p = ExAllocatePool2(64, 8, 'tset'); if (p) ExFreePoolWithTag(p, 'tset'); }")
        for _ in range(8):
            driver.f()
        return lab.timeline().text, lab.choices.replay

    drawn, replay = texts("seed:7")
    assert texts("seed:7") == (drawn, replay)
    assert texts(replay) == (drawn, replay)
    assert texts(None)[1] == "replay:"


def test_a_cell_binds_its_functions(capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, Any] = {}
    compile_cell(namespace, "twice", TWICE)
    assert capsys.readouterr().out == "twice: compiled Twice\n"
    assert namespace["Twice"](5) == 10
    namespace["lab"] = other = Lab()
    assert namespace["Twice"](6) == 12 and other.drivers[0].units == namespace["twice"].units


def test_a_warning_is_shown_and_does_not_stop(capsys: pytest.CaptureFixture[str]) -> None:
    compile_cell({}, "odd", 'int f(void) { int x = "text"; return x; }')
    assert capsys.readouterr().out.split("\n")[0].startswith("odd.c:1:")


def test_a_cell_with_a_mistake_shows_line_and_caret() -> None:
    with pytest.raises(CompileError) as error:
        compile_cell({"lab": Lab(language="fr")}, "bad", "int f(void)\n{\n  return y;\n}\n")
    assert error.value._render_traceback_() == ["bad.c:3:10: erreur: y n'est pas déclaré.", "    return y;", "           ^"]
    with pytest.raises(ListingError, match="is not a name"):
        compile_cell({"lab": Lab()}, "two words", "")
