import ctypes
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import llama_cpp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from ghostbuster.errors import ModelError, SettingError
from ghostbuster.models.backend import build, library
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.llama import language_model, streaming
from ghostbuster.models.llama.language_model import LlamaLM, score_together
from ghostbuster.models.llama.streaming import DECODE_TOKENS, decode_tokens, windows
from ghostbuster.models.llama.tokens import Speller, Tokens, character_ends
from training.data.make_gguf import Shape, make_gguf

TEXTS = (
    "The letter that she had written was not for him, but it was on the table.",
    "a",
    "",
    " and then  two spaces\nand a new line\t.",
    "naïve café — “quoted” 😀 日本語 \N{LOWER ONE EIGHTH BLOCK} end",
    "<s> is no begin token here </s>",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def weak(folder):
    return LlamaLM(make_gguf(folder / "weak.gguf"), "weak")


@pytest.fixture(scope="module")
def strong(folder):
    return LlamaLM(make_gguf(folder / "strong.gguf", Shape(width=64, layers=3, seed=1)), "strong")


@pytest.fixture(scope="module")
def wide(folder):
    """The weak model's weights with a context that no test text fills."""
    return LlamaLM(make_gguf(folder / "wide.gguf", Shape(context=1024)), "weak")


def raw_logits(path, ids):
    """Logits of llama.cpp fed one token at a time, (len(ids), n_vocabulary) in float64; begin token first."""
    settings = llama_cpp.llama_model_default_params()
    settings.use_extra_bufts = False
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), settings)
    context_settings = llama_cpp.llama_context_default_params()
    context_settings.n_ctx = 1024
    context = llama_cpp.llama_init_from_model(model, context_settings)
    n_vocabulary = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
    rows = []
    for token in [1, *ids[:-1]]:
        one = (llama_cpp.llama_token * 1)(token)
        assert llama_cpp.llama_decode(context, llama_cpp.llama_batch_get_one(one, 1)) == 0
        logits = llama_cpp.llama_get_logits_ith(context, -1)
        rows.append(np.ctypeslib.as_array(logits, (n_vocabulary,)).astype(np.float64))
    llama_cpp.llama_free(context)
    llama_cpp.llama_model_free(model)
    return np.array(rows)


def spelt(path, text):
    """Ids of a text by llama.cpp, without special tokens."""
    settings = llama_cpp.llama_model_default_params()
    settings.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), settings)
    buffer = (llama_cpp.llama_token * 1000)()
    data = text.encode()
    n = llama_cpp.llama_tokenize(
        llama_cpp.llama_model_get_vocab(model), data, len(data), buffer, 1000, False, False
    )
    llama_cpp.llama_model_free(model)
    return list(buffer[:n])


def test_statistics_agree_with_llama_cpp_read_one_token_at_a_time(weak):
    ids = spelt(weak.file.path, TEXTS[0])
    got = weak.score([TEXTS[0]])
    logp = log_softmax(raw_logits(weak.file.path, ids), axis=1)
    p, rows = np.exp(logp), np.arange(len(ids))
    entropy = -(p * logp).sum(axis=1)
    assert got.ends.size == len(ids)
    np.testing.assert_allclose(got.channels["logprob"], logp[rows, ids], atol=0.02)
    np.testing.assert_allclose(got.channels["entropy"], entropy, atol=0.02)
    np.testing.assert_allclose(
        got.channels["varentropy"], (p * (logp + entropy[:, None]) ** 2).sum(axis=1), atol=0.05
    )
    ranks = 1 + (logp > logp[rows, ids][:, None]).sum(axis=1)
    assert np.abs(got.channels["rank"] - ranks).max() <= 3  # another layout moves near ties


def test_cross_channels_agree_with_llama_cpp_read_one_token_at_a_time(weak, strong):
    ids = spelt(weak.file.path, TEXTS[0])
    logp = {m.name: log_softmax(raw_logits(m.file.path, ids), axis=1) for m in (weak, strong)}
    both = score_together([weak, strong], weak.weights.tokenise([TEXTS[0]]))
    for scores, scorer, reference in ((both[0], "weak", "strong"), (both[1], "strong", "weak")):
        r, log_s = np.exp(logp[reference]), logp[scorer]
        mean = (r * log_s).sum(axis=1)
        np.testing.assert_allclose(scores.channels["cross_entropy"], -mean, atol=0.02)
        variance = (r * (log_s - mean[:, None]) ** 2).sum(axis=1)
        np.testing.assert_allclose(scores.channels["cross_varentropy"], variance, atol=0.1)


