"""Shared by the fuzzers: options, saved inputs, the summary line."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path


class Campaign:
    """One run of a fuzzer, as its command line asks for it.

    Parameters
    ----------
    description : str
        Of the fuzzer, for ``--help``.
    """

    def __init__(self, description: str | None) -> None:
        parser = argparse.ArgumentParser(
            description=description, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("--inputs", type=int, default=1000)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--keep", type=Path)
        wanted = parser.parse_args()
        self.n_inputs: int = wanted.inputs
        self.seed: int = wanted.seed
        self.keep: Path | None = wanted.keep
        self._started = time.monotonic()

    def tell(self, tally: Mapping[str, int]) -> None:
        """Print the counts."""
        seconds = round(time.monotonic() - self._started)
        print(json.dumps({"inputs": self.n_inputs, "seed": self.seed, **tally, "seconds": seconds}))


def keep_input(folder: Path | None, name: str, data: bytes) -> None:
    """Write an input below the folder, where one is asked for."""
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
