"""Score a table in batches, each saved in the journal at once, then write the table with its scores."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from ghostbuster.arrays import Progress
from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import publish
from ghostbuster.tables.base import WORD, Chunk, Layout, PairRow, TextRow
from ghostbuster.tables.chunks import RecordChunk
from ghostbuster.tables.dialect import Dialect
from ghostbuster.tables.journal import Journal, Score
from ghostbuster.tables.registry import kind_of
from ghostbuster.tables.survey import SHOWN, Fault, Job, Survey

if TYPE_CHECKING:
    import pyarrow as pa

BATCH_CHARACTERS = 2**16
"""A batch ends with the row that reaches it: a few seconds of the embedded models."""
BATCH_ROWS = 16
"""It has as many rows at least, so that long texts keep all cores busy, unless they are very long."""
MOST_ROWS, MOST_CHARACTERS = 256, 2**20
UNDECIDED = 0.5
"""What a submission says of a row without a text: it has to say a number."""

Judge = Callable[[list[Any]], Sequence[Score]]
"""Scores of texts, or of pairs of texts."""

Row = TypeVar("Row", bound=TextRow | PairRow)


def score(job: Job, journal: Journal, judge: Judge, progress: Progress) -> None:
    """Score all rows that the journal does not hold yet, batch by batch.

    Parameters
    ----------
    job : Job
    journal : Journal
    judge : callable
        Texts, or pairs of them, to scores.
    progress : callable
        Called with the rows and the characters scored by this call.
    """
    done, n_characters = journal.n_rows, 0
    rows = job.rows(done)
    while batch := list(next_batch(rows)):
        journal.append(judged(batch, judge))
        n_characters += sum(row.n_characters for row in batch)
        progress(journal.n_rows - done, n_characters)


def judged(batch: Sequence[TextRow | PairRow], judge: Judge) -> list[Score]:
    """The scores of a batch of rows; a row without a text has its fault as the error."""
    good = [_asked(row) for row in batch if not row.fault]
    found = iter(judge(good) if good else ())
    return [
        Score(None, None, row.fault) if row.fault else replace(next(found), note=row.note) for row in batch
    ]


def _asked(row: TextRow | PairRow) -> str | tuple[str, str]:
    """What a judge is given of a sound row."""
    return (row.text, row.other) if isinstance(row, PairRow) else row.text


def faults_in(journal: Journal) -> tuple[int, tuple[Fault, ...]]:
    """The number of rows with an error, and the first of them: row number, from 1, and error."""
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
        With a score of every row; there is a column of notes where a row has one.
    faulty : bool
        Whether a column of errors is wanted.

    Raises
    ------
    InputError
        When the table is no longer the one that was scored, or the output cannot be written.
    """
    added = job.added
    if not job.submission:
        noted = any(one.note for one in journal.scores())
        added = (
            added | ({job.error_column: WORD} if faulty else {}) | ({job.note_column: WORD} if noted else {})
        )
    temporary = job.output.with_name(f".{job.output.name}.writing")
    try:
        _check_unchanged(job, seen)
        scores = journal.scores()
        layout = layout_of(job, job.reader.columns, seen.schema, added)
        with kind_of(job.output).sink(temporary, layout) as sink:
            for chunk in job.reader.chunks():
                listed = list(islice(scores, len(chunk.faults)))
                sink.write(kept_columns(job, chunk), added_columns(job, listed))
        _check_unchanged(job, seen)
        publish(temporary, job.output)
    except OSError as error:
        raise InputError(
            f"{job.output} could not be written ({error.strerror or error}): all scores are kept; make room "
            "and give the same command again"
        ) from error
    finally:
        temporary.unlink(missing_ok=True)


def _check_unchanged(job: Job, seen: Survey) -> None:
    if job.reader.digest() != seen.digest:
        raise InputError(
            f"{job.reader.path} has changed while it was scored: give --restart to score it as it is now"
        )


def next_batch(rows: Iterator[Row]) -> Iterator[Row]:
    """The next rows, up to one batch: batches are measured by characters, which tokens follow."""
    n_characters = 0
    for n_rows, row in enumerate(islice(rows, MOST_ROWS), start=1):
        yield row
        n_characters += row.n_characters
        if n_characters >= (BATCH_CHARACTERS if n_rows >= BATCH_ROWS else MOST_CHARACTERS):
            return


def layout_of(job: Job, columns: Sequence[str], schema: pa.Schema | None, added: Mapping[str, str]) -> Layout:
    """Columns of the output: those of the input and the added ones, or for a submission ids and numbers."""
    if not job.submission:
        return Layout(columns, added, schema, _dialect(job))
    if schema is not None:
        import pyarrow as pa

        schema = pa.schema([schema.field(job.submission).with_name("id")])
    return Layout(["id"], added, schema)


def _dialect(job: Job) -> Dialect | None:
    """As the input is written: also its separator where both are of one kind, as spreadsheets expect it."""
    found, separator = job.reader.dialect, kind_of(job.output).separator
    if found is None or not separator or kind_of(job.output) is kind_of(job.reader.path):
        return found
    return found.between(separator)


def kept_columns(job: Job, chunk: Chunk) -> Chunk:
    """The columns that are written."""
    if not job.submission:
        return chunk
    return RecordChunk([{"id": value} for value in chunk.values(job.submission)], chunk.faults)


def added_columns(job: Job, scores: Sequence[Score]) -> dict[str, list[Any]]:
    """Scores as new columns."""
    probabilities = [one.probability for one in scores]
    if job.submission:
        return {"generated": [UNDECIDED if one is None else one for one in probabilities]}
    return {
        job.prefix + "probability": probabilities,
        job.label_column: [one.label for one in scores],
        **{
            name: [one.more[place] if one.more else None for one in scores]
            for place, name in enumerate(job.further)
        },
        job.note_column: [one.note or None for one in scores],
        job.error_column: [one.error or None for one in scores],
    }