def test_reading_two_models_together_changes_neither(weak, strong):
    together = score_together([weak, strong], weak.weights.tokenise(TEXTS))
    for model, scores in zip((weak, strong), together, strict=True):
        alone = model.score(TEXTS)
        for name, values in alone.channels.items():
            np.testing.assert_array_equal(values, scores.channels[name], err_msg=name)


def test_a_text_with_no_token_owns_an_empty_slice(weak):
    scores = weak.score(TEXTS)
    assert np.diff(scores.offsets)[2] == 0
    assert weak.score([]).n_texts == 0
    assert weak.score([""]).ends.size == 0


def test_ends_are_those_of_the_characters_the_tokens_spell(weak):
    tokens = weak.weights.tokenise(["hi é😀"])
    pieces = [weak.weights.piece(i) for i in tokens.ids.tolist()]
    assert pieces == [b" h", b"i", b" ", "é".encode(), b"\xf0", b"\x9f", b"\x98", b"\x80"]
    assert tokens.ends.tolist() == [1, 2, 3, 4, 4, 4, 4, 5]


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_ends_rise_to_the_length_of_any_text(weak, text):
    ends = weak.weights.tokenise([text]).ends
    assert np.all(np.diff(ends) >= 0)
    assert (ends[-1] if ends.size else 0) == len(text)


def test_a_lone_surrogate_is_read_as_one_character(weak):
    assert weak.weights.tokenise(["a\ud800b"]).ends[-1] == 3


def test_what_looks_like_a_special_token_is_text(weak):
    tokens = weak.weights.tokenise(["a<s>b</s>"])
    assert b"".join(weak.weights.piece(i) for i in tokens.ids.tolist()) == b" a<s>b</s>"
    assert not {1, 2} & set(tokens.ids.tolist())


def assert_same(a, b):
    assert np.array_equal(a.offsets, b.offsets)
    assert np.array_equal(a.ends, b.ends)
    for name in a.channels:
        np.testing.assert_array_equal(a.channels[name], b.channels[name], err_msg=name)


def test_a_batch_scores_as_each_text_alone_bit_for_bit(weak):
    texts = [*TEXTS, TEXTS[0] * 9]
    assert_same(weak.score(texts), type(weak.score(texts)).concatenate([weak.score([t]) for t in texts]))


@settings(max_examples=10)
@given(st.permutations(range(len(TEXTS))))
def test_permuting_texts_permutes_their_scores(weak, order):
    assert_same(weak.score([TEXTS[i] for i in order]), weak.score(TEXTS).take(order))


def test_threads_move_no_score(weak):
    one = LlamaLM(weak.file.path, "weak", n_threads=1)
    texts = [*TEXTS, TEXTS[0] * 9]
    assert_same(one.score(texts), weak.score(texts))
    assert one.fingerprint == weak.fingerprint


@pytest.mark.parametrize(("length", "overlap"), [(64, 32), (288, 32), (65, 32)])
def test_windows_score_every_token_once_after_their_overlap(length, overlap):
    offsets = np.array([0, 0, 1, 65, 130, 1130])
    plan = windows(offsets, length, overlap)
    times = np.zeros(1130, int)
    for start, scored, stop in plan:
        times[scored:stop] += 1
        text = np.searchsorted(offsets, start, side="right") - 1
        assert offsets[text] <= start <= scored < stop <= offsets[text + 1]
        assert stop - start <= length
        assert scored - start == overlap or start == scored == offsets[text]
    assert np.all(times == 1)
    assert len(windows(np.array([0, 64]), 64, 32)) == 1


