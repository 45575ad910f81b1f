import hashlib
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prose import labelled
from scipy.sparse import vstack
from scipy.special import expit, logit
from scipy.stats import pearsonr
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from ghostbuster import GhostbusterClassifier
from ghostbuster.cli import main
from ghostbuster.detector.artifact import open_artifact
from ghostbuster.detector.distillation import Mixing, distill, soften, targets
from ghostbuster.errors import InputError, SettingError
from ghostbuster.heads.lexicon import Lexicon, terms
from ghostbuster.heads.logistic import LogisticHead
from ghostbuster.heads.training_set import log_loss
from ghostbuster.models.panel_choice import panel_of
from ghostbuster.reading.read import read

SMALL = {"space": "zeroshot", "max_features": 3, "n_folds": 3, "min_tokens": 20}
shares = st.floats(0, 1)


@pytest.fixture(scope="module")
def material():
    """Texts, their labels, groups, and what the panel says of them."""
    texts, y, groups = labelled(20)
    return texts, np.array(y, dtype=float), groups, read(texts, panel_of("embedded"))


@given(st.lists(st.tuples(shares, st.booleans(), st.floats(-9, 9)), min_size=1, max_size=20), shares)
def test_the_loss_of_a_mixed_target_is_the_mixed_loss(rows, alpha):
    soft, labels, raw = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    weight = np.ones(len(rows))
    mixed = log_loss(targets(soft, labels, Mixing(alpha)), raw, weight)
    inside = np.clip(soft, 1e-6, 1 - 1e-6)
    apart = (1 - alpha) * log_loss(labels, raw, weight) + alpha * log_loss(inside, raw, weight)
    assert mixed == pytest.approx(apart, abs=1e-9)


def test_without_a_label_the_teachers_word_is_the_target():
    made = targets([0.9, 0.9, 0.9], [math.nan, 0, 1], Mixing(alpha=0.25))
    assert made.tolist() == pytest.approx([0.9, 0.225, 0.975])
    assert targets([0.3]).tolist() == pytest.approx([0.3])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_temperature_divides_log_odds(temperature):
    probability = np.array([0.01, 0.3, 0.5, 0.999])
    np.testing.assert_allclose(soften(probability, temperature), expit(logit(probability) / temperature))


def test_a_teacher_that_is_certain_stays_within_reach():
    assert soften([0.0, 1.0], 1.0).tolist() == pytest.approx([1e-6, 1 - 1e-6])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"alpha": -0.1}, r"alpha is -0.1; expected a share from 0 to 1"),
        ({"alpha": 1.5}, r"alpha is 1.5"),
        ({"temperature": 0}, r"temperature is 0; expected a finite number above 0"),
        ({"temperature": math.inf}, r"temperature is inf"),
    ],
)
def test_mixings_out_of_range_are_refused(settings, message):
    with pytest.raises(SettingError, match=message):
        Mixing(**settings)


@pytest.mark.parametrize(
    ("teacher", "labels", "message"),
    [
        ([0.5, 1.1], None, "probabilities from 0 to 1"),
        ([0.5, math.nan], None, "probabilities from 0 to 1"),
        ([0.5, 0.5], [1], r"labels have shape \(1,\); expected \(2,\)"),
        ([0.5, 0.5], [1, 0.5], r"neither 0 \(human\) nor 1 \(machine\)"),
    ],
)
def test_targets_refuse_what_is_no_probability_or_label(teacher, labels, message):
    with pytest.raises(InputError, match=message):
        targets(teacher, labels)


def test_a_head_learns_a_soft_label_as_that_share_of_each_class():
    generator = np.random.default_rng(0)
    X, soft = generator.standard_normal((30, 2)), generator.uniform(size=30)
    penalty = 0.01
    head = LogisticHead(penalties=(penalty,)).fit(X, soft)
    twice = np.vstack([X, X])
    label, weight = np.repeat([1, 0], 30), np.concatenate([soft, 1 - soft])
    scaled = head._scaled(twice)
    # mean loss + penalty * |b|^2 / 2 over n texts is scikit-learn's sum of losses with C = 1 / (n * penalty)
    model = LogisticRegression(C=1 / (30 * penalty), tol=1e-10, max_iter=1000)
    model.fit(scaled, label, sample_weight=weight)
    np.testing.assert_allclose(head.raw_score(X), model.decision_function(scaled[:30]), atol=1e-4)


def test_a_lexicon_learns_a_soft_label_as_that_share_of_each_class():
    texts, y, _ = labelled(12, 40)
    soft = np.where(np.array(y) == 1, 0.8, 0.3)
    vectorizer = TfidfVectorizer(analyzer=lambda text: list(terms(text)), sublinear_tf=True)
    matrix = vectorizer.fit_transform(texts)
    model = LogisticRegression(C=5.0, max_iter=1000, tol=1e-6)
    weight = np.concatenate([soft, 1 - soft])
    model.fit(vstack([matrix, matrix]), np.repeat([1, 0], len(texts)), sample_weight=weight)
    lexicon = Lexicon.fit(texts, soft, np.ones(len(texts)))
    np.testing.assert_allclose(lexicon.raw_score(texts), model.decision_function(matrix), atol=1e-3)


