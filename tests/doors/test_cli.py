"""``python -m wsklab run``: exit statuses, what goes to which stream, and the JSON form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from wsklab.cli import main

ENTRY = "NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)\n"
UNLOAD = "VOID Unload(PDRIVER_OBJECT DriverObject) { UNREFERENCED_PARAMETER(DriverObject); }\n"
BODY = "{ UNREFERENCED_PARAMETER(RegistryPath); DriverObject->DriverUnload = Unload; %s }\n"


def run(tmp_path: Path, text: str, *options: str) -> int:
    path = tmp_path / "driver.c"
    path.write_text(text, "utf-8")
    return main(["run", *options, str(path)])


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ('DbgPrint("hello\\n"); return STATUS_SUCCESS;', 0, "unloaded cleanly"),
        ("*(PULONG)NULL = 1; return STATUS_SUCCESS;", 1, "STOP null-dereference"),
        ("ExAllocatePool2(POOL_FLAG_NON_PAGED, 8, 'kaeL'); return STATUS_SUCCESS;", 1, "STOP pool-leaked"),
        ("return STATUS_SUCCESS", 2, "error: "),
        ("IoRequestDeviceEject(NULL); return STATUS_SUCCESS;", 3, "IoRequestDeviceEject is not modelled yet"),
        ("return STATUS_UNSUCCESSFUL;", 4, "DriverEntry returned STATUS_UNSUCCESSFUL"),
    ],
)
def test_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str], body: str, status: int, said: str) -> None:
    assert run(tmp_path, UNLOAD + ENTRY + BODY % body) == status
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ("hello\n" if "hello" in body else "")


def test_a_wait_that_never_ends_names_the_thread(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wait = "KeWaitForSingleObject(&e, Executive, KernelMode, FALSE, NULL);"
    body = "KEVENT e; KeInitializeEvent(&e, NotificationEvent, FALSE); " + wait
    assert run(tmp_path, UNLOAD + ENTRY + BODY % (body + " return STATUS_SUCCESS;")) == 1
    assert "DriverEntry (event" in capsys.readouterr().err


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, UNLOAD + ENTRY + BODY % 'DbgPrint("hi"); return STATUS_SUCCESS;', "--json", "--seed", "3") == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["exit_status"], result["driver_entry"], result["console"], result["gaps"]) == (0, "STATUS_SUCCESS", "hi", [])


@pytest.mark.parametrize(("end", "begin"), [("", "\nLoaded"), ("\\n", "Loaded")])
def test_what_is_ours_begins_on_a_line_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], end: str, begin: str
) -> None:
    assert run(tmp_path, UNLOAD + ENTRY + BODY % f'DbgPrint("here{end}"); return STATUS_SUCCESS;') == 0
    assert capsys.readouterr().err.startswith(begin)


def test_several_files_link_into_one_driver(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("NTSTATUS Answer(VOID);\n" + UNLOAD + ENTRY + BODY % "return Answer();", "utf-8")
    (tmp_path / "b.c").write_text("NTSTATUS Answer(VOID) { return STATUS_SUCCESS; }\n", "utf-8")
    assert main(["run", str(tmp_path / "a.c"), str(tmp_path / "b.c")]) == 0


DEFINED = """
#include <ntddk.h>
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    DbgPrint("%s %d\\n", NAME, TRACED);
    return STATUS_UNSUCCESSFUL;
}
"""


def test_macros_of_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, given = tmp_path / "x.c", ("-D", 'NAME="echo"', "--define", "TRACED")
    path.write_text(DEFINED)
    assert (main(["run", str(path), *given]), capsys.readouterr().out) == (4, "echo 1\n")
    assert (main(["check", str(path), *given]), main(["check", str(path)]), main(["run", str(path)])) == (0, 1, 2)
    capsys.readouterr()
    assert main(["check", str(path), "-D", "2=3"]) == 64
    assert capsys.readouterr().err.endswith("argument -D/--define: 2 is not the name of a macro\n")


def test_the_language_of_the_messages(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "int f(void) { return x; }", "--lang", "fr") == 2
    assert "x n'est pas déclaré." in capsys.readouterr().err


def test_a_file_without_driver_entry(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "int f(void) { return 1; }") == 2
    assert capsys.readouterr().err == "driver.c compiles, but it has no DriverEntry to run.\n"


@pytest.mark.parametrize(
    "arguments", [["run", "no-such-file.c"], ["run"], ["walk", "a.c"], [], ["run", "--seconds", "-1", __file__]]
)
def test_a_wrong_command_line(arguments: list[str]) -> None:
    try:
        assert main(arguments) == 64
    except SystemExit as ended:
        assert ended.code == 64


@pytest.mark.parametrize("path", sorted((Path(__file__).parents[2] / "examples").glob("*.c")), ids=lambda path: path.name)
def test_every_example_runs_clean(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    restless = path.name == "outstanding_reads.c"  # it reads again whenever a read comes back
    assert main(["run", str(path), *(("--seconds", "0.001") if restless else ())]) == 0
    said = "Loaded, ran so long and unloaded cleanly." if restless else "Loaded, ran until idle and unloaded cleanly."
    assert said in capsys.readouterr().err


def test_what_is_not_a_file_or_not_a_replay_string_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(tmp_path)]) == 64
    assert run(tmp_path, UNLOAD + ENTRY + BODY % "return STATUS_SUCCESS;", "--replay", "ZZ") == 64
    (tmp_path / "driver.sys").write_bytes(b"MZ\x90\0\x03\0")
    assert main(["run", str(tmp_path / "driver.sys"), "--lang", "fr"]) == 64
    captured = capsys.readouterr()
    folder, replay, program = captured.err.splitlines()
    assert captured.out == "" and folder.startswith(f"{tmp_path} cannot be read: ") and "ZZ" in replay
    assert program == f"{tmp_path / 'driver.sys'} ne peut pas être lu\N{NO-BREAK SPACE}: ce n'est pas un fichier texte"


@pytest.mark.parametrize(("options", "status"), [((), 0), (("--strict",), 1)])
def test_strict_mode(tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], status: int) -> None:
    """RULE-62: a synchronous send without a timeout is fine with the framework's source only."""
    source = """
#include <ntddk.h>
#include <wdf.h>
EVT_WDF_DRIVER_DEVICE_ADD Add;
NTSTATUS Add(WDFDRIVER Driver, PWDFDEVICE_INIT DeviceInit)
{
    WDFDEVICE device;
    NTSTATUS status = WdfDeviceCreate(&DeviceInit, WDF_NO_OBJECT_ATTRIBUTES, &device);
    if (!NT_SUCCESS(status)) return status;
    return WdfIoTargetSendReadSynchronously(WdfDeviceGetIoTarget(device), NULL, NULL, NULL, NULL, NULL);
}
NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    WDF_DRIVER_CONFIG config;
    WDF_DRIVER_CONFIG_INIT(&config, Add);
    return WdfDriverCreate(DriverObject, RegistryPath, WDF_NO_OBJECT_ATTRIBUTES, &config, WDF_NO_HANDLE);
}
"""
    path = tmp_path / "sync.c"
    path.write_text(source, "utf-8")
    assert main(["run", *options, str(path)]) == status
    assert ("STOP kmdf-sync-without-timeout" in capsys.readouterr().err) == bool(status)
