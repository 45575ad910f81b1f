"""Books: time is linear in their length, and memory grows by a few numbers a token."""

import json
import random
import subprocess
import sys

import numpy as np
import pytest
from prose import EXAMPLES

from ghostbuster.models.panel import open_panel

CHILD = """
import json, random, resource, sys
from ghostbuster.models.panel import open_panel

def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

words, n_words = sys.argv[1].split(), int(sys.argv[2])
panel = open_panel()
book = " ".join(random.Random(0).choices(words, k=n_words))
panel.score([book[:20_000]])
before = peak()
scores = panel.score([book])
finite = all(bool((one.channels["logprob"] <= 0).all()) for one in scores.values())
n_tokens = scores["strong"].ends.size
print(json.dumps({"tokens": n_tokens, "grown": peak() - before, "end": int(scores["strong"].ends[-1]),
                  "characters": len(book), "finite": finite}))
"""
CHANNELS = 2 * 6 + 2  # of both models and both n-grams
WORDS = " ".join((EXAMPLES / name).read_text("utf-8") for name in ("human.txt", "machine.txt"))


def scored_in_a_child(n_words):
    """Peak memory in bytes above that of a short text, and what became of a book of so many words."""
    pytest.importorskip("resource")
    command = [sys.executable, "-c", CHILD, WORDS, str(n_words)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("n_words", [10_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_book_is_scored_in_the_memory_of_a_chapter_and_its_numbers(n_words):
    book = scored_in_a_child(n_words)
    assert book["finite"]
    assert book["tokens"] > n_words
    assert book["end"] == book["characters"]
    # the numbers, once while they are made and once kept; the tokeniser takes some 60 bytes a character
    numbers = book["tokens"] * 4 * CHANNELS
    assert book["grown"] < (8 << 20) + 2 * numbers + 100 * book["characters"]


def test_a_text_of_one_long_line_has_the_tokens_of_its_parts():
    """Tokenising is local: a megabyte at once gives what its sentences give one by one."""
    sentences = [one.strip() + "." for one in WORDS.replace("\n", " ").split(".") if one.strip()]
    chosen = random.Random(1).choices(sentences, k=8_000)
    weights = open_panel().weak.weights
    line = " ".join(chosen)
    assert len(line) > 500_000
    whole = weights.tokenise([line])
    parts = weights.tokenise(chosen)
    assert whole.ends[-1] == len(line)
    np.testing.assert_array_equal(whole.ids, parts.ids)
