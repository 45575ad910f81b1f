"""Cache of token scores on disk: same text and models, no second pass."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.arrays import Progress, TokenScores
from ghostbuster.reading.cache_codec import TextScores, join, pack, split, unpack
from ghostbuster.reading.cache_db import ScoreCache, size_limit
from ghostbuster.system.cache_dir import cache_folder

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel


CACHE_NAME = "scores.sqlite"
BATCH_CHARACTERS = 2**18
"""Texts are scored and stored in batches of this size: a crash loses one batch at most."""

_cache: ContextVar[ScoreCache | None] = ContextVar("cache", default=None)


def cache_path() -> Path:
    """The cache's database file."""
    return cache_folder() / CACHE_NAME


@contextmanager
def remember_scores(
    folder: str | Path | None = None, limit: int | None = None, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Cache token scores of the weak models on disk, inside a ``with`` block.

    The cache holds digests and token scores, not texts; but whoever has the models can reconstruct much of a
    text from its scores. Only the file's owner may read it. Cached scores equal fresh ones bit for bit.

    Parameters
    ----------
    folder : str or Path, optional
        The cache folder if left out.
    limit : int, bytes, optional
        ``GHOSTBUSTER_CACHE_LIMIT`` or 2 GiB if left out.
    tell : callable, optional
        Called with one line when the cache cannot be used; a warning if left out. Scoring goes on regardless.

    Raises
    ------
    SettingError
        When ``GHOSTBUSTER_CACHE_LIMIT`` holds no size.
    """
    path = cache_path() if folder is None else Path(folder) / CACHE_NAME
    cache = ScoreCache(path, size_limit() if limit is None else limit, tell or _warn)
    token = _cache.set(cache)
    try:
        yield
    finally:
        _cache.reset(token)
        cache.close()


def cached_scores(panel: Panel, texts: Sequence[str], progress: Progress | None) -> dict[str, TokenScores]:
    """Token scores of prepared texts, as ``Panel.score`` gives them, from the cache where it has them.

    Parameters
    ----------
    panel : Panel
    texts : sequence of str, length n_texts
    progress : callable, optional
        Called with (tokens done, tokens in all) of the texts that are not cached.
    """
    cache = _cache.get()
    if cache is None or not texts:
        return panel.score(texts, progress)
    of_panel = panel_key(panel)
    keys = [_key(of_panel, text) for text in texts]
    known = _known(cache, keys)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    report = _overall(panel, list(missing.values()), progress)
    done = 0
    for batch in _batches(missing):
        scores = panel.score([missing[key] for key in batch], report(done))
        fresh = dict(zip(batch, split(scores), strict=True))
        cache.put({key: pack(one) for key, one in fresh.items()})
        known |= fresh
        done += sum(scores[role].ends.size for role in panel.read_apart)
    return join([known[key] for key in keys])


def panel_key(panel: Panel) -> str:
    """Digest of all that can change a score: models, settings, vocabularies, build, device, kind of CPU."""
    from ghostbuster.models.backend.build import build_digest, system_info
    from ghostbuster.models.llama.outputs import NOTHING_MORE

    facts: dict[str, object] = {
        "fingerprints": dict(panel.fingerprints),
        "tokenizers": dict(panel.tokenizers),
        "devices": [(model.device, model.n_gpu_layers) for model in (panel.weak, panel.strong)],
        "forms": [
            (model.file.quantisation, model.cpu_path)
            for model in (panel.weak, panel.strong)
            if model.original
        ],
        "build": [build_digest(), system_info()],
    }
    outputs = [asdict(model.outputs) for model in (panel.weak, panel.strong)]
    if outputs != [asdict(NOTHING_MORE)] * 2:  # without them the digest stays what it was
        facts["outputs"] = outputs
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _key(panel: str, text: str) -> bytes:
    return hashlib.sha256(f"{panel}\n{text}".encode()).digest()


def _known(cache: ScoreCache, keys: Sequence[bytes]) -> dict[bytes, TextScores]:
    """Cached scores by key; damaged ones count as missing."""
    known = {}
    for key, data in cache.get(dict.fromkeys(keys)).items():
        try:
            known[key] = unpack(data)
        except ValueError:
            continue
    return known


def _batches(missing: dict[bytes, str]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for key, text in missing.items():
        batch.append(key)
        size += len(text)
        if size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _overall(panel: Panel, texts: list[str], progress: Progress | None) -> Callable[[int], Progress | None]:
    """Progress over all batches, given the tokens of earlier ones; tokens are counted only if it is shown."""
    if progress is None:
        return lambda _before: None
    n_tokens = sum(getattr(panel, role).weights.tokenise(texts).ids.size for role in panel.read_apart)

    def report(before: int) -> Progress:
        return lambda done, _all: progress(before + done, n_tokens)

    return report


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=3)
