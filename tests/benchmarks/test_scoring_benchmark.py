import numpy as np
import pytest

from benchmarks.speed.scoring import passages, summary
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.llama.language_model import LlamaLM
from training.data.make_gguf import Shape, make_gguf, requantise

TEXT = "The letter that she had written was not for him, but it was on the table by the river."


def one_round(wall, cpu, peak=1.0):
    return {"wall": wall, "cpu": cpu, "peak": peak, "note": ""}


def test_ratios_are_medians_of_the_ratios_of_each_round():
    # ratios 1/2, 1/4, 3/4: their median is 1/2, while the ratio of the medians is 1/4
    limit = [one_round(1.0, 2.0), one_round(1.0, 2.0), one_round(3.0, 2.0)]
    engine = [one_round(2.0, 4.0), one_round(4.0, 8.0, peak=7.0), one_round(4.0, 2.0)]
    row = summary({"limit": limit, "engine": engine})["engine"]
    assert row["of_limit_by_wall"] == 0.5
    assert row["of_limit_by_cpu"] == 0.5
    assert row["tokens_per_second"] == 0.2  # 1 / median(2, 4, 4), rounded
    assert row["cpu_us_per_token"] == 4e6
    assert row["peak_mb"] == 7


def test_without_a_limit_there_is_no_ratio():
    assert "of_limit_by_wall" not in summary({"panel": [one_round(1.0, 1.0)]})["panel"]


def test_passages_have_as_many_tokens_as_asked_for(tmp_path):
    model = LlamaLM(make_gguf(tmp_path / "m.gguf"), "weak")
    lengths = np.diff(model.weights.tokenise(passages(model.weights, 5, 50)).offsets)
    assert len(lengths) == 5
    assert np.all(np.abs(lengths - 50) <= 2)  # a piece may join another at a seam


def test_llama_cpp_quantises_a_file_further(tmp_path):
    path = make_gguf(tmp_path / "m.gguf")
    made = requantise(path, "Q8_0")
    assert made.name == "m-q8_0.gguf"
    assert check_model(made).quantisation == "Q8_0"


def test_the_engine_agrees_with_transformers_in_float64(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from benchmarks.speed.gguf_in_torch import load, statistics

    model = LlamaLM(make_gguf(tmp_path / "m.gguf", Shape(context=256)), "weak")
    got = model.score([TEXT])
    ids = model.weights.tokenise([TEXT]).ids
    (want,) = statistics(load(model.file.path, torch.float64), [ids], model.file.begin)
    for name, values in zip(("logprob", "rank", "entropy", "varentropy"), want, strict=True):
        close = 3 if name == "rank" else 0.05  # random weights: layouts move near ties
        np.testing.assert_allclose(got.channels[name], values, atol=close, rtol=0.01, err_msg=name)


def test_texts_of_a_padded_batch_score_as_alone_in_transformers(tmp_path):
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from benchmarks.speed.gguf_in_torch import load, statistics

    network = load(make_gguf(tmp_path / "m.gguf"), torch.float64)
    texts = [np.array([300, 301, 302]), np.array([310, 311, 312, 313, 314])]
    together = statistics(network, texts, 1)
    for one, whole in zip(texts, together, strict=True):
        np.testing.assert_allclose(statistics(network, [one], 1)[0], whole, atol=1e-9)


def test_published_formulas_worked_by_hand():
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from benchmarks.speed.scoring_agreement import binoculars, fast_detectgpt

    # s = (1/2, 1/4, 1/4), r = (1/4, 1/4, 1/2); the token has s = 1/2; E_r[log2 s] = -7/4, Var = 3/16
    s, r = np.log([[0.5, 0.25, 0.25]]), np.log([[0.25, 0.25, 0.5]])
    assert binoculars(s, r, np.array([0])) == pytest.approx(1 / (7 / 4))
    assert fast_detectgpt(s, r, np.array([0])) == pytest.approx((7 / 4 - 1) / np.sqrt(3 / 16))
