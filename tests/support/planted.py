"""Feature-search problems with a known answer; scikit-learn's version of each criterion."""

import numpy as np
from sklearn.metrics import log_loss, roc_auc_score
from strategies import vectors_of_lengths

from ghostbuster.arrays import Vectors
from ghostbuster.features.expression import Feature

FEATURES = tuple(Feature.parse(f"a.v{i} s-avg") for i in range(20))


def planted(n_texts=300, n_candidates=20, seed=0):
    """Correlated columns, heavy tails among them; the label follows the first five, shuffled."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n_texts, 4)) @ rng.normal(size=(4, n_candidates))
    X = rng.standard_t(4, size=(n_texts, n_candidates)) + 0.5 * common
    X = X * rng.lognormal(0, 2, n_candidates) + rng.normal(0, 5, n_candidates)
    z = (X - X.mean(0)) / X.std(0)
    effects = [1.5, -1.0, 0.8, 0.6, -0.5][:n_candidates]
    log_odds = z[:, rng.permutation(n_candidates)[: len(effects)]] @ effects
    return X.astype(np.float32), (rng.random(n_texts) < 1 / (1 + np.exp(-log_odds))).astype(int)


def separable_vectors(n_texts=60, seed=0):
    """Texts of one half in which the strong model is less surprised."""
    rng = np.random.default_rng(seed)
    made = vectors_of_lengths(rng.integers(20, 60, n_texts), seed)
    y = np.arange(n_texts) % 2
    channels = dict(made.channels)
    spread = np.repeat(1 - 0.3 * y, made.lengths).astype(np.float32)
    channels["strong.logprob"] = channels["strong.logprob"] * spread
    channels["strong.prob"] = np.exp(channels["strong.logprob"])
    return Vectors(channels, made.offsets), y


SCORES = {
    "log_loss": lambda y, p, w: -log_loss(y, p, sample_weight=w, labels=[0, 1]),
    "auroc": lambda y, p, w: roc_auc_score(y, p, sample_weight=w),
    "accuracy": lambda y, p, w: np.average((p > 0.5) == y, weights=w),
}


def winsorised(train, test, weight):
    """Scaling written out once more: limits from percentiles, then weighted moments."""
    low, mid, high = np.percentile(train, [15.865525393145707, 50, 84.13447460685429], axis=0)
    reach = 5 * (high - low) / 2
    held = np.clip(train, mid - reach, mid + reach)
    mean = np.average(held, axis=0, weights=weight)
    deviation = np.sqrt(np.average((held - mean) ** 2, axis=0, weights=weight))
    return [np.clip((x - mean) / deviation, -5, 5) for x in (train, test)]
