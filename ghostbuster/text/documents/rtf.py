"""Rich Text Format: its words as a word processor shows them.

Libraries that turn RTF into text (``striprtf``) read what is hidden and what was deleted as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ghostbuster.text.documents.document import CELL_OF_PROSE, HEADING_WORDS, Block, Document, Part, tidied
from ghostbuster.text.documents.indents import mark_indented
from ghostbuster.text.documents.references import mark_references
from ghostbuster.text.documents.sight import LEAST_POINTS, WHITE, Rgb, is_readable
from ghostbuster.text.documents.style_names import part_of_style

_TOKEN = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,9})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z])|([{}])|([^\\{}\r\n]+)|[\r\n]+"
)
TWIPS = 20.0
"""In a point."""
_BLOCKS = frozenset({"par", "cell", "row", "nestcell", "nestrow", "sect", "page"})
_LETTERS = {
    "line": "\n", "tab": "\t", "emdash": "\u2014", "endash": "\u2013", "lquote": "\u2018", "rquote": "\u2019",
    "ldblquote": "\u201c", "rdblquote": "\u201d", "bullet": "\u2022", "emspace": " ", "enspace": " ",
    "qmspace": " ",
}  # fmt: skip
_SIGNS = {"~": "\u00a0", "_": "-", "\\": "\\", "{": "{", "}": "}", "\n": "\n", "\r": "\n"}
_PARTS = {"footnote": Part.FOOTNOTE, **dict.fromkeys(
    ("header", "headerl", "headerr", "headerf", "footer", "footerl", "footerr", "footerf"), Part.RUNNING
)}  # fmt: skip
_SKIPPED = frozenset({
    "fonttbl", "info", "pict", "fldinst", "annotation", "listtext", "pntext", "nonshppict", "shprslt",
    "sp", "object", "xe", "tc", "tcn", "rxe", "txe", "filetbl", "private", "do",
})  # fmt: skip
_STARRED = frozenset({"shpinst", "shptxt", "shppict"})
"""Destinations that old readers may skip, and whose letters are shown."""


@dataclass(frozen=True, slots=True)
class _State:
    """What holds inside a pair of braces."""

    into: str = ""
    part: Part | None = None
    hidden: bool = False
    deleted: bool = False
    colour: int = 0
    behind: int = 0
    size: float = 12.0
    style: int = 0
    outlined: bool = False
    in_table: bool = False
    indent: float = 0.0
    in_list: bool = False
    skip: int = 1


class _Reader:
    """An RTF file while it is read."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.state = _State()
        self.stack: list[_State] = []
        self.codepage = "cp1252"
        self.colours: list[Rgb | None] = []
        self.channels = [-1, -1, -1]
        self.styles: dict[int, str] = {}
        self.blocks: list[Block] = []
        self.seen: list[tuple[str, _State]] = []
        self.unseen: list[str] = []
        self.outer: list[tuple[list[tuple[str, _State]], list[str]]] = []
        self.to_skip = 0
        self.starred = False

    def read(self) -> list[Block]:
        """All blocks."""
        at, end = 0, len(self.source)
        while at < end:
            found = _TOKEN.match(self.source, at)
            if found is None:  # a backslash that ends the file
                break
            at = found.end()
            word, number, code, sign, brace, text = found.groups()
            if brace:
                self.braced(opens=brace == "{")
            elif word:
                if word == "bin" and number:
                    at += max(int(number), 0)
                self.control(word, None if number is None else int(number))
            elif code:
                self.add(bytes([int(code, 16)]).decode(self.codepage, "replace"), n=1)
            elif sign == "*":
                self.starred = True
            elif sign:
                self.add(_SIGNS.get(sign, ""), n=1)
            elif text:
                self.add(text, n=len(text))
        self.end_block()
        return self.blocks

    def braced(self, *, opens: bool) -> None:
        """A group begins or ends."""
        self.to_skip = 0
        if opens:
            self.stack.append(self.state)
        elif self.stack:
            before = self.stack.pop()
            if self.state.part is not before.part and self.outer:
                self.end_block()
                self.seen, self.unseen = self.outer.pop()
            self.state = before

    def control(self, word: str, number: int | None) -> None:
        """One control word."""
        starred, self.starred = self.starred, False
        if word in _SKIPPED or (starred and word not in _STARRED and word not in _PARTS):
            self.state = replace(self.state, into="nothing")
        elif word in {"stylesheet", "colortbl"}:
            self.state = replace(self.state, into=word)
        elif word in _PARTS or word == "shptxt":
            part = _PARTS.get(word, self.state.part)
            self.outer.append((self.seen, self.unseen))
            self.seen, self.unseen = [], []
            self.state = replace(self.state, part=part or Part.PROSE)
        elif word == "u" and number is not None:
            letter = number % 65536
            self.add(chr(letter) if not 0xD800 <= letter <= 0xDFFF else self._half(letter), n=0)  # noqa: PLR2004
            self.to_skip = self.state.skip
        elif word in _BLOCKS:
            if not self.state.into:
                self.end_block()
        elif word in _LETTERS:
            self.add(_LETTERS[word], n=1)
        elif word == "ansicpg" and number:
            self.codepage = _known(number)
        elif word in {"red", "green", "blue"}:
            self.channels[("red", "green", "blue").index(word)] = number or 0
        else:
            self.state = _changed(self.state, word, number)

    def _half(self, letter: int) -> str:
        """Half of a letter outside the basic plane; both halves are joined at the end."""
        return chr(letter)

    def add(self, text: str, *, n: int) -> None:
        """Letters; ``n`` of them stand for one that was spelled before."""
        if n and self.to_skip:
            dropped = min(self.to_skip, n)
            self.to_skip -= dropped
            text = text[dropped:] if n == len(text) else ""
        state = self.state
        if state.into == "colortbl":
            for _ in range(text.count(";")):
                red, green, blue = (max(c, 0) / 255 for c in self.channels)
                self.colours.append(None if self.channels == [-1, -1, -1] else (red, green, blue))
                self.channels = [-1, -1, -1]
        elif state.into == "stylesheet":
            self.styles[state.style] = self.styles.get(state.style, "") + text
        elif not state.into and not state.deleted:
            if self.is_hidden(state):
                self.unseen.append(text)
            elif text:
                self.seen.append((text, state))

    def is_hidden(self, state: _State) -> bool:
        """Whether letters are not shown, too small, or of the colour of what is behind them."""
        if state.hidden or state.size <= LEAST_POINTS:
            return True
        colour, behind = self.colour(state.colour), self.colour(state.behind) or WHITE
        return colour is not None and not is_readable(colour, behind)

    def colour(self, index: int) -> Rgb | None:
        """A colour of the table; None for automatic."""
        return self.colours[index] if 0 <= index < len(self.colours) else None

    def end_block(self) -> None:
        """A paragraph or a cell ends."""
        text = (
            "".join(one for one, _ in self.seen).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )
        if text.strip():
            state = next(state for one, state in self.seen if one.strip())
            indent = 0.0 if state.in_list or state.in_table else state.indent
            self.blocks.append(Block(self.part_of(state, len(text.split())), text, indent))
        self.blocks.append(Block(Part.HIDDEN, "".join(self.unseen).encode("utf-8", "replace").decode()))
        self.seen, self.unseen = [], []

    def part_of(self, state: _State, n_words: int) -> Part:
        """What a paragraph is."""
        if state.part not in {None, Part.PROSE}:
            return state.part or Part.PROSE
        called = self.styles.get(state.style, "").partition(";")[0].strip().lower()
        part = part_of_style(called) or Part.PROSE
        if state.outlined:
            part = Part.HEADING
        if part is Part.HEADING and n_words > HEADING_WORDS:
            part = Part.PROSE
        if part is Part.PROSE and state.in_table and n_words < CELL_OF_PROSE:
            return Part.TABLE
        return part


