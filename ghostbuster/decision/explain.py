"""Features in words that a teacher can read. A new channel, op, reducer or statistic needs its row here."""

from __future__ import annotations

from ghostbuster.features.chains import Models
from ghostbuster.features.expression import Feature

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
}
NGRAMS = {"unigram": "commonness of words", "trigram": "familiarity of word sequences"}
SURFACE = {
    "word_length": "length of words",
    "capitals": "share of capitals",
    "marks": "punctuation",
    "log_clause_length": "length of clauses",
    "log_sentence_length": "length of sentences",
}
OPS = {
    "v-add": "{} and {} together",
    "v-sub": "{} compared with {}",
    "v-mul": "{} combined with {}",
    "v-div": "{} relative to {}",
    "v-ratio": "{} relative to {}",
    "v->": "places where {} exceeds {}",
    "v-<": "places where {} is below {}",
}
REDUCERS = {
    "s-max": "highest value of {}",
    "s-min": "lowest value of {}",
    "s-avg": "average {}",
    "s-avg-top-25": "25 highest values of {}",
    "s-len": "length in tokens",
    "s-var": "variation of {}",
    "s-l2": "total size of {}",
    "s-std": "variation of {}",
    "s-rms": "usual size of {}",
    "s-skew": "lopsidedness of {}",
    "s-kurt": "rare extremes of {}",
    "s-autocorr": "likeness of neighbours in {}",
    "s-p05": "lowest twentieth of {}",
    "s-p10": "lowest tenth of {}",
    "s-p25": "lower quarter of {}",
    "s-p50": "typical {}",
    "s-p75": "upper quarter of {}",
    "s-p90": "highest tenth of {}",
    "s-p95": "highest twentieth of {}",
    "s-avg-top-quarter": "highest quarter of {}",
    "s-avg-bottom-quarter": "lowest quarter of {}",
    "s-win-min": "low points, clause by clause, of {}",
    "s-win-max": "high points, clause by clause, of {}",
}
STATISTICS = {
    "stat-loglikelihood": "average predictability to {} (log-likelihood)",
    "stat-rank": "average place on {}'s list (rank)",
    "stat-logrank": "average place on {}'s list (log-rank)",
    "stat-entropy": "{}'s average uncertainty (entropy)",
    "stat-lrr": "predictability to {} for the places on its list (LRR)",
    "stat-fast-detectgpt": "predictability to {} against that of its own guesses (Fast-DetectGPT)",
    "stat-binoculars": "surprise of {} against its disagreement with the other (Binoculars)",
}
SKIPPED = ", after the first 25 tokens"


def in_words(feature: Feature) -> str:
    """What a feature measures.

    Parts of a chain are joined as they are computed, from left to right.
    """
    if isinstance(feature.expression, Models):
        return STATISTICS[feature.reducer].format(_model(feature.expression.scoring))
    (_, first), *rest = feature.expression.path
    said = _vector(first)
    for op, name in rest:
        said = OPS[op].format(said, _vector(name))
    return REDUCERS[feature.reducer].format(said) + (SKIPPED if feature.skip else "")


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
        return SURFACE.get(channel, channel.replace("_", " "))
    return CHANNELS[channel].format(_model(source))


def _model(source: str) -> str:
    return MODELS.get(source, f"the model {source!r}")


def _most(percent: float) -> str:
    """A whole number; nothing is 100 % that was measured on some."""
    return "over 99" if percent > 99 else f"{percent:.0f}"  # noqa: PLR2004
