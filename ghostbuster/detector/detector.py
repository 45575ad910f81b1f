"""A trained detector: reads texts and judges them, without importing scikit-learn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from ghostbuster.arrays import AnyArray, Float1d, Float2d, Progress
from ghostbuster.decision.judge import judge_reading
from ghostbuster.decision.pairs import PairVerdict, judge_pairs
from ghostbuster.decision.thresholds import ByRegister, Threshold
from ghostbuster.decision.trained import Trained
from ghostbuster.decision.verdict import Verdict
from ghostbuster.detector.manifest import check_fingerprints
from ghostbuster.detector.params import Params, constructor
from ghostbuster.detector.state import params_of, state_of, trained_of
from ghostbuster.errors import InputError
from ghostbuster.features.expression import Feature
from ghostbuster.heads.validation import check_fitted
from ghostbuster.models.panel_choice import panel_of
from ghostbuster.reading.read import Reading, read, refuse_empty
from ghostbuster.reading.texts import check_texts

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel


class Detector:
    """A trained `GhostbusterClassifier`: reads and judges, and cannot be trained again.

    The command line scores with this class, because importing scikit-learn takes as long as scoring a text.

    Parameters
    ----------
    panel, space, max_features, head, readers, mix, lexical_weight
    criterion, max_fpr, min_tokens, n_folds, random_state, adapter
        As ``GhostbusterClassifier``'s.

    Attributes
    ----------
    trained_ : Trained
        All that training left; the attributes below are parts of it.
    features_, thresholds_, register_thresholds_, classes_, manifest_
        As ``GhostbusterClassifier``'s.
    """

    trained_: Trained

    @constructor(Params)
    def __init__(self, params: Params) -> None:
        vars(self).update(vars(params))

    @property
    def params(self) -> Params:
        """The constructor's parameters, as they are now."""
        return Params.of(self)

    def with_params(self, **changed: Any) -> Self:
        """The same detector with other parameters, trained as it is.

        Parameters
        ----------
        **changed
            Of the constructor's.
        """
        made = copy(self)
        vars(made).update(vars(replace(self.params, **changed)))
        return made

    @property
    def features_(self) -> tuple[Feature, ...]:
        """Chosen features, in order of selection."""
        return self._trained().scorer.features

    @property
    def thresholds_(self) -> tuple[Threshold, ...]:
        """One threshold a rate, for texts of every kind."""
        return self._trained().thresholds

    @property
    def register_thresholds_(self) -> ByRegister:
        """Thresholds of registers (kinds of text) that have their own."""
        return self._trained().register_thresholds

    @property
    def classes_(self) -> AnyArray:
        """The labels that it was trained with, human first; shape (2,)."""
        return self._trained().classes

    @property
    def manifest_(self) -> dict[str, Any]:
        """What made this detector: models, versions, data, seed; fit for JSON."""
        return self._trained().manifest

    @property
    def threshold_(self) -> Threshold:
        """The threshold in force: that stored for the false-positive rate ``max_fpr``."""
        return self._trained().threshold(self.params.max_fpr)

    def for_register(self, name: str | None) -> Self:
        """The same detector, judging by a register's thresholds; without a name the detector itself.

        Raises
        ------
        SettingError
            When the detector has no such register, or none at the rate of its promise.
        """
        if name is None:
            return self
        made = copy(self)
        made.trained_ = self._trained().for_register(name)
        made.threshold_  # noqa: B018 - a promise that is not stored is refused here, before models read
        return made

    def _trained(self) -> Trained:
        """What training left.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before training.
        """
        check_fitted(self, "trained_")
        return self.trained_

    def read(self, texts: Sequence[str], progress: Progress | None = None) -> Reading:
        """Scores of ``texts`` by this detector's weak models, aligned.

        Raises
        ------
        ArtifactError
            When the panel's models are not those the detector was trained with.
        """
        listed = check_texts(texts)
        return read(listed, self.open_panel(), progress)

    def open_panel(self) -> Panel:
        """The language models that it was trained with, and that read what it needs.

        Raises
        ------
        ArtifactError
            When the panel's models are others.
        """
        trained = self._trained()
        panel = panel_of(
            self.params.panel, trained.fingerprints, trained.scorer.state_layers, self.params.adapter
        )
        check_fingerprints(trained.fingerprints, panel.fingerprints, panel.other_paths)
        return panel

    def probability_of(self, reading: Reading) -> Float1d:
        """Probability of machine for texts already read, shape (n_texts,)."""
        trained = self._trained()
        refuse_empty(reading)
        raw = trained.scorer.raw_score(reading.vectors, reading.texts)
        return trained.calibration.probability(raw)

    def predict_proba(self, texts: Sequence[str]) -> Float2d:
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
        """The likelier class of each text, shape (n_texts,); ``judge`` keeps to the false-positive rate."""
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
        return judge_reading(reading, self._trained(), self.threshold_, self.params.min_tokens)

    def judge_pair(self, a: str, b: str) -> PairVerdict:
        """Which of two texts is likelier the machine's; see ``judge_pairs``."""
        return self.judge_pairs([(a, b)])[0]

    def judge_pairs(
        self, pairs: Sequence[Sequence[str]], progress: Progress | None = None
    ) -> list[PairVerdict]:
        """For each pair, which text is likelier the machine's, were one by a person and one by a machine.

        Swapping the two gives 1 minus the probability. A pair of two people's texts, or of two machines', is
        answered too: the single verdicts stand beside.

        Parameters
        ----------
        pairs : sequence of (str, str), length n_pairs
        progress : callable, optional
            Called with (tokens done, tokens in all).

        Raises
        ------
        InputError
            When an element is no pair of texts, or a text is empty; texts are counted through all pairs.
        """
        listed = [tuple(pair) if not isinstance(pair, str) else () for pair in pairs]
        odd = next((i for i, pair in enumerate(listed) if len(pair) != 2), None)  # noqa: PLR2004
        if odd is not None:
            raise InputError(f"element {odd} of the pairs is {pairs[odd]!r:.60}; expected two texts")
        return self.judge_pairs_reading(self.read([text for pair in listed for text in pair], progress))

    def judge_pairs_reading(self, reading: Reading) -> list[PairVerdict]:
        """``judge_pairs`` for texts already read, both of each pair side by side."""
        return judge_pairs(reading, self._trained(), self.threshold_, self.params.min_tokens)

    def state(self) -> dict[str, Any]:
        """Everything learned, as plain containers and arrays.

        Returns
        -------
        dict
            What ``from_state`` takes; it holds no object of a library, so that reading it back runs no code.
        """
        return state_of(self.params, self._trained())

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """Undo ``state``."""
        params = params_of(state)
        made = cls(**vars(params))
        made.trained_ = trained_of(state, params.head)
        return made
