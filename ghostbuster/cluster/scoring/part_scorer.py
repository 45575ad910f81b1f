"""Score a part and write it as a file: the work of a worker of ``score-table --on ray``."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.cluster.engine.model_files import ModelParcel, received
from ghostbuster.cluster.inputs import InputFile
from ghostbuster.cluster.local_files import LocalFiles, RowSource
from ghostbuster.cluster.parts import Part
from ghostbuster.cluster.plan import PLAN
from ghostbuster.cluster.scoring.part_errors import PartErrors, write_errors
from ghostbuster.cluster.storage import Place, read_bytes, written_whole
from ghostbuster.cluster.survey import Columns
from ghostbuster.detector.batches.portable import PortableDetector
from ghostbuster.detector.batches.row_scores import submission_scores, verdict_scores
from ghostbuster.errors import InputError
from ghostbuster.models.backend.devices import on_device
from ghostbuster.tables.base import Chunk, Layout
from ghostbuster.tables.chunks import texts_in
from ghostbuster.tables.journal import Score
from ghostbuster.tables.kinds.parquet import ArrowChunk
from ghostbuster.tables.registry import kind_of
from ghostbuster.tables.scoring import Judge, added_columns, judged, kept_columns, next_batch
from ghostbuster.tables.survey import Job

if TYPE_CHECKING:
    import pyarrow as pa

    from ghostbuster.detector.detector import Detector


@dataclass
class PartScorer:
    """Scores parts; pickled before it is opened.

    Parameters
    ----------
    files : sequence of InputFile
        All of the input, in order.
    folder : Place
        Where parts are written.
    columns : Columns
    layout : Layout
        Of every part.
    detector : PortableDetector
    parcels : sequence of ModelParcel
        Files of its language models that a node may lack.
    device : str, optional
    gpu_layers : int, optional
    plan_digest : str
        SHA-256 of the plan's file, which a node must see in ``folder``.
    """

    files: Sequence[InputFile]
    folder: Place
    columns: Columns
    layout: Layout
    detector: PortableDetector
    parcels: Sequence[ModelParcel] = ()
    device: str | None = None
    gpu_layers: int | None = None
    plan_digest: str = ""
    _judge: Judge | None = field(default=None, repr=False)
    _rows: RowSource | None = field(default=None, repr=False)

    def open(self) -> None:
        """Open the models.

        Raises
        ------
        InputError
            When the folder of this node is not the one that the command writes to.
        ArtifactError, ModelError, SettingError
            When the models cannot be opened.
        """
        self._check_folder()
        self._rows = RowSource(LocalFiles())
        detector = self.detector.detector()
        detector = detector.with_params(panel=received(detector.params.panel, self.parcels))
        with on_device(self.device, self.gpu_layers):
            self._judge = self._judge_of(detector)
            self._judge([])

    def do(self, part: Part) -> PartErrors:
        """Score a part and write it, whole or not at all.

        Raises
        ------
        InputError
            When a file has changed, or the part cannot be written.
        """
        errors = PartErrors()
        with on_device(self.device, self.gpu_layers), written_whole(self.folder.child(part.name)) as path:
            with kind_of(Path(part.name)).sink(path, self.layout) as sink:
                for address, row, job, chunk, scores in self._scored(part):
                    kept = _aligned(kept_columns(job, chunk), self.layout.schema)
                    sink.write(kept, added_columns(job, scores))
                    errors = errors.and_those(address, row, scores)
            if errors.n:
                write_errors(self.folder, part, errors)
        return errors

    def _scored(self, part: Part) -> Iterator[tuple[str, int, Job, Chunk, list[Score]]]:
        """Chunks with their file, their first row's number from 1, and their scores."""
        rows, judge = self._rows, self._judge
        if rows is None or judge is None:
            raise InputError("the worker is not open: call open() first")
        for span in part.spans:
            file, row = self.files[span.file], span.start + 1
            job = self.columns.job(Path(file.place.path))
            for chunk in rows.rows(file, span, lambda path: self.columns.job(path).reader):
                texts = texts_in(chunk, self.columns.text)
                batches = iter(lambda texts=texts: list(next_batch(texts)), [])  # type: ignore[misc]
                scores = [score for batch in batches for score in judged(batch, judge)]
                yield file.place.address, row, job, chunk, scores
                row += len(scores)

    def _judge_of(self, detector: Detector) -> Judge:
        return submission_scores(detector) if self.columns.submission else verdict_scores(detector)

    def _check_folder(self) -> None:
        content = read_bytes(self.folder.child(PLAN))
        if content is None or hashlib.sha256(content).hexdigest() != self.plan_digest:
            raise InputError(
                f"{self.folder.address} on {socket.gethostname()} is another folder than this machine's: "
                "write where all nodes reach it, such as a shared folder or s3://"
            )


def _aligned(chunk: Chunk, schema: pa.Schema | None) -> Chunk:
    """Rows of a Parquet file with the columns of the whole input: those that it lacks are empty."""
    if schema is None or not isinstance(chunk, ArrowChunk) or chunk.batch.schema.equals(schema):
        return chunk
    import pyarrow as pa

    batch = chunk.batch
    try:
        arrays = [
            batch.column(field.name).cast(field.type)
            if field.name in batch.schema.names
            else pa.nulls(len(batch), field.type)
            for field in schema
        ]
    except pa.ArrowException as error:
        raise InputError(
            f"columns of two files cannot be brought together ({error}): give them one type"
        ) from error
    return ArrowChunk(pa.RecordBatch.from_arrays(arrays, schema=schema))
