"""A detector with an adapter among its readers, trained on the embedded models."""

import shutil

import numpy as np
import pytest
from adapter_files import KEY, facts, random_updates, write_adapter
from llama_reference import LlamaReference
from prose import labelled, passages

from ghostbuster import GhostbusterClassifier
from ghostbuster.cli import main
from ghostbuster.detector.artifact import load, save
from ghostbuster.detector.passages import judge_passages
from ghostbuster.detector.state import trained_of
from ghostbuster.errors import ArtifactError, InputError, SettingError
from ghostbuster.heads.adapter_head import adapter_head, adapter_probability
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.learned_texts import text_hashes
from ghostbuster.models.open_adapter import open_adapter
from ghostbuster.models.panel_choice import panel_of
from ghostbuster.models.panels import EMBEDDED_WEAK, weights_folder
from ghostbuster.reading.cache import remember_scores
from ghostbuster.text.prepare import prepare

SMALL = {"space": "zeroshot", "max_features": 3, "min_tokens": 20}


@pytest.fixture(scope="module")
def examples():
    return labelled(20)


@pytest.fixture(scope="module")
def good():
    path = weights_folder() / EMBEDDED_WEAK
    width = LlamaReference(path).tensors["token_embd.weight"].shape[1]
    return facts(check_model(path), width, digest=file_digest(path))


@pytest.fixture(scope="module")
def updates():
    return random_updates(LlamaReference(weights_folder() / EMBEDDED_WEAK), scale=0.02)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, good, updates):
    return str(write_adapter(tmp_path_factory.mktemp("adapter") / "adapter.gguf", good, updates))


@pytest.fixture(scope="module")
def detector(examples, adapter):
    texts, y, groups = examples
    return GhostbusterClassifier(**SMALL, adapter=adapter).fit(texts, y, groups)


def test_an_adapter_is_a_reader_beside_the_others(detector, adapter):
    scorer = detector.trained_.scorer
    assert scorer.readers == ("features", "words", "adapter")
    assert len(scorer.mix) == 4
    assert scorer.mix[2] == 0  # no hidden states are read
    assert [one["reader"] for one in detector.manifest_["readers"]] == [
        "features",
        "words",
        "adapter",
        "all, mixed",
    ]
    (row,) = [one for one in detector.manifest_["models"] if one["role"] == "adapter"]
    assert row["digest"] == file_digest(adapter)
    assert detector.trained_.fingerprints["adapter"] == detector.open_panel().fingerprints["adapter"]


def test_what_readers_add_sums_to_the_score_that_is_calibrated(detector, examples):
    for verdict in detector.judge(examples[0][:3]):
        raw = sum(one.contribution for one in verdict.readers)
        assert detector.trained_.calibration.probability([raw])[0] == pytest.approx(verdict.probability)
        assert [one.feature for one in verdict.readers] == [
            "reader features",
            "reader words",
            "reader adapter",
        ]


def test_its_head_reads_what_the_adapter_alone_says(detector, adapter, examples):
    reading = detector.read(examples[0][:4])
    said = adapter_head(detector.open_panel()).raw_score(reading.vectors.states["adapter.states"])
    alone = adapter_probability(open_adapter(adapter), examples[0][:4])
    np.testing.assert_allclose(1 / (1 + np.exp(-said)), alone, rtol=1e-6)


def test_a_saved_detector_says_the_same_also_from_the_cache(detector, examples, tmp_path):
    verdicts = detector.judge(examples[0][:4])
    save(detector, tmp_path / "a.joblib")
    for _ in range(2):
        with remember_scores(tmp_path):
            assert load(tmp_path / "a.joblib").judge(examples[0][:4]) == verdicts


