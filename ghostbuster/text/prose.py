"""Tell prose from code, logs, tables, lists and bibliographies, and prose from such parts beside it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from ghostbuster.text.oddness import LEAST_ODD, oddness
from ghostbuster.text.surface import NAMES, look

FEWEST_CHARACTERS = 240
"""Shorter texts are not looked at: they are 40 words of prose, or some 100 tokens of code."""
ENOUGH_PROSE = 100
"""Words of prose beside other parts that are judged by themselves."""
LEAST_PROSE = 0.4
"""Share of the words that they must be."""
FEWEST_CODE_LINES = 4
"""Lines of program code, one after the other, that are a part of their own."""

REFERENCES_HAVE = {"entries": 0.04, "capitals": 0.25, "function words": 0.26}
"""Shares that a bibliography has at least, of function words at most; so do 5 of 69,408 labelled texts."""
FEWEST_PROSE_WORDS = 40
"""Words of lines beside code that are prose of their own, whatever they look like."""
_MARGIN = frozenset(" \t#/*\"'%;-<")
"""How comments begin, and what stands inside something."""
MOST_CODE_LINES = 0.5
"""Share of such lines from which on a text is code, whatever its comments say."""
MOST_LOOSE = 0.75
"""Share of words in loose lines from which on a text is a list or verse, however its words look."""

_CODE_LINE = re.compile(
    r"""\s*(?:[#@][\w!<-]|//|/\*|\*/|<[/!?]?\w|[{}()\[\]]+[;,]?\s*$|\$\s?\w
    |(?:def|class|import|from|return|if|elif|else|for|while|try|except|finally|with|function|const|let|var
       |public|private|protected|static|void|int|float|double|char|struct|enum|package|using|namespace|fn|func
       |end|begin|SELECT|INSERT|CREATE|UPDATE|echo|export|local|case|switch|break|continue|throw|catch)\b
       .*[;:{}()=\[\],]\s*$)
    |.*[;{}]\s*(?://.*|\#.*)?$|.*\w\(.*\)\s*[;:{,]?\s*$|\s*[\w.\[\]"'$>-]+\s*(?:[-+*/|&.]?=|:=|=>|->)\s*\S
    |\s*[\w"'.-]+\s*:\s*["'\d\[{(]""",
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Assessed:
    """What of a text is prose.

    Attributes
    ----------
    text : str
        What is judged: all of it, or its prose where something else stands beside enough of that.
    unlike : str
        What it looks like, where it is not prose; empty for prose.
    note : str
        What was left out.
    """

    text: str
    unlike: str = ""
    note: str = ""


def assess(text: str) -> Assessed:
    """Look at a text as it was given; time is linear in its length."""
    n_words = len(text.split())
    if len(text) < FEWEST_CHARACTERS:
        return Assessed(text)
    prose, n_left, share = _without_code(text)
    if n_left and len(prose.split()) >= max(ENOUGH_PROSE, LEAST_PROSE * n_words) and not unlike_prose(prose):
        note = f"{n_left:,} words of program code were left out: the prose alone is judged"
        return Assessed(prose, note=note)
    if share >= MOST_CODE_LINES:
        return Assessed(text, f"program code ({share:.0%} of its lines)")
    return Assessed(text, unlike_prose(text))


def unlike_prose(text: str) -> str:
    """What a text of some length looks like, where it is not prose; empty for prose."""
    shares = look(text)
    share = dict(zip(NAMES, shares, strict=True))
    if oddness(shares) >= LEAST_ODD or _are_references(share):
        return _called(share)
    if share["loose lines"] >= MOST_LOOSE:
        return (
            f"a list or verse ({share['loose lines']:.0%} of its words stand in lines that end no sentence)"
        )
    return ""


def _are_references(share: Mapping[str, float]) -> bool:
    """Whether initials, years and pages, capitals and few small words come together."""
    return (
        share["entries"] >= REFERENCES_HAVE["entries"]
        and share["capitals"] >= REFERENCES_HAVE["capitals"]
        and share["function words"] < REFERENCES_HAVE["function words"]
    )


def _called(share: Mapping[str, float]) -> str:
    if share["code words"] >= 0.1 and share["symbols"] >= 0.02:  # noqa: PLR2004 - below
        return f"program code or data ({share['code words']:.0%} of its words are names, calls or operators)"
    if share["entries"] >= 0.1 or _are_references(share):  # noqa: PLR2004
        return f"a bibliography ({share['entries']:.0%} of its words are initials, years and pages)"
    if share["digits"] >= 0.1:  # noqa: PLR2004
        return f"a table or a log ({share['digits']:.0%} of its characters are digits)"
    return (
        f"a list or a table ({share['words in sentences']:.0%} of its words stand in sentences, "
        f"{share['function words']:.0%} are words such as the, of, and)"
    )


def _without_code(text: str) -> tuple[str, int, float]:
    """The text without runs of lines of code, how many words those had, and their share of the lines."""
    lines = text.splitlines(keepends=True)
    if len(lines) < FEWEST_CODE_LINES:
        return text, 0, 0.0
    is_code = [bool(_CODE_LINE.match(line.rstrip())) and not _is_sentence(line) for line in lines]
    filled = [bool(line.strip()) for line in lines]
    runs: list[tuple[bool, list[str]]] = []
    at = 0
    for code, group in groupby(_smoothed(is_code, filled)):
        run = lines[at : at + len(list(group))]
        runs.append((code and sum(filled[at : at + len(run)]) >= FEWEST_CODE_LINES, run))
        at += len(run)
    kept: list[str] = []
    left: list[str] = []
    n_lines = 0
    for i, (code, run) in enumerate(runs):
        beside = any(one for one, _ in runs[max(i - 1, 0) : i + 2])
        if code or (beside and _is_remark(run)):
            left += run
            n_lines += sum(bool(line.strip()) for line in run)
        else:
            kept += run
    if oddness(look("".join(left))) < LEAST_ODD:  # speakers' names before what they say look like keys
        return text, 0, 0.0
    return "".join(kept), sum(len(line.split()) for line in left), n_lines / max(sum(filled), 1)


def _is_remark(lines: Sequence[str]) -> bool:
    """Whether a few lines beside code belong to it: comments, documentation of a function, loose lines.

    A sentence between two pieces of code is none, if it stands as prose does: at the margin, bare of marks.
    """
    text = "".join(lines).strip("\n")
    if len(text.split()) >= FEWEST_PROSE_WORDS:
        return False
    return text[:1] in _MARGIN or not _is_sentence(" ".join(text.split()))


def _smoothed(is_code: Sequence[bool], filled: Sequence[bool]) -> list[bool]:
    """Blank lines, and single lines between two of code, belong to the code."""
    known = [one for one, full in zip(is_code, filled, strict=True) if full]
    mended = [
        one or (0 < i < len(known) - 1 and known[i - 1] and known[i + 1]) for i, one in enumerate(known)
    ]
    made, last = [], False
    following = iter(mended)
    for full in filled:
        last = next(following) if full else last
        made.append(last)
    return made


def _is_sentence(line: str) -> bool:
    """Whether a line reads as a sentence: words, small ones among them, and an end."""
    shares = dict(zip(NAMES, look(line), strict=True))
    return len(line.split()) > 5 and shares["function words"] >= 0.2 and shares["plain words"] >= 0.8  # noqa: PLR2004
