"""Converted model files in the cache: where they lie, whether they are whole, and which form was chosen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ghostbuster.errors import GhostbusterError, ModelError
from ghostbuster.models.backend.build import build_digest
from ghostbuster.models.backend.cpu import cpu
from ghostbuster.models.gguf.digest import digest_cache_file, file_digest
from ghostbuster.models.prepared.forms import FORMS, ORIGINAL, Comparison, FormName
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.system.cache_dir import cache_folder
from ghostbuster.system.file_lock import lock_when_free

VERSION = 1  # raise it when another form might win, or be within the tolerance: all is then measured again
WAIT = 300.0  # seconds for another process that converts the same model; it takes 10 to 30


def folder() -> Path:
    """Folder of the converted models."""
    return cache_folder() / "models"


def converted_path(original: str, form: FormName) -> Path:
    """Where a form of the model with the digest ``original`` lies."""
    return folder() / f"{original[:16]}-{form}.gguf"


def choice_path(original: str) -> Path:
    """File that says which form is the fastest for this build of llama.cpp and this CPU."""
    asked = json.dumps([VERSION, build_digest(), cpu()])
    return folder() / f"{original[:16]}-{hashlib.sha256(asked.encode()).hexdigest()[:16]}.json"


def converted(original: str, form: FormName) -> Path | None:
    """The converted file; None where there is none, or its bytes are not those that were written."""
    path = converted_path(original, form)
    record = _read(_record_path(path))
    try:
        sound = record.get("original") == original and file_digest(path) == record.get("sha256")
    except ModelError:  # there is none
        return None
    return path if sound else None


@contextmanager
def converting(original: str, form: FormName) -> Iterator[Path]:
    """A temporary file that becomes the converted one, with its digest beside it, when the block ends well.

    Raises
    ------
    ModelError
        When the folder cannot be written to.
    """
    path = converted_path(original, form)
    _record_path(path).unlink(missing_ok=True)  # until both are new, neither counts
    with atomic_write(path, ModelError) as temporary:
        yield temporary
    with atomic_write(_record_path(path), ModelError) as temporary:
        record = {"original": original, "form": form, "sha256": file_digest(path)}
        temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def discard(original: str, form: FormName) -> None:
    """Remove a converted file that is not needed."""
    path = converted_path(original, form)
    for one in (_record_path(path), path, digest_cache_file(path)):
        with suppress(OSError):  # another process of Windows reads it
            one.unlink(missing_ok=True)


def chosen(original: str) -> FormName | None:
    """The form chosen earlier; None where there is no choice yet, or it cannot be read."""
    form = _read(choice_path(original)).get("form")
    return form if form in FORMS or form == ORIGINAL else None


def comparisons(original: str) -> list[dict[str, Any]]:
    """What the choice was made from, for JSON; empty where there is none."""
    found = _read(choice_path(original)).get("compared")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def choose(original: str, form: FormName, compared: Sequence[Comparison]) -> None:
    """Remember a choice.

    Raises
    ------
    ModelError
        When the folder cannot be written to.
    """
    with atomic_write(choice_path(original), ModelError) as temporary:
        content = {"form": form, "compared": [asdict(one) for one in compared]}
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


@contextmanager
def alone() -> Iterator[None]:
    """One process at a time converts; what an earlier one left half done is removed.

    Raises
    ------
    ModelError
        When the folder cannot be made or locked, or the other process takes too long.
    """
    place = folder()
    try:
        place.mkdir(parents=True, exist_ok=True)
        lock = lock_when_free(place / "lock", WAIT)
    except TimeoutError:
        raise ModelError(f"another process has held {place / 'lock'} for {WAIT:g} seconds") from None
    except OSError as error:
        raise ModelError(f"{place} cannot be made or locked ({error.strerror})") from error
    with lock:
        for left in place.glob(".*"):  # of a process that was killed: none other writes here now
            with suppress(OSError):
                left.unlink()
        yield


def size() -> int:
    """Bytes of all converted models."""
    found = 0
    for path in _files():
        with suppress(OSError):
            found += path.stat().st_size
    return found


def clear() -> int:
    """Remove all converted models and what is known of them; bytes removed."""
    removed = 0
    for path in _files():
        with suppress(OSError):
            one = path.stat().st_size
            path.unlink()
            removed += one
    return removed


def _files() -> list[Path]:
    """All that is kept here but the lock: whoever holds that holds the file, not its name."""
    return [path for pattern in ("*.gguf", "*.json") for path in folder().glob(pattern)]  # hidden ones too


def _record_path(path: Path) -> Path:
    return path.with_suffix(".gguf.json")


def _read(path: Path) -> Mapping[str, Any]:
    """A JSON object; an empty one where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, GhostbusterError):
        return {}
    return found if isinstance(found, dict) else {}
