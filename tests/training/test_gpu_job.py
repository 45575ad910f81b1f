"""Training in pieces on a lent machine: what travels comes back as it was, and a resumed run is one run."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train-lm extra")
sentencepiece = pytest.importorskip("sentencepiece", reason="needs the train-lm extra")
pytest.importorskip("gguf", reason="needs the train-lm extra")

TRAINING = Path(__file__).parents[2] / "training" / "lm"
sys.path.insert(0, str(TRAINING))

import checkpoints  # noqa: E402
import curves  # noqa: E402
import packing  # noqa: E402
import train_lm  # noqa: E402
from model import Llama, Shape, n_parameters, read_config  # noqa: E402

WORDS = (
    "the road to mill was long and in winter it longer nobody used after dark she wrote".split()  # noqa: SIM905
)
CONFIG = """
name = "toy"
[model]
n_vocab = 384
d_model = 32
n_layers = 1
n_heads = 1
n_kv_heads = 1
d_ff = 64
context = 16
rope_theta = 10000.0
norm_eps = 1e-5
[training]
mix = "whole"
seed = 1
rows = 4
rows_at_once = 2
learning_rate = 4e-3
weight_decay = 0.05
warm_up_steps = 3
decay_fraction = 0.5
clip = 1.0
"""


def shard(folder, source, n_sentences, seed):
    """Sentences of 2 to 40 made-up tokens, an opening BOS before every tenth."""
    draw = np.random.default_rng(seed)
    tokens, starts = [], []
    for i in range(n_sentences):
        tokens += [1] if i % 10 == 0 else []
        starts.append(len(tokens))
        tokens += draw.integers(3, 384, draw.integers(2, 41)).tolist()
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / f"{source}.tokens.npy", np.array(tokens, dtype=np.uint16))
    np.save(folder / f"{source}.starts.npy", np.array(starts, dtype=np.int64))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Shards of two sources, a tokenizer, one held-out text, a configuration."""
    folder = tmp_path_factory.mktemp("runs")
    shard(folder / "shards", "masc_nltk", 300, 0)
    shard(folder / "shards", "ud_ewt_web", 120, 1)
    draw = np.random.default_rng(2)
    lines = [" ".join(draw.choice(WORDS, 12)) + "." for _ in range(60)]
    (folder / "tokenizer").mkdir()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_prefix=str(folder / "tokenizer" / "tokenizer"), model_type="bpe",
        vocab_size=384, byte_fallback=True, normalization_rule_name="identity", minloglevel=2,
        hard_vocab_limit=False,
    )  # fmt: skip
    (folder / "corpus" / "heldout").mkdir(parents=True)
    (folder / "corpus" / "heldout" / "ud_ewt_web.txt").write_text("\n".join(lines[:5]) + "\n", "utf-8")
    (folder / "toy.toml").write_text(CONFIG, "utf-8")
    return folder


def same_arrays(one, other):
    names = sorted(path.name for path in one.glob("*.npy"))
    assert names == sorted(path.name for path in other.glob("*.npy"))
    for name in names:
        np.testing.assert_array_equal(np.load(one / name), np.load(other / name), err_msg=name)


def test_numbers_of_sixteen_bits_come_back():
    words = np.random.default_rng(0).integers(0, 1 << 16, 5001).astype(np.uint16)
    np.testing.assert_array_equal(packing.decode(packing.encode(words)), words)


def test_shards_come_back_from_their_pieces(runs, tmp_path):
    made = packing.pack(runs / "shards", tmp_path / "packed", 9000, workers=1, size=1000)
    assert len(made) > 1
    assert all(path.stat().st_size <= 9000 for path in made)
    counts = packing.unpack(made[::-1], tmp_path / "shards", workers=1)
    same_arrays(runs / "shards", tmp_path / "shards")
    assert counts["ud_ewt_web"] == len(np.load(runs / "shards" / "ud_ewt_web.tokens.npy"))


