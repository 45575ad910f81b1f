"""The reading of labelled texts: balanced from its beginning, resumable, and given back as it was read."""

import numpy as np
import pytest
from prose import row, write

from ghostbuster.arrays import TokenScores
from ghostbuster.hidden_states import HiddenStates
from training.data import read_corpus
from training.data.dataset import PROBES, Plan
from training.data.read_corpus import Corpus, queue, read_all

SENTENCES = " ".join(f"Number {i} of the sentences that somebody wrote down here today." for i in range(14))


def silent(_line):
    pass


@pytest.fixture
def folder(tmp_path):
    """Two files of two sources, and a probe; every text is long enough for a passage."""
    data = tmp_path / "data"
    data.mkdir()
    for file in ("a.one", "b.two", *PROBES):
        rows = [
            row(f"{file}/{i}", f"Text {i} of {file}. {SENTENCES}", i % 2 * (file not in PROBES))
            for i in range(12)
        ]
        write(data, file, rows)
    return data


class Readers:
    """Scores that hang on the text alone; counts what it is asked."""

    def __init__(self, fail_after=None):
        self.asked, self._fail_after = [], fail_after

    def score(self, texts):
        if self._fail_after is not None and len(self.asked) >= self._fail_after:
            raise KeyboardInterrupt
        self.asked.append(list(texts))
        lengths = [len(text.split()) for text in texts]
        offsets = np.concatenate(([0], np.cumsum(lengths)))
        values = -np.concatenate(
            [np.full(n, len(t), np.float32) for n, t in zip(lengths, texts, strict=True)]
        )
        states = HiddenStates(
            np.arange(3),
            np.stack([np.full((3, 2), len(text) / 8, np.float16) for text in texts]),
            np.arange(3),
            np.stack([np.full((3, 2), len(text) / 8, np.float16) for text in texts]),
            np.array(lengths),
            np.array([len(text) for text in texts]),
            np.arange(len(texts) + 1),
        )
        ends = np.concatenate([np.arange(1, n + 1) for n in lengths])
        return {"strong": TokenScores({"logprob": values}, ends, offsets, states)}

    def describe(self):
        return {"strong": {}}


def test_any_beginning_is_balanced_and_passages_come_after_their_texts(folder, monkeypatch):
    monkeypatch.setattr(read_corpus, "EARLY", 2)
    monkeypatch.setattr(read_corpus, "MIDDLE", 4)
    texts = queue(folder, Plan())
    first = texts[: 2 * 5]  # two ranks of five classes of files
    counts = {(text.file, text.label): 0 for text in texts}
    for text in first:
        counts[text.file, text.label] += 1
    assert set(counts.values()) == {2}
    assert not any(text.is_crop for text in first)
    seen = set()
    for text in texts:
        assert not text.is_crop or text.key.removesuffix("/crop") in seen
        assert not text.is_crop or text.file not in PROBES
        seen.add(text.key)
    assert len(seen) == len(texts)
    assert 12 < sum(text.is_crop for text in texts) <= 24  # a passage nearly as long as its text is none


def test_what_was_interrupted_goes_on_and_is_given_back_as_it_was_read(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(read_corpus, "CHUNK", 7)
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(KeyboardInterrupt):
        read_all(folder, out, Readers(fail_after=3), Plan(), silent)
    begun = Corpus.open(out)
    assert (len(begun.texts), len(begun.chunks)) == (21, 3)
    again = Readers()
    read_all(folder, out, again, Plan(), silent)
    whole = Corpus.open(out)
    assert [text.key for text in whole.texts[:21]] == [text.key for text in begun.texts]
    assert [text for asked in again.asked for text in asked] == [text.text for text in whole.texts[21:]]
    assert whole.texts == queue(folder, Plan())
    scores = whole.scores(["strong"], layers=[1])["strong"]
    expected = Readers().score([text.text for text in whole.texts])["strong"]
    np.testing.assert_array_equal(scores.channels["logprob"], expected.channels["logprob"])
    np.testing.assert_array_equal(scores.states.means, expected.states.means[:, [1]])
    np.testing.assert_array_equal(scores.states.blocks, expected.states.blocks[:, [1]])
    assert scores.states.layers.tolist() == [1]
    assert whole.scores(["strong"], layers=[])["strong"].states is None


def test_a_chunk_that_is_missing_ends_the_corpus(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(read_corpus, "CHUNK", 7)
    out = tmp_path / "out"
    out.mkdir()
    read_all(folder, out, Readers(), Plan(), silent)
    (out / "chunk-0002.npz").unlink()
    assert len(Corpus.open(out).texts) == 14
