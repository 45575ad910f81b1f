"""Data augmentation: random crops of whole sentences, so that a detector also learns short texts."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from training.data.labelled import LabelledText
from training.data.lengths import sentence_ends

FEWEST_WORDS, MOST_WORDS = 35, 150  # about 50 to 200 tokens


def crop(text: str, n_words: int, rng: random.Random) -> str:
    """Consecutive sentences from a random one on, until they have ``n_words`` words or the text ends."""
    starts = [0, *sentence_ends(text)[:-1]]
    possible = [start for start in starts if len(text[start:].split()) >= n_words] or [0]
    start = rng.choice(possible)
    for end in sentence_ends(text):
        if end > start and len(text[start:end].split()) >= n_words:
            return text[start:end].strip()
    return text[start:].strip()


def random_crops(texts: Sequence[LabelledText], seed: int) -> list[LabelledText]:
    """One crop of each text that is clearly longer than it; which hangs on its key and ``seed`` only."""
    crops = []
    for text in texts:
        rng = random.Random(f"{seed}/{text.key}")  # noqa: S311 - no secret
        wanted = rng.randint(FEWEST_WORDS, MOST_WORDS)
        passage = crop(text.text, wanted, rng)
        if FEWEST_WORDS <= len(passage.split()) < 0.8 * len(text.text.split()):
            crops.append(replace(text, key=f"{text.key}/crop", text=passage, is_crop=True))
    return crops
