"""Scores of texts that the weak models have read before are looked up instead of worked out."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.arrays import Progress, TokenScores
from ghostbuster.reading.cache_codec import TextScores, join, pack, split, unpack
from ghostbuster.reading.cache_db import ScoreStore, size_limit
from ghostbuster.system.cache_dir import cache_folder

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel


STORE_NAME = "scores.sqlite"
PIECE_CHARACTERS = 2**18
"""Texts are scored and remembered a piece at a time: what ends the process costs no more than that."""

_store: ContextVar[ScoreStore | None] = ContextVar("store", default=None)


def store_path() -> Path:
    """Where scores are remembered."""
    return cache_folder() / STORE_NAME


@contextmanager
def remember_scores(
    folder: str | Path | None = None, limit: int | None = None, tell: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Look up and remember scores of the weak models inside a ``with`` block.

    Stored are digests and per-token scores, not texts; but whoever has the models can work out much of a text
    from its scores. The file is readable by its owner alone. Scores looked up equal fresh ones bit for bit.

    Parameters
    ----------
    folder : str or Path, optional
        The cache folder if left out.
    limit : int, bytes, optional
        ``GHOSTBUSTER_CACHE_LIMIT`` or 2 GiB if left out.
    tell : callable, optional
        Called with one line when the store cannot be used; a warning if left out. Scoring goes on regardless.

    Raises
    ------
    SettingError
        When ``GHOSTBUSTER_CACHE_LIMIT`` holds no size.
    """
    path = store_path() if folder is None else Path(folder) / STORE_NAME
    store = ScoreStore(path, size_limit() if limit is None else limit, tell or _warn)
    token = _store.set(store)
    try:
        yield
    finally:
        _store.reset(token)
        store.close()


def score_texts(panel: Panel, texts: Sequence[str], progress: Progress | None) -> dict[str, TokenScores]:
    """Scores of prepared texts under every source, as ``Panel.score`` gives them.

    Parameters
    ----------
    panel : Panel
    texts : sequence of str, length n_texts
    progress : callable, optional
        Called with scored and all tokens of the texts that are not remembered.
    """
    store = _store.get()
    if store is None or not texts:
        return panel.score(texts, progress)
    of_panel = panel_key(panel)
    keys = [_key(of_panel, text) for text in texts]
    known = _known(store, keys)
    missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
    report = _whole(panel, list(missing.values()), progress)
    done = 0
    for piece in _pieces(missing):
        scores = panel.score([missing[key] for key in piece], report(done))
        fresh = dict(zip(piece, split(scores), strict=True))
        store.put({key: pack(one) for key, one in fresh.items()})
        known |= fresh
        done += sum(scores[role].ends.size for role in _roles(panel))
    return join([known[key] for key in keys])


def panel_key(panel: Panel) -> str:
    """Digest of everything that moves a score: models, settings, vocabularies, build, device, kind of CPU."""
    from ghostbuster.models.backend.build import build_digest, system_info

    facts = {
        "fingerprints": dict(panel.fingerprints),
        "tokenizers": dict(panel.tokenizers),
        "devices": [(model.device, model.n_gpu_layers) for model in (panel.weak, panel.strong)],
        "build": [build_digest(), system_info()],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _key(panel: str, text: str) -> bytes:
    return hashlib.sha256(f"{panel}\n{text}".encode()).digest()


def _known(store: ScoreStore, keys: Sequence[bytes]) -> dict[bytes, TextScores]:
    """What is remembered; damaged scores are as good as none."""
    known = {}
    for key, data in store.get(dict.fromkeys(keys)).items():
        try:
            known[key] = unpack(data)
        except ValueError:
            continue
    return known


def _pieces(missing: dict[bytes, str]) -> Iterator[list[bytes]]:
    piece: list[bytes] = []
    size = 0
    for key, text in missing.items():
        piece.append(key)
        size += len(text)
        if size >= PIECE_CHARACTERS:
            yield piece
            piece, size = [], 0
    if piece:
        yield piece


def _roles(panel: Panel) -> tuple[str, ...]:
    """Sources whose tokens a panel counts: language models of one vocabulary read together."""
    return ("strong",) if panel.weak.tokenizer == panel.strong.tokenizer else ("weak", "strong")


def _whole(panel: Panel, texts: list[str], progress: Progress | None) -> Callable[[int], Progress | None]:
    """From the tokens of earlier pieces to the progress of the next; counted only for somebody who looks."""
    if progress is None:
        return lambda _before: None
    n_tokens = sum(getattr(panel, role).weights.tokenise(texts).ids.size for role in _roles(panel))

    def report(before: int) -> Progress:
        return lambda done, _all: progress(before + done, n_tokens)

    return report


def _warn(message: str) -> None:
    warnings.warn(message, RuntimeWarning, stacklevel=3)
