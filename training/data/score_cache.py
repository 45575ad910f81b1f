"""Cache of token scores of labelled texts on disk; it holds numbers only, no text."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ghostbuster.arrays import TokenScores
from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / ".." / "training-runs" / "scores"


def scores_key(fingerprints: Mapping[str, str], prepared: Sequence[str]) -> str:
    """Digest of the models and of every text, in order: equal keys mean equal scores."""
    digest = hashlib.sha256()
    for source, fingerprint in sorted(fingerprints.items()):
        digest.update(f"{source} {fingerprint}\n".encode())
    for text in prepared:
        data = text.encode()
        digest.update(f"{len(data)}\n".encode() + data)
    return digest.hexdigest()[:24]


def cached_scores(
    panel: Panel, name: str, prepared: Sequence[str], folder: Path, log: Callable[[str], None] = print
) -> dict[str, TokenScores]:
    """Scores of prepared texts, from ``folder`` if they are there, else from the panel and kept there.

    Parameters
    ----------
    panel : Panel
    name : str
        Begins the file's name; what follows is `scores_key`.
    prepared : sequence of str, length n_texts
    folder : Path
        Made when it is missing. Files of other models or texts are left alone.
    """
    path = Path(folder) / f"{name}-{scores_key(panel.fingerprints, prepared)}.npz"
    if path.exists():
        return _read(path, panel.sources)
    log(f"{name}: {len(prepared)} texts under {', '.join(panel.sources)} ...")
    scores = panel.score(prepared)
    _write(path, scores)
    return scores


def _write(path: Path, scores: Mapping[str, TokenScores]) -> None:
    arrays: dict[str, np.ndarray] = {}
    for source, made in scores.items():
        arrays[f"{source}/ends"] = np.asarray(made.ends, dtype=np.int32)
        arrays[f"{source}/offsets"] = np.asarray(made.offsets, dtype=np.int64)
        for channel, values in made.channels.items():
            arrays[f"{source}/channel/{channel}"] = np.asarray(values, dtype=np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path, InputError) as unfinished:
        np.savez(unfinished, **arrays)


def _read(path: Path, sources: Sequence[str]) -> dict[str, TokenScores]:
    with np.load(path, allow_pickle=False) as arrays:
        return {
            source: TokenScores(
                {
                    name.rsplit("/", 1)[1]: arrays[name]
                    for name in arrays.files
                    if name.startswith(f"{source}/channel/")
                },
                arrays[f"{source}/ends"],
                arrays[f"{source}/offsets"],
            )
            for source in sources
        }
