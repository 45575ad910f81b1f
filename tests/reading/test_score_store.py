"""What is remembered of texts: bit for bit, bounded, shared, and never a reason to fail."""

import os
import sqlite3
import stat
import subprocess
import sys
import time
import types

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ghostbuster.errors import SettingError
from ghostbuster.models.panel import open_panel
from ghostbuster.reading.cache import cached_scores, panel_key, remember_scores
from ghostbuster.reading.cache_codec import join, pack, split, unpack
from ghostbuster.reading.cache_db import LAYOUT, CacheError, ScoreCache, _write_ahead, remove, size_limit

TEXTS = ["The harbour was quiet that morning.", "", "Nobody had asked for more, and café or not, none came."]
VALUES = st.one_of(
    *(
        hnp.arrays(dtype, st.integers(0, 20), elements=elements)
        for dtype, elements in [
            (np.float32, st.floats(width=32, allow_nan=False)),
            (np.float64, st.floats(allow_nan=False)),
            (np.int32, st.integers(-(2**31), 2**31 - 1)),
            (np.int64, st.integers(-(2**63), 2**63 - 1)),
        ]
    )
)


@pytest.fixture(scope="module")
def panel():
    return open_panel()


def same(found, expected):
    """Equal to the bit, sources and channels in order."""
    assert list(found) == list(expected)
    for name, source in expected.items():
        assert list(found[name].channels) == list(source.channels)
        for channel, values in source.channels.items():
            assert found[name].channels[channel].dtype == values.dtype
            assert found[name].channels[channel].tobytes() == values.tobytes()
        assert found[name].ends.tolist() == source.ends.tolist()
        assert found[name].offsets.tolist() == source.offsets.tolist()


def silent(message):
    raise AssertionError(message)


@given(
    st.dictionaries(st.text(max_size=5), st.dictionaries(st.text(max_size=5), VALUES, min_size=1), min_size=1)
)
def test_packed_scores_come_back_bit_for_bit(scores):
    found = unpack(pack(scores))
    assert list(found) == list(scores)
    for source, channels in scores.items():
        assert {k: (v.dtype, v.tobytes()) for k, v in found[source].items()} == {
            k: (v.dtype, v.tobytes()) for k, v in channels.items()
        }


@given(st.binary(max_size=60), st.integers(0, 200), st.integers(0, 255))
def test_damaged_bytes_are_refused_or_read_as_arrays(noise, place, value):
    good = bytearray(pack({"strong": {"logprob": np.arange(9, dtype=np.float32)}}))
    good[place % len(good)] = value
    for data in (noise, bytes(good), bytes(good[: place % len(good)])):
        try:
            scores = unpack(data)
        except ValueError as error:
            assert "stored scores are damaged" in str(error)  # noqa: PT017
        else:
            assert scores["strong"]["logprob"].tolist() == list(range(9))


def test_scores_of_texts_split_and_join_to_what_they_were(panel):
    scores = panel.score(TEXTS)
    same(join(split(scores)), scores)


def test_remembered_scores_equal_fresh_ones_and_ask_no_model(panel, tmp_path, monkeypatch):
    fresh = panel.score([*TEXTS, TEXTS[0]])
    with remember_scores(tmp_path, tell=silent):
        same(cached_scores(panel, [*TEXTS, TEXTS[0]], None), fresh)
    monkeypatch.setattr(type(panel), "score", lambda *_: pytest.fail("a model was asked"))
    with remember_scores(tmp_path, tell=silent):
        same(cached_scores(panel, [*TEXTS, TEXTS[0]], None), fresh)


def test_only_texts_that_are_not_remembered_are_scored_each_once(panel, tmp_path, monkeypatch):
    expected = panel.score([TEXTS[2], TEXTS[0], TEXTS[2]])
    asked, score = [], type(panel).score

    def watched(self, texts, progress=None):
        asked.extend(texts)
        return score(self, texts, progress)

    with remember_scores(tmp_path, tell=silent):
        cached_scores(panel, [TEXTS[0]], None)
        monkeypatch.setattr(type(panel), "score", watched)
        same(cached_scores(panel, [TEXTS[2], TEXTS[0], TEXTS[2]], None), expected)
    assert asked == [TEXTS[2]]


