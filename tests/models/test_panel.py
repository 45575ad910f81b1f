import os
from pathlib import Path

import numpy as np
import pytest

from ghostbuster.errors import ModelError, SettingError
from ghostbuster.models import panel as panel_module
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.ngram.model import NgramModel
from ghostbuster.models.panel import Panel, open_panel
from ghostbuster.models.panels import weights_folder
from training.data.make_gguf import Shape, make_gguf

EMBEDDED = weights_folder()
TEXTS = (
    "The letter that she had written was not for him, but it lay on the table until the morning.",
    "",
    "One word — and another: naïve 😀.",
    "Nobody had seen the river so high since the winter of the flood. " * 30,
)


@pytest.fixture(scope="module")
def embedded():
    return open_panel()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("panels")


@pytest.fixture(scope="module")
def pair(folder):
    """A pair over a vocabulary of its own."""
    paths = make_gguf(folder / "a.gguf"), make_gguf(folder / "b.gguf", Shape(context=128, seed=1))
    return open_panel(weak=paths[0], strong=paths[1])


@pytest.fixture(scope="module")
def unlike(folder):
    """Two models of two vocabularies."""
    paths = make_gguf(folder / "c.gguf"), make_gguf(folder / "d.gguf", Shape(vocabulary=600))
    return open_panel(weak=paths[0], strong=paths[1])


def assert_same(a, b):
    assert a.keys() == b.keys()
    for source in a:
        assert np.array_equal(a[source].offsets, b[source].offsets)
        assert np.array_equal(a[source].ends, b[source].ends)
        assert a[source].channels.keys() == b[source].channels.keys()
        for name, values in a[source].channels.items():
            np.testing.assert_array_equal(values, b[source].channels[name], err_msg=f"{source}.{name}")


def test_every_source_scores_the_same_tokens(embedded):
    scores = embedded.score(TEXTS)
    assert tuple(scores) == embedded.sources == ("weak", "strong", "unigram", "trigram")
    assert embedded.shared_tokenizer
    for source in scores.values():
        np.testing.assert_array_equal(source.ends, scores["weak"].ends)
        np.testing.assert_array_equal(source.offsets, scores["weak"].offsets)
        assert source.channels["logprob"].max() <= 0
    cross = {"logprob", "rank", "entropy", "varentropy", "cross_entropy", "cross_varentropy"}
    assert set(scores["weak"].channels) == set(scores["strong"].channels) == cross
    assert set(scores["unigram"].channels) == set(scores["trigram"].channels) == {"logprob"}
    for i, text in enumerate(TEXTS):
        own = scores["weak"].take([i])
        assert (own.ends[-1] if text else own.ends.size) == len(text)


def test_the_models_know_english(embedded):
    text = TEXTS[0]
    backwards = " ".join(reversed(text.split()))
    for source in ("weak", "strong", "trigram"):
        forward, shuffled = (
            embedded.score([t])[source].channels["logprob"].mean() for t in (text, backwards)
        )
        assert forward > shuffled + 0.3


def test_no_cross_entropy_is_below_the_entropy_of_its_reference(embedded):
    scores = embedded.score(TEXTS)
    for scorer, reference in (("weak", "strong"), ("strong", "weak")):
        divergence = scores[scorer].channels["cross_entropy"] - scores[reference].channels["entropy"]
        assert divergence.min() > -1e-4  # Kullback-Leibler divergences


def test_a_batch_scores_as_each_text_alone_and_in_any_order(embedded):
    whole = embedded.score(TEXTS)
    for i, text in enumerate(TEXTS):
        assert_same(embedded.score([text]), {k: v.take([i]) for k, v in whole.items()})
    order = [3, 1, 0, 2]
    assert_same(embedded.score([TEXTS[i] for i in order]), {k: v.take(order) for k, v in whole.items()})


def test_no_text_gives_empty_scores(embedded):
    assert all(scores.n_texts == 0 for scores in embedded.score([]).values())


