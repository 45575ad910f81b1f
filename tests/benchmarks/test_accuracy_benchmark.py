from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from planted_material import material

from benchmarks.accuracy.baseline import Tfidf
from benchmarks.accuracy.contenders import (
    MIN_TOKENS,
    PROMISE,
    ColumnStore,
    Detector,
    WithWords,
    Words,
    ask,
    inner_folds,
)
from benchmarks.accuracy.protocols import leave_one_source_out
from benchmarks.accuracy.trials import run_trial
from benchmarks.accuracy.zeroshot import DIRECTIONS, zero_shot
from benchmarks.measures import measure
from benchmarks.results import Results
from ghostbuster.arrays import TokenScores
from ghostbuster.decision.pair_slope import PairSlope
from ghostbuster.decision.thresholds import Threshold
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.params import Params
from ghostbuster.detector.training import Examples, held_out_parts
from ghostbuster.features.expression import Feature
from ghostbuster.features.spaces import SPACES
from ghostbuster.folds import balanced_weights
from ghostbuster.heads.scorer import Scorer
from ghostbuster.metrics.intervals import wilson
from training.data.labelled import LabelledText
from training.data.material import Material, columns_of
from training.data.score_cache import cached_scores, scores_key
from training.detector.card import card


def test_figures_agree_with_a_count_by_hand():
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    p = np.array([0.1, 0.2, 0.3, 0.6, 0.4, 0.7, 0.8, 0.9])
    figures = measure(y, p, p > 0.5, np.arange(8))
    assert figures["auroc"].value == 15 / 16  # one of 16 pairs is the wrong way round
    assert figures["tpr"].value == 3 / 4  # none of the people may be called machine: the bar is 0.6
    assert figures["f1"].value == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert figures["fpr"] == wilson(1, 4)


def test_human_texts_alone_have_a_false_positive_rate_only():
    figures = measure(
        np.zeros(4, dtype=int), np.full(4, 0.5), np.array([True, False, False, False]), np.arange(4)
    )
    assert set(figures) == {"fpr"}
    assert figures["fpr"].value == 0.25


def test_every_zero_shot_statistic_has_a_direction():
    names = {str(feature).split()[0] for feature in SPACES["zeroshot"].rule()}
    assert names == set(DIRECTIONS)


def test_inner_folds_leave_out_one_source_and_all_that_is_related_to_it():
    made = material()
    related = Material(
        tuple(
            text if i else LabelledText(**{n: getattr(text, n) for n in text.__slots__} | {"group": 1000})
            for i, text in enumerate(made.texts)
        ),
        made.reading,
        made.ends,
    )
    for fit, held in inner_folds(related, np.arange(len(related.texts))):
        assert len(set(related.sources[held])) == 1
        assert not set(related.groups[fit]) & set(related.groups[held])
        assert not set(related.sources[fit]) & set(related.sources[held])


def test_the_promised_bar_is_kept_on_the_held_out_texts_it_was_set_on():
    made = material(per_class=120)
    train = np.arange(len(made.texts))
    statistic = next(iter(zero_shot(columns_of(made, "zeroshot")).values()))
    answers = ask(statistic, made, train, train, nested=True)  # untrained: the test side is the held-out one
    human = answers.probability[made.y == 0]
    assert answers.called_strictly[made.y == 0].mean() <= answers.called[made.y == 0].mean() <= PROMISE
    for source in "abc":  # the worst of them keeps it too
        assert answers.called_strictly[(made.y == 0) & (made.sources == source)].mean() <= PROMISE
    assert np.mean(human >= np.sort(human)[-5]) > PROMISE
    assert np.array_equal(answers.called, statistic.raw(train, train) > answers.raw_bar)


