"""score-pair: two files or a table of pairs, swapped alike; rows without two texts are kept and named."""

import json
import os
import random
import subprocess
import sys

import pandas as pd
import pytest
from command_line import one_line, run
from prose import passages, shuffled

from ghostbuster.tables.table import read_table, write_table

PLAIN = passages(6, 60)
ODD = [shuffled(text, 3) for text in PLAIN]
ADDED = ["probability", "likelier", "probability_a", "label_a", "probability_b", "label_b"]


@pytest.fixture
def files(tmp_path):
    (tmp_path / "plain.txt").write_text(PLAIN[0], "utf-8")
    (tmp_path / "odd.txt").write_text(ODD[0], "utf-8")
    return tmp_path / "plain.txt", tmp_path / "odd.txt"


def pairs_table(path, first, second, names=("text_a", "text_b"), **columns):
    write_table(pd.DataFrame({"id": range(len(first)), names[0]: first, names[1]: second, **columns}), path)
    return path


def test_two_files_in_either_order_give_probabilities_that_sum_to_one(capsys, detector_file, files):
    found = []
    for a, b in (files, files[::-1]):
        code, out, err = run(capsys, "score-pair", a, b, "-m", detector_file, "--format", "json")
        assert (code, err) == (0, "")
        found.append(json.loads(out))
    forth, back = found
    assert forth["probability"] == 1 - back["probability"]
    assert (forth["likelier"], back["likelier"]) == ("b", "a")
    assert (forth["a"], forth["b"]) == (back["b"], back["a"])
    assert forth["calibration"] == {"slope": 1.0, "n_pairs": 0, "n_groups": 0}
    assert set(forth) == {"probability", "likelier", "reasons", "a", "b", "calibration", "model", "device"}
    assert set(forth["a"]) == {"path", "probability", "label", "reasons", "n_tokens", "n_words", "threshold"}
    code, out, _ = run(capsys, "score-file", files[0], "-m", detector_file, "--format", "json")
    alone = json.loads(out)[0]
    assert {name: alone[name] for name in forth["a"]} == forth["a"]


def test_people_are_told_which_and_what_each_is_by_itself(capsys, detector_file, files):
    code, out, _ = run(capsys, "score-pair", *files, "-m", detector_file)
    first, *rest = out.splitlines()
    assert code == 0
    assert first.startswith("B is likelier the machine's: probability ")
    assert any("not learned from pairs" in line for line in rest)
    assert any(line.startswith("A: ") and line.endswith("plain.txt") for line in rest)
    assert any(line.startswith("B ") for line in rest)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_table_of_pairs_keeps_its_columns_and_gains_six(capsys, detector_file, tmp_path, suffix):
    table = pairs_table(tmp_path / f"in.{suffix}", PLAIN[:3], ODD[:3], note=["x", "y", "z"])
    out = tmp_path / f"out.{suffix}"
    assert run(capsys, "score-pair", table, "-o", out, "-m", detector_file)[0] == 0
    found = read_table(out)
    assert list(found.columns) == ["id", "text_a", "text_b", "note", *ADDED]
    assert found["likelier"].tolist() == ["b"] * 3
    swapped = pairs_table(tmp_path / "swapped.csv", PLAIN[:3], ODD[:3], names=("text_b", "text_a"))
    again = tmp_path / "again.csv"
    assert run(capsys, "score-pair", swapped, "-o", again, "-m", detector_file, "--prefix", "x_")[0] == 0
    other = read_table(again)
    assert other["x_likelier"].tolist() == ["a"] * 3
    for p, q in zip(found["probability"], other["x_probability"], strict=True):
        assert float(p) == 1 - float(q)
    assert [float(one) for one in found["probability_a"]] == [float(one) for one in other["x_probability_b"]]


