import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import joblib
import pandas as pd
import pytest
from command_line import one_line, run
from prose import passages, shuffled

from ghostbuster import __version__
from ghostbuster.artifacts.shipped import shipped
from ghostbuster.cli import COMMANDS
from ghostbuster.commands.shared.console import RowProgress, TokenProgress
from ghostbuster.detector.artifact import open_artifact
from ghostbuster.models.panels import weights_folder

LITE = shipped("lite")

EXAMPLES = Path(__file__).parents[2] / "examples"
HUMAN, MACHINE = str(EXAMPLES / "human.txt"), str(EXAMPLES / "machine.txt")
FIELDS = {
    *("path", "probability", "label", "reasons", "n_tokens", "n_words", "model", "device"),
    *("threshold", "readers", "evidence"),
}


class Screen(io.StringIO):
    """A terminal."""

    def isatty(self):
        return True


# score-file


def test_scoring_files_as_json_gives_the_documented_fields(capsys, detector_file):
    code, out, err = run(capsys, "score-file", HUMAN, MACHINE, "-m", detector_file, "--format", "json")
    assert (code, err) == (0, "")
    rows = json.loads(out)
    assert [row["path"] for row in rows] == [HUMAN, MACHINE]
    for row in rows:
        assert set(row) == FIELDS
        assert row["probability"] is None or 0 < row["probability"] < 1
        assert row["label"] in {"human", "machine", "unsure"}
        assert row["reasons"]
        assert row["model"] == open_artifact(detector_file).identity
    assert rows[0]["n_words"] == 325


def test_the_forms_agree_on_every_number(capsys, detector_file):
    command = ["score-file", HUMAN, MACHINE, "-m", detector_file, "--format"]
    rows = json.loads(run(capsys, *command, "json")[1])
    lines = [json.loads(line) for line in run(capsys, *command, "jsonl")[1].splitlines()]
    cells = list(csv.DictReader(io.StringIO(run(capsys, *command, "csv")[1])))
    assert lines == rows
    for name in ("path", "probability", "label", "n_tokens", "n_words", "model"):
        assert [type(row[name])(cell[name]) for cell, row in zip(cells, rows, strict=True)] == [
            row[name] for row in rows
        ]


def test_a_teacher_reads_file_verdict_probability_words_and_reasons(capsys, detector_file):
    code, out, _ = run(capsys, "score-file", HUMAN, "-m", detector_file)
    assert code == 0
    assert out.splitlines()[0].split() == ["file", "verdict", "probability", "words"]
    assert HUMAN[-20:] in out
    assert " 325" in out
    assert "not evidence by itself" in " ".join(out.split())


def test_a_dash_reads_standard_input(capsys, detector_file, monkeypatch):
    piped = io.TextIOWrapper(io.BytesIO(Path(HUMAN).read_bytes()))
    monkeypatch.setattr(sys, "stdin", piped)
    _, out, _ = run(capsys, "score-file", "-", HUMAN, "-m", detector_file, "--format", "json")
    first, second = json.loads(out)
    assert first["path"] == "-"
    assert {**first, "path": ""} == {**second, "path": ""}


def test_standard_input_cannot_be_read_twice(capsys):
    code, out, err = run(capsys, "score-file", "-", "-")
    assert (code, out) == (2, "")
    one_line(err, "'-' is given twice")


def test_a_text_below_the_floor_is_unsure_without_a_number(capsys, detector_file, tmp_path):
    short = tmp_path / "short.txt"
    short.write_text("Five words are not enough.")
    code, out, _ = run(capsys, "score-file", short, "-m", detector_file, "--format", "json")
    (row,) = json.loads(out)
    assert code == 0
    assert (row["label"], row["probability"]) == ("unsure", None)
    assert "too short" in row["reasons"][0]


