"""Stated shares of machine-written passages in texts put together from people's and machine texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Vectors
from ghostbuster.decision.machine_share import TRUST, machine_share
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.passages import WINDOW, Passages, passages_of
from ghostbuster.hidden_states import HiddenStates
from ghostbuster.reading.read import Reading
from ghostbuster.text.prepare import PreparedText
from training.data.material import Material

PIECES = 4
FEWEST_WORDS = 120  # of a piece
PER_SHARE = 24
TRUSTS = (3.0, 2.0, 1.5, 1.0, 0.7, 0.5)
Indices = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Mixed:
    """One text put together.

    Parameters
    ----------
    rows : sequence of int
        Its pieces, in their order.
    n_machine : int
        Pieces by machines.
    source : str
    """

    rows: tuple[int, ...]
    n_machine: int
    source: str


def mixtures(material: Material, sources: Sequence[str], seed: int = 0) -> list[Mixed]:
    """Up to `PER_SHARE` texts for each number of machine pieces, of pieces of one source and domain.

    A piece may stand in several texts; no two pieces of one text share a group.
    """
    chance = np.random.default_rng(seed)
    pools: dict[tuple[str, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for i, text in enumerate(material.texts):
        fits = not text.is_crop and text.attack == "none" and len(text.text.split()) >= FEWEST_WORDS
        if text.source in sources and fits and not text.domain.endswith("_llm"):
            pools[text.source, text.domain][text.label].append(i)
    full = {name: pool for name, pool in sorted(pools.items()) if min(map(len, pool)) >= PIECES}
    made = []
    for n_machine in range(PIECES + 1):
        for k in range(PER_SHARE if full else 0):
            name = list(full)[k % len(full)]
            rows = _pieces(full[name], n_machine, material.groups, chance)
            made.append(Mixed(rows, n_machine, name[0]))
    return made


def _pieces(
    pool: tuple[list[int], list[int]], n_machine: int, groups: Indices, chance: np.random.Generator
) -> tuple[int, ...]:
    """Pieces of different groups where the pool allows it, in an order drawn by chance."""
    chosen: list[int] = []
    for label, wanted in ((0, PIECES - n_machine), (1, n_machine)):
        order = chance.permutation(pool[label]).tolist()
        apart = [i for i in order if groups[i] not in set(groups[chosen].tolist())]
        chosen += (apart + order)[:wanted]
    return tuple(chance.permutation(chosen).tolist())


def joined(reading: Reading, rows: Sequence[int]) -> Reading:
    """Texts already read, as one text: token scores side by side, as if one followed the other."""
    parts = [reading.take(np.array([i])) for i in rows]
    texts = [part.texts[0] for part in parts]
    begins = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    ends = np.concatenate([part.ends + begin for part, begin in zip(parts, begins, strict=True)])
    channels = {
        name: np.concatenate([part.vectors.channels[name] for part in parts])
        for name in parts[0].vectors.channels
    }
    states = {
        name: _joined_states([part.vectors.states[name] for part in parts], begins.tolist())
        for name in parts[0].vectors.states
    }
    text = " ".join(texts)
    n_tokens = np.array([sum(int(part.n_tokens[0]) for part in parts)])
    vectors = Vectors(channels, np.array([0, ends.size]), states)
    return Reading((PreparedText(text, len(text.split())),), vectors, n_tokens, ends)


def _joined_states(parts: Sequence[HiddenStates], begins: Sequence[int]) -> HiddenStates:
    counts = np.concatenate([part.counts for part in parts])
    blocks = np.concatenate([part.blocks for part in parts])
    means = np.array([part.means[0] for part in parts], dtype=np.float64)
    sizes = np.array([part.counts.sum() for part in parts], dtype=np.float64)
    mean = np.average(means, axis=0, weights=sizes)[None].astype(np.float16)
    return HiddenStates(
        parts[0].layers,
        mean,
        parts[0].block_layers,
        blocks,
        counts,
        np.concatenate([part.ends + begin for part, begin in zip(parts, begins, strict=True)]),
        np.array([0, counts.size]),
    )


def mixed_figures(
    pairs: Sequence[tuple[GhostbusterClassifier, Sequence[str]]], material: Material, seed: int = 0
) -> dict[str, Any]:
    """Stated shares beside true ones, and how often the interval holds, by trust and by source too.

    Parameters
    ----------
    pairs : sequence of (GhostbusterClassifier, sequence of str)
        Detectors, each with sources that it has not seen and is asked about.
    material : Material
    seed : int
    """
    found = []
    for detector, sources in pairs:
        for one in mixtures(material, sources, seed):
            reading = joined(material.reading, one.rows)
            passages = passages_of(detector, reading)
            if passages.share is not None:
                words = [len(material.texts[i].text.split()) for i in one.rows]
                machine = [material.texts[i].label for i in one.rows]
                true = float(np.average(machine, weights=words))
                (verdict,) = detector.judge_reading(reading)
                found.append((one, true, passages, verdict.label == "machine", reading.ends.size))
    if not found:
        return {}
    rows = {}
    for n_machine in range(PIECES + 1):
        some = [row for row in found if row[0].n_machine == n_machine]
        shares = [row[2].share for row in some]
        if some:
            rows[str(n_machine / PIECES)] = {
                "n": len(some),
                "stated": float(np.mean([share.value for share in shares if share])),
                "low": float(np.mean([share.low for share in shares if share])),
                "high": float(np.mean([share.high for share in shares if share])),
                "within": float(np.mean([_within(row[2], row[1], row[4], TRUST) for row in some])),
                "called": float(np.mean([row[3] for row in some])),
            }
    by_trust = {
        str(trust): float(np.mean([_within(row[2], row[1], row[4], trust) for row in found]))
        for trust in TRUSTS
    }
    return {
        "sources": sorted({row[0].source for row in found}),
        "n": len(found),
        "pieces": PIECES,
        "rows": rows,
        "within": float(np.mean([_within(row[2], row[1], row[4], TRUST) for row in found])),
        "trust": TRUST,
        "within_by_trust": by_trust,
        "within_by_source": {
            source: float(
                np.mean([_within(row[2], row[1], row[4], TRUST) for row in found if row[0].source == source])
            )
            for source in sorted({row[0].source for row in found})
        },
    }


def _within(passages: Passages, true: float, n_units: int, trust: float) -> bool:
    trusted = [window.probability for window in passages.windows if not window.doubts]
    n_beside = n_units / WINDOW * len(trusted) / len(passages.windows)
    share = machine_share(trusted, n_beside, trust)
    return share.low <= true <= share.high
