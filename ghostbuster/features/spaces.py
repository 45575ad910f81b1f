"""Candidate spaces: named sets of features to choose from. To add one, add its row to ``SPACES``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations, permutations

from ghostbuster.errors import FeatureError, SettingError
from ghostbuster.features.chains import Apply, Chain, Models, Vector, chain_of
from ghostbuster.features.duplicates import unique_chains
from ghostbuster.features.expression import Feature
from ghostbuster.features.families import newer
from ghostbuster.features.ops import OPS
from ghostbuster.features.reducers import REDUCERS
from ghostbuster.features.surface import SURFACE
from ghostbuster.features.zero_shot import LANGUAGE_MODELS, STATISTICS
from ghostbuster.registry import did_you_mean

GHOSTBUSTER_OPS = ("v-add", "v-sub", "v-mul", "v-div", "v->", "v-<")
GHOSTBUSTER_REDUCERS = ("s-max", "s-min", "s-avg", "s-avg-top-25", "s-len", "s-var", "s-l2")
# its davinci, ada, unigram, trigram; in this order the chains it published are among those enumerated
GHOSTBUSTER_VECTORS = ("strong.prob", "weak.prob", "unigram.prob", "trigram.prob")

KAGGLE_VECTORS = ("strong.prob", "weak.prob", "unigram.prob", "trigram.prob")
KAGGLE_REDUCERS = ("s-min", "s-max", "s-avg", "s-p50", "s-p25", "s-p75", "s-p10", "s-p90", "s-l2", "s-var")

# of zeros and ones all else follows from the mean
BINARY_REDUCERS = ("s-avg", "s-autocorr")

LOGPROBS = ("strong.logprob", "weak.logprob", "trigram.logprob", "unigram.logprob")
EXPECTATIONS = ("strong.entropy", "weak.entropy", "strong.cross_entropy", "weak.cross_entropy")
LOGRANKS = ("strong.logrank", "weak.logrank")
NATS = (*LOGPROBS, *EXPECTATIONS, *LOGRANKS)
VARIANCES = ("strong.varentropy", "weak.varentropy")
CROSS_VARIANCES = ("strong.cross_varentropy", "weak.cross_varentropy")
RATIOS = ("stat-lrr", "stat-fast-detectgpt", "stat-binoculars")
RANKS = ("strong.rank", "weak.rank")
PROBS = ("strong.prob", "weak.prob", "trigram.prob", "unigram.prob")


@dataclass(frozen=True, slots=True)
class Space:
    """Candidates by rule.

    Parameters
    ----------
    name : str
        As users write it.
    rule : callable
        Yields every candidate, each once; the search prefers the earlier of two that do equally well.
    about : str
        What it is, for people.
    exact : bool
        Published elsewhere: a missing vector is an error, not a smaller space.
    """

    name: str
    rule: Callable[[], Iterator[Feature]]
    about: str
    exact: bool = False


def candidates(space: str, vectors_available: Collection[str]) -> tuple[Feature, ...]:
    """Every feature of a space that the vectors at hand allow.

    Parameters
    ----------
    space : str
        A row of ``SPACES``.
    vectors_available : collection of str
        As ``Vectors.channels`` names them.

    Raises
    ------
    SettingError
        When no space has this name.
    FeatureError
        When a vector of an exact space is missing, or nothing of the space is left.
    """
    if space not in SPACES:
        raise SettingError(f"no candidate space {space!r}; {did_you_mean(space, SPACES)}")
    everything = tuple(SPACES[space].rule())
    available = set(vectors_available)
    possible = tuple(f for f in everything if available.issuperset(f.vectors))
    if not possible or (SPACES[space].exact and len(possible) < len(everything)):
        missing = sorted({name for f in everything for name in f.vectors} - available)
        raise FeatureError(f"space {space!r} needs vectors that are not there: {', '.join(missing)}")
    return possible


def ghostbuster_chains(vectors: Sequence[str], depth: int) -> Iterator[Chain]:
    """Chains of at most ``depth`` vectors by Ghostbuster's rule.

    After vector i comes any op but ``v-div`` with a vector of lower index, or ``v-div`` with any other.

    References
    ----------
    Verma et al., "Ghostbuster", NAACL 2024, arXiv:2305.15047.
    """
    index = {name: i for i, name in enumerate(vectors)}
    longest: list[Chain] = [Vector(name) for name in vectors]
    for level in range(depth):
        yield from longest
        if level + 1 < depth:
            longest = [
                Apply(chain, op, Vector(name))
                for chain in longest
                for name in vectors
                for op in GHOSTBUSTER_OPS
                if _may_follow(index, _last_vector(chain), op, name)
            ]


def _last_vector(chain: Chain) -> str:
    return chain.name if isinstance(chain, Vector) else chain.right.name


def _may_follow(index: dict[str, int], last: str, op: str, name: str) -> bool:
    return name != last if op == "v-div" else index[name] < index[last]


def _ghostbuster(depth: int) -> Iterator[Feature]:
    for chain in ghostbuster_chains(GHOSTBUSTER_VECTORS, depth):
        for reducer in GHOSTBUSTER_REDUCERS:
            yield Feature(chain, reducer)


def _kaggle() -> Iterator[Feature]:
    ratios = (Apply(Vector(a), "v-ratio", Vector(b)) for a, b in combinations(KAGGLE_VECTORS, 2))
    chains: list[Chain] = [*map(Vector, KAGGLE_VECTORS), *ratios]
    for chain in chains:
        for reducer in KAGGLE_REDUCERS:
            yield Feature(chain, reducer, "u-skip-25")


def _zeroshot() -> Iterator[Feature]:
    for name, n_sources in STATISTICS:
        for sources in permutations(LANGUAGE_MODELS[::-1], n_sources):
            yield Feature(Models(*sources), name)


def _reduced(chains: Iterator[Chain]) -> Iterator[Feature]:
    """Every length-free reducer that goes everywhere over every chain, without duplicates."""
    # closed under a change of sign, so that a chain's negative has nothing to add; s-var is s-std squared
    everywhere = (r for r in REDUCERS.values() if r.everywhere and not r.depends_on_length)
    free = [r.name for r in everywhere if r.name != "s-var"]
    for chain in unique_chains(chains):
        binary = isinstance(chain, Apply) and OPS[chain.op].binary
        for reducer in BINARY_REDUCERS if binary else free:
            yield Feature(chain, reducer)


def _ngram() -> Iterator[Feature]:
    yield from _reduced(_pairs(("trigram.logprob", "unigram.logprob", "trigram.prob", "unigram.prob")))


def _pairs(names: Sequence[str]) -> Iterator[Chain]:
    """Each vector, and each op between each two."""
    yield from map(Vector, names)
    for a, b in permutations(names, 2):
        for op in ("v-sub", "v-add", "v-mul", "v-div", "v->"):
            yield chain_of(a, op, b)


def _deviations() -> Iterator[Chain]:
    """By how much a token's log-prob misses what a model expected: its mean under p is minus the entropy."""
    for logprob in LOGPROBS[:2]:
        for expectation in EXPECTATIONS:
            yield chain_of(logprob, "v-add", expectation)


