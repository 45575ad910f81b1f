"""A detector that was trained: it reads texts and judges them, and needs no scikit-learn to do so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import AnyArray, Float1d, Progress
from ghostbuster.decision.calibration import Calibration
from ghostbuster.decision.judge import JudgeParts, judge_reading
from ghostbuster.decision.novelty import Familiarity
from ghostbuster.decision.percentiles import Percentiles
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.verdict import Verdict
from ghostbuster.detector.manifest import check_fingerprints
from ghostbuster.detector.state import detector_state, params_of, restore
from ghostbuster.errors import SettingError
from ghostbuster.features.expression import Feature
from ghostbuster.heads.scorer import Fitted
from ghostbuster.heads.validation import check_fitted
from ghostbuster.models.panel_choice import PanelName, panel_of
from ghostbuster.reading.read import Reading, check_texts, read, refuse_empty


class Detector:
    """What `GhostbusterClassifier` is once it was trained.

    The command line scores with this class, because importing scikit-learn takes as long as scoring a text.

    Parameters
    ----------
    panel, space, max_features, head, lexical_weight, criterion, max_fpr, min_tokens, n_folds, random_state
        As ``GhostbusterClassifier``'s.

    Attributes
    ----------
    fitted_ : Fitted
    calibration_ : Calibration
    thresholds_, register_thresholds_, classes_, manifest_, features_
        As ``GhostbusterClassifier``'s.
    familiarity_ : Familiarity
    percentiles_ : Percentiles or None
    fingerprints_ : dict of str to str
        Of the language models that it was trained with.
    """

    fitted_: Fitted
    calibration_: Calibration
    thresholds_: tuple[Threshold, ...]
    register_thresholds_: dict[str, tuple[Threshold, ...]]
    familiarity_: Familiarity
    percentiles_: Percentiles | None
    fingerprints_: dict[str, str]
    classes_: AnyArray
    manifest_: dict[str, Any]

    def __init__(
        self,
        panel: PanelName = "embedded",
        space: str = "default",
        max_features: int = 100,
        head: str = "logistic",
        lexical_weight: float = 0.7,
        criterion: str = "log_loss",
        max_fpr: float = 0.01,
        min_tokens: int = 100,
        n_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.panel = panel
        self.space = space
        self.max_features = max_features
        self.head = head
        self.lexical_weight = lexical_weight
        self.criterion = criterion
        self.max_fpr = max_fpr
        self.min_tokens = min_tokens
        self.n_folds = n_folds
        self.random_state = random_state

    @property
    def features_(self) -> tuple[Feature, ...]:
        """Chosen features, in order of selection."""
        check_fitted(self, "fitted_")
        return self.fitted_.features

    @property
    def threshold_(self) -> Threshold:
        """The promise in force: the threshold stored for ``max_fpr``."""
        check_fitted(self, "thresholds_")
        for threshold in self.thresholds_:
            if threshold.rate == self.max_fpr:
                return threshold
        kept = ", ".join(f"{threshold.rate:g}" for threshold in self.thresholds_)
        raise SettingError(f"max_fpr={self.max_fpr:g} has no stored threshold; expected one of {kept}")

    def read(self, texts: Sequence[str], progress: Progress | None = None) -> Reading:
        """What this detector's weak models make of ``texts``.

        Raises
        ------
        ArtifactError
            When the panel's models are not those the detector was trained with.
        """
        check_fitted(self, "fitted_")
        listed = check_texts(texts)
        panel = panel_of(self.panel, self.fingerprints_)
        check_fingerprints(self.fingerprints_, panel.fingerprints, panel.other_paths)
        return read(listed, panel, progress)

    def probability_of(self, reading: Reading) -> Float1d:
        """Probability of machine for texts already read, shape (n_texts,)."""
        check_fitted(self, "fitted_")
        refuse_empty(reading)
        raw = self.fitted_.raw_score(self.fitted_.matrix(reading.vectors), reading.texts)
        return self.calibration_.probability(raw)

    def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Probabilities of human and of machine, shape (n_texts, 2); in columns as ``classes_``.

        They hold where machine and human texts are equally common. A number is given for every text, however
        short: ``judge`` knows when not to answer.

        Raises
        ------
        InputError
            When a text is empty; it is named.
        """
        machine = self.probability_of(self.read(texts))
        return np.column_stack([1.0 - machine, machine])

    def predict(self, texts: Sequence[str]) -> AnyArray:
        """The likelier class of each text, shape (n_texts,); ``judge`` applies the false-positive promise."""
        likelier: AnyArray = self.classes_[np.argmax(self.predict_proba(texts), axis=1)]
        return likelier

    def judge(self, texts: Sequence[str], progress: Progress | None = None) -> list[Verdict]:
        """A verdict for each text: human, machine or unsure, with the reasons.

        Parameters
        ----------
        texts : sequence of str
            An empty one is ``unsure``, as is one below ``min_tokens`` or unlike the training texts.
        progress : callable, optional
            Called with (tokens done, tokens in all).
        """
        return self.judge_reading(self.read(texts, progress))

    def judge_reading(self, reading: Reading) -> list[Verdict]:
        """``judge`` for texts already read."""
        return judge_reading(reading, self.judge_parts)

    @property
    def judge_parts(self) -> JudgeParts:
        """What its verdicts are made with."""
        check_fitted(self, "fitted_")
        limits = (self.familiarity_, self.threshold_, self.min_tokens)
        return JudgeParts(self.fitted_, self.calibration_, *limits, self.percentiles_)

    def state(self) -> dict[str, Any]:
        """Everything learned, as plain containers and arrays.

        Returns
        -------
        dict
            What ``from_state`` takes; it holds no object of a library, so that reading it back runs no code.
        """
        check_fitted(self, "fitted_")
        return detector_state(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Undo ``state``."""
        made = cls(**params_of(state))
        restore(made, state)
        return made
