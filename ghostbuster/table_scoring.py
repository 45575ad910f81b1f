"""A table scored a piece at a time: look it over, score what is not yet scored, write it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.errors import InputError
from ghostbuster.files import publish
from ghostbuster.journal import Journal, Score
from ghostbuster.names import unknown
from ghostbuster.table_chunks import Chunk, RecordChunk, texts_in
from ghostbuster.table_schema import Types
from ghostbuster.table_sinks import LINE_SINKS, NUMBER, WORD, ParquetSink, Sink
from ghostbuster.table_sources import FolderSource, ParquetSource, Source

if TYPE_CHECKING:
    import pyarrow as pa

PIECE_CHARACTERS = 2**16
"""A piece of work ends with the row that reaches it: a few seconds of the embedded models."""
PIECE_ROWS = 16
"""It has as many rows at least, so that long texts keep all cores busy, unless they are very long."""
MOST_ROWS, MOST_CHARACTERS = 256, 2**20
SHOWN = 10
"""Faults told one by one; the column tells them all."""
UNDECIDED = 0.5
"""What a submission says of a row without a text: it has to say a number."""

Judge = Callable[[list[str]], Sequence[Score]]
Progress = Callable[[int, int], None]
Fault = tuple[int, str]


@dataclass(frozen=True)
class Survey:
    """A table looked over before anything costly.

    Attributes
    ----------
    digest : str
        Of what it holds.
    n_rows : int
    n_characters : int
        Of all texts; 0 where they were not read.
    n_faults : int
        Rows that hold no text.
    faults : tuple of (int, str)
        Numbers, from 1, of the first such rows, and what is wrong with them.
    schema : pyarrow.Schema or None
        Types of its columns, where they were asked for.
    """

    digest: str
    n_rows: int
    n_characters: int
    n_faults: int
    faults: tuple[Fault, ...]
    schema: pa.Schema | None


@dataclass(frozen=True)
class Job:
    """What is asked for.

    Attributes
    ----------
    source : Source
    output : Path
    text_column : str
    prefix : str
        Put before the names of added columns.
    submission : str
        Column of ids, to write nothing but these and a number each; empty to keep all columns.
    """

    source: Source
    output: Path
    text_column: str
    prefix: str = ""
    submission: str = ""

    @property
    def added(self) -> dict[str, str]:
        """New columns and their types; ``error`` comes where a row has one."""
        if self.submission:
            return {"generated": NUMBER}
        return {self.prefix + "probability": NUMBER, self.prefix + "label": WORD}

    @property
    def error_column(self) -> str:
        """Column that tells what is wrong with a row."""
        return self.prefix + "error"


def survey(job: Job) -> Survey:
    """Read all rows once: count them, and refuse what cannot be scored before a model is loaded.

    Raises
    ------
    InputError
        When the table cannot be read, has no row, lacks a column that is asked for, or has one that would be
        overwritten.
    """
    source = job.source
    digest = source.digest()
    types = Types() if _parquet(job) and not isinstance(source, ParquetSource) else None
    n_rows = n_characters = n_faults = 0
    faults: list[Fault] = []
    if isinstance(source, FolderSource):  # its texts are read once, when they are scored
        n_rows = len(source.documents)
    else:
        for chunk in source.chunks(job.text_column):
            if types is not None:
                types.see(chunk.records())
            for n_rows, (text, fault) in enumerate(_texts(job, chunk), start=n_rows + 1):  # noqa: B020
                n_characters += len(text)
                if fault:
                    n_faults += 1
                    faults += [(n_rows, fault)] * (n_faults <= SHOWN)
    if not n_rows:
        raise InputError(f"{source.path} has no row; expected a header and at least one text")
    _check_columns(job, faults=n_faults > 0)
    return Survey(digest, n_rows, n_characters, n_faults, tuple(faults), _schema(job, types))


def score(job: Job, journal: Journal, judge: Judge, progress: Progress) -> None:
    """Score all rows that the journal does not hold.

    Parameters
    ----------
    job : Job
    journal : Journal
    judge : callable
        Texts to scores.
    progress : callable
        Called with the rows and the characters scored by this call.
    """
    done, n_characters = journal.n_rows, 0
    rows = _rows(job, done)
    while piece := list(_piece(rows)):
        good = [text for text, fault in piece if not fault]
        found = iter(judge(good) if good else ())
        journal.append([Score(None, None, fault) if fault else next(found) for _, fault in piece])
        n_characters += sum(len(text) for text, _ in piece)
        progress(journal.n_rows - done, n_characters)


def faults_in(journal: Journal) -> tuple[int, tuple[Fault, ...]]:
    """How many rows have an error, and the numbers, from 1, and errors of the first of them."""
    n_faults, shown = 0, []
    for number, one in enumerate(journal.scores(), start=1):
        if one.error:
            n_faults += 1
            shown += [(number, one.error)] * (n_faults <= SHOWN)
    return n_faults, tuple(shown)


def write(job: Job, seen: Survey, journal: Journal, *, faulty: bool) -> None:
    """Write the table with its scores, whole or not at all.

    Parameters
    ----------
    job : Job
    seen : Survey
    journal : Journal
        With a score of every row.
    faulty : bool
        Whether a column of errors is wanted.

    Raises
    ------
    InputError
        When the table is no longer the one that was scored, or the output cannot be written.
    """
    added = job.added | ({job.error_column: WORD} if faulty and not job.submission else {})
    temporary = job.output.with_name(f".{job.output.name}.writing")
    try:
        _check_unchanged(job, seen)
        scores = journal.scores()
        with _sink(job, temporary, seen, added) as sink:
            for chunk in job.source.chunks():
                sink.write(_kept_part(job, chunk), _columns(job, list(islice(scores, len(chunk.faults)))))
        _check_unchanged(job, seen)
        publish(temporary, job.output)
    except OSError as error:
        raise InputError(
            f"{job.output} could not be written ({error.strerror}): all scores are kept; make room and give "
            "the same command again"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_unchanged(job: Job, seen: Survey) -> None:
    if job.source.digest() != seen.digest:
        raise InputError(
            f"{job.source.path} has changed while it was scored: give --restart to score it as it is now"
        )


def _texts(job: Job, chunk: Chunk) -> Iterator[tuple[str, str]]:
    """Text and fault of each row; a column that no row can have is an error of the table."""
    columns = job.source.columns
    if columns and job.text_column not in columns:
        raise unknown(job.text_column, columns, f"column of {job.source.path}", InputError)
    return texts_in(chunk, job.text_column)


def _rows(job: Job, start: int) -> Iterator[tuple[str, str]]:
    """Text and fault of each row from ``start`` on."""
    source, column = job.source, job.text_column
    if isinstance(source, FolderSource):  # what is scored already need not be read
        return (row for chunk in source.chunks(column, start) for row in texts_in(chunk, column))
    return islice((row for chunk in source.chunks(column) for row in texts_in(chunk, column)), start, None)


def _piece(rows: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The next rows, up to a piece of work."""
    n_characters = 0
    for n_rows, row in enumerate(islice(rows, MOST_ROWS), start=1):
        yield row
        n_characters += len(row[0])
        if n_characters >= (PIECE_CHARACTERS if n_rows >= PIECE_ROWS else MOST_CHARACTERS):
            return


