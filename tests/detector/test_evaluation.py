"""Verdicts compared with the truth: every figure of a handful of texts by hand."""

import math

import pytest
from scipy.stats import binomtest

from ghostbuster.decision.verdict import Verdict
from ghostbuster.detector.evaluation import evaluate, slices_by
from ghostbuster.errors import InputError

LABELS = [0, 0, 0, 0, 1, 1, 1, 1, 1]
VERDICTS = [
    Verdict(probability, label, (), 100, 80)
    for probability, label in (
        (0.1, "human"),
        (0.2, "human"),
        (0.8, "machine"),
        (math.nan, "unsure"),  # too short to be judged
        (0.9, "machine"),
        (0.7, "machine"),
        (0.4, "unsure"),  # judged, and doubted
        (0.6, "human"),
        (math.nan, "unsure"),
    )
]


def test_every_figure_by_hand():
    made = evaluate(LABELS, VERDICTS)
    assert (made.n_human, made.n_machine, made.n_unjudged) == (4, 5, 2)
    figures = {name: figure.value for name, figure in made.figures.items()}
    assert figures == {
        "auroc": pytest.approx(9 / 12),  # of 3 x 4 pairs, 0.8 stands above 0.7, 0.4 and 0.6
        "tpr_at_1_percent_fpr": 1 / 4,  # no human text may be called machine: only 0.9 stands above 0.8
        "f1": pytest.approx(2 * 3 / (2 * 3 + 1 + 1)),  # from 0.5 on: 0.9, 0.7, 0.6; wrongly 0.8; missed 0.4
        "calibration_error": pytest.approx((0.1 + 0.2 + 0.8 + 0.1 + 0.3 + 0.6 + 0.4) / 7),  # a bin each
        "false_positive_rate": 1 / 4,  # of all human texts, judged or not
        "true_positive_rate": 2 / 5,
        "unsure_rate": 3 / 9,
    }


def test_shares_have_wilsons_interval():
    share = evaluate(LABELS, VERDICTS).figures["true_positive_rate"]
    exact = binomtest(2, 5).proportion_ci(0.95, method="wilson")
    assert (share.low, share.high) == pytest.approx((exact.low, exact.high))


def test_a_generators_texts_are_compared_with_all_human_ones():
    columns = {"generator": ["", "", "", "", "g", "g", "h", "h", "h"]}
    made = {part.value: part for part in slices_by(LABELS, VERDICTS, columns)}
    assert list(made) == ["g", "h"]  # what stands beside human texts names no generator
    assert [(part.n_human, part.n_machine) for part in made.values()] == [(4, 2), (4, 3)]
    assert made["g"].figures["auroc"].value == pytest.approx(5 / 6)  # 0.7 stands below 0.8
    assert made["h"].figures["auroc"].value == pytest.approx(4 / 6)
    assert made["g"].figures["true_positive_rate"].value == 1
    assert made["h"].figures["true_positive_rate"].value == 0
    assert {part.figures["false_positive_rate"].value for part in made.values()} == {1 / 4}


def test_another_column_splits_both_classes_and_gives_no_figure_of_a_class_that_is_not_there():
    columns = {"domain": ["a", "a", "b", "b", "b", "b", "b", "b", "c"]}
    made = {part.value: part for part in evaluate(LABELS, VERDICTS, columns=columns).slices}
    assert [(part.n_human, part.n_machine) for part in made.values()] == [(2, 0), (2, 4), (0, 1)]
    assert made["a"].figures["auroc"] is None
    assert made["a"].figures["true_positive_rate"] is None
    assert made["a"].figures["false_positive_rate"].value == 0
    assert made["b"].figures["auroc"].value == pytest.approx(1 / 4)  # 0.8 against 0.9, 0.7, 0.4, 0.6
    assert made["c"].figures["auroc"] is None
    assert made["c"].figures["false_positive_rate"] is None


def test_people_alone_give_the_false_positive_rate():
    made = evaluate(LABELS[:4], VERDICTS[:4])
    assert (made.n_human, made.n_machine, made.n_unjudged) == (4, 0, 1)
    known = {name: figure.value for name, figure in made.figures.items() if figure is not None}
    assert known == {"false_positive_rate": 1 / 4, "unsure_rate": 1 / 4}
    assert made.figures["auroc"] is None


def test_machines_alone_give_the_true_positive_rate():
    known = {
        name for name, figure in evaluate(LABELS[4:], VERDICTS[4:]).figures.items() if figure is not None
    }
    assert known == {"true_positive_rate", "unsure_rate"}


def test_a_class_of_which_no_text_was_judged_is_not_compared():
    unjudged = [Verdict(math.nan, "unsure", (), 1, 1)] * 4
    made = evaluate(LABELS, unjudged + VERDICTS[4:])
    assert made.figures["auroc"] is None
    assert made.figures["false_positive_rate"].value == 0


def test_no_text_at_all_is_refused():
    with pytest.raises(InputError, match="no text to evaluate"):
        evaluate([], [])
