"""Rounds of augmentation: train from scratch, ask a teacher for texts like the wrong ones, keep what is fit.

Lee et al., "LLM2LLM: Boosting LLMs with Novel Iterative Data Enhancement", arXiv:2403.15042: only seed texts
are shown to the teacher, never its own, and each round trains from scratch; both were best there.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ghostbuster.arrays import AnyArray, Int1d
from ghostbuster.detector.augmentation.filters import Filters, cleaned
from ghostbuster.detector.augmentation.held_out_errors import HeldOut
from ghostbuster.detector.augmentation.plan import Plan
from ghostbuster.detector.augmentation.prompts import ECHO_WORDS, Request, shortened, text_seed
from ghostbuster.models.llama.writing.sampling import Sampling
from ghostbuster.models.llama.writing.writer import Written


class Teacher(Protocol):
    """Writes texts on request, such as `models.llama.writing.writer.Writer`."""

    def write(self, request: str, seeds: Sequence[int], sampling: Sampling) -> list[Written]:
        """One text a seed."""
        ...


class Steps(Protocol):
    """What is done, kept on the disk: a killed run goes on behind the last step."""

    def steps(self) -> Sequence[dict[str, Any]]:
        """All so far, in order."""
        ...

    def add(self, step: dict[str, Any]) -> None:
        """Keep one more; it is on the disk when this returns."""
        ...


@dataclass(frozen=True, slots=True)
class NewText:
    """A text that the teacher wrote and the filters kept: a machine's, whatever it was written after.

    Attributes
    ----------
    text : str
    parent : int
        Index of the seed text that the request showed.
    round : int
        From 1.
    seed : int
        Of the draw of its tokens.
    prompt : str
        The request.
    """

    text: str
    parent: int
    round: int
    seed: int
    prompt: str


@dataclass
class Augmented:
    """What came of it.

    Attributes
    ----------
    texts : list of NewText
    rounds : list of dict
        Figures of each: how right the detector was, texts asked for and kept, counts by filter; fit for JSON.
    n_tokens : int
        That the teacher wrote.
    seconds : float
        In which it wrote.
    stopped : str
        What ended it: ``rounds``, ``max_texts``, ``max_tokens``, ``max_minutes`` or ``nothing wrong``.
    """

    texts: list[NewText] = field(default_factory=list)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    n_tokens: int = 0
    seconds: float = 0.0
    stopped: str = "rounds"

    def count(self, step: dict[str, Any], shown: Request, seeds: Sequence[str]) -> list[NewText]:
        """Add a step of writing; returns its texts."""
        figures = self.rounds[-1]
        figures["asked"] += step["asked"]
        figures["kept"] += len(step["texts"])
        figures["dropped"] = dict(Counter(figures["dropped"]) + Counter(step["dropped"]))
        self.n_tokens += step["n_tokens"]
        self.seconds += step["seconds"]
        prompt = shown.about(seeds[step["parent"]]) if step["texts"] else ""
        new = [NewText(text, step["parent"], step["round"], seed, prompt) for text, seed in step["texts"]]
        self.texts += new
        return new


@dataclass(frozen=True)
class Task:
    """What texts are made from, and how.

    Attributes
    ----------
    seeds : sequence of str
        Prepared.
    y : array of shape (n_seeds,), 0 human, 1 machine
    plan : Plan
    sources : array of shape (n_seeds,), or None
        Each has its turn.
    request : Request
    sampling : Sampling
    """

    seeds: Sequence[str]
    y: Int1d
    plan: Plan
    sources: AnyArray | None = None
    request: Request = Request()  # noqa: RUF009 - frozen
    sampling: Sampling = Sampling()  # noqa: RUF009 - frozen


Learn = Callable[[Sequence[NewText]], HeldOut]
"""Trains from scratch on the seed texts and the new ones, and says what held-out folds made of the seeds."""


def augment(
    task: Task,
    learn: Learn,
    teacher: Teacher,
    journal: Steps,
    progress: Callable[[int, Augmented], None] = lambda _round, _made: None,
) -> Augmented:
    """New texts after those that the detector gets wrong, round by round, up to the bounds of the plan.

    Parameters
    ----------
    task : Task
    learn : callable
    teacher : Teacher
    journal : Steps
        Steps in it are not done again.
    progress : callable
        Called with the round and what came so far, after each step.
    """
    filters = Filters(task.seeds, task.request.own_words, ECHO_WORDS)
    done = list(journal.steps())
    made = Augmented()

    def step(make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        if done:
            return done.pop(0)
        new = make()
        journal.add(new)
        return new

    for number in range(1, task.plan.rounds + 1):
        found = step(lambda: _errors(task, learn, made, number))  # noqa: B023 - called at once
        made.rounds.append({"round": number, **found["figures"], "asked": 0, "kept": 0, "dropped": {}})
        if not found["parents"]:
            made.stopped = "nothing wrong"
            return made
        for parent in found["parents"]:
            if not done and (bound := _bound_reached(task.plan, made)):
                made.stopped = bound
                return made
            is_new = not done
            left = task.plan.max_texts - len(made.texts)
            written = step(lambda: _written(task, teacher, filters, (number, parent, left)))  # noqa: B023
            new = made.count(written, task.request, task.seeds)
            if not is_new:
                for one in new:
                    filters.keep(one.text)
            progress(number, made)
    made.stopped = _bound_reached(task.plan, made) or "rounds"
    return made


def _errors(task: Task, learn: Learn, made: Augmented, number: int) -> dict[str, Any]:
    """Train, and choose the texts that are shown in this round: its share of the texts that are left."""
    said = learn(made.texts)
    wrong = said.wrong(task.y, task.plan.errors, task.sources)
    left = (task.plan.max_texts - len(made.texts)) / (task.plan.rounds - number + 1)
    most = math.ceil(left / task.plan.per_text)
    figures = said.figures(task.y) | {
        "n_wrong": len(wrong),
        "n_learned_from": len(task.seeds) + len(made.texts),
    }
    return {"step": "errors", "round": number, "parents": wrong[:most], "figures": figures}


def _written(task: Task, teacher: Teacher, filters: Filters, which: tuple[int, int, int]) -> dict[str, Any]:
    """Ask for texts like one seed text, and keep what is fit.

    Parameters
    ----------
    which : tuple of int
        The round, the seed text, and how many texts may be kept.
    """
    number, parent, left = which
    shown = task.seeds[parent]
    seeds = [text_seed(task.plan.seed, number, parent, k) for k in range(min(task.plan.per_text, left))]
    started = time.monotonic()
    answers = teacher.write(task.request.about(shown), seeds, task.sampling)
    seconds = time.monotonic() - started
    kept, dropped = [], Counter[str]()
    for seed, answer in zip(seeds, answers, strict=True):
        text = cleaned(answer.text)
        if name := filters.dropped_by(text, shortened(shown)):
            dropped[name] += 1
        else:
            kept.append([text, seed])
    return {
        "step": "written",
        "round": number,
        "parent": parent,
        "asked": len(seeds),
        "texts": kept,
        "dropped": dict(dropped),
        "n_tokens": sum(answer.n_tokens for answer in answers),
        "seconds": seconds,
    }


def _bound_reached(plan: Plan, made: Augmented) -> str:
    """The bound that forbids another step; empty where none does."""
    if len(made.texts) >= plan.max_texts:
        return "max_texts"
    if made.n_tokens >= plan.max_tokens:
        return "max_tokens"
    return "max_minutes" if made.seconds >= 60 * plan.max_minutes else ""
