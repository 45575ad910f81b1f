"""Parts hold every row once, in order; a folder of parts belongs to one input, detector and options."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.cluster.inputs import input_files
from ghostbuster.cluster.parts import MOST_MARKS, MOST_ROWS, Marks, cut, named, part_characters
from ghostbuster.cluster.plan import DONE, PLAN, Plan, begin, check_input, close, read_plan, standing_plan
from ghostbuster.cluster.planning import held
from ghostbuster.cluster.storage import place_of, write_bytes, written_whole
from ghostbuster.errors import InputError, SettingError

LENGTHS = st.lists(st.integers(0, 5000), max_size=80)


def marks_of(lengths):
    marks = Marks()
    marks._grain, marks._grain_rows = 400, 7  # so that short lists have several
    for one in lengths:
        marks.see(one)
    return marks.close()


@given(st.lists(LENGTHS, min_size=1, max_size=5), st.integers(1, 20_000))
def test_every_row_of_every_file_is_in_one_part_and_in_order(files, size):
    parts = cut([marks_of(one) for one in files], size)
    rows = [(s.file, row) for spans in parts for s in spans for row in range(s.start, s.start + s.n_rows)]
    assert rows == [(file, row) for file, lengths in enumerate(files) for row in range(len(lengths))]
    for spans in parts:
        for one in spans:
            assert one.n_characters == sum(files[one.file][one.start : one.start + one.n_rows])


@given(st.lists(st.integers(0, 300), min_size=1, max_size=200), st.integers(1, 20_000))
def test_a_part_ends_at_the_first_mark_that_fills_it(lengths, size):
    marks = marks_of(lengths)
    for spans in cut([marks], size)[:-1]:
        full = sum(one.n_characters for one in spans)
        steps = [b[1] - a[1] for a, b in zip([(0, 0), *marks], marks, strict=False)]
        assert size <= full < size + max(steps)


def test_a_long_file_has_few_marks_and_ends_with_the_last_row():
    marks = Marks()
    for _ in range(300_000):
        marks.see(1000)
    listed = marks.close()
    assert len(listed) <= MOST_MARKS
    assert listed[-1] == (300_000, 300_000_000)
    assert listed == sorted(set(listed))


def test_rows_without_characters_still_end_a_part():
    marks = Marks()
    for _ in range(3 * MOST_ROWS):
        marks.see(0)
    assert [one.n_rows for (one,) in cut([marks.close()], 10**9)] == [MOST_ROWS] * 3


def test_parts_are_named_by_their_place_and_by_all_that_moves_a_value():
    spans = cut([[(5, 500), (9, 900)]], 500)
    one = named(spans, "detector and input", ".parquet")
    assert one == named(spans, "detector and input", ".parquet")
    assert [part.name[:12] for part in one] == ["part-000000-", "part-000001-"]
    other = named(spans, "another", ".parquet")
    assert not {part.name for part in one} & {part.name for part in other}
    assert one[0].errors_name == f"_{one[0].name.removesuffix('.parquet')}.errors.json"


def test_parts_are_for_the_number_of_workers_but_neither_tiny_nor_endless():
    assert part_characters(8_000_000, 2) == 500_000
    assert part_characters(1000, 2) == 2**16
    assert part_characters(10**12, 2) == 2**25


# the plan of a folder


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "in.csv"
    pd.DataFrame({"text": ["one", "two", "three"]}).to_csv(path, index=False)
    return path


def plan_of(files, **made_by):
    parts = named(cut([[(2, 6), (3, 11)]], 5), "x", ".csv")
    return Plan({"detector": "abc"} | made_by, "digest", [one.stamp for one in files], tuple(parts), {"n": 1})


def test_a_plan_is_read_as_it_was_written(table, tmp_path):
    folder = place_of(str(tmp_path / "deep" / "out"))
    plan = plan_of(input_files(str(table)))
    assert read_plan(folder) is None
    begin(folder, plan)
    assert read_plan(folder) == plan
    assert standing_plan(folder, plan.made_by, input_files(str(table)), restart=False) == plan


def test_parts_of_another_detector_option_or_input_are_refused_and_stay(table, tmp_path):
    folder, files = place_of(str(tmp_path / "out")), input_files(str(table))
    plan = plan_of(files)
    begin(folder, plan)
    (tmp_path / "out" / plan.parts[0].name).write_text("text,probability\n")
    with pytest.raises(
        SettingError, match=r"holds parts with another detector \(abc, now def\): give --restart"
    ):
        standing_plan(folder, {"detector": "def"}, files, restart=False)
    with pytest.raises(SettingError, match="another input"):
        check_input(folder, plan, "other")
    assert (tmp_path / "out" / plan.parts[0].name).exists()


def test_restart_replaces_what_was_planned_and_removes_its_parts(table, tmp_path):
    folder, files = place_of(str(tmp_path / "out")), input_files(str(table))
    old = plan_of(files)
    begin(folder, old)
    for name in (old.parts[0].name, old.parts[0].errors_name, ".part-000001-x.csv.0.writing", DONE):
        (tmp_path / "out" / name).write_text("x")
    assert standing_plan(folder, {"detector": "def"}, files, restart=True) is None
    begin(folder, plan_of(files, detector="def"))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [PLAN]
    assert read_plan(folder).made_by == {"detector": "def"}


@pytest.mark.parametrize("restart", [False, True])
def test_a_folder_with_anything_else_in_it_is_refused_and_nothing_is_removed(table, tmp_path, restart):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.docx").write_text("x")
    with pytest.raises(InputError, match=r"is not empty \(thesis.docx\): give a new folder"):
        standing_plan(place_of(str(tmp_path / "out")), {}, input_files(str(table)), restart=restart)
    assert (tmp_path / "out" / "thesis.docx").exists()


def test_an_output_folder_around_the_input_or_a_file_is_refused(table, tmp_path):
    with pytest.raises(InputError, match=r"in.csv lies in .*where parts are to be written"):
        standing_plan(place_of(str(tmp_path)), {}, input_files(str(table)), restart=False)
    with pytest.raises(InputError, match="is a file; expected a folder"):
        standing_plan(place_of(str(table)), {}, input_files(str(table)), restart=False)


def test_a_damaged_plan_is_no_plan(tmp_path):
    folder = place_of(str(tmp_path))
    for content in (b"", b"{}", b"[1]", b'{"ghostbuster plan 1": 1, "parts": [{}]}'):
        write_bytes(folder.child(PLAN), content)
        with pytest.raises(InputError, match="no plan that this version knows"):
            read_plan(folder)


def test_what_workers_that_ended_have_left_goes_when_all_is_done(table, tmp_path):
    folder, plan = place_of(str(tmp_path / "out")), plan_of(input_files(str(table)))
    begin(folder, plan)
    for one in plan.parts:
        (tmp_path / "out" / one.name).write_text("x")
    stray = ["part-000009-of-a-plan-before.csv", ".part-000000-x.csv.0.writing", "_part-000009-x.errors.json"]
    for name in stray:
        (tmp_path / "out" / name).write_text("x")
    close(folder, plan)
    found = {path.name for path in (tmp_path / "out").iterdir()}
    assert found == {PLAN, DONE, *(one.name for one in plan.parts)}


def test_two_commands_cannot_write_into_one_folder(tmp_path):
    folder = place_of(str(tmp_path / "out"))
    with held(folder), pytest.raises(InputError, match="is being written by another process"), held(folder):
        pass
    assert not (tmp_path / "out").exists()  # nothing was written, so nothing is left


# whole or not at all


def test_a_file_is_there_whole_or_not_at_all(tmp_path):
    place = place_of(str(tmp_path / "part.csv"))

    def half():
        with written_whole(place) as path:
            path.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert list(tmp_path.iterdir()) == []
    with written_whole(place) as path:
        path.write_text("all")
        assert not (tmp_path / "part.csv").exists()
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("part.csv", "all")]


def test_the_plan_is_what_json_readers_expect(table, tmp_path):
    folder = place_of(str(tmp_path / "out"))
    begin(folder, plan_of(input_files(str(table))))
    found = json.loads((tmp_path / "out" / PLAN).read_text())
    assert found["parts"][0]["spans"] == [{"file": 0, "start": 0, "n_rows": 2, "n_characters": 6}]