def test_pairs_rest_on_the_single_texts_log_odds_with_the_adapters_word(detector, examples):
    a, b = detector.judge(examples[0][:2])
    pair = detector.judge_pair(*examples[0][:2])
    odds = [np.log(one.probability / (1 - one.probability)) for one in (a, b)]
    assert pair.probability == pytest.approx(1 / (1 + np.exp(odds[1] - odds[0])))
    assert (pair.a, pair.b) == (a, b)


def test_passages_have_numbers_of_their_own(detector):
    made = judge_passages(detector, passages(1, 500)[0], window=128)
    assert len({window.probability for window in made.windows}) > 1


def test_progress_counts_the_adapters_pass(detector, examples):
    seen = []
    panel = detector.open_panel()
    panel.score([prepare(text).text for text in examples[0][:3]], lambda *now: seen.append(now))
    n = panel.strong.weights.tokenise([prepare(text).text for text in examples[0][:3]]).ids.size
    assert seen[-1] == (2 * n, 2 * n)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_texts_that_the_adapter_learned_from_are_refused(examples, good, updates, tmp_path):
    texts, y, groups = examples
    known = sorted(text_hashes([prepare(texts[5]).text, prepare(texts[7]).text]).tolist())
    file = write_adapter(tmp_path / "knows.gguf", good | {KEY + "learned": known}, updates)
    with pytest.raises(InputError, match=r"learned from 2 of these texts \(the first is text 5\)"):
        GhostbusterClassifier(**SMALL, adapter=str(file)).fit(texts, y, groups)


def test_another_adapter_is_refused_when_scoring(detector, good, updates, examples, tmp_path):
    other = write_adapter(tmp_path / "other.gguf", good | {KEY + "baseline": 0.5}, updates)
    with pytest.raises(ArtifactError, match="trained with another adapter model"):
        detector.with_params(adapter=str(other)).judge(examples[0][:1])


def test_readers_and_adapter_go_together(adapter):
    for changed in ({"readers": "features,adapter"}, {"readers": "features,words", "adapter": adapter}):
        with pytest.raises(SettingError, match="expected the reader adapter where an"):
            GhostbusterClassifier(**SMALL | changed).fit(["a", "b"], [0, 1])


def test_an_adapters_head_with_numbers_that_are_not_finite_is_refused(detector):
    state = detector.state()
    broken = dict(state["adapter"], coef=np.full_like(state["adapter"]["coef"], np.nan))
    with pytest.raises(ArtifactError, match=r"adapter.coef holds something else than finite numbers"):
        trained_of(state | {"adapter": broken}, detector.head)


def test_detectors_without_an_adapter_read_none(detector):
    assert panel_of("embedded").adapter is None
    assert panel_of("embedded").sources == ("weak", "strong", "unigram", "trigram")
    assert detector.open_panel().sources[-1] == "adapter"


def test_the_command_line_trains_and_scores_with_an_adapter(examples, adapter, tmp_path, capsys):
    import pandas as pd

    texts, y, groups = examples
    table = tmp_path / "table.csv"
    pd.DataFrame({"text": texts, "label": y, "group": groups}).to_csv(table, index=False)
    out, text = tmp_path / "mine.joblib", tmp_path / "text.txt"
    text.write_text(texts[0], "utf-8")
    options = ["--space", "zeroshot", "--max-features", "2", "--min-tokens", "20", "-q", "--no-cache"]
    assert main(["train", str(table), "-o", str(out), "--adapter", adapter, *options]) == 0
    moved = tmp_path / "moved.gguf"
    shutil.copy(adapter, moved)
    assert main(["score-file", str(text), "-m", str(out), "--adapter", str(moved), "-q"]) == 0
    assert "text.txt" in capsys.readouterr().out
    pair = ["score-pair", str(text), str(text), "-m", str(out), "-q"]
    assert main([*pair, "--adapter", str(moved)]) == 0
    assert "a tie: probability 0.500" in capsys.readouterr().out
    assert main(["score-file", str(text), "-m", "lite", "--adapter", adapter, "-q"]) == 2
    assert "was trained without one" in capsys.readouterr().err
