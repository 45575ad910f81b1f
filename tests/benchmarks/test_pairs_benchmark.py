"""Benchmarks of pairs and of augmentation: figures of planted scores are those that were planted."""

import numpy as np
import pytest

from benchmarks.accuracy import augmentation, pairs
from benchmarks.accuracy.unseen import HeldOut
from ghostbuster.metrics.classification import auroc
from training.data.labelled import LabelledText
from training.data.material import Material

SOURCES = ("a", "b", "c", "d")


def held_out(slope, n_groups=60, seed=0):
    """One text of each class a group and source; log-odds differ by a normal of this mean."""
    rng = np.random.default_rng(seed)
    n = len(SOURCES) * n_groups * 2
    y = np.tile([0, 1], n // 2)
    shared = np.repeat(rng.normal(0, 3, n // 2), 2)  # what a prompt's texts have in common tells nothing
    rows = {
        "y": y,
        "weights": np.ones(n),
        "groups": np.repeat(np.arange(n // 2), 2),
        "n_tokens": np.full(n, 200),
        "is_crop": np.zeros(n, bool),
        "sources": np.repeat(SOURCES, n_groups * 2),
    }
    return HeldOut((shared + slope * y + rng.normal(0, 0.5, n))[:, None], rows, ("features",))


def test_pairs_are_told_by_what_a_prompt_does_not_explain():
    made = held_out(slope=3.0)
    found = pairs.of_source("a", made, {"number of words": np.zeros(made.parts.size)})
    assert (found["n_groups"], found["n_pairs"]) == (60, 60)
    assert found["all, mixed"]["accuracy"] > 0.97
    assert auroc(made.rows["y"] == 1, made.parts[:, 0]) < 0.85
    assert found["number of words"]["accuracy"] == 0.5
    assert found["all, mixed"]["log_loss"] < found["slope 1"]["log_loss"]
    assert found["all, mixed"]["slope"] > 1


def test_scores_that_tell_nothing_give_a_coin():
    found = pairs.of_source("b", held_out(slope=0.0), {})
    assert 0.3 < found["all, mixed"]["accuracy"] < 0.7
    assert found["all, mixed"]["sure"] < 0.1


def test_a_source_of_few_pairs_has_no_figures():
    made = held_out(slope=1.0)
    made.rows["n_tokens"][made.rows["sources"] == "c"] = 50
    assert pairs.of_source("c", made, {}) is None


def test_differences_are_paired_and_averaged_over_sources():
    rng = np.random.default_rng(1)
    n = 4 * 40
    texts = tuple(
        LabelledText(
            str(i), "t", "t", i % 2, "f", augmentation.LEFT_OUT[i // 40], "", "", "none", (), group=i // 2
        )
        for i in range(n)
    )
    asked = Material(texts, None, np.empty(0))
    before = rng.normal(0, 1, n) + asked.y
    called = np.zeros(n, bool)
    same = augmentation.compared(
        asked, augmentation.Measured(before, called), augmentation.Measured(2 * before, called)
    )
    assert same["auroc"]["gain"]["mean"] == {"value": 0, "low": 0, "high": 0}
    better = augmentation.compared(
        asked,
        augmentation.Measured(before, called),
        augmentation.Measured(before + 9 * asked.y, asked.y == 1),
    )
    was, now, gain = (better["auroc"][name] for name in ("before", "after", "gain"))
    assert [row["value"] for row in now["sources"].values()] == [1.0] * 4
    assert gain["mean"]["value"] == pytest.approx(1 - was["mean"]["value"])
    assert gain["mean"]["low"] > 0
    assert better["found"]["mean"] == [0.0, 1.0]
    assert better["accused"]["mean"] == [0.0, 0.0]