BAD = {
    "empty": (lambda path: path.write_bytes(b""), "is empty"),
    "blank": (lambda path: path.write_text(" \n\t\n"), "only white space"),
    "binary": (lambda path: path.write_bytes(bytes(range(256)) * 4), "binary"),
    "latin1": (lambda path: path.write_bytes("Über die Straße, schön".encode("latin-1")), "UTF-8"),
    "folder": (Path.mkdir, "directory"),
    "missing": (Path.exists, "bad.txt"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_cannot_be_read_is_one_line_and_exit_code_2(capsys, tmp_path, kind):
    make, word = BAD[kind]
    path = tmp_path / "bad.txt"
    make(path)
    code, out, err = run(capsys, "score-file", path)
    assert (code, out) == (2, "")
    one_line(err, str(path), word)


def test_good_files_among_bad_ones_are_scored_and_the_bad_ones_named(capsys, detector_file, tmp_path):
    missing = tmp_path / "missing.txt"
    code, out, err = run(capsys, "score-file", missing, HUMAN, "-m", detector_file, "--format", "json")
    assert code == 1
    assert [row["path"] for row in json.loads(out)] == [HUMAN]
    one_line(err, str(missing))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--format", "jsnl"], ["'jsnl'", "did you mean 'jsonl'?"]),
        (["--model", "none.joblib"], ["none.joblib does not exist"]),
        (["--weak-model", "a.gguf"], ["--strong-model is missing"]),
        (["--strong-model", "a.gguf"], ["--weak-model is missing"]),
        (["--panel", "embeded"], ["did you mean 'embedded'?"]),
        (
            ["--panel", "llama", "--weak-model", "a.gguf", "--strong-model", "b.gguf"],
            ["--panel llama and files of models: give one or the other"],
        ),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(capsys, arguments, words):
    code, out, err = run(capsys, "score-file", HUMAN, *arguments)
    assert (code, out) == (2, "")
    one_line(err, *words)


@pytest.mark.parametrize(
    "arguments", [["--bogus"], ["score-file", HUMAN, "--bogus"], ["bogus"], ["score-file"]]
)
def test_an_unknown_option_or_command_is_exit_code_2_without_a_traceback(capsys, arguments):
    code, out, err = run(capsys, *arguments)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


def test_a_program_in_place_of_a_detector_is_refused_and_not_run(capsys, tmp_path):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "flag"),)

    joblib.dump(Hostile(), tmp_path / "hostile.joblib", compress=3)
    code, out, err = run(capsys, "score-file", HUMAN, "-m", tmp_path / "hostile.joblib")
    assert (code, out) == (2, "")
    one_line(err, "holds posix.mkdir")
    assert not (tmp_path / "flag").exists()


def test_model_files_that_are_none_are_refused(capsys, detector_file, tmp_path):
    for name in ("weak.gguf", "strong.gguf"):
        (tmp_path / name).write_bytes(b"no model" * 100)
    models = ["--weak-model", tmp_path / "weak.gguf", "--strong-model", tmp_path / "strong.gguf"]
    code, out, err = run(capsys, "score-file", HUMAN, "-m", detector_file, *models)
    assert (code, out) == (2, "")
    one_line(err, "weak.gguf")


def test_a_detector_made_with_other_models_is_refused(capsys, detector_file):
    weights = weights_folder()
    swapped = [
        "--weak-model",
        weights / "embedded-strong.gguf",
        "--strong-model",
        weights / "embedded-weak.gguf",
    ]
    code, out, err = run(capsys, "score-file", HUMAN, "-m", detector_file, *swapped)
    assert (code, out) == (2, "")
    one_line(err, "trained with another", "weak")


