"""Differences of detectors on the same texts are paired, and their means have intervals over sources."""

import numpy as np
import pytest

from benchmarks.accuracy.paired import METRICS, by_source

Y = np.tile([0, 1], 60)
SOURCES = np.repeat(["a", "b", "c"], 40)
GROUPS = np.arange(120) // 2
NOISE = np.random.default_rng(0).normal(size=120)


def auroc_of(score):
    return by_source(METRICS["auroc"], Y, score, SOURCES, GROUPS, ("a", "b", "c"))


def test_values_are_those_of_each_source_by_counting_pairs():
    score = Y + NOISE
    found = auroc_of(score)
    for i, name in enumerate("abc"):
        of_source = name == SOURCES
        people = score[of_source & (Y == 0)]
        machines = score[of_source & (Y == 1)]
        assert found.values[i] == pytest.approx(np.mean(machines[:, None] > people[None, :]))
    assert found.mean().value == pytest.approx(found.values.mean())


def test_a_detector_gains_nothing_on_itself_whatever_is_drawn():
    score = Y + NOISE
    gain = auroc_of(score) - auroc_of(2 * score + 1)
    assert not gain.draws.any()
    assert gain.mean().low == gain.mean().high == 0


def test_pairing_makes_a_small_steady_gain_certain():
    worse = Y + NOISE
    better = worse + 0.3 * Y
    gain = (auroc_of(better) - auroc_of(worse)).mean()
    alone = auroc_of(worse).mean()
    assert gain.low > 0
    assert gain.high - gain.low < alone.high - alone.low


def test_sources_that_differ_widen_the_interval_of_the_mean():
    alike, unlike = Y + 0.01 * NOISE, Y + 0.01 * NOISE
    unlike[SOURCES == "c"] *= -1
    narrow, wide = auroc_of(alike).mean(), auroc_of(unlike).mean()
    assert (narrow.low, narrow.high) == (1, 1)
    assert (wide.low, wide.high) == (0, 1)  # all of the three sources drawn are c, or none


def test_figures_are_fit_for_json():
    made = auroc_of(Y + NOISE).figures(("a", "b", "c"))
    assert list(made["sources"]) == ["a", "b", "c"]
    assert set(made["mean"]) == {"value", "low", "high"}
