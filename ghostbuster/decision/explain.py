"""Explain features in plain words. A new channel of a language model needs its row here."""

from __future__ import annotations

from ghostbuster.features.chains import Models
from ghostbuster.features.expression import Feature
from ghostbuster.features.ops import OPS, SKIPS
from ghostbuster.features.reducers import REDUCERS
from ghostbuster.features.surface import SURFACE
from ghostbuster.features.zero_shot import STATISTICS

MODELS = {"weak": "the smaller model", "strong": "the larger model"}
CHANNELS = {
    "logprob": "predictability to {}",
    "prob": "likelihood under {}",
    "rank": "place on {}'s list",
    "logrank": "place on {}'s list",
    "entropy": "{}'s uncertainty",
    "varentropy": "unevenness of {}'s guesses",
    "cross_entropy": "{}'s disagreement with the other",
    "cross_varentropy": "unevenness of {}'s disagreement with the other",
    "top_logprob": "certainty of {}'s first guess",
    "mass_above": "weight of {}'s better guesses",
    "top10_mass": "weight of {}'s ten best guesses",
    "lookback": "how far {} expects the last token again",
}
NGRAMS = {"unigram": "commonness of words", "trigram": "familiarity of word sequences"}

READER_WORDS = {
    "features": "how predictable the text is",
    "words": "which words it uses",
    "states": "what the larger model makes of it inside (hidden states)",
    "adapter": "what a model that was fine-tuned for this makes of it (adapter)",
}


def in_words(feature: Feature) -> str:
    """What a feature measures.

    Parts of a chain are joined as they are computed, from left to right.
    """
    if isinstance(feature.expression, Models):
        row = STATISTICS[feature.reducer, 2 if feature.expression.reference else 1]
        return row.words.format(_model(feature.expression.scoring))
    (_, first), *rest = feature.expression.path
    said = _vector(first)
    for op, name in rest:
        said = OPS[op].words.format(said, _vector(name))
    return REDUCERS[feature.reducer].words.format(said) + (SKIPS[feature.skip].words if feature.skip else "")


def compared(percent: float) -> str:
    """Where a value stands among the texts by people that the detector learned from.

    Parameters
    ----------
    percent : float
        Share of them with a lower value, in per cent.
    """
    if percent >= 50:  # noqa: PLR2004
        return f"higher than in {_most(percent)} % of people's texts"
    return f"lower than in {_most(100 - percent)} % of people's texts"


def term_in_words(term: str) -> str:
    """What a word, a mark, or two neighbours are called."""
    parts = term.split(" ")
    if len(parts) > 1:
        return f"\u201c{term}\u201d side by side"
    return f"the {'word' if any(map(str.isalnum, term)) else 'mark'} \u201c{term}\u201d"


def _vector(name: str) -> str:
    source, channel = name.split(".")
    if source in NGRAMS:
        return NGRAMS[source]
    if source == "surface":
        return SURFACE[channel].words if channel in SURFACE else channel.replace("_", " ")
    return CHANNELS[channel].format(_model(source))


def _model(source: str) -> str:
    return MODELS.get(source, f"the model {source!r}")


def _most(percent: float) -> str:
    """A whole number; nothing is 100 % that was measured on some."""
    return "over 99" if percent > 99 else f"{percent:.0f}"  # noqa: PLR2004
