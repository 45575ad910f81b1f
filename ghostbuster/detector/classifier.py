"""The detector as a scikit-learn classifier: read, choose features, train, calibrate, set thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin

from ghostbuster.arrays import Float1d
from ghostbuster.decision.calibration import Calibration, held_out_error
from ghostbuster.decision.judge import judged_people
from ghostbuster.decision.length_bands import thresholds_by_length
from ghostbuster.decision.novelty import NoveltyLimits, english_share, surprise
from ghostbuster.decision.pair_slope import PairSlope
from ghostbuster.decision.percentiles import Percentiles
from ghostbuster.decision.thresholds import RATES, register_thresholds
from ghostbuster.decision.trained import Trained
from ghostbuster.detector.detector import Detector
from ghostbuster.detector.labels import Labels, encode_labels, hard_labels, row_array
from ghostbuster.detector.manifest import manifest
from ghostbuster.detector.training import (
    Examples,
    evaluate_candidates,
    fit_parts,
    held_out_folds,
    held_out_parts,
    learned_mix,
)
from ghostbuster.folds import balanced_weights
from ghostbuster.heads.adapter_head import adapter_head, adapter_odds
from ghostbuster.heads.reader_figures import reader_figures
from ghostbuster.heads.scorer import mixed
from ghostbuster.heads.state_probe import states_of
from ghostbuster.hidden_states import HiddenStates
from ghostbuster.models.panel_choice import panel_of
from ghostbuster.reading.read import Reading, read, refuse_empty
from ghostbuster.reading.texts import check_texts

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel
    from ghostbuster.reading.scores.panel_facts import KnownPanel


class GhostbusterClassifier(ClassifierMixin, Detector, BaseEstimator):  # type: ignore[misc]
    """Says how likely each text was written by a machine.

    Parameters
    ----------
    panel : str or (weak path, strong path)
        The weak models that read the texts: ``embedded`` needs no download.
    space : str
        Named candidate space of the feature search.
    max_features : int
    head : {"logistic", "elastic-net", "lightgbm"}
    readers : str
        What reads a text, parted by commas: ``features``, ``words``, ``states`` (hidden states of the strong
        model), ``adapter``. ``auto`` reads hidden states where the panel's strong model is a pretrained one,
        and an adapter where one is given.
    mix : {"auto", "stacked", "shares"}
        How the readers' weights come about: ``stacked`` learns them from held-out texts, ``shares`` gives the
        words ``lexical_weight`` and the others equal parts of the rest; ``auto`` learns them where hidden
        states are read.
    lexical_weight : float
        Share of the words' own log-odds in the score, from 0 (none) to less than 1; only whether it is 0
        counts where weights are learned.
    criterion : {"log_loss", "auroc", "accuracy"}
        What the search improves, on held-out folds.
    max_fpr : float
        Share of human texts that ``judge`` may call machine-written; one of ``RATES``.
    min_tokens : int
        Texts with fewer tokens are ``unsure``.
    n_folds : int
    random_state : int
        The same seed, texts and build give the same detector.
    adapter : str
        File of an adapter that ``ghostbuster finetune`` made of one of the panel's models: a further reader.
        It must have learned from other texts than those given to ``fit``.

    Attributes
    ----------
    classes_ : array of shape (2,), human first
    features_ : tuple of Feature, in order of selection
    thresholds_ : tuple of Threshold
        From held-out scores of human texts, one a rate.
    register_thresholds_ : dict of str to tuple of Threshold
    manifest_ : dict
        What made this detector: models, versions, data, seed.

    References
    ----------
    Verma et al., "Ghostbuster: Detecting Text Ghostwritten by Large Language Models", NAACL 2024,
    arXiv:2305.15047.
    """

    def fit(
        self,
        texts: Sequence[str],
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        sources: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        registers: npt.ArrayLike | None = None,
    ) -> Self:
        """Choose the features that separate ``y``, then fit a calibrated head on them.

        Every weak model reads each text once. Each fold chooses its own features, so that neither calibration
        nor thresholds see a score of a text its features were chosen on.

        Parameters
        ----------
        texts : sequence of str, length n_texts
        y : array-like of shape (n_texts,)
            0, False or "human"; 1, True, "machine" or "AI" (``ghostbuster.label_words`` has all). A number
            between is a soft label: features, head, words and calibration learn from the probability itself.
            Thresholds are measured on texts of ``min_tokens`` or more labelled 0, or, where none is, below
            0.5.
        groups : array-like of shape (n_texts,), optional
            Texts of one prompt or document share a value and stay on one side of every fold.
        sources : array-like of shape (n_texts,), optional
            Where each text comes from. With three or more, folds leave one source out, sources weigh alike,
            and thresholds keep their rate in every source that was left out.
        sample_weight : array-like of shape (n_texts,), optional
            In place of weights that balance classes and sources.
        registers : array-like of shape (n_texts,), optional
            What kind of text each is ("essay"; "" for none): those with enough human texts get thresholds of
            their own, for ``for_register``.

        Raises
        ------
        InputError
            When an element is no text, an array's length differs, labels do not fit, or a class is too small.
        SettingError
            When a parameter is out of range or a name unknown.
        ModelError
            When a weak model cannot be opened.
        """
        self.params.check()
        listed = check_texts(texts)
        encode_labels(y, len(listed))  # before any model reads
        reading = read(listed, self.learning_panel())
        return self.fit_reading(reading, y, groups, sources, sample_weight, registers)

    def fit_reading(
        self,
        reading: Reading,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None = None,
        sources: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        registers: npt.ArrayLike | None = None,
        panel: KnownPanel | None = None,
    ) -> Self:
        """``fit`` for texts that this detector's panel has read already.

        Parameters
        ----------
        reading : Reading
        y, groups, sources, sample_weight, registers
            As ``fit`` takes them.
        panel : KnownPanel, optional
            What is known of the language models that read; without it they are opened.
        """
        params = self.params
        params.check()
        examples, labels = self._examples(reading, y, groups, sources, sample_weight)
        parts = self.held_out_parts_ = held_out_parts(examples, params)
        mix = learned_mix(parts, examples, params)
        raw = mixed(parts, mix)
        calibration = Calibration().fit(raw, examples.y, sample_weight=examples.weights)
        self.held_out_probability_ = calibration.probability(raw)
        kinds = row_array(registers, "registers", examples.y.size)
        people = judged_people(labels.people, reading, params.min_tokens)
        human, left_out = self.held_out_probability_[people], examples.left_out
        of_people = None if left_out is None else left_out[people]
        panel = panel or self.learning_panel()
        adapter = adapter_head(self.learning_panel()) if params.adapter else None
        scorer = replace(fit_parts(examples, params), mix=mix, adapter=adapter)
        matrix = scorer.matrix(reading.vectors)
        trained = Trained(
            scorer=scorer,
            calibration=calibration,
            novelty=NoveltyLimits.fit(matrix, surprise(reading), english_share(reading)),
            thresholds=thresholds_by_length(human, reading.n_tokens[people], RATES, of_people),
            register_thresholds=register_thresholds(human, None if kinds is None else kinds[people]),
            percentiles=Percentiles.fit(matrix[people]),
            classes=labels.classes,
            fingerprints=dict(panel.fingerprints),
            manifest={},
            pairs=self._pair_slope(calibration.log_odds(raw), reading, examples),
        )
        facts = manifest(params, trained, panel, reading, labels, sources)
        facts["readers"] = reader_figures(parts, mix, params.reader_names, examples.y, left_out)
        error = held_out_error(raw, examples.y, examples.weights, held_out_folds(examples, params))
        facts["calibration"] = {"method": calibration.method_, "expected_error": error}
        facts["pairs"] = trained.pairs.state()
        self.trained_ = replace(trained, manifest=facts)
        return self

    def _pair_slope(self, log_odds: Float1d, reading: Reading, examples: Examples) -> PairSlope:
        """From held-out texts that are long enough to be judged, of groups that hold both classes."""
        kept = np.flatnonzero(reading.n_tokens >= self.params.min_tokens)
        groups = None if examples.groups is None else examples.groups[kept]
        return PairSlope.fit(log_odds[kept], examples.y[kept], groups)

    def score(
        self, texts: Sequence[str], y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """Accuracy of ``predict``; labels in any form that ``fit`` takes, also in another than at training.

        Raises
        ------
        InputError
            When a label cannot be read, or there is not one a text.
        """
        from sklearn.metrics import accuracy_score

        listed = check_texts(texts)
        expected = hard_labels(y, len(listed))
        found = np.argmax(self.predict_proba(listed), axis=1)
        return float(accuracy_score(expected, found, sample_weight=sample_weight))

    def learning_panel(self) -> Panel:
        """The language models that read texts to learn from, with the hidden states that are wanted."""
        params = self.params
        return panel_of(params.panel, state_layers=params.state_layers, adapter=params.adapter)

    def _examples(
        self,
        reading: Reading,
        y: npt.ArrayLike,
        groups: npt.ArrayLike | None,
        sources: npt.ArrayLike | None,
        sample_weight: npt.ArrayLike | None,
    ) -> tuple[Examples, Labels]:
        """What is learned from, checked; and the labels as they were given."""
        params, n_texts = self.params, len(reading.prepared)
        labels = encode_labels(y, n_texts)
        refuse_empty(reading)
        states = None
        if "states" in params.reader_names:
            kept = states_of(reading.vectors)
            states = HiddenStates.without_blocks(kept.layers, kept.means)
        weights = balanced_weights(labels.probability, sources)
        examples = Examples(
            *evaluate_candidates(params.space, reading.vectors),
            reading.texts,
            labels.probability,
            row_array(sample_weight, "sample_weight", n_texts, weights),
            row_array(groups, "groups", n_texts),
            row_array(sources, "sources", n_texts),
            states,
            adapter_odds(self.learning_panel(), reading) if params.adapter else None,
        )
        return examples, labels

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.classifier_tags.multi_class = False
        return tags
