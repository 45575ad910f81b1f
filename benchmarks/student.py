"""The shipped make of detector, fitted to soft targets of a material's texts."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from benchmarks.results import Results
from ghostbuster.features.search import FeatureSearch
from ghostbuster.fitting import mixed
from ghostbuster.folds import balanced_weights, grouped_folds, leave_one_out
from ghostbuster.heads import make_head
from ghostbuster.levelling import levelled
from ghostbuster.lexical import Lexicon
from training.material import Columns, Indices, Material

Float1d = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Lesson:
    """What a student is fitted to: rows of the material and a target for each."""

    rows: Indices
    target: Float1d


@dataclass(frozen=True)
class Student:
    """The shipped make of detector (search, logistic head, words), fitted to any targets."""

    material: Material
    columns: Columns
    max_features: int
    results: Results = field(default_factory=Results)

    def answer(self, lesson: Lesson, asked: Indices, mix: tuple[float, float]) -> Float1d:
        """Raw scores of ``asked``, head and words mixed as given: one mix for all that are compared."""
        rows, target = lesson.rows, lesson.target
        chosen = self._choose(rows, target, self._folds(rows, target))
        return mixed(self._parts(lesson, asked, chosen), mix)

    def _folds(self, rows: Indices, target: Float1d) -> list[tuple[Indices, Indices]]:
        sources = self.material.sources[rows]
        hard = (target >= 0.5).astype(np.intp)
        if np.unique(sources).size > 2:
            return leave_one_out(hard, sources, self.material.groups[rows])
        return grouped_folds(hard, self.material.groups[rows], 5, 0)

    def _choose(self, rows: Indices, target: Float1d, folds: list[tuple[Indices, Indices]]) -> Indices:
        key = ("student", str(self.max_features), rows.tobytes(), target.tobytes())
        return self.results.get(key, lambda: {"chosen": self._search(rows, target, folds)})["chosen"]

    def _search(self, rows: Indices, target: Float1d, folds: list[tuple[Indices, Indices]]) -> Indices:
        search = FeatureSearch("default", self.max_features, "log_loss", cv=folds)
        sources = self.material.sources[rows]
        weights = balanced_weights(target, sources)
        matrix = levelled(self.columns.matrix[rows], target, sources)
        search.fit_matrix(matrix, self.columns.features, target, sample_weight=weights)
        place = {str(feature): i for i, feature in enumerate(self.columns.features)}
        return np.array([place[str(feature)] for feature in search.features_], dtype=np.intp)

    def _parts(self, lesson: Lesson, asked: Indices, chosen: Indices) -> Float1d:
        """Log-odds by head and by words, shape (n_asked, 2)."""
        rows, target = lesson.rows, lesson.target
        sources = self.material.sources[rows]
        weights = balanced_weights(target, sources)
        matrix = self.columns.matrix[:, chosen]
        learned = levelled(matrix[rows], target, sources).astype(np.float64)
        head = make_head("logistic", 0).fit(learned, target, weights, sources)
        texts = [text.text for text in self.material.texts]
        words = Lexicon.fit([texts[i] for i in rows], target, weights)
        return np.column_stack(
            [head.raw_score(matrix[asked].astype(np.float64)), words.raw_score([texts[i] for i in asked])]
        )