def test_progress_shows_on_a_terminal_only_and_clears_itself(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with TokenProgress(quiet=False) as progress:
        progress(500, 1000)
        progress(504, 1000)
    assert screen.getvalue() == "\r\x1b[Kreading:  50 % of 1,000 tokens\r\x1b[K"
    for stream, quiet in ((Screen(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with TokenProgress(quiet=quiet) as progress:
            progress(1, 2)
        assert stream.getvalue() == ""


def test_a_bar_shows_share_rate_and_the_time_that_remains(monkeypatch):
    screen = Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    bar = RowProgress(1000, 8000, 200, quiet=False)
    # 300 of the 800 rows that remain, half of their characters, in a minute: another minute to go
    assert bar.line(300, 3200, 60.0) == (
        "scoring [############            ]  50% of 1,000 texts, 5.0 a second, 0:01:00 left"
    )
    with bar:
        bar(300, 3200)
    assert screen.getvalue().startswith("\r\x1b[K")
    assert screen.getvalue().endswith(" left\r\x1b[K")
    for stream, quiet in ((Screen(), True), (io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with RowProgress(10, 10, 0, quiet=quiet) as silent:
            silent(5, 5)
        assert stream.getvalue() == ""


# score-table


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_scoring_a_table_keeps_every_column_and_adds_two(capsys, detector_file, tmp_path, suffix):
    from ghostbuster.tables.table import read_table, write_table

    texts = passages(3, 60)
    table = pd.DataFrame(
        {"id": ["007", "08", "x,y"], "text": [texts[0], shuffled(texts[1], 0), "Too short."]}
    )
    source, output = tmp_path / f"in.{suffix}", tmp_path / f"out.{suffix}"
    write_table(table, source)
    code, out, _ = run(capsys, "score-table", source, "-o", output, "--model", detector_file)
    assert (code, out) == (0, "")
    scored = read_table(output)
    assert list(scored.columns) == ["id", "text", "probability", "label"]
    assert scored["id"].tolist() == ["007", "08", "x,y"]
    assert scored["text"].tolist() == table["text"].tolist()
    assert 0 < float(scored["probability"][0]) < 1
    assert scored["label"][2] == "unsure"


def test_a_table_scores_its_texts_as_files_do(capsys, detector_file, tmp_path):
    texts = [Path(HUMAN).read_text("utf-8"), Path(MACHINE).read_text("utf-8")]
    pd.DataFrame({"essay": texts}).to_parquet(tmp_path / "in.parquet")
    options = ["--text-column", "essay", "--model", detector_file, "--prefix", "gb_"]
    assert (
        run(capsys, "score-table", tmp_path / "in.parquet", "-o", tmp_path / "out.parquet", *options)[0] == 0
    )
    _, out, _ = run(capsys, "score-file", HUMAN, MACHINE, "-m", detector_file, "--format", "json")
    scored = pd.read_parquet(tmp_path / "out.parquet")
    assert scored["gb_probability"].tolist() == [row["probability"] for row in json.loads(out)]
    assert scored["gb_label"].tolist() == [row["label"] for row in json.loads(out)]


def test_a_column_that_would_be_lost_stops_the_scoring(capsys, labelled_table, tmp_path):
    code, _, err = run(capsys, "score-table", labelled_table, "-o", tmp_path / "out.csv")
    assert code == 2
    one_line(err, "already has a column 'label'", "--prefix")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("out.xlsx", ["'.xlsx'", "'.csv'"]),
        ("none/out.csv", ["none is no folder"]),
        (".", ["no kind of table"]),
    ],
)
def test_a_place_that_cannot_be_written_is_refused_before_anything_is_read(capsys, tmp_path, output, words):
    code, _, err = run(capsys, "score-table", tmp_path / "missing.csv", "-o", tmp_path / output)
    assert code == 2
    one_line(err, *words)


def test_a_row_without_text_is_named_and_kept(capsys, detector_file, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"text": "Some words."}\n{"text": null}\n')
    command = ["score-table", tmp_path / "in.jsonl", "-o", tmp_path / "out.jsonl", "-m", detector_file]
    code, _, err = run(capsys, *command)
    assert code == 1
    one_line(err, "row 2 of", "column 'text' holds nothing")
    kept = [json.loads(row) for row in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert [row["text"] for row in kept] == ["Some words.", None]


# train, evaluate, info


def test_training_again_with_the_same_seed_gives_the_same_file(
    capsys, labelled_table, detector_file, tmp_path
):
    options = ["--space", "zeroshot", "--max-features", "3", "--min-tokens", "20", "--group-column", "id"]
    code, out, _ = run(capsys, "train", labelled_table, "-o", tmp_path / "again.joblib", *options)
    assert (code, out) == (0, "")
    assert (tmp_path / "again.joblib").read_bytes() == detector_file.read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--label-column", "lable"], ["'lable'", "did you mean 'label'?"]),
        (["--text-column", "txt"], ["'txt'", "did you mean 'text'?"]),
        (["--group-column", "prompt"], ["'prompt'"]),
        (["--label-column", "domain"], ["none of the 40 rows of", "row 1: column 'domain' holds 'even'"]),
        (["--head", "forest"], ["head='forest'", "lightgbm"]),
        (["--max-fpr", "0.2"], ["max_fpr=0.2"]),
    ],
)
def test_training_names_what_is_wrong_with_table_or_settings(
    capsys, labelled_table, tmp_path, options, words
):
    code, _, err = run(capsys, "train", labelled_table, "-o", tmp_path / "x.joblib", *options)
    assert code == 2
    one_line(err, *words)
    assert list(tmp_path.iterdir()) == []


def test_evaluating_gives_figures_with_intervals_for_all_and_by_domain(capsys, detector_file, labelled_table):
    code, out, _ = run(
        capsys, "evaluate", detector_file, labelled_table, "--format", "json", "--group-column", "id"
    )
    found = json.loads(out)
    assert code == 0
    assert (found["n_human"], found["n_machine"], found["n_unjudged"]) == (20, 20, 0)
    assert set(found["figures"]) == {
        "auroc",
        "tpr_at_1_percent_fpr",
        "f1",
        "calibration_error",
        "false_positive_rate",
        "true_positive_rate",
        "unsure_rate",
    }
    for figure in found["figures"].values():
        assert 0 <= figure["low"] <= figure["value"] <= figure["high"] <= 1
    assert found["figures"]["auroc"]["value"] > 0.9
    assert [(s["column"], s["value"], s["n_human"]) for s in found["slices"]] == [
        ("domain", "even", 10),
        ("domain", "odd", 10),
    ]
    table = run(capsys, "evaluate", detector_file, labelled_table)[1]
    assert f"{found['figures']['auroc']['value']:.4f}" in table
    assert "by domain" in table


def test_info_lists_models_features_thresholds_and_training_data(capsys, detector_file):
    code, out, _ = run(capsys, "info", detector_file, "--format", "json")
    facts = json.loads(out)
    assert code == 0
    assert {model["role"] for model in facts["models"]} == {"weak", "strong", "unigram", "trigram"}
    assert all(len(model["digest"]) == 64 for model in facts["models"])
    assert 1 <= len(facts["features"]) <= 3
    assert all(isinstance(feature, str) for feature in facts["features"])
    for threshold in facts["thresholds"]:
        assert threshold["fpr_low"] <= threshold["fpr"] <= threshold["fpr_high"]
    assert (facts["data"]["n_human"], facts["data"]["n_machine"]) == (20, 20)
    assert facts["llama_cpp"]["version"]
    outline = run(capsys, "info", detector_file)[1]
    assert facts["digest"] in outline
    assert facts["features"][0] in outline


# the program as installed


def ghostbuster(*arguments, **options):
    command = [sys.executable, "-m", "ghostbuster.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def test_the_shipped_detector_finds_the_machine_example_likelier_machine_written():
    done = ghostbuster("score-file", HUMAN, MACHINE, "--format", "json")
    assert done.returncode == 0
    if done.stderr:  # without SmolLM2
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("ghostbuster: note: the detector lite, which finds about ")
    human, machine = json.loads(done.stdout)
    assert machine["probability"] > human["probability"]
    assert human["label"] != "machine"


def test_a_missing_model_file_ends_without_a_traceback(detector_file, tmp_path):
    paths = ["--weak-model", tmp_path / "a.gguf", "--strong-model", tmp_path / "b.gguf"]
    done = ghostbuster("score-file", HUMAN, "-m", detector_file, *paths)
    assert (done.returncode, done.stdout) == (2, "")
    one_line(done.stderr, "a.gguf")


def test_names_that_a_terminal_cannot_show_or_should_not_obey_are_spelled_out(detector_file, tmp_path):
    names = [b"caf\xc3\xa9.txt", b"\xff.txt", b"red\x1b[31m.txt", b"missing\x1b[31m.txt"]
    for name in names[:3]:
        (tmp_path / os.fsdecode(name)).write_bytes(Path(HUMAN).read_bytes())
    paths = [str(tmp_path / os.fsdecode(name)) for name in names]
    command = [sys.executable, "-m", "ghostbuster.cli", "score-file", *paths, "-m", str(detector_file)]
    for form in ("table", "jsonl"):
        done = subprocess.run(
            [*command, "--format", form],
            capture_output=True,
            check=False,
            env={**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "200"},
        )
        assert done.returncode == 1
        assert b"\x1b" not in done.stdout + done.stderr
        assert b"missing\\x1b[31m.txt" in done.stderr
        assert b"\\udcff.txt" in done.stdout
    assert [Path(json.loads(line)["path"]).name for line in done.stdout.splitlines()] == [
        "café.txt",
        "\\udcff.txt",
        "red\x1b[31m.txt",
    ]


def test_version_is_the_package_version(capsys):
    code, out, _ = run(capsys, "--version")
    assert (code, out) == (0, f"ghostbuster {__version__}\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(capsys, name):
    code, out, _ = run(capsys, name, "--help")
    assert code == 0
    assert COMMANDS[name].__doc__.strip().splitlines()[0] in " ".join(out.split())


def test_the_default_detector_is_part_of_the_package():
    assert open_artifact(LITE).manifest["data"]["n_human"] > 1000


def test_passages_are_judged_where_they_are_asked_for(tmp_path, detector_file, capsys):
    file = tmp_path / "a.txt"
    file.write_text(passages(1, 500)[0], "utf-8")
    argv = ["score-file", file, "-m", detector_file, "-q", "--format", "json"]
    code, out, _ = run(capsys, *argv, "--passages")
    (row,) = json.loads(out)
    assert code == 0
    share = row["passages"]["machine_share"]
    assert 0 <= share["low"] <= share["value"] <= share["high"] <= 1
    assert len(row["passages"]["windows"]) > 1
    assert "passages" not in json.loads(run(capsys, *argv)[1])[0]
