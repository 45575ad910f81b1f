"""Zero-shot statistics of one or two language models (LRR, Fast-DetectGPT, Binoculars and others).

To add one, add its row to ``STATISTICS``; never change what a row means.

Log-probs are nats. In every formula the sums run over the units of one text, ``p`` is the scoring model's and
``r`` the reference model's distribution at a unit, ``x`` the token that is there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ghostbuster.arrays import Float1d
from ghostbuster.features import dynamics
from ghostbuster.features.ragged import Ragged

SMALLEST_WEIGHT = 1e-100
LANGUAGE_MODELS = ("weak", "strong")  # the sources that can be each other's reference


@dataclass(frozen=True, slots=True)
class Statistic:
    """Some channels of one source to one finite number a text.

    Parameters
    ----------
    name : str
        As written in an expression.
    channels : tuple of str
        What it reads of the scoring source, its first.
    apply : callable
        One ragged vector a channel to (n_texts,).
    formula, paper : str
        What it computes, and who proposed it.
    words : str
        What it measures for readers of a verdict, with ``{}`` for the scoring source.
    n_sources : int
        2 where the channels were computed with another model's distribution as reference, the second source.
    empty : float
        Value of a text without units.
    """

    name: str
    channels: tuple[str, ...]
    apply: Callable[..., Float1d]
    formula: str
    paper: str
    words: str
    n_sources: int = 1
    empty: float = 0.0


def _mean(x: Ragged) -> Float1d:
    return x.mean


def _log_likelihood_log_rank_ratio(logprob: Ragged, logrank: Ragged) -> Float1d:
    """Log-ranks are 0 where every token is the likeliest; log 2 is the least they can sum to otherwise."""
    return -logprob.total / np.maximum(logrank.total, np.log(2))


def _curvature(logprob: Ragged, cross_entropy: Ragged, variance: Ragged) -> Float1d:
    difference = logprob.total + cross_entropy.total
    deviation = np.sqrt(np.maximum(variance.total, 0.0))
    return np.divide(difference, deviation, out=np.zeros_like(difference), where=deviation > 1e-6)  # noqa: PLR2004


def _perplexity_ratio(logprob: Ragged, cross_entropy: Ragged) -> Float1d:
    ratio: Float1d = -logprob.total / np.maximum(cross_entropy.total, 1e-6 * cross_entropy.layout.lengths)
    return ratio


def _repair(logprob: Ragged, top_logprob: Ragged, expected: Ragged) -> Float1d:
    """The mean of the perplexities before and after every token is mended; see Binoculars for the divisor."""
    both = -(logprob.total + top_logprob.total) / 2
    ratio: Float1d = both / np.maximum(expected.total, 1e-6 * expected.layout.lengths)
    return ratio


def _likelihood_over_diversity(logprob: Ragged) -> Float1d:
    spread = dynamics.diversity_spread(logprob, 10 * logprob.layout.lengths)
    return np.divide(logprob.mean, spread, out=np.zeros_like(spread), where=spread > 1e-6)  # noqa: PLR2004


def _weighted(logprob: Ragged, weight: Float1d) -> Float1d:
    total = logprob.sum(weight)
    weighted = logprob.sum(weight * logprob.values)
    return np.divide(weighted, total, out=np.zeros_like(total), where=total > SMALLEST_WEIGHT)


def _where_unsure(logprob: Ragged, entropy: Ragged) -> Float1d:
    return _weighted(logprob, entropy.values)


def _where_sure(logprob: Ragged, entropy: Ragged) -> Float1d:
    return _weighted(logprob, np.exp(-np.maximum(entropy.values, 0.0)))


STATISTICS: dict[tuple[str, int], Statistic] = {
    (statistic.name, statistic.n_sources): statistic
    for statistic in (
        Statistic(
            "stat-loglikelihood",
            ("logprob",),
            _mean,
            "mean log p(x)",
            "Solaiman et al. 2019, arXiv:1908.09203",
            "average predictability to {} (log-likelihood)",
        ),
        Statistic(
            "stat-rank",
            ("rank",),
            _mean,
            "mean rank of x",
            "Gehrmann et al. 2019, arXiv:1906.04043",
            "average place on {}'s list (rank)",
        ),
        Statistic(
            "stat-logrank",
            ("logrank",),
            _mean,
            "mean log rank of x",
            "Mitchell et al. 2023, arXiv:2301.11305",
            "average place on {}'s list (log-rank)",
        ),
        Statistic(
            "stat-entropy",
            ("entropy",),
            _mean,
            "mean entropy of p",
            "Gehrmann et al. 2019, arXiv:1906.04043",
            "{}'s average uncertainty (entropy)",
        ),
        Statistic(
            "stat-lrr",
            ("logprob", "logrank"),
            _log_likelihood_log_rank_ratio,
            "-sum log p(x) / sum log rank(x), the divisor at least log 2",
            "Su et al. 2023 (DetectLLM), arXiv:2306.05540",
            "predictability to {} for the places on its list (LRR)",
        ),
        Statistic(
            "stat-fast-detectgpt",
            ("logprob", "entropy", "varentropy"),
            _curvature,
            "(sum log p(x) + sum entropy(p)) / sqrt(sum varentropy(p)); 0 where the root is 0",
            "Bao et al. 2024 (Fast-DetectGPT, analytic, scoring model = reference), arXiv:2310.05130",
            "predictability to {} against that of its own guesses (Fast-DetectGPT)",
        ),
        Statistic(
            "stat-fast-detectgpt",
            ("logprob", "cross_entropy", "cross_varentropy"),
            _curvature,
            "(sum log p(x) - sum E_r[log p]) / sqrt(sum Var_r[log p]); 0 where the root is 0",
            "Bao et al. 2024 (Fast-DetectGPT, analytic; scoring model, reference), arXiv:2310.05130",
            "predictability to {} against that of its own guesses (Fast-DetectGPT)",
            n_sources=2,
        ),
        Statistic(
            "stat-binoculars",
            ("logprob", "cross_entropy"),
            _perplexity_ratio,
            "mean -log p(x) / mean -sum_v r(v) log p(v)",
            "Hans et al. 2024 (Binoculars; performer, observer), arXiv:2401.12070",
            "surprise of {} against its disagreement with the other (Binoculars)",
            n_sources=2,
        ),
        Statistic(
            "stat-dna-detectllm",
            ("logprob", "top_logprob", "entropy"),
            _repair,
            "mean -(log p(x) + max_v log p(v)) / 2 over mean entropy(p)",
            "Zhu et al. 2025 (DNA-DetectLLM; scoring model = observer), arXiv:2509.15550",
            "effort to mend the text into what {} would write (DNA-DetectLLM)",
        ),
        Statistic(
            "stat-dna-detectllm",
            ("logprob", "top_logprob", "cross_entropy"),
            _repair,
            "mean -(log p(x) + max_v log p(v)) / 2 over mean -sum_v r(v) log p(v)",
            "Zhu et al. 2025 (DNA-DetectLLM; performer, observer), arXiv:2509.15550",
            "effort to mend the text into what {} would write (DNA-DetectLLM)",
            n_sources=2,
        ),
        Statistic(
            "stat-lastde",
            ("logprob",),
            _likelihood_over_diversity,
            "mean log p(x) / standard deviation over scales 1 to 5 of the diversity entropy of log p(x), "
            "patterns of 3, 10 bins a unit; 0 where it is 0",
            "Xu et al. 2024 (Lastde), arXiv:2410.06072",
            "predictability to {} for the variety of its patterns (Lastde)",
        ),
        Statistic(
            "stat-where-unsure",
            ("logprob", "entropy"),
            _where_unsure,
            "sum entropy(p) log p(x) / sum entropy(p)",
            "weights by entropy, as PAWN learns them: Miralles-Gonzalez et al. 2025, arXiv:2501.03940",
            "average predictability to {} where it is unsure",
        ),
        Statistic(
            "stat-where-sure",
            ("logprob", "entropy"),
            _where_sure,
            "sum exp(-entropy(p)) log p(x) / sum exp(-entropy(p))",
            "weights by certainty, as PAWN learns them: Miralles-Gonzalez et al. 2025, arXiv:2501.03940",
            "average predictability to {} where it is sure",
        ),
    )
}
