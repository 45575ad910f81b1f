"""A shipped GGUF file taken up again as checkpoint and tokenizer."""

import json
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs the train-lm extra")
sentencepiece = pytest.importorskip("sentencepiece", reason="needs the train-lm extra")
pytest.importorskip("google.protobuf", reason="needs the train-lm extra")
pytest.importorskip("gguf", reason="needs the train-lm extra")

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "training" / "lm"))

import checkpoints  # noqa: E402
from export_gguf import export  # noqa: E402
from from_gguf import take_up  # noqa: E402
from train_lm import Progress  # noqa: E402

WEIGHTS = ROOT / "ghostbuster" / "models" / "weights"
WEAK = WEIGHTS / "embedded-weak.gguf"
CONFIGS = ROOT / "training" / "lm" / "configs"
GOLDEN = json.loads((ROOT / "tests" / "data" / "golden.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    take_up(WEAK, CONFIGS / "weak.toml", runs, 23_000_000)
    return runs


def test_its_tokenizer_cuts_text_as_the_one_it_was_trained_with(runs):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(runs / "tokenizer" / "tokenizer.model"))
    for record in GOLDEN:
        assert processor.encode(record["text"]) == record["ids"]


def test_its_checkpoint_exports_to_the_same_file_and_resumes(runs, tmp_path):
    checkpoint = runs / "embedded-weak" / "shipped.pt"
    export(checkpoint, runs / "tokenizer" / "tokenizer.model", tmp_path / "again.gguf", "F16")
    assert (tmp_path / "again.gguf").read_bytes() == WEAK.read_bytes()
    assert Progress(**checkpoints.load(checkpoint)["progress"]).tokens == 23_000_000


@pytest.mark.parametrize(
    ("file", "config"),
    [("weak", "strong"), ("strong", "weak")],  # too few layers, and too many
)
def test_another_models_configuration_is_refused(file, config, tmp_path):
    with pytest.raises(SystemExit, match=rf"embedded-{file}\.gguf: .*are not as in .*{config}\.toml"):
        take_up(WEIGHTS / f"embedded-{file}.gguf", CONFIGS / f"{config}.toml", tmp_path, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_tokenizer_of_another_vocabulary_is_kept(runs, tmp_path):
    prefix = tmp_path / "tokenizer" / "tokenizer"
    prefix.parent.mkdir()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["one two three four five six"] * 20), model_prefix=str(prefix),
        model_type="bpe", vocab_size=300, byte_fallback=True, minloglevel=2,
    )  # fmt: skip
    kept = prefix.with_suffix(".model").read_bytes()
    with pytest.raises(SystemExit, match=r"tokenizer\.model has another vocabulary than the GGUF file"):
        take_up(WEAK, CONFIGS / "weak.toml", tmp_path, 0)
    assert prefix.with_suffix(".model").read_bytes() == kept
    take_up(WEAK, CONFIGS / "weak.toml", runs, 0)  # of the same one
