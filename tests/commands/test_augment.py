"""augment: from a table to a table with new texts, whatever moment it is killed at; mistakes come first."""

import json
import os
import random
import subprocess
import sys

import pandas as pd
import pytest
from chat_gguf import chat_model
from command_line import one_line, run

from ghostbuster.tables.table import read_table, write_table

OPTIONS = ["--text-tokens", "60", "--max-texts", "6", "--per-text", "2"]


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    return chat_model(tmp_path_factory.mktemp("teacher") / "teacher.gguf")


@pytest.fixture(scope="module")
def seeds(labelled_table, tmp_path_factory):
    """The labelled texts, some machine labels on people's passages: no detector can get those right."""
    path = tmp_path_factory.mktemp("seeds") / "seeds.csv"
    frame = pd.read_csv(labelled_table, dtype=str)
    frame["label"] = frame["label"].map({"0": "human", "1": "AI"})
    frame.loc[:5, "label"] = "AI"
    frame.loc[20:25, "label"] = "human"
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def made(seeds, teacher, detector_file, tmp_path_factory):
    """The output and the summary of one run."""
    out = tmp_path_factory.mktemp("out") / "out.csv"
    command = ["augment", detector_file, seeds, "--teacher", teacher, "-o", out, *OPTIONS, "--format", "json"]
    done = subprocess.run(
        [sys.executable, "-m", "ghostbuster.cli", *map(str, command), "--group-column", "id"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    return out, json.loads(done.stdout)


def test_seed_texts_stay_and_new_ones_say_what_made_them(made, seeds, teacher):
    out, told = made
    before, after = pd.read_csv(seeds, dtype=str), pd.read_csv(out, dtype=str)
    assert list(after.columns) == [
        *before.columns, "origin", "parent", "round", "teacher", "teacher_digest", "seed", "request"
    ]  # fmt: skip
    old, new = after[after["origin"] == "seed"], after[after["origin"] == "generated"]
    assert old[before.columns].reset_index(drop=True).equals(before)
    assert told["n_kept"] == len(new) > 0
    assert set(new["label"]) == {"AI"}
    assert set(new["teacher"]) == {teacher.name}
    assert set(new["round"]) == {"1"}
    for _, row in new.iterrows():
        parent = before.iloc[int(row["parent"]) - 1]
        assert parent["label"] == "AI"
        assert row["id"] == parent["id"]
        assert parent["text"][:40] in row["request"]
        assert len(row["text"].split()) >= 20


def test_the_summary_counts_by_filter(made):
    out, told = made
    assert told["output"] == str(out)
    assert set(told) == {
        "output", "teacher", "teacher_digest", "stopped", "n_asked", "n_kept", "dropped", "n_tokens",
        "seconds", "rounds",
    }  # fmt: skip
    assert set(told["dropped"]) == {
        "empty", "refusal", "leak", "length", "language", "not prose", "repetition", "copy"
    }  # fmt: skip
    assert told["n_asked"] == told["n_kept"] + sum(told["dropped"].values())
    assert told["rounds"][0]["n_learned_from"] == 40


def test_train_learns_from_the_output(made, capsys, tmp_path):
    options = ["--space", "zeroshot", "--max-features", "2", "--min-tokens", "20", "--group-column", "id"]
    code, _, err = run(capsys, "train", made[0], "-o", tmp_path / "d.joblib", *options)
    assert (code, err) == (0, "")


def test_killed_at_random_moments_it_ends_with_the_same_bytes(made, seeds, teacher, detector_file, tmp_path):
    out = tmp_path / "out.csv"
    command = [
        "augment",
        detector_file,
        seeds,
        "--teacher",
        teacher,
        "-o",
        out,
        *OPTIONS,
        "--group-column",
        "id",
    ]
    command = [sys.executable, "-m", "ghostbuster.cli", *map(str, command), "-q"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    rng = random.Random(1)
    for _ in range(3):
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as child:
            try:
                child.wait(rng.uniform(2.0, 12.0))
            except subprocess.TimeoutExpired:
                child.kill()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    assert out.read_bytes() == made[0].read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_mistakes_are_one_line_and_nothing_is_written(capsys, seeds, teacher, detector_file, tmp_path):
    one_class = tmp_path / "one.csv"
    write_table(pd.DataFrame({"text": ["a b", "c d"], "label": ["0", "0"]}), one_class)
    full = tmp_path / "full.csv"
    write_table(pd.DataFrame({"text": ["a", "b"], "label": ["0", "1"], "request": ["", ""]}), full)
    grouped = tmp_path / "grouped.csv"
    write_table(pd.DataFrame({"text": ["a", "b"], "label": ["0", "1"], "group": ["", ""]}), grouped)
    out = tmp_path / "out.csv"
    for changed, word in (
        ({"table": one_class}, "no text labelled machine"),
        ({"table": full}, "already has a column 'request'"),
        ({"table": grouped}, "--group-column"),
        ({"table": tmp_path / "none.csv"}, "does not exist"),
        ({"teacher": detector_file}, "not a GGUF file"),
        ({"teacher": tmp_path / "none.gguf"}, "no such file"),
        ({"artifact": seeds}, "no detector"),
        ({"out": tmp_path / "out.xyz"}, "no kind of table"),
        ({"out": tmp_path / "none" / "out.csv"}, "is no folder"),
        ({"more": ["--rounds", "0"]}, "rounds=0"),
        ({"more": ["--errors", "mised"]}, "did you mean 'missed'"),
        ({"more": ["--temperature", "-1"]}, "temperature is -1"),
        ({"more": ["--request", seeds]}, "shows a text once"),
        ({"more": ["--source-column", "sorce"]}, "'sorce'"),
        ({"more": ["--format", "jsno"]}, "did you mean 'json'"),
    ):
        asked = {
            "artifact": detector_file,
            "table": seeds,
            "teacher": teacher,
            "out": out,
            "more": [],
        } | changed
        code, told, err = run(
            capsys, "augment", asked["artifact"], asked["table"], "--teacher", asked["teacher"],
            "-o", asked["out"], *asked["more"],
        )  # fmt: skip
        assert (code, told) == (2, ""), changed
        one_line(err, word)
    assert not out.exists()
    assert not list(tmp_path.glob("*.partial"))


def test_rows_that_cannot_be_used_are_named_and_stay(capsys, seeds, teacher, detector_file, tmp_path):
    frame = pd.read_csv(seeds, dtype=str)
    bad = pd.DataFrame({"id": ["x", "y"], "text": ["", "Some words."], "label": ["AI", "who knows"]})
    table, out = tmp_path / "in.csv", tmp_path / "out.csv"
    write_table(pd.concat([bad, frame], ignore_index=True).fillna(""), table)
    code, _, err = run(
        capsys,
        "augment",
        detector_file,
        table,
        "--teacher",
        teacher,
        "-o",
        out,
        *OPTIONS,
        "--group-column",
        "id",
    )
    found = pd.read_csv(out, dtype=str, keep_default_na=False)
    assert code == 1
    assert [line.partition(" of ")[0] for line in err.splitlines()] == [
        "ghostbuster: error: row 1",
        "ghostbuster: error: row 2",
    ]
    assert found["label"].tolist()[:2] == ["AI", "who knows"]
    for _, row in found[found["origin"] == "generated"].iterrows():
        assert found.iloc[int(row["parent"]) - 1]["id"] == row["id"]


def test_a_table_without_groups_gains_one_that_keeps_children_beside_parents(
    capsys, seeds, teacher, detector_file, tmp_path
):
    frame = pd.read_csv(seeds, dtype=str).rename(columns={"id": "name"})
    table, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    write_table(frame, table)
    code, told, _ = run(
        capsys,
        "augment",
        detector_file,
        table,
        "--teacher",
        teacher,
        "-o",
        out,
        *OPTIONS,
        "--id-column",
        "name",
    )
    found = read_table(out)
    assert code == 0
    assert "stopped:" in told
    new = found[found["origin"] == "generated"]
    assert len(new) > 0
    assert (new["group"] == "text " + new["parent"].astype(str)).all()
    assert set(new["parent"]) <= set(frame["name"])
