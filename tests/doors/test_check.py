"""``python -m wsklab check``: listings at the page's own lines, and names that a translation has damaged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from wsklab.check import DamagedName, check_listing, check_names, check_page
from wsklab.cli import main
from wsklab.listings import page_of, read_pages

PAGES = Path(__file__).parent.parent / "pages"
PAGE = """# A page

Call `WdfRequestSend`, not Wdfrequestsend. WskSendで送信します。

```C++
NTSTATUS Nothing(VOID)
{
  ...
  return STATUS_SUCCESS;
}
```

```C
NTSTATUS Broken(VOID)
{
  return STATUS_SUCCES;
}
```

```console
not C
```
"""


@pytest.mark.parametrize("language", ["en", "ja", "fr"])
def test_all_slips_of_a_page_in_one_pass(language: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole text, in each language: what is wrong, where, and what was meant."""
    assert main(["check", "--lang", language, str(PAGES / "slips.md")]) == 1
    assert capsys.readouterr().out == (PAGES / f"slips.{language}.txt").read_text("utf-8")


def test_listings_keep_the_lines_of_the_page() -> None:
    page = page_of(PAGE, "page.md")
    assert [(listing.line, listing.text.split("\n")[0]) for listing in page.listings] == [
        (6, "NTSTATUS Nothing(VOID)"),
        (14, "NTSTATUS Broken(VOID)"),
    ]
    good, bad = (check_listing(listing, page) for listing in page.listings)
    assert (good.verdict, good.gaps, good.problems) == ("compiles with gaps", (8,), ())
    assert (bad.verdict, bad.problems) == ("does not compile", ("page.md:16:10: STATUS_SUCCES is not declared.",))


def test_names_in_the_prose() -> None:
    """A miscased name is found; a right name that Japanese text follows is not."""
    assert list(check_names(page_of(PAGE, "page.md"))) == [DamagedName(3, 28, "Wdfrequestsend", ("WdfRequestSend",))]


def test_a_damaged_name_is_found_by_its_link() -> None:
    link = "https://x.y/ddi/wdfrequest/nf-wdfrequest-wdfrequestsetcompletionroutine"
    page = page_of(f"[**Wdfrequestset補完ルーチン**]({link}) を呼び出す\n", "page.md")
    assert [name.suggestions for name in check_names(page)] == [("WdfRequestSetCompletionRoutine",)]


def test_plain_text_pages(seed: Any) -> None:
    """A page saved as text: the listing is found by its lines, to the letter."""
    page = page_of(seed("003").text, "003.txt")
    assert [listing.text.strip() for listing in page.listings] == [seed("003").listing.strip()]


def test_the_seeds(seed: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both listings compile with their gaps; the third page has eight damaged names."""
    for number in ("000", "003", "004"):
        (tmp_path / f"{number}.txt").write_text(seed(number).text, "utf-8")
    assert main(["check", "--json", str(tmp_path)]) == 1
    report = json.loads(capsys.readouterr().out)
    verdicts = {Path(page["file"]).stem: [listing["verdict"] for listing in page["listings"]] for page in report["pages"]}
    assert verdicts == {"000": ["compiles with gaps"], "003": ["compiles with gaps"], "004": []}
    names = {name["name"]: name["suggestions"] for page in report["pages"] for name in page["names"]}
    assert names == {
        "Wdfiotargetformatrequestfor国際化": ["WdfIoTargetFormatRequestForInternalIoctl"],
        "Wdfrequestset補完ルーチン": ["WdfRequestSetCompletionRoutine"],
        "Wdfrequestsend": ["WdfRequestSend"],
        "Wdfrequestchangetarget": ["WdfRequestChangeTarget"],
    }
    assert report["wrong"] == 8


def test_a_notebook_is_a_page(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["About Wdfrequestsend"]},
        {"cell_type": "code", "source": ["%%c x\n", "int f(void) { return 1; }"]},
        {"cell_type": "code", "source": ["print(1)"]},
    ]
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps({"cells": cells}), "utf-8")
    prose, code = read_pages(path)
    assert (code.name, [(listing.line, listing.text) for listing in code.listings]) == (
        "a.ipynb[2]",
        [(2, "int f(void) { return 1; }")],
    )
    assert (prose.name, [name.name for name in check_names(prose)]) == ("a.ipynb[1]", ["Wdfrequestsend"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_a_file_is_read_as_it_is_encoded(encoding: str, tmp_path: Path) -> None:
    """What Windows' editors write: byte order marks, UTF-16, CR LF."""
    path = tmp_path / "a.md"
    path.write_bytes("A 送信: Wdfrequestsend\r\n\r\n```C\r\nint a\r\n```\r\n".encode(encoding))
    (page,) = read_pages(path)
    assert page.prose[0] == "A 送信: Wdfrequestsend"
    assert [name.column for name in check_names(page)] == [7]


def test_what_one_listing_declares_no_other_asks_for() -> None:
    page = page_of("```C\nULONG count;\n```\nand then\n```C\ncount = First(list);\n```\n", "page.md")
    assert [verdict.supplies for verdict in check_page(page)] == [(), ("First", "list")]


def test_what_is_no_c_is_no_listing() -> None:
    text = "```\nC:\\> sc start echo\n```\n```cpp\nclass A { int b; };\n```\n```cpp\nvoid A::b() { }\n```\n```\nint a;\n```\n"
    assert [listing.line for listing in page_of(text, "page.md").listings] == [11]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "--json", "nowhere.md"], "There is no file nowhere.md."),
        (["check", "--json"], "the following arguments are required: FILE"),
        (["run", "--json", "--seed", "x", "nowhere.c"], "argument --seed: invalid int value: 'x'"),
    ],
)
def test_json_answers_a_wrong_command_line_too(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 64
    report = json.loads(capsys.readouterr().out)
    assert (report["exit_status"], report["error"].endswith(said)) == (64, True)


def test_json_names_what_cannot_be_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_text("{", "utf-8")
    assert main(["check", "--json", str(path)]) == 1
    (page,) = json.loads(capsys.readouterr().out)["pages"]
    assert page["error"] == "it is not a notebook"


@pytest.mark.parametrize(
    ("prose", "names"),
    [
        ("WskSocket, WskProviderNpi and WDFREQUESTs are names, wdfrequest.h and Wdfrequest.h files", []),
        ("---\ntitle: Wdfrequestsend\n---\nWdfRequest*Xxx* methods, RtlULongMult and RtlLongMult", []),
        ("IoBuildSyncronousFsdRequest", [("IoBuildSyncronousFsdRequest", ("IoBuildSynchronousFsdRequest",))]),
        ("STATUS_SUCCCESS", [("STATUS_SUCCCESS", ("STATUS_SUCCESS",))]),
        ("WskRecieve", [("WskRecieve", ("WskReceive",))]),
    ],
)
def test_what_counts_as_a_slip_in_prose(prose: str, names: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(name.name, name.suggestions) for name in check_names(page_of(prose, "page.md"))] == names


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.ipynb"
    path.write_text("{", "utf-8")
    assert main(["check", str(path)]) == 1
    assert "bad.ipynb cannot be read" in capsys.readouterr().err
