"""Column store of candidate features: in memory, or in a temporary file where memory is short."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float32
from ghostbuster.errors import SettingError
from ghostbuster.features.search.inputs import Labelled

_CELL = 4  # bytes of a float32
_FEWEST = 256  # columns that must fit into memory at once


class Columns:
    """A float32 matrix that is filled block by block and read column by column.

    Parameters
    ----------
    n_texts, most : int
        Rows, and columns at most.
    max_memory : int
        Bytes. A larger matrix is written to an unnamed temporary file, which is deleted with this
        object; set ``TMPDIR`` to say where.

    Raises
    ------
    SettingError
        When not even a few hundred columns fit into ``max_memory``.
    """

    def __init__(self, n_texts: int, most: int, max_memory: int) -> None:
        least = _CELL * n_texts * min(most, _FEWEST)
        if max_memory < least:
            raise SettingError(
                f"max_memory is {max_memory} bytes; expected at least {least} for {n_texts} texts"
            )
        self.n_texts, self.most, self.n_columns = n_texts, most, 0
        #: columns that one block may have
        self.block = max(_FEWEST, max_memory // (8 * _CELL * max(n_texts, 1)))
        self._open = ExitStack()
        self._whole: Float32 | None = None
        if _CELL * n_texts * most <= max_memory:
            self._whole = np.empty((n_texts, most), dtype=np.float32, order="F")
        else:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
            self._open.callback(self._file.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._whole = None
        self._open.close()

    @property
    def in_memory(self) -> bool:
        """Whether no file is used."""
        return self._whole is not None

    def append(self, block: Float32) -> None:
        """Add columns, shape (n_texts, n_new)."""
        last = self.n_columns + block.shape[1]
        if self._whole is not None:
            self._whole[:, self.n_columns : last] = block
        else:
            self._file.write(np.ascontiguousarray(block.T).data)
        self.n_columns = last

    def take(self, columns: Sequence[int]) -> Float32:
        """The chosen columns, shape (n_texts, n_chosen)."""
        if self._whole is not None:
            return self._whole[:, list(columns)]
        made = np.empty((len(columns), self.n_texts), dtype=np.float32)
        for row, column in zip(made, columns, strict=True):
            self._read(row, column)
        return made.T

    def blocks(self, width: int) -> Iterator[tuple[slice, Float32]]:
        """All columns from first to last, ``width`` at a time: which, and their values."""
        for first in range(0, self.n_columns, width):
            which = slice(first, min(first + width, self.n_columns))
            yield which, self._part(which)

    def _part(self, which: slice) -> Float32:
        if self._whole is not None:
            return self._whole[:, which]
        made = np.empty((which.stop - which.start, self.n_texts), dtype=np.float32)
        self._read(made, which.start)
        return made.T

    def _read(self, into: Float32, column: int) -> None:
        """Fill ``into`` with what the file holds from a column on."""
        self._file.seek(column * self.n_texts * _CELL)
        view = into.reshape(-1).view(np.uint8).data
        while view:
            n = self._file.readinto(view)
            if not n:
                raise OSError("the temporary file of candidates is shorter than what was written to it")
            view = view[n:]


def fill_columns(
    columns: Columns,
    columns_of: Callable[[slice], Float32],
    labelled: Labelled,
    order: npt.NDArray[np.intp],
) -> list[int]:
    """Fill ``columns`` with the candidates that are not constant, block by block; return their indices.

    Parameters
    ----------
    columns : Columns
    columns_of : callable
        Values of some candidates, float32 of shape (n_texts, n_some).
    labelled : Labelled
        Centres the columns where it knows sources.
    order : array of shape (n_texts,)
        Order of the texts in ``columns``.
    """
    kept: list[int] = []
    for first in range(0, columns.most, columns.block):
        X = columns_of(slice(first, min(first + columns.block, columns.most)))
        vary = _varying(X)
        kept += (first + vary).tolist()
        columns.append(labelled.centered(X[:, vary])[order])
    return kept


def _varying(X: Float32) -> npt.NDArray[np.intp]:
    """Columns whose values differ by more than float32 rounding."""
    low, high = X.min(axis=0), X.max(axis=0)
    return np.flatnonzero((high - low) > 1e-6 * np.maximum(np.abs(low), np.abs(high)))