def test_a_long_text_under_one_layer_scores_as_its_windows_read_one_token_at_a_time(folder):
    # keys and values of a single layer know nothing but their token and place: what slid is what is read anew
    model = LlamaLM(make_gguf(folder / "one.gguf", Shape(layers=1)), "weak")
    text = TEXTS[0] * 7
    ids, got = spelt(model.file.path, text), model.score([text]).channels["logprob"]
    assert 200 < len(ids) <= 4 * 64 + 32  # one window
    for scored in range(64, len(ids), 32):
        # the last token of the context before was predicted, not read: it opens the new half
        window = ids[scored - 32 : scored + 32]
        logp = log_softmax(raw_logits(model.file.path, window), axis=1)[np.arange(len(window)), window]
        np.testing.assert_allclose(got[scored : scored + 32], logp[32:], atol=0.03)


def test_windows_of_a_very_long_text_begin_anew_after_four_contexts(weak):
    text = TEXTS[0] * 14
    ids, got = spelt(weak.file.path, text), weak.score([text]).channels["logprob"]
    assert len(ids) > 288 + 64
    window = ids[256 : 256 + 64]  # four contexts and a half, less the overlap of half a context
    logp = log_softmax(raw_logits(weak.file.path, window), axis=1)[np.arange(64), window]
    np.testing.assert_allclose(got[288 : 256 + 64], logp[32:], atol=0.02)


def test_a_text_of_three_contexts_scores_as_under_a_wider_context(weak, wide):
    text = TEXTS[0] * 6
    got, want = weak.score([text]), wide.score([text])
    assert 3 * 64 <= got.ends.size < 1024
    np.testing.assert_array_equal(got.ends, want.ends)
    difference = np.abs(got.channels["logprob"] - want.channels["logprob"])
    assert difference[:64].max() < 0.02  # the same tokens before them
    off_by_one = np.abs(got.channels["logprob"] - np.roll(want.channels["logprob"], 1))
    assert difference[64:].mean() < off_by_one[64:].mean() / 4  # random weights attend to all tokens alike


def test_where_keys_cannot_be_moved_later_windows_are_read_anew(weak, monkeypatch):
    monkeypatch.setattr(language_model, "SLIDING", ())
    text = TEXTS[0] * 4
    ids, got = spelt(weak.file.path, text), weak.score([text]).channels["logprob"]
    assert 96 < len(ids) <= 160
    for start, scored in ((32, 64), (64, 96)):
        window = ids[start : start + 64]
        logp = log_softmax(raw_logits(weak.file.path, window), axis=1)[np.arange(len(window)), window]
        np.testing.assert_allclose(got[scored : scored + 32], logp[32:64], atol=0.02)


def test_a_text_longer_than_one_decode_scores_as_one_read_token_by_token(wide):
    text = TEXTS[0] * 15
    ids = spelt(wide.file.path, text)
    assert DECODE_TOKENS < len(ids) < 1000
    logp = log_softmax(raw_logits(wide.file.path, ids), axis=1)[np.arange(len(ids)), ids]
    np.testing.assert_allclose(wide.score([text]).channels["logprob"], logp, atol=0.02)


def test_smaller_decodes_of_a_window_score_nearly_the_same(weak, monkeypatch):
    # with decodes of 8 tokens, the first four of a later window are read and none of their logits wanted
    text = TEXTS[0] * 6
    whole = weak.score([text])
    monkeypatch.setattr(streaming, "DECODE_TOKENS", 8)
    np.testing.assert_allclose(weak.score([text]).channels["logprob"], whole.channels["logprob"], atol=0.02)


def test_large_models_get_one_context(weak, monkeypatch):
    monkeypatch.setattr(language_model, "SMALL_MODEL", 0)
    monkeypatch.setattr(language_model, "MEDIUM_MODEL", 0)
    one = LlamaLM(weak.file.path, "weak")
    assert_same(one.score(TEXTS[:2]), weak.score(TEXTS[:2]))
    assert len(one._contexts) == 1


def test_models_of_medium_size_read_many_windows_on_as_many_threads_and_one_window_on_all(weak, monkeypatch):
    monkeypatch.setattr(language_model, "SMALL_MODEL", 0)
    medium = LlamaLM(weak.file.path, "weak", n_threads=3)
    assert_same(medium.score(TEXTS[:1]), weak.score(TEXTS[:1]))
    assert len(medium._contexts) == 1
    assert_same(medium.score(TEXTS[:2] * 4), weak.score(TEXTS[:2] * 4))
    assert len(medium._contexts) == 3


