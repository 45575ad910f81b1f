"""False positives of sliding windows on people's texts, and the effect of slicing token scores.

    python -m benchmarks.accuracy.passages [--data FOLDER] [--cache FOLDER]

Takes people's texts that no detector was trained on. The figures stand in docs/reading-a-verdict.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import ghostbuster
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.passages import WINDOW, cut, passages_of, window_starts
from ghostbuster.models.panel_choice import panel_of
from ghostbuster.reading.read import Reading
from training.data.dataset import DEFAULT_FOLDER, PROBES, Plan, load
from training.data.material import read_material
from training.data.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE

LIKELY = 0.5
N_FRESH = 40
"""Windows that are read afresh."""


def alone(reading: Reading, i: int) -> Reading:
    return reading.take(np.array([i]))


def show_windows(detector: GhostbusterClassifier, reading: Reading, long: list[int]) -> None:
    """Texts and windows that reach a probability, where people wrote all of them."""
    whole = detector.probability_of(reading.take(np.array(long)))
    found = [passages_of(detector, alone(reading, i)).windows for i in long]
    highest = np.array([max(window.probability for window in windows) for windows in found])
    every = np.array([window.probability for windows in found for window in windows])
    print(f"{len(long)} texts of {WINDOW * 3 // 2} tokens or more, {every.size} windows of {WINDOW}")
    for least in (LIKELY, detector.threshold_.probability):
        print(
            f"probability of {least:.3f} or more: {np.mean(whole >= least):.1%} of texts, "
            f"{np.mean(highest >= least):.1%} have such a window, {np.mean(every >= least):.1%} of windows"
        )


def show_fresh(detector: GhostbusterClassifier, reading: Reading, long: list[int]) -> None:
    """Second windows as slices of their texts' scores, and read as texts of their own."""
    chosen = np.random.default_rng(0).choice(long, min(N_FRESH, len(long)), replace=False).tolist()
    sliced, texts = [], []
    for i in chosen:
        one = alone(reading, i)
        window = cut(one, window_starts(one.ends.size, WINDOW)[1:2], WINDOW)
        sliced.append(float(detector.probability_of(window)[0]))
        texts.append(window.texts[0])
    change = detector.probability_of(detector.read(texts)) - sliced
    print(
        f"{len(chosen)} windows read afresh: probability {np.mean(change):+.3f} in the mean, "
        f"{np.mean(np.abs(change)):.3f} on average"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER)
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    given = parser.parse_args()
    detector = ghostbuster.load_default()
    texts = [text for text in load(given.data, Plan()) if text.file in PROBES and not text.label]
    reading = read_material(
        texts, panel_of(detector.panel, detector.trained_.fingerprints), given.cache
    ).reading
    long = np.flatnonzero(np.diff(reading.vectors.offsets) >= WINDOW * 3 // 2).tolist()
    show_windows(detector, reading, long)
    show_fresh(detector, reading, long)


if __name__ == "__main__":
    main()
