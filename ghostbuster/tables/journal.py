"""Checkpoint of the scores of a table, beside its output: an interrupted run resumes there.

A line of the journal is a batch of rows, so whatever ends the process, at most one batch has to be scored
again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ghostbuster.tables.line_journal import JournalKind, LineJournal

MARK = "ghostbuster journal 1"
"""First words of every journal, with the number of its layout."""
KIND = JournalKind(MARK, "score-table", "scores", "score all rows again")


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one row, or its error.

    Attributes
    ----------
    probability : float or None
    label : str or None
    error : str
        Why there is neither; empty for a sound row.
    note : str
        What of its document was not read.
    more : sequence of float, str or None
        Values of further columns (`Job.further`), where a table has some.
    """

    probability: float | None
    label: str | None = None
    error: str = ""
    note: str = ""
    more: Sequence[float | str | None] = ()

    def packed(self) -> list[Any]:
        """As a journal keeps it: without what is empty at the end."""
        row = [self.probability, self.label, self.error, self.note, list(self.more)]
        while len(row) > 2 and not row[-1]:  # noqa: PLR2004 - a label is always kept
            row.pop()
        return row


def journal_path(output: Path) -> Path:
    """Path of the journal of an output."""
    return output.with_name(f"{output.name}.partial")


class Journal:
    """The scores of one table so far; locked, so that one process writes at a time.

    Parameters
    ----------
    output : Path
        The table that is to be written.
    identity : mapping of str to str
        Everything that moves a score, each under a name that a user understands.
    restart : bool
        Forget scores that are there.

    Attributes
    ----------
    n_rows : int
        Rows scored.

    Raises
    ------
    InputError
        When another process works on this output, the place cannot be written, or a file of the journal's
        name is none.
    SettingError
        When the scores there belong to another table, detector or setting; it says which.
    """

    def __init__(self, output: Path, identity: Mapping[str, str], *, restart: bool = False) -> None:
        self.path = journal_path(output)
        self.n_rows = 0
        self._lines = LineJournal(self.path, output, KIND, identity, self._accept, restart=restart)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.n_rows:
            self.discard()
        self._lines.close()

    def append(self, scores: Sequence[Score]) -> None:
        """Append the scores of the next rows; they are on the disk when this returns.

        Raises
        ------
        InputError
            When the disk is full or failing; what was kept before stays.
        """
        self._lines.add([self.n_rows, [one.packed() for one in scores]])
        self.n_rows += len(scores)

    def scores(self) -> Iterator[Score]:
        """All scores, row by row from the first."""
        for _first, batch in self._lines.values():
            for one in batch:
                yield Score(*one)

    def discard(self) -> None:
        """Remove the journal: its output is complete."""
        self._lines.discard()

    def _accept(self, value: Any) -> bool:
        """Whether a line is the next batch; its rows are then counted."""
        first, scores = value
        for one in scores:
            Score(*one)
        if first != self.n_rows:
            return False
        self.n_rows += len(scores)
        return True
