"""Strip what is not prose: chat preambles, markdown, tags, an unfinished last sentence."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SPEAKER = r"\[?assistant\]?:\s*"
_EAGER = r"(?:sure(?: thing)?|certainly|of course|absolutely|gladly)\b[,.!]*\s*"
_CASUAL = r"(?:alright|okay|ok|no problem|great)\b[,.!]*\s*"
_HERE = r"(?:here(?:'s|\s+is|\s+are)|below\s+(?:is|are)|consider the following)\b"
_ANY = r'(?:[^\n:"]|"[^"\n]{0,200}"){0,200}'
_ORDERED = r"(?:\d+[- ]{0,2}(?:sen\w{3,7}|word|paragraph)|based on|for the prompt)"
_MADE = (
    r"(?:version|rewrit|rewrote|revis|polish|paraphras|continuation|requested|prompt"
    r"|\ban? \w{0,12} ?(?:story|essay|abstract|article|summary|review)\b)"
)
# People, too, say "Here's the thing:" and "This is a review of ...": each row asks for what only an
# answer to a request says.
_PREAMBLE = re.compile(
    rf"[\s\"'*#]*+(?:{_SPEAKER})?(?:"
    rf"{_EAGER}{_HERE}(?!\s+(?:the (?:thing|deal|problem|catch)|why|how|what)\b){_ANY}(?::|\n)"
    rf"|(?:{_EAGER}|{_CASUAL})?{_HERE}(?!\s+(?:my|our)\b)(?=[^\n:]{{0,200}}?(?:{_ORDERED}|{_MADE})){_ANY}:"
    rf"|(?:this|now|the following)\s+is\b(?=[^\n:]{{0,200}}?{_ORDERED}){_ANY}:"
    r")[\s\"'*]*(?=\S)",
    re.IGNORECASE,
)
_SPOKEN = re.compile(rf"[\s*#]*+{_SPEAKER}[\s*]*(?=\S)", re.IGNORECASE)
_LABEL = re.compile(
    r"[\s*#]*+(?:title:[^\n]*\n|(?:title|abstract|review|summary|body|story|article|essay):)[\s*]*(?=\S)",
    re.IGNORECASE,
)

# (the row is skipped where this does not occur, pattern, replacement). Each takes away marks and keeps
# words. No pattern rescans what it has passed: all are linear.
_MARKDOWN: tuple[tuple[str, re.Pattern[str], str], ...] = (
    ("\\", re.compile(r"\\(?=[*_#`~\[\]()>+.!-])"), ""),
    ("```", re.compile(r"^[ \t]*```[^\n]*$", re.MULTILINE), ""),
    ("~~~", re.compile(r"^[ \t]*~~~[^\n]*$", re.MULTILINE), ""),
    ("\n", re.compile(r"^[ \t]*(?:[-*_=][ \t]*+){3,}$", re.MULTILINE), ""),
    (">", re.compile(r"^[ \t]*(?:>[ \t]?)+", re.MULTILINE), ""),
    ("#", re.compile(r"^[ \t]*#{1,6}[ \t]+", re.MULTILINE), ""),
    ("", re.compile(r"^[ \t]*(?:[-*+\u2022\u2023\u25e6\u25aa\u25cf\u00b7][ \t]+)+", re.MULTILINE), ""),
    ("](", re.compile(r"!?\[([^\[\]\n]*)\]\( ?(?:https?|www|/|#)[^()\n]*\)"), r"\1"),
    ("] (", re.compile(r"!?\[([^\[\]\n]*)\] \( ?(?:https?|www|/|#)[^()\n]*\)"), r"\1"),
    ("*", re.compile(r"(?<![\w*])\*+(?=[^\s*])"), ""),
    ("*", re.compile(r"(?<=[^\s*])\*+(?![\w*])"), ""),
    ("**", re.compile(r"(?<!\S)\*{2,}(?!\S)"), ""),
    ("_", re.compile(r"(?<!\w)_+(?=[^\W_])"), ""),
    ("_", re.compile(r"(?<=[^\W_])_+(?!\w)"), ""),
    ("~~", re.compile(r"~~+"), ""),
    ("`", re.compile(r"`+"), ""),
)
_TAG = re.compile(
    r"</?(?:p|br|b|i|u|em|strong|div|span|a|ul|ol|li|h[1-6]|blockquote|code|pre)\b[^<>]*>", re.IGNORECASE
)

LONGEST_CUT = 40
"""Words of a sentence that breaks off; what is longer is no sentence (docs/reliability/unfinished.md)."""

_END_MARKS = re.compile(r"([.!?]+)[\"')\]]*")
_LEADING_DOTS = re.compile(r"\.*[!?]")
_FINISHED = re.compile(r"[.!?][\"')\]]*$")
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|vs|no|fig|al|e\.g|i\.e|gen|sen|rep|lt|col|capt|jr|sr|inc|co|dept)|\b[A-Z])$",
    re.IGNORECASE,
)


def drop_preamble(text: str) -> tuple[str, int]:
    """Drop what a chat model says before the text it was asked for, if text follows."""
    match = _PREAMBLE.match(text) or _SPOKEN.match(text)
    return (text[match.end() :], 1) if match else (text, 0)


def drop_label(text: str) -> tuple[str, int]:
    """Drop a title line, or a label such as ``Abstract:``, if text follows; people write them as well."""
    match = _LABEL.match(text)
    return (text[match.end() :] if match else text), 0


def strip_markdown(text: str) -> tuple[str, int]:
    """Take away markdown's marks and keep the words they mark."""
    total = 0
    for needle, pattern, replacement in _MARKDOWN:
        if needle in text:
            text, n = pattern.subn(replacement, text)
            total += n
    return text, total


def strip_tags(text: str) -> tuple[str, int]:
    """Take away the tags of simple HTML."""
    return (_TAG.sub(" ", text) if "<" in text else text), 0


def drop_unfinished_end(text: str) -> tuple[str, int]:
    """Drop a last sentence that breaks off, and say how many words it had.

    At least two sentences and half the text stay; what is longer than a sentence, such as a list or a text
    without full stops, stays too.
    """
    if not text or _FINISHED.search(text, max(len(text) - 8, 0)):
        return text, 0
    half = len(text) // 2
    ends = list(_sentence_ends(text, half, len(text)))
    if not ends or (len(ends) == 1 and not any(True for _ in _sentence_ends(text, 0, half))):
        return text, 0
    n_words = len(text[ends[-1] :].split())
    return (text[: ends[-1]], n_words) if n_words <= LONGEST_CUT else (text, 0)


def _sentence_ends(text: str, start: int, stop: int) -> Iterator[int]:
    """Where sentences end in ``text[start:stop]``: behind marks, before a space.

    Runs of marks are taken whole: a pattern that asked for the space would read a run again from each of its
    marks.
    """
    for found in _END_MARKS.finditer(text, start, stop):
        if found.end() == stop or text[found.end()] != " ":
            continue
        mark = found.start()
        if mark and (text[mark - 1] == "." or text[mark - 1].isspace()):  # dots that stand alone end nothing
            dots = _LEADING_DOTS.match(text, mark, found.end(1))
            mark = dots.end() if dots else found.end(1)
        if mark < found.end(1) and _ends_sentence(text, mark):
            yield found.end()


def _ends_sentence(text: str, stop: int) -> bool:
    """Whether the mark at ``stop`` ends a sentence rather than an abbreviation or an initial."""
    return text[stop] != "." or _ABBREVIATION.search(text, max(stop - 8, 0), stop) is None
