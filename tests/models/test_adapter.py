"""Adapters under llama.cpp: against merged weights in numpy, and files that are refused before they load."""

import copy
import shutil

import numpy as np
import pytest
from adapter_files import KEY, facts, random_updates, write_adapter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llama_reference import LlamaReference

from ghostbuster.errors import ModelError
from ghostbuster.hidden_states import BLOCK_TOKENS
from ghostbuster.models.gguf.adapter import check_adapter, check_fits
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.llama.adapter import AdapterLM
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.sandbox import load_check
from training.data.make_gguf import Shape, make_gguf

SHAPE = Shape(layers=3, context=512, quantisation="F32")
TEXTS = (
    "The letter that she had written was not for him, but it was on the table.",
    "a",
    "",
    "naïve café, “quoted” and two words",
    "Nobody had seen the river so high since the winter of the flood. " * 12,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_gguf(tmp_path_factory.mktemp("base") / "base.gguf", SHAPE)


@pytest.fixture(scope="module")
def base(path):
    return LlamaLM(path, "strong")


@pytest.fixture(scope="module")
def reference(path):
    return LlamaReference(path)


@pytest.fixture(scope="module")
def width(reference):
    return reference.tensors["token_embd.weight"].shape[1]


@pytest.fixture(scope="module")
def good(path, width):
    return facts(check_model(path), width, digest=file_digest(path))


@pytest.fixture(scope="module")
def updates(reference):
    return random_updates(reference)


@pytest.fixture(scope="module")
def adapter(tmp_path_factory, good, updates):
    return write_adapter(tmp_path_factory.mktemp("adapter") / "adapter.gguf", good, updates)


def merged(reference, updates, alpha=8.0):
    """The reference with its weights changed: W + alpha / rank * B A."""
    made = copy.copy(reference)
    made.tensors = dict(reference.tensors)
    for name in {one[: -len(".lora_a")] for one in updates}:
        a, b = (updates[f"{name}.lora_{half}"].astype(np.float64) for half in "ab")
        made.tensors[name] = made.tensors[name] + alpha / len(a) * b @ a
    return made


def test_states_under_an_adapter_are_those_of_merged_weights(base, adapter, reference, updates):
    changed = merged(reference, updates)
    tokens = base.weights.tokenise(TEXTS)
    scores = AdapterLM(base, check_adapter(adapter)).score(tokens)
    assert dict(scores.channels) == {}
    states = scores.states
    assert states.layers.tolist() == states.block_layers.tolist() == [1]
    for i in range(len(TEXTS)):
        ids = tokens.ids[tokens.offsets[i] : tokens.offsets[i + 1]]
        if ids.size < 2:
            assert not states.means[i].any()
            continue
        expected = changed.outputs([1, *ids[:-1]])[0][1, 1:]
        plain = reference.outputs([1, *ids[:-1]])[0][1, 1:]
        assert np.abs(expected - plain).max() > 0.05  # the adapter does something
        np.testing.assert_allclose(states.means[i, 0], expected.mean(axis=0), atol=4e-3)
        blocks = states.blocks[states.offsets[i] : states.offsets[i + 1], 0]
        for k, block in enumerate(blocks):
            part = expected[k * BLOCK_TOKENS : (k + 1) * BLOCK_TOKENS]
            np.testing.assert_allclose(block, part.mean(axis=0), atol=4e-3)


def test_the_base_model_is_read_as_before_once_an_adapter_was_loaded(base, adapter):
    before = base.score(TEXTS)
    AdapterLM(base, check_adapter(adapter)).score(base.weights.tokenise(TEXTS))
    after = base.score(TEXTS)
    for name in before.channels:
        np.testing.assert_array_equal(before.channels[name], after.channels[name])


def test_answers_are_the_odds_of_two_tokens_after_the_question(base, good, reference, tmp_path):
    every = random_updates(reference, n_layers=3, seed=5)
    suffix, answers = [30, 31, 32], [40, 41]
    changed = {KEY + "reads": "answers", KEY + "layers": 3, KEY + "head": [1.0]}
    asked = good | changed | {KEY + "suffix": suffix, KEY + "answers": answers}
    file = check_adapter(write_adapter(tmp_path / "answers.gguf", asked, every))
    tokens = base.weights.tokenise(TEXTS)
    states = AdapterLM(base, file).score(tokens).states
    changed = merged(reference, every)
    for i in (0, 3):
        ids = tokens.ids[tokens.offsets[i] : tokens.offsets[i + 1]]
        logits = changed.outputs([1, *ids, *suffix])[1][-1]
        assert states.means[i, 0, 0] == pytest.approx(logits[41] - logits[40], abs=0.02)
    assert states.means[2, 0, 0] == 0  # nothing was asked of no text
    lengths = np.diff(tokens.offsets)
    np.testing.assert_array_equal(np.diff(states.offsets), -(-lengths // BLOCK_TOKENS))
    assert states.counts.sum() == tokens.ids.size


def test_what_a_file_says_is_what_is_checked(adapter, good, path, width):
    file = check_adapter(adapter)
    assert (file.reads, file.n_layers, file.rank) == ("mean", 2, 4)
    assert file.base == file_digest(path)
    assert file.baseline == 0.25
    np.testing.assert_array_equal(file.coef, np.float32(good[KEY + "head"]))
    assert file.learned.tolist() == [3, 17, 1 << 63]
    assert file.shapes["blk.0.attn_q.weight"] == (width, width)
    check_fits(file, check_model(path), file_digest(path))


BAD_FACTS = [
    ({"general.type": "model"}, "general.type .*expected adapter"),
    ({"adapter.type": "control_vector"}, "adapter.type .*expected lora"),
    ({"adapter.lora.alpha": float("nan")}, "adapter.lora.alpha nan"),
    ({"adapter.lora.alpha": None}, "adapter.lora.alpha missing"),
    ({"adapter.alora.invocation_tokens": [1, 2]}, "switched on by tokens"),
    ({KEY + "version": 2}, "layout 2; expected layout 1"),
    ({KEY + "reads": "median"}, "expected mean or answers"),
    ({KEY + "layers": 0}, "layers 0; expected a whole number from 1"),
    ({KEY + "layers": 1}, "expected updates of layers 0 to 0"),
    ({KEY + "base": "0" * 63}, "64 hexadecimal digits"),
    ({KEY + "head": None}, "head missing"),
    ({KEY + "head": [float("inf")]}, "numbers up to 10000"),
    ({KEY + "head": [1, 2]}, "expected a list of float"),
    ({KEY + "baseline": float("nan")}, "baseline nan"),
    ({KEY + "learned": [2, 1]}, "hashes that rise"),
    ({KEY + "training": 3}, "training 3; expected text"),
    ({KEY + "answers": [1, 2]}, "a head that does not fit what it reads"),
    ({KEY + "reads": "answers"}, "a head that does not fit what it reads"),
    ({KEY + "reads": "answers", KEY + "head": [1.0], KEY + "answers": [4, 4]}, "does not fit what it reads"),
]


@pytest.mark.parametrize(("changed", "message"), BAD_FACTS, ids=[message for _, message in BAD_FACTS])
def test_metadata_that_no_training_makes_are_refused(good, updates, tmp_path, changed, message):
    file = write_adapter(tmp_path / "a.gguf", good | changed, updates)
    with pytest.raises(ModelError, match=message):
        check_adapter(file)


A, B = "blk.0.attn_q.weight.lora_a", "blk.0.attn_q.weight.lora_b"
BAD_TENSORS = [
    (lambda made: made | {A: made[A] * np.nan}, "not finite or huge"),
    (lambda made: made | {B: np.full_like(made[B], 1e30)}, "not finite or huge"),
    (lambda made: {name: made[name] for name in made if name != A}, "half an update of blk.0.attn_q.weight"),
    (lambda made: made | {A: made[A][:3]}, "expected one rank"),
    (lambda made: made | {A: made[A][:3], B: made[B][:, :3].copy()}, r"ranks \[3, 4\]"),
    (lambda made: made | {A: made[A].astype(np.float64)}, "unknown type|F16 or F32"),
    (lambda made: made | {A: made[A].ravel()}, "F16 or F32 matrices"),
    (lambda made: made | {"blk.7.attn_q.weight.lora_a": made[A]}, "expected updates of layers 0 to 1"),
    (lambda made: made | {"output.weight.lora_a": made[A]}, "expected updates of layers"),
    (lambda made: made | {"token_embd.weight": made[A]}, "expected updates of layers"),
    (lambda made: {name: np.repeat(v, 80, int(name[-1] == "b")) for name, v in made.items()}, "ranks .320."),
]


@pytest.mark.parametrize(("change", "message"), BAD_TENSORS, ids=[message for _, message in BAD_TENSORS])
def test_tensors_that_no_training_makes_are_refused(good, updates, tmp_path, change, message):
    file = write_adapter(tmp_path / "a.gguf", good, change(updates))
    with pytest.raises(ModelError, match=message):
        check_adapter(file)


def test_an_adapter_of_another_model_is_refused(adapter, good, updates, path, width, tmp_path):
    model, digest = check_model(path), file_digest(path)
    with pytest.raises(ModelError, match="an adapter of the model with SHA-256"):
        check_fits(check_adapter(adapter), model, "f" * 64)
    narrow = {
        name: values[:, :-1].copy() if name.endswith("a") else values for name, values in updates.items()
    }
    for tensors, changed, message in (
        (narrow, {}, "an update of blk"),
        (updates, {KEY + "head": [0.5] * (width + 1)}, "a head that does not fit its model"),
        (updates, {KEY + "layers": 3}, "a head that does not fit its model"),
        (updates, {KEY + "tokenizer": "a" * 64}, "another architecture or vocabulary"),
    ):
        file = check_adapter(write_adapter(tmp_path / "b.gguf", good | changed, tensors))
        with pytest.raises(ModelError, match=message):
            check_fits(file, model, digest)


def test_a_file_cut_anywhere_is_refused(adapter, tmp_path):
    data = adapter.read_bytes()
    for n in [3, 20, 200, 1000, len(data) // 2, len(data) - 1]:
        cut = tmp_path / f"{n}.gguf"
        cut.write_bytes(data[:n])
        with pytest.raises(ModelError):
            check_adapter(cut)


@given(st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_any_bytes_changed_are_refused_in_words_or_leave_an_adapter_of_finite_numbers(
    adapter, tmp_path, changes
):
    data = bytearray(adapter.read_bytes())
    n_facts = data.find(b"general.type") + 6000  # metadata and the tensor table are what a parser trips over
    for place, byte in changes:
        data[int(place * min(n_facts, len(data)))] = byte
    changed = tmp_path / "changed.gguf"
    changed.write_bytes(data)
    try:
        file = check_adapter(changed)
    except ModelError as error:
        assert "changed.gguf" in str(error)  # noqa: PT017
    else:
        assert np.isfinite(file.coef).all()
        assert np.isfinite(file.baseline)
        assert 0 < file.rank <= 256


def test_an_adapter_is_read_in_a_child_process_first(base, adapter, monkeypatch, tmp_path):
    mine = shutil.copy(adapter, tmp_path / "mine.gguf")
    with open(mine, "ab") as file:  # noqa: PTH123 - another digest: it was never tried
        file.write(b"\0" * 32)
    asked = []
    real = load_check.run_child
    monkeypatch.setattr(load_check, "run_child", lambda *given: asked.append(given[0]) or real(*given))
    AdapterLM(base, check_adapter(mine))
    assert asked
    assert asked[0][-1].endswith("mine.gguf")
    AdapterLM(base, check_adapter(mine))
    assert len(asked) == 1
    monkeypatch.setattr(load_check, "run_child", lambda *_: -11)
    with open(mine, "ab") as file:  # noqa: PTH123
        file.write(b"\0" * 32)
    with pytest.raises(ModelError, match=r"mine.gguf: a child process that read it ended with SIGSEGV"):
        AdapterLM(base, check_adapter(mine))
