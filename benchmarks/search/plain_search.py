"""Reference implementation of Ghostbuster's published feature search, without any optimisation.

Features are evaluated one by one and text by text. Columns are z-scored over all texts; greedy forward
selection by the mean accuracy of scikit-learn's logistic regression (C = 10) over 5 folds that are drawn
again for every candidate; it ends with the first round that does not improve.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score

from ghostbuster.arrays import Vectors
from ghostbuster.features.expression import Feature

OPS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "v-add": lambda a, b: a + b,
    "v-sub": lambda a, b: a - b,
    "v-mul": lambda a, b: a * b,
    "v-div": lambda a, b: np.divide(a, b, out=np.zeros_like(a), where=b != 0),
    "v->": lambda a, b: (a > b).astype(float),
    "v-<": lambda a, b: (a < b).astype(float),
}
REDUCERS: dict[str, Callable[[np.ndarray], float]] = {
    "s-max": max,
    "s-min": min,
    "s-avg": lambda x: sum(x) / len(x),
    "s-avg-top-25": lambda x: float(np.mean(sorted(x, reverse=True)[:25])),
    "s-len": len,
    "s-var": lambda x: float(np.var(x)),
    "s-l2": lambda x: float(np.linalg.norm(x)),
}


def evaluate(features: Sequence[Feature], vectors: Vectors) -> np.ndarray:
    """Every feature of every text, (n_texts, n_features)."""
    texts = [
        {name: np.asarray(v[a:b], dtype=float) for name, v in vectors.channels.items()}
        for a, b in zip(vectors.offsets[:-1], vectors.offsets[1:], strict=True)
    ]
    return np.array([[_value(str(feature).split(), text) for feature in features] for text in texts])


def _value(words: list[str], text: dict[str, np.ndarray]) -> float:
    """``vector (op vector)* reducer`` of one text."""
    made = text[words[0]]
    for op, name in zip(words[1:-1:2], words[2:-1:2], strict=True):
        made = OPS[op](made, text[name])
    return float(REDUCERS[words[-1]](made))


def search(X: np.ndarray, y: np.ndarray, log: Callable[[str], None] = print) -> list[int]:
    """Columns in order of choice."""
    X = (X - X.mean(0)) / np.where(X.std(0) > 0, X.std(0), 1)
    chosen: list[int] = []
    best, rng = 0.0, np.random.RandomState(0)
    while True:
        scores = {
            i: np.mean(
                cross_val_score(
                    LogisticRegression(C=10, max_iter=1000),
                    X[:, [*chosen, i]],
                    y,
                    cv=KFold(5, shuffle=True, random_state=rng),
                )
            )
            for i in range(X.shape[1])
            if i not in chosen
        }
        winner = max(scores, key=lambda i: scores[i])
        log(f"  plain search, round {len(chosen) + 1}: accuracy {scores[winner]:.4f}")
        if scores[winner] <= best:
            return chosen
        best = scores[winner]
        chosen.append(winner)
