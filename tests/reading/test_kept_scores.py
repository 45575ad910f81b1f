"""Token scores kept in a folder: the same numbers, whatever interrupts, and no others."""

import errno
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prose import passages

from ghostbuster.errors import InputError, SettingError
from ghostbuster.models.panel_choice import panel_of
from ghostbuster.reading.read import read
from ghostbuster.reading.scores import rows as tables
from ghostbuster.reading.scores.kept import KeptScores
from ghostbuster.reading.scores.manifest import FILE, Manifest, _digest, is_scores
from ghostbuster.reading.scores.panel_facts import PanelFacts
from ghostbuster.reading.scores.part import about, load_part
from ghostbuster.reading.scores.rows import ID, look
from ghostbuster.reading.scores.writer import ScoresWriter
from ghostbuster.system import atomic_files
from ghostbuster.tables.registry import open_reader

RUN = {"input": "one table", "weak model": "some model"}
N = 9


@pytest.fixture(scope="module", autouse=True)
def small_parts():
    """Parts of four rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "PART_ROWS", 4)
        yield


@pytest.fixture(scope="module")
def panel():
    return panel_of("embedded", state_layers="auto")


@pytest.fixture(scope="module")
def texts():
    made = passages(N, 12)
    made[2] = "  "  # a row without a word
    made[5] = "\u201cCaf\u00e9\u201d \u2014  and a   caf\u00e9\u2019s\u200b light."  # a disguise
    return made


@pytest.fixture(scope="module")
def table(texts, tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "nine.csv"
    pd.DataFrame({"text": texts, "label": [i % 2 for i in range(N)]}).to_csv(path, index=False)
    return path


class Counting:
    """A panel that counts the texts it reads, and can fail before some part."""

    def __init__(self, panel, fail_at=None):
        self.panel, self.read, self.calls, self.fail_at = panel, [], 0, fail_at

    def score(self, texts):
        self.calls += 1
        if self.calls == self.fail_at:
            raise KeyboardInterrupt
        self.read += texts
        return self.panel.score(texts)


def keep(panel, table, folder, run=RUN, restart=False, fail_at=None):
    """Read a table as the command does; what was read now."""
    counting = Counting(panel, fail_at)
    with ScoresWriter(folder, run, restart=restart) as writer:
        writer.begin(open_reader(table, ID, "text"), "text", PanelFacts.of(panel, "embedded"))
        for rows in writer.rows(writer.missing()):
            writer.put(rows.number, rows.read(counting))
    return counting.read


@pytest.fixture(scope="module")
def made(panel, table, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores") / "made"
    keep(panel, table, folder)
    return folder


@pytest.fixture
def copy(made, tmp_path):
    return shutil.copytree(made, tmp_path / "copy")


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def same(found, expected):
    """Readings equal to the bit."""
    assert found.prepared == expected.prepared
    assert list(found.vectors.channels) == list(expected.vectors.channels)
    for name, values in expected.vectors.channels.items():
        assert found.vectors.channels[name].tobytes() == values.tobytes(), name
    assert found.vectors.offsets.tolist() == expected.vectors.offsets.tolist()
    assert found.n_tokens.tolist() == expected.n_tokens.tolist()
    assert found.ends.tolist() == expected.ends.tolist()
    assert found.vectors.states.keys() == expected.vectors.states.keys()
    for name, states in expected.vectors.states.items():
        assert found.vectors.states[name].layers.tolist() == states.layers.tolist()
        assert found.vectors.states[name].means.tobytes() == states.means.tobytes()


def test_a_reading_of_kept_scores_is_that_of_the_models_bit_for_bit(panel, made, texts):
    same(KeptScores.open(made).reading(texts, states=True), read(texts, panel))


def test_texts_are_found_in_any_order_and_twice(panel, made, texts):
    chosen = [texts[i] for i in (7, 0, 5, 0, 8)]
    same(KeptScores.open(made).reading(chosen, states=True), read(chosen, panel))


def test_hidden_states_are_left_where_they_are_not_wanted(made, texts):
    reading = KeptScores.open(made).reading(texts, states=False)
    assert reading.vectors.states == {}
    same(reading, read(texts, panel_of("embedded", state_layers=())))


def test_words_are_aligned_where_the_models_have_different_tokens(texts, copy):
    """As for a panel whose models have different vocabularies: its facts say so."""
    kept = KeptScores.open(copy)
    facts = Manifest.read(copy).panel
    assert facts.shared_tokenizer
    by_word = PanelFacts(**{**vars(facts), "shared_tokenizer": False})
    kept = KeptScores(copy, Manifest(**{**vars(kept.manifest), "panel": by_word}))
    assert kept.reading(texts[:1], states=False).vectors.lengths.tolist() == [12]


def test_a_part_is_a_table_that_anybody_can_open(made, panel):
    frame = pd.read_parquet(made / "part-00001.parquet")
    assert frame["row"].tolist() == [5, 6, 7, 8]
    scores = panel.score([frame["text"][1]])
    assert frame["strong.logprob"][1].tolist() == scores["strong"].channels["logprob"].tolist()
    words = [frame["text"][1][:end] for end in frame["strong.ends"][1]]
    assert words[-1] == frame["text"][1] == '"Caf\u00e9" - and a caf\u00e9\'s light.'


def test_parts_say_what_they_hold(made):
    said = [about(made / f"part-{number:05d}.parquet") for number in range(3)]
    assert [one.n_texts for one in said] == [4, 4, 1]
    assert [one.n_faults for one in said] == [1, 0, 0]
    assert said[0].faults == ((3, "column 'text' is blank; expected a text"),)
    assert {one.manifest for one in said} == {Manifest.read(made).digest}


@given(st.lists(st.text(st.sampled_from("ab "), max_size=30), min_size=1, max_size=40))
def test_every_row_is_in_one_part_whatever_the_texts(tmp_path_factory, listed):
    listed = ["a", *listed]  # a table of blank texts is refused
    path = tmp_path_factory.mktemp("t") / "t.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in listed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "PART_CHARACTERS", 40)
        first_rows = look(open_reader(path, ID, "text"), "text").first_rows
    assert first_rows[0] == 0
    assert first_rows[-1] == len(listed)
    sizes = np.diff(first_rows)
    assert sizes.min() >= 1
    assert sizes.max() <= 4


@pytest.mark.parametrize("fail_at", [1, 2, 3])
def test_an_interrupted_run_goes_on_and_ends_in_the_same_bytes(panel, table, made, tmp_path, fail_at):
    folder = tmp_path / "scores"
    with pytest.raises(KeyboardInterrupt):
        keep(panel, table, folder, fail_at=fail_at)
    with pytest.raises(InputError, match=f"not complete: {4 - fail_at} of 3 parts missing"):
        KeptScores.open(folder)
    assert len(keep(panel, table, folder)) == N - 4 * (fail_at - 1)
    assert files(folder) == files(made)


def test_what_a_killed_process_left_is_cleared_away(panel, table, made, copy):
    for name in (".part-00001-abc.parquet", ".table-abc.csv", f".{FILE[:-5]}-abc.json"):
        (copy / name).write_bytes(b"half")
    (copy / "table.csv").unlink()  # killed before it was renamed
    assert keep(panel, table, copy) == []
    assert files(copy) == files(made)


def test_a_run_that_ended_before_its_manifest_leaves_a_folder_to_begin_in(panel, table, made, tmp_path):
    folder = tmp_path / "scores"
    folder.mkdir()
    (folder / ".lock").touch()
    (folder / ".table-abc.csv").write_bytes(b"half")
    keep(panel, table, folder)
    assert files(folder) == files(made)


@pytest.mark.parametrize("damage", ["cut", "empty", "foreign", "gone"])
def test_a_part_that_is_cut_short_or_of_another_run_is_read_again(panel, table, made, copy, damage):
    part = copy / "part-00001.parquet"
    if damage == "foreign":
        keep(panel, table, copy.parent / "other", run=RUN | {"device": "another"})
        shutil.copy(copy.parent / "other" / part.name, part)
    elif damage == "gone":
        part.unlink()
    else:
        part.write_bytes(part.read_bytes()[: -20 if damage == "cut" else 0])
    with pytest.raises(InputError, match=r"1 of 3 parts missing, cut short or of another run.*00001"):
        KeptScores.open(copy)
    assert len(keep(panel, table, copy)) == 4
    assert files(copy) == files(made)


def test_a_part_under_another_number_is_not_taken_for_it(copy):
    shutil.copy(copy / "part-00000.parquet", copy / "part-00002.parquet")
    with pytest.raises(InputError, match="not complete"):
        KeptScores.open(copy)


@given(st.data())
def test_any_byte_changed_in_a_part_is_noticed_or_changes_nothing(made, tmp_path_factory, data):
    sound = (made / "part-00002.parquet").read_bytes()
    at = data.draw(st.integers(0, len(sound) - 1))
    flipped = bytes([sound[at] ^ data.draw(st.integers(1, 255))])
    path = tmp_path_factory.mktemp("flip") / "part.parquet"
    path.write_bytes(sound[:at] + flipped + sound[at + 1 :])
    layers = Manifest.read(made).panel.state_layers
    expected = load_part(made / "part-00002.parquet", layers)
    said = about(path)
    if said != about(made / "part-00002.parquet"):
        return  # found by what the manifest says
    try:
        found = load_part(path, layers)
    except InputError:
        return
    assert found.texts == expected.texts
    for source, scores in expected.scores.items():
        for channel, values in scores.channels.items():
            assert found.scores[source].channels[channel].tobytes() == values.tobytes()


def test_a_manifest_that_was_edited_is_refused(copy):
    text = (copy / FILE).read_text()
    (copy / FILE).write_text(text.replace('"name": "embedded"', '"name": "standard"'))
    with pytest.raises(InputError, match=r"changed or is damaged.*digest does not fit"):
        KeptScores.open(copy)


def test_a_manifest_with_a_new_digest_fits_no_part(copy):
    state = json.loads((copy / FILE).read_text())
    del state["digest"]
    state["panel"]["fingerprints"]["weak"] = "0" * 64
    (copy / FILE).write_text(json.dumps(state | {"digest": _digest(state)}))
    with pytest.raises(InputError, match="3 of 3 parts missing, cut short or of another run"):
        KeptScores.open(copy)


@pytest.mark.parametrize(
    "change",
    [
        {"table": "../../etc/passwd"},
        {"table": 3},
        {"first_rows": [0, 5, 3]},
        {"first_rows": [0]},
        {"first_rows": [0, 4.5]},
        {"first_rows": "abc"},
        {"panel": []},
        {"run": None},
    ],
)
def test_a_manifest_of_a_stranger_is_refused_in_words(copy, change):
    state = json.loads((copy / FILE).read_text()) | change
    del state["digest"]
    (copy / FILE).write_text(json.dumps(state | {"digest": _digest(state)}))
    with pytest.raises(InputError, match="changed or is damaged"):
        KeptScores.open(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"layout": 1}', "[" * 5000, "\udcff"])
def test_a_manifest_that_is_none_is_refused_in_words(copy, text):
    (copy / FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match="changed or is damaged"):
        KeptScores.open(copy)


def test_scores_of_another_layout_are_refused_by_name(copy):
    state = json.loads((copy / FILE).read_text())
    (copy / FILE).write_text(json.dumps(state | {"layout": 2}))
    with pytest.raises(InputError, match="is of layout 2, this version knows 1: read the table again"):
        KeptScores.open(copy)


def test_another_table_panel_or_setting_is_refused_by_name(panel, table, copy):
    for name in RUN:
        with pytest.raises(SettingError, match=f"with another {name} .*--restart"):
            keep(panel, table, copy, run=RUN | {name: "another"})
    assert is_scores(copy)


def test_restart_forgets_what_was_read(panel, table, copy):
    assert len(keep(panel, table, copy, run=RUN | {"input": "another"}, restart=True)) == N
    KeptScores.open(copy)


def test_two_processes_do_not_write_one_folder(panel, table, copy):
    with ScoresWriter(copy, RUN), pytest.raises(InputError, match="being written by another process"):
        keep(panel, table, copy)
    keep(panel, table, copy)


def test_labels_may_be_corrected_beside_the_scores_and_texts_may_not(copy, texts):
    rows = pd.read_csv(copy / "table.csv", dtype=str)
    rows.assign(label="0").to_csv(copy / "table.csv", index=False)
    kept = KeptScores.open(copy)
    kept.reading(texts, states=False)
    with pytest.raises(InputError, match=r"row 12 of .*table.csv: its text was not read"):
        kept.reading([texts[0], "Another text."], states=False, rows=[11, 12])


def test_a_table_that_was_changed_while_it_is_read_is_refused(panel, table, copy):
    (copy / "part-00001.parquet").unlink()
    rows = pd.read_csv(copy / "table.csv", dtype=str)
    rows[:5].to_csv(copy / "table.csv", index=False)
    with pytest.raises(InputError, match="holds other texts than were begun with"):
        keep(panel, table, copy)


def test_a_full_disk_keeps_the_parts_before_and_leaves_no_half(panel, table, made, tmp_path, monkeypatch):
    folder, real = tmp_path / "scores", atomic_files.publish

    def full(temporary, path):
        if path.name == "part-00001.parquet":
            raise OSError(errno.ENOSPC, "No space left on device")
        real(temporary, path)

    with monkeypatch.context() as patch:
        patch.setattr(atomic_files, "publish", full)
        with pytest.raises(InputError, match="No space left on device"):
            keep(panel, table, folder)
    assert sorted(files(folder)) == [FILE, "part-00000.parquet", "table.csv"]
    assert len(keep(panel, table, folder)) == N - 4
    assert files(folder) == files(made)


def test_a_folder_of_something_else_is_left_alone(panel, table, tmp_path):
    (tmp_path / "thesis.docx").write_text("mine")
    with pytest.raises(InputError, match=r"something else than token scores \(thesis.docx\)"):
        keep(panel, table, tmp_path)
    with pytest.raises(InputError, match="is a file"):
        keep(panel, table, table)
    with pytest.raises(InputError, match="no folder: make it first"):
        keep(panel, table, tmp_path / "no" / "scores")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_table_without_a_text_is_refused_and_leaves_nothing(panel, tmp_path):
    path = tmp_path / "blank.csv"
    path.write_text("text,label\n,1\n ,0\n")
    with pytest.raises(InputError, match=r"none of the 2 rows .*blank.csv can be used; row 1: .* is blank"):
        keep(panel, path, tmp_path / "scores")
    rows = tmp_path / "numbers.jsonl"
    rows.write_text('{"text": 1}\n{"text": null}\n')
    with pytest.raises(InputError, match=r"none of the 2 rows of .*numbers.jsonl can be used; row 1"):
        keep(panel, rows, tmp_path / "scores")
    assert not (tmp_path / "scores").exists()


def test_what_a_folder_holds_is_counted(made, copy):
    with ScoresWriter(copy, RUN) as writer:
        found = writer.summary()
    frames = [pd.read_parquet(path) for path in sorted(made.glob("part-*"))]
    assert found.n_tokens == sum(map(len, pd.concat(frames)["strong.ends"]))
    assert (found.n_rows, found.n_texts, found.n_parts, found.n_faults) == (N, N - 1, 3, 1)
    assert found.n_bytes == sum(path.stat().st_size for path in made.glob("part-*"))
    assert found.bytes_a_token == found.n_bytes / found.n_tokens


def test_a_text_that_preparing_leaves_nothing_of_is_a_fault_too(panel, tmp_path):
    path = tmp_path / "marks.jsonl"
    path.write_text('{"text": "\u200b\u200b"}\n{"text": "A word."}\n')
    keep(panel, path, tmp_path / "scores")
    said = about(tmp_path / "scores" / "part-00000.parquet")
    assert said.faults == ((1, "column 'text' holds no word; expected a text"),)
