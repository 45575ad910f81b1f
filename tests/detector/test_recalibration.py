import json
from pathlib import Path

import numpy as np
import pytest
from prose import labelled, passages, shuffled
from scipy.stats import binomtest

from ghostbuster import GhostbusterClassifier
from ghostbuster.cli import main
from ghostbuster.detector.artifact import load, save
from ghostbuster.detector.recalibration import recalibrated, texts_digest
from ghostbuster.errors import InputError

SMALL = {"space": "zeroshot", "max_features": 3, "n_folds": 3, "min_tokens": 20, "max_fpr": 0.05}


@pytest.fixture(scope="module")
def fitted():
    texts, y, groups = labelled(20)
    return GhostbusterClassifier(**SMALL).fit(texts, y, groups)


@pytest.fixture(scope="module")
def people():
    return passages(40, 60)


@pytest.fixture(scope="module")
def files(fitted, people, tmp_path_factory):
    folder = tmp_path_factory.mktemp("calibrate")
    save(fitted, folder / "mine.joblib")
    (folder / "people").mkdir()
    for i, text in enumerate(people):
        (folder / "people" / f"{i:02}.txt").write_text(text, encoding="utf-8")
    rows = [json.dumps({"text": text}) for text in people]
    (folder / "people.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder


def test_the_new_threshold_lets_through_the_wanted_share_of_the_given_texts(fitted, people):
    made = recalibrated(fitted, people)
    probabilities = fitted.predict_proba(people)[:, 1]
    accused = int(np.sum(probabilities >= made.threshold_.probability))
    assert accused <= 2 < np.sum(probabilities >= np.sort(probabilities)[-3])  # two of forty are 5 %
    exact = binomtest(accused, 40).proportion_ci(0.95, method="exact")
    assert (made.threshold_.fpr.low, made.threshold_.fpr.high) == pytest.approx((exact.low, exact.high))
    assert [one.rate for one in made.thresholds_] == [0.05]  # forty texts show no lower one


def test_features_head_and_probabilities_stay(fitted, people):
    made = recalibrated(fitted, people)
    before, after = fitted.state(), made.state()
    assert after["features"] == before["features"]
    assert np.array_equal(made.predict_proba(people), fitted.predict_proba(people))
    assert len(fitted.thresholds_) == 3
    assert "calibrated" not in fitted.manifest_


def test_the_manifest_says_what_it_was_calibrated_on_whatever_the_order(fitted, people):
    made, again = recalibrated(fitted, people), recalibrated(fitted, people[::-1])
    (entry,) = made.manifest_["calibrated"]
    assert (entry["n_human"], entry["register"]) == (40, "")
    assert entry["digest"] == again.manifest_["calibrated"][0]["digest"]
    assert entry["digest"] != texts_digest(people[1:])


def test_equal_short_and_foreign_texts_do_not_count(fitted, people):
    german = (
        "Der Zug nach Leipzig fuhr erst am Abend, weil ein Baum auf den Schienen lag und niemand kam. " * 4
    )
    made = recalibrated(fitted, [*people, *people, "Too short.", german])
    assert made.threshold_.n_human == 40


def test_too_few_texts_for_the_promise_are_refused(fitted, people):
    with pytest.raises(InputError, match=r"12 of 24 human texts can be used .* takes 20 or more"):
        recalibrated(fitted, people[:12] * 2)


def test_a_register_gets_thresholds_and_the_others_stay(fitted, people):
    made = recalibrated(fitted, people, register="letter")
    assert made.thresholds_ == fitted.thresholds_
    assert made.for_register("letter").threshold_.n_human == 40
    assert "for register 'letter'" in made.register_thresholds_["letter"][0].about


@pytest.mark.parametrize("given", ["people", "people.jsonl"])
def test_one_command_writes_a_detector_with_the_users_thresholds(files, people, fitted, capsys, given):
    new = files / f"new-{given}.joblib"
    assert main(["calibrate", str(files / "mine.joblib"), str(files / given), "-o", str(new)]) == 0
    made = load(new)
    assert made.thresholds_ == recalibrated(fitted, people).thresholds_
    assert capsys.readouterr().out.startswith("0.05: machine from 0.")
    assert load(files / "mine.joblib").thresholds_ == fitted.thresholds_


def test_a_register_made_by_the_command_is_one_that_scoring_knows(files, people, capsys):
    new = files / "letters.joblib"
    arguments = ["calibrate", str(files / "mine.joblib"), str(files / "people"), "-o", str(new)]
    assert main([*arguments, "--register", "letter"]) == 0
    capsys.readouterr()
    text = str(files / "shuffled.txt")
    Path(text).write_text(shuffled(people[0], 0), encoding="utf-8")
    assert main(["score-file", text, "-m", str(new), "--register", "letter", "-f", "json"]) == 0
    assert "of 40 human texts it was calibrated on for register 'letter'" in capsys.readouterr().out
    assert main(["score-file", text, "-m", str(new), "--register", "leter"]) == 2
    assert "did you mean 'letter'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["people", "--max-fpr", "0.01"], "too few to promise a false-positive rate of 0.01"),
        (["people", "--max-fpr", "0.02"], "max_fpr=0.02; expected one of"),
        (["nowhere"], "nowhere"),
        (["empty"], "holds no document; expected texts, Word or PDF files"),
        (["mixed.jsonl"], "labels 1 of 2 texts machine"),
    ],
)
def test_what_cannot_be_calibrated_on_is_named_and_nothing_is_written(files, capsys, arguments, words):
    (files / "empty").mkdir(exist_ok=True)
    rows = [{"text": "One.", "label": 0}, {"text": "Two.", "label": 1}]
    (files / "mixed.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    new = files / "never.joblib"
    first, *rest = arguments
    code = main(["calibrate", str(files / "mine.joblib"), str(files / first), "-o", str(new), *rest])
    assert code == 2
    assert words in capsys.readouterr().err
    assert not new.exists()
