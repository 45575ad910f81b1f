"""Whatever bytes the readers of our own binary files are given: a value, or an error of theirs."""

import contextlib
import json
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ghostbuster.errors import GhostbusterError, InputError, ModelError
from ghostbuster.models.gguf.header import read_header
from ghostbuster.models.hub.pulled import RECORDS_VARIABLE, read_record
from ghostbuster.models.ngram.model import NgramModel
from ghostbuster.models.ngram.store import read_array, read_meta
from ghostbuster.reading.cache_codec import pack, unpack
from ghostbuster.tables.journal import MARK, Journal, Score, journal_path

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
NESTED = "[" * 100_000


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("parsers")


def edited(sound, edits):
    """``sound`` with bytes changed at places that wrap around."""
    raw = bytearray(sound)
    for at, byte in edits:
        raw[at % len(raw)] = byte
    return bytes(raw)


EDITS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), max_size=6)


@given(rest=st.binary(max_size=300))
def test_any_bytes_after_the_magic_are_a_header_or_damaged(place, rest):
    (place / "x.gguf").write_bytes(b"GGUF\3\0\0\0" + rest)
    with pytest.raises(ModelError, match="damaged GGUF"):
        read_header(place / "x.gguf")


STORED = pack({"weak": {"logprob": np.array([-1.5, 0], "<f4"), "": np.array([1, 2], "<i4")}})


@given(edits=EDITS, cut=st.integers(0, 200))
def test_any_changed_scores_unpack_or_are_damaged(edits, cut):
    plain = edited(zlib.decompress(STORED), edits)
    for data in (edited(STORED, edits)[:cut], zlib.compress(plain), zlib.compress(plain[:cut])):
        with contextlib.suppress(ValueError):
            assert all(isinstance(channels, dict) for channels in unpack(data).values())


@given(fields=JSON)
def test_any_header_of_scores_unpacks_or_is_damaged(fields):
    head = json.dumps(fields).encode()
    with contextlib.suppress(ValueError):
        assert isinstance(unpack(zlib.compress(len(head).to_bytes(4, "little") + head)), dict)


