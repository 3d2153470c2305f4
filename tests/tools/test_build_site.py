"""What is said when the site does not build, how it is published, and that a second build needs no network."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ..conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import build_site  # noqa: E402


@pytest.mark.parametrize(
    ("name", "log", "said"),
    [
        (
            "ja",
            "ERROR   -  Error reading page 'a.md':\nWARNING -  a.md: the link to b.md leads nowhere\nAborted",
            "the site (ja) does not build: a.md: the link to b.md leads nowhere",
        ),
        ("fr", "Traceback (most recent call last):\n  …\nKeyError: 'x'\n\n", "the site (fr) does not build: KeyError: 'x'"),
        ("en", "", "the site (en) does not build: it said nothing"),
        (
            "lab",
            "ERROR - python -m pip: ERROR: No matching distribution found for comm==9\n",
            "the lab in the browser does not build: python -m pip: ERROR: No matching distribution found for comm==9",
        ),
        (
            "lab",
            "npm error code ENOTFOUND\nERROR - npm pack --silent pyodide: npm error\n",
            "no network: the parts of the lab in the browser cannot be fetched, and .cache/lab does not hold them yet",
        ),
    ],
)
def test_failure_is_told_in_one_line(tmp_path: Path, name: str, log: str, said: str) -> None:
    (tmp_path / "log").write_text(log, encoding="utf-8")
    with pytest.raises(SystemExit) as told:
        build_site._judge(name, 1, tmp_path / "log")
    assert str(told.value) == said


def test_failure_of_one_job_ends_the_others(tmp_path: Path) -> None:
    def endless() -> None:
        os.execvp("sleep", ["sleep", "600"])

    def failing() -> None:
        os.write(2, b"no bread\n")
        os._exit(1)

    with pytest.raises(SystemExit, match=r"the site \(fr\) does not build: no bread"):
        build_site.run({"ja": (endless, ()), "fr": (failing, ())}, tmp_path)
    assert multiprocessing.active_children() == []


def test_language_is_built_again_only_if_something_that_it_is_made_of_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_site, "ROOT", tmp_path)
    for name in ("docs/en/a.md", "docs/ja/a.md", "docs/hooks/h.py", "wsklab/w.py", "notebooks/ja/n.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")

    def states() -> tuple[str, str]:
        return build_site._state("en", ""), build_site._state("ja", "")

    english, japanese = states()
    assert states() == (english, japanese)
    assert build_site._state("en", "https://example.org/a/") != english
    (tmp_path / "docs" / "ja" / "a.md").write_text("changed")
    assert [before == now for before, now in zip((english, japanese), states(), strict=True)] == [True, False]
    english, japanese = states()
    (tmp_path / "wsklab" / "w.py").write_text("changed")
    assert [before == now for before, now in zip((english, japanese), states(), strict=True)] == [False, False]


@pytest.mark.slow
def test_second_build_of_the_lab_asks_nobody(tmp_path: Path) -> None:
    make = "import sys, lite, pathlib; lite.build_lab(pathlib.Path(sys.argv[1]))"
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
    nowhere |= {"PIP_FIND_LINKS": "", "PIP_EXTRA_INDEX_URL": "", "PIP_RETRIES": "0", "npm_config_registry": "http://127.0.0.1:9"}
    for number, env in enumerate(({}, nowhere)):
        command = [sys.executable, "-c", make, str(tmp_path / str(number))]
        done = subprocess.run(command, cwd=ROOT / "tools", env={**os.environ, **env}, capture_output=True, text=True, timeout=300)
        assert (done.returncode, done.stderr) == (0, "")
    first, second = (sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")) for name in "01")
    assert first == second


def test_every_push_to_main_is_published_with_the_address_that_pages_has() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "pages.yml").read_text("utf-8"))
    assert workflow[True] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}  # YAML reads "on" as true
    build, publish = workflow["jobs"]["build"], workflow["jobs"]["publish"]
    assert [step["run"] for step in build["steps"] if "run" in step] == ['python3 kit.py site --url "$URL"']
    assert [step["env"] for step in build["steps"] if "env" in step] == [{"URL": "${{ steps.pages.outputs.base_url }}"}]
    assert [step["with"]["path"] for step in build["steps"] if "upload-pages-artifact" in step.get("uses", "")] == ["site"]
    assert (publish["needs"], publish["permissions"]) == ("build", {"pages": "write", "id-token": "write"})