def test_rows_without_two_texts_are_kept_with_an_error(capsys, detector_file, tmp_path):
    rows = [
        {"text_a": PLAIN[0], "text_b": ODD[0]},
        {"text_a": PLAIN[0]},
        {"text_a": 3, "text_b": ODD[0]},
        {"text_a": PLAIN[0], "text_b": " \n"},
        {"text_a": "", "text_b": None},
        {"text_a": PLAIN[1], "text_b": PLAIN[1]},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n{\n", "utf-8")
    code, out, err = run(
        capsys, "score-pair", tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", "-m", detector_file
    )
    found = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert (code, out) == (1, "")
    assert [one["likelier"] for one in found] == ["b", None, None, None, None, "tie", None]
    assert [one["error"] is None for one in found] == [True, False, False, False, False, True, False]
    assert found[3]["error"] == "text b: it holds no word; expected a text to compare"
    assert found[5]["probability"] == 0.5
    assert "row 2 of" in err


def test_killed_at_random_moments_it_ends_with_the_same_bytes(detector_file, tmp_path):
    table = pairs_table(tmp_path / "in.csv", PLAIN * 6, ODD * 6)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}

    def command(out):
        code = "import sys; from ghostbuster.tables import scoring; scoring.BATCH_ROWS = 2;"
        code += "scoring.BATCH_CHARACTERS = 1; from ghostbuster.cli import main; sys.exit(main(sys.argv[1:]))"
        options = ["-m", str(detector_file), "--no-cache", "-q"]
        return [sys.executable, "-c", code, "score-pair", str(table), "-o", str(out), *options]

    subprocess.run(command(tmp_path / "whole.csv"), check=True, env=environment)
    rng, out = random.Random(5), tmp_path / "killed.csv"
    for _ in range(3):
        with subprocess.Popen(command(out), env=environment) as child:
            try:
                child.wait(rng.uniform(1.0, 6.0))
            except subprocess.TimeoutExpired:
                child.kill()
    subprocess.run(command(out), check=True, env=environment)
    assert out.read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_mistakes_are_one_line_before_any_model_is_opened(capsys, files, tmp_path):
    a, b = files
    table = pairs_table(tmp_path / "in.csv", ["x"], ["y"])
    full = pairs_table(tmp_path / "full.csv", ["x"], ["y"], likelier=["a"])
    out = tmp_path / "out.csv"
    for arguments, word in (
        ([a], "give a second text"),
        ([a, b, a], "expected two texts, or one table"),
        ([a, b, "-o", out], "--output is for a table"),
        ([table, "-o", tmp_path / "out.xls"], "no kind of table"),
        ([tmp_path, "-o", out], "no kind of table"),
        ([table, "-o", out, "--text-column-a", "left"], "'left'"),
        ([table, "-o", out, "--text-column-b", "right"], "'right'"),
        ([table, "-o", out, "--text-column-b", "text_a"], "expected two columns"),
        ([full, "-o", out], "already has a column 'likelier'"),
        ([table, "-o", out, "--whole"], "--whole is for documents"),
        ([table, "-o", out, "--format", "json"], "--format is for two texts"),
        ([a, b, "--prefix", "x_"], "--prefix is for a table of pairs"),
        ([a, b, "--text-column-b", "x"], "--text-column-b is for a table of pairs"),
        ([a, b, "--format", "jsn"], "did you mean 'json'"),
        ([a, b, "-m", tmp_path / "none.joblib"], "does not exist"),
    ):
        code, told, err = run(capsys, "score-pair", *arguments)
        assert (code, told) == (2, "")
        one_line(err, word)
    assert not out.exists()


def test_an_empty_or_missing_file_is_named(capsys, detector_file, files, tmp_path):
    (tmp_path / "blank.txt").write_text(" \n", "utf-8")
    (tmp_path / "marks.txt").write_text("\N{ZERO WIDTH SPACE}\N{WORD JOINER}", "utf-8")
    for name in ("blank.txt", "none.txt", "marks.txt"):
        code, out, err = run(capsys, "score-pair", files[0], tmp_path / name, "-m", detector_file)
        assert (code, out) == (2, "")
        one_line(err, name)
