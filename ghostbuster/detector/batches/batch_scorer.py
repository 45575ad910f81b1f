"""``BatchScorer``: a detector as a function of batches, which Ray Data, Spark or Dask distribute."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from ghostbuster.detector.batches.portable import portable
from ghostbuster.detector.batches.row_scores import verdict_scores
from ghostbuster.errors import InputError
from ghostbuster.models.backend.devices import Placement, on_device
from ghostbuster.tables.base import TextRow
from ghostbuster.tables.chunks import fault_of, unknown_column
from ghostbuster.tables.journal import Score
from ghostbuster.tables.scoring import Judge, judged, next_batch

if TYPE_CHECKING:
    from ghostbuster.models.panel_choice import PanelName

Batch = TypeVar("Batch")


class BatchScorer:
    """Adds the columns ``probability``, ``label`` and ``error`` to a batch of rows, as ``score-table`` does.

    It is small, and can be pickled: it holds the detector's file, and opens the language models when it is
    first called in a process. Threads may share one; copies in one process share the models.

    Parameters
    ----------
    artifact : str or Path, optional
        A detector's file, or the name of one that ships; the default one if left out.
    text_column : str
    prefix : str
        Put before the names of the added columns.
    register : str, optional
        Judge by the thresholds of this kind of text.
    panel : str or (str, str), optional
        A named panel, or the paths of a weak and a strong model that every machine has there, in place of
        those that the detector names.
    device : str, optional
        ``cpu``, or a card as llama.cpp names it; as `ghostbuster.on_device`.
    gpu_layers : int, optional

    Raises
    ------
    ArtifactError
        When the file is missing or no detector that this version can use.
    SettingError
        When a parameter is out of range, or the detector has no such register.

    Examples
    --------
    >>> import pandas as pd
    >>> import ghostbuster
    >>> scorer = ghostbuster.BatchScorer("lite")
    >>> scorer(pd.DataFrame({"text": ["Far too short."]}))["label"].tolist()
    ['unsure']
    """

    def __init__(
        self,
        artifact: str | Path | None = None,
        *,
        text_column: str = "text",
        prefix: str = "",
        register: str | None = None,
        panel: PanelName | None = None,
        device: str | None = None,
        gpu_layers: int | None = None,
    ) -> None:
        Placement(device, gpu_layers)
        self.text_column, self.prefix = text_column, prefix
        self._detector = portable(artifact, register, panel)
        self._device, self._gpu_layers = device, gpu_layers
        self._start_closed()

    def __repr__(self) -> str:
        return f"BatchScorer({self._detector.identity!r}, text_column={self.text_column!r})"

    def __getstate__(self) -> dict[str, Any]:
        """All but the open models."""
        return {name: value for name, value in vars(self).items() if name not in {"_lock", "_open"}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start_closed()

    @property
    def added(self) -> dict[str, str]:
        """Names of the added columns, and their types as Arrow and Spark name them."""
        return {
            f"{self.prefix}{name}": kind
            for name, kind in (("probability", "double"), ("label", "string"), ("error", "string"))
        }

    def __call__(self, batch: Batch) -> Batch:
        """Score a batch.

        Parameters
        ----------
        batch : DataFrame, pyarrow Table or RecordBatch, or dict of str to array

        Returns
        -------
        of the same kind, with the same rows
            A row without a text has its ``error``, and neither of the others; one that cannot be judged is
            ``unsure``, without a probability where it is too short for one. An empty batch opens no models.

        Raises
        ------
        InputError
            When it is no such batch, lacks the column of texts, or has one that would be overwritten.
        ArtifactError, ModelError
            When the language models cannot be opened, or are others than the detector's.
        """
        columns = _columns_of(batch)
        if self.text_column not in columns:
            raise unknown_column(self.text_column, columns, Path("the batch"))
        for name in self.added:
            if name in columns:
                raise InputError(f"the batch has a column {name!r} already: rename it, or give prefix=")
        scores = self._scores(_values(batch, self.text_column))
        values = (
            [one.probability for one in scores],
            [one.label for one in scores],
            [one.error or None for one in scores],
        )
        made: Batch = _with(batch, dict(zip(self.added, values, strict=True)))
        return made

    def each(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Score batch after batch: what Spark's ``mapInPandas`` and ``mapInArrow`` take."""
        return map(self, batches)

    def _start_closed(self) -> None:
        self._lock = Lock()
        self._open: tuple[int, Judge] | None = None

    def _scores(self, values: Sequence[Any]) -> list[Score]:
        if not values:
            return []
        rows = (_row(value, self.text_column) for value in values)
        judge, found = self._judge(), []
        with on_device(self._device, self._gpu_layers):
            while batch := list(next_batch(rows)):
                found += judged(batch, judge)
        return found

    def _judge(self) -> Judge:
        """The detector of this process; a copy made by a fork opens its own."""
        with self._lock:
            if self._open is None or self._open[0] != os.getpid():
                self._open = os.getpid(), verdict_scores(self._detector.detector())
            return self._open[1]


def _row(value: Any, column: str) -> TextRow:
    fault = fault_of(value, column)
    return TextRow("", fault) if fault else TextRow(value)


def _columns_of(batch: Any) -> list[str]:
    """Names of a batch's columns."""
    if isinstance(batch, dict):
        return [str(name) for name in batch]
    names = getattr(batch, "column_names", None)
    if names is None and hasattr(batch, "schema"):
        names = batch.schema.names
    if names is None and hasattr(batch, "assign"):
        names = batch.columns
    if names is None:
        raise InputError(
            f"a batch is a {type(batch).__name__}; expected a pandas DataFrame, a pyarrow Table or "
            "RecordBatch, or a dict of arrays"
        )
    listed = [str(name) for name in names]
    if len(set(listed)) < len(listed):
        raise InputError(f"the batch has two columns of one name ({', '.join(listed)}): rename one")
    return listed


def _values(batch: Any, column: str) -> list[Any]:
    """Values of a column as Python objects."""
    found = batch[column]
    for name in ("to_pylist", "tolist"):
        if hasattr(found, name):
            values: list[Any] = getattr(found, name)()
            return values
    return list(found)


def _with(batch: Any, added: dict[str, list[Any]]) -> Any:
    """The batch with more columns: of numbers, of words, of words."""
    if isinstance(batch, dict):
        import numpy as np

        types = (np.float64, np.object_, np.object_)
        arrays: list[Any] = [
            np.array(values, dtype=kind) for values, kind in zip(added.values(), types, strict=True)
        ]
        return batch | dict(zip(added, arrays, strict=True))
    if hasattr(batch, "assign"):
        import pandas as pd

        kinds = ("float64", "object", "object")
        columns = [
            pd.Series(values, index=batch.index, dtype=kind)
            for values, kind in zip(added.values(), kinds, strict=True)
        ]
        return batch.assign(**dict(zip(added, columns, strict=True)))
    import pyarrow as pa

    for (name, values), kind in zip(added.items(), ("double", "string", "string"), strict=True):
        batch = batch.append_column(name, pa.array(values, pa.type_for_alias(kind)))
    return batch
