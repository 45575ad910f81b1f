"""What of a teacher's answers is kept: no refusal, no echo of the request, no copy; prose of like length.

To add a filter, write its method and add its row to ``Filters.ROWS``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ghostbuster.text.english import FEWEST_ENGLISH, share_of_english
from ghostbuster.text.markup import drop_preamble
from ghostbuster.text.prepare import PreparedText, prepare_or_refuse
from ghostbuster.text.shingles import Hashes, share_distinct, shingles

FEWEST_WORDS = 20
SHORTEST, LONGEST = 0.4, 2.5
"""Times the words of the text that was shown."""
COPY_WORDS = 6
MOST_COPIED = 0.2
"""Share of runs of `COPY_WORDS` words that any text known has too."""
LOOP_WORDS = 3
FEWEST_DISTINCT = 0.7
"""Share of runs of `LOOP_WORDS` words that are no repeats; people's texts have 0.9 and more."""
REFUSAL_WITHIN = 300
"""Characters from the begin in which a refusal stands."""

_REFUSAL = re.compile(
    r"\b(?:as an? (?:ai|artificial intelligence|(?:large )?language model)\b"
    r"|i(?:'m| am) (?:just |only )?an? (?:ai|artificial intelligence|(?:large )?language model)\b"
    r"|(?:i(?:'m| am) )?(?:so |very |truly )?sorry,? (?:but )?(?:i|we) (?:can|am|do|cannot|won)\b"
    r"|i(?:'m| am) (?:unable|not able|not allowed) to\b"
    r"|i (?:can(?:'t|not| not)|won't|will not|must decline to) "
    r"(?:assist|help|write|provide|create|generate|fulfil|fulfill|comply|complete|do that|answer)\b)",
    re.IGNORECASE,
)
_MARK = re.compile(r"<\|[^<>|]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<unused\d+>")
_REMARK = re.compile(
    r"\b(?:here(?:'s| is| are) (?:a|an|another|the|your|some) (?:\w+ ){0,2}(?:text|version|example)\b"
    r"|(?:the|this|that) (?:new|given|original|previous|above|following|first|second|provided) text\b"
    r"|th(?:e|is) text (?:is|was|above|below|that you|you)\b|word count\b|another text\b"
    r"|rewritten (?:text|version)\b)",
    re.IGNORECASE,
)
_THOUGHT = re.compile(r"\s*<think>.*?(?:</think>|\Z)\s*", re.DOTALL)


@dataclass(frozen=True)
class Answer:
    """A teacher's answer beside the text that it was shown.

    Parameters
    ----------
    text : str
        Cleaned.
    prepared : PreparedText
        The same, as a detector reads it.
    shown : str
        Prepared, as the request showed it.
    copied : Hashes
        Its shingles of `COPY_WORDS` words.
    """

    text: str
    prepared: PreparedText
    shown: str
    copied: Hashes


class Filters:
    """Decides on answers one after another, and knows the texts that were there and those it kept.

    Parameters
    ----------
    texts : sequence of str
        Prepared seed texts.
    own_words : Hashes
        Shingles of the request itself (`Request.own_words`), of ``echo_words`` words.
    echo_words : int
    """

    def __init__(self, texts: Sequence[str], own_words: Hashes, echo_words: int) -> None:
        empty = np.empty(0, dtype=np.uint64)
        self._seeds: Hashes = np.unique(
            np.concatenate([empty, *(shingles(one, COPY_WORDS) for one in texts)])
        )
        self._kept: set[int] = set()
        self._own_words, self._echo_words = own_words, echo_words

    def dropped_by(self, text: str, shown: str) -> str:
        """The name of the first filter that drops an answer; empty for one that is kept and now known.

        Parameters
        ----------
        text : str
            As `cleaned` leaves it.
        shown : str
            The text that the request showed, prepared.
        """
        prepared = prepare_or_refuse(text)
        answer = Answer(text, prepared, shown, shingles(prepared.text, COPY_WORDS))
        found = next((name for name, drops in self.ROWS.items() if drops(self, answer)), "")
        if not found:
            self._kept.update(answer.copied.tolist())
        return found

    def keep(self, text: str) -> None:
        """Know a text that was kept before."""
        self._kept.update(shingles(prepare_or_refuse(text).text, COPY_WORDS).tolist())

    def _is_refusal(self, one: Answer) -> bool:
        begin = one.text[:REFUSAL_WITHIN].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        return _REFUSAL.search(begin) is not None

    def _leaks(self, one: Answer) -> bool:
        echoed = np.isin(shingles(one.text, self._echo_words), self._own_words)
        return bool(echoed.any()) or bool(_MARK.search(one.text) or _REMARK.search(one.text))

    def _has_other_length(self, one: Answer) -> bool:
        n_shown = len(one.shown.split())
        return not max(FEWEST_WORDS, SHORTEST * n_shown) <= one.prepared.n_words <= LONGEST * n_shown

    def _is_other_language(self, one: Answer) -> bool:
        english = share_of_english(one.shown) >= FEWEST_ENGLISH
        return english and share_of_english(one.prepared.text) < FEWEST_ENGLISH

    def _is_no_prose(self, one: Answer) -> bool:
        return bool(one.prepared.unlike or one.prepared.refusal)

    def _loops(self, one: Answer) -> bool:
        return share_distinct(shingles(one.prepared.text, LOOP_WORDS)) < FEWEST_DISTINCT

    def _is_copy(self, one: Answer) -> bool:
        kept = np.array([value in self._kept for value in one.copied.tolist()], dtype=bool)
        places = np.searchsorted(self._seeds, one.copied).clip(max=max(self._seeds.size - 1, 0))
        of_seeds = self._seeds[places] == one.copied if self._seeds.size else np.zeros_like(kept)
        return int((kept | of_seeds).sum()) > MOST_COPIED * one.copied.size

    ROWS: ClassVar[dict[str, Callable[[Filters, Answer], bool]]] = {
        "empty": lambda _filters, one: not one.prepared.n_words,
        "refusal": _is_refusal,
        "leak": _leaks,
        "length": _has_other_length,
        "language": _is_other_language,
        "not prose": _is_no_prose,
        "repetition": _loops,
        "copy": _is_copy,
    }
    """Filters by name, in the order in which they are asked."""


def cleaned(text: str) -> str:
    """An answer without thoughts (``<think>``), preamble ("Sure, here is ...:") and outer white space."""
    text = _THOUGHT.sub("", text, count=1) if text.lstrip().startswith("<think>") else text
    return drop_preamble(text)[0].strip()
