"""Fine-tuning with PyTorch on a toy model: it learns, goes on after a kill, and llama.cpp agrees with it."""

import random
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from llama_reference import LlamaReference

torch = pytest.importorskip("torch", reason="needs the extra finetune")
pytest.importorskip("peft", reason="needs the extra finetune")
pytest.importorskip("transformers", reason="needs the extra finetune")

import pandas as pd

from ghostbuster.cli import main
from ghostbuster.errors import InputError, ModelError, SettingError
from ghostbuster.finetuning.base_model import halves_apart, load_base, neighbours_again
from ghostbuster.finetuning.crops import Crop, inputs_of
from ghostbuster.finetuning.export import write_adapter
from ghostbuster.finetuning.finetune import TextTable, finetune
from ghostbuster.finetuning.settings import Settings
from ghostbuster.heads.adapter_head import adapter_probability, head_of
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.learned_texts import text_hashes
from ghostbuster.models.llama.adapter import AdapterLM
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.text.prepare import prepare
from training.data.make_gguf import Shape, make_gguf

pytestmark = pytest.mark.filterwarnings(
    "ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning"
)

TOLERANCE = 0.02
"""Log-odds: the file holds halves of 16 bits, llama.cpp keeps keys and values so."""
QUICK = Settings(
    rank=4,
    learning_rate=0.01,
    epochs=3,
    min_tokens=16,
    max_tokens=48,
    batch_tokens=512,
    n_start=32,
    checks=4,
    precision="f32",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_gguf(
        tmp_path_factory.mktemp("base") / "base.gguf", Shape(layers=3, context=512, quantisation="F32")
    )


def worded(words, n):
    """Texts that draw their words from a list: the toy model, which never learned, can tell lists apart."""
    rng = random.Random(words)
    return [" ".join(rng.choices(words.split(), k=60)).capitalize() + "." for _ in range(n)]


@pytest.fixture(scope="module")
def table():
    texts = worded("the of to and in that was his it he", 30) + worded(
        "for with as had you not be her on", 30
    )
    sources = ["abcde"[i % 5] for i in range(60)]
    return TextTable(texts, np.repeat([0, 1], 30), sources, [str(i) for i in range(60)])


@pytest.fixture(scope="module", params=["mean", "answers"])
def made(request, base, table, tmp_path_factory):
    place = tmp_path_factory.mktemp("run") / "run.checkpoint"
    return finetune(table, base, replace(QUICK, reads=request.param), place, device="cpu")


def odds_in_torch(made, ids):
    """Log-odds of one text by the trained network."""
    crops = [Crop(0, 0, ids.size)]
    tokens = type("One", (), {"ids": [ids]})
    read, counted = inputs_of(tokens, crops, made.base.begin, made.network.suffix)
    with torch.no_grad():
        return float(made.network.log_odds(made.network.means(read, counted))[0])


def test_llama_cpp_agrees_with_pytorch(made, base, table, tmp_path):
    file = write_adapter(made, tmp_path / "adapter.gguf")
    adapter = AdapterLM(LlamaLM(base, "base"), file)
    texts = [prepare(text).text for text in table.texts[::7]]
    tokens = adapter.weights.tokenise(texts)
    found = head_of(adapter).raw_score(adapter.score(tokens).states)
    expected = [
        odds_in_torch(made, tokens.ids[a:b]) for a, b in zip(tokens.offsets, tokens.offsets[1:], strict=False)
    ]
    assert np.std(expected) > 10 * TOLERANCE
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert file.rank == 4
    assert np.isin(file.learned, text_hashes(texts + [prepare(t).text for t in table.texts])).all()


def test_it_learns_and_keeps_the_best_of_its_checks(made):
    assert made.checks[0].step == 0
    best = max(check.auroc for check in made.checks)
    assert best > 0.9
    assert made.n_learned + made.n_held_out + made.n_short == 60


def test_the_base_model_in_pytorch_is_that_of_the_file(base):
    network = load_base(check_model(base), "f32")
    ids = [1, 40, 41, 42, 300, 7]
    with torch.no_grad():
        read = network(input_ids=torch.tensor([ids]), output_hidden_states=True)
    states, logits = LlamaReference(base).outputs(ids)
    np.testing.assert_allclose(read.logits[0], logits, atol=1e-4)
    np.testing.assert_allclose(read.hidden_states[1][0], states[0], atol=1e-5)


def test_rows_of_heads_go_apart_and_come_back():
    weights = np.arange(24.0).reshape(8, 3)
    apart = halves_apart(weights, 2)
    assert apart[:, 0].tolist() == [
        0,
        6,
        3,
        9,
        12,
        18,
        15,
        21,
    ]  # pairs (0, 1) and (2, 3) of a head: evens first
    np.testing.assert_array_equal(neighbours_again(apart, 2), weights)


def test_a_run_that_was_broken_off_ends_like_one_that_was_not(base, table, tmp_path):
    whole = finetune(table, base, QUICK, tmp_path / "whole", device="cpu")

    class Killed(Exception):  # noqa: N818
        pass

    def stop(now):
        if now.step == 5:
            raise Killed

    with pytest.raises(Killed):
        finetune(table, base, QUICK, tmp_path / "broken", device="cpu", report=stop)
    seen = []
    again = finetune(
        table, base, QUICK, tmp_path / "broken", device="cpu", report=lambda now: seen.append(now.step)
    )
    assert 1 < seen[0] <= 6  # from its last checkpoint on
    assert again.checks == whole.checks
    for name, value in whole.network.trained.items():
        assert torch.equal(value, again.network.trained[name]), name


def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(base, table, tmp_path):
    place = tmp_path / "run"
    short = replace(QUICK, epochs=0.3, checks=1)
    finetune(table, base, short, place, device="cpu")
    with pytest.raises(SettingError, match="the checkpoint of another run"):
        finetune(table, base, replace(short, seed=1), place, device="cpu")
    place.write_bytes(place.read_bytes()[:500])
    with pytest.raises(SettingError, match="no checkpoint that can be read"):
        finetune(table, base, short, place, device="cpu")


def test_a_new_start_that_cannot_begin_leaves_the_checkpoint(base, table, tmp_path):
    (tmp_path / "run").write_bytes(b"hours of work")
    for model, options in ((tmp_path / "none.gguf", {}), (base, {"hold_out": ["nobody"]})):
        with pytest.raises((ModelError, SettingError)):
            finetune(table, model, QUICK, tmp_path / "run", device="cpu", start="anew", **options)
    assert (tmp_path / "run").read_bytes() == b"hours of work"
    untold = TextTable(table.texts, table.y)
    with pytest.raises(SettingError, match="no text has a source: give --source-column"):
        finetune(untold, base, QUICK, tmp_path / "run", device="cpu", hold_out=["a"])


def test_too_few_texts_and_models_of_other_kinds_are_refused(base, table, tmp_path):
    few = TextTable(table.texts[:10], table.y[:10])
    with pytest.raises(InputError, match="10 human and 0 machine texts of 16 tokens or more"):
        finetune(few, base, QUICK, tmp_path / "run", device="cpu")
    with pytest.raises(ModelError, match="no such file"):
        finetune(table, tmp_path / "none.gguf", QUICK, tmp_path / "run", device="cpu")
    with pytest.raises(SettingError, match="device 'tpu'; expected cpu or cuda"):
        finetune(table, base, QUICK, tmp_path / "run", device="tpu")


ARGUMENTS = [
    *("--rank", "4", "--learning-rate", "0.01", "--epochs", "3", "--precision", "f32", "--device", "cpu"),
    *("--min-tokens", "16", "--max-tokens", "48", "--batch-tokens", "512"),
    *("--source-column", "source", "--group-column", "group"),
]


@pytest.fixture
def csv(table, tmp_path):
    frame = pd.DataFrame(
        {"text": table.texts, "label": table.y, "source": table.sources, "group": table.groups}
    )
    frame.to_csv(tmp_path / "table.csv", index=False)
    return tmp_path / "table.csv"


def test_a_killed_command_goes_on_and_the_adapter_teaches(base, csv, table, tmp_path, capfd):
    out = tmp_path / "mine.gguf"
    command = ["finetune", str(csv), "-o", str(out), "--base", str(base), *ARGUMENTS]
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "ghostbuster", *command])
    checkpoint = tmp_path / "mine.gguf.checkpoint"
    while not checkpoint.exists() and process.poll() is None:
        time.sleep(0.02)
    process.kill()
    process.wait()
    if process.returncode != 0:  # it was not done already
        assert not out.exists()
        assert main([*command, "-q"]) == 0
    assert out.exists()
    assert not checkpoint.exists()
    assert capfd.readouterr().out == ""
    adapter = AdapterLM(LlamaLM(base, "base"), write_check(out))
    said = adapter_probability(adapter, table.texts)
    assert said[table.y == 1].mean() > said[table.y == 0].mean()
    student = tmp_path / "student.joblib"
    options = ["--base", str(base), "--space", "zeroshot", "--max-features", "2", "--min-tokens", "20", "-q"]
    assert main(["distill", str(out), str(csv), "-o", str(student), *options]) == 0
    assert student.exists()


def write_check(path):
    from ghostbuster.models.gguf.adapter import check_adapter

    return check_adapter(path)