def test_one_piece_alone_holds_whole_sentences_of_every_source(runs, tmp_path):
    made = packing.pack(runs / "shards", tmp_path / "packed", 9000, workers=1, size=500)
    counts = packing.unpack(made[:1], tmp_path / "shards", workers=1)
    assert set(counts) == {"masc_nltk", "ud_ewt_web"}
    whole = np.load(runs / "shards" / "masc_nltk.tokens.npy").tolist()
    tokens = np.load(tmp_path / "shards" / "masc_nltk.tokens.npy")
    starts = np.load(tmp_path / "shards" / "masc_nltk.starts.npy")
    opening = [whole[s : s + 2] for s in np.load(runs / "shards" / "masc_nltk.starts.npy")]
    assert 10 < len(starts) < len(opening)
    assert all(tokens[s : s + 2].tolist() in opening for s in starts)


def test_a_block_larger_than_a_piece_is_refused(runs, tmp_path):
    with pytest.raises(SystemExit, match="expected pieces of more than that: got 500"):
        packing.pack(runs / "shards", tmp_path, 500, workers=1)


def test_pieces_hold_what_they_may():
    piles = packing.spread([50, 60, 70, 30, 20], 110, overhead=0)
    assert sorted(i for pile in piles for i in pile) == [0, 1, 2, 3, 4]
    assert all(sum([50, 60, 70, 30, 20][i] for i in pile) <= 110 for pile in piles)


def test_weights_come_back_from_their_parts_within_half_precision(tmp_path):
    torch.manual_seed(0)
    model = Llama(Shape(384, 32, 1, 1, 1, 64, 16, 10000.0, 1e-5))
    state = {"config": {"name": "toy"}, "progress": {"step": 7}, "model": model.state_dict()}
    parts = checkpoints.send(state, tmp_path, "toy", part_bytes=5000)
    assert len(parts) > 2
    assert all(path.stat().st_size <= 5000 for path in parts)
    back = checkpoints.load(parts[0])
    assert back["progress"] == {"step": 7}
    for name, tensor in model.state_dict().items():
        torch.testing.assert_close(back["model"][name], tensor, rtol=2**-11, atol=1e-7, msg=name)


def test_a_missing_part_is_named(tmp_path):
    parts = checkpoints.split(b"x" * 100, tmp_path, "toy", 40)
    assert [path.name for path in parts] == [f"toy.part-{k}-of-3" for k in (1, 2, 3)]
    assert checkpoints.join(parts[::-1]) == b"x" * 100
    with pytest.raises(SystemExit, match=r"missing: there are toy\.part-1-of-3"):
        checkpoints.join(parts[:1])


def test_parts_of_two_checkpoints_are_refused(tmp_path):
    for name, seed in (("a", 0), ("b", 1)):
        torch.manual_seed(seed)
        state = {"config": {}, "progress": {}, "model": {"w": torch.randn(64, 64)}}
        checkpoints.send(state, tmp_path, name, part_bytes=4000)
    (tmp_path / "b.part-2-of-2").replace(tmp_path / "a.part-2-of-2")
    with pytest.raises(SystemExit, match="damaged or of several checkpoints"):
        checkpoints.load(tmp_path / "a.part-1-of-2")


def trainer(runs, name, *, fp32=True):
    options = argparse.Namespace(
        runs=runs,
        name=name,
        set=[],
        device="cpu",
        optimiser="muon",
        fp32=fp32,
        eager=True,
        tell=1e9,
        save=1e9,
    )
    return train_lm.Trainer(read_config(runs / "toy.toml"), options)


def clock(n_steps, total=None):
    """Seconds left when each step takes one: as many as steps, first asked for the whole."""
    left = iter([total or n_steps, *range(n_steps, -1, -1)])
    return lambda: next(left)


def test_a_run_taken_up_again_equals_one_run(runs):
    one = trainer(runs, "one")
    one.run(clock(6), "never")
    first = trainer(runs, "first")
    first.run(clock(3), "never")
    second = trainer(runs, "second")
    second.load(runs / "first" / "last.pt")
    second.run(clock(3), "never")
    assert second.progress.step == one.progress.step == 6
    assert second.progress.tokens == one.progress.tokens == 6 * 4 * 16
    for (name, a), b in zip(one.model.named_parameters(), second.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6, msg=name)


