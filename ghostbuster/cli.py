"""The command line: parse, call, print, exit code."""

from __future__ import annotations

import io
import sys
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import Annotated

import typer

from ghostbuster import __version__
from ghostbuster.commands.augment import augment
from ghostbuster.commands.cache import cache
from ghostbuster.commands.calibrate import calibrate
from ghostbuster.commands.distill import distill
from ghostbuster.commands.ensemble import ensemble
from ghostbuster.commands.evaluate import evaluate
from ghostbuster.commands.finetune import finetune
from ghostbuster.commands.info import info
from ghostbuster.commands.models import models
from ghostbuster.commands.read import read
from ghostbuster.commands.score_file import score_file
from ghostbuster.commands.score_pair import score_pair
from ghostbuster.commands.score_table import score_table
from ghostbuster.commands.serve import serve
from ghostbuster.commands.shared.console import note, print_error, verbosity
from ghostbuster.commands.train import train
from ghostbuster.errors import GhostbusterError
from ghostbuster.system.resource_errors import resource_error
from ghostbuster.system.signals import unwind_on_sigterm

USERS_MISTAKE = 2
"""Exit code for a file, table, setting or option that cannot be used; nothing is written then."""
INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells expect."""
TERMINATED = 143
"""Exit code after SIGTERM: what is half done is cleared away first."""

COMMANDS: dict[str, Callable[..., None]] = {
    "score-file": score_file,
    "score-table": score_table,
    "score-pair": score_pair,
    "serve": serve,
    "read": read,
    "train": train,
    "finetune": finetune,
    "calibrate": calibrate,
    "evaluate": evaluate,
    "info": info,
    "cache": cache,
    "ensemble": ensemble,
    "distill": distill,
    "augment": augment,
}
"""Name on the command line to what it does."""

GROUPS: dict[str, typer.Typer] = {
    "models": models,
}
"""Name on the command line to commands of its own."""


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ghostbuster {__version__}")
        raise typer.Exit


def _ghostbuster(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
    verbose: Annotated[
        bool,
        typer.Option("--verbose", help="Notes also where no terminal is, times, and tracebacks of errors."),
    ] = False,
) -> None:
    """Say how likely a text was written by a machine, and how often that is wrong about people."""
    verbosity.verbose = verbose


def build_app(commands: Mapping[str, Callable[..., None]], groups: Mapping[str, typer.Typer]) -> typer.Typer:
    """The command line made of these commands and groups of commands."""
    made = typer.Typer(
        name="ghostbuster",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_ghostbuster)
    for name, command in commands.items():
        made.command(name)(command)
    for name, group in groups.items():
        made.add_typer(group, name=name)
    return made


app = build_app(COMMANDS, GROUPS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process if left out.

    Returns
    -------
    int
        0 when all went well, 1 when some files or rows were scored and others could not be, 2 for a user's
        mistake or when the system refuses (no memory, no room on the disk), 130 after Ctrl-C, 143 after
        SIGTERM.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a letter is no error
    verbosity.verbose = False
    started = time.monotonic()
    try:
        with unwind_on_sigterm(TERMINATED):
            # in a context of its own: what a command chooses, such as the device, ends with it
            code = copy_context().run(app, args=arguments, prog_name="ghostbuster")
    except SystemExit as end:
        code = end.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:
        said = resource_error(error) or (str(error) if isinstance(error, GhostbusterError) else None)
        if said is None:
            raise
        if verbosity.verbose:
            traceback.print_exc()
        print_error(said)
        return USERS_MISTAKE
    finally:
        if verbosity.verbose:
            note(f"{time.monotonic() - started:.1f} s in all", quiet=False)
    return code if isinstance(code, int) else 0


if __name__ == "__main__":
    sys.exit(main())
