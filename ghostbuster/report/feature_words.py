"""Features in words: what each measures, for people who read no expressions."""

from __future__ import annotations

from ghostbuster.features.chains import Models
from ghostbuster.features.expression import Feature
from ghostbuster.features.reducers import REDUCERS

SOURCES = {
    "strong": "larger model",
    "weak": "smaller model",
    "unigram": "counts of single tokens",
    "trigram": "counts of three tokens in a row",
}
CHANNELS = {
    "logprob": "log-prob of the token",
    "prob": "chance of the token",
    "rank": "rank of the token among the guesses",
    "logrank": "logarithm of the token's rank",
    "entropy": "how open the place was",
    "varentropy": "how uneven the guesses were",
    "cross_entropy": "surprise at the other model's guesses",
    "cross_varentropy": "unevenness of that surprise",
}
OPS = {
    "v-add": "plus",
    "v-sub": "minus",
    "v-mul": "times",
    "v-div": "divided by",
    "v->": "above",
    "v-<": "below",
    "v-ratio": "in proportion to",
}
SKIPS = {"u-skip-25": "without the first 25 tokens"}


def in_words(feature: Feature) -> str:
    """What a feature measures: ``median of log-prob of the token (larger model)``.

    A source or channel without words of its own is called by its name.
    """
    if isinstance(feature.expression, Models):
        formula = feature.statistic.formula if feature.statistic else feature.reducer
        models = (feature.expression.scoring, feature.expression.reference)
        return f"{formula} ({' and '.join(SOURCES.get(name, name) for name in models if name)})"
    steps = [f"{OPS.get(op, op)} {_vector(name)}".strip() for op, name in feature.expression.path]
    skipped = f", {SKIPS.get(feature.skip, feature.skip)}" if feature.skip else ""
    return f"{REDUCERS[feature.reducer].formula}, of: {' '.join(steps)}{skipped}"


def _vector(name: str) -> str:
    source, channel = name.split(".")
    return f"{CHANNELS.get(channel, channel)} ({SOURCES.get(source, source)})"
