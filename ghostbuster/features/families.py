"""Families of newer features, each with its source. To add one, add its row to ``FAMILIES``.

The space ``standard`` is the default space and all of these. What a family reads of channels that a panel's
models do not give is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ghostbuster.features.chains import Apply, Chain, Models, Vector, chain_of
from ghostbuster.features.expression import Feature

PLAIN_REDUCERS = (
    *("s-avg", "s-std", "s-rms", "s-skew", "s-kurt", "s-autocorr"),
    *("s-p05", "s-p10", "s-p25", "s-p50", "s-p75", "s-p90", "s-p95"),
    *("s-avg-top-quarter", "s-avg-bottom-quarter", "s-win-min", "s-win-max"),
)
MODELS = ("strong", "weak")
NGRAMS = ("unigram.logprob", "trigram.logprob")


@dataclass(frozen=True, slots=True)
class Family:
    """Candidates that one idea gives.

    Parameters
    ----------
    name : str
        As benchmarks and tables name it.
    rule : callable
        Yields its features, each once.
    paper : str
        Where the idea is from.
    """

    name: str
    rule: Callable[[], Iterator[Feature]]
    paper: str


def _reduced(chains: Iterable[Chain], reducers: Iterable[str]) -> Iterator[Feature]:
    wanted = tuple(reducers)
    for chain in chains:
        for reducer in wanted:
            yield Feature(chain, reducer)


def _deviation(model: str) -> Chain:
    """By how much a token's log-prob misses its mean under the model, which is minus the entropy."""
    return chain_of(f"{model}.logprob", "v-add", f"{model}.entropy")


def _standardised(model: str) -> Chain:
    """The same in standard deviations: of mean 0 and variance 1 for text that the model itself samples."""
    return Apply(_deviation(model), "v-over-root", Vector(f"{model}.varentropy"))


def _sequences() -> Iterator[Chain]:
    """Vectors whose course through a text is looked at."""
    for model in MODELS:
        yield from (Vector(f"{model}.{channel}") for channel in ("logprob", "entropy", "logrank"))
        yield _deviation(model)
        yield chain_of(f"{model}.logprob", "v-sub", "unigram.logprob")
    yield from map(Vector, NGRAMS)
    yield chain_of("strong.logprob", "v-sub", "weak.logprob")


def _dynamics() -> Iterator[Feature]:
    reducers = ("s-diff-std", "s-diff2-std", "s-diff2-entropy", "s-diff2-autocorr")
    yield from _reduced(_sequences(), reducers)


def _differences() -> Iterator[Feature]:
    yield from _reduced(_sequences(), ("s-diff-abs", "s-diff-skew", "s-diff-kurt"))


def _spectra() -> Iterator[Feature]:
    reducers = ("s-var-ratio-4", "s-var-ratio-16", "s-spec-centroid", "s-spec-entropy", "s-spec-slow")
    yield from _reduced(_sequences(), reducers)


def _diversity() -> Iterator[Feature]:
    yield from (Feature(Models(model), "stat-lastde") for model in MODELS)
    yield from _reduced(_sequences(), ("s-diversity", "s-diversity-5", "s-diversity-std"))


def _repair() -> Iterator[Feature]:
    for model, other in (MODELS, MODELS[::-1]):
        yield Feature(Models(model), "stat-dna-detectllm")
        yield Feature(Models(model, other), "stat-dna-detectllm")
        yield from _reduced(_repair_chains(model), PLAIN_REDUCERS)


def _repair_chains(model: str) -> Iterator[Chain]:
    """What the likeliest token would have had, and what the token that is there has less."""
    logprob, top, entropy = (f"{model}.{channel}" for channel in ("logprob", "top_logprob", "entropy"))
    yield Vector(top)
    yield chain_of(top, "v-add", entropy)
    yield chain_of(top, "v-div", entropy)
    gap = chain_of(logprob, "v-sub", top)
    yield gap
    yield Apply(gap, "v-div", Vector(entropy))
    yield Apply(gap, "v-over-root", Vector(f"{model}.varentropy"))
    yield from (Apply(gap, "v-mul", Vector(third)) for third in NGRAMS)


