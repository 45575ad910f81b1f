"""Training rows of fixed length: BOS, then tokens from the start of a sentence."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

BOS = 1


class Rows:
    """Every source's shard, cut into rows of ``length`` tokens and mixed in a seeded order.

    Parameters
    ----------
    shards : Path
    length : int
        Tokens predicted in a row; a row starts at the first sentence start after the one before.
    seed : int
    weights : mapping of str to float
        How often each source is read in one pass; a source without a shard is left out.
    """

    def __init__(self, shards: Path, length: int, seed: int, weights: Mapping[str, float]) -> None:
        self.length = length
        there = {name: weight for name, weight in weights.items() if (shards / f"{name}.tokens.npy").exists()}
        if not there:
            raise SystemExit(f"{shards}: no shards of {', '.join(weights)}; training/lm/shards.py makes them")
        self.tokens = [np.load(shards / f"{name}.tokens.npy", mmap_mode="r") for name in there]
        draw = np.random.default_rng(seed)
        table = []
        for source, (name, weight) in enumerate(there.items()):
            starts = np.load(shards / f"{name}.starts.npy")
            cuts = _cut(starts, length, len(self.tokens[source]))
            whole, part = int(weight), round((weight % 1) * len(cuts))
            chosen = np.concatenate([*[cuts] * whole, draw.permutation(cuts)[:part]])
            table.append(np.stack([np.full(len(chosen), source), chosen], axis=1))
        self.table = draw.permutation(np.concatenate(table).astype(np.int64))

    def __len__(self) -> int:
        return len(self.table)

    def batch(self, step: int, n_rows: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Inputs and targets of a step, each (n_rows, length); after the last row the first."""
        places = self.table[(step * n_rows + np.arange(n_rows)) % len(self.table)]
        targets = np.stack([self.tokens[s][at : at + self.length] for s, at in places])
        inputs = np.roll(targets, 1, axis=1)
        inputs[:, 0] = BOS
        return inputs.astype(np.int64), targets.astype(np.int64)


def _cut(starts: npt.NDArray[np.int64], length: int, n_tokens: int) -> npt.NDArray[np.int64]:
    cuts = []
    at = 0
    while at < len(starts) and starts[at] + length <= n_tokens:
        cuts.append(starts[at])
        at = int(np.searchsorted(starts, starts[at] + length))
    return np.array(cuts, dtype=np.int64)
