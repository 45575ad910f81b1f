"""Baseline: logistic regression on TF-IDF of words, without any language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from training.data.material import Indices, Material

MOST_KEPT = 40  # fitted vocabularies: some 30 MB each


def tfidf() -> Pipeline:
    """Words and pairs of words in two texts or more, sublinear counts; logistic regression, C = 10."""
    return make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32),
        LogisticRegression(C=10.0, class_weight="balanced", solver="liblinear", random_state=0),
    )


@dataclass(frozen=True)
class Tfidf:
    """The baseline as a contender; ``as_published`` reads texts as their sources gave them, uncut."""

    material: Material
    as_published: bool = False
    fitted: dict[bytes, Pipeline] = field(default_factory=dict)

    def choose(self, train: Indices, folds: object) -> None:
        """Nothing: words are counted anew in every fold."""

    def raw(self, train: Indices, test: Indices, chosen: None = None) -> npt.NDArray[np.float64]:  # noqa: ARG002
        """Log-odds of machine, shape (n_test,)."""
        return self.raw_texts(train, self._read(test))

    def raw_texts(self, train: Indices, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Log-odds of machine for any texts, shape (n_texts,)."""
        key = train.tobytes()
        if key not in self.fitted:
            if len(self.fitted) >= MOST_KEPT:
                self.fitted.clear()
            self.fitted[key] = tfidf().fit(self._read(train), self.material.y[train])
        return np.asarray(self.fitted[key].decision_function(texts), dtype=np.float64)

    def _read(self, rows: Indices) -> list[str]:
        texts = [self.material.texts[i] for i in rows]
        return [text.raw if self.as_published else text.text for text in texts]
