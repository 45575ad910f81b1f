"""The documents of a folder: every file but those that programs leave behind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from ghostbuster.errors import InputError

LEFT_BEHIND: tuple[tuple[str, str], ...] = (
    ("__MACOSX", "file of macOS (__MACOSX)"),
    ("~$", "lock file of Word (~$...)"),
    (".", "hidden file"),
)
"""Beginnings of names, of files or of folders, and what such files are called."""
_OF_SYSTEMS = frozenset({"thumbs.db", "desktop.ini"})


def documents_in(folder: Path) -> tuple[list[Path], str]:
    """Files of a folder and those below it, by name, and in words how many were passed over.

    Files of a kind that cannot be read are among them: whoever reads them says so of each.

    Raises
    ------
    InputError
        When there is no file but those that are passed over.
    """
    found: list[Path] = []
    passed: Counter[str] = Counter()
    for name in sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file()):
        called = _left_behind(name)
        if called:
            passed[called] += 1
        else:
            found.append(folder / name)
    told = [f"{n:,} {_plural(called, n)}" for called, n in passed.items()]
    words = f"passed over: {', '.join(told)}" if told else ""
    if not found:
        raise InputError(
            f"{folder} holds no document{f' ({words})' if words else ''}; expected texts, Word or PDF files"
        )
    return found, words


def _left_behind(name: Path) -> str:
    """What a file is called that is no document; empty for others."""
    if name.name.lower() in _OF_SYSTEMS:
        return "hidden file"
    return next(
        (called for start, called in LEFT_BEHIND for part in name.parts if part.startswith(start)), ""
    )


def _plural(called: str, n: int) -> str:
    return called if n == 1 else called.replace("file", "files", 1)
