"""Array types of the whole package, and token scores of many texts as flat ragged arrays, validated once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import InputError
from ghostbuster.frozen import check_offsets, frozen, rows_of
from ghostbuster.hidden_states import HiddenStates

Float1d = npt.NDArray[np.float64]
Float2d = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int1d = npt.NDArray[np.intp]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Bool1d = npt.NDArray[np.bool_]
AnyFloat = npt.NDArray[np.floating]
AnyInt = npt.NDArray[np.integer]
AnyArray = npt.NDArray[Any]
"""Names with ``1d`` or ``2d`` say the dimensions for the reader; the type checker sees the dtype alone."""

Progress = Callable[[int, int], None]
"""Called with what is done and what there is in all, in the caller's unit (tokens, texts, bytes)."""


@dataclass(frozen=True)
class TokenScores:
    """Per-token statistics of many texts under one model.

    Parameters
    ----------
    channels : mapping of str to array of shape (n_tokens,)
        ``logprob`` (nats, <= 0), ``rank`` (1 for the likeliest token), ``entropy`` (nats), ``varentropy``
        (nats squared), where a second model read along ``cross_entropy`` and ``cross_varentropy``, and
        where they are wanted ``top_logprob``, ``mass_above``, ``top10_mass`` and ``lookback``.
    ends : array of shape (n_tokens,)
        End of each token, in characters of its own prepared text.
    offsets : array of shape (n_texts + 1,)
        Text ``i`` owns tokens ``offsets[i]:offsets[i + 1]``.
    states : HiddenStates, optional
        Of the same texts, where they were wanted.

    Raises
    ------
    InputError
        When a length does not fit, offsets fall, or a channel holds something that is no number.
    """

    channels: Mapping[str, AnyFloat]
    ends: AnyInt
    offsets: AnyInt
    states: HiddenStates | None = None

    def __post_init__(self) -> None:
        ends, offsets = frozen(self.ends, "ends"), frozen(self.offsets, "offsets")
        check_offsets(offsets, ends.size)
        channels = _check_channels(self.channels, ends.size)
        _check_states(self.states, offsets.size - 1)
        object.__setattr__(self, "ends", ends)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "channels", channels)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (dict(self.channels), self.ends, self.offsets, self.states)

    @property
    def n_texts(self) -> int:
        """Number of texts."""
        return self.offsets.size - 1

    def take(self, texts: npt.ArrayLike) -> TokenScores:
        """The chosen texts, in the order given."""
        rows, offsets = rows_of(self.offsets, texts)
        channels = {k: v[rows] for k, v in self.channels.items()}
        states = None if self.states is None else self.states.take(texts)
        return TokenScores(channels, self.ends[rows], offsets, states)

    @classmethod
    def concatenate(cls, parts: Sequence[TokenScores]) -> TokenScores:
        """All texts of ``parts``, one after another; every part has the same channels and layers."""
        if not parts:
            raise InputError("nothing to concatenate; expected at least one TokenScores")
        states = [part.states for part in parts if part.states is not None]
        if 0 < len(states) < len(parts):
            raise InputError("hidden states in some parts only; expected them in all or none: score again")
        return cls(
            {k: np.concatenate([p.channels[k] for p in parts]) for k in parts[0].channels},
            np.concatenate([p.ends for p in parts]),
            np.concatenate(([0], np.cumsum(np.concatenate([np.diff(p.offsets) for p in parts])))),
            HiddenStates.concatenate(states) if states else None,
        )


@dataclass(frozen=True)
class Vectors:
    """Every channel of every source on the same units (tokens or words), for many texts.

    Parameters
    ----------
    channels : mapping of str to array of shape (n_units,)
        Keys are ``source.channel``: ``strong.logprob``, ``trigram.logprob``.
    offsets : array of shape (n_texts + 1,)
        Text ``i`` owns units ``offsets[i]:offsets[i + 1]``.
    states : mapping of str to HiddenStates
        Keys are ``source.states``; empty where no source's were wanted.

    Raises
    ------
    InputError
        When a length does not fit, offsets fall, or a channel holds something that is no number.
    """

    channels: Mapping[str, AnyFloat]
    offsets: AnyInt
    states: Mapping[str, HiddenStates] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.channels:
            raise InputError("Vectors need at least one channel; got none")
        offsets = frozen(self.offsets, "offsets")
        name, values = next(iter(self.channels.items()))
        n_units = frozen(values, name).size
        check_offsets(offsets, n_units)
        channels = _check_channels(self.channels, n_units)
        for states in self.states.values():
            _check_states(states, offsets.size - 1)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "channels", channels)
        object.__setattr__(self, "states", MappingProxyType(dict(self.states)))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (dict(self.channels), self.offsets, dict(self.states))

    @property
    def n_texts(self) -> int:
        """Number of texts."""
        return self.offsets.size - 1

    @property
    def lengths(self) -> AnyInt:
        """Units of each text, shape (n_texts,)."""
        return np.diff(self.offsets)

    @classmethod
    def concatenate(cls, parts: Sequence[Vectors]) -> Vectors:
        """All texts of ``parts``, one after another; every part has the same channels and hidden states.

        Raises
        ------
        InputError
            When there is no part, or their channels or layers differ.
        """
        if not parts:
            raise InputError("nothing to concatenate; expected at least one Vectors")
        first = parts[0]
        for part in parts:
            if part.channels.keys() != first.channels.keys() or part.states.keys() != first.states.keys():
                raise InputError("vectors of different channels; expected the same in every part: read again")
        lengths = np.concatenate([np.diff(part.offsets) for part in parts])
        return cls(
            {name: np.concatenate([part.channels[name] for part in parts]) for name in first.channels},
            np.concatenate(([0], np.cumsum(lengths))),
            {name: HiddenStates.concatenate([part.states[name] for part in parts]) for name in first.states},
        )

    def take(self, texts: npt.ArrayLike) -> Vectors:
        """The chosen texts, in the order given."""
        rows, offsets = rows_of(self.offsets, texts)
        states = {name: one.take(texts) for name, one in self.states.items()}
        return Vectors({k: v[rows] for k, v in self.channels.items()}, offsets, states)


def _check_channels(channels: Mapping[str, AnyFloat], n_units: int) -> Mapping[str, AnyFloat]:
    """Read-only channels of one length, all finite."""
    checked: dict[str, AnyFloat] = {}
    for name, values in channels.items():
        array = frozen(values, name)
        if array.size != n_units:
            raise InputError(f"channel {name} has {array.size} values; expected {n_units}, one a unit")
        if not np.all(np.isfinite(array)):
            raise InputError(f"channel {name} holds NaN or infinity; expected finite numbers only")
        checked[name] = array
    return MappingProxyType(checked)


def _check_states(states: HiddenStates | None, n_texts: int) -> None:
    """Hidden states are those of as many texts."""
    if states is not None and states.n_texts != n_texts:
        raise InputError(f"hidden states of {states.n_texts} texts; expected those of the {n_texts} scored")
