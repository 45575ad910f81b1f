"""What a text looks like, by its characters, words and lines, before anything is normalised."""

from __future__ import annotations

import re
import statistics

from ghostbuster.text.english import FUNCTION_WORDS

MOST_CHARACTERS = 200_000
"""Characters of a text that are looked at."""
LOOSE_WORDS = 13
"""Words at most of a line that may be an item, a verse or a row; prose has longer lines, or sentences end."""
FEWEST_LINES = 6
WINDOW = 60
"""Words of a window of which the share of function words is taken."""

SYMBOLS = "{}[]<>=;_/\\|*&^%$#@~+`"
"""Marks of which prose has few."""
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*")
_PLAIN = re.compile(
    r"[\"'\u2018\u201c(*_]*[^\W\d_]+(?:['\u2019-][^\W\d_]+)*[\"')\u2019\u201d*_.,;:!?\u2026]*"
)
_CODE = re.compile(
    r"\w+_\w+|[a-z]\w*\(|\w+\.\w+\(|::|->|=>|[!=<>+*/-]=|&&|\|\||[;{}]$|^[{}#@$]|</?\w|\w+=\S|\\\w|--\w|[a-z]+[A-Z]\w*"
)
_CAMEL = re.compile(r"[a-z][A-Z]")
_ENTRY = re.compile(
    r"\(?(?:1[5-9]|20)\d\d[a-z]?\)?[,.:;]*|\(?pp?\.|[A-Z]\.,?(?:[A-Z]\.,?)*|&|et|al\.,?|\d+\(\d+\)[,.:]?|\d+[-\u2013]\d+[.,]?"
)
_SENTENCE_END = re.compile(r"[.!?\u2026][\"')\]\u2019\u201d*_]*$")
_SPLIT = re.compile(r"(?<=[.!?])[\"')\]\u2019\u201d]*\s+")

NAMES = (
    "symbols",
    "digits",
    "function words",
    "least function words",
    "plain words",
    "code words",
    "capitals",
    "entries",
    "words in sentences",
    "loose lines",
    "indented lines",
)
"""What ``look`` measures, in order; each a share from 0 to 1."""


def look(text: str) -> tuple[float, ...]:
    """The shares of ``NAMES``, of a text as it was given."""
    text = text[:MOST_CHARACTERS]
    tokens = text.split()
    n, n_inked = max(len(tokens), 1), max(sum(map(len, tokens)), 1)
    small = [word in FUNCTION_WORDS for word in _WORD.findall(text.lower())]
    odd = [token for token in tokens if not _PLAIN.fullmatch(token) or _CAMEL.search(token)]
    return (
        sum(map(text.count, SYMBOLS)) / n_inked,
        sum(map(text.count, "0123456789")) / n_inked,
        sum(small) / max(len(small), 1),
        _least(small),
        1 - len(odd) / n,
        sum(_CODE.search(token) is not None for token in odd) / n,
        sum(token[:1].isupper() for token in tokens) / n,
        sum(_ENTRY.fullmatch(token) is not None for token in tokens) / n,
        _in_sentences(text) / n,
        *_of_lines(text),
    )


def _least(small: list[bool]) -> float:
    """Share of function words that nine of ten windows exceed."""
    if len(small) <= WINDOW:
        return sum(small) / max(len(small), 1)
    shares = sorted(
        sum(small[at : at + WINDOW]) / WINDOW for at in range(0, len(small) - WINDOW + 1, WINDOW // 2)
    )
    return shares[len(shares) // 10]


def _in_sentences(text: str) -> int:
    """Words in stretches between full stops that are as long as sentences, with small words among them."""
    n = 0
    for stretch in _SPLIT.split(text):
        words = stretch.split()
        small = sum(word.lower().strip("\"'(),;:.!?") in FUNCTION_WORDS for word in words)
        n += len(words) if 3 <= len(words) <= 80 and small >= 0.15 * len(words) else 0  # noqa: PLR2004
    return n


def _of_lines(text: str) -> tuple[float, float]:
    """Shares of words in loose lines, and of lines that are indented; none where there are few lines."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) < FEWEST_LINES:
        return 0.0, 0.0
    width = statistics.quantiles([len(line.rstrip()) for line in lines], n=10)[8]
    loose = total = 0
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        words = line.split()
        total += len(words)
        first = following.split(maxsplit=1)[0] if following else ""
        is_forced = len(line.rstrip()) + 1 + len(first) > width and first[:1].islower()
        if len(words) <= LOOSE_WORDS and not is_forced and not _SENTENCE_END.search(line.rstrip()):
            loose += len(words)
    indented = sum(line[:1].isspace() for line in lines) / len(lines)
    return loose / max(total, 1), indented