def test_the_detector_is_held_out_as_the_shipped_one_is():
    made = material()
    rows = np.arange(len(made.texts))
    detector = Detector(ColumnStore(made), "ngram", "logistic", max_features=3)
    ours = WithWords(detector, Words(made))
    held_out = np.empty((rows.size, 2))
    for fit, held in inner_folds(made, rows):
        held_out[held] = ours.raw(fit, held, ours.choose(fit, inner_folds(made, fit)))
    columns = ours.detector.columns
    y = made.y.astype(float)
    weights = balanced_weights(y, made.sources)
    texts = made.reading.texts
    examples = Examples(columns.features, columns.matrix, texts, y, weights, made.groups, made.sources)
    shipped = held_out_parts(examples, Params(space="ngram", max_features=3))
    np.testing.assert_allclose(held_out, shipped, rtol=1e-6, atol=1e-9)
    assert ours.lexical_weight == GhostbusterClassifier().lexical_weight
    assert GhostbusterClassifier().min_tokens == MIN_TOKENS


def test_an_interrupted_trial_goes_on_where_it_was(tmp_path):
    made = material()
    splits = leave_one_source_out(made.texts)
    results = Results(tmp_path, "")
    ours = Detector(ColumnStore(made), "ngram", "logistic", max_features=1, results=results)
    run_trial(made, "ours", ours, splits[:1], results, nested=True, log=lambda _: None)
    begun = {path.name for path in tmp_path.iterdir()}
    outcome = run_trial(made, "ours", ours, splits, results, nested=True, log=lambda _: None)
    assert begun < {path.name for path in tmp_path.iterdir()}
    again = run_trial(made, "ours", Broken(), splits, results, nested=True, log=lambda _: None)
    np.testing.assert_array_equal(again.probability, outcome.probability)  # read, not made
    np.testing.assert_array_equal(again.called, outcome.called)
    assert again.bars == outcome.bars


class Broken:
    """A contender that must not be asked."""


def test_results_of_another_stamp_or_key_are_made_anew(tmp_path):
    made = []

    def make():
        made.append(1)
        return {"x": np.arange(len(made))}

    for stamp, key in (("a", ("k",)), ("a", ("k",)), ("b", ("k",)), ("a", ("k", "l")), ("a", (b"kl",))):
        Results(tmp_path, stamp).get(key, make)
    assert len(made) == 4
    assert Results(tmp_path, "b").get(("k",), make)["x"].tolist() == [0, 1]
    assert Results().get(("k",), make)["x"].tolist() == [0, 1, 2, 3, 4]  # nothing is kept without a folder


def test_texts_related_to_learned_ones_are_not_asked_about_in_a_probe():
    made = material(files=("a.train", "b.all", "c.all", "detectrl.human_perturbed"))
    texts = [
        replace(text, group=0) if text.file == "detectrl.human_perturbed" and i % 2 else text
        for i, text in enumerate(made.texts)
    ]
    for split in leave_one_source_out(texts):
        learned = {texts[i].group for i in split.train}
        assert not learned & {texts[i].group for i in split.test}
        if split.name == "detectrl":
            assert split.train.size == 180  # a probe costs no text to learn from
            assert 0 < split.test.size < 60


def test_a_contender_never_answers_for_what_it_learned_from():
    made = material()
    seen = []

    class Spy(Tfidf):
        def raw(self, train, test, chosen=None):  # noqa: ARG002
            seen.append((set(made.groups[train]), set(made.groups[test])))
            return np.zeros(test.size) + made.y[test]

    splits = leave_one_source_out(made.texts)
    run_trial(made, "spy", Spy(made), splits, Results(), nested=True, log=lambda _: None)
    assert len(seen) == 3 * (1 + 2 * 0 + 5)  # two sources left: five grouped folds inside each
    assert all(not learned & asked for learned, asked in seen)


class FakePanel:
    sources = ("weak",)

    def __init__(self, fingerprint="f", fails=False):
        self.fingerprints = {"weak": fingerprint}
        self.asked = 0
        self.fails = fails

    def score(self, texts):
        self.asked += 1
        if self.fails:
            raise RuntimeError("out of memory")
        lengths = [len(text.split()) for text in texts]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        values = -np.arange(offsets[-1], dtype=np.float32)
        ends = np.concatenate([np.arange(1, n + 1) for n in lengths])
        return {"weak": TokenScores({"logprob": values}, ends, offsets)}


