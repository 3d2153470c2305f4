"""The fact tables of the site: every fact is accounted for, and the pages say where."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import wsklab.rules
from wsklab.wsk.tables import tables

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs" / "hooks"))

import choice_kinds  # noqa: E402 - a hook of the site, found through the path above
import facts  # noqa: E402 - likewise

AREAS = facts.table().keys()


def every() -> Iterator[facts.Fact]:
    """All facts."""
    return (fact for groups in facts.table().values() for _, group in groups.values() for fact in group)


def test_the_table_holds_all_groups() -> None:
    assert {area: sum(len(group) for _, group in groups.values()) for area, groups in facts.table().items()} == {
        "wsk": 190, "sockets": 161, "events": 213, "kernel": 118, "kmdf": 190, "requests": 323, "misuse": 150,
    }  # fmt: skip


@pytest.mark.parametrize("area", AREAS)
def test_every_fact_stands_somewhere_and_a_reason_stands_alone(area: str) -> None:
    known = [fact for _, group in facts.table()[area].values() for fact in group]
    assert [fact.id for fact in known if not fact.accounted_for] == []
    assert [fact.id for fact in known if fact.reason and (fact.modelled or fact.rules)] == []


@pytest.mark.parametrize("area", AREAS)
def test_what_is_modelled_or_refused_is_held_by_a_test(area: str) -> None:
    known = (fact for _, group in facts.table()[area].values() for fact in group)
    assert [fact.id for fact in known if not fact.tests and not fact.reason] == []


def test_a_fact_is_found_where_it_is_modelled_refused_and_tested() -> None:
    (fact,) = (fact for fact in every() if fact.id == "KRN-37")
    assert (fact.modelled, fact.rules) == (
        {"wsklab/include/wdmke.c", "wsklab/machine/functions_locks.py"} & fact.modelled,
        {"spinlock-mixed"},
    )
    assert "tests/machine/test_functions_sync.py" in fact.tests


def test_what_the_documents_leave_open_is_a_choice_a_rule_or_leaves_nothing_to_choose() -> None:
    """Every choice, status and rule that the table names is there, and the engine or a test cites the fact."""
    known = {fact.id: fact for fact in every()}
    there = {"choice": set(choice_kinds.kinds()), "status": set(tables().chosen), "rule": set(wsklab.rules.rules())}
    rows = tomllib.loads(facts.TABLE.read_text("utf-8"))["left_open"]
    for id, row in rows.items():
        ((how, names),) = row.items()
        assert how == "follows" or set(names) <= there[how], (id, set(names) - there.get(how, set()))
        assert (
            names and (known[id].modelled or known[id].rules or known[id].reason) and not (known[id].reason and how != "follows")
        )
    counts = {how: sum(how in row for row in rows.values()) for how in ("choice", "status", "rule", "follows")}
    assert counts == {"choice": 21, "status": 9, "rule": 27, "follows": 21}


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("Facts: KRN-36.", ["KRN-36"]),
        ("Facts: KRN-18 to KRN-20, BUG-11.", ["KRN-18", "KRN-19", "KRN-20", "BUG-11"]),
        ("WSK-USE-01 to 03", ["WSK-USE-01", "WSK-USE-02", "WSK-USE-03"]),
        ("KMDF-CRT-02, 07, KMDF-CPL-05 to 07", ["KMDF-CRT-02", "KMDF-CRT-07", "KMDF-CPL-05", "KMDF-CPL-06", "KMDF-CPL-07"]),
        ("UTF-16 and NON-PAGED-1", []),
    ],
)
def test_ids_in_a_text(text: str, ids: list[str]) -> None:
    known = {fact.id for fact in every()}
    assert [id for id in facts.cited(text) if id in known] == ids


def test_a_row_names_files_rules_and_tests() -> None:
    fact = facts.Fact("KRN-37", {"wsklab/include/wdmke.c"}, {"spinlock-mixed"}, {"tests/machine/test_sync.py"})
    assert list(facts._rows([fact], "en", ["fact", "modelled in"]))[-1] == (
        "| KRN-37 | `include/wdmke.c` | [`spinlock-mixed`](../rules/kernel.md#spinlock-mixed) | `machine/test_sync.py` |  |"
    )
