"""N-gram probabilities against hand calculation, a plain re-implementation, and their own laws."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ngram_reference import BOS, N_VOCAB, A, B, C, Reference

from ghostbuster.errors import InputError, ModelError, SettingError
from ghostbuster.models.ngram.model import NgramModel

TOLERANCE = 1e-6  # float32 log-probs


def store(folder, texts, least=1, n_vocab=N_VOCAB):
    """Write a model of the texts, counted by the reference."""
    reference = Reference(texts, least, n_vocab)
    neighbours = [reference.neighbours[w] for w in range(n_vocab)]
    np.save(folder / "unigram.npy", np.array(neighbours, dtype=np.uint16))
    for order, name in ((2, "bigram"), (3, "trigram")):
        contexts = {h for h, _ in reference.kept[order]}
        digits = {h: sum(t * n_vocab**i for i, t in enumerate(reversed(h))) for h in contexts}
        rows = {h: i for i, h in enumerate(sorted(digits, key=digits.get))}
        grams = sorted((rows[h] * n_vocab + w, c) for (h, w), c in reference.kept[order].items())
        arrays = {
            "contexts": sorted(digits.values()),
            "totals": [reference.totals[order][h] for h in rows],
            "keys": [key for key, _ in grams],
            "counts": [count for _, count in grams],
        }
        for part, values in arrays.items():
            np.save(folder / f"{name}-{part}.npy", np.array(values, dtype=np.uint32))
    meta = {"schema": 1, "tokenizer": "ab" * 32, "n_vocab": n_vocab, "bos": BOS, "discount": 0.9}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


def flat(texts):
    offsets = np.cumsum([0, *map(len, texts)])
    return np.array([t for text in texts for t in text], dtype=np.int32), offsets


@pytest.fixture
def tiny(tmp_path):
    return NgramModel.load(store(tmp_path, [[A, B, A, B], [A, C]]))


def test_unigram_is_the_share_of_distinct_left_neighbours(tiny):
    # bigrams, each text behind a BOS: BOS-A (twice), A-B (twice), B-A, A-C: 4 kinds.
    # left neighbours: A has BOS and B: 2; B has A: 1; C has A: 1. Sum 4.
    # ids 0 and 1 have none: 1/5 each. Raw sum: 1 + 2/5 = 1.4.
    got = np.exp(tiny.logprob(np.array([A, B, C, 0], dtype=np.int32), np.array([0, 4]), order=1))
    np.testing.assert_allclose(got, [0.5 / 1.4, 0.25 / 1.4, 0.25 / 1.4, 0.2 / 1.4], rtol=1e-6)


def test_trigram_interpolates_down_to_the_unigram(tiny):
    # P1(C) = 0.25 / 1.4 = 0.178571
    # P2(C|A): c(A,B)=2, c(A,C)=1, total 3, 2 kinds: 0.1/3 + 0.9*2/3 * 0.178571 = 0.140476
    # P3(C|BOS,A): A-B once, A-C once, total 2, 2 kinds: 0.1/2 + 0.9*2/2 * 0.140476 = 0.176429
    # P1(A) = 0.5/1.4 = 0.357143; P2(A|BOS): c=2, total 2, 1 kind: 1.1/2 + 0.45 * 0.357143 = 0.710714
    # P3(A|BOS,BOS): c=2, total 2, 1 kind: 1.1/2 + 0.45 * 0.710714 = 0.869821
    got = np.exp(tiny.logprob(np.array([A, C], dtype=np.int32), np.array([0, 2])))
    np.testing.assert_allclose(got, [0.869821, 0.176429], rtol=1e-5)


def test_an_unseen_context_gives_the_lower_order(tiny):
    # nothing ever followed C: P3(B|A,C) = P2(B|C) = P1(B) = 0.25/1.4
    got = np.exp(tiny.logprob(np.array([A, C, B], dtype=np.int32), np.array([0, 3])))
    assert got[2] == pytest.approx(0.25 / 1.4, rel=1e-6)


def test_a_pruned_ngram_leaves_its_whole_share_to_the_lower_order(tmp_path):
    # kept, at least 2 times: (BOS,BOS)-A, BOS-A, A-B. Forgotten: A-C, B-A and all other trigrams.
    # P2(C|A): total still 3: 0 + (1 - 1.1/3) * 0.178571 = 0.113095; no trigram context (BOS, A): P3 = P2.
    model = NgramModel.load(store(tmp_path, [[A, B, A, B], [A, C]], least=2))
    got = np.exp(model.logprob(np.array([A, C], dtype=np.int32), np.array([0, 2])))
    assert got[1] == pytest.approx(0.113095, rel=1e-5)


TOKENS = st.lists(st.sampled_from([0, A, B, C]), max_size=12)
CORPORA = st.lists(TOKENS.filter(bool), min_size=1, max_size=6)


@given(corpus=CORPORA, history=TOKENS, least=st.integers(1, 3))
def test_probabilities_after_any_history_sum_to_one(tmp_path_factory, corpus, history, least):
    model = NgramModel.load(store(tmp_path_factory.mktemp("sum"), corpus, least))
    for order in (1, 3):
        ids, offsets = flat([[*history, w] for w in range(N_VOCAB)])
        last = model.logprob(ids, offsets, order=order)[offsets[1:] - 1]
        assert np.exp(last.astype(np.float64)).sum() == pytest.approx(1, abs=TOLERANCE)


@given(corpus=CORPORA, texts=st.lists(TOKENS, max_size=5), least=st.integers(1, 3))
def test_a_batch_equals_a_plain_python_reference(tmp_path_factory, corpus, texts, least):
    model = NgramModel.load(store(tmp_path_factory.mktemp("plain"), corpus, least))
    reference = Reference(corpus, least)
    ids, offsets = flat(texts)
    for order in (1, 3):
        expected = np.array(reference.logprobs(texts, order), dtype=np.float64)
        np.testing.assert_allclose(model.logprob(ids, offsets, order=order), expected, rtol=2e-5, atol=1e-6)


@given(texts=st.lists(TOKENS, max_size=5))
def test_a_batch_equals_each_text_alone(tmp_path_factory, texts):
    model = NgramModel.load(store(tmp_path_factory.mktemp("alone"), [[A, B, A, B], [A, C]]))
    batch = model.logprob(*flat(texts))
    alone = [model.logprob(*flat([text])) for text in texts]
    np.testing.assert_array_equal(batch, np.concatenate([batch[:0], *alone]))


def test_logprobs_are_float32_and_no_text_is_no_number(tiny):
    got = tiny.logprob(np.array([], dtype=np.int32), np.array([0]))
    assert got.dtype == np.float32
    assert got.shape == (0,)


def test_the_digest_of_the_vocabulary_is_the_tokenizer(tiny):
    assert tiny.tokenizer == "ab" * 32


def test_an_order_other_than_one_or_three_is_refused(tiny):
    with pytest.raises(SettingError, match="order 2: expected 1"):
        tiny.logprob(np.array([A], dtype=np.int32), np.array([0, 1]), order=2)


@pytest.mark.parametrize("bad", [-1, N_VOCAB])
def test_an_id_outside_the_vocabulary_is_refused(tiny, bad):
    with pytest.raises(InputError, match=f"token 1 has id {bad}; this vocabulary ends at 4"):
        tiny.logprob(np.array([A, bad], dtype=np.int32), np.array([0, 2]))


@pytest.mark.parametrize("offsets", [[0, 1], [1, 2], [0, 2, 1, 2], [0, 3]])
def test_offsets_that_do_not_cover_the_ids_are_refused(tiny, offsets):
    with pytest.raises(InputError, match="offsets must rise from 0 to the number of tokens, 2"):
        tiny.logprob(np.array([A, B], dtype=np.int32), np.array(offsets))


def test_ids_that_are_not_flat_are_refused(tiny):
    with pytest.raises(InputError, match="must be flat"):
        tiny.logprob(np.array([[A]], dtype=np.int32), np.array([0, 1]))


def test_a_folder_without_a_model_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"meta\.json cannot be read"):
        NgramModel.load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 9}, "has schema 9; this version reads 1"),
        ({"n_vocab": None}, "expected schema, tokenizer"),
        ({"discount": 1.5}, "0 < discount < 1"),
        ({"n_vocab": 7}, "expected counts of 7 pieces"),
    ],
)
def test_a_damaged_description_is_refused(tmp_path, change, message):
    path = store(tmp_path, [[A, B]]) / "meta.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=message):
        NgramModel.load(tmp_path)


def damage_cut(path: Path):
    path.write_bytes(path.read_bytes()[:20])


def damage_kind(path: Path):
    np.save(path, np.array([0.5]))


def damage_order(path: Path):
    np.save(path, np.load(path)[::-1])


def damage_length(path: Path):
    np.save(path, np.load(path)[:-1])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_cut, "expected a NumPy array"),
        (damage_kind, "flat array of unsigned integers"),
        (damage_order, "expected sorted keys"),
        (damage_length, "as many as counts"),
        (Path.unlink, "cannot be read"),
    ],
)
def test_a_damaged_array_is_refused(tmp_path, damage, message):
    damage(store(tmp_path, [[A, B, A, B], [A, C]]) / "trigram-keys.npy")
    with pytest.raises(ModelError, match=message):
        NgramModel.load(tmp_path)


def test_keys_of_no_context_are_refused(tmp_path):
    path = store(tmp_path, [[A, B, A, B], [A, C]]) / "bigram-keys.npy"
    keys = np.load(path)
    np.save(path, np.append(keys[:-1], np.uint32(N_VOCAB * 99)))
    with pytest.raises(ModelError, match="keys of contexts that are there"):
        NgramModel.load(tmp_path)