def test_progress_tells_tokens_of_all_pieces_that_are_scored(panel, tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.reading.cache.BATCH_CHARACTERS", 1)
    told = []
    with remember_scores(tmp_path, tell=silent):
        cached_scores(panel, TEXTS, lambda *numbers: told.append(numbers))
    n_tokens = panel.strong.weights.tokenise(TEXTS).ids.size
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1] == (n_tokens, n_tokens)
    assert {total for _, total in told} == {n_tokens}


def test_outside_the_block_nothing_is_remembered(panel, tmp_path):
    with remember_scores(tmp_path, tell=silent):
        pass
    cached_scores(panel, TEXTS, None)
    store = ScoreCache(tmp_path / "scores.sqlite", tell=silent)
    assert store.info().n_texts == 0
    store.close()


def test_no_text_stands_in_the_files_and_only_their_owner_can_read_them(panel, tmp_path):
    with remember_scores(tmp_path / "cache", tell=silent):
        cached_scores(panel, TEXTS, None)
        files = list((tmp_path / "cache").iterdir())
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        for file in files:
            assert b"harbour" not in file.read_bytes()


def test_other_models_have_other_keys(panel):
    key = panel_key(panel)
    assert panel_key(panel) == key

    class Other:
        weak, strong, tokenizers = panel.weak, panel.strong, panel.tokenizers
        fingerprints = types.MappingProxyType({**panel.fingerprints, "trigram": "0" * 64})

    assert panel_key(Other) != key


def test_the_least_recently_used_make_room(tmp_path):
    path, blob = tmp_path / "s.sqlite", os.urandom(10_000)
    for i in range(30):  # every opening is a later time
        store = ScoreCache(path, limit=200_000, tell=silent)
        store.put({b"%d" % i: blob})
        assert store.get([b"0"])  # used again each time
        assert store.info().size <= 200_000
        store.close()
    store = ScoreCache(path, limit=200_000, tell=silent)
    kept = [i for i in range(30) if store.get([b"%d" % i])]
    assert kept[0] == 0
    assert 29 in kept
    assert kept[1:] == list(range(kept[1], 30))  # the others in the order of their use
    assert len(kept) < 20
    store.close()


def test_a_blob_too_large_for_the_store_is_not_kept(tmp_path):
    store = ScoreCache(tmp_path / "s.sqlite", limit=100_000, tell=silent)
    store.put({b"large": bytes(50_000), b"small": b"x"})
    assert store.get([b"large", b"small"]) == {b"small": b"x"}
    store.close()


def test_a_damaged_database_is_put_aside_with_one_line(tmp_path):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"no database at all" * 1000)
    told = []
    store = ScoreCache(path, tell=told.append)
    store.put({b"k": b"v"})
    assert store.get([b"k"]) == {b"k": b"v"}
    assert len(told) == 1
    assert "was damaged" in told[0]
    assert path.with_suffix(".damaged").read_bytes().startswith(b"no database")
    store.close()


def test_damage_that_shows_only_in_use_is_put_aside_too(tmp_path):
    path = tmp_path / "s.sqlite"
    store = ScoreCache(path, tell=silent)
    store.put({b"%d" % i: os.urandom(3000) for i in range(200)})
    store.close()
    data = bytearray(path.read_bytes())
    data[4096 * 2 :] = os.urandom(len(data) - 4096 * 2)
    path.write_bytes(data)
    told = []
    store = ScoreCache(path, tell=told.append)
    store.get([b"%d" % i for i in range(200)])
    store.put({b"k": b"v"})
    assert store.get([b"k"]) == {b"k": b"v"}
    assert len(told) == 1
    store.close()


