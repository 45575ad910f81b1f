"""What commands say beside their results: progress and complaints, on standard error."""

from __future__ import annotations

import sys
from datetime import timedelta
from time import monotonic
from types import TracebackType
from typing import Self

import typer

from ghostbuster.system.printable import printable

_CLEAR = "\r\x1b[K"


class Verbosity:
    """How much is said on standard error; one for the process, set by the program's own options."""

    verbose = False


verbosity = Verbosity()


def print_error(message: str) -> None:
    """One line that says what is wrong."""
    typer.echo(f"ghostbuster: error: {printable(' '.join(message.split()))}", err=True)


def note(message: str, *, quiet: bool) -> None:
    """One line about what was done or is to come, unless it is not wanted or nobody sees it.

    ``--verbose`` asks for it wherever standard error goes.
    """
    if not quiet and (verbosity.verbose or sys.stderr.isatty()):
        typer.echo(message, err=True)


def warn(message: str) -> None:
    """One line about what was done without; the results are whole."""
    typer.echo(f"ghostbuster: note: {printable(' '.join(message.split()))}", err=True)


class Progress:
    """A line that tells how many tokens are read; it shows on a terminal only and clears itself.

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
        """``done`` of ``total`` tokens are read."""
        percent = 100 * done // max(total, 1)
        if self._shown and percent != self._percent:
            self._percent = percent
            typer.echo(f"{_CLEAR}reading: {percent:3d} % of {total:,} tokens", err=True, nl=False)


class Bar:
    """A line with the share that is done, the rate and the time that remains; on a terminal only.

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
        """So many rows and characters are scored since the start."""
        if self._shown:
            line = self.line(n_rows, n_characters, monotonic() - self._started)
            typer.echo(_CLEAR + line, err=True, nl=False)

    def line(self, n_rows: int, n_characters: int, seconds: float) -> str:
        """What shows after some seconds."""
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
