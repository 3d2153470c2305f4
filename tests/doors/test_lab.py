"""The lab and the cell magic: Python's and the notebook's way in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wsklab import CompileError, Lab, LabError, NotModelled, Stop
from wsklab.machine.choices import ChoiceError
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
    driver = Lab().load("void f(void) { IoRequestDeviceEject(NULL); }")
    with pytest.raises(NotModelled, match="IoRequestDeviceEject"):
        driver.f()


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


def test_only_a_text_is_loaded() -> None:
    for source in (None, b"int x;", 3):
        with pytest.raises(LabError, match="takes a C text or the Path of a C file"):
            Lab().load(source)  # type: ignore[arg-type]


def test_a_file_is_loaded_with_what_it_includes_whatever_its_capitals(tmp_path: Path) -> None:
    driver, shared = tmp_path / "driver", tmp_path / "shared"
    for folder in (driver / "inner", shared):
        folder.mkdir(parents=True)
    (driver / "driver.c").write_text('#include "Inner\\Device.h"\nint F(int *p)\n{\n  return Read(p) + TWO;\n}\n')
    (driver / "inner" / "device.h").write_text('#include "Public.h"\nstatic int Read(int *p)\n{\n  return *p;\n}\n')
    (shared / "public.h").write_text('#include "../secret.h"\n')
    (tmp_path / "secret.h").write_text("#define TWO 2\n")
    with pytest.raises(CompileError) as error:
        Lab().load(driver / "driver.c", includes=(shared,))
    assert [str(problem).split("\n")[0] for problem in error.value.problems][0] == (
        "Public.h:1:10: error: There is no file ../secret.h to include."
    )
    lab = Lab()
    function = lab.load(driver / "driver.c", includes=(shared, tmp_path)).F
    assert function(lab.machine.new("KEVENT")) == 2
    with pytest.raises(Stop) as stop:
        function(0)
    assert [str(frame.where) for frame in stop.value.stack] == ["Inner/Device.h:4:11", "driver.c:4:10"]


def test_c_functions_with_the_names_of_a_drivers_own_attributes() -> None:
    driver = Lab().load(
        "ULONG functions(VOID) { return 1; } ULONG variables(VOID) { return 2; } ULONG __class__(VOID) { return 3; }"
    )
    assert driver.functions == ["functions", "variables", "__class__"]
    assert [driver.calls[name]() for name in driver.functions] == [1, 2, 3]


def test_a_python_routine_may_return_a_status_as_an_unsigned_number() -> None:
    lab = Lab()
    socket, irp = lab.connected_socket(), lab.wdk.IoAllocateIrp(1, False)
    routine = lab.routine(lambda device, irp, context: 0xC0000016)
    lab.wdk.IoSetCompletionRoutine(irp, routine, None, True, True, True)
    lab.view(socket.socket.Dispatch, "WSK_PROVIDER_CONNECTION_DISPATCH").WskSend(socket, lab.buffer(b"x"), 0, irp)
    lab.run()
    assert lab.irps() == ["STATUS_SUCCESS, 1"]


def test_names_of_the_kernel() -> None:
    lab = Lab()
    assert all(getattr(lab.wdk, name).__doc__ for name in dir(lab.wdk))


def test_what_a_scene_is_told() -> None:
    lab = Lab()
    assert lab.datagram_socket().address != lab.datagram_socket().address
    assert lab.sockaddr("::1").sin6_family == 23
    assert lab.buffer(b"abc", chain=0).Length == 3
    with pytest.raises(ValueError, match="a lower device answers 'at once', 'later', 'error', 'never', not 'soon'"):
        lab.lower_device(answers=["later", "soon"])
    with pytest.raises(ChoiceError, match="'wsksend'; did you mean 'WskSend'"):
        lab.choices["wsksend"] = "inline"
    with pytest.raises(ChoiceError, match="'Foo'"):
        Lab(choices={"Foo": "x"})


def test_a_cell_is_not_called_lab_or_like_a_word_of_python() -> None:
    for name in ("lab", "class", "None"):
        with pytest.raises(ListingError):
            compile_cell({}, name, TWICE)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("RtlZeroMemory(a, (SIZE_T)-1);", "tried to write 18446744073709551615 bytes"),
        ("memset(a, 0, 1000000000000);", "tried to write 1000000000000 bytes"),
        ("return IoAllocateIrp(-1, FALSE) != NULL;", "an IRP with -1 stack locations is not modelled"),
        ("return ExAllocatePool2(POOL_FLAG_NON_PAGED, (SIZE_T)-1, 'tag') != NULL;", ""),
        ("return ExAllocatePool2(POOL_FLAG_NON_PAGED, 1ULL << 40, 'tag') != NULL;", ""),
        ("return IoAllocateMdl((PVOID)0x1000, 0xFFFFFFFF, FALSE, FALSE, NULL) == NULL;", ""),
        ('DbgPrint("%999999999d", 1); return 0;', ""),
    ],
)
def test_sizes_beyond_reason(statement: str, said: str) -> None:
    driver = Lab(language="en").load("ULONG F(VOID) { CHAR a[4]; " + statement + " return 0; }")
    if said:
        with pytest.raises((Stop, NotModelled), match=said):
            driver.F()
    else:
        assert driver.F() == 0


def test_a_function_that_is_not_there_is_told_with_the_one_that_was_meant() -> None:
    lab = Lab("fr")
    driver = lab.load("NTSTATUS SendData(VOID) { return 0; }", "send.c")
    with pytest.raises(AttributeError, match=r"^send\.c ne définit pas de fonction sendData\. .* SendData"):
        driver.sendData()
    with pytest.raises(AttributeError, match=r"^Les en-têtes ne connaissent pas de fonction KeSetEvnt\. .* KeSetEvent"):
        lab.wdk.KeSetEvnt(1)
    assert not hasattr(driver, "_repr_html_")
    with pytest.raises(TypeError, match="what lab.load"):
        lab.start_driver("DRIVER_INITIALIZE DriverEntry;")


def test_macros_that_exist_beforehand() -> None:
    assert Lab().load("ULONG Size(VOID) { return SIZE; }", defines={"SIZE": "40 + 2"}).Size() == 42


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "driver.sys").write_bytes(b"MZ\x90\0\x03\0")
    with pytest.raises(LabError, match="driver.sys ne peut pas être lu\N{NO-BREAK SPACE}: ce n'est pas un fichier texte"):
        Lab(language="fr").load(tmp_path / "driver.sys")
    with pytest.raises(LabError, match=r"none\.c cannot be read: No such file or directory"):
        Lab().load(tmp_path / "none.c")
