"""Train one language model from a TOML file; stops at a time limit, resumes from a checkpoint.

    python training/lm/train_lm.py training/lm/configs/weak.toml --runs RUNS --minutes 12

The learning rate warms up, stays, and falls to zero over the last part of the time given (warm-up,
stable, decay: Hu et al. 2024, arXiv:2404.06395). ``<name>/stable.pt`` is kept from just before the
fall: a later run with ``--resume`` goes on from there as if it had been one longer run. With ``--hold``
the rate does not fall: training is spread over several runs, of which the last lets it.

Weights that travelled (`checkpoints.send`) can be resumed too: name their first part. Their optimisers
start empty, so the rate warms up anew.
"""

import argparse
import datetime as dt
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import checkpoints
import numpy as np
import torch
from heldout import Register, bits_per_character
from mix import MIXES
from model import Llama, Shape, n_parameters, read_config
from rows import Rows
from torch import Tensor, nn
from torch.nn import functional as nnf

EVALUATE_SECONDS = 900
MONITOR_CHARACTERS = 20_000


@dataclass
class Progress:
    """What a checkpoint remembers besides weights and moments."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    decaying: bool = False
    began: int = 0  # the step at which the optimisers were empty: the rate warms up from there


def optimisers(model: Llama, training: dict[str, Any], kind: str) -> list[torch.optim.Optimizer]:
    """AdamW for all, or Muon for the matrices inside blocks and AdamW for the rest."""
    rate, decay = training["learning_rate"], training["weight_decay"]
    matrices = [p for p in model.blocks.parameters() if p.ndim == 2]
    inside = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in inside]
    adam: dict[str, Any] = {"lr": rate, "betas": (0.9, 0.95), "fused": True}
    if kind == "adamw":
        groups = [
            {"params": matrices, "weight_decay": decay},
            {"params": rest, "weight_decay": 0.0},
        ]
        return [torch.optim.AdamW(groups, **adam)]
    muon = torch.optim.Muon(
        matrices, lr=rate, weight_decay=decay, momentum=0.95, adjust_lr_fn="match_rms_adamw"
    )
    return [muon, torch.optim.AdamW(rest, weight_decay=0.0, **adam)]


def rate_factor(step: int, passed: float, warm_up: int, decay_fraction: float) -> float:
    """Share of the full learning rate after ``passed`` of the time (0 to 1)."""
    rising = min(1.0, (step + 1) / warm_up)
    falling = min(1.0, max(0.0, 1 - passed) / decay_fraction) if decay_fraction else 1.0
    return min(rising, max(falling, 0.01))


def mean_loss(model: Llama, inputs: Tensor, targets: Tensor) -> Tensor:
    """Mean negative log-likelihood of the targets in nats."""
    return nnf.cross_entropy(model(inputs).flatten(0, 1).float(), targets.flatten())


class Trainer:
    """One run: owns the model, its optimisers and where they are kept."""

    def __init__(self, config: dict[str, Any], options: argparse.Namespace) -> None:
        self.training = {**config["training"], **dict(options.set)}
        self.folder: Path = options.runs / (options.name or config["name"])
        self.folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(self.training["seed"])
        self.device = torch.device(options.device)
        self.config = config
        self.shape = Shape(**config["model"])
        self.model = Llama(self.shape).to(self.device)
        weights = MIXES[self.training.get("mix", "part")]
        self.rows = Rows(options.runs / "shards", self.shape.context, self.training["seed"], weights)
        self.optimisers = optimisers(self.model, self.training, options.optimiser)
        self.rates = [[g["lr"] for g in o.param_groups] for o in self.optimisers]
        self.progress = Progress()
        self.bf16 = not options.fp32
        self.tell_seconds: float = options.tell
        self.save_seconds: float = options.save
        self.loss = mean_loss if options.eager else torch.compile(mean_loss)
        tokenizer = options.runs / "tokenizer" / "tokenizer.model"
        heldout = sorted((options.runs / "corpus" / "heldout").glob("*.txt"))
        self.registers = [
            Register.read(path, tokenizer, MONITOR_CHARACTERS)
            for path in heldout
            if path.stem != "wikitext2_test"
        ]

    def step(self, factor: float) -> Tensor:
        """One update at ``factor`` of the full learning rate; return the mean loss in nats."""
        for optimiser, rates in zip(self.optimisers, self.rates, strict=True):
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * factor
        loss = self.gradients()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.training["clip"])
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.progress.step += 1
        self.progress.tokens += self.training["rows"] * self.shape.context
        return loss

    def gradients(self) -> Tensor:
        """Add up the gradients of the step's rows, so many at once; return the mean loss in nats."""
        n_rows = self.training["rows"]
        at_once = min(n_rows, self.training.get("rows_at_once", n_rows))
        arrays = self.rows.batch(self.progress.step, n_rows)
        total = torch.zeros((), device=self.device)
        for start in range(0, n_rows, at_once):
            inputs, targets = (self.moved(a[start : start + at_once]) for a in arrays)
            with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
                loss = self.loss(self.model, inputs, targets) * (len(inputs) / n_rows)
            loss.backward()
            total += loss.detach()
        return total

    def moved(self, array: "np.ndarray[Any, np.dtype[np.int64]]") -> Tensor:
        """The array on the device; from pinned memory, so that nothing waits for the copy."""
        tensor = torch.from_numpy(array)
        if self.device.type == "cuda":
            return tensor.pin_memory().to(self.device, non_blocking=True)
        return tensor

    def whole_logits(self, ids: Tensor) -> Tensor:
        """Logits in float32."""
        logits: Tensor = self.model(ids.to(self.device))
        return logits

    def evaluate(self) -> str:
        """Bits per character of each register, of the weights in float32."""
        results = [
            (register.name, bits_per_character(self.whole_logits, register, self.shape.context))
            for register in self.registers
        ]
        return " ".join(f"{name}={bits:.4f}" for name, bits in results)

    def save(self, name: str) -> None:
        """Write a checkpoint."""
        state = {
            "config": self.config,
            "model": self.model.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "progress": vars(self.progress),
        }
        checkpoints.save(self.folder / name, state)

    def load(self, path: Path) -> None:
        """Take up weights and progress of a checkpoint, and moments if it has them."""
        state = checkpoints.load(path, self.device)
        self.model.load_state_dict(state["model"])
        self.progress = Progress(**state["progress"])
        self.progress.decaying = False
        if "optimisers" not in state:
            self.progress.began = self.progress.step
            return
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)

    def run(self, deadline: Callable[[], float], fall: str = "late") -> None:
        """Train until ``deadline()`` (seconds left) is zero.

        The rate falls over the last part of the time (``late``), from the first step on (``now``) or
        not at all (``never``).
        """
        self.gradients()  # compiling is no part of the schedule
        for optimiser in self.optimisers:
            optimiser.zero_grad(set_to_none=True)
        total = deadline()
        begun = saved = evaluated = told = time.monotonic()
        before, tokens_told = self.progress.seconds, self.progress.tokens
        sums: list[Tensor] = []
        while (left := deadline()) > 0:
            passed = 1 - left / total
            fraction = {"late": self.training["decay_fraction"], "now": 1.0, "never": 0.0}[fall]
            warm = self.progress.step - self.progress.began
            factor = rate_factor(warm, passed, self.training["warm_up_steps"], fraction)
            if fall == "late" and 1 - passed <= fraction and not self.progress.decaying:
                self.save("stable.pt")
                self.progress.decaying = True
            sums.append(self.step(factor))
            now = time.monotonic()
            self.progress.seconds = before + now - begun
            if now - told >= self.tell_seconds:
                speed = (self.progress.tokens - tokens_told) / (now - told)
                loss = float(torch.stack(sums).mean())
                tell(f"step {self.progress.step} tokens {self.progress.tokens} loss {loss:.4f} "
                     f"rate {factor:.3f} {speed:.0f} tokens/s {left:.0f} s left")  # fmt: skip
                told, tokens_told, sums = now, self.progress.tokens, []
            if now - saved >= self.save_seconds:
                self.save("last.pt")
                saved = now
            if now - evaluated >= EVALUATE_SECONDS:
                tell(f"held out, bits per character: {self.evaluate()}")
                evaluated = now
        self.progress.seconds = before + time.monotonic() - begun
        self.save("last.pt" if fall == "never" else "final.pt")
        tell(f"done: {self.progress} held out, bits per character: {self.evaluate()}")