def _default_chains() -> Iterator[Chain]:
    """Depth 1; the pairs that mean something; deviations and differences against a third vector."""
    yield from map(Vector, (*NATS, *VARIANCES, *PROBS))
    yield from _deviations()
    yield from (chain_of(a, "v-sub", b) for a, b in combinations(NATS, 2))
    yield from (chain_of(a, "v-mul", b) for a, b in combinations((*NATS, *VARIANCES), 2))
    yield from (
        chain_of(a, "v->", b) for names in (LOGPROBS, EXPECTATIONS) for a, b in combinations(names, 2)
    )
    # divisors that seldom come near 0
    for divisor in ("unigram.logprob", "trigram.logprob", *EXPECTATIONS):
        yield from (chain_of(a, "v-div", divisor) for a in NATS if a != divisor)
    for deviation in _deviations():
        yield from (
            Apply(deviation, "v-mul", Vector(third)) for third in ("unigram.logprob", "trigram.logprob")
        )
        yield from (Apply(deviation, "v-div", Vector(third)) for third in (*EXPECTATIONS, *VARIANCES))
    for a, b in combinations(LOGPROBS, 2):
        for third in (*LOGPROBS, *EXPECTATIONS):
            yield chain_of(a, "v-sub", b, "v-mul", third)


def _wide_chains() -> Iterator[Chain]:
    """The default ones, all pairs, and differences of nats against a third."""
    yield from _default_chains()
    yield from map(Vector, RANKS)
    yield from _pairs((*NATS, *VARIANCES, *CROSS_VARIANCES, *PROBS))
    for a, b in combinations(NATS, 2):
        for third in (*LOGPROBS, *EXPECTATIONS):
            yield chain_of(a, "v-sub", b, "v-mul", third)


