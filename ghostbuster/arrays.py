"""Array types of the whole package, and token scores of many texts as flat ragged arrays, validated once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.errors import InputError

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


def _frozen(array: npt.ArrayLike, kind: str) -> AnyArray:
    """A read-only one-dimensional view or copy of ``array``."""
    made = np.asarray(array)
    if made.ndim != 1:
        raise InputError(f"{kind} has shape {made.shape}; expected one dimension: flatten it first")
    view = made.view()
    view.flags.writeable = False
    return view


def _check_offsets(offsets: AnyInt, n_units: int) -> None:
    """Offsets start at 0, never fall, and end at the number of units."""
    if offsets.size == 0 or offsets[0] != 0 or offsets[-1] != n_units or np.any(np.diff(offsets) < 0):
        raise InputError(
            f"offsets must rise from 0 to {n_units}, the number of units, one entry a text and one more; "
            f"got {offsets[:3]}...{offsets[-1:]}"
        )


def _rows(offsets: AnyInt, texts: npt.ArrayLike) -> tuple[AnyInt, AnyInt]:
    """Unit indices of the chosen ``texts`` in order, and their new offsets."""
    chosen = np.asarray(texts, dtype=np.intp)
    lengths = np.diff(offsets)[chosen]
    new = np.concatenate(([0], np.cumsum(lengths)))
    starts = np.asarray(offsets)[:-1][chosen]
    return np.repeat(starts - new[:-1], lengths) + np.arange(new[-1]), new


@dataclass(frozen=True)
class TokenScores:
    """Per-token statistics of many texts under one model.

    Parameters
    ----------
    channels : mapping of str to array of shape (n_tokens,)
        ``logprob`` (nats, <= 0), ``rank`` (1 for the likeliest token), ``entropy`` (nats), ``varentropy``
        (nats squared), and where a second model read along ``cross_entropy`` and ``cross_varentropy``.
    ends : array of shape (n_tokens,)
        End of each token, in characters of its own prepared text.
    offsets : array of shape (n_texts + 1,)
        Text ``i`` owns tokens ``offsets[i]:offsets[i + 1]``.

    Raises
    ------
    InputError
        When a length does not fit, offsets fall, or a channel holds something that is no number.
    """

    channels: Mapping[str, AnyFloat]
    ends: AnyInt
    offsets: AnyInt

    def __post_init__(self) -> None:
        ends, offsets = _frozen(self.ends, "ends"), _frozen(self.offsets, "offsets")
        _check_offsets(offsets, ends.size)
        channels = _check_channels(self.channels, ends.size)
        object.__setattr__(self, "ends", ends)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "channels", channels)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (dict(self.channels), self.ends, self.offsets)

    @property
    def n_texts(self) -> int:
        """Number of texts."""
        return self.offsets.size - 1

    def take(self, texts: npt.ArrayLike) -> TokenScores:
        """The chosen texts, in the order given."""
        rows, offsets = _rows(self.offsets, texts)
        return TokenScores({k: v[rows] for k, v in self.channels.items()}, self.ends[rows], offsets)

    @classmethod
    def concatenate(cls, parts: Sequence[TokenScores]) -> TokenScores:
        """All texts of ``parts``, one after another; every part has the same channels."""
        if not parts:
            raise InputError("nothing to concatenate; expected at least one TokenScores")
        return cls(
            {k: np.concatenate([p.channels[k] for p in parts]) for k in parts[0].channels},
            np.concatenate([p.ends for p in parts]),
            np.concatenate(([0], np.cumsum(np.concatenate([np.diff(p.offsets) for p in parts])))),
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

    Raises
    ------
    InputError
        When a length does not fit, offsets fall, or a channel holds something that is no number.
    """

    channels: Mapping[str, AnyFloat]
    offsets: AnyInt

    def __post_init__(self) -> None:
        if not self.channels:
            raise InputError("Vectors need at least one channel; got none")
        offsets = _frozen(self.offsets, "offsets")
        name, values = next(iter(self.channels.items()))
        n_units = _frozen(values, name).size
        _check_offsets(offsets, n_units)
        channels = _check_channels(self.channels, n_units)
        object.__setattr__(self, "offsets", offsets)
        object.__setattr__(self, "channels", channels)

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (dict(self.channels), self.offsets)

    @property
    def n_texts(self) -> int:
        """Number of texts."""
        return self.offsets.size - 1

    @property
    def lengths(self) -> AnyInt:
        """Units of each text, shape (n_texts,)."""
        return np.diff(self.offsets)

    def take(self, texts: npt.ArrayLike) -> Vectors:
        """The chosen texts, in the order given."""
        rows, offsets = _rows(self.offsets, texts)
        return Vectors({k: v[rows] for k, v in self.channels.items()}, offsets)


def _check_channels(channels: Mapping[str, AnyFloat], n_units: int) -> Mapping[str, AnyFloat]:
    """Read-only channels of one length, all finite."""
    checked: dict[str, AnyFloat] = {}
    for name, values in channels.items():
        array = _frozen(values, name)
        if array.size != n_units:
            raise InputError(f"channel {name} has {array.size} values; expected {n_units}, one a unit")
        if not np.all(np.isfinite(array)):
            raise InputError(f"channel {name} holds NaN or infinity; expected finite numbers only")
        checked[name] = array
    return MappingProxyType(checked)
