"""The benchmark for graphics cards, at toy size on the CPU; tests marked gpu need a card."""

import json

import numpy as np
import pytest

pytest.importorskip("gguf", reason="needs the benchmark extra")

from benchmarks.speed import card
from benchmarks.speed.card_agreement import A_TOKEN
from benchmarks.speed.card_contestants import batches
from benchmarks.speed.scoring import passages
from ghostbuster.models.backend import build
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.llama.language_model import LlamaLM
from training.data.make_gguf import Shape, make_gguf


def run(monkeypatch, tmp_path, *steps, texts=2):
    sizes = ["--texts", str(texts), "--least", "10", "--most", "40", "--rounds", "1", "--kinds", "--no-torch"]
    sizes += ["--agreement-texts", "1"]
    arguments = [
        "card",
        "--state",
        str(tmp_path / "state"),
        "--out",
        str(tmp_path / "out"),
        *sizes,
        "--",
        *steps,
    ]
    monkeypatch.setattr("sys.argv", arguments)
    card.main()
    return json.loads((tmp_path / "out" / "card.json").read_text("utf-8"))


def test_files_are_made_raced_and_a_step_that_is_done_is_not_done_again(monkeypatch, tmp_path):
    made = run(monkeypatch, tmp_path, "facts", "make:toy-weak", "speed:toy-weak")
    assert made["facts"]["offload"] == build.can_offload()
    raced = made["speed:toy-weak"]
    assert raced["failed"] == {}
    assert set(raced["contestants"]) == {"limit", "engine", "unread"}
    assert raced["contestants"]["limit"]["of_limit_by_wall"] == 1.0
    assert all(row["tokens_per_second"] > 0 for row in raced["contestants"].values())
    # the machine's command ended, another takes up what was measured
    monkeypatch.setattr(card, "contest", lambda *_: pytest.fail("raced again"))
    assert run(monkeypatch, tmp_path, "speed:toy-weak") == made


def test_a_contestant_that_cannot_run_is_named_with_its_reason(monkeypatch, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "toy-weak.gguf").write_bytes(b"GGUF")
    with pytest.raises(SystemExit, match=r"limit .*toy-weak\.gguf failed"):
        run(monkeypatch, tmp_path, "speed:toy-weak")


def test_an_unknown_step_is_refused_before_anything_is_done(monkeypatch, tmp_path):
    with pytest.raises(SystemExit, match="sped: no such step; expected one of facts, make, speed"):
        run(monkeypatch, tmp_path, "facts", "sped:toy-weak")
    assert not (tmp_path / "state").exists()


def test_lengths_are_drawn_between_the_least_and_the_most(tmp_path):
    model = LlamaLM(make_gguf(tmp_path / "m.gguf"), "weak")
    lengths = np.diff(model.weights.tokenise(passages(model.weights, 40, 60, 20)).offsets)
    assert lengths.min() >= 18  # a piece may join another at a seam
    assert lengths.max() <= 62
    assert np.unique(lengths).size > 10


def test_batches_are_of_like_length_and_hold_every_text_once():
    texts = [np.arange(n) for n in (5, 30, 7, 28, 6)]
    found = batches(texts, 60)
    assert [[one.size for one in batch] for batch in found] == [[30, 28], [7, 6, 5]]
    assert [[one.size for one in batch] for batch in batches(texts, 1)] == [[30], [28], [7], [6], [5]]


def test_layers_that_are_alike_hold_the_same_weights(tmp_path):
    import gguf

    shape = Shape(layers=3, alike=1)
    tensors = {t.name: t for t in gguf.GGUFReader(make_gguf(tmp_path / "alike.gguf", shape)).tensors}
    assert check_model(tmp_path / "alike.gguf").n_layers == 3
    first, last = (tensors[f"blk.{i}.attn_q.weight"].data for i in (0, 2))
    np.testing.assert_array_equal(first, last)
    assert not np.array_equal(first, tensors["blk.0.attn_output.weight"].data)


@pytest.mark.gpu
def test_the_engine_runs_with_all_layers_on_the_card_and_its_memory_is_seen(monkeypatch, tmp_path):
    if not build.can_offload():
        pytest.skip("llama.cpp can use no graphics card here")
    monkeypatch.delenv("GHOSTBUSTER_DEVICE")
    found = run(monkeypatch, tmp_path, "make:toy-weak", "speed:toy-weak", "agreement", texts=20)
    assert found["agreement"]["device"] != "CPU"
    assert found["agreement"]["weak.logprob"]["largest"] < A_TOKEN
    seen = found["speed:toy-weak"]["contestants"]["engine"]["card_mb"]
    assert (seen is not None) == (card.used_mb() is not None)  # NVIDIA's tool alone tells
