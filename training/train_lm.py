"""Train one language model from its TOML; stop at a time, resume from a checkpoint.

    python training/train_lm.py training/configs/weak.toml --runs RUNS --minutes 12

The learning rate warms up, stays, and falls to zero over the last part of the time given (warm-up,
stable, decay: Hu et al. 2024, arXiv:2404.06395). ``<name>/stable.pt`` is kept from just before the
fall: a later run with ``--resume`` goes on from there as if it had been one longer run.
"""

import argparse
import datetime as dt
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from heldout import Register, bits_per_character
from model import Llama, Shape, n_parameters, read_config
from rows import Rows
from torch import Tensor, nn
from torch.nn import functional as nnf

SAVE_SECONDS = 120
EVALUATE_SECONDS = 900
MONITOR_CHARACTERS = 20_000


@dataclass
class Progress:
    """What a checkpoint remembers besides weights and moments."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    decaying: bool = False


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
    falling = min(1.0, max(0.0, 1 - passed) / decay_fraction)
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
        self.rows = Rows(options.runs / "shards", self.shape.context, self.training["seed"])
        self.optimisers = optimisers(self.model, self.training, options.optimiser)
        self.rates = [[g["lr"] for g in o.param_groups] for o in self.optimisers]
        self.progress = Progress()
        self.bf16 = not options.fp32
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
        n_rows = self.training["rows"]
        arrays = self.rows.batch(self.progress.step, n_rows)
        inputs, targets = (torch.from_numpy(a).to(self.device) for a in arrays)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            loss = self.loss(self.model, inputs, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.training["clip"])
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
        self.progress.step += 1
        self.progress.tokens += targets.numel()
        return loss.detach()

    def whole_logits(self, ids: Tensor) -> Tensor:
        """Logits on the CPU, in float32."""
        logits: Tensor = self.model(ids.to(self.device)).cpu()
        return logits

    def evaluate(self) -> str:
        """Bits per character of each register, of the weights in float32."""
        results = [
            (register.name, bits_per_character(self.whole_logits, register, self.shape.context))
            for register in self.registers
        ]
        return " ".join(f"{name}={bits:.4f}" for name, bits in results)

    def save(self, name: str) -> None:
        """Write a checkpoint through a temporary file: a broken run leaves the one before."""
        path = self.folder / name
        state = {
            "config": self.config,
            "model": self.model.state_dict(),
            "optimisers": [o.state_dict() for o in self.optimisers],
            "progress": vars(self.progress),
        }
        temporary = path.with_suffix(".tmp")
        torch.save(state, temporary)
        temporary.replace(path)

    def load(self, path: Path) -> None:
        """Take up weights, moments and progress of a checkpoint."""
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.progress = Progress(**state["progress"])

    def run(self, deadline: Callable[[], float], decay_only: bool) -> None:
        """Train until ``deadline()`` (seconds left) is zero."""
        self.step(0.0 if self.progress.step else 0.01)  # compiling is no part of the schedule
        total = deadline()
        begun = saved = evaluated = told = time.monotonic()
        before, tokens_told = self.progress.seconds, self.progress.tokens
        sums: list[Tensor] = []
        while (left := deadline()) > 0:
            passed = 1 - left / total
            fraction = 1.0 if decay_only else self.training["decay_fraction"]
            factor = rate_factor(self.progress.step, passed, self.training["warm_up_steps"], fraction)
            if 1 - passed <= fraction and not self.progress.decaying and not decay_only:
                self.save("stable.pt")
                self.progress.decaying = True
            sums.append(self.step(factor))
            now = time.monotonic()
            self.progress.seconds = before + now - begun
            if now - told >= 15:
                speed = (self.progress.tokens - tokens_told) / (now - told)
                loss = float(torch.stack(sums).mean())
                tell(f"step {self.progress.step} tokens {self.progress.tokens} loss {loss:.4f} "
                     f"rate {factor:.3f} {speed:.0f} tokens/s {left:.0f} s left")  # fmt: skip
                told, tokens_told, sums = now, self.progress.tokens, []
            if now - saved >= SAVE_SECONDS:
                self.save("last.pt")
                saved = now
            if now - evaluated >= EVALUATE_SECONDS:
                tell(f"held out, bits per character: {self.evaluate()}")
                evaluated = now
        self.save("final.pt")
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
    parser.add_argument("--optimiser", choices=("adamw", "muon"), default="muon")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fp32", action="store_true", help="no bf16 autocast")
    parser.add_argument("--eager", action="store_true", help="no torch.compile")
    parser.add_argument("--set", type=setting, nargs="*", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    trainer = Trainer(read_config(options.config), options)
    if options.resume:
        trainer.load(options.resume)
        trainer.progress.decaying = False
    tell(f"{n_parameters(trainer.model)} parameters, {len(trainer.rows)} rows")
    trainer.run(seconds_left(options), options.decay_only)


if __name__ == "__main__":
    main()
