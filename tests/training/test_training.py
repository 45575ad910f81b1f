"""The recipe behind the shipped weights: corpus form, training rows, counting, export to GGUF."""

import sys
from pathlib import Path

import numpy as np
import pytest
from ngram_reference import BOS, A, B, C, Reference

torch = pytest.importorskip("torch", reason="needs the train-lm extra")
sentencepiece = pytest.importorskip("sentencepiece", reason="needs the train-lm extra")
pytest.importorskip("gguf", reason="needs the train-lm extra")
pytest.importorskip("llama_cpp")

TRAINING = Path(__file__).parents[2] / "training" / "lm"
sys.path.insert(0, str(TRAINING))

import corpus  # noqa: E402
import export_gguf  # noqa: E402
import rows  # noqa: E402
import shards  # noqa: E402
import train_lm  # noqa: E402
import train_ngram  # noqa: E402
from canonical import canonical  # noqa: E402
from causal_attention import BLOCK, causal_attention  # noqa: E402
from model import Llama, Shape, n_parameters, read_config  # noqa: E402
from reading_gguf import Reader  # noqa: E402

N_VOCAB = 384
TINY = Shape(N_VOCAB, 64, 2, 2, 1, 96, 128, 10000.0, 1e-5)
PROSE = (
    "The road to the mill was long, and in winter it was longer. Nobody used it after dark.",
    "She counted 27 geese, wrote the number down, and closed the book without another word.",
    "A good map tells you where you are; a better one tells you where you cannot go.",
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("tokenizer") / "tokenizer"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(PROSE * 20), model_prefix=str(prefix), model_type="bpe", vocab_size=N_VOCAB,
        byte_fallback=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        split_digits=True, minloglevel=2,
    )  # fmt: skip
    return prefix.with_suffix(".model")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("\u201cYes\u201d, it\u2019s", '"Yes", it\'s'),
        ("well\u2014no", "well - no"),
        ("well -- no---yes", "well - no - yes"),
        ("1914\u201318", "1914-18"),
        ("wait\u2026\u00a0now", "wait... now"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("  two\n\n lines\t", "two lines"),
        ("cafe\u0301", "caf\u00e9"),
    ],
)
def test_a_text_becomes_one_plain_line(raw, expected):
    assert canonical(raw) == expected


def test_documents_with_passages_of_held_out_texts_are_dropped():
    secret = "the quick brown fox jumps over the lazy dog near the old stone bridge"
    forbidden = frozenset(corpus.grams(secret, stride=1))
    train = [["An introduction.", f"He wrote that {secret} again."], ["Something else entirely."]]
    whole = corpus.Source("enwiki2015", drop_document=True)
    assert list(corpus.cleaned(whole, train, forbidden)) == [["Something else entirely."]]
    part = corpus.Source("masc_nltk")
    assert list(corpus.cleaned(part, train, forbidden)) == [
        ["An introduction."],
        ["Something else entirely."],
    ]


def test_sentences_joined_by_a_space_give_the_paragraph_and_its_tokens_back(tokenizer):
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    paragraph = " ".join(PROSE)
    parts = shards.sentences(paragraph)
    assert len(parts) == 4
    assert " ".join(parts) == paragraph
    assert [i for part in parts for i in processor.encode(part)] == processor.encode(paragraph)


def test_rows_open_with_bos_and_start_where_a_sentence_starts(tmp_path):
    np.save(tmp_path / "one.tokens.npy", np.arange(100, 200, dtype=np.uint16))
    np.save(tmp_path / "one.starts.npy", np.array([1, 5, 12, 30, 31, 50, 97]))
    table = rows.Rows(tmp_path, length=10, seed=0, weights={"one": 1.0})
    # 1; the first start from 11 on: 12; from 22: 30; from 40: 50; from 60: 97, too near the end
    assert sorted(table.table[:, 1].tolist()) == [1, 12, 30, 50]
    inputs, targets = table.batch(0, 4)
    assert inputs.shape == targets.shape == (4, 10)
    assert set(inputs[:, 0]) == {1}
    np.testing.assert_array_equal(inputs[:, 1:], targets[:, :-1])
    assert sorted(targets[:, 0].tolist()) == [101, 112, 130, 150]


