"""The words of a notebook, a page or the site's configuration: taken out and put back by the same walk.

Every function here is given a text and `say`. It calls `say` with each message, in the order of the text, and puts what `say`
answers in its place. So extracting is a walk with a `say` that remembers, compiling a walk with one that translates, and the
two cannot disagree about what a message is. A message is one paragraph, heading, list item, table cell or line of comment,
without line breaks.

What is no words stays as it is: code, HTML comments, ids of cells and anchors. Follows CommonMark, and of what the site adds:
tables, attributes at the end of a heading, admonitions, folds and tabs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

Say = Callable[[str, str], str]
"""Message and its kind ("paragraph", "comment" …) → what stands there instead."""

_PARSER = MarkdownIt("commonmark").enable("table")
_KINDS = {"heading_open": "heading", "th_open": "table cell", "td_open": "table cell"}
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)
_TITLE = re.compile(r"^((?:title|description): )(.+)$", re.MULTILINE)
# The parser is shown a list item instead, with a heading for the title: blocks and lines are then the same.
_ADMONITION = re.compile(r'^( *)(?:!!!|\?\?\?\+?|===[+!]?)(?: +[\w-]+)*(?: +"(.*)")? *$', re.MULTILINE)
_ANCHOR = re.compile(r"\s*\{[^{}]*\}$")
_CODE = re.compile(r"(`+).+?\1|\]\([^)]*\)|<[^>]*>|\{[^}]*\}")

# Strings stand first in each, because what looks like a comment inside a string is none.
_COMMENTS = {
    "c": r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|//(?P<line>[^\n]*)|/\*(?P<block>(?s:.*?))\*/',
    "python": r'"""(?s:.*?)"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|#(?P<line>[^\n]*)',
    "sh": r'"[^"]*"|\'[^\']*\'|(?<!\S)#(?P<line>[^\n]*)',
}
_OTHER_NAMES = {"cpp": "c", "c++": "c", "py": "python", "bash": "sh", "yaml": "sh", "toml": "sh"}


def markdown(text: str, say: Say) -> str:
    """A page or a text cell. A translated paragraph comes out as one line.

    Raises:
        ValueError: HTML with words in it, which nobody could translate.
    """
    front = _FRONT_MATTER.match(text)
    if front:
        head = _TITLE.sub(lambda title: title[1] + _scalar(say(title[2], "title")), front[0])
        return head + markdown(text[front.end() :], say)
    lines = text.split("\n")
    edits: list[tuple[int, int, int, int, str]] = []
    for token, kind in blocks(text):
        if token.map is None or not kind:
            continue
        first, after = token.map
        if kind == "fence":
            last = after - 1 if lines[after - 1].strip().startswith(token.markup) else after
            inside = "\n".join(lines[first + 1 : last])
            edits.append((first + 1, 0, last - 1, len(lines[last - 1]), code(inside, token.info, say)))
        elif kind == "html_block":
            if re.search(r"[A-Za-z]{2}", re.sub(r"<!--.*?-->|<[^>]*>", "", token.content, flags=re.DOTALL)):
                raise ValueError(f"line {first + 1}: HTML with words in it cannot be translated; write it in Markdown")
        else:
            content = _ANCHOR.sub("", token.content) if kind == "heading" else token.content
            message = re.sub(r"\s*\n\s*", " ", content)
            if not has_words(message):
                continue
            parts = content.split("\n")
            # A row of a table has several messages on one line: each is looked for behind the one before.
            behind = edits[-1][3] if edits and edits[-1][2] == first else 0
            start = lines[first].index(parts[0], behind)
            last = first + len(parts) - 1
            end = lines[last].index(parts[-1], start if last == first else 0) + len(parts[-1])
            edits.append((first, start, last, end, say(message, kind)))
    for first, start, last, end, words in reversed(edits):
        lines[first : last + 1] = (lines[first][:start] + words + lines[last][end:]).split("\n")
    return "\n".join(lines)


def _scalar(words: str) -> str:
    """Words as a value in YAML; French has colons where English has none."""
    return json.dumps(words, ensure_ascii=False) if ": " in words or " #" in words else words


def blocks(text: str) -> Iterator[tuple[Token, str]]:
    """The tokens of a text in Markdown, each with the kind of message it is; "" for what holds none itself."""
    before = ""
    for token in _PARSER.parse(_ADMONITION.sub(lambda mark: f"{mark[1]}-   # {mark[2] or ''}", text)):
        kind = _KINDS.get(before, "paragraph") if token.type == "inline" else token.type
        yield token, kind if token.type in {"inline", "fence", "html_block"} else ""
        before = token.type


def has_words(message: str) -> bool:
    """Whether anything is to be translated beside code, links and HTML."""
    return bool(re.search(r"[^\W\d_]", _CODE.sub("", message)))


def code(text: str, language: str, say: Say) -> str:
    """Code, of which the comments are translated; `language` as a fence names it, C also where a cell starts with ``%%c``."""
    language = "c" if text.startswith("%%c") else _OTHER_NAMES.get(language, language)
    if language not in _COMMENTS:
        return text

    def one(found: re.Match[str]) -> str:
        group = found.lastgroup
        if group is None or not has_words(found[group]):
            return found[0]
        words = found[group].strip()
        return found[0].replace(words, say(words, "comment"))

    return re.sub(_COMMENTS[language], one, text)


def notebook(text: str, say: Say) -> str:
    """A notebook as JSON: its text cells, and the comments in its code cells."""
    content: dict[str, Any] = json.loads(text)
    for cell in content["cells"]:
        source = "".join(cell["source"])
        said = markdown(source, say) if cell["cell_type"] == "markdown" else code(source, "python", say)
        cell["source"] = said.splitlines(keepends=True)
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def configuration(text: str, say: Say, code: str = "en", search: dict[str, Any] | None = None) -> str:
    """The MkDocs configuration of a language, made from the English one.

    Args:
        text: the English one. Its words are description, copyright, names of the colour schemes, words of the hooks, navigation.
        say: see above.
        code: the language; it names the folders and the theme's own words.
        search: settings of the search plugin, where the English ones do not do.
    """
    content: dict[str, Any] = yaml.safe_load(text)
    content["docs_dir"], content["site_dir"] = code, content["site_dir"].removesuffix("en") + code
    content["theme"]["language"] = code
    content["plugins"]["search"] = search or content["plugins"]["search"]
    for key in ("site_description", "copyright"):
        content[key] = say(content[key], key)
    for scheme in content["theme"]["palette"]:
        scheme["toggle"]["name"] = say(scheme["toggle"]["name"], "button")
    content["extra"]["words"] = _each_string(content["extra"]["words"], say)
    content["nav"] = [{say(title, "navigation"): page for title, page in entry.items()} for entry in content["nav"]]
    return str(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=10**6))


def _each_string(part: Any, say: Say) -> Any:
    if isinstance(part, dict):
        return {key: _each_string(value, say) for key, value in part.items()}
    if isinstance(part, list):
        return [_each_string(value, say) for value in part]
    return say(part, "words of the site") if isinstance(part, str) else part
