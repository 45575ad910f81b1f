"""llama.cpp reads the shipped GGUF files as PyTorch read the weights they were exported from.

The golden file was recorded by ``training/lm/make_golden.py``: SentencePiece's tokens and PyTorch's
float32 figures. F16 rounds each weight to 11 bits; the largest difference measured on a token was
0.004 nats. Other builds of llama.cpp sum in another order: 0.02 nats are allowed.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from reading_gguf import Reader

import ghostbuster
from ghostbuster.models.ngram.model import NgramModel

WEIGHTS = Path(ghostbuster.__file__).parent / "models" / "weights"
GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "golden.json").read_text(encoding="utf-8"))
MODELS = ("embedded-weak", "embedded-strong")
F16_NATS = 0.02


@pytest.fixture(scope="module", params=MODELS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def reader(name):
    with Reader(WEIGHTS / f"{name}.gguf") as opened:
        yield opened


@pytest.fixture(params=GOLDEN, ids=lambda record: record["text"][:12])
def record(request):
    return request.param


def test_the_gguf_cuts_text_as_sentencepiece_does(reader, record):
    assert reader.tokenise(record["text"]) == record["ids"]


def test_the_ggufs_logprobs_equal_pytorchs(reader, name, record):
    ids = record["ids"]
    got = reader.logprobs(ids)[np.arange(len(ids)), ids]
    np.testing.assert_allclose(got, record["models"][name]["logprob"], atol=F16_NATS, rtol=0)


def test_the_ggufs_entropies_equal_pytorchs(reader, name, record):
    every = reader.logprobs(record["ids"])
    got = -(np.exp(every) * every).sum(axis=1)
    np.testing.assert_allclose(got, record["models"][name]["entropy"], atol=F16_NATS, rtol=0)


def test_the_ggufs_ranks_equal_pytorchs_but_for_near_ties(reader, name, record):
    ids = record["ids"]
    every = reader.logprobs(ids)
    own = every[np.arange(len(ids)), ids][:, None]
    surely_above = (every > own + 2 * F16_NATS).sum(axis=1)
    perhaps_above = (every > own - 2 * F16_NATS).sum(axis=1)
    rank = np.array(record["models"][name]["rank"])
    assert (surely_above < rank).all()
    assert (rank <= perhaps_above).all()


def test_the_strong_model_finds_prose_likelier_than_the_weak_one():
    austen = GOLDEN[0]["models"]
    assert sum(austen["embedded-strong"]["logprob"]) > sum(austen["embedded-weak"]["logprob"])


@pytest.mark.parametrize("history", [[], [300], [1000, 2000], GOLDEN[0]["ids"][:40]])
def test_the_shipped_ngrams_sum_to_one(history):
    ngrams = NgramModel.load(WEIGHTS / "embedded-ngram")
    n = ngrams.shape.n_vocab
    ids = np.concatenate([[*history, last] for last in range(n)]).astype(np.int32)
    offsets = np.arange(n + 1) * (len(history) + 1)
    for order in (1, 3):
        got = ngrams.logprob(ids, offsets, order=order)[offsets[1:] - 1].astype(np.float64)
        assert np.exp(got).sum() == pytest.approx(1, abs=1e-5)


def test_the_shipped_trigram_reads_prose_better_than_the_unigram():
    ngrams = NgramModel.load(WEIGHTS / "embedded-ngram")
    ids = np.array(GOLDEN[0]["ids"], dtype=np.int32)
    offsets = np.array([0, len(ids)])
    assert ngrams.logprob(ids, offsets, order=3).mean() > ngrams.logprob(ids, offsets, order=1).mean() + 1
