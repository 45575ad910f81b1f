"""Align token scores of all sources on common units: tokens where sources share them, else words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from ghostbuster.arrays import AnyFloat, AnyInt, TokenScores, Vectors
from ghostbuster.errors import InputError, SettingError
from ghostbuster.features.surface import surface_channels
from ghostbuster.features.words import owners, split, word_ends
from ghostbuster.registry import did_you_mean

Unit = Literal["token", "word"]


def _sum(values: AnyFloat, words: AnyInt, n_words: int) -> AnyFloat:
    """Log-probs of a word's tokens add up to the word's; so do entropies, by the chain rule."""
    return np.bincount(words, weights=values, minlength=n_words).astype(np.float64)


def _worst(values: AnyFloat, words: AnyInt, n_words: int) -> AnyFloat:
    """Largest of a word's tokens; 1, the best rank, where a word owns none."""
    worst = np.ones(n_words)
    np.maximum.at(worst, words, values)
    return worst


def _largest_share(values: AnyFloat, words: AnyInt, n_words: int) -> AnyFloat:
    """Largest of a word's tokens; 0, nothing likelier, where a word owns none."""
    largest = np.zeros(n_words)
    np.maximum.at(largest, words, values)
    return largest


def _mean_share(values: AnyFloat, words: AnyInt, n_words: int) -> AnyFloat:
    """Mean of a word's tokens; 1, all of the mass, where a word owns none."""
    owned = np.bincount(words, minlength=n_words)
    sums = np.bincount(words, weights=values, minlength=n_words)
    return np.where(owned > 0, sums / np.maximum(owned, 1), 1.0)


# How the tokens of one word become the word's value. To let a channel through, add its row.
WORD_VALUES: dict[str, Callable[[AnyFloat, AnyInt, int], AnyFloat]] = {
    "logprob": _sum,
    "rank": _worst,
    "entropy": _sum,
    "varentropy": _sum,
    "cross_entropy": _sum,
    "cross_varentropy": _sum,
    "top_logprob": _sum,
    "mass_above": _largest_share,
    "top10_mass": _mean_share,
    "lookback": _sum,
}


def align(scores: Mapping[str, TokenScores], texts: Sequence[str], by: Unit) -> Vectors:
    """Bring every channel of every source to the same units.

    By token, all sources must have read the same tokens. By word, a token belongs to the word (delimited by
    white space) in which it ends; one that ends in white space belongs to the next word, or to the last. A
    word's ``rank`` and ``mass_above`` are its tokens' largest, its ``top10_mass`` their mean, everything else
    their sum. A word in which no token of a source ends has log-prob 0 and rank 1 there: the source's token
    for it ends in the next word.

    Two channels are derived: ``prob = exp(logprob)`` for every source, ``logrank = log(rank)`` where there
    are ranks. The channels of ``surface`` are added, which need no model. Hidden states, which belong to
    texts and not to units, are handed on as they are.

    Parameters
    ----------
    scores : mapping of source name to TokenScores
        Of the same n_texts texts.
    texts : sequence of str, length n_texts
        The prepared texts that were scored.
    by : {"token", "word"}
        Unit.

    Returns
    -------
    Vectors
        float32 channels named ``source.channel``; hidden states named ``source.states``.

    Raises
    ------
    SettingError
        When ``by`` is neither.
    InputError
        When sources have unequal numbers of texts, tokens end behind their text, a channel is unknown, or
        tokens differ between sources and the unit is the token.
    """
    if by not in ("token", "word"):
        raise SettingError(f"unit is {by!r}; {did_you_mean(by, ('token', 'word'))}")
    if not scores:
        raise InputError("no scores to align; expected at least one source")
    for name, source in scores.items():
        _check_source(name, source, texts)
    if by == "token":
        _check_same_tokens(scores)
        first = next(iter(scores.values()))
        ends, offsets = first.ends, first.offsets
        channels: dict[str, AnyFloat] = {
            f"{s}.{c}": v for s, source in scores.items() for c, v in source.channels.items()
        }
    else:
        channels, ends, offsets = _by_word(scores, texts)
    states = {f"{name}.states": one.states for name, one in scores.items() if one.states is not None}
    every_channel = {**_with_derived(channels), **surface_channels(texts, ends, offsets)}
    return Vectors(every_channel, offsets, states)