def test_a_database_of_another_layout_is_left_alone_with_one_line(tmp_path):
    path = tmp_path / "s.sqlite"
    with sqlite3.connect(path) as other:
        other.execute(f"PRAGMA user_version = {LAYOUT + 1}")
    other.close()
    before, told = path.read_bytes(), []
    store = ScoreCache(path, tell=told.append)
    store.put({b"k": b"v"})
    assert store.get([b"k"]) == {}
    assert len(told) == 1
    assert f"layout is {LAYOUT + 1}" in told[0]
    assert path.read_bytes() == before
    with pytest.raises(CacheError, match="cannot be used"):
        store.info()


def test_a_locked_database_is_done_without_after_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("ghostbuster.reading.cache_db.LOCK_TIMEOUT", 0.05)
    path, told = tmp_path / "s.sqlite", []
    store = ScoreCache(path, tell=told.append)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    store.put({b"k": b"v"})
    assert store.get([b"k"]) == {}
    assert len(told) == 1
    assert "locked" in told[0]
    other.close()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_written_is_done_without(tmp_path):
    tmp_path.chmod(0o500)
    told = []
    assert ScoreCache(tmp_path / "none" / "s.sqlite", tell=told.append).get([b"k"]) == {}
    assert len(told) == 1


def test_a_file_in_place_of_the_folder_is_done_without(tmp_path):
    (tmp_path / "file").write_text("mine")
    told = []
    store = ScoreCache(tmp_path / "file" / "s.sqlite", tell=told.append)
    assert store.get([b"k"]) == {}
    assert len(told) == 1
    assert "not remembered" in told[0]


def test_a_failing_store_in_python_is_a_warning_and_the_scores_are_whole(panel, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.warns(RuntimeWarning, match="not remembered"), remember_scores(tmp_path / "file"):
        same(cached_scores(panel, TEXTS, None), panel.score(TEXTS))


WRITER = """
import sys
from pathlib import Path
from ghostbuster.reading.cache_db import ScoreCache
told = []
store = ScoreCache(Path(sys.argv[1]), tell=told.append)
print("ready", flush=True)
sys.stdin.readline()
for i in range(40):
    store.put({f"{sys.argv[2]}-{i}-{j}".encode(): bytes([i]) * 500 for j in range(5)})
    assert store.get([f"{sys.argv[2]}-{i}-0".encode()])
assert not told, told
"""


def test_several_processes_write_to_one_store_and_nothing_is_lost(tmp_path):
    path = tmp_path / "s.sqlite"
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "abc"
    ]  # they also make it together
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.communicate("\n")
        assert writer.returncode == 0
    store = ScoreCache(path, tell=silent)
    assert store.info().n_texts == 3 * 40 * 5
    store.close()


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    store = ScoreCache(tmp_path / "s.sqlite", tell=silent)
    monkeypatch.setattr(time, "time", lambda: -1e9)
    store.put({b"k": b"v"})
    assert store.get([b"k"]) == {b"k": b"v"}
    store.close()


@pytest.mark.parametrize(
    ("given", "limit"), [("", 2 * 2**30), ("1000", 1000), ("500M", 500 * 2**20), ("4 GiB", 4 * 2**30)]
)
def test_the_limit_is_a_number_of_bytes_with_or_without_unit(monkeypatch, given, limit):
    monkeypatch.setenv("GHOSTBUSTER_CACHE_LIMIT", given)
    assert size_limit() == limit


def test_a_limit_that_is_no_size_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("GHOSTBUSTER_CACHE_LIMIT", "lots")
    with (
        pytest.raises(SettingError, match="GHOSTBUSTER_CACHE_LIMIT='lots' is no size"),
        remember_scores(tmp_path),
    ):
        pass


def test_removing_takes_every_file_with_it_and_needs_none(tmp_path):
    path = tmp_path / "s.sqlite"
    store = ScoreCache(path, tell=silent)
    store.put({b"k": bytes(5000)})
    path.with_suffix(".damaged").write_bytes(b"old")
    assert remove(path) > 5000
    store.close()
    assert list(tmp_path.iterdir()) == []
    assert remove(path) == 0


