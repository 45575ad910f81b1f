"""A detector judges pairs: in either order alike, from files without a slope too, whoever wrote them."""

import joblib
import numpy as np
import pytest
from planted_material import material
from prose import passages, shuffled

from ghostbuster import load, save
from ghostbuster.decision.pair_slope import PairSlope
from ghostbuster.detector.artifact import open_artifact
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.errors import ArtifactError, InputError

PLAIN = passages(3, 60)
ODD = [shuffled(text, 7) for text in PLAIN]


@pytest.fixture(scope="module")
def detector(detector_file):
    return load(detector_file)


def test_either_order_gives_the_same_answer_to_the_last_bit(detector):
    pairs = list(zip(PLAIN, ODD, strict=True))
    there = detector.judge_pairs(pairs)
    back = detector.judge_pairs([(b, a) for a, b in pairs])
    assert [one.probability for one in back] == [1 - one.probability for one in there]
    assert [(one.b, one.a) for one in back] == [(one.a, one.b) for one in there]
    assert [one.likelier for one in there] == ["b"] * 3
    assert [one.likelier for one in back] == ["a"] * 3
    assert detector.judge_pair(*pairs[1]) == there[1]


def test_the_single_verdicts_are_those_of_judge_and_set_the_answer(detector):
    found = detector.judge_pair(PLAIN[0], ODD[0])
    assert [found.a, found.b] == detector.judge([PLAIN[0], ODD[0]])
    p, q = found.a.probability, found.b.probability
    assert detector.trained_.pairs.slope == 1  # twenty groups are too few for one of its own
    assert found.probability == pytest.approx(p * (1 - q) / (p * (1 - q) + q * (1 - p)))


def test_two_texts_of_one_kind_are_told_apart_all_the_same_and_that_is_said(detector):
    found = detector.judge_pair(PLAIN[0], PLAIN[1])
    assert found.likelier in "ab"
    assert found.a.label == found.b.label
    assert any(reason.startswith("both texts are") for reason in found.reasons)


def test_the_same_text_twice_is_a_tie(detector):
    found = detector.judge_pair(PLAIN[0], f"  {PLAIN[0]}\n")
    assert (found.probability, found.likelier) == (0.5, "tie")
    assert any("score the same" in reason for reason in found.reasons)


def test_a_text_too_short_to_be_judged_is_compared_and_named(detector):
    found = detector.judge_pair("It rained.", PLAIN[0])
    assert 0 < found.probability < 1
    assert found.a.label == "unsure"
    assert any(reason.startswith("A alone would not be judged: ") for reason in found.reasons)


@pytest.mark.parametrize(
    ("pairs", "word"),
    [
        ([("a b c",)], "element 0"),
        (["ab"], "element 0"),
        ([("one", " ")], "text 1 is empty"),
        ([(1, "a")], "text 0 is int"),
    ],
)
def test_what_is_no_pair_of_texts_is_refused(detector, pairs, word):
    with pytest.raises(InputError, match=word):
        detector.judge_pairs(pairs)
    assert detector.judge_pairs([]) == []


def test_training_learns_the_slope_from_texts_that_share_a_group(tmp_path):
    planted = material(per_class=60)
    made = GhostbusterClassifier(space="zeroshot", max_features=3, readers="features", min_tokens=50)
    made.fit_reading(planted.reading, planted.y, planted.groups, planted.sources)
    slope = made.trained_.pairs
    assert slope.n_groups == 90
    assert slope.n_pairs == 360
    assert made.manifest_["pairs"] == slope.state()
    save(made, tmp_path / "d.joblib")
    assert load(tmp_path / "d.joblib").trained_.pairs == slope


def test_a_file_from_before_there_were_slopes_still_judges_pairs(detector_file, tmp_path):
    content = joblib.load(detector_file)
    del content["state"]["pairs"]
    joblib.dump(content, tmp_path / "old.joblib", compress=("zlib", 6))
    old = load(tmp_path / "old.joblib")
    assert old.trained_.pairs == PairSlope()
    assert old.judge_pair(PLAIN[0], ODD[0]).likelier == "b"


@pytest.mark.parametrize("pairs", [3, {"slope": np.nan, "n_pairs": 0, "n_groups": 0}, {"slope": "1"}, {}])
def test_a_file_with_a_slope_that_cannot_be_is_refused(detector_file, tmp_path, pairs):
    content = joblib.load(detector_file)
    content["state"]["pairs"] = pairs
    joblib.dump(content, tmp_path / "bad.joblib", compress=("zlib", 6))
    with pytest.raises(ArtifactError, match="holds no detector this version can use"):
        open_artifact(tmp_path / "bad.joblib").detector()
