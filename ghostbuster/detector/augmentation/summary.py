"""What an augmentation came to, and everything that moves it, fit for JSON."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import ghostbuster
from ghostbuster.detector.augmentation.filters import Filters
from ghostbuster.detector.augmentation.rounds import Augmented, Task
from ghostbuster.detector.augmentation.table import SeedTable


def summary(made: Augmented, teacher: str, digest: str, output: str) -> dict[str, Any]:
    """Counts by filter, in all and of each round.

    Returns
    -------
    dict
        ``output``, ``teacher``, ``teacher_digest``, ``stopped`` (what ended it), ``n_asked``, ``n_kept``,
        ``dropped`` (by filter), ``n_tokens``, ``seconds`` (of writing) and ``rounds``.
    """
    dropped: Counter[str] = Counter()
    for one in made.rounds:
        dropped.update(one["dropped"])
    return {
        "output": output,
        "teacher": teacher,
        "teacher_digest": digest,
        "stopped": made.stopped,
        "n_asked": sum(one["asked"] for one in made.rounds),
        "n_kept": len(made.texts),
        "dropped": {name: dropped[name] for name in Filters.ROWS},
        "n_tokens": made.n_tokens,
        "seconds": round(made.seconds, 1),
        "rounds": made.rounds,
    }


def made_by(task: Task, detector: str, teacher: str, seeds: SeedTable) -> dict[str, str]:
    """Everything that moves the new texts, each under a name that a user knows; for the journal.

    Parameters
    ----------
    task : Task
    detector, teacher : str
        Digests of their files.
    seeds : SeedTable
    """
    from importlib.metadata import version

    digest = hashlib.sha256()
    for text, label, group in zip(seeds.texts, seeds.y.tolist(), seeds.groups.tolist(), strict=True):
        digest.update(repr((text, label, group)).encode(errors="replace"))
    digest.update(repr(None if seeds.sources is None else seeds.sources.tolist()).encode(errors="replace"))
    plan, sampling = task.plan, task.sampling
    return {
        "input": digest.hexdigest(),
        "detector": detector,
        "teacher": teacher,
        "--request": task.request.digest,
        **{
            f"--{name.replace('_', '-')}": str(getattr(plan, name))
            for name in ("rounds", "per_text", "errors", "max_texts", "seed")
        },
        "--text-tokens": str(sampling.max_tokens),
        "--temperature": str(sampling.temperature),
        "--top-p": str(sampling.top_p),
        "version of ghostbuster": ghostbuster.__version__,
        "version of llama-cpp-python": version("llama-cpp-python"),
    }
