"""Messages and progress on standard error; standard output is for results alone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import typer

from ghostbuster.system.printable import printable

_CLEAR = "\r\x1b[K"


class Verbosity:
    """How much is printed on standard error; one object for the process, set by ``--verbose``."""

    verbose = False


verbosity = Verbosity()


def print_error(message: str) -> None:
    """Print one line on standard error that says what is wrong."""
    typer.echo(f"ghostbuster: error: {printable(' '.join(message.split()))}", err=True)


def note(message: str, *, quiet: bool) -> None:
    """Print one line about what was done or comes next, on a terminal only, and never with ``--quiet``.

    ``--verbose`` prints it wherever standard error goes.
    """
    if not quiet and (verbosity.verbose or sys.stderr.isatty()):
        typer.echo(message, err=True)


def warn(message: str) -> None:
    """Warn on standard error about a degraded but complete result."""
    typer.echo(f"ghostbuster: note: {printable(' '.join(message.split()))}", err=True)


def print_faults(path: Path, n_faults: int, faults: Sequence[tuple[int, str]], named_by: str = "") -> None:
    """Print the first rows that cannot be used, and how many more there are.

    Parameters
    ----------
    path : Path
    n_faults : int
    faults : sequence of (int, str)
        The first of them: number of the row, and what is wrong with it.
    named_by : str
        What tells the others.
    """
    for number, fault in faults:
        print_error(f"row {number} of {path}: {fault}")
    if n_faults > len(faults):
        more = f"{n_faults - len(faults):,} more rows of {path} cannot be used"
        print_error(f"{more}{': ' if named_by else ''}{named_by}")


class TokenProgress:
    """Progress line: the share of all tokens that the models have read; on a terminal only.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._percent = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown and self._percent >= 0:
            typer.echo(_CLEAR, err=True, nl=False)

    def __call__(self, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` tokens are read."""
        percent = 100 * done // max(total, 1)
        if self._shown and percent != self._percent:
            self._percent = percent
            typer.echo(f"{_CLEAR}reading: {percent:3d} % of {total:,} tokens", err=True, nl=False)


class StepProgress:
    """Progress line of steps that tell their own words; on a terminal only.

    Parameters
    ----------
    quiet : bool
        Show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            typer.echo(_CLEAR, err=True, nl=False)

    def __call__(self, line: str) -> None:
        """Show the line in place of the one before."""
        if self._shown:
            typer.echo(_CLEAR + printable(line), err=True, nl=False)


class RowProgress:
    """Progress line: the share of all rows, the rate and the remaining time; on a terminal only.

    Parameters
    ----------
    n_rows : int
        Of the whole table.
    n_characters : int
        Of all its texts, by which the remaining time is reckoned; 0 where that is not known.
    n_before : int
        Rows that an earlier run has scored.
    quiet : bool
        Show nothing.
    """

    WIDTH = 24

    def __init__(self, n_rows: int, n_characters: int, n_before: int, *, quiet: bool) -> None:
        self._shown = not quiet and sys.stderr.isatty()
        self._n_rows, self._n_before = n_rows, n_before
        self._characters = n_characters * (n_rows - n_before) / max(n_rows, 1)
        self._started = monotonic()

    def __enter__(self) -> Self:
        if self._shown:
            typer.echo(f"{_CLEAR}loading the models", err=True, nl=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            typer.echo(_CLEAR, err=True, nl=False)

    def __call__(self, n_rows: int, n_characters: int) -> None:
        """Show that so many rows and characters are scored since the start."""
        if self._shown:
            line = self.line(n_rows, n_characters, monotonic() - self._started)
            typer.echo(_CLEAR + line, err=True, nl=False)

    def line(self, n_rows: int, n_characters: int, seconds: float) -> str:
        """The line shown after some seconds."""
        done = (self._n_before + n_rows) / max(self._n_rows, 1)
        share = n_rows / max(self._n_rows - self._n_before, 1)
        if self._characters:
            share = min(n_characters / self._characters, 1.0)
        bar = "#" * int(done * self.WIDTH)
        left = round(seconds * (1 - share) / share) if share else 0
        return (
            f"scoring [{bar:<{self.WIDTH}}] {done:4.0%} of {self._n_rows:,} texts, "
            f"{n_rows / max(seconds, 1e-9):,.1f} a second, {timedelta(seconds=left)} left"
        )
