"""The wheel: pure Python, three dependencies, headers and catalogues inside; and it works where nothing else of ours is."""

from __future__ import annotations

import email
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pycparser
import pytest

from .conftest import LANGUAGES, ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing is left in the clone, without the network."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    shutil.copytree(ROOT / "wsklab", source / "wsklab", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return next(folder.glob("*.whl"))


def _metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def test_wheel_is_pure_python(wheel: Path) -> None:
    assert wheel.name == "wsklab-0.1.0-py3-none-any.whl"


def test_wheel_depends_on_three_packages_and_the_rest_is_extra(wheel: Path) -> None:
    metadata = _metadata(wheel)
    needed = metadata.get_all("Requires-Dist") or []
    assert [line for line in needed if "extra ==" not in line] == ["pycparser==3.12", "pcpp==1.30", "python-pcapng==2.1.1"]
    assert metadata.get_all("Provides-Extra") == ["notebook"]
    assert (metadata["Requires-Python"], metadata["License-Expression"]) == (">=3.11", "MIT")


def test_wheel_holds_every_file_of_the_engine_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = {name for name in archive.namelist() if ".dist-info/" not in name}
    kinds = ("*.py", "include/*.[ch]", "locale/*.po", "*/*.toml", "show/*.css", "learn/*.c", "py.typed")
    expected = {path.relative_to(ROOT).as_posix() for kind in kinds for path in (ROOT / "wsklab").rglob(kind)}
    assert inside == expected
    assert any(name.endswith(".h") for name in inside)
    assert {name for name in inside if name.endswith(".po")} == {f"wsklab/locale/{code}.po" for code in LANGUAGES[1:]}


def test_engine_runs_from_the_wheel_alone(wheel: Path, tmp_path: Path) -> None:
    packages = Path(pycparser.__file__).parents[1]
    for name in ("pcapng", "pcpp", "pycparser"):
        for folder in packages.glob(f"{name}*"):
            shutil.copytree(folder, tmp_path / folder.name)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import wsklab; lab = wsklab.Lab(); " + (
        "driver = lab.load('ULONG Twice(ULONG Value) { return 2 * Value; }'); print(driver.Twice(21), wsklab.__file__); "
        "lab.capture('run.pcapng')"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", script], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["42", str(tmp_path / "wsklab" / "__init__.py")]
    assert (tmp_path / "run.pcapng").read_bytes().startswith(b"\x0a\x0d\x0d\x0a")