def tell(line: str) -> None:
    print(f"{dt.datetime.now(dt.UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


def seconds_left(options: argparse.Namespace) -> Callable[[], float]:
    """A clock that runs out after ``--minutes`` or at ``--until`` (HH:MM, UTC), whichever is first."""
    ends = [time.time() + options.minutes * 60] if options.minutes else []
    if options.until:
        now = dt.datetime.now(dt.UTC)
        hour, minute = map(int, options.until.split(":"))
        end = now.replace(hour=hour, minute=minute, second=0)
        ends.append((end if end > now else end + dt.timedelta(days=1)).timestamp())
    if not ends:
        raise SystemExit("give --minutes or --until: training has no other end")
    return lambda: min(ends) - time.time()


def setting(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    return name, float(value) if "." in value or "e" in value else int(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("config", type=Path)
    parser.add_argument("--runs", type=Path, required=True, help="holds shards/, tokenizer/, corpus/")
    parser.add_argument("--name", help="folder below RUNS; the config's name if not given")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--until", help="HH:MM, UTC")
    parser.add_argument("--resume", type=Path, help="a checkpoint, stable.pt of an earlier run")
    parser.add_argument("--decay-only", action="store_true", help="fall from the first step on")
    parser.add_argument("--hold", action="store_true", help="do not fall: a later run goes on")
    parser.add_argument("--optimiser", choices=("adamw", "muon"), default="muon")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fp32", action="store_true", help="no bf16 autocast")
    parser.add_argument("--eager", action="store_true", help="no torch.compile")
    parser.add_argument("--tell", type=float, default=15, help="seconds between two lines")
    parser.add_argument("--save", type=float, default=60, help="seconds between two checkpoints")
    parser.add_argument("--set", type=setting, nargs="*", action="extend", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trainer = Trainer(read_config(options.config), options)
    if options.resume:
        trainer.load(options.resume)
    tell(f"{n_parameters(trainer.model)} parameters, {len(trainer.rows)} rows")
    fall = "now" if options.decay_only else "never" if options.hold else "late"
    trainer.run(seconds_left(options), fall)


if __name__ == "__main__":
    main()