def test_a_file_that_cannot_be_deleted_is_named(tmp_path):
    (tmp_path / "s.sqlite").mkdir()
    with pytest.raises(CacheError, match=r"s\.sqlite cannot be deleted"):
        remove(tmp_path / "s.sqlite")


def test_a_write_that_fails_half_way_leaves_nothing_of_it(tmp_path):
    store = ScoreCache(tmp_path / "s.sqlite", tell=(told := []).append)
    store.put({b"kept": b"1"})
    with sqlite3.connect(tmp_path / "s.sqlite") as other:  # the disk is full at the second row
        other.execute(
            "CREATE TRIGGER full BEFORE INSERT ON scores WHEN NEW.key = x'62' "
            "BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
    other.close()
    store.put({b"a": b"2", b"b": b"3"})
    assert len(told) == 1
    assert "database or disk is full" in told[0]
    again = ScoreCache(tmp_path / "s.sqlite", tell=silent)
    assert again.get([b"kept", b"a", b"b"]) == {b"kept": b"1"}
    again.close()


def test_who_asks_for_the_store_itself_is_told_why_it_cannot_be_used(tmp_path):
    store = ScoreCache(tmp_path / "s.sqlite", tell=silent)
    with sqlite3.connect(tmp_path / "s.sqlite") as other:
        other.execute("DROP TABLE scores")
    other.close()
    with pytest.raises(CacheError, match=r"s\.sqlite cannot be used now \(no such table: scores\)"):
        store.info()
    store.close()


def test_a_damaged_database_that_cannot_be_put_aside_is_done_without(tmp_path):
    path = tmp_path / "s.sqlite"
    path.write_bytes(b"no database at all" * 1000)
    path.with_suffix(".damaged").mkdir()  # what stands there is no file to be replaced
    told = []
    store = ScoreCache(path, tell=told.append)
    store.put({b"k": b"v"})
    assert store.get([b"k"]) == {}
    assert len(told) == 1
    assert "is damaged and cannot be replaced" in told[0]
    assert path.read_bytes().startswith(b"no database")


def test_processes_that_begin_together_wait_for_each_other(tmp_path, monkeypatch):
    path = tmp_path / "s.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE x (y)")
    other.execute("BEGIN EXCLUSIVE")  # an old journal, held: nobody can change the mode
    naps = []

    def nap(seconds):
        naps.append(seconds)
        if len(naps) == 3:
            other.execute("ROLLBACK")

    monkeypatch.setattr("ghostbuster.reading.cache_db.sleep", nap)
    with sqlite3.connect(path, timeout=0) as mine:
        _write_ahead(mine)
        assert mine.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert len(naps) == 3
    other.close()
    mine.close()


def test_a_store_smaller_than_its_own_empty_tables_keeps_nothing_and_ends(tmp_path):
    store = ScoreCache(tmp_path / "s.sqlite", limit=100, tell=silent)
    store.put({b"k": b""})
    assert store.get([b"k"]) == {}
    assert store.info().n_texts == 0
    store.close()


def test_scores_that_were_damaged_on_the_disk_are_scored_again(panel, tmp_path):
    with remember_scores(tmp_path, tell=silent):
        cached_scores(panel, TEXTS, None)
    with sqlite3.connect(tmp_path / "scores.sqlite") as other:
        other.execute("UPDATE scores SET data = CAST(x'00' || substr(data, 2) AS BLOB)")
    other.close()
    with remember_scores(tmp_path, tell=silent):
        same(cached_scores(panel, TEXTS, None), panel.score(TEXTS))
    store = ScoreCache(tmp_path / "scores.sqlite", tell=silent)
    with sqlite3.connect(store.path) as other:
        (n_damaged,) = other.execute(
            "SELECT count(*) FROM scores WHERE substr(data, 1, 1) = x'00'"
        ).fetchone()
    other.close()
    store.close()
    assert n_damaged == 0
