"""Zero-shot statistics of SmolLM2, on its own tokens, from scores that were read before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.zeroshot import DIRECTIONS
from benchmarks.results import Results
from ghostbuster.arrays import TokenScores, Vectors
from ghostbuster.features.align import align
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from training.data.read_corpus import CHUNK, Corpus, read_scores

STATISTICS = {
    "log-likelihood": "stat-loglikelihood strong",
    "log-rank": "stat-logrank strong",
    "LRR": "stat-lrr strong",
    "entropy": "stat-entropy strong",
    "Fast-DetectGPT": "stat-fast-detectgpt strong",
    "Lastde": "stat-lastde strong",
    "DNA-DetectLLM": "stat-dna-detectllm strong",
}
PAIR = "stat-binoculars strong weak"
BINOCULARS = "Binoculars (embedded pair)"
RATIO = "Binoculars-like (SmolLM2 to embedded)"
"""Log-perplexity under SmolLM2 over that under the embedded model: each on its own tokens, whose
distributions cannot be crossed."""
NAMES = (*STATISTICS, BINOCULARS, RATIO)
Floats = npt.NDArray[np.float64]


def zero_shot(
    corpus: Corpus, keys: list[str], results: Results, log: Callable[[str], None]
) -> dict[str, Floats]:
    """Each statistic of the texts with these keys, turned so that machine is higher, shape (n_texts,)."""
    place = {text.key: i for i, text in enumerate(corpus.texts)}
    rows = np.array([place[key] for key in keys], dtype=np.intp)
    tables = []
    for number, path in enumerate(corpus.chunks):
        texts = [text.text for text in corpus.texts[CHUNK * number : CHUNK * (number + 1)]]
        made_from = ("zero-shot", *NAMES, path.name, "\0".join(texts))
        found = results.get(made_from, lambda path=path, texts=texts: {"values": _of_chunk(path, texts)})
        tables.append(found["values"])
        if number % 20 == 0:
            log(f"zero-shot statistics: {number + 1} of {len(corpus.chunks)} chunks")
    values = np.concatenate(tables)[rows]
    return {f"{name}": values[:, k] for k, name in enumerate(NAMES)}


def _of_chunk(path: Path, texts: list[str]) -> Floats:
    """Shape (n_texts, len(NAMES))."""
    roles = {"strong": "strong", "weak": "embedded-strong"}
    smollm2 = _vectors(path, {"strong": roles["strong"]}, texts)
    columns = [_turned(smollm2, expression) for expression in STATISTICS.values()]
    pair = _vectors(path, {"strong": "embedded-strong", "weak": "embedded-weak"}, texts)
    columns.append(_turned(pair, PAIR))
    embedded = _vectors(path, {"weak": roles["weak"]}, texts)
    columns.append(-_total(smollm2, "strong") / np.minimum(_total(embedded, "weak"), -1e-6))
    return np.column_stack(columns)


def _vectors(path: Path, roles: dict[str, str], texts: list[str]) -> Vectors:
    read = read_scores(path, list(roles.values()), layers=())
    scores: dict[str, TokenScores] = {role: read[source] for role, source in roles.items()}
    return align(scores, texts, "token")


def _turned(vectors: Vectors, expression: str) -> Floats:
    column = evaluate_all((Feature.parse(expression),), vectors)[:, 0]
    return DIRECTIONS[expression.split(maxsplit=1)[0]] * np.asarray(column, dtype=np.float64)


def _total(vectors: Vectors, role: str) -> Floats:
    logprob = np.asarray(vectors.channels[f"{role}.logprob"], dtype=np.float64)
    starts = vectors.offsets[:-1]
    return np.add.reduceat(logprob, np.minimum(starts, logprob.size - 1))
