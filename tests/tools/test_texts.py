"""Taking words out of texts and putting others back: what is a message, and that nothing else changes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import texts
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGE = """---
title: A page
icon: x
---

# Heading {#anchor}

A paragraph with `code` that
goes on here.

<!-- table -->

- an item
  on two lines
    1. below it, [a link](b.md){ .button }

> quoted

| name | what |
|---|---|
| `a` | what |
| 17 | the name of `a` |

!!! note "Mind this"
    Inside of it.

    - and more

```c
int a = '"'; // one, "two"
char *url = "http://x"; /* block */ // 1
```

```sh
echo "# no"  # yes
```

    indented code
"""
MESSAGES = [
    ("A page", "title"),
    ("Heading", "heading"),
    ("A paragraph with `code` that goes on here.", "paragraph"),
    ("an item on two lines", "paragraph"),
    ("below it, [a link](b.md){ .button }", "paragraph"),
    ("quoted", "paragraph"),
    ("name", "table cell"),
    ("what", "table cell"),
    ("what", "table cell"),
    ("the name of `a`", "table cell"),
    ("Mind this", "heading"),
    ("Inside of it.", "paragraph"),
    ("and more", "paragraph"),
    ('one, "two"', "comment"),
    ("block", "comment"),
    ("yes", "comment"),
]


def taken(walk: Callable[..., str], *arguments: object) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []

    def remember(message: str, kind: str) -> str:
        found.append((message, kind))
        return message

    walk(*arguments, remember)
    return found


def shouted(message: str, kind: str) -> str:
    return message.upper()


def test_a_page_is_taken_apart() -> None:
    assert taken(texts.markdown, PAGE) == MESSAGES


def test_other_words_stand_where_the_messages_stood_and_the_rest_is_as_it_was() -> None:
    numbered = iter(range(100))
    made = texts.markdown(PAGE, lambda message, kind: f"<{next(numbered)}>")
    assert (
        made
        == """---
title: <0>
icon: x
---

# <1> {#anchor}

<2>

<!-- table -->

- <3>
    1. <4>

> <5>

| <6> | <7> |
|---|---|
| `a` | <8> |
| 17 | <9> |

!!! note "<10>"
    <11>

    - <12>

```c
int a = '"'; // <13>
char *url = "http://x"; /* <14> */ // 1
```

```sh
echo "# no"  # <15>
```

    indented code
"""
    )


def test_html_with_words_is_refused() -> None:
    with pytest.raises(ValueError, match="line 3: HTML with words in it cannot be translated; write it in Markdown"):
        texts.markdown("one\n\n<p>two</p>\n", shouted)


def test_a_title_with_a_colon_stays_yaml() -> None:
    made = texts.markdown("---\ntitle: Ends\n---\n", lambda message, kind: "Fin : suite")
    assert yaml.safe_load(made.split("---")[1]) == {"title": "Fin : suite"}


@pytest.mark.parametrize(
    ("language", "code", "made"),
    [
        ("python", 'x = \'# no\'  # yes\n"""# no"""\n#: 17\n', 'x = \'# no\'  # YES\n"""# no"""\n#: 17\n'),
        ("python", "%%c name\na; // yes\n", "%%c name\na; // YES\n"),
        ("cpp", 'a("// no", \'"\'); /* yes\n   yes */\n', 'a("// no", \'"\'); /* YES\n   YES */\n'),
        ("text", "# a shell, or nothing known // at all\n", "# a shell, or nothing known // at all\n"),
        ("sh", "a#b # yes\n", "a#b # YES\n"),
    ],
)
def test_only_comments_of_code_are_words(language: str, code: str, made: str) -> None:
    assert texts.code(code, language, shouted) == made


def test_a_notebook_keeps_its_cells() -> None:
    cells = [
        {"cell_type": "markdown", "id": "one", "metadata": {}, "source": ["# Title\n", "\n", "Some\n", "words."]},
        {"cell_type": "code", "id": "two", "metadata": {"tags": ["x"]}, "source": ["%load_ext wsklab\n", "a = 1  # why"]},
    ]
    book = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    made = json.loads(texts.notebook(json.dumps(book), shouted))
    cells[0]["source"] = ["# TITLE\n", "\n", "SOME WORDS."]
    cells[1]["source"] = ["%load_ext wsklab\n", "a = 1  # WHY"]
    assert made == book


def test_a_configuration_is_another_languages_and_its_settings_stay() -> None:
    english = (ROOT / "docs" / "mkdocs.en.yml").read_text("utf-8")
    source = yaml.safe_load(english)
    made = yaml.safe_load(texts.configuration(english, shouted, "eo", {"lang": "en"}))
    assert (made["docs_dir"], made["site_dir"], made["theme"]["language"]) == ("eo", "../build/site/eo", "eo")
    assert made["plugins"]["search"] == {"lang": "en"}
    assert made["extra"]["words"]["areas"] == {key: title.upper() for key, title in source["extra"]["words"]["areas"].items()}
    assert made["nav"] == [{title.upper(): page for title, page in entry.items()} for entry in source["nav"]]
    assert [scheme["media"] for scheme in made["theme"]["palette"]] == [one["media"] for one in source["theme"]["palette"]]


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks" / "en").glob("*.ipynb")), ids=lambda path: path.stem)
def test_a_lesson_that_is_not_translated_is_the_lesson(path: Path) -> None:
    def joined(text: str) -> list[str]:
        return ["".join(cell["source"]).replace("\n", " ") for cell in json.loads(text)["cells"]]

    english = path.read_text("utf-8")
    assert joined(texts.notebook(english, lambda message, kind: message)) == joined(english)