def test_half_as_many_tokens_are_decoded_at_once_where_the_vocabulary_is_large():
    assert [decode_tokens(n) for n in (4096, 32_000, 49_152)] == [512, 512, 256]


def test_threads_that_share_a_reduction_move_no_score(weak, strong, monkeypatch):
    alone = score_together([weak, strong], weak.weights.tokenise(TEXTS))
    monkeypatch.setattr(language_model, "SMALL_MODEL", 0)
    monkeypatch.setattr(language_model, "MEDIUM_MODEL", 0)
    shared = [LlamaLM(m.file.path, m.name, n_threads=3) for m in (weak, strong)]
    for got, want in zip(score_together(shared, weak.weights.tokenise(TEXTS)), alone, strict=True):
        assert_same(got, want)


def test_an_error_in_a_shared_reduction_is_raised(folder, monkeypatch):
    monkeypatch.setattr(language_model, "SMALL_MODEL", 0)
    monkeypatch.setattr(language_model, "MEDIUM_MODEL", 0)
    path = make_gguf(folder / "shared-nan.gguf", Shape(quantisation="F32"))
    data = bytearray(path.read_bytes())
    data[-1000:] = b"\xff" * 1000
    path.write_bytes(data)
    with pytest.raises(ModelError, match="model weak gave logits that are not finite"):
        LlamaLM(path, "weak", n_threads=2).score(["a text"])


def test_progress_rises_to_the_number_of_tokens(weak):
    seen = []
    n_tokens = weak.score(TEXTS, lambda done, all_: seen.append((done, all_))).ends.size
    assert seen[-1] == (n_tokens, n_tokens)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_fingerprints_tell_files_and_windows_apart(weak, strong, wide):
    short = LlamaLM(wide.file.path, "weak", n_ctx=64)
    assert len({m.fingerprint for m in (weak, strong, wide, short)}) == 4
    assert weak.tokenizer == strong.tokenizer == wide.tokenizer


def test_a_shorter_window_scores_like_a_model_of_that_context(weak, wide):
    short = LlamaLM(wide.file.path, "weak", n_ctx=64)
    text = [TEXTS[0] * 6]
    assert_same(short.score(text), weak.score(text))


@pytest.mark.parametrize("n_ctx", [0, 15, 65])
def test_a_window_out_of_range_is_refused(weak, n_ctx):
    with pytest.raises(SettingError, match=f"n_ctx={n_ctx} .*expected 16 to 64 tokens"):
        LlamaLM(weak.file.path, "weak", n_ctx=n_ctx)


def test_no_thread_is_refused(weak):
    with pytest.raises(SettingError, match="n_threads=0; expected 1 or more"):
        LlamaLM(weak.file.path, "weak", n_threads=0)


def test_weights_that_are_no_numbers_name_the_model(folder):
    path = make_gguf(folder / "nan.gguf", Shape(quantisation="F32"))
    data = bytearray(path.read_bytes())
    data[-1000:] = b"\xff" * 1000  # the end of output.weight
    path.write_bytes(data)
    with pytest.raises(ModelError, match="model weak gave logits that are not finite"):
        LlamaLM(path, "weak").score(["a text"])


def test_closing_frees_and_leaving_everything_open_ends_cleanly(folder):
    path = make_gguf(folder / "child.gguf")
    code = (
        "import sys; from ghostbuster.models.llama.language_model import LlamaLM\n"
        "a, b = LlamaLM(sys.argv[1], 'weak'), LlamaLM(sys.argv[1], 'strong')\n"
        "a.score(['one text']); b.score(['one text']); a.close(); a.close(); print('done')"
    )
    child = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert (child.returncode, child.stdout, child.stderr) == (0, "done\n", "")


def test_a_path_of_any_bytes_is_opened(folder):
    path = make_gguf(folder / "m\udcff é.gguf")  # a name that is not UTF-8
    assert LlamaLM(path, "weak").score(["a text"]).n_texts == 1


