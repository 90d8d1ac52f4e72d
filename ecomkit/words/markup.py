"""Text that came from outside, shown letter by letter and never as markup.

Product and campaign names and paths may be anything.
"""

import html
import re
from typing import Any

from ecomkit.words.numbers import UNKNOWN, is_unknown

NO_DATA = "There is no data for this question in this period."
LONGEST_NAME = 80
LONGEST_TEXT = 2_000
# A dollar and a backslash open mathematics even as entities; alone in an element they cannot.
_ALONE = {"$": "<span>&#36;</span>", "\\": "<span>&#92;</span>"}
_MARKDOWN = {character: f"&#{ord(character)};" for character in "`*_[]#|~@"}
_BOLD = re.compile(r"(?<!\*)\*\*(?=[^\s*])([^*]*[^\s*])\*\*(?!\*)")
_LINK = re.compile(r":(?=//)|(?<=\bwww)\.", re.IGNORECASE)
_LIST_OR_RULE = re.compile(r"^([-+=]|\d+(?=[.)]))(.?)")


def say(text: str) -> None:
    """Display a sentence: `**bold**` is bold, all else appears as it is written.

    Where the first bold words, the answer, are unknown, the sentence says so
    and nothing else.
    """
    from IPython.display import display

    answer = _BOLD.search(text)
    line = NO_DATA if answer and answer[1].startswith(UNKNOWN) else _one_line(text, LONGEST_TEXT)
    display({"text/markdown": escape(line), "text/plain": _BOLD.sub(r"\1", line)}, raw=True)


def escape(text: str) -> str:
    """Return Markdown that shows `text` letter by letter, on one line, but for `**bold**`."""
    line = _one_line(text, len(text))
    parts = _BOLD.split(line)
    shown = "".join(f"**{_escape(part)}**" if number % 2 else _escape(part) for number, part in enumerate(parts))
    return _LIST_OR_RULE.sub(_opening_as_entity, shown)


def short(name: Any, longest: int = LONGEST_NAME) -> str:
    """Return a name on one line, cut to `longest` characters with a `…`."""
    return UNKNOWN if is_unknown(name) else _one_line(str(name), longest)


def _one_line(text: str, longest: int) -> str:
    line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _escape(text: str) -> str:
    shown = _LINK.sub(lambda match: "\0" if match[0] == ":" else "\1", text)
    shown = html.escape(shown, quote=True)
    # `html.escape` writes `&#x27;`: its own hash is markup, not text.
    shown = re.sub(r"&#x27;", "\2", shown)
    shown = "".join(_ALONE.get(character) or _MARKDOWN.get(character, character) for character in shown)
    return shown.replace("\0", "&#58;").replace("\1", "&#46;").replace("\2", "&#39;")


def _opening_as_entity(match: re.Match) -> str:
    if match[1].isdigit():
        return f"{match[1]}&#{ord(match[2])};"
    return f"&#{ord(match[1])};{match[2]}"
