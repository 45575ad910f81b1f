"""What commands say beside their results: progress and complaints, on standard error."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import typer

from ghostbuster.printable import printable

_CLEAR = "\r\x1b[K"


class Talk:
    """How much is said on standard error; one for the process, set by the program's own options."""

    verbose = False


talk = Talk()


def complain(message: str) -> None:
    """One line that says what is wrong."""
    typer.echo(f"ghostbuster: error: {printable(' '.join(message.split()))}", err=True)


def note(message: str, *, quiet: bool) -> None:
    """One line about what was done or is to come, unless it is not wanted or nobody sees it.

    ``--verbose`` asks for it wherever standard error goes.
    """
    if not quiet and (talk.verbose or sys.stderr.isatty()):
        typer.echo(message, err=True)


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
