"""The surest wrong calls: which sources and kinds they come from, and which reader was misled; no text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.accuracy.report_parts.answers import ALL, READER_NAMES, Answers, Asked
from benchmarks.accuracy.report_parts.figures import judged
from benchmarks.accuracy.report_parts.kinds import made_by
from benchmarks.accuracy.unseen import PROMISE

SUREST = 0.03
"""Share of the machine texts that are looked at: those that were surest called human."""
MOST_PEOPLE = 200
ROWS = 10


def hard_examples(asked: Asked, told: Mapping[str, Answers]) -> dict[str, Any]:
    """People called machine, the surest first, and the machine texts surest taken for people's.

    Returns
    -------
    dict
        ``people`` and ``machines``, each with ``n`` and ``rows``: of each source and kind how many of the
        surest wrong calls, of how many texts, their mean probability and words, and by reader the share of
        them that it, alone, puts on the wrong side of 0.5.
    """
    rows, ours = asked.rows, told[ALL]
    able = judged(asked)
    accused = np.flatnonzero(able & (rows["y"] == 0) & ours.called[PROMISE])
    accused = accused[np.argsort(-ours.probability[accused], kind="stable")][:MOST_PEOPLE]
    machines = np.flatnonzero(able & (rows["y"] == 1))
    n = max(1, round(SUREST * machines.size)) if machines.size else 0
    missed = machines[np.argsort(ours.probability[machines], kind="stable")][:n]
    return {
        "people": _grouped(asked, told, accused, 0),
        "machines": _grouped(asked, told, missed, 1),
    }


def _kind(asked: Asked, i: int) -> tuple[str, str]:
    rows = asked.rows
    source, domain = str(rows["sources"][i]), str(rows["domains"][i])
    if rows["y"][i] == 0:
        return source, domain.replace("_", " ")
    return source, made_by(source, domain, str(rows["attacks"][i]))


def _grouped(asked: Asked, told: Mapping[str, Answers], chosen: Any, label: int) -> dict[str, Any]:
    able = np.flatnonzero(judged(asked) & (asked.rows["y"] == label))
    of = Counter(_kind(asked, i) for i in able.tolist())
    kinds = [_kind(asked, i) for i in chosen.tolist()]
    made = []
    for kind, n in Counter(kinds).most_common(ROWS):
        own = chosen[[one == kind for one in kinds]]
        made.append(
            {
                "source": kind[0],
                "kind": kind[1],
                "n": n,
                "of": of[kind],
                "probability": float(told[ALL].probability[own].mean()),
                "words": float(asked.rows["n_words"][own].mean()),
                "misled": {
                    name: float(np.mean((told[name].probability[own] >= 0.5) != (label == 1)))
                    for name in READER_NAMES.values()
                    if name in told
                },
            }
        )
    return {"n": int(chosen.size), "rows": made}