def test_llama_cpp_keeps_quiet(folder, capfd):
    LlamaLM(make_gguf(folder / "quiet.gguf"), "weak").score(["a text"])
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def bpe(folder):
    return LlamaLM(make_gguf(folder / "bpe.gguf", Shape(tokenizer="gpt2")), "weak")


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_a_byte_level_bpe_vocabulary_spells_any_text(bpe, text):
    tokens = bpe.weights.tokenise([text])
    assert b"".join(bpe.weights.piece(i) for i in tokens.ids.tolist()) == text.encode()
    assert np.all(np.diff(tokens.ends) >= 0)
    assert (tokens.ends[-1] if tokens.ends.size else 0) == len(text)


def test_without_a_begin_token_a_text_starts_after_the_end_token(bpe):
    assert bpe.file.begin == 0
    scores = bpe.score(["abc é"])
    assert scores.ends.tolist() == [2, 3, 4, 4, 5]  # ab, c, space, two bytes
    assert np.isfinite(scores.channels["logprob"]).all()


def test_tokens_outside_the_vocabulary_are_refused_by_llama_cpp_not_fatal(weak):
    ids = np.array([5, 99999, 7], np.int32)
    tokens = Tokens(ids, np.arange(1, 4, dtype=np.int32), np.array([0, 3]))
    with pytest.raises(ModelError, match=r"weak\.gguf: llama.cpp could not decode 3 tokens \(status -1\)"):
        score_together([weak], tokens)
    assert weak.score(["a text"]).n_texts == 1  # and it goes on


def test_a_context_that_llama_cpp_does_not_give_says_what_to_lower(weak, monkeypatch):
    monkeypatch.setattr(library.lib, "llama_init_from_model", lambda *_: None)
    with pytest.raises(
        ModelError, match=r"weak\.gguf: llama.cpp gives no context of 64 tokens .*lower n_ctx"
    ):
        LlamaLM(weak.file.path, "weak").score(["a text"])


def test_the_log_is_taken_back_from_other_code(weak):
    heard = []
    loud = llama_cpp.llama_log_callback(lambda _level, text, _data: heard.append(text))
    llama_cpp.llama_log_set(loud, ctypes.c_void_p(0))
    LlamaLM(weak.file.path, "weak").score(["a text"])
    assert heard == []


def test_the_log_is_taken_over_before_a_card_can_name_itself_in_it(monkeypatch):
    calls = []
    for name in ("llama_log_set", "llama_backend_init", "llama_supports_gpu_offload"):
        monkeypatch.setattr(library.lib, name, lambda *_, name=name: calls.append(name))
    monkeypatch.setattr(library, "_started", [])
    build.can_offload()
    assert calls == ["llama_log_set", "llama_backend_init", "llama_supports_gpu_offload"]


def test_the_bytes_of_added_tokens_are_found_among_sentencepiece_spaces():
    pieces = [b" a", b"<x>", b" b", b"\xc3", b"\xa9"]  # a space before the text and after the added token
    speller = Speller("m.gguf", 5, pieces.__getitem__)
    data = "a<x>bé".encode()
    ends = speller.byte_ends(np.arange(5, dtype=np.int32), data)
    assert ends.tolist() == [1, 4, 5, 6, 7]
    assert character_ends(data, ends).tolist() == [1, 4, 5, 5, 6]


def test_a_vocabulary_that_cannot_spell_a_text_is_named():
    speller = Speller("m.gguf", 2, [b" a", b"<unk>"].__getitem__)
    with pytest.raises(ModelError, match=r"m\.gguf: its vocabulary cannot spell 'é'; expected byte pieces"):
        speller.byte_ends(np.array([0, 1], np.int32), "aé".encode())


def test_the_digest_is_that_of_the_bytes_and_follows_a_change(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    assert file_digest(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180
    path.write_bytes(b"")
    assert file_digest(path) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_file_without_a_digest_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"nowhere: cannot be read \(No such file or directory\)"):
        file_digest(tmp_path / "nowhere")


def test_several_threads_may_score_with_one_model(weak):
    alone = weak.score(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for scores in pool.map(lambda _: weak.score(TEXTS), range(8)):
            assert_same(scores, alone)