def _check_columns(job: Job, *, faults: bool) -> None:
    columns = job.source.columns
    for name in ("" if isinstance(job.source, FolderSource) else job.text_column, job.submission):
        if name and name not in columns:
            raise unknown(name, columns, f"column of {job.source.path}", InputError)
    double = next((name for i, name in enumerate(columns) if name in columns[:i]), None)
    if double is not None:
        raise InputError(f"{job.source.path} has two columns called {double!r}: rename one")
    if job.submission:
        return
    for name in [*job.added, *([job.error_column] if faults else [])]:
        if name in columns:
            raise InputError(
                f"{job.source.path} already has a column {name!r}, which would be lost: rename it, or give "
                "--prefix"
            )


def _kept(job: Job) -> list[str]:
    return [job.submission] if job.submission else job.source.columns


def _parquet(job: Job) -> bool:
    return job.output.suffix.lower() not in LINE_SINKS


def _schema(job: Job, types: Types | None) -> pa.Schema | None:
    if not _parquet(job):
        return None
    if isinstance(job.source, ParquetSource):
        schema: pa.Schema = job.source.schema
        return schema
    return (types or Types()).schema(job.source.columns)


def _sink(job: Job, path: Path, seen: Survey, added: dict[str, str]) -> Sink:
    columns = ["id"] if job.submission else job.source.columns
    kind = LINE_SINKS.get(job.output.suffix.lower())
    if kind is not None:
        return kind(path, columns, added)
    schema = seen.schema
    if job.submission and schema is not None:
        import pyarrow as pa

        schema = pa.schema([schema.field(job.submission).with_name("id")])
    return ParquetSink(path, schema, added)


def _kept_part(job: Job, chunk: Chunk) -> Chunk:
    """The columns that are written."""
    if not job.submission:
        return chunk
    return RecordChunk([{"id": value} for value in chunk.values(job.submission)], chunk.faults)


def _columns(job: Job, scores: Sequence[Score]) -> dict[str, list[Any]]:
    """Scores as new columns."""
    probabilities = [one.probability for one in scores]
    if job.submission:
        return {"generated": [UNDECIDED if one is None else one for one in probabilities]}
    return {
        job.prefix + "probability": probabilities,
        job.prefix + "label": [one.label for one in scores],
        job.error_column: [one.error or None for one in scores],
    }
