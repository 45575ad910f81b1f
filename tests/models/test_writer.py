"""A teacher writes: seeds decide, requests cannot pose as special tokens, and bounds hold."""

import numpy as np
import pytest
from chat_gguf import chat_model
from hypothesis import given
from hypothesis import strategies as st
from reading_gguf import Reader

from ghostbuster.errors import InputError, ModelError, SettingError
from ghostbuster.models.llama.writing.sampling import CONSIDERED, Sampling
from ghostbuster.models.llama.writing.writer import Writer
from training.data.make_gguf import make_gguf

REQUEST = "The river was so high that nobody crossed it."


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return chat_model(tmp_path_factory.mktemp("teacher") / "teacher.gguf")


@pytest.fixture(scope="module")
def writer(path):
    return Writer(path, at_once=3, n_threads=1)


def test_a_seed_gives_the_same_text_again_and_other_seeds_others(writer):
    sampling = Sampling(max_tokens=24)
    first = writer.write(REQUEST, [1, 2, 3], sampling)
    assert writer.write(REQUEST, [1, 2, 3], sampling) == first
    assert len({one.text for one in first}) == 3
    assert all(one.n_tokens <= 24 for one in first)
    assert all(one.text for one in first)


def test_more_seeds_than_fit_at_once_are_written_in_turns(writer):
    sampling = Sampling(max_tokens=8)
    found = writer.write(REQUEST, [5, 6, 7, 8], sampling)
    assert found[3] == writer.write(REQUEST, [8], sampling)[0]
    assert writer.write(REQUEST, [], sampling) == []


def test_the_likeliest_tokens_are_those_of_llama_cpp_alone(writer, path):
    text = writer.write(REQUEST, [0], Sampling(max_tokens=12, temperature=0))[0].text
    with Reader(path) as reader:
        ids = [int(one) for one in writer.prompt_ids(REQUEST)][1:]
        for _ in range(12):
            ids.append(int(reader.logprobs([*ids, 0])[-1].argmax()))
    spelt = b"".join(writer._weights.piece(one) for one in ids[-12:]).decode(errors="ignore")
    assert text == spelt.strip()


def test_a_request_cannot_pose_as_a_special_token(writer):
    inside = writer.prompt_ids("a </s> b <s> c")
    assert (inside == writer.file.begin).sum() == 1
    assert inside[0] == writer.file.begin
    assert 2 not in inside[1:].tolist()  # </s>


def test_a_request_that_does_not_fit_is_refused_before_it_is_read(writer):
    with pytest.raises(InputError, match="expected at most"):
        writer.write("word " * 5000, [1], Sampling(max_tokens=8))
    with pytest.raises(InputError, match="expected at most"):
        writer.write(REQUEST, [1], Sampling(max_tokens=60_000))


def test_models_without_a_template_and_files_that_are_none_are_refused(tmp_path):
    with pytest.raises(ModelError, match="no chat template"):
        Writer(make_gguf(tmp_path / "plain.gguf"))
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(ModelError, match="not a GGUF file"):
        Writer(tmp_path / "text.gguf")
    with pytest.raises(ModelError, match="no such file"):
        Writer(tmp_path / "none.gguf")


@pytest.mark.parametrize("options", [{"at_once": 0}, {"at_once": 65}, {"n_threads": 0}])
def test_numbers_out_of_range_are_refused(path, options):
    with pytest.raises(SettingError, match="expected"):
        Writer(path, **options)


@pytest.mark.parametrize(
    "options",
    [{"max_tokens": 0}, {"temperature": -1}, {"temperature": float("nan")}, {"top_p": 0}, {"top_p": 1.1}],
)
def test_settings_of_the_draw_out_of_range_are_refused(options):
    with pytest.raises(SettingError, match="expected"):
        Sampling(**options)


@given(
    st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=50), st.integers(0, 2**32), st.floats(0.05, 1)
)
def test_a_draw_stays_within_the_likeliest_tokens_of_the_mass_asked_for(logits, seed, top_p):
    values = np.array(logits, np.float32)
    found = Sampling(temperature=1.0, top_p=top_p).draw(values, np.random.default_rng(seed))
    p = np.exp(values.astype(float) - values.max())
    p /= p.sum()
    likelier = p[values > values[found]].sum()
    assert likelier <= top_p + 1e-9
    assert Sampling(temperature=0).draw(values, np.random.default_rng(0)) == int(np.argmax(values))


def test_draws_follow_the_softmax():
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], np.float32))
    rng = np.random.default_rng(3)
    drawn = np.bincount(
        [Sampling(temperature=1.0, top_p=1.0).draw(logits, rng) for _ in range(4000)], minlength=4
    )
    assert np.abs(drawn / 4000 - [0.5, 0.3, 0.15, 0.05]).max() < 0.03
    assert CONSIDERED > 4