def _changed(state: _State, word: str, number: int | None) -> _State:
    """The state after a control word that changes how letters look."""
    change = _CHANGES.get(word)
    return state if change is None else replace(state, **change(number))


_PLAIN_PARAGRAPH = {
    "style": 0, "outlined": False, "in_table": False, "behind": 0, "indent": 0.0, "in_list": False,
}  # fmt: skip
_CHANGES: dict[str, Callable[[int | None], dict[str, Any]]] = {
    "v": lambda n: {"hidden": n != 0},
    "deleted": lambda n: {"deleted": n != 0},
    "cf": lambda n: {"colour": n or 0},
    **dict.fromkeys(("highlight", "cb", "chcbpat", "cbpat", "clcbpat"), lambda n: {"behind": n or 0}),
    "fs": lambda n: {"size": (24 if n is None else n) / 2},
    "s": lambda n: {"style": n or 0},
    "uc": lambda n: {"skip": max(n or 0, 0)},
    "outlinelevel": lambda n: {"outlined": n is not None and n < 9},  # noqa: PLR2004 - 9 is text
    "intbl": lambda _n: {"in_table": True},
    **dict.fromkeys(("li", "lin"), lambda n: {"indent": (n or 0) / TWIPS}),
    "ls": lambda _n: {"in_list": True},
    "pard": lambda _n: dict(_PLAIN_PARAGRAPH),
    "plain": lambda _n: {"hidden": False, "deleted": False, "colour": 0, "size": 12.0},
}
"""Control words, and what each makes of the state with its number."""


def _known(codepage: int) -> str:
    import codecs

    try:
        return codecs.lookup({10000: "mac_roman", 65001: "utf-8"}.get(codepage, f"cp{codepage}")).name
    except LookupError:
        return "cp1252"


def read_rtf(data: bytes, called: str) -> Document:  # noqa: ARG001 - nothing can be wrong with it
    """An RTF document."""
    blocks: Iterator[Block] = iter(_Reader(data.decode("latin-1")).read())
    return Document(tidied(mark_references(mark_indented(list(blocks)))))
