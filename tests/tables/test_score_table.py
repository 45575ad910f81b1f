"""Tables scored a piece at a time: interrupted, resumed, faulty, of every kind, and alike to the byte."""

import csv
import io
import json
import os
import random
import subprocess
import sys
import tracemalloc

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command_line import one_line, run
from hypothesis import given
from hypothesis import strategies as st
from prose import passages, shuffled
from table_jobs import job_of, lengths, scored

from ghostbuster.errors import InputError, SettingError
from ghostbuster.tables.journal import Journal, Score, journal_path
from ghostbuster.tables.survey import survey

SUFFIXES = ("csv", "tsv", "jsonl", "parquet")
CELLS = st.text(st.characters(codec="utf-8"), max_size=20)


def table_of(path, texts, **columns):
    """A table file of any kind."""
    from ghostbuster.tables.table import write_table

    write_table(pd.DataFrame({"id": [f"{i:03d}" for i in range(len(texts))], "text": texts, **columns}), path)
    return path


# what is kept


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_cells_of_csv_files_stay_what_they_are_whatever_they_hold(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("csv")
    with (folder / "in.csv").open("w", encoding="utf-8", newline="") as handle:
        csv.writer(handle, quoting=csv.QUOTE_ALL).writerows([["note", "text"], *rows])
    output = scored(job_of(folder / "in.csv", folder / "out.csv"))
    with output.open(encoding="utf-8", newline="") as handle:
        found = list(csv.reader(handle))
    assert found[0] == ["note", "text", "probability", "label"]
    assert [tuple(row[:2]) for row in found[1:]] == rows
    assert [float(row[2]) for row in found[1:]] == [len(text) / 1000 for _, text in rows]


def test_parquet_keeps_types_metadata_and_order(tmp_path):
    table = pa.table(
        {
            "when": pa.array([0, None, 1], pa.timestamp("ns", "UTC")),
            "text": ["a", "bb", "ccc"],
            "small": pa.array([1, None, 3], pa.int8()),
            "tags": pa.array([["x"], [], None], pa.list_(pa.string())),
            "kind": pa.array(["p", "q", "p"]).dictionary_encode(),
        }
    ).replace_schema_metadata({"made by": "hand"})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=2)
    output = scored(job_of(tmp_path / "in.parquet", tmp_path / "out.parquet"))
    found = pq.read_table(output)
    assert found.select(table.column_names).equals(table)
    assert found.schema.metadata[b"made by"] == b"hand"
    assert found["probability"].to_pylist() == [0.001, 0.002, 0.003]
    assert found["label"].to_pylist() == ["machine", "human", "machine"]


@pytest.mark.parametrize("source", SUFFIXES)
@pytest.mark.parametrize("output", SUFFIXES)
def test_every_kind_can_become_every_other(tmp_path, source, output):
    from ghostbuster.tables.table import read_table

    texts = ["Plain.", 'With "quotes", commas\nand lines', "naïve 😀"]
    made = scored(job_of(table_of(tmp_path / f"in.{source}", texts), tmp_path / f"out.{output}"))
    found = read_table(made)
    assert list(found.columns) == ["id", "text", "probability", "label"]
    assert found["text"].tolist() == texts
    assert found["id"].tolist() == ["000", "001", "002"]
    assert [float(p) for p in found["probability"]] == [len(text) / 1000 for text in texts]


