"""Cache of costly results on disk, so that an interrupted benchmark resumes; writer of pages and figures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import ghostbuster
from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write

DEFAULT_FOLDER = Path(__file__).resolve().parents[1] / ".." / "training-runs" / "accuracy"
CODE = (
    "features/**/*.py",
    "heads/**/*.py",
    "folds.py",
    "decision/calibration.py",
    "decision/thresholds.py",
)
"""Parts of the package whose change makes results void."""
Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Results:
    """Arrays by what they were made from.

    Parameters
    ----------
    folder : Path or None
        Made when it is missing; None keeps nothing.
    stamp : str
        What all results hang on: data, models, libraries, code.
    """

    folder: Path | None = None
    stamp: str = ""

    def get(
        self, made_from: Iterable[str | bytes], make: Callable[[], Mapping[str, npt.ArrayLike]]
    ) -> Arrays:
        """What ``make`` gave for this key before, else what it gives now."""
        if self.folder is None:
            return {name: np.asarray(values) for name, values in make().items()}
        path = self.folder / f"{self.key(made_from)}.npz"
        if path.exists():
            with np.load(path, allow_pickle=False) as kept:
                return {name: kept[name] for name in kept.files}
        made = {name: np.asarray(values) for name, values in make().items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(path, InputError) as unfinished, unfinished.open("wb") as stream:
            np.savez(stream, **made)
        return made

    def key(self, made_from: Iterable[str | bytes]) -> str:
        """A digest of the stamp and the parts of a key."""
        digest = hashlib.sha256(self.stamp.encode())
        for part in made_from:
            data = part.encode() if isinstance(part, str) else part
            digest.update(f"{len(data)}\n".encode() + data)
        return digest.hexdigest()[:24]


def matches(folder: Path, pattern: str) -> list[Path]:
    """Files of a pattern, sorted; a pattern without any is an error: their change would go unnoticed."""
    found = sorted(folder.glob(pattern))
    if not found:
        raise InputError(f"{folder} has no {pattern}: name what is there now")
    return found


def code_digest() -> str:
    """Of the files that ``CODE`` names and of the contenders."""
    package = Path(ghostbuster.__file__).parent
    here = Path(__file__).parent
    digest = hashlib.sha256()
    for folder, patterns in ((package, CODE), (here, ("accuracy/contenders.py", "accuracy/protocols.py"))):
        for pattern in patterns:
            for path in matches(folder, pattern):
                digest.update(path.read_bytes())
    return digest.hexdigest()


def write_figures(path: Path, figures: Mapping[str, Any]) -> None:
    """Write figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, InputError) as unfinished:
        unfinished.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def data_of(docs: Path, name: str) -> Path:
    """Where the figures of a page in ``docs`` are kept, as JSON."""
    return docs / "data" / f"{Path(name).name}.json"


def write_page(docs: Path, name: str, figures: Mapping[str, Any], text: str) -> None:
    """Write ``text`` to the Markdown page ``name`` of a folder, its figures to the folder's ``data/``."""
    write_figures(data_of(docs, name), figures)
    page = docs / f"{name}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(page, InputError) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
