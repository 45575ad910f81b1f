"""Where a run that was killed goes on: a file written whole, with what it was a run of."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ghostbuster.errors import SettingError
from ghostbuster.finetuning.crops import LabelledTokens
from ghostbuster.finetuning.settings import Settings
from ghostbuster.system.atomic_files import atomic_write

VERSION = 1
State = dict[str, Any]


def run_digest(base: str, settings: Settings, *texts: LabelledTokens) -> str:
    """Digest of everything that a run depends on: equal ones go through the same steps.

    Parameters
    ----------
    base : str
        SHA-256 of the base model's file.
    settings : Settings
    *texts : LabelledTokens
    """
    made = hashlib.sha256(f"{VERSION} {base} {sorted(asdict(settings).items())}".encode())
    for part in texts:
        for ids, label, source in zip(part.ids, part.y.tolist(), part.sources.tolist(), strict=True):
            made.update(f"\n{label} {len(source.encode())} {source} {ids.size} ".encode())
            made.update(ids.astype("<i4").tobytes())
        made.update(b"\n--")
    return made.hexdigest()


def save(path: Path, digest: str, state: State) -> None:
    """Write a checkpoint, whole or not at all.

    Raises
    ------
    SettingError
        When it cannot be written.
    """
    with atomic_write(path, SettingError) as unfinished, unfinished.open("wb") as stream:
        torch.save({"digest": digest, **state}, stream)  # by itself it refuses names without a suffix


def load(path: Path, digest: str) -> State | None:
    """A checkpoint of the run with that digest; None where there is no file.

    Raises
    ------
    SettingError
        When the file is damaged, or of another run.
    """
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["digest"]
    except (OSError, RuntimeError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise SettingError(
            f"{path} is no checkpoint that can be read ({' '.join(str(error).split())[:120]}); expected one "
            "of this run: delete it to begin anew"
        ) from error
    if found != digest:
        raise SettingError(
            f"{path} is the checkpoint of another run (other texts, settings or model); expected the same to "
            "go on: delete it to begin anew, or write elsewhere"
        )
    return {name: value for name, value in state.items() if name != "digest"}