def test_rows_in_two_halves_give_the_gradient_of_all_at_once(runs):
    gradients = []
    for at_once in (2, 4):
        one = trainer(runs, "halves")
        one.training["rows_at_once"] = at_once
        loss = one.gradients()
        gradients.append([loss, *(p.grad for p in one.model.parameters())])
    for a, b in zip(*gradients, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


def test_weights_that_travelled_warm_up_anew(runs, tmp_path):
    first = trainer(runs, "travels")
    first.run(clock(5), "never")
    parts = checkpoints.send(checkpoints.load(runs / "travels" / "last.pt"), tmp_path, "toy")
    second = trainer(runs, "arrived")
    second.load(parts[0])
    assert second.progress.began == second.progress.step == 5
    # a third of the warm-up of three steps, two thirds, then all of it
    rates = [train_lm.rate_factor(step - 5, 0.0, 3, 0.0) for step in (5, 6, 7, 8)]
    assert rates == pytest.approx([1 / 3, 2 / 3, 1, 1])


def test_a_held_rate_does_not_fall():
    assert train_lm.rate_factor(1000, 0.999, warm_up=100, decay_fraction=0.0) == 1


def test_speed_and_loss_are_read_from_the_log(tmp_path):
    log = tmp_path / "toy.log"
    tokens = [1000 * k for k in range(1, 9)]
    line = "00:00:00 step {} tokens {} loss {:.4f} rate 1.000 {} tokens/s 9 s left"
    lines = [line.format(k, n, 2 + 30 * n**-0.28, 100 if k else 5) for k, n in enumerate(tokens)]
    log.write_text("\n".join(lines), "utf-8")
    curve = curves.read(log)
    assert curve.tokens == tokens
    assert curve.speed == 100
    assert curve.loss_after(1e6) == pytest.approx(2 + 30 * 1e6**-0.28, abs=0.01)
    assert curves.read(log, log.stat().st_size).loss_after(1e6) is None


@pytest.mark.parametrize(("name", "least", "most"), [("card-weak", 3e6, 6e6), ("card-strong", 25e6, 40e6)])
def test_models_for_the_card_have_the_sizes_wanted(name, least, most):
    shape = Shape(**read_config(TRAINING / "configs" / f"{name}.toml")["model"])
    with torch.device("meta"):
        assert least < n_parameters(Llama(shape)) < most
    assert not any(width % 256 for width in (shape.d_model, shape.d_ff))  # K-quantisations


def job(state, carried, out, *steps):
    command = [
        sys.executable,
        str(TRAINING / "gpu_job.py"),
        "--state",
        state,
        "--carried",
        carried,
        "--out",
        out,
    ]
    command += [
        "--workers",
        "1",
        "--part-bytes",
        "20000",
        "--trainer",
        "--eager --threads 1 --tell 0.1",
        *steps,
    ]
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=300)
    return json.loads((out / "report.json").read_text("utf-8"))


@pytest.mark.slow
def test_the_whole_job_from_a_clean_folder_broken_off_on_the_way(runs, tmp_path):
    packed = packing.pack(runs / "shards", tmp_path / "carried", 9000, workers=1, size=1000)
    packing.pack_base(runs, tmp_path / "carried")
    toml = runs / "toy.toml"
    first = job(
        tmp_path / "state",
        tmp_path / "carried",
        tmp_path / "out",
        "receive",
        f"hold:{toml}:0.03",
        f"send:{toml}",
    )
    assert len(first[0]["came"]) == len(packed)
    assert len(first[2]["parts"]) > 1
    # the machine is lost: another one gets the pieces and the parts that came back
    for part in (tmp_path / "out").glob("toy.part-*"):
        (tmp_path / "carried" / part.name).write_bytes(part.read_bytes())
    steps = ("receive", f"finish:{toml}:0.03", f"finish:{toml}:0.03", f"export:{toml}", f"send:{toml}")
    second = job(tmp_path / "other", tmp_path / "carried", tmp_path / "out2", *steps)
    assert "part-1-of" in second[1]["from"]
    assert "finished before" in second[2]["note"]
    assert second[1]["tokens"] > first[1]["tokens"]
    found = second[3]["bits_per_character"]
    for kind in ("F16", "Q8_0"):
        assert found[kind]["ud_ewt_web"] == pytest.approx(found["float32"]["ud_ewt_web"], rel=0.02)
    assert found["Q8_0"]["bytes"] < found["F16"]["bytes"]
    assert second[4]["checkpoint"].endswith("final.pt")