def test_early_tokens_of_a_later_window_score_as_under_a_wider_context(embedded):
    half = LlamaLM(embedded.strong.file.path, "strong", n_ctx=embedded.strong.n_context // 2)
    licence = (Path(__file__).parents[2] / "LICENSE").read_text("utf-8")
    text = " ".join(licence.split())[1000:4300]
    narrow, wide = half.score([text]), embedded.strong.score([text])
    assert half.n_context < narrow.ends.size <= embedded.strong.n_context
    difference = np.abs(narrow.channels["logprob"] - wide.channels["logprob"])
    assert difference[: half.n_context].max() < 0.05
    assert difference[half.n_context :].mean() < 0.3


def test_progress_ends_at_all_tokens(embedded, unlike):
    for panel in (embedded, unlike):
        seen = []
        panel.score(TEXTS, lambda done, total: seen.append((done, total)))  # noqa: B023
        assert seen[-1][0] == seen[-1][1] > 0
        assert len({total for _, total in seen}) == 1


def test_a_pair_of_another_vocabulary_keeps_the_embedded_one_for_ngrams(pair, embedded):
    assert not pair.shared_tokenizer
    assert pair.tokenizers["weak"] == pair.tokenizers["strong"] != pair.tokenizers["unigram"]
    scores, own = pair.score(TEXTS), embedded.score(TEXTS)
    assert_same({k: scores[k] for k in ("unigram", "trigram")}, {k: own[k] for k in ("unigram", "trigram")})
    assert "cross_entropy" in scores["weak"].channels
    np.testing.assert_array_equal(scores["weak"].ends, scores["strong"].ends)
    assert pair.weak.n_context == pair.strong.n_context == 64


def test_models_of_two_vocabularies_have_no_cross_channels(unlike):
    scores = unlike.score(TEXTS)
    assert len(set(unlike.tokenizers.values())) == 3
    for source in ("weak", "strong"):
        assert set(scores[source].channels) == {"logprob", "rank", "entropy", "varentropy"}
        assert scores[source].n_texts == len(TEXTS)


def test_embedded_models_pair_with_others_through_their_own_vocabulary(embedded, folder):
    other = make_gguf(folder / "e.gguf")
    panel = open_panel(weak=embedded.weak.file.path, strong=other)
    scores = panel.score(TEXTS)
    np.testing.assert_array_equal(scores["unigram"].ends, scores["weak"].ends)


def test_opening_the_same_panel_again_costs_nothing(embedded, pair):
    assert open_panel() is embedded
    relative = [os.path.relpath(model.file.path) for model in (pair.weak, pair.strong)]
    assert open_panel(weak=relative[0], strong=relative[1]) is pair


def test_fingerprints_name_every_source_and_differ(embedded, pair):
    assert set(embedded.fingerprints) == set(embedded.tokenizers) == set(embedded.sources)
    assert len(set(embedded.fingerprints.values())) == 4
    assert embedded.fingerprints["weak"] != pair.fingerprints["weak"]
    assert embedded.fingerprints["trigram"] == pair.fingerprints["trigram"]


def test_describe_tells_what_info_prints(embedded):
    described = embedded.describe()
    assert [row["role"] for row in described] == list(embedded.sources)
    weak, strong, unigram, _ = described
    assert weak["file"] == "embedded-weak.gguf"
    assert weak["size_bytes"] == (EMBEDDED / "embedded-weak.gguf").stat().st_size
    assert strong["parameters"] > 3 * weak["parameters"]
    assert weak["vocabulary"] == strong["vocabulary"] == unigram["vocabulary"]
    assert all(len(str(row["digest"])) == 64 for row in described)


@pytest.mark.parametrize(
    ("name", "near"), [("embeded", "did you mean 'embedded'"), ("xyz", "expected one of 'embedded'")]
)
def test_an_unknown_panel(name, near):
    with pytest.raises(SettingError, match=f"no panel is called '{name}'.*{near}"):
        open_panel(name)


@pytest.mark.parametrize("given", ["weak", "strong"])
def test_one_model_alone(given):
    with pytest.raises(SettingError, match=f"a {given} model alone; expected two: name the"):
        open_panel(**{given: "some.gguf"})


def test_the_llama_panel_says_how_to_get_its_models_or_pass_others(pair, tmp_path, monkeypatch):
    monkeypatch.setenv("GHOSTBUSTER_MODELS", str(tmp_path))
    with pytest.raises(
        ModelError,
        match=r"models pull tinyllama-1\.1b llama-2-7b`.*--weak-model PATH --strong-model PATH",
    ):
        open_panel("llama")
    assert open_panel("llama", weak=pair.weak.file.path, strong=pair.strong.file.path) is pair


def test_a_missing_model_is_named_before_any_other_loads(folder, pair, monkeypatch):
    monkeypatch.setattr(panel_module, "LlamaLM", None)
    with pytest.raises(ModelError, match=r"nowhere\.gguf: no such file"):
        open_panel(weak=pair.weak.file.path, strong=folder / "nowhere.gguf")


def test_ngrams_over_another_vocabulary_are_refused(pair):
    ngrams = NgramModel.load(EMBEDDED / "embedded-ngram")
    with pytest.raises(ModelError, match=r"counted over another vocabulary than .*a\.gguf has"):
        Panel(pair.weak, pair.strong, ngrams, EMBEDDED / "embedded-ngram", pair.weak.weights)