def test_values_of_json_lines_become_the_narrowest_parquet_types(tmp_path):
    rows = [
        {"text": "a", "n": 1, "mixed": 1, "list": [1], "empty": {}},
        {"text": "b", "n": 2.5, "mixed": "one", "list": [], "late": True},
        {"text": "c", "mixed": {"x": None}},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = pq.read_table(scored(job_of(tmp_path / "in.jsonl", tmp_path / "out.parquet")))
    assert found["n"].to_pylist() == [1.0, 2.5, None]
    assert found["mixed"].to_pylist() == ["1", "one", '{"x": null}']
    assert found["list"].to_pylist() == [[1], [], None]
    assert found["empty"].to_pylist() == ["{}", None, None]
    assert found["late"].to_pylist() == [None, True, None]


# rows that hold no text


def test_rows_without_text_are_kept_named_and_counted_in_the_exit_code(capsys, detector_file, tmp_path):
    text = passages(1, 60)[0]
    lines = [
        json.dumps({"text": text}),
        '{"text": null, "id": 7}',
        '{"text": ',
        "[1]",
        '{"id": 1}',
        '{"text": 3}',
    ]
    (tmp_path / "in.jsonl").write_bytes("\n".join(lines).encode() + b'\n{"text": "\xff"}\n')
    code, out, err = run(
        capsys, "score-table", tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", "-m", detector_file
    )
    rows = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert (code, out) == (1, "")
    assert len(rows) == 7
    assert 0 < rows[0]["probability"] < 1
    assert rows[0]["error"] is None
    assert rows[1] == {
        "text": None,
        "id": 7,
        "probability": None,
        "label": None,
        "error": "column 'text' holds nothing; expected a text",
    }
    assert rows[2]["error"].endswith(': {"text":')
    assert rows[3]["error"] == "no JSON object: [1]"
    assert rows[4]["error"].startswith("no column 'text'")
    assert "holds int" in rows[5]["error"]
    assert rows[6]["error"].startswith("not UTF-8 (byte 0xff at 11)")
    said = err.splitlines()
    assert len(said) == 6
    for number, line in enumerate(said, start=2):
        assert line.startswith(f"ghostbuster: error: row {number} of ")


def test_bytes_that_are_no_utf_8_pass_through_csv_files_as_they_are(tmp_path):
    (tmp_path / "in.csv").write_bytes(b"name,text\ncaf\xe9,good words\nok,bad \xff byte\n")
    output = scored(job_of(tmp_path / "in.csv", tmp_path / "out.csv"))
    assert output.read_bytes() == (
        b"name,text,probability,label,error\n"
        b"caf\xe9,good words,0.01,human,\n"
        b"ok,bad \xff byte,,,column 'text' is not UTF-8 (byte 0xff at character 5); expected a text\n"
    )
    found = scored(job_of(tmp_path / "in.csv", tmp_path / "out.jsonl")).read_text("utf-8")
    assert json.loads(found.splitlines()[0])["name"] == "caf\udce9"


def test_rows_with_too_few_or_too_many_cells_lose_nothing(tmp_path):
    (tmp_path / "in.csv").write_text('text,id\none,1\ntwo\nthree,3,more,"and, more"\n')
    with scored(job_of(tmp_path / "in.csv", tmp_path / "out.csv")).open(newline="") as handle:
        rows = list(csv.reader(handle))
    assert rows[1][:4] == ["one", "1", "0.003", "machine"]
    assert rows[2] == ["two", "", "", "", "1 cell; expected 2, as in the header"]
    assert rows[3][:2] == ["three", "3"]
    assert rows[3][4].endswith('; beyond them: ["more", "and, more"]')


def test_half_characters_of_json_stay_the_escapes_they_were(tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "half \\ud83d"}\n{"text": "ok", "note": "\\udcff"}\n')
    output = scored(job_of(tmp_path / "in.jsonl", tmp_path / "out.jsonl"))
    rows = [json.loads(line) for line in output.read_text("utf-8").splitlines()]
    assert rows[0]["text"] == "half \ud83d"
    assert "half a character" in rows[0]["error"]
    assert (rows[1]["note"], rows[1]["probability"]) == ("\udcff", 0.002)


def test_many_faults_are_told_in_few_lines(capsys, detector_file, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": null}\n' * 30)
    arguments = ["score-table", tmp_path / "in.jsonl", "-o", tmp_path / "out.csv", "-m", detector_file]
    code, _, err = run(capsys, *arguments)
    assert code == 1
    assert len(err.splitlines()) == 11
    assert "20 more rows" in err


MALFORMED = {
    "quotes.csv": (b'text\n"never closed\n', "row 1 opens a quote that is never closed"),
    "later.csv": (b'text,id\na,1\nb,"2\nc,3\n', "row 2 opens a quote that is never closed"),
    "nothing.csv": (b"", "no header"),
    "header.csv": (b"text,label2\n", "has no row"),
    "utf16.csv": ("text\nwords\n".encode("utf-16-le"), "looks like UTF-16 without a byte order mark"),
    "latin.csv": ("Straße,text\na,b\n".encode("latin-1"), "column name .* is not UTF-8"),
    "twice.csv": (b"text,text\na,b\n", "two columns called 'text'"),
    "other.csv": (b"Texts\na\n", "'text'; expected one of 'Texts'; did you mean 'Texts'"),
    "taken.csv": (b"text,label\na,b\n", "already has a column 'label'.*--prefix"),
    "error.csv": (b"text,error\na,b\nc\n", "already has a column 'error'.*--prefix"),
    "empty.jsonl": (b"\n\n", "has no row"),
    "other.jsonl": (b'{"Text": "a"}\n', "'text'; expected one of 'Text'"),
    "cut.parquet": (b"PAR1 and no more", "cannot be read|no PARQUET table"),
    "table.xlsx": (b"PK", "no kind of table is called '.xlsx'"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_table_that_cannot_be_scored_is_refused_in_one_line_before_a_model_loads(tmp_path, name):
    content, message = MALFORMED[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        survey(job_of(tmp_path / name, tmp_path / "out.csv"))
    assert "\n" not in str(caught.value)


def test_a_missing_table_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        survey(job_of(tmp_path / "none.csv", tmp_path / "out.csv"))


# pieces


def test_scores_do_not_depend_on_the_piece_a_text_is_in(capsys, detector_file, tmp_path, monkeypatch):
    texts = [shuffled(text, i) if i % 2 else text for i, text in enumerate(passages(12, 40))]
    source = table_of(tmp_path / "in.csv", [*texts, "Too short.", ""])
    options = ["-m", detector_file, "--no-cache"]
    for size, name in ((2**16, "whole.csv"), (1, "single.csv")):
        monkeypatch.setattr("ghostbuster.tables.scoring.MOST_CHARACTERS", size)
        assert run(capsys, "score-table", source, "-o", tmp_path / name, *options)[0] == 0
    assert (tmp_path / "whole.csv").read_bytes() == (tmp_path / "single.csv").read_bytes()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_run_that_fails_goes_on_where_it_was_and_ends_alike(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr("ghostbuster.tables.scoring.MOST_ROWS", 3)
    source = table_of(tmp_path / f"in.{suffix}", [f"{'word ' * i}end" for i in range(20)])
    whole = scored(job_of(source, tmp_path / f"whole.{suffix}"))
    seen, n_calls = [], 0

    def failing(texts):
        nonlocal n_calls
        n_calls += 1
        if n_calls % 3 == 0:
            raise KeyboardInterrupt
        seen.extend(texts)
        return lengths(texts)

    job = job_of(source, tmp_path / f"cut.{suffix}")
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            scored(job, failing)
        assert not job.output.exists()
    assert scored(job, failing).read_bytes() == whole.read_bytes()
    assert len(seen) == len(set(seen)) == 20  # no text was judged twice
    assert {one.name for one in tmp_path.iterdir()} == {source.name, whole.name, job.output.name}


def test_killed_at_random_moments_it_ends_with_the_same_bytes(detector_file, tmp_path):
    """A real process, a real SIGKILL: at each piece that it has kept, or a moment later."""
    chance = random.Random(5)
    source = table_of(tmp_path / "in.csv", [shuffled(text, i) for i, text in enumerate(passages(40, 30))])
    code = (
        "import sys, ghostbuster.tables.scoring as t; t.MOST_ROWS = 4\n"
        "from ghostbuster.cli import main; sys.exit(main(sys.argv[1:]))"
    )

    def command(name):
        options = ["-m", str(detector_file), "--no-cache"]
        return [sys.executable, "-c", code, "score-table", str(source), "-o", str(tmp_path / name), *options]

    subprocess.run(command("whole.csv"), check=True)
    output, journal, n_killed = tmp_path / "cut.csv", journal_path(tmp_path / "cut.csv"), 0
    for _ in range(30):
        size = journal.stat().st_size if journal.exists() else 0
        child = subprocess.Popen(command(output.name))
        while (
            child.poll() is None
            and n_killed < 5
            and not (journal.exists() and journal.stat().st_size > size + 9)
        ):
            pass
        if n_killed < 5 and child.poll() is None:
            try:
                child.wait(chance.uniform(0, 0.1))
            except subprocess.TimeoutExpired:
                child.kill()
                n_killed += 1
        if child.wait() == 0:
            break
    assert n_killed >= 3
    assert output.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert {one.name for one in tmp_path.iterdir()} == {"in.csv", "whole.csv", "cut.csv"}


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_memory_does_not_grow_with_the_table(tmp_path, suffix):
    def peak(n_rows):
        source = table_of(tmp_path / f"in.{suffix}", [f"{i} {'words ' * 20}" for i in range(n_rows)])
        job = job_of(source, tmp_path / f"out.{suffix}")
        tracemalloc.start()
        try:
            scored(job)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(600)  # what is imported and cached on the way
    assert peak(15_000) < 1.5 * peak(3000)  # both longer than the sample that a separator is found in


# the journal


def kept(output, n_rows, **identity):
    with Journal(output, {"input": "a" * 64, **identity}) as journal:
        journal.append([Score(i / 7, "human", "" if i else "bad") for i in range(n_rows)])


def test_a_journal_gives_back_what_it_was_given(tmp_path):
    kept(tmp_path / "out.csv", 5)
    with Journal(tmp_path / "out.csv", {"input": "a" * 64}) as journal:
        assert journal.n_rows == 5
        assert list(journal.scores()) == [Score(i / 7, "human", "" if i else "bad") for i in range(5)]


def test_a_journal_cut_at_any_byte_keeps_whole_pieces_only(tmp_path):
    output = tmp_path / "out.csv"
    with Journal(output, {"input": "a" * 64}) as journal:
        ends = {journal.path.stat().st_size: 0}
        for n in (2, 1, 3):
            journal.append([Score(0.5, "human")] * n)
            ends[journal.path.stat().st_size] = journal.n_rows
    data = journal.path.read_bytes()
    for size in range(len(data) + 1):
        journal.path.write_bytes(data[:size])
        with Journal(output, {"input": "a" * 64}) as again:
            assert again.n_rows == max([n for end, n in ends.items() if end <= size], default=0)
            again.append([Score(0.25, "machine")])
            assert [*again.scores()][-1] == Score(0.25, "machine")
            assert again.n_rows == len([*again.scores()])


@given(st.data())
def test_a_changed_byte_in_a_piece_drops_it_and_what_follows(tmp_path_factory, data):
    output = tmp_path_factory.mktemp("journal") / "out.csv"
    kept(output, 4)
    path = journal_path(output)
    content = bytearray(path.read_bytes())
    begin = content.index(b"\n") + 1
    place = data.draw(st.integers(begin, len(content) - 2))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    with Journal(output, {"input": "a" * 64}) as journal:
        assert journal.n_rows == 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"input": "b" * 64}, "another input"), ({"input": "a" * 64, "detector": "x"}, "another detector")],
)
def test_scores_of_another_table_or_detector_are_refused_and_restart_drops_them(tmp_path, changed, message):
    output = tmp_path / "out.csv"
    kept(output, 3)
    with pytest.raises(SettingError, match=rf"{message}.*--restart"):
        Journal(output, changed)
    with Journal(output, changed, restart=True) as journal:
        assert journal.n_rows == 0


def test_a_file_of_the_journals_name_that_is_none_is_never_touched(tmp_path):
    journal_path(tmp_path / "out.csv").write_text("my notes\n")
    for restart in (False, True):
        with pytest.raises(InputError, match=r"out\.csv\.partial is no journal.*move it away"):
            Journal(tmp_path / "out.csv", {}, restart=restart)
    assert journal_path(tmp_path / "out.csv").read_text() == "my notes\n"


def test_a_journal_whose_header_is_damaged_asks_for_a_restart(tmp_path):
    journal_path(tmp_path / "out.csv").write_text("ghostbuster journal 1 {'\n")
    with pytest.raises(InputError, match="is damaged: give --restart"):
        Journal(tmp_path / "out.csv", {})


def test_two_processes_on_one_output_are_kept_apart(capsys, tmp_path, detector_file):
    source = table_of(tmp_path / "in.csv", passages(2, 40))
    holder = (
        "import sys; from pathlib import Path; from ghostbuster.tables.journal import Journal\n"
        "held = Journal(Path(sys.argv[1]), {}); print('held', flush=True); sys.stdin.readline()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", holder, str(tmp_path / "out.csv")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert other.stdout.readline() == "held\n"
    command = ["score-table", source, "-o", tmp_path / "out.csv", "-m", detector_file]
    code, _, err = run(capsys, *command)
    assert code == 2
    one_line(err, "is being written by another process")
    other.kill()
    other.communicate()
    assert run(capsys, *command, "--restart")[0] == 0  # the lock ended with its holder


def test_a_full_disk_loses_no_row_that_was_kept(tmp_path, monkeypatch):
    output = tmp_path / "out.csv"
    with Journal(output, {"input": "a"}) as journal:
        journal.append([Score(0.5, "human")])
        real = os.write

        def full(handle, data):
            real(handle, data[:7])
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(InputError, match=r"No space left on device.*same command"):
                journal.append([Score(0.25, "human")])
    with Journal(output, {"input": "a"}) as again:
        assert list(again.scores()) == [Score(0.5, "human")]


def test_a_disk_that_is_full_at_the_end_leaves_the_older_output_and_all_scores(tmp_path, monkeypatch):
    source = table_of(tmp_path / "in.csv", ["a", "b"])
    (tmp_path / "out.csv").write_text("older\n")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("ghostbuster.tables.kinds.delimited.csv_line", full)
        with pytest.raises(InputError, match=r"No space left on device.*all scores are kept"):
            scored(job_of(source, tmp_path / "out.csv"))
    assert (tmp_path / "out.csv").read_text() == "older\n"
    assert {one.name for one in tmp_path.iterdir()} == {"in.csv", "out.csv", "out.csv.partial"}
    scored(job_of(source, tmp_path / "out.csv"), lambda _: pytest.fail("scored twice"))
    assert (tmp_path / "out.csv").read_text().startswith("id,text,probability")


def test_a_table_that_changes_while_it_is_scored_is_not_written(tmp_path):
    source = table_of(tmp_path / "in.csv", ["a", "b"])

    def meddling(texts):
        with source.open("a") as handle:
            handle.write("9,c\n")
        return lengths(texts)

    with pytest.raises(InputError, match="has changed while it was scored: give --restart"):
        scored(job_of(source, tmp_path / "out.csv"), meddling)
    assert not (tmp_path / "out.csv").exists()


# submissions


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_submission_has_ids_and_a_number_for_every_row(capsys, detector_file, tmp_path, suffix):
    from ghostbuster.tables.table import read_table

    texts = [passages(1, 60)[0], "Too short.", ""]
    source = table_of(tmp_path / f"in.{suffix}", texts)
    output = tmp_path / f"out.{suffix}"
    code, _, err = run(capsys, "score-table", source, "-o", output, "-m", detector_file, "--submission")
    found = read_table(output)
    assert (code, err) == (0, "")
    assert list(found.columns) == ["id", "generated"]
    assert found["id"].tolist() == ["000", "001", "002"]
    numbers = [float(one) for one in found["generated"]]
    assert all(0 < one < 1 for one in numbers)
    assert numbers[2] == 0.5  # nothing to go by


def test_a_submission_takes_its_ids_from_the_column_named(capsys, detector_file, tmp_path):
    (tmp_path / "in.csv").write_text("essay,text\ne1,Some words here.\n")
    command = [
        "score-table",
        tmp_path / "in.csv",
        "-o",
        tmp_path / "out.csv",
        "-m",
        detector_file,
        "--submission",
    ]
    code, _, err = run(capsys, *command)
    assert code == 2
    one_line(err, "no column", "'id'", "'essay'")
    assert run(capsys, *command, "--id-column", "essay")[0] == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text())))
    assert [row["id"] for row in rows] == ["e1"]