@pytest.mark.parametrize("least", [1, 2])
def test_counting_equals_the_reference_of_the_ngram_tests(least):
    texts = [[A, B, A, B], [A, C], [B], [A, B, C, A, B]]
    reference = Reference(texts, least)
    stream = np.array([token for text in texts for token in (BOS, *text)], dtype=np.int64)
    neighbours, bigrams, trigrams = train_ngram.count(stream, 5)
    assert neighbours.tolist() == [reference.neighbours[w] for w in range(5)]
    for order, grams in ((2, bigrams), (3, trigrams)):
        arrays = train_ngram.level(grams, least, 5)
        found = {}
        for key, n in zip(arrays["keys"].tolist(), arrays["counts"].tolist(), strict=True):
            digits = int(arrays["contexts"][key // 5])
            context = tuple(digits // 5**i % 5 for i in reversed(range(order - 1)))
            found[context, key % 5] = n
            assert arrays["totals"][key // 5] == reference.totals[order][context]
        assert found == reference.kept[order]


@pytest.mark.parametrize(("quantisation", "nats"), [("F16", 0.01), ("Q8_0", 0.1)])
def test_llama_cpp_reads_an_exported_model_as_pytorch_does(tmp_path, tokenizer, quantisation, nats):
    torch.manual_seed(0)
    model = Llama(TINY)
    for parameter in model.parameters():  # far from where training starts: norms and heads must matter
        parameter.data += 0.1 * torch.randn_like(parameter)
    config = {"name": "tiny", "model": vars(TINY)}
    torch.save({"config": config, "model": model.state_dict()}, tmp_path / "tiny.pt")
    export_gguf.export(tmp_path / "tiny.pt", tokenizer, tmp_path / "tiny.gguf", quantisation)
    processor = sentencepiece.SentencePieceProcessor(model_file=str(tokenizer))
    ids = processor.encode(PROSE[0])
    with Reader(tmp_path / "tiny.gguf") as reader:
        assert reader.tokenise(PROSE[0]) == ids
        got = reader.logprobs(ids)
    with torch.no_grad():
        expected = model(torch.tensor([[BOS, *ids[:-1]]]))[0].log_softmax(-1).numpy()
    np.testing.assert_allclose(got, expected, atol=nats, rtol=0)


@pytest.mark.parametrize("n_positions", [1, 5, BLOCK, BLOCK + 1, 3 * BLOCK])
def test_attention_in_blocks_and_its_gradients_equal_pytorchs_own(n_positions):
    generator = torch.Generator().manual_seed(n_positions)

    def drawn():
        return torch.randn(2, 3, n_positions, 16, dtype=torch.float64, generator=generator)

    ours = [drawn().requires_grad_() for _ in range(3)]
    reference = [t.detach().clone().requires_grad_() for t in ours]
    weights = drawn()
    results = (
        causal_attention(*ours),
        torch.nn.functional.scaled_dot_product_attention(*reference, is_causal=True),
    )
    for result in results:
        (result * weights).sum().backward()
    torch.testing.assert_close(results[0], results[1])
    for one, other in zip(ours, reference, strict=True):
        torch.testing.assert_close(one.grad, other.grad)


def test_the_learning_rate_warms_up_stays_and_falls_to_nearly_nothing():
    def factor(step, passed):
        return train_lm.rate_factor(step, passed, warm_up=100, decay_fraction=0.25)

    assert factor(49, 0.01) == pytest.approx(0.5)
    assert factor(1000, 0.4) == factor(1000, 0.74) == 1
    assert factor(1000, 0.875) == pytest.approx(0.5)
    assert factor(1000, 1.0) == pytest.approx(0.01)


@pytest.mark.parametrize(("name", "least", "most"), [("weak", 0.9e6, 1.5e6), ("strong", 3.5e6, 8e6)])
def test_every_config_makes_a_model_whose_rows_any_quantisation_takes(name, least, most):
    shape = Shape(**read_config(TRAINING / "configs" / f"{name}.toml")["model"])
    assert least < n_parameters(Llama(shape)) < most
    assert not any(width % 32 for width in (shape.d_model, shape.d_ff, shape.d_head))
