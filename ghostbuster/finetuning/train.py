"""The training itself: a head fitted on the base model's states, then low-rank updates, watched and kept.

The head comes first, since updates that begin under a random head distort what the model knows and do worse
on texts of other sources (Kumar et al., "Fine-Tuning can Distort Pretrained Features and Underperform
Out-of-Distribution", arXiv:2202.10054).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from ghostbuster.errors import ModelError, SettingError
from ghostbuster.finetuning import checkpoints
from ghostbuster.finetuning.crops import Crop, LabelledTokens, batches, inputs_of, paired_crops
from ghostbuster.finetuning.network import Network
from ghostbuster.finetuning.settings import Settings
from ghostbuster.metrics.classification import auroc

MOST_CHECKED = 150
"""Pairs of crops of the sources left out that a check reads."""
START_STRENGTH = 0.003
"""Inverse penalty (scikit-learn's C) of the first head, on standardised states of one layer."""
WARM_UP, LAST_RATE = 0.06, 0.1
"""Share of the steps over which the rate rises, and the share of it that is left at the end."""
LARGEST_GRADIENT = 1.0
WEIGHT_DECAY = 0.01
CHECKPOINT_SECONDS = 120.0
_TINY = 1e-6

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Check:
    """How the sources left out were told apart after so many steps.

    Attributes
    ----------
    step : int
        0 is the head on the base model's states.
    auroc : float
    log_loss : float
        Nats a crop.
    """

    step: int
    auroc: float
    log_loss: float


@dataclass(frozen=True)
class Progress:
    """Where a run is.

    Attributes
    ----------
    step, n_steps : int
    tokens_a_second : float
        Since this process began.
    checks : sequence of Check
    """

    step: int
    n_steps: int
    tokens_a_second: float
    checks: Sequence[Check]


Report = Callable[[Progress], None]


class Training:
    """One run, from its first step or from its checkpoint.

    Parameters
    ----------
    network : Network
    learned, watched : LabelledTokens
        What is learned from, and texts of other sources that decide when to stop.
    begin : int
        The begin token.
    settings : Settings
    checkpoint : Path
    digest : str
        From `checkpoints.run_digest`.
    report : callable, optional
        Told of every step.

    Attributes
    ----------
    checks : list of Check
    best : dict
        The network's state at the best of them.
    """

    def __init__(
        self,
        network: Network,
        learned: LabelledTokens,
        watched: LabelledTokens,
        begin: int,
        settings: Settings,
        checkpoint: Path,
        digest: str,
        report: Report = lambda _: None,
    ) -> None:
        self._network, self._learned, self._watched = network, learned, watched
        self._begin, self._settings = begin, settings
        self._path, self._digest, self._report = checkpoint, digest, report
        seed = settings.seed
        n_pairs = max(1, round(settings.epochs * len(learned.ids) / 2))
        self._steps = batches(paired_crops(learned, n_pairs, settings, seed), settings.batch_tokens, seed)
        n_watched = min(MOST_CHECKED, *np.bincount(watched.y, minlength=2).tolist())
        self._watched_crops = paired_crops(watched, n_watched, settings, seed + 1)
        head = [network.weight, network.bias]
        updates = [value for name, value in network.trained.items() if not name.startswith("head.")]
        self._optimiser = torch.optim.AdamW(
            [{"params": updates, "weight_decay": WEIGHT_DECAY}, {"params": head, "weight_decay": 0.0}],
            lr=settings.learning_rate,
        )
        self.checks: list[Check] = []
        self.best: checkpoints.State = {}
        self._done = self._read = 0
        self._seconds = 0.0
        self._saved = time.monotonic()

    def run(self, *, go_on: bool = True) -> None:
        """Train until the last step, or until nothing was gained for long; a killed run goes on from here.

        Parameters
        ----------
        go_on : bool, default True
            False takes the best of what an interrupted run has checked.

        Raises
        ------
        SettingError
            When the checkpoint is damaged, another run's, or not there to take the best of.
        """
        kept = checkpoints.load(self._path, self._digest)
        if kept is None and not go_on:
            raise SettingError(f"{self._path}: no such checkpoint; expected that of an interrupted run")
        if kept is None:
            self._start()
        else:
            self._restore(kept)
        if not go_on:
            self._network.load_state(self.best)
            return
        every = math.ceil(len(self._steps) / self._settings.checks)
        while self._done < len(self._steps) and not self._stalled():
            started = time.monotonic()
            self._step(self._steps[self._done])
            self._seconds += time.monotonic() - started
            self._done += 1
            if self._done % every == 0 or self._done == len(self._steps):
                self._check()
                self._save()
            elif time.monotonic() - self._saved > CHECKPOINT_SECONDS:
                self._save()
            rate = self._read / max(self._seconds, 1e-9)
            self._report(Progress(self._done, len(self._steps), rate, tuple(self.checks)))
        self._network.load_state(self.best)

    def _start(self) -> None:
        """Fit the first head on crops as they will be learned from."""
        from sklearn.linear_model import LogisticRegression

        if self._network.question is not None:
            self._start_asking()
            return
        n_pairs = self._settings.n_start // 2
        crops = paired_crops(self._learned, n_pairs, self._settings, self._settings.seed + 2)
        means = read_means(self._network, self._learned, crops, self._begin, self._settings.batch_tokens)
        y = self._learned.y[[crop.text for crop in crops]]
        center, spread = means.mean(axis=0), np.maximum(means.std(axis=0), _TINY)
        model = LogisticRegression(C=START_STRENGTH, max_iter=1000)
        model.fit((means - center) / spread, y)
        coef = np.asarray(model.coef_[0], np.float32)
        self._network.start_head(center, spread, coef, float(model.intercept_[0]))
        self._check()
        self._save()

    def _start_asking(self) -> None:
        """Begin where both answers are equally likely, whichever word is the commoner."""
        n_pairs = self._settings.n_start // 2
        crops = paired_crops(self._learned, n_pairs, self._settings, self._settings.seed + 2)
        means = read_means(self._network, self._learned, crops, self._begin, self._settings.batch_tokens)
        with torch.no_grad():
            odds = self._network.log_odds(torch.from_numpy(means).to(self._network.device))
            self._network.bias.copy_(-odds.mean())
        self._check()
        self._save()

    def _step(self, batch: Sequence[Crop]) -> None:
        """One update."""
        for group in self._optimiser.param_groups:
            group["lr"] = self._settings.learning_rate * rate_at(self._done, len(self._steps))
        ids, counted = inputs_of(self._learned, batch, self._begin, self._network.suffix)
        y = torch.from_numpy(self._learned.y[[crop.text for crop in batch]]).to(self._network.device)
        odds = self._network.log_odds(self._network.means(ids, counted))
        loss = torch.nn.functional.binary_cross_entropy_with_logits(odds, y.float())
        if not torch.isfinite(loss):
            raise ModelError(
                f"step {self._done}: the loss is {loss.item()}; expected a number: lower the learning rate, "
                "or take precision f32"
            )
        self._optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(self._network.trained.values()), LARGEST_GRADIENT)
        self._optimiser.step()
        self._read += sum(crop.n for crop in batch)

    def _check(self) -> None:
        """Look at the sources left out, and keep what does best."""
        crops = self._watched_crops
        means = read_means(self._network, self._watched, crops, self._begin, self._settings.batch_tokens)
        with torch.no_grad():
            odds = self._network.log_odds(torch.from_numpy(means).to(self._network.device)).cpu().numpy()
        y = self._watched.y[[crop.text for crop in crops]]
        loss = float(np.mean(np.logaddexp(0.0, np.where(y == 1, -odds, odds))))
        self.checks.append(Check(self._done, float(auroc(y, odds)), loss))
        if max(self.checks, key=lambda check: check.auroc) is self.checks[-1]:
            self.best = self._network.state()

    def _stalled(self) -> bool:
        best = max(range(len(self.checks)), key=lambda i: self.checks[i].auroc)
        return len(self.checks) - 1 - best >= self._settings.patience

    def _save(self) -> None:
        state = {
            "network": self._network.state(),
            "best": self.best,
            "optimiser": self._optimiser.state_dict(),
            "done": self._done,
            "checks": [asdict(check) for check in self.checks],
        }
        checkpoints.save(self._path, self._digest, state)
        self._saved = time.monotonic()

    def _restore(self, state: checkpoints.State) -> None:
        self._network.load_state(state["network"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.best, self._done = state["best"], state["done"]
        self.checks = [Check(**check) for check in state["checks"]]


def rate_at(step: int, n_steps: int) -> float:
    """Share of the learning rate at a step: a linear rise, then half a cosine down to `LAST_RATE`."""
    rise = max(1, round(WARM_UP * n_steps))
    if step < rise:
        return (step + 1) / rise
    done = (step - rise) / max(1, n_steps - rise)
    return LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * done)) / 2


def read_means(
    network: Network, texts: LabelledTokens, crops: Sequence[Crop], begin: int, batch_tokens: int
) -> npt.NDArray[np.float32]:
    """Mean states of crops in the order given, shape (n_crops, width); nothing is learned."""
    means = np.empty((len(crops), network.width), np.float32)
    order = sorted(range(len(crops)), key=lambda i: crops[i].n)
    for rows in _filled(order, crops, batch_tokens):
        ids, counted = inputs_of(texts, [crops[i] for i in rows], begin, network.suffix)
        with torch.no_grad():
            read: Any = network.means(ids, counted)
        means[rows] = read.cpu().numpy()
    return means


def _filled(order: Sequence[int], crops: Sequence[Crop], batch_tokens: int) -> list[list[int]]:
    """Rows of rising length, at most ``batch_tokens`` a batch with padding."""
    made: list[list[int]] = [[]]
    for i in order:
        if made[-1] and (len(made[-1]) + 1) * crops[i].n > batch_tokens:
            made.append([])
        made[-1].append(i)
    return [rows for rows in made if rows]
