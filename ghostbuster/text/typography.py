"""Normalise typography that says nothing about the writer: quotes, dashes, spaces, tokenised punctuation."""

from __future__ import annotations

import re

_STRAIGHT = str.maketrans(
    dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u301d\u301e\uff02", '"')
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u00b4\u2039\u203a\u02bc\u02b9\uff07", "'")
    | dict.fromkeys("\u2010\u2011\u2012\u2212\u00ad", "-")
    | dict.fromkeys("\u2014\u2015\u2e3a\u2e3b", " - ")
    | {"\u2026": "...", "\u00a0": " "}
)
_EN_DASH = re.compile(r"(?<=[^\s\u2013])\u2013(?=[^\s\u2013])|(\u2013+)")
_DOUBLE_HYPHEN = re.compile(r"(?<![-\s])[ \t]?(?<!-)---?(?!-)[ \t]?(?=[^\s|-])")
_SPACED_DOTS = re.compile(r"\.(?: ?\.){2,}")
_DOUBLE_QUOTES = re.compile(r"(?<!`)``(?!`)|''")

# (the row is skipped where none of these occurs, pattern, replacement)
_TOKENS: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("' ",), re.compile(r"(?<=\w)' (ll|re|ve|s|t|d|m)\b", re.IGNORECASE), r"'\1"),  # I' ll
    ((" n't", " '", " N'T"), re.compile(r"(?<=\w) (n't|'(?:ll|re|ve|s|d|m))(?!\w)", re.IGNORECASE), r"\1"),
    ((" ,", " ;", " :"), re.compile(r" +([,;:])(?= |$)"), r"\1"),
    ((" .", " !", " ?"), re.compile(r" +([.!?]+)(?= |$|\")"), r"\1"),
    (("-LRB-",), re.compile(r"-LRB- ?"), "("),
    (("-RRB-",), re.compile(r" ?-RRB-"), ")"),
    (("( ", "[ "), re.compile(r"([(\[]) (?=\S)"), r"\1"),
    ((" )", " ]"), re.compile(r"(?<=\S) (?=[)\]])"), ""),
    # a line break whose backslash was lost
    (("nn", "n"), re.compile(r"\bn(?:n|(?=[A-Z][a-z]))(?=[A-Z\d]|n?- )"), ""),
)
_LOST_BREAK = re.compile(r"\\r?\\n|\\n(?![a-z])")
_QUOTE = re.compile(r' ?" ?')
_STUCK = re.compile(r"(?:[.!?][')\]]?|[,;:])(?<=[a-z\d)\]%'][.!?,;:')\]])(?=[A-Z][a-z']|[AI] )")
LONGEST_ADDRESS = 200


def straighten(text: str) -> tuple[str, int]:
    """Straighten quotes, unify dashes and ellipses, restore line breaks."""
    if not text.isascii():
        text = _EN_DASH.sub(lambda m: " - " if m.group(1) else "-", text.translate(_STRAIGHT))
    if "--" in text:
        text = _DOUBLE_HYPHEN.sub(" - ", text)
    text = _DOUBLE_QUOTES.sub('"', text)
    text = _LOST_BREAK.sub("\n", text)
    return _SPACED_DOTS.sub("...", text), 0


def collapse_space(text: str) -> tuple[str, int]:
    """Collapse every run of white space to one space, none at the ends."""
    return " ".join(text.split()), 0


def join_tokens(text: str) -> tuple[str, int]:
    """Undo a tokeniser's spaces: ``do n't , ( yes )`` to ``don't, (yes)``."""
    for needles, pattern, replacement in _TOKENS:
        if any(needle in text for needle in needles):
            text = pattern.sub(replacement, text)
    return text, 0


def attach_quotes(text: str) -> tuple[str, int]:
    """Attach free-standing quotation marks to what they quote, and part those that lost a space.

    A mark with space on one side says which way it faces; the others face by whether a quotation is open.
    """
    if '"' not in text:
        return text, 0
    is_open = False

    def attach(match: re.Match[str]) -> str:
        nonlocal is_open
        before = text[match.start() - 1 : match.start()] or " "
        after = text[match.end() : match.end() + 1] or " "
        mark = match.group()
        left, right = mark[0] == " " or before == " ", mark[-1] == " " or after == " "
        if left and right:
            is_open = not is_open
            return ' "' if is_open else '" '
        if left and is_open and after in ".,;:!?)":
            is_open = False
            return '"'
        if left or right:
            is_open = left
            return mark
        if before in ".!?,;:" and after.isalnum():
            is_open = not is_open
            return ' "' if is_open else '" '
        is_open = before in "([-/"
        return mark

    return _QUOTE.sub(attach, text), 0


def split_sentences(text: str) -> tuple[str, int]:
    """Put back the space that a deleted line break took: ``end.Next`` to ``end. Next``."""
    return _STUCK.sub(_part, text), 0


def _part(match: re.Match[str]) -> str:
    """Add a space after the mark, but not inside a web address."""
    end = match.end()
    word = match.string[max(end - LONGEST_ADDRESS, 0) : end].rpartition(" ")[2]
    return match.group() if "://" in word or word.startswith("www.") else match.group() + " "
