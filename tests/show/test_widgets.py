"""The what-if panel in its three forms."""

from __future__ import annotations

import builtins
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from wsklab.lab import Lab
from wsklab.show.widgets import WIDGET_VIEW, WhatIf, what_if

LISTING = """
NTSTATUS SendComplete(PDEVICE_OBJECT DeviceObject, PIRP Irp, PVOID Context)
{
  UNREFERENCED_PARAMETER(DeviceObject);
  DbgPrint("sent %u bytes\\n", (ULONG)Irp->IoStatus.Information);
  IoFreeIrp(Irp);
  if (Context)
    IoFreeIrp(Irp);
  return STATUS_MORE_PROCESSING_REQUIRED;
}

NTSTATUS SendData(PWSK_SOCKET Socket, PWSK_BUF Buffer, PVOID Twice)
{
  PIRP Irp = IoAllocateIrp(1, FALSE);
  IoSetCompletionRoutine(Irp, SendComplete, Twice, TRUE, TRUE, TRUE);
  return ((PWSK_PROVIDER_CONNECTION_DISPATCH)Socket->Dispatch)->WskSend(Socket, Buffer, 0, Irp);
}
"""


def run(answer: str = "pending", twice: bool = False, language: str = "en") -> tuple[Lab, dict[str, Any]]:
    lab = Lab(language=language, choices={"WskSend": answer})
    driver: Any = lab.load(LISTING, "send.c")
    socket = lab.connected_socket()
    results = {}
    with lab.explain():
        results["SendData"] = driver.SendData(socket, lab.buffer(b"Hello"), int(twice))
        lab.run()
    return lab, results


@pytest.fixture
def panel() -> WhatIf:
    return what_if(run, {"later": {}, "at once": {"answer": "inline"}, "freed twice": {"twice": True}})


def test_every_outcome_is_run_once_and_told(panel: WhatIf) -> None:
    assert [(outcome.label, outcome.results) for outcome in panel.outcomes] == [
        ("later", ("SendData: STATUS_PENDING", "DbgPrint: sent 5 bytes")),
        ("at once", ("SendData: STATUS_SUCCESS", "DbgPrint: sent 5 bytes")),
        ("freed twice", ("SendData: STATUS_PENDING", "DbgPrint: sent 5 bytes", "STOP irp-freed-twice: The IRP was freed twice")),
    ]


def test_results_read_well() -> None:
    panel = what_if(lambda: (Lab(), {"heard": [b"a", b"b"], "nobody": []}), {"x": {}})
    assert panel.outcomes[0].results == ("heard: “a”; “b”", "nobody: –")


def test_the_panel_speaks_the_language_of_the_lab() -> None:
    assert what_if(run, {"x": {"language": "ja"}}).title == "もしも…"


class Elements(HTMLParser):
    """Collects the start tags with their attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def test_the_html_needs_no_script_and_every_button_has_its_label_and_panel(panel: WhatIf) -> None:
    page = Elements()
    page.feed(panel.html)
    radios = [attributes for tag, attributes in page.found if tag == "input"]
    labels = [attributes["for"] for tag, attributes in page.found if tag == "label"]
    panels = [attributes["id"] for tag, attributes in page.found if tag == "div"]
    ids = [radio["id"] for radio in radios]
    assert [radio["type"] for radio in radios] == ["radio"] * 3
    assert (labels, panels) == (ids, [f"{each}p" for each in ids])
    assert ["checked" in radio for radio in radios] == [True, False, False]
    assert not [tag for tag, _ in page.found if tag == "script"]
    every = re.findall(r' id="([^"]+)"', panel.html)
    assert len(every) == len(set(every))


def test_a_panel_of_six_outcomes_fits_into_a_page() -> None:
    panel = what_if(run, {str(number): {} for number in range(6)})
    assert len(panel.html.encode()) < 50_000


def test_the_widget_switches_in_the_browser(panel: WhatIf) -> None:
    pytest.importorskip("ipywidgets")
    _, chooser, stack = panel.widget().children
    assert (chooser.options, stack.selected_index, len(stack.children)) == (("later", "at once", "freed twice"), 0, 3)


def test_one_output_carries_all_three_forms(panel: WhatIf) -> None:
    pytest.importorskip("ipywidgets")
    bundle = panel._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/html", WIDGET_VIEW}


def test_without_ipywidgets_the_page_and_the_text_remain(panel: WhatIf, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def refuse(name: str, *rest: Any, **more: Any) -> Any:
        if name == "ipywidgets":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert set(panel._repr_mimebundle_()) == {"text/plain", "text/html"}
