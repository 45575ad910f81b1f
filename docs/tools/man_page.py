"""Make the man page docs/ghostbuster.1 from the command line's own help; a test holds them together.

python docs/tools/man_page.py        # then: man docs/ghostbuster.1
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from ghostbuster.cli import app

PAGE = Path(__file__).resolve().parents[1] / "ghostbuster.1"
SHELL = {"--install-completion", "--show-completion"}
EXIT_CODES = {
    0: "All went well.",
    1: "Some files or rows could not be read, or the reader of a pipe went away; the others are there.",
    2: "Something given cannot be used; one line on standard error says what. Nothing was written.",
    130: "Interrupted.",
    143: "Ended by SIGTERM.",
}


def page() -> str:
    """The page in roff's man macros; without a date, so that only the command line changes it."""
    command: Any = typer.main.get_command(app)
    lines = [
        '.TH GHOSTBUSTER 1 "" "ghostbuster" "User Commands"',
        ".SH NAME",
        "ghostbuster \\- how likely a text was written by a machine",
        ".SH SYNOPSIS",
        ".B ghostbuster",
        "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]...",
        ".SH DESCRIPTION",
        _escaped(command.help),
        ".SH OPTIONS",
        *_options(command),
        ".SH COMMANDS",
    ]
    for names, one in _leaves(command, ("ghostbuster",)):
        lines += [f".SS {' '.join(names[1:])}", *_synopsis(names, one), *_paragraphs(one.help)]
        lines += _options(one)
    lines += [".SH EXIT STATUS"]
    for code, meaning in EXIT_CODES.items():
        lines += [".TP", f"\\fB{code}\\fR", _escaped(meaning)]
    return "\n".join([*lines, ".SH SEE ALSO", "The files README.md and docs/cli.md of the project.", ""])


def _leaves(command: Any, names: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    for name, one in command.commands.items():
        if getattr(one, "commands", None):
            yield from _leaves(one, (*names, name))
        else:
            yield (*names, name), one


def _synopsis(names: tuple[str, ...], command: Any) -> list[str]:
    usage = command.collect_usage_pieces(command.make_context(names[-1], [], resilient_parsing=True))
    arguments = " ".join(
        f"\\fI{_escaped(piece.replace('{', '').replace('}', ''))}\\fR" for piece in usage[1:]
    )
    return [f"\\fB{_escaped(' '.join(names))}\\fR [\\fIOPTIONS\\fR] {arguments}".rstrip(), ".PP"]


def _options(command: Any) -> list[str]:
    lines = []
    for one in command.params:
        if one.param_type_name != "option" or SHELL & set(one.opts):
            continue
        spelled = ", ".join(
            f"\\fB{_escaped(name)}\\fR" for name in sorted((*one.opts, *one.secondary_opts), key=len)
        )
        metavar = "" if one.is_flag else f" \\fI{_escaped(one.metavar or 'VALUE')}\\fR"
        lines += [".TP", spelled + metavar, _escaped(one.help or "")]
    return lines


def _paragraphs(text: str | None) -> list[str]:
    """Paragraphs of a help text, each on one line."""
    blocks = re.split(r"\n\s*\n", (text or "").replace("\b", "").strip())
    return [line for block in blocks for line in (".PP", _escaped(" ".join(block.split())))][1:]


def _escaped(text: str) -> str:
    """Text as roff takes it; dashes of options stay what can be copied into a shell."""
    made = text.replace("\\", "\\e").replace("-", "\\-")
    made = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", made)
    return f"\\&{made}" if made.startswith((".", "'")) else made


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