def test_scores_that_unpack_without_end_or_nest_without_end_are_damaged(monkeypatch):
    monkeypatch.setattr("ghostbuster.reading.cache_codec.MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="cut short, or too long"):
        unpack(zlib.compress(bytes(10**6)))
    monkeypatch.undo()
    with pytest.raises(ValueError, match="stored scores are damaged"):
        unpack(zlib.compress(len(NESTED).to_bytes(4, "little") + NESTED.encode()))


@given(edits=EDITS, cut=st.integers(0, 400))
def test_any_changed_array_is_an_array_or_damaged(place, edits, cut):
    np.save(place / "sound.npy", np.arange(9, dtype="u4"))
    path = place / "x.npy"
    path.write_bytes(edited((place / "sound.npy").read_bytes(), edits)[: cut or None])
    with contextlib.suppress(ModelError):
        assert read_array(path).ndim == 1


@pytest.mark.parametrize("name", ["archive", "pickle", "objects", "float", "negative", "huge", "empty"])
def test_arrays_of_other_kinds_are_damaged(tmp_path, name):
    path = tmp_path / "x.npy"
    made = {"objects": np.array([{}], object), "float": np.ones(3), "negative": np.array([-1])}
    if name == "archive":
        with path.open("wb") as stream:
            np.savez(stream, a=np.arange(3, dtype="u4"))
    elif name in made:
        np.save(path, made[name], allow_pickle=True)
    elif name == "huge":
        np.save(path, np.arange(3, dtype="u4"))
        path.write_bytes(path.read_bytes().replace(b"(3,)", b"(9999999999999,)"[:4]))
    else:
        path.write_bytes(b"\x80\x04cos\nsystem\n." if name == "pickle" else b"")
    with pytest.raises(ModelError, match="damaged"):
        read_array(path)


@given(meta=JSON)
def test_any_json_is_a_meta_file_or_damaged(place, meta):
    keys = ("schema", "tokenizer", "n_vocab", "bos", "discount")
    for content in (meta, dict.fromkeys(keys, meta), {"schema": 1, **dict.fromkeys(keys[1:], meta)}):
        (place / "meta.json").write_text(json.dumps(content))
        with pytest.raises(ModelError, match=r"expected|reads 1"):
            read_meta(place / "meta.json")


def test_a_meta_file_that_nests_without_end_is_damaged(tmp_path):
    (tmp_path / "meta.json").write_text(NESTED)
    with pytest.raises(ModelError, match="damaged"):
        read_meta(tmp_path / "meta.json")


def ngrams(folder, **arrays):
    """A bigram and a trigram model over four pieces; some of its arrays replaced."""
    sound = {
        "unigram": [2, 1, 1, 1],
        "bigram-contexts": [1],
        "bigram-totals": [3],
        "bigram-keys": [2, 3],
        "bigram-counts": [1, 2],
        "trigram-contexts": [6],
        "trigram-totals": [1],
        "trigram-keys": [3],
        "trigram-counts": [1],
    }
    for name, values in (sound | arrays).items():
        np.save(folder / f"{name}.npy", np.array(values, "u4"))
    meta = {"schema": 1, "tokenizer": "x", "n_vocab": 4, "bos": 1, "discount": 0.9}
    (folder / "meta.json").write_text(json.dumps(meta))
    return folder


SMALL = st.lists(st.integers(0, 20), max_size=4)
NAMES = [
    f"{order}-{part}" for order in ("bigram", "trigram") for part in ("contexts", "totals", "keys", "counts")
]


@settings(max_examples=60)
@given(arrays=st.dictionaries(st.sampled_from([*NAMES, "unigram"]), SMALL, max_size=3))
def test_any_counts_give_log_probs_or_are_damaged(place, arrays):
    try:
        model = NgramModel.load(ngrams(place, **arrays))
    except ModelError:
        return
    ids, offsets = np.array([0, 1, 2, 3, 3, 1, 2], np.int32), np.array([0, 4, 7])
    for order in (1, 3):
        logprob = model.logprob(ids, offsets, order=order)
        assert np.isfinite(logprob).all()
        assert (logprob <= 0).all()


def test_a_context_with_more_after_it_than_it_was_seen_is_damaged(tmp_path):
    with pytest.raises(ModelError, match="more after a context than it was seen"):
        NgramModel.load(ngrams(tmp_path, **{"bigram-totals": [1]}))


@given(edits=EDITS, cut=st.integers(0, 300))
def test_a_changed_journal_gives_its_sound_rows_or_is_refused(place, edits, cut):
    output = place / "out.csv"
    path = journal_path(output)
    path.unlink(missing_ok=True)
    identity = {"table": "abc", "detector": "def"}
    with Journal(output, identity) as journal:
        journal.append([Score(0.25, "human"), Score(None, None, "empty")])
        journal.append([Score(0.75, "machine")])
    path.write_bytes(edited(path.read_bytes(), edits)[: cut or None])
    try:
        with Journal(output, identity) as journal:
            rows = list(journal.scores()) if journal.n_rows else []
            assert len(rows) == journal.n_rows
            assert all(isinstance(row, Score) for row in rows)
    except GhostbusterError:
        pass


@pytest.mark.parametrize("identity", ["[]", "1", '"x"', "null", NESTED, "{"])
def test_a_journal_whose_header_is_something_else_is_refused(tmp_path, identity):
    journal_path(tmp_path / "out.csv").write_text(f"{MARK} {identity}\n")
    with pytest.raises(InputError, match="give --restart"):
        Journal(tmp_path / "out.csv", {"table": "abc"})


@pytest.mark.parametrize("line", ["{}", "[0, 5]", "[0, [[1, 2, 3, 4]]]", "[0]", NESTED, "[0, [7]]"])
def test_a_sound_checksum_of_something_else_is_no_row(tmp_path, line):
    output = tmp_path / "out.csv"
    with Journal(output, {"table": "abc"}) as journal:
        journal.append([Score(0.5, "human")])
    with journal_path(output).open("ab") as stream:
        stream.write(b"%08x %s\n" % (zlib.crc32(line.encode()), line.encode()))
    with Journal(output, {"table": "abc"}) as journal:
        assert journal.n_rows == 1


@given(content=JSON)
def test_any_json_is_a_record_or_refused(place, content):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(RECORDS_VARIABLE, str(place))
        for one in (content, {"name": content, "path": "\0", "size": content}):
            (place / "x.json").write_text(json.dumps(one))
            with pytest.raises(ModelError, match="is no record of a pulled model"):
                read_record("x")


def test_a_record_that_nests_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(RECORDS_VARIABLE, str(tmp_path))
    (tmp_path / "x.json").write_text(NESTED)
    with pytest.raises(ModelError, match="is no record of a pulled model"):
        read_record("x")
