"""A detector with hidden states among its readers, trained on the embedded models."""

import pickle

import numpy as np
import pytest
from prose import labelled, passages
from sklearn.base import clone

from ghostbuster import GhostbusterClassifier
from ghostbuster.detector.artifact import load, save
from ghostbuster.detector.distillation import distill
from ghostbuster.detector.passages import cut, judge_passages
from ghostbuster.detector.recalibration import recalibrated
from ghostbuster.detector.state import check_trained, trained_of
from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.models.panel_choice import middle_layers, panel_of
from ghostbuster.reading.cache import remember_scores
from ghostbuster.reading.read import read
from ghostbuster.report.html.detail import detail_for

SMALL = {"space": "zeroshot", "max_features": 3, "min_tokens": 20, "readers": "features,words,states"}


@pytest.fixture(scope="module")
def examples():
    return labelled(20)


@pytest.fixture(scope="module")
def detector(examples):
    texts, y, groups = examples
    return GhostbusterClassifier(**SMALL).fit(texts, y, groups)


@pytest.fixture(scope="module")
def verdicts(detector, examples):
    return detector.judge(examples[0][:4])


def test_three_readers_are_trained_and_mixed_by_what_held_out_texts_say(detector):
    scorer = detector.trained_.scorer
    assert scorer.readers == ("features", "words", "states")
    assert scorer.state_layers == middle_layers(detector.open_panel().strong.file.n_layers)
    assert len(scorer.mix) == 3
    assert min(scorer.mix) >= 0


def test_what_readers_add_sums_to_the_score_that_is_calibrated(detector, verdicts):
    for verdict in verdicts:
        raw = sum(one.contribution for one in verdict.readers)
        assert detector.trained_.calibration.probability([raw])[0] == pytest.approx(verdict.probability)
        assert [one.feature for one in verdict.readers] == [
            f"reader {name}" for name in detector.trained_.scorer.readers
        ]
        for one in verdict.readers:
            assert f"speaks for a {'machine' if one.value > 0 else 'person'}" in one.meaning
        assert verdict.threshold == detector.threshold_.for_length(verdict.n_tokens).probability


def test_a_report_shows_each_reader(detector, examples):
    detail = detail_for(detector, detector.read(examples[0][:1]), examples[0][0])
    assert len(detail.parts) == 3
    assert "hidden states" in detail.parts[2][0]


def test_its_card_says_what_each_reader_is_and_earns(detector):
    readers = detector.manifest_["readers"]
    assert [one["reader"] for one in readers] == ["features", "words", "states", "all, mixed"]
    assert sum(one["share"] for one in readers[:3]) == pytest.approx(1)
    assert all(0 <= one["auroc"] <= 1 and 0 <= one["tpr_at_1_percent_fpr"] <= 1 for one in readers)
    assert 0 <= detector.manifest_["calibration"]["expected_error"] <= 1


def test_a_saved_detector_says_the_same_and_trains_again_alike(detector, examples, verdicts, tmp_path):
    save(detector, tmp_path / "a.joblib")
    restored = load(tmp_path / "a.joblib")
    assert restored.judge(examples[0][:4]) == verdicts
    assert pickle.loads(pickle.dumps(detector)).judge(examples[0][:4]) == verdicts
    save(clone(restored).fit(*examples), tmp_path / "b.joblib")
    assert (tmp_path / "a.joblib").read_bytes() == (tmp_path / "b.joblib").read_bytes()


def test_states_come_from_the_cache_bit_for_bit(detector, examples, verdicts, tmp_path):
    for _ in range(2):
        with remember_scores(tmp_path):
            assert detector.judge(examples[0][:4]) == verdicts


def test_a_window_has_the_mean_states_of_its_blocks(detector):
    (text,) = passages(1, 500)
    reading = detector.read([text])
    made = judge_passages(detector, text, window=128)
    assert len(made.windows) > 2
    parts = cut(reading, np.array([0, 128]), 128)
    (states,) = parts.vectors.states.values()
    spans = [(0, int(reading.ends[127])), (int(reading.ends[127]), int(reading.ends[255]))]
    expected = reading.vectors.states["strong.states"].passage_means(0, spans, list(states.layers))
    np.testing.assert_allclose(states.means, expected, rtol=1e-3, atol=1e-3)
    judged = detector.judge_reading(parts)
    assert all(len(one.readers) == 3 for one in judged)


def test_a_reading_without_states_is_refused(detector, examples):
    reading = read(examples[0][:2], panel_of("embedded"))
    with pytest.raises(InputError, match="read without hidden states"):
        detector.judge_reading(reading)
    with pytest.raises(InputError, match="read without hidden states"):
        detector.probability_of(reading)


def test_detectors_without_states_read_none(detector, detector_file, examples):
    plain = load(detector_file)
    assert plain.open_panel().strong.outputs == panel_of("embedded").strong.outputs
    assert plain.open_panel().strong.outputs != detector.open_panel().strong.outputs
    assert plain.read(examples[0][:1]).vectors.states == {}
    assert detector.read(examples[0][:1]).vectors.states.keys() == {"strong.states"}


def test_calibrating_and_distilling_work_with_states(detector, examples):
    texts, _, groups = examples
    mine = recalibrated(detector.with_params(max_fpr=0.05), texts[:20])
    assert mine.threshold_.n_human == 20
    reading = detector.read(texts)
    word = detector.probability_of(reading)
    student = distill(GhostbusterClassifier(**SMALL), reading, word, groups=groups)
    assert student.trained_.scorer.state_layers == detector.trained_.scorer.state_layers


def test_words_may_be_left_out_and_shares_set_by_hand(examples):
    texts, y, groups = examples
    made = GhostbusterClassifier(**SMALL | {"readers": "features,states"}, mix="shares").fit(texts, y, groups)
    scorer = made.trained_.scorer
    assert scorer.readers == ("features", "states")
    spread = made.held_out_parts_.std(axis=0) * scorer.mix
    assert spread[1] == 0
    assert spread[0] == pytest.approx(spread[2])
    assert len(made.judge(texts[:1])[0].readers) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"readers": "features,word"}, "readers='word' is unknown; did you mean 'words'"),
        ({"readers": "words"}, "readers='words' lacks features"),
        ({"mix": "stack"}, "mix='stack' is unknown; did you mean 'stacked'"),
    ],
)
def test_unusable_readers_are_named(changed, message):
    with pytest.raises(SettingError, match=message):
        GhostbusterClassifier(**SMALL | changed).fit(["a", "b"], [0, 1])


@pytest.mark.parametrize(
    "change",
    [
        {"mean": "nan"},
        {"coef": "nan"},
        {"baseline": float("inf")},
    ],
)
def test_a_probe_with_numbers_that_are_not_finite_is_refused(detector, change):
    state = detector.state()
    probe = dict(state["probe"])
    for name, value in change.items():
        probe[name] = np.full_like(probe[name], np.nan) if value == "nan" else value
    with pytest.raises(ArtifactError, match=r"probe\.\w+ holds something else than finite numbers"):
        trained_of(state | {"probe": probe}, detector.head)


def test_a_mix_of_another_number_of_readers_is_refused(detector):
    state = detector.state()
    for mix in ([1.0, 0.0], [1.0, 0.0, 0.0, 0.0]):
        with pytest.raises(ArtifactError, match="mix has shape"):
            trained_of(state | {"mix": mix}, detector.head)
    check_trained(detector.trained_)
