"""Lexicon: logistic regression on TF-IDF of words and word pairs, beside the features.

The weak models say how predictable a text is, not what it says. Word choice is the other half; on its own it
knows the machines it was trained on and little else, so it only ever stands beside the features.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np

from ghostbuster.arrays import Float1d, Int1d
from ghostbuster.errors import ArtifactError
from ghostbuster.heads.training_set import certain_labels

_TERM = re.compile(r"\w+|[^\w\s]")
MOST_TERMS = 30_000
MIN_TEXTS = 5
"""Texts that a term must occur in."""
_STRENGTH = 5.0  # inverse penalty, as scikit-learn's C


def terms(text: str) -> Iterator[str]:
    """Unigrams and bigrams of a text's words and punctuation marks, in lower case."""
    single = _TERM.findall(text.lower())
    yield from single
    yield from (f"{a} {b}" for a, b in pairwise(single))


@dataclass(frozen=True, eq=False)
class Lexicon:
    """Logistic regression on TF-IDF of words and pairs of words.

    A term that occurs c times weighs ``(1 + ln c) * idf``; a text's weights have Euclidean length 1.

    Attributes
    ----------
    terms : tuple of str, length n_terms
    idf : array of shape (n_terms,)
    coef : array of shape (n_terms,)
        Log-odds of machine for a unit of weight.
    baseline : float

    References
    ----------
    Salton and Buckley, "Term-weighting approaches in automatic text retrieval", Information Processing &
    Management 24 (1988).
    """

    terms: tuple[str, ...]
    idf: Float1d
    coef: Float1d
    baseline: float

    def __post_init__(self) -> None:
        if not len(self.terms) == self.idf.size == self.coef.size:
            raise ArtifactError("the lexicon's terms and weights differ in number; get the detector again")
        object.__setattr__(self, "_index", {term: i for i, term in enumerate(self.terms)})

    @classmethod
    def fit(cls, texts: Sequence[str], y: Float1d, weights: Float1d) -> Self:
        """Learn from prepared texts.

        Parameters
        ----------
        texts : sequence of str, length n_texts
        y : array of shape (n_texts,), probability of machine
        weights : array of shape (n_texts,)
        """
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        enough = min(MIN_TEXTS, max(1, len(texts) // 20))
        vectorizer = TfidfVectorizer(
            analyzer=lambda text: list(terms(text)), sublinear_tf=True, min_df=enough, max_features=MOST_TERMS
        )
        matrix = vectorizer.fit_transform(texts)
        model = LogisticRegression(C=_STRENGTH, max_iter=1000, tol=1e-6)
        model.fit(*certain_labels(matrix, y, weights))
        names = tuple(vectorizer.get_feature_names_out().tolist())
        return cls(names, vectorizer.idf_, model.coef_[0].copy(), float(model.intercept_[0]))

    def weigh(self, text: str) -> tuple[Int1d, Float1d]:
        """Known terms of a text, in order of their index, and their weights."""
        index: dict[str, int] = self._index  # type: ignore[attr-defined]
        counts = Counter(index[term] for term in terms(text) if term in index)
        columns = np.array(sorted(counts), dtype=np.intp)
        values = (1.0 + np.log([counts[column] for column in columns.tolist()])) * self.idf[columns]
        length = float(np.sqrt(np.sum(values * values)))
        return columns, values / length if length else values

    def raw_score(self, texts: Sequence[str]) -> Float1d:
        """Log-odds of machine, shape (n_texts,)."""
        scores = [float(np.sum(values * self.coef[columns])) for columns, values in map(self.weigh, texts)]
        return np.array(scores) + self.baseline

    def contributions(self, text: str) -> list[tuple[str, float, float]]:
        """Each known term of a text with its weight and what it adds to the score (log-odds)."""
        columns, values = self.weigh(text)
        parts = values * self.coef[columns]
        return [
            (self.terms[column], float(value), float(part))
            for column, value, part in zip(columns.tolist(), values, parts, strict=True)
        ]

    def state(self) -> dict[str, Any]:
        """Plain containers and arrays; a term holds no line break."""
        return {
            "terms": "\n".join(self.terms),
            "idf": self.idf,
            "coef": self.coef,
            "baseline": self.baseline,
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Undo ``state``."""
        names = tuple(state["terms"].split("\n")) if state["terms"] else ()
        return cls(names, np.asarray(state["idf"]), np.asarray(state["coef"]), float(state["baseline"]))
