"""Texts to a feature matrix, as a scikit-learn transformer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ghostbuster.arrays import AnyArray
from ghostbuster.detector.labels import encode_labels
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.search.estimator import FeatureSearch
from ghostbuster.models.panel_choice import PanelName, panel_of
from ghostbuster.reading.read import read
from ghostbuster.reading.texts import check_texts


class GhostbusterTransformer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Choose the features that separate two classes of texts, and compute them.

    Parameters
    ----------
    panel : str or (weak path, strong path)
        The weak models that read the texts: ``embedded`` needs no download.
    space : str
        Named candidate space of the search.
    max_features : int
    criterion : {"log_loss", "auroc", "accuracy"}
    n_folds : int
    random_state : int

    Attributes
    ----------
    features_ : tuple of Feature, in order of selection

    Raises
    ------
    InputError
        When an element is no text, or labels do not fit.
    SettingError
        When no table has the panel, space or criterion named.

    References
    ----------
    Verma et al., "Ghostbuster", NAACL 2024, arXiv:2305.15047.
    """

    def __init__(
        self,
        panel: PanelName = "embedded",
        space: str = "default",
        max_features: int = 100,
        criterion: str = "log_loss",
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.panel = panel
        self.space = space
        self.max_features = max_features
        self.criterion = criterion
        self.n_folds = n_folds
        self.random_state = random_state

    def fit(self, texts: Sequence[str], y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:
        """Choose features.

        Parameters
        ----------
        texts : sequence of str, length n_texts
        y : array-like of shape (n_texts,)
            0 or "human", 1 or "machine"; a number between is a soft label.
        groups : array-like of shape (n_texts,), optional
            Texts of one prompt share a value and stay on one side of every fold.
        """
        listed = check_texts(texts)
        labels = encode_labels(y, len(listed))
        reading = read(listed, panel_of(self.panel, state_layers=()))
        search = FeatureSearch(
            space=self.space,
            max_features=self.max_features,
            criterion=self.criterion,
            cv=self.n_folds,
            random_state=self.random_state,
        )
        search.fit(reading.vectors, labels.probability, groups=groups)
        self.features_: tuple[Feature, ...] = search.features_
        self.n_features_out_ = len(self.features_)
        return self

    def transform(self, texts: Sequence[str]) -> AnyArray:
        """Feature values, shape (n_texts, n_features)."""
        check_is_fitted(self, "features_")
        reading = read(check_texts(texts), panel_of(self.panel, state_layers=()))
        return evaluate_all(self.features_, reading.vectors)

    def get_feature_names_out(self, input_features: object = None) -> AnyArray:  # noqa: ARG002
        """Each feature's expression, shape (n_features,)."""
        check_is_fitted(self, "features_")
        return np.array([str(feature) for feature in self.features_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.target_tags.required = True
        return tags
