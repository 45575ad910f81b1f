"""What a teacher is asked: a request that shows one text and wants another of its kind."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from ghostbuster.errors import InputError
from ghostbuster.text.prepare import read_text
from ghostbuster.text.sentences import sentence_ends
from ghostbuster.text.shingles import Hashes, shingles

REQUEST = """Here is a text:

{text}

Write another text of the same kind: the same task, form and tone, about {n_words} words long, but about \
something else. Write the new text only, without any remark."""
"""In the manner of LLM2LLM (arXiv:2403.15042), whose prompts ask for a new example like a wrong one."""
TEXT, N_WORDS = "{text}", "{n_words}"
_FIELD = re.compile(r"\{[A-Za-z_]\w*\}")
MOST_SHOWN = 300
"""Words of a text that are shown at most, up to the end of a sentence."""
ECHO_WORDS = 5
"""Words in a row of the request that no answer has by chance."""


@dataclass(frozen=True)
class Request:
    """A request with places for a text and its number of words.

    Parameters
    ----------
    template : str
        With ``{text}`` once, and perhaps ``{n_words}``.
    """

    template: str = REQUEST

    @classmethod
    def read(cls, path: Path | None) -> Request:
        """That of a file, or the usual one.

        Raises
        ------
        InputError
            When the file cannot be read, does not show a text once, or has a place for anything unknown.
        """
        if path is None:
            return cls()
        template = read_text(path)
        if template.count(TEXT) != 1:
            raise InputError(
                f"{path} holds {TEXT} {template.count(TEXT)} times; expected a request that shows a text once"
            )
        if unknown := set(_FIELD.findall(template)) - {TEXT, N_WORDS}:
            raise InputError(
                f"{path} holds {min(unknown)}; expected no other places than {TEXT} and {N_WORDS}"
            )
        return cls(template)

    def about(self, text: str) -> str:
        """The request that shows a prepared text."""
        shown = shortened(text)
        before, _, after = self.template.partition(TEXT)
        n_words = str(max(10, round(len(shown.split()), -1)))
        return before.replace(N_WORDS, n_words) + shown + after.replace(N_WORDS, n_words)

    @property
    def own_words(self) -> Hashes:
        """Shingles of `ECHO_WORDS` words of the request itself: an answer that has one repeats it."""
        parts = self.template.replace(N_WORDS, " \n ").partition(TEXT)
        return shingles(f"{parts[0]} {parts[2]}", ECHO_WORDS)

    @property
    def digest(self) -> str:
        """SHA-256 of the template."""
        return hashlib.sha256(self.template.encode()).hexdigest()


def shortened(text: str) -> str:
    """The first sentences of a prepared text, `MOST_SHOWN` words at most, but one sentence at least."""
    if len(text.split()) <= MOST_SHOWN:
        return text
    fitting = [end for end in sentence_ends(text) if len(text[:end].split()) <= MOST_SHOWN]
    return text[: fitting[-1]] if fitting else " ".join(text.split()[:MOST_SHOWN])


def text_seed(seed: int, round_number: int, parent: int, number: int) -> int:
    """The seed of one text: of the plan's seed, and of which text it is."""
    digest = hashlib.sha256(f"{seed}/{round_number}/{parent}/{number}".encode()).digest()
    return int.from_bytes(digest[:4], "big")
