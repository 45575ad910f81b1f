"""Texts to a trained adapter: prepare, tokenise as the engine does, hold sources out, train."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from ghostbuster.errors import InputError, SettingError
from ghostbuster.finetuning.checkpoints import run_digest
from ghostbuster.finetuning.crops import Indices, LabelledTokens
from ghostbuster.finetuning.held_out import held_out_texts
from ghostbuster.finetuning.network import Network, Question
from ghostbuster.finetuning.settings import Settings
from ghostbuster.finetuning.train import Check, Report, Training
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.gguf.model_file import ModelFile
from ghostbuster.models.learned_texts import text_hashes
from ghostbuster.models.llama.runtime import Weights
from ghostbuster.models.sandbox.load_check import check_loads
from ghostbuster.text.prepare import prepare

Start = Literal["go on", "anew", "best"]
QUESTION = "\n\nThis text was written by a"
ANSWERS = (" human", " machine")
LEAST_TEXTS = 20
"""Of each class, on the side that is learned from."""


@dataclass(frozen=True)
class TextTable:
    """What a run is given: texts with their labels, and where they are from.

    Attributes
    ----------
    texts : sequence of str, length n_texts
        Unprepared.
    y : array of shape (n_texts,), 0 human, 1 machine
    sources : sequence of str, length n_texts, or None
    groups : sequence of str, length n_texts, or None
        Texts of one prompt or document share a group.
    """

    texts: Sequence[str]
    y: npt.NDArray[np.intp]
    sources: Sequence[str] | None = None
    groups: Sequence[str] | None = None


@dataclass(frozen=True)
class Finetuned:
    """What came of a run.

    Attributes
    ----------
    base : ModelFile
    base_digest : str
        SHA-256 of its file.
    network : Network
        At the best of its checks.
    settings : Settings
    checks : tuple of Check
    n_learned, n_held_out, n_short : int
        Texts learned from, watched, and left out as too short.
    hashes : uint64 array
        Of the texts learned from and watched; see `text_hashes`.
    """

    base: ModelFile
    base_digest: str
    network: Network
    settings: Settings
    checks: tuple[Check, ...]
    n_learned: int
    n_held_out: int
    n_short: int
    hashes: npt.NDArray[np.uint64]


def finetune(
    table: TextTable,
    base: Path,
    settings: Settings,
    checkpoint: Path,
    *,
    hold_out: Sequence[str] = (),
    device: str | None = None,
    report: Report = lambda _: None,
    start: Start = "go on",
) -> Finetuned:
    """Train an adapter, or go on with one whose run was killed.

    Parameters
    ----------
    table : TextTable
    base : Path
        A GGUF model of the Llama family.
    settings : Settings
    checkpoint : Path
        Where the run goes on from when it is started again.
    hold_out : sequence of str
        Sources that are watched and not learned from; drawn by default.
    device : {"cpu", "cuda"}, optional
        The card where there is one, by default.
    report : callable, optional
        Told of every step.
    start : {"go on", "anew", "best"}
        From the checkpoint where there is one; without it; or not at all, for the best that it holds.

    Raises
    ------
    InputError
        When there are too few texts of a class.
    ModelError
        When the base model cannot be read.
    SettingError
        When the checkpoint is another run's, a source to hold out is not there, or the device is not.
    """
    where = _device(device)
    file = check_model(base)
    check_loads(file)
    weights = Weights(file, vocabulary_only=True)
    prepared = [prepare(text).text for text in table.texts]
    kept, tokens, held = _tokens(table, prepared, weights, hold_out, settings)
    learned, watched = tokens.take(np.flatnonzero(~held)), tokens.take(np.flatnonzero(held))
    digest = file_digest(base)
    question = _question(weights) if settings.reads == "answers" else None
    network = Network(file, settings, where, question)
    if start == "anew":
        checkpoint.unlink(missing_ok=True)
    training = Training(
        network,
        learned,
        watched,
        file.begin,
        settings,
        checkpoint,
        run_digest(digest, settings, learned, watched),
        report,
    )
    training.run(go_on=start != "best")
    counts = len(learned.ids), len(watched.ids), len(prepared) - kept.size
    hashes = text_hashes(prepared[i] for i in kept.tolist())
    return Finetuned(file, digest, network, settings, tuple(training.checks), *counts, hashes)


def _device(wanted: str | None) -> str:
    there = torch.cuda.is_available()
    if wanted not in {None, "cpu", "cuda"}:
        raise SettingError(f"device {wanted!r}; expected cpu or cuda")
    if wanted == "cuda" and not there:
        raise SettingError(
            f"device cuda, but torch {torch.__version__} finds no card; leave it out, or take cpu"
        )
    return wanted or ("cuda" if there else "cpu")


def _question(weights: Weights) -> Question:
    """The question's tokens, and the first tokens in which its answers differ."""
    human, machine = (weights.tokenise([QUESTION + answer]).ids.tolist() for answer in ANSWERS)
    n = next(i for i, (a, b) in enumerate(zip(human, machine, strict=False)) if a != b)
    return Question(tuple(human[:n]), (human[n], machine[n]))


def _tokens(
    table: TextTable, prepared: Sequence[str], weights: Weights, hold_out: Sequence[str], settings: Settings
) -> tuple[Indices, LabelledTokens, npt.NDArray[np.bool_]]:
    """Which texts are long enough, their tokens, and whether they are held out."""
    ids = [weights.tokenise([text]).ids for text in prepared]
    sources = np.array(table.sources or [""] * len(ids), dtype=np.str_)
    kept = np.flatnonzero([one.size >= settings.min_tokens for one in ids])
    tokens = LabelledTokens(ids, np.asarray(table.y, np.intp), sources).take(kept)
    counts = np.bincount(tokens.y, minlength=2)
    if counts.min() < LEAST_TEXTS:
        raise InputError(
            f"{counts[0]} human and {counts[1]} machine texts of {settings.min_tokens} tokens or more; "
            f"expected {LEAST_TEXTS} of each at least: add texts, or lower --min-tokens"
        )
    groups = None if table.groups is None else np.array(table.groups, dtype=np.str_)[kept]
    held = held_out_texts(tokens.y, tokens.sources, groups, hold_out, settings.seed)
    return kept, tokens, held
