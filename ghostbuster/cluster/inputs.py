"""The table files that an input names: one file, a folder, or a pattern, here or at an address."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ghostbuster.cluster.storage import Place, is_address, place_of, storage_errors
from ghostbuster.errors import InputError
from ghostbuster.registry import unknown
from ghostbuster.tables.registry import suffixes

_SPECIAL, _ESCAPED = re.compile(r"[\\\[^&~|]"), r"\\\g<0>"
_PATTERN = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class InputFile:
    """A table file, and what tells whether it has changed.

    Attributes
    ----------
    place : Place
    n_bytes : int
    changed_ns : int
        Time of its last change; 0 where the file system does not tell.
    """

    place: Place
    n_bytes: int
    changed_ns: int

    @property
    def stamp(self) -> list[Any]:
        """Address, size and time of change, fit for JSON."""
        return [self.place.address, self.n_bytes, self.changed_ns]


def input_files(named: str) -> list[InputFile]:
    """The files of a table file, a folder or a pattern, sorted by path.

    Of a folder those are taken that are tables, at any depth; names that begin with a dot or an underscore
    are passed over, as Spark and Arrow do.

    Parameters
    ----------
    named : str
        A path or an address; the marks ``*``, ``?`` and ``[]`` make it a pattern, ``**`` means any folders.

    Raises
    ------
    InputError
        When there is no such file, none that matches, none that is a table, or tables of two kinds.
    """
    base, pattern = _parted(named)
    place = place_of(base)
    found = _listed(place, pattern is not None)
    if pattern is not None:
        wanted = _compiled(pattern)
        found = [one for one in found if wanted.fullmatch(one.place.path)]
        if not found:
            raise InputError(f"{named} matches no file: check the pattern, and quote it for the shell")
    elif [one.place.path for one in found] == [place.path]:
        _check_kinds(found, named)
        return found
    tables = [one for one in found if _suffix(one) in suffixes() and not _hidden(one.place, place)]
    if not tables:
        raise InputError(
            f"{named} holds no table ({', '.join(suffixes())}); expected a folder of tables of one kind: a "
            "folder of documents is scored without --on"
        )
    _check_kinds(tables, named)
    return tables


def would_take(named: str, place: Place) -> bool:
    """Whether an input's folder or pattern would name this file too, were it there."""
    base, pattern = _parted(named)
    inside = place_of(base)
    if inside.filesystem != place.filesystem:
        return False
    if pattern is not None:
        return _compiled(pattern).fullmatch(place.path) is not None
    return place.path.startswith(f"{inside.path.rstrip('/')}/") and not _hidden(place, inside)


def _parted(named: str) -> tuple[str, str | None]:
    """Folder without a pattern, and the pattern as a path; None where there is no mark, or such a file."""
    marked = _PATTERN.search(named.partition("://")[2] if is_address(named) else named)
    if not marked or (not is_address(named) and Path(named).exists()):
        return named, None
    pieces = named.split("/")
    first = next(i for i, piece in enumerate(pieces) if _PATTERN.search(piece))
    base = "/".join(pieces[:first]) or ("/" if named.startswith("/") else ".")
    rest = "/".join(pieces[first:])
    return base, f"{place_of(base).path.rstrip('/')}/{rest}"


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(_expression(pattern))
    except re.error as error:
        raise InputError(
            f"the pattern {pattern} cannot be read ({error}); expected characters, or ranges that rise, "
            "between [ and ]"
        ) from error


def _choice(piece: str) -> str:
    """The regular expression of characters in brackets; ``!`` at their begin means all others."""
    inner = piece[1:-1]
    sign = "^" if inner.startswith("!") else ""
    return f"[{sign}{_SPECIAL.sub(_ESCAPED, inner.removeprefix('!'))}]"


def _expression(pattern: str) -> str:
    """The regular expression of a pattern: ``*`` and ``?`` stay within a folder, ``**`` does not."""
    marks = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.split(r"(\*\*/|\*\*|\*|\?|\[!?[^\]/]+\])", pattern)
    return "".join(
        marks.get(piece) or (_choice(piece) if i % 2 else re.escape(piece)) for i, piece in enumerate(pieces)
    )


def _listed(place: Place, is_pattern: bool) -> list[InputFile]:
    from pyarrow import fs

    with storage_errors(place.address):
        info = place.filesystem.get_file_info(place.path)
        if info.type == fs.FileType.NotFound:
            if is_pattern:
                return []
            raise FileNotFoundError(place.address)
        if info.type == fs.FileType.Directory:
            infos = place.filesystem.get_file_info(fs.FileSelector(place.path, recursive=True))
        else:
            infos = [info]
    files = (one for one in infos if one.type == fs.FileType.File)
    return sorted((_file(place, one) for one in files), key=lambda one: one.place.path)


def _file(base: Place, info: Any) -> InputFile:
    rest = info.path.removeprefix(base.path).lstrip("/")
    place = Place(f"{base.address.rstrip('/')}/{rest}" if rest else base.address, base.filesystem, info.path)
    return InputFile(place, info.size, info.mtime_ns or 0)


def _hidden(file: Place, base: Place) -> bool:
    within = PurePosixPath(file.path.removeprefix(base.path))
    return any(piece.startswith((".", "_")) for piece in within.parts)


def _suffix(file: InputFile) -> str:
    return PurePosixPath(file.place.path).suffix.lower()


def _check_kinds(files: Iterable[InputFile], named: str) -> None:
    known = suffixes()
    first: dict[str, InputFile] = {}
    for file in files:
        suffix = _suffix(file)
        if suffix not in known:
            raise unknown(suffix or file.place.address, known, "kind of table", InputError)
        first.setdefault(known[suffix].name, file)
    if len(first) > 1:
        (one, here), (other, there) = list(first.items())[:2]
        raise InputError(
            f"{named} holds {one} ({here.place.address}) and {other} ({there.place.address}); expected "
            "tables of one kind: name one with a pattern such as '*.parquet'"
        )