def unit_ends(scores: Mapping[str, TokenScores], texts: Sequence[str], by: Unit) -> AnyInt:
    """End of each unit that ``align`` makes, in characters of its text: shape (n_units,)."""
    if by == "token":
        return next(iter(scores.values())).ends
    return np.concatenate([np.empty(0, dtype=np.int64), *(word_ends(split(text)) for text in texts)])


def _check_source(name: str, source: TokenScores, texts: Sequence[str]) -> None:
    """Check that ``source`` fits ``texts``."""
    if source.n_texts != len(texts):
        raise InputError(
            f"source {name!r} scored {source.n_texts} texts; expected {len(texts)}: score them again"
        )
    for channel in source.channels:
        if channel not in WORD_VALUES:
            raise InputError(f"source {name!r} has channel {channel!r}; {did_you_mean(channel, WORD_VALUES)}")
    owners = np.flatnonzero(np.diff(source.offsets))
    last = source.ends[source.offsets[owners + 1] - 1]
    behind = owners[last > np.array([len(text) for text in texts], dtype=np.int64)[owners]]
    if behind.size:
        i = int(behind[0])
        raise InputError(
            f"source {name!r}: tokens of text {i} end behind its {len(texts[i])} characters; "
            "score the prepared text that is aligned"
        )


def _check_same_tokens(scores: Mapping[str, TokenScores]) -> None:
    """Check that all sources have the same tokens."""
    (first_name, first), *others = scores.items()
    for name, other in others:
        if not np.array_equal(first.offsets, other.offsets) or not np.array_equal(first.ends, other.ends):
            raise InputError(f"sources {first_name!r} and {name!r} have different tokens; align them by word")


def _by_word(
    scores: Mapping[str, TokenScores], texts: Sequence[str]
) -> tuple[dict[str, AnyFloat], AnyInt, AnyInt]:
    """Channels, ends and offsets in words."""
    ends = [word_ends(split(text)) for text in texts]
    offsets = np.concatenate(([0], np.cumsum([e.size for e in ends], dtype=np.int64)))
    channels: dict[str, AnyFloat] = {}
    for name, source in scores.items():
        words = _words_of_tokens(source, ends, offsets)
        for channel, values in source.channels.items():
            channels[f"{name}.{channel}"] = WORD_VALUES[channel](values, words, int(offsets[-1]))
    return channels, np.concatenate([*ends, np.empty(0, dtype=np.int64)]), offsets


def _words_of_tokens(source: TokenScores, ends: Sequence[AnyInt], offsets: AnyInt) -> AnyInt:
    """Flat index of the word that owns each token: (n_tokens,)."""
    words = np.empty(source.ends.size, dtype=np.intp)
    for i, of_text in enumerate(ends):
        tokens = slice(source.offsets[i], source.offsets[i + 1])
        words[tokens] = offsets[i] + owners(source.ends[tokens], of_text)
    return words


def _with_derived(channels: Mapping[str, AnyFloat]) -> dict[str, AnyFloat]:
    """``channels`` in float32, and what follows from them."""
    made: dict[str, AnyFloat] = {}
    for name, values in channels.items():
        source, channel = name.split(".")
        made[name] = values.astype(np.float32, copy=False)
        if channel == "logprob":
            made[f"{source}.prob"] = np.exp(values, dtype=np.float64).astype(np.float32)
        elif channel == "rank":
            made[f"{source}.logrank"] = np.log(values, dtype=np.float64).astype(np.float32)
    return made
