import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.metrics.classification import auroc, tpr_at_fpr
from ghostbuster.metrics.curves import FPR_GRID, LENGTH_CLASSES, curves, length_class, tpr_at
from ghostbuster.metrics.intervals import wilson

Y = [0] * 40 + [1] * 40
P = [*np.linspace(0.02, 0.62, 40), *np.linspace(0.33, 0.99, 40)]


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.lists(st.integers(0, 9), min_size=1, max_size=30),
    st.lists(st.floats(0, 0.999), min_size=1, max_size=5),
)
def test_the_curve_is_the_metric_at_every_rate(human, machine, rates):
    y = [0] * len(human) + [1] * len(machine)
    found = tpr_at(np.array(human, float), np.array(machine, float), np.array(rates))
    assert found.tolist() == [tpr_at_fpr(y, [*human, *machine], fpr) for fpr in rates]


def test_the_curve_runs_from_none_accused_to_all_found():
    roc = curves(Y, P).roc
    assert roc.fpr[0] == 0
    assert roc.fpr[-1] == 1
    assert roc.tpr[-1] == roc.low[-1] == roc.high[-1] == 1
    assert all(a <= b for a, b in zip(roc.tpr, roc.tpr[1:], strict=False))
    assert all(low <= high for low, high in zip(roc.low, roc.high, strict=True))


def test_the_area_under_the_curve_is_auroc():
    roc = curves(Y, P).roc
    lower = float(np.sum(np.diff(roc.fpr) * roc.tpr[:-1]))
    upper = float(np.sum(np.diff(roc.fpr) * roc.tpr[1:]))
    assert lower <= auroc(Y, P) <= upper
    assert upper - lower < 0.03


def test_the_band_holds_the_measured_curve_and_hangs_on_the_seed():
    roc = curves(Y, P, seed=1).roc
    inside = [low <= t <= high for low, t, high in zip(roc.low, roc.tpr, roc.high, strict=True)]
    assert np.mean(inside) > 0.95
    assert roc == curves(Y, P, seed=1).roc
    assert roc != curves(Y, P, seed=2).roc


def test_texts_of_one_group_widen_the_band():
    groups = [str(i % 4) for i in range(80)]
    alone, together = curves(Y, P).roc, curves(Y, P, groups).roc
    width = [np.mean(np.subtract(roc.high, roc.low)) for roc in (alone, together)]
    assert width[1] != width[0]


def test_bins_hold_mean_probability_observed_share_and_wilsons_interval():
    y, p = [0, 0, 1, 1, 1], [0.11, 0.13, 0.18, 0.95, 1.0]
    low, high = curves(y, p).calibration
    assert (low.n_texts, high.n_texts) == (3, 2)
    assert low.stated == pytest.approx(0.14)
    assert low.observed == wilson(1, 3)
    assert high.observed == wilson(2, 2)


def test_every_judged_text_is_in_one_bar_and_one_bin():
    found = curves([*Y, 0, 1], [*P, math.nan, math.nan])
    assert sum(found.human) == sum(found.machine) == 40
    assert sum(one.n_texts for one in found.calibration) == 80
    assert len(found.edges) == len(found.human) + 1


def test_one_class_alone_has_a_histogram_and_no_curve():
    found = curves([0, 1], [0.5, math.nan])
    assert found.roc is None
    assert found.calibration == ()
    assert (sum(found.human), sum(found.machine)) == (1, 0)


def test_curves_can_be_written_as_json():
    found = curves(Y, P)
    assert json.loads(json.dumps(found.plain(), allow_nan=False))["roc"]["fpr"] == FPR_GRID.tolist()


@pytest.mark.parametrize(
    ("n_tokens", "name"),
    [
        (0, "below 100 tokens"),
        (99, "below 100 tokens"),
        (100, "100 to 249 tokens"),
        (999, "500 to 999 tokens"),
        (1000, "1,000 tokens or more"),
        (10**6, "1,000 tokens or more"),
    ],
)
def test_classes_of_length_share_no_text(n_tokens, name):
    assert length_class(n_tokens) == name
    assert name in LENGTH_CLASSES