def test_scores_are_asked_for_once_and_read_back_equal(tmp_path):
    panel, texts = FakePanel(), ["one two", "three"]
    first, again = (cached_scores(panel, "a", texts, tmp_path, log=lambda _: None) for _ in range(2))
    assert panel.asked == 1
    np.testing.assert_array_equal(first["weak"].channels["logprob"], again["weak"].channels["logprob"])
    np.testing.assert_array_equal(first["weak"].offsets, again["weak"].offsets)
    np.testing.assert_array_equal(first["weak"].ends, again["weak"].ends)


def test_other_texts_another_order_and_other_models_have_other_keys():
    keys = [
        scores_key({"weak": "f"}, ["one", "two"]),
        scores_key({"weak": "f"}, ["two", "one"]),
        scores_key({"weak": "f"}, ["onetwo"]),
        scores_key({"weak": "g"}, ["one", "two"]),
    ]
    assert len(set(keys)) == 4


def test_a_pass_that_fails_leaves_no_file(tmp_path):
    with pytest.raises(RuntimeError, match="out of memory"):
        cached_scores(FakePanel(fails=True), "a", ["one"], tmp_path, log=lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_the_cache_holds_no_text(tmp_path):
    cached_scores(FakePanel(), "a", ["unmistakable words"], tmp_path, log=lambda _: None)
    (path,) = tmp_path.iterdir()
    assert b"unmistakable" not in path.read_bytes()


def test_a_card_states_what_the_detector_and_the_benchmark_say():
    one = {"value": 0.9, "low": 0.85, "high": 0.95}
    ours = {"n_human": 5, "n_machine": 6, "auroc": one, "tpr": one, "accused": one, "found": one}
    people = {"n_human": 7, "n_machine": 0, "accused": one}
    found = {
        "readers": {name: {"sources": {"outfox": ours, "cuad": people}} for name in ("all, mixed", "TF-IDF")}
    }
    detector = GhostbusterClassifier()
    sources = {"outfox": {"n_human": 5, "n_machine": 6}}
    reader = {"reader": "states", "share": 0.6, "auroc": 0.91, "tpr_at_1_percent_fpr": 0.5, "n_sources": 9}
    band = Threshold(0.01, 0.91, wilson(1, 100), 100, about="held-out human texts of 150 tokens or more")
    detector.trained_ = SimpleNamespace(
        scorer=Scorer((Feature.parse("weak.logprob s-avg"),), head=None, lexicon=None),
        thresholds=(
            Threshold(0.01, 0.87, wilson(1, 100), 100),
            Threshold(0.05, 0.5, wilson(5, 100), 100, bands=(band,)),
        ),
        register_thresholds={"essay": ()},
        pairs=PairSlope(1.05, 20, 10),
        manifest={
            "data": {"n_human": 11, "n_machine": 12, "n_tokens": 13, "sources": sources},
            "models": [{"role": "weak", "file": "small.gguf"}],
            "readers": [reader],
            "calibration": {"method": "smooth", "expected_error": 0.0312},
        },
    )
    written = card(detector, "standard", "abc123", found)
    for part in (  # Wilson's interval of 1 in 100 is 0.18 % to 5.45 %
        "`standard.joblib`, sha256 `abc123`",
        "`weak` small.gguf",
        "| states | 60% | 0.910 | 0.500 |",
        "smooth, expected calibration error on sources left out 0.031",
        "slope 1.05 of the difference of\nlog-odds, learned from 20 pairs of 10 prompts or documents",
        "(`--register`): `essay`.",
        "| outfox | 5 | 6 | OUTFOX, Apache-2.0 |",
        "| outfox | 5, 6 |" + " 0.900 [0.850, 0.950] |" * 5,
        "| cuad | 7, 0 | - | - | 0.900 [0.850, 0.950] | - | - |",
        "| 1.0% | every length | 0.8700 | 1.00% [0.18%, 5.45%] | 1.00% | 100 |",
        "| 5.0% | every length | by length | 5.00%",
        "| 1.0% | 150 tokens or more | 0.9100 | 1.00% [0.18%, 5.45%] | 1.00% | 100 |",
    ):
        assert part in written
    assert "source it has not seen" not in card(detector, "standard", "abc123", None)