def _look_back() -> Iterator[Feature]:
    for model in MODELS:
        back, logprob = f"{model}.lookback", f"{model}.logprob"
        chains = (
            Vector(back),
            chain_of(back, "v-sub", logprob),
            chain_of(back, "v-mul", logprob),
            chain_of(back, "v-add", f"{model}.entropy"),
            chain_of(back, "v-div", f"{model}.entropy"),
            chain_of(back, "v-sub", "unigram.logprob"),
        )
        yield from _reduced(chains, PLAIN_REDUCERS)
        yield from _reduced((chain_of(back, "v->", logprob),), ("s-avg", "s-autocorr"))


def _masses() -> Iterator[Feature]:
    for model in MODELS:
        above, top10 = f"{model}.mass_above", f"{model}.top10_mass"
        chains = (
            Vector(above),
            Vector(top10),
            chain_of(above, "v-add", f"{model}.prob"),
            chain_of(above, "v-mul", f"{model}.entropy"),
            chain_of(above, "v-mul", f"{model}.logprob"),
            chain_of(top10, "v-mul", f"{model}.logprob"),
            chain_of(above, "v-mul", "unigram.logprob"),
        )
        yield from _reduced(chains, PLAIN_REDUCERS)


def _weights() -> Iterator[Feature]:
    """Where a model is sure or unsure, behind the beginning, and late against early."""
    for model in MODELS:
        yield from (Feature(Models(model), name) for name in ("stat-where-unsure", "stat-where-sure"))
        for chain in (Vector(f"{model}.logprob"), Vector(f"{model}.entropy"), _deviation(model)):
            for reducer in ("s-avg", "s-std", "s-p10", "s-p50", "s-p90"):
                yield Feature(chain, reducer, "u-skip-25")
    yield from _reduced(_sequences(), ("s-drift",))


def _tails() -> Iterator[Feature]:
    """Shares of units far out on either side; text sampled hot has many that are far less likely."""
    logprobs = (*(f"{model}.logprob" for model in MODELS), *NGRAMS)
    low = ("s-under-2", "s-under-5", "s-under-10", "s-under-15", "s-over-minus-half")
    yield from _reduced(map(Vector, logprobs), low)
    for model in MODELS:
        yield from _reduced((Vector(f"{model}.logrank"),), ("s-over-1", "s-over-5", "s-over-7"))
        yield from _reduced(
            (_deviation(model),), ("s-abs", "s-under-5", "s-under-10", "s-over-1", "s-over-5")
        )
        yield from _reduced((_standardised(model),), (*PLAIN_REDUCERS, "s-abs", "s-under-2", "s-over-1"))
        difference = chain_of(f"{model}.logprob", "v-sub", "unigram.logprob")
        yield from _reduced((difference,), ("s-abs", "s-under-2", "s-under-5", "s-over-1", "s-over-5"))
    yield from _reduced(
        (chain_of("strong.logprob", "v-sub", "weak.logprob"),),
        ("s-abs", "s-under-2", "s-under-5", "s-over-1", "s-over-5"),
    )


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        Family("dynamics", _dynamics, "surprisal dynamics: DivEye, Basani and Chen 2025, arXiv:2509.18880"),
        Family("differences", _differences, "further moments of differences, after DivEye"),
        Family(
            "spectra",
            _spectra,
            "spectrum of likelihood: FourierGPT, Xu et al. 2024, arXiv:2406.19874; variance ratios: Lo and "
            "MacKinlay 1988",
        ),
        Family(
            "diversity", _diversity, "multiscale diversity entropy: Lastde, Xu et al. 2024, arXiv:2410.06072"
        ),
        Family("repair", _repair, "mutation and repair: DNA-DetectLLM, Zhu et al. 2025, arXiv:2509.15550"),
        Family("look-back", _look_back, "memorised previous token: BiScope, Guo et al., NeurIPS 2024"),
        Family(
            "masses",
            _masses,
            "place in the cumulative distribution: GLTR, Gehrmann et al. 2019, arXiv:1906.04043",
        ),
        Family(
            "weights",
            _weights,
            "weights by entropy and position: PAWN, Miralles-Gonzalez et al. 2025, arXiv:2501.03940",
        ),
        Family("tails", _tails, "both tails of log-likelihood, and deviations in standard deviations"),
    )
}


def newer() -> Iterator[Feature]:
    """Every feature of every family, once."""
    yield from dict.fromkeys(feature for family in FAMILIES.values() for feature in family.rule())
