"""Train from scratch, and find the texts that held-out folds get wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ghostbuster.arrays import AnyArray, Bool1d, Float1d, Int1d, Progress
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.params import Params
from ghostbuster.metrics.classification import auroc
from ghostbuster.reading.read import Reading, read

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel


@dataclass(frozen=True)
class HeldOut:
    """What readers that never saw a text's fold said of the seed texts.

    Attributes
    ----------
    probability : array of shape (n_seeds,)
    called : array of shape (n_seeds,)
        Whether each is called machine-written, by the threshold of its length.
    judged : array of shape (n_seeds,)
        Whether each is long enough to be judged: a shorter one is no error.
    """

    probability: Float1d
    called: Bool1d
    judged: Bool1d

    def wrong(self, y: Int1d, errors: str, sources: AnyArray | None = None) -> list[int]:
        """Indices of wrong texts: one of each kind of error and source in turn, the most wrong first.

        Parameters
        ----------
        y : array of shape (n_seeds,), 0 human, 1 machine
        errors : {"missed", "accused", "both"}
        sources : array of shape (n_seeds,), or None
        """
        kinds = {"missed": (1,), "accused": (0,), "both": (1, 0)}[errors]
        wrong = self.judged & np.isin(y, kinds) & (self.called != (y == 1))
        how_wrong = np.abs(self.probability - (y == 1))
        queues: dict[tuple[str, int], list[int]] = {}
        for i in np.flatnonzero(wrong)[np.argsort(-how_wrong[wrong], kind="stable")].tolist():
            source = "" if sources is None else str(sources[i])
            queues.setdefault((source, int(y[i])), []).append(i)
        turns = [(turn, name, i) for name, queue in sorted(queues.items()) for turn, i in enumerate(queue)]
        return [i for _turn, _name, i in sorted(turns)]

    def figures(self, y: Int1d) -> dict[str, Any]:
        """How right it was on the seed texts, fit for JSON."""
        return {
            "auroc": float(auroc(y == 1, self.probability)),
            "found": _share(self.called[self.judged & (y == 1)]),
            "accused": _share(self.called[self.judged & (y == 0)]),
        }


def _share(of: Bool1d) -> float | None:
    return float(of.mean()) if of.size else None


def held_out(classifier: GhostbusterClassifier, reading: Reading, n_seeds: int) -> HeldOut:
    """What a fitted classifier's held-out readers said of the first ``n_seeds`` texts of its training."""
    lengths = reading.n_tokens[:n_seeds].tolist()
    promised = classifier.threshold_
    bars = np.array([promised.for_length(int(n)).probability for n in lengths])
    probability = classifier.held_out_probability_[:n_seeds]
    judged = reading.n_tokens[:n_seeds] >= classifier.params.min_tokens
    return HeldOut(probability, (probability >= bars) & judged, judged)


@dataclass
class Learner:
    """Trains on seed texts and new ones; each text is read once.

    Parameters
    ----------
    params : Params
        Of the detector that is to be improved.
    panel : Panel
        The language models that read for it.
    y : array of shape (n_seeds,), 0 human, 1 machine
    groups, sources : array of shape (n_seeds,), or None
        New texts have those of the texts that they were written after, so that no fold parts them.
    reading : Reading
        Of the seed texts, and of all new ones so far.
    """

    params: Params
    panel: Panel
    y: Int1d
    groups: AnyArray | None
    sources: AnyArray | None
    reading: Reading

    def learn(
        self, texts: Sequence[str], parents: Sequence[int], progress: Progress | None = None
    ) -> HeldOut:
        """Train from scratch on the seed texts and all new ones, of which those not yet read are read.

        Parameters
        ----------
        texts : sequence of str, length n_new
        parents : sequence of int, length n_new
            The seed text that each was written after.
        progress : callable, optional
            Called with (tokens done, tokens in all).
        """
        n_seeds = self.y.size
        unread = list(texts[len(self.reading.prepared) - n_seeds :])
        if unread:
            self.reading = Reading.concatenate([self.reading, read(unread, self.panel, progress)])
        rows = np.concatenate([np.arange(n_seeds), np.asarray(parents, dtype=np.intp)])
        y = np.concatenate([self.y, np.ones(len(parents), dtype=np.intp)])
        groups, sources = (None if one is None else one[rows] for one in (self.groups, self.sources))
        classifier = GhostbusterClassifier(**vars(self.params))
        classifier.fit_reading(self.reading, y, groups, sources)
        return held_out(classifier, self.reading, n_seeds)