def _deep_chains() -> Iterator[Chain]:
    """The wide ones, and all pairs in nats with a third vector."""
    yield from _wide_chains()
    for pair in _pairs(NATS):
        for third in (*LOGPROBS, *EXPECTATIONS):
            yield from (Apply(pair, op, Vector(third)) for op in ("v-sub", "v-mul", "v-div"))


def _surface_chains() -> Iterator[Chain]:
    """The surface vectors, and each model vector times each of them."""
    names = [f"surface.{channel}" for channel in SURFACE]
    yield from map(Vector, names)
    for name in names:
        yield from (chain_of(a, "v-mul", name) for a in NATS)


def _ratios() -> Iterator[Feature]:
    """Statistics that are not already some vector's mean; newer ones are in the families."""
    return (f for f in _zeroshot() if f.reducer in RATIOS)


def _standard() -> Iterator[Feature]:
    """The default space, and what its families have more."""
    yield from dict.fromkeys((*_ours(_default_chains), *newer()))


def _ours(*rules: Callable[[], Iterator[Chain]]) -> Iterator[Feature]:
    """Statistics, and chains by some rules."""
    yield from _ratios()
    yield from _reduced(chain for rule in rules for chain in rule())


SPACES: dict[str, Space] = {
    space.name: space
    for space in (
        Space(
            "default",
            partial(_ours, _default_chains),
            "log-probs, probabilities, ranks and expectations of all models, free of length",
        ),
        Space(
            "standard",
            _standard,
            "the default space, and newer features: dynamics, spectra, diversity, repair, look-back, masses, "
            "weights, tails",
        ),
        Space(
            "surface",
            partial(_ours, _default_chains, _surface_chains),
            "the default space, and the length of words, sentences and clauses, capitals and marks",
        ),
        Space(
            "wide",
            partial(_ours, _wide_chains, _surface_chains),
            "the surface space, all pairs, and more of depth 3: some 20,000",
        ),
        Space(
            "deep",
            partial(_ours, _deep_chains, _surface_chains),
            "the wide space, and all of depth 3 between log-probs, log-ranks and expectations: some 100,000",
        ),
        Space(
            "ghostbuster",
            partial(_ghostbuster, 3),
            "Ghostbuster's 2,534 candidates: probabilities to depth 3",
            exact=True,
        ),
        Space(
            "ghostbuster-4",
            partial(_ghostbuster, 4),
            "the same to depth 4: 19,635 candidates",
            exact=True,
        ),
        Space(
            "kaggle",
            _kaggle,
            "100 statistics of the Kaggle variant: probabilities and their ratios",
            exact=True,
        ),
        Space("zeroshot", _zeroshot, "statistics of one or two language models, not trained"),
        Space("ngram", _ngram, "unigram and trigram alone, to depth 2, free of length", exact=True),
    )
}