def test_a_student_follows_its_teacher_where_nobody_knows(material):
    texts, y, groups, reading = material
    teacher = np.where(y == 1, 0.9, 0.1)
    student = distill(GhostbusterClassifier(**SMALL), reading, teacher, groups=groups)
    said = student.predict_proba(texts)[:, 1]
    assert pearsonr(said, teacher).statistic > 0.9
    sure = GhostbusterClassifier(**SMALL).fit_reading(reading, y, groups).predict_proba(texts)[:, 1]
    assert np.abs(logit(said)).mean() < np.abs(logit(sure)).mean()  # it took over the teacher's doubt
    facts = student.manifest_["distillation"]
    assert (facts["n_labelled"], facts["n_unlabelled"]) == (0, 40)
    assert facts["thresholds_measured_on"] == "texts the teacher calls human"


def test_alpha_0_on_labelled_texts_is_plain_training(material):
    _, y, groups, reading = material
    contrary = distill(GhostbusterClassifier(**SMALL), reading, 1 - y, y, Mixing(alpha=0.0), groups=groups)
    plain = GhostbusterClassifier(**SMALL).fit_reading(reading, y, groups)
    assert np.array_equal(contrary.held_out_probability_, plain.held_out_probability_)
    assert contrary.features_ == plain.features_


def test_thresholds_are_measured_on_the_texts_that_are_labelled_human(material):
    _, y, groups, reading = material
    labels = np.where(np.arange(40) % 2, y, math.nan)
    student = distill(
        GhostbusterClassifier(**SMALL), reading, np.where(y == 1, 0.9, 0.2), labels, groups=groups
    )
    assert {threshold.n_human for threshold in student.thresholds_} == {10}
    assert [row["n_human"] for row in student.manifest_["thresholds"]] == [10, 10, 10]
    human = student.held_out_probability_[labels == 0]
    for threshold in student.thresholds_:
        assert threshold.fpr.value == np.mean(human >= threshold.probability)


# the command


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Texts with half of their labels, and a teacher's predictions of them in another order."""
    folder = tmp_path_factory.mktemp("distill")
    texts, y, groups = labelled(20)
    rows = pd.DataFrame({"id": range(40), "text": texts, "prompt": groups})
    rows["label"] = ["" if i % 2 else str(label) for i, label in enumerate(y)]
    rows.to_csv(folder / "texts.csv", index=False)
    said = pd.DataFrame({"id": range(40), "generated": np.where(np.array(y) == 1, 0.95, 0.1)})
    said[::-1].to_parquet(folder / "teacher.parquet")
    return folder


OPTIONS = ["--space", "zeroshot", "--max-features", "2", "--min-tokens", "20", "--group-column", "prompt"]


def test_a_table_of_predictions_teaches(tables, capsys):
    student = tables / "student.joblib"
    command = ["distill", str(tables / "teacher.parquet"), str(tables / "texts.csv"), "-o", str(student)]
    assert main([*command, *OPTIONS, "--label-column", "label", "--alpha", "0.3"]) == 0
    facts = open_artifact(student).manifest
    digest = hashlib.sha256((tables / "teacher.parquet").read_bytes()).hexdigest()[:12]
    assert facts["distillation"] == {
        "alpha": 0.3,
        "temperature": 1.0,
        "teachers": [f"teacher.parquet@{digest}"],
        "n_labelled": 20,
        "n_unlabelled": 20,
        "thresholds_measured_on": "labelled human texts",
    }
    assert {threshold["n_human"] for threshold in facts["thresholds"]} == {10}
    capsys.readouterr()
    assert main(["info", str(student), "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["distillation"]["alpha"] == 0.3


def test_a_detector_teaches(tables, detector_file):
    student = tables / "taught.joblib"
    command = ["distill", str(detector_file), str(tables / "texts.csv"), "-o", str(student)]
    assert main([*command, *OPTIONS]) == 0
    texts = pd.read_csv(tables / "texts.csv")["text"].tolist()
    teacher, taught = (open_artifact(path).classifier() for path in (detector_file, student))
    said, learned = (one.predict_proba(texts)[:, 1] for one in (teacher, taught))
    assert pearsonr(logit(said), logit(learned)).statistic > 0.9


@pytest.mark.parametrize(
    ("teacher", "arguments", "message"),
    [
        ("id,generated\n0,0.5\n", [], "has no prediction for id '1'"),
        ("id,generated\n0,0.5\n0,0.5\n", [], "has id '0' more than once"),
        ("id,score\n0,0.5\n", [], "has no column 'probability' or 'generated'"),
        ("", ["--alpha", "2"], "alpha is 2.0; expected a share"),
        ("", ["--label-column", "text"], "can be used; row 1: column 'text' holds '"),
    ],
)
def test_what_cannot_teach_is_one_line_and_nothing_is_written(
    tables, tmp_path, capsys, teacher, arguments, message
):
    path, student = tmp_path / "teacher.csv", tmp_path / "student.joblib"
    path.write_text(teacher)
    assert main(["distill", str(path), str(tables / "texts.csv"), "-o", str(student), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not student.exists()
