import json

import numpy as np
import pytest
from labelled_rows import labelled_rows

from benchmarks.accuracy import unseen
from benchmarks.accuracy.unseen import HeldOut, answers, figures_of
from ghostbuster.decision.calibration import Calibration
from ghostbuster.folds import MOST_BUNDLES, bundled
from ghostbuster.metrics.classification import auroc
from training.data.weights import FEW, training_weights


def held_out(n=1200, seed=0):
    """Four sources, one of people alone; the second reader knows nothing."""
    rng = np.random.default_rng(seed)
    sources = np.repeat(["a", "b", "c", "people"], n // 4)
    y = np.where(sources == "people", 0, np.arange(n) % 2)
    parts = np.column_stack([rng.normal(size=n) + 2 * y, rng.normal(size=n)])
    rows = {
        "y": y,
        "weights": np.where(sources == "people", 0.0, 1.0),
        "groups": np.arange(n),
        "n_tokens": np.where(np.arange(n) % 10 == 0, 50, 200),
        "is_crop": np.arange(n) % 7 == 0,
        "sources": sources,
    }
    return HeldOut(parts, rows, ("features", "words"))


def test_answers_to_a_source_are_learned_from_the_others():
    made = held_out()
    raw, called = answers(made, [0], "a")
    here = made.rows["sources"] == "a"
    assert raw.tolist() == made.parts[here, 0].tolist()
    changed = made.parts.copy()
    changed[here] += 100  # what it says of the source asked about moves neither map nor threshold
    moved, all_called = answers(HeldOut(changed, made.rows, made.readers), [0], "a")
    assert (moved - raw).tolist() == pytest.approx([100.0] * here.sum())
    assert all_called.tolist() == (made.rows["n_tokens"][here] >= 100).tolist()
    assert not called[made.rows["n_tokens"][here] < 100].any()


def test_a_threshold_is_that_of_the_other_sources_people():
    made = held_out()
    rows = made.rows
    _, called = answers(made, [0], "a")
    others = (rows["sources"] != "a") & (rows["y"] == 0) & (rows["n_tokens"] >= 100)
    learned = (rows["sources"] != "a") & (rows["weights"] > 0)
    p = (
        Calibration()
        .fit(made.parts[learned, 0], rows["y"][learned].astype(float))
        .probability(made.parts[:, 0])
    )
    least = np.sort(p[others])[-int(0.01 * others.sum()) - 1]
    here = rows["sources"] == "a"
    assert called.tolist() == ((p[here] > least) & (rows["n_tokens"][here] >= 100)).tolist()


def test_figures_count_whole_texts_and_average_sources_of_both_classes():
    made = held_out()
    found = figures_of(made, [0])
    rows = made.rows
    whole = (rows["sources"] == "b") & ~rows["is_crop"]
    assert found["sources"]["b"]["auroc"]["value"] == auroc(rows["y"][whole], made.parts[whole, 0])
    assert found["sources"]["b"]["n_human"] == np.sum(whole & (rows["y"] == 0))
    assert "auroc" not in found["sources"]["people"]
    assert found["mean"]["auroc"]["n_sources"] == 3
    people = ~rows["is_crop"] & (rows["y"] == 0) & (rows["n_tokens"] >= 100)
    assert found["mean"]["accused_of_all_people"]["n"] == people.sum()
    assert found["mean"]["worst_is_of"] == {"n_sources": 1, "people_or_more": 200}
    assert found["mean"]["accused_in_worst_source"] == found["sources"]["people"]["accused"]["value"]


def test_the_command_writes_figures_of_each_reader_and_of_all(tmp_path, monkeypatch, capsys):
    made = held_out()
    np.savez(tmp_path / "held.npz", parts=made.parts, readers=np.array(made.readers), **made.rows)
    monkeypatch.setattr(
        "sys.argv", ["unseen", str(tmp_path / "held.npz"), "--out", str(tmp_path / "found.json")]
    )
    unseen.main()
    found = json.loads((tmp_path / "found.json").read_text("utf-8"))
    assert list(found["readers"]) == ["features", "words", "all, mixed"]
    means = {name: one["mean"]["auroc"]["value"] for name, one in found["readers"].items()}
    assert means["all, mixed"] > means["words"] + 0.2
    assert "all, mixed" in capsys.readouterr().out


def test_many_sources_are_dealt_into_bundles_of_like_size():
    sizes = [50, 40, 30, 20, 10, 10, 10, 10, 10, 10]
    sources = np.repeat([f"s{i}" for i in range(10)], sizes)
    bundles = bundled(sources)
    assert np.unique(bundles).size == MOST_BUNDLES
    assert sorted(np.bincount(bundles).tolist()) == [10, 20, 20, 20, 20, 30, 40, 50] or (
        sum(np.bincount(bundles)) == sum(sizes)
    )
    for name in np.unique(sources):
        assert np.unique(bundles[sources == name]).size == 1
    few = np.array(["b", "a", "b"])
    assert bundled(few).tolist() == [1, 0, 1]


def test_small_sources_weigh_less_and_those_of_people_alone_nothing():
    texts = labelled_rows(
        {"big": (FEW, FEW), "small": (FEW // 4, FEW // 4), "people": (9, 0), "machine": (0, FEW)}
    )
    weights = training_weights(texts)
    of = {}
    for text, weight in zip(texts, weights.tolist(), strict=True):
        of[text.source, text.label] = of.get((text.source, text.label), 0.0) + weight
    assert of["people", 0] == 0
    assert of["small", 0] == pytest.approx(of["big", 0] / 4)
    assert of["machine", 1] == pytest.approx(of["big", 1])
    assert sum(of[s, 0] for s in ("big", "small")) == pytest.approx(sum(v for (_, y), v in of.items() if y))
    assert weights.mean() == pytest.approx(1)
