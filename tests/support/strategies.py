"""Hypothesis strategies for token scores, vectors and features."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ghostbuster.arrays import TokenScores, Vectors
from ghostbuster.features.chains import Apply, Models, Vector
from ghostbuster.features.expression import Feature
from ghostbuster.features.ops import OPS, SKIPS
from ghostbuster.features.reducers import REDUCERS
from ghostbuster.features.surface import SURFACE
from ghostbuster.features.zero_shot import LANGUAGE_MODELS, STATISTICS

CHANNELS = ("logprob", "rank", "entropy", "varentropy", "cross_entropy", "cross_varentropy")
EXTRA_CHANNELS = ("top_logprob", "mass_above", "top10_mass", "lookback")
LM_CHANNELS = (*CHANNELS, *EXTRA_CHANNELS, "prob", "logrank")
VECTOR_NAMES = (
    *(f"surface.{channel}" for channel in SURFACE),
    *(f"{lm}.{channel}" for lm in LANGUAGE_MODELS for channel in LM_CHANNELS),
    *(f"{gram}.{channel}" for gram in ("unigram", "trigram") for channel in ("logprob", "prob")),
)


def channel_values(channel, rng, n):
    """Plausible values of a channel that a model measures."""
    surprise = rng.gamma(1.5, 2.0, n)
    made = {
        "logprob": -surprise,
        "rank": np.ceil(np.exp(surprise / 2)),
        "top_logprob": -surprise / 4,
        "mass_above": 1 - np.exp(-surprise / 2),
        "top10_mass": np.exp(-surprise / 8),
        "lookback": -3 * surprise,
    }
    return made.get(channel, surprise).astype(np.float32)


def vectors_of_lengths(lengths, seed=0):
    """Vectors of plausible values, every channel there is, with texts of these lengths."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate(([0], np.cumsum(lengths, dtype=np.int64)))
    made = {name: channel_values(name.split(".")[1], rng, int(offsets[-1])) for name in VECTOR_NAMES}
    for name in VECTOR_NAMES:
        source, channel = name.split(".")
        if channel == "prob":
            made[name] = np.exp(made[f"{source}.logprob"])
        elif channel == "logrank":
            made[name] = np.log(made[f"{source}.rank"])
    return Vectors(made, offsets)


@st.composite
def vectors(draw, min_texts=1, max_texts=6, min_units=0, max_units=60):
    """Vectors with every channel, plausible values, texts of any length."""
    lengths = draw(st.lists(st.integers(min_units, max_units), min_size=min_texts, max_size=max_texts))
    return vectors_of_lengths(lengths, draw(st.integers(0, 2**32 - 1)))


@st.composite
def wild_vectors(draw, names):
    """Vectors of any finite float64 values, repeated values and noughts among them."""
    lengths = draw(st.lists(st.integers(0, 30), min_size=1, max_size=5))
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    number = st.one_of(
        st.floats(allow_nan=False, allow_infinity=False), st.sampled_from([0.0, 1.0, -1.0, 1e-320])
    )
    arrays = hnp.arrays(np.float64, int(offsets[-1]), elements=number)
    return Vectors({name: draw(arrays) for name in names}, offsets)


def chains(names=VECTOR_NAMES, max_vectors=4):
    """Left-to-right chains of ops."""
    source = st.sampled_from(names).map(Vector)
    steps = st.lists(st.tuples(st.sampled_from(sorted(OPS)), source), max_size=max_vectors - 1)
    return st.builds(_chain, source, steps)


def _chain(first, steps):
    for op, vector in steps:
        first = Apply(first, op, vector)
    return first


def features(names=VECTOR_NAMES):
    """Any feature: of a chain, or a statistic."""
    of_chain = st.builds(
        Feature, chains(names), st.sampled_from(sorted(REDUCERS)), st.sampled_from(["", *SKIPS])
    )
    pairs = [LANGUAGE_MODELS, LANGUAGE_MODELS[::-1]]
    statistics = [
        Feature(Models(*pair[:n_sources]), name) for name, n_sources in STATISTICS for pair in pairs
    ]
    return st.one_of(of_chain, st.sampled_from(statistics))


def token_scores(texts, ends, seed=0, channels=CHANNELS):
    """Scores of texts whose tokens end at the given characters."""
    rng = np.random.default_rng(seed)
    flat = np.array([end for of_text in ends for end in of_text], dtype=np.int32)
    offsets = np.concatenate(([0], np.cumsum([len(of_text) for of_text in ends], dtype=np.int64)))
    assert len(texts) == len(ends)
    return TokenScores({c: channel_values(c, rng, flat.size) for c in channels}, flat, offsets)
