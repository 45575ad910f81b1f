"""Hidden states from the one pass: against the architecture in numpy, and what must not move them."""

import pickle

import numpy as np
import pytest
from llama_reference import LlamaReference
from scipy.special import log_softmax

from ghostbuster.errors import InputError, ModelError, SettingError
from ghostbuster.hidden_states import BLOCK_TOKENS, HiddenStates
from ghostbuster.models.llama import language_model, layer_outputs
from ghostbuster.models.llama.language_model import LlamaLM, score_together
from ghostbuster.models.llama.outputs import Outputs
from ghostbuster.models.panel import open_panel
from ghostbuster.models.panels import PANELS
from ghostbuster.reading.cache import cached_scores, panel_key, remember_scores
from training.data.make_gguf import Shape, make_gguf

SHAPE = Shape(layers=3, context=512, quantisation="F32")
ALL = Outputs(extra_channels=True, state_layers=(0, 1, 2), block_layers=(0, 1, 2))
TEXTS = (
    "The letter that she had written was not for him, but it was on the table.",
    "a",
    "",
    "naïve café, “quoted” and two words",
    "Nobody had seen the river so high since the winter of the flood. " * 4,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return make_gguf(tmp_path_factory.mktemp("states") / "states.gguf", SHAPE)


@pytest.fixture(scope="module")
def model(path):
    return LlamaLM(path, "strong", outputs=ALL)


@pytest.fixture(scope="module")
def reference(path):
    return LlamaReference(path)


def assert_same(found, expected):
    for name in ("layers", "means", "block_layers", "blocks", "counts", "ends", "offsets"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)


def test_states_are_the_means_of_the_architectures_layers_without_begin_and_last_token(model, reference):
    scores = model.score(TEXTS)
    states, tokens = scores.states, model.weights.tokenise(TEXTS)
    for i in range(len(TEXTS)):
        ids = tokens.ids[tokens.offsets[i] : tokens.offsets[i + 1]]
        of_tokens = reference.outputs([1, *ids[:-1]])[0][:, 1:]
        if ids.size < 2:
            assert not states.means[i].any()
            assert states.offsets[i] == states.offsets[i + 1]
            continue
        np.testing.assert_allclose(states.means[i], of_tokens.mean(axis=1), rtol=2e-3, atol=2e-3)
        for nth, block in enumerate(range(states.offsets[i], states.offsets[i + 1])):
            part = of_tokens[:, nth * BLOCK_TOKENS : (nth + 1) * BLOCK_TOKENS]
            assert states.counts[block] == part.shape[1]
            np.testing.assert_allclose(states.blocks[block], part.mean(axis=1), rtol=2e-3, atol=2e-3)
            last = tokens.offsets[i] + nth * BLOCK_TOKENS + part.shape[1] - 1
            assert states.ends[block] == tokens.ends[last]


def test_logits_are_those_of_the_architecture(model, reference):
    scores, tokens = model.score(TEXTS[:1]), model.weights.tokenise(TEXTS[:1])
    # llama.cpp holds keys and values in half precision
    logp = log_softmax(reference.outputs([1, *tokens.ids[:-1]])[1], axis=1)
    rows = np.arange(tokens.ids.size)
    np.testing.assert_allclose(scores.channels["logprob"], logp[rows, tokens.ids], atol=1e-2)
    np.testing.assert_allclose(scores.channels["lookback"], logp[rows, [1, *tokens.ids[:-1]]], atol=1e-2)
    np.testing.assert_allclose(scores.channels["top_logprob"], logp.max(axis=1), atol=1e-2)


def test_asking_for_more_moves_no_number_and_no_fingerprint(model, path):
    plain = LlamaLM(path, "strong")
    before, after = plain.score(TEXTS), model.score(TEXTS)
    assert before.states is None
    assert plain.fingerprint == model.fingerprint
    for name, values in before.channels.items():
        np.testing.assert_array_equal(values, after.channels[name], err_msg=name)


def test_a_texts_states_depend_on_nothing_but_the_text(model, path):
    together = model.score(TEXTS).states
    alone = [model.score([text]).states for text in TEXTS]
    assert_same(HiddenStates.concatenate(alone), together)
    assert_same(
        LlamaLM(path, "strong", n_threads=1, outputs=ALL).score(TEXTS[::-1]).states,
        together.take([4, 3, 2, 1, 0]),
    )


def test_threads_that_share_decodes_move_no_state(model, path, monkeypatch):
    monkeypatch.setattr(language_model, "SMALL_MODEL", 0)
    monkeypatch.setattr(language_model, "MEDIUM_MODEL", 0)
    assert_same(
        LlamaLM(path, "strong", n_threads=3, outputs=ALL).score(TEXTS).states, model.score(TEXTS).states
    )


def test_fewer_layers_give_the_same_numbers_of_those(model, path):
    some = (
        LlamaLM(path, "strong", outputs=Outputs(state_layers=(0, 2), block_layers=(2,))).score(TEXTS).states
    )
    whole = model.score(TEXTS).states
    np.testing.assert_array_equal(some.means, whole.means[:, [0, 2]])
    np.testing.assert_array_equal(some.blocks, whole.blocks[:, [2]])


def test_every_token_of_a_text_in_many_windows_is_counted_once(tmp_path):
    """A context of 64 tokens slides along windows of four contexts and a half."""
    path = make_gguf(tmp_path / "short.gguf", Shape(layers=3, context=64, quantisation="F32"))
    model = LlamaLM(path, "strong", outputs=ALL)
    text = TEXTS[4] * 12
    scores = model.score([text])
    n = scores.ends.size
    assert n > 4 * 64 * 4  # several windows
    assert scores.states.counts.sum() == n - 1
    assert scores.states.counts[:-1].tolist() == [BLOCK_TOKENS] * (len(scores.states.counts) - 1)
    weighted = np.average(scores.states.blocks.astype(np.float64), axis=0, weights=scores.states.counts)
    np.testing.assert_allclose(scores.states.means[0], weighted, atol=2e-3)
    head = model.score([text[: scores.ends[200]]]).states  # the first blocks never see what comes later
    np.testing.assert_allclose(scores.states.blocks[:3], head.blocks[:3], atol=2e-3)


def test_two_models_that_read_together_keep_their_states_apart(path, tmp_path):
    other = make_gguf(
        tmp_path / "other.gguf", Shape(width=64, layers=2, context=512, quantisation="F32", seed=1)
    )
    first, second = (
        LlamaLM(path, "weak", outputs=ALL),
        LlamaLM(other, "strong", outputs=Outputs(state_layers=(1,))),
    )
    both = score_together([first, second], first.weights.tokenise(TEXTS))
    assert_same(both[0].states, first.score(TEXTS).states)
    assert_same(both[1].states, second.score(TEXTS).states)
    assert both[1].states.blocks.shape == (both[1].states.offsets[-1], 0, 64)


def test_what_half_precision_cannot_hold_becomes_its_largest_number(tmp_path, monkeypatch):
    path = make_gguf(tmp_path / "large.gguf", SHAPE)
    model = LlamaLM(path, "strong", outputs=ALL)
    read = layer_outputs.LayerOutputs._read
    monkeypatch.setattr(layer_outputs.LayerOutputs, "_read", lambda self, tensor: read(self, tensor) * 1e9)
    assert np.abs(model.score(TEXTS[:1]).states.means.astype(np.float64)).max() == np.finfo(np.float16).max


@pytest.mark.parametrize("layers", [(3,), (-1,), (1, 0), (1, 1)])
def test_layers_that_are_not_there_or_do_not_rise_are_refused(path, layers):
    with pytest.raises(SettingError, match="expected rising numbers from 0 to 2"):
        LlamaLM(path, "strong", outputs=Outputs(state_layers=layers))


def test_blocks_of_layers_that_are_not_wanted_are_refused(path):
    with pytest.raises(SettingError, match=r"blocks of layers \(1,\); expected some of \(0,\)"):
        LlamaLM(path, "strong", outputs=Outputs(state_layers=(0,), block_layers=(1,)))


def test_a_build_that_names_its_layers_otherwise_is_an_error(path, monkeypatch):
    model = LlamaLM(path, "strong", n_threads=1, outputs=ALL)
    (context,) = model.contexts(1, 1)
    monkeypatch.setattr(context.layer_outputs, "_places", {b"layer-0": 0, b"layer-1": 1, b"layer-2": 2})
    with pytest.raises(ModelError, match="outputs of 0 layers; expected 3: install another build"):
        model.score(TEXTS[:1])


def test_what_is_raised_inside_llama_cpp_comes_out_and_the_model_goes_on(path, monkeypatch):
    model = LlamaLM(path, "strong", n_threads=1, outputs=ALL)
    (context,) = model.contexts(1, 1)

    def interrupted(_place, _rows):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(context.layer_outputs, "_add", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.score(TEXTS[:1])
    assert model.score(TEXTS[:1]).states.means.any()


def test_the_cache_gives_states_back_bit_for_bit_and_tells_panels_with_and_without_apart(path, tmp_path):
    plain = open_panel(weak=path, strong=path)
    panel = open_panel(weak=path, strong=path, outputs=(Outputs(), ALL))
    assert panel_key(plain) != panel_key(panel)
    assert dict(plain.fingerprints) == dict(panel.fingerprints)
    with remember_scores(tmp_path):
        fresh = cached_scores(panel, TEXTS, None)
        known = cached_scores(panel, TEXTS[::-1], None)
        assert cached_scores(plain, TEXTS, None)["strong"].states is None
    assert_same(known["strong"].states.take([4, 3, 2, 1, 0]), fresh["strong"].states)
    assert known["weak"].states is None
    assert fresh["strong"].states.means.dtype == known["strong"].states.means.dtype == np.float16


def test_layers_of_the_standard_panel_are_among_smollm2s_thirty():
    row = PANELS["standard"]
    row.strong_outputs.check("SmolLM2", 30)
    assert row.strong_outputs.state_layers == row.strong_outputs.block_layers
    assert PANELS["embedded"].weak_outputs == PANELS["embedded"].strong_outputs == Outputs()


def made_by_hand():
    """Two texts of 2 blocks and none; one layer of width 2."""
    return HiddenStates(
        layers=np.array([4]),
        means=np.array([[[1.0, 2.0]], [[0.0, 0.0]]], np.float16),
        block_layers=np.array([4]),
        blocks=np.array([[[1.0, 0.0]], [[4.0, 8.0]]], np.float16),
        counts=np.array([64, 32]),
        ends=np.array([100, 150]),
        offsets=np.array([0, 2, 2]),
    )


def test_a_passages_mean_weighs_blocks_by_the_tokens_that_lie_in_it():
    # 50 of 100 characters of 64 tokens, and all of 32: equal weights; then one block alone; then none
    means = made_by_hand().passage_means(0, [(50, 150), (0, 100), (150, 200)], [4])
    np.testing.assert_allclose(means, [[[2.5, 4.0]], [[1.0, 0.0]], [[0.0, 0.0]]])


def test_passages_of_a_text_without_states_are_zero():
    assert made_by_hand().passage_means(1, [(0, 10)], [4]).tolist() == [[[0.0, 0.0]]]


def test_layers_that_were_not_kept_are_named():
    with pytest.raises(InputError, match=r"no hidden states of layers \[5\]; expected some of \[4\]"):
        made_by_hand().means_of([5])
    assert made_by_hand().means_of([4]).tolist() == [[[1.0, 2.0]], [[0.0, 0.0]]]


def test_states_survive_pickling_and_cannot_be_written():
    states = pickle.loads(pickle.dumps(made_by_hand()))
    assert_same(states, made_by_hand())
    with pytest.raises(ValueError, match="read-only"):
        states.means[0, 0, 0] = 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"means": np.zeros((3, 1, 2), np.float16)}, "means has shape"),
        ({"counts": np.array([1])}, "counts has shape"),
        ({"blocks": np.zeros((2, 2, 2), np.float16)}, "blocks has shape"),
        ({"layers": np.array([[4]])}, "layers has shape"),
        ({"offsets": np.array([0, 1, 3])}, "offsets must rise from 0 to 2"),
        ({"means": np.full((2, 1, 2), np.inf, np.float16)}, "means holds NaN or infinity"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(change, message):
    fields = {name: getattr(made_by_hand(), name) for name in ("layers", "means", "block_layers", "blocks")}
    fields |= {name: getattr(made_by_hand(), name) for name in ("counts", "ends", "offsets")}
    with pytest.raises(InputError, match=message):
        HiddenStates(**fields | change)


def test_parts_of_other_layers_are_not_joined():
    other = HiddenStates(**{**vars(made_by_hand()), "layers": np.array([5])})
    with pytest.raises(InputError, match="expected the same in every part"):
        HiddenStates.concatenate([made_by_hand(), other])
