import json

import numpy as np
import pytest
from planted import separable_vectors
from strategies import EXTRA_CHANNELS, VECTOR_NAMES, vectors_of_lengths

from benchmarks.search import plain_search, search
from benchmarks.search.search_report import report
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.spaces import candidates


def test_the_plain_evaluation_gives_every_published_feature_the_value_that_ours_gives():
    made = vectors_of_lengths([1, 7, 60])
    features = candidates("ghostbuster", VECTOR_NAMES)
    plain = plain_search.evaluate(features, made)
    assert plain == pytest.approx(evaluate_all(features, made), rel=1e-5, abs=1e-6)


def test_the_plain_search_finds_the_column_that_parts_the_classes_and_stops():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 5))
    y = np.arange(60) % 2
    X[:, 3] += 9 * y
    assert plain_search.search(X, y, log=lambda _: None) == [3]


def test_made_up_vectors_have_every_channel_and_texts_of_about_the_length_asked_for():
    made, y = search.made_up_vectors(40, mean_length=100)
    extra = {f"{lm}.{channel}" for lm in ("weak", "strong") for channel in EXTRA_CHANNELS}
    assert set(made.channels) == set(VECTOR_NAMES) - extra  # what the embedded models are asked for
    assert 80 < made.lengths.mean() < 120
    assert sorted(y) == [0] * 20 + [1] * 20


def test_a_power_fitted_to_times_that_double_with_the_size_is_1(monkeypatch):
    seconds = iter([1.0, 4.0, 2.0, 16.0])  # evaluation doubles, search grows with the square
    monkeypatch.setattr(search, "seconds_of", lambda *_: (next(seconds), None))
    made = search.scaling(((10, 20), (20, 20)), varied=0)
    assert made["exponents"] == pytest.approx({"evaluate": 1.0, "search": 2.0})


def test_the_page_holds_what_was_measured(monkeypatch, tmp_path):
    few = candidates("ghostbuster", VECTOR_NAMES)[:30]
    monkeypatch.setattr(search, "candidates", lambda *_: few)
    monkeypatch.setattr(search, "BY_TEXTS", ((20, 30), (40, 30)))
    monkeypatch.setattr(search, "BY_CANDIDATES", ((20, 15), (20, 30)))
    monkeypatch.setattr(
        "sys.argv",
        [
            "search",
            *PLAIN_AND_SCALING,
            "--texts",
            "40",
            "--unseen",
            "40",
            "--draws",
            "2",
            "--out",
            str(tmp_path),
        ],
    )
    search.main()
    found = json.loads((tmp_path / "data" / "search.json").read_text("utf-8"))
    page = (tmp_path / "search.md").read_text("utf-8")
    assert page == report(found)
    assert found["plain"]["candidates"] == 30
    assert f"{found['plain']['plain']['on_unseen']:.4f}" in page
    ours, plain = (
        [draw[name]["on_unseen"] for draw in found["plain"]["draws"]] for name in ("ours", "plain")
    )
    assert found["plain"]["plain"]["on_unseen"] == pytest.approx(sum(plain) / 2)
    assert f"{(sum(ours) - sum(plain)) / 2:+.4f} (standard error" in page
    monkeypatch.setattr("sys.argv", ["search", "--parts", "scaling", "--out", str(tmp_path)])
    search.main()
    again = json.loads((tmp_path / "data" / "search.json").read_text("utf-8"))
    assert again["plain"] == found["plain"]
    assert f"{found['by_texts']['exponents']['search']:.2f}" in page


def test_a_large_search_reports_its_size_and_peak_memory(monkeypatch):
    monkeypatch.setattr(search, "LARGE", (60, 50, "zeroshot"))
    found = search.large(max_memory=2**20, n_jobs=2)
    assert found["texts"] == 60
    assert found["candidates"] == 22
    assert found["features"] >= 1
    assert found["peak_bytes"] > 10_000_000
    page = report({**PAGE, "large": [found]})
    assert "the same features were chosen" in page


def test_steadiness_is_reported_for_every_feature_that_was_ever_chosen(monkeypatch):
    monkeypatch.setattr(search, "STABLE", (40, 2, 3))
    made, y = separable_vectors(40)
    sources = np.arange(40) // 2 % 2
    found = search.steadiness(search.Texts(made, y, np.arange(40), sources))
    assert (found["texts"], found["features"], found["resamples"]) == (40, 2, 3)
    assert all(0 < row["share"] <= row["alike"] <= 1 for row in found["rows"])
    assert f"`{found['rows'][0]['feature']}`" in report({**PAGE, "stability": found})


PLAIN_AND_SCALING = ("--parts", "plain", "scaling")
PAGE = {
    "machine": {"cores": 2, "python": "3", "versions": {"numpy": "2"}},
    "plain": {"labelled": False, "texts": 1, "unseen": 1, "candidates": 1, "largest_difference": 0.0}
    | {"plain": dict.fromkeys(("evaluate", "search", "features", "cross_validated", "on_unseen"), 1.0)},
}
