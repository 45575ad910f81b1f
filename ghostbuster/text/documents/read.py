"""Files to documents: told apart by what they hold, read within bounds, refused in one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from ghostbuster.errors import InputError, SettingError
from ghostbuster.system.printable import encodable
from ghostbuster.system.time_limit import CpuTimeExceeded, cpu_time_limit
from ghostbuster.text.documents import bounds
from ghostbuster.text.documents.document import Document
from ghostbuster.text.documents.kinds import HEAD, READERS, TABLES, Reader, kind_of, suffix_of
from ghostbuster.text.prepare import MOST_BYTES


@dataclass(frozen=True)
class JudgedText:
    """What is judged of a document.

    Attributes
    ----------
    text : str
    notes : tuple of str
        What was left out, and what is suspicious.
    refusal : str
        Why there is nothing to judge; empty for a text that is judged.
    parts : tuple of dict
        Words of each part, and whether it was read.
    """

    text: str
    notes: tuple[str, ...] = ()
    refusal: str = ""
    parts: tuple[dict[str, object], ...] = ()


def document_text(path: Path, *, whole: bool = False) -> JudgedText:
    """What is judged of a document: its prose, or with ``whole`` all that is seen.

    Raises
    ------
    InputError
        When the file cannot be read; see ``read_document``.
    """
    return text_of(read_document(path), whole=whole)


def text_of(document: Document, *, whole: bool = False) -> JudgedText:
    """What is judged of a document that was read."""
    text, parts = document.text(whole=whole), tuple(document.parts(whole=whole))
    notes = document.notes(whole=whole)
    if text.strip():
        return JudgedText(text, notes, parts=parts)
    held = ", ".join(f"{n:,} of {part}" for part, n in document.words().items())
    hint = "" if whole else "; --whole judges what is seen of them"
    return JudgedText("", notes, f"no prose to judge: its words are {held}{hint}", parts)


def read_document(path: Path) -> Document:
    """A document of any kind that is known.

    Raises
    ------
    InputError
        When the file is missing, of a kind that cannot be read, damaged, locked with a password, too long,
        takes too long, or holds no text; it says which.
    SettingError
        When a library that it needs is not installed.
    """
    try:
        with path.open("rb") as file:
            return read_stream(file, str(path))
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; expected a text or a document") from None
    except IsADirectoryError:
        raise InputError(
            f"{path} is a directory; expected a document: name the files in it, or use score-table"
        ) from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path} cannot be read ({reason}); expected a readable document") from None


def read_stream(file: BinaryIO, name: str) -> Document:
    """A document from an open file; raises what ``read_document`` does."""
    if suffix_of(name) in TABLES:
        raise InputError(
            f"{name} is a table, not one text: use `ghostbuster score-table {name} -o scored.csv`"
        )
    data = file.read(HEAD)
    if not data:
        raise InputError(f"{name} is empty; expected a text")
    large = data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf")) or b"%PDF-" in data[:1024]
    page = kind_of(data, name)[0] in {"html", "mail", "notebook"} if not large else False
    most = bounds.MOST_FILE if large else MOST_BYTES * (4 if page else 1)
    data += file.read(most + 1 - len(data))
    if len(data) > most:
        raise InputError(
            f"{name} is longer than {most / 1e6:g} MB; expected a document: give its chapters one by one"
        )
    kind, refusal = kind_of(data if large else data[:HEAD], name)
    if refusal:
        raise InputError(f"{name} is {refusal}")
    _check_installed(READERS[kind])
    document = _within_bounds(READERS[kind], data, name)
    if not document.words():
        remarks = "".join(f" ({one})" for one in document.remarks)
        raise InputError(
            f"{name} holds no text{remarks}; expected words (a scanned page is a picture: it has none)"
        )
    return document


def _within_bounds(reader: Reader, data: bytes, name: str) -> Document:
    module, _, function = reader.function.partition(":")
    read = getattr(import_module(f"ghostbuster.text.documents.{module}"), function)
    try:
        with cpu_time_limit(bounds.PATIENCE):
            document: Document = read(data, name)
    except (InputError, SettingError):
        raise
    except CpuTimeExceeded:
        raise bounds.too_slow(name) from None
    except RecursionError:
        raise InputError(f"{name} is nested too deeply to be read: save it as text") from None
    except Exception as error:
        reason = encodable(f"{type(error).__name__}: {error}".rstrip(": "))
        raise InputError(
            f"{name} cannot be read as {reader.called} ({reason}): save it again or as text"
        ) from error
    return document


def _check_installed(reader: Reader) -> None:
    missing = [module for module in reader.needs if find_spec(module) is None]
    if missing:
        raise SettingError(
            f"reading {reader.called} ({', '.join(reader.suffixes)}) needs {counted_list(missing)}: "
            "pip install 'ghostbuster[documents]'"
        )


def check_installed(paths: Iterable[Path]) -> None:
    """Refuse documents whose library is not installed, by their suffixes, before any is read.

    Raises
    ------
    SettingError
        Names the kind and how to install what it needs.
    """
    suffixes = {path.suffix.lower() for path in paths}
    for reader in READERS.values():
        if suffixes.intersection(reader.suffixes):
            _check_installed(reader)


def counted_list(names: list[str]) -> str:
    """``lxml and tinycss2, which are not installed``."""
    return f"{' and '.join(names)}, which {'is' if len(names) == 1 else 'are'} not installed"
