"""``read``, and what is learned and measured from token scores: the same to the byte as from the texts."""

import json
import shutil

import pandas as pd
import pytest
from command_line import one_line, run
from prose import labelled

import ghostbuster.models.panel
import ghostbuster.models.panel_choice
from ghostbuster.artifacts.shipped import FOLDER
from ghostbuster.detector.artifact import load
from ghostbuster.models.panels import weights_folder
from ghostbuster.reading.scores import rows as tables

SMALL = ("--space", "zeroshot", "--max-features", "2", "--min-tokens", "10")
COLUMNS = ("--group-column", "prompt", "--source-column", "source", "--register-column", "kind")
STATES = ("--readers", "features,words,states")
FILES = [weights_folder() / f"embedded-{role}.gguf" for role in ("weak", "strong")]


@pytest.fixture(scope="module", autouse=True)
def small_parts():
    """Parts of ten rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "PART_ROWS", 10)
        yield


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Labelled texts of three sources, two rows of which cannot be used."""
    texts, labels, groups = labelled(18, 40)
    rows = pd.DataFrame(
        {
            "text": texts,
            "label": ["AI" if label else "human" for label in labels],
            "prompt": [f"{group:02d}" for group in groups],
            "source": ["abc"[group % 3] for group in groups],
            "kind": ["essay" if group % 2 else "" for group in groups],
        }
    )
    rows.loc[4, "text"] = ""
    rows.loc[9, "label"] = "who knows"
    path = tmp_path_factory.mktemp("table") / "rows.csv"
    rows.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def scores(table, tmp_path_factory):
    """Its token scores, with hidden states."""
    from ghostbuster.cli import main

    folder = tmp_path_factory.mktemp("kept") / "scores"
    assert main(["read", str(table), "-o", str(folder), "--states"]) == 1
    return folder


@pytest.fixture
def no_models(monkeypatch):
    """From here on no language model can be opened."""

    def refuse(*_, **__):
        raise AssertionError("a language model was opened")

    monkeypatch.setattr(ghostbuster.models.panel, "_open", refuse)
    monkeypatch.setattr(ghostbuster.models.panel, "open_panel", refuse)


def trained(capsys, source, path, *options):
    """Bytes of a detector, and what was said."""
    code, _, err = run(capsys, "train", source, "-o", path, *SMALL, *options)
    assert code in {0, 1}, err
    return path.read_bytes(), err


@pytest.mark.parametrize(
    "options", [(*COLUMNS, *STATES), ("--head", "lightgbm", "--seed", "3", "--readers", "features")]
)
def test_training_on_scores_gives_the_artifact_of_the_table_byte_for_byte(
    capsys, table, scores, tmp_path, monkeypatch, options
):
    expected, said = trained(capsys, table, tmp_path / "a.joblib", *options)
    assert "row 5 of" in said
    assert "row 10 of" in said

    monkeypatch.setattr(ghostbuster.models.panel, "open_panel", None)  # nothing can be opened
    found, said = trained(capsys, scores, tmp_path / "b.joblib", *options)
    assert found == expected
    assert f"row 5 of {scores / 'table.csv'}: column 'text' is blank" in said
    assert f"row 10 of {scores / 'table.csv'}: column 'label' holds 'who knows'" in said


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_every_kind_of_table_is_kept_with_the_types_of_its_labels(capsys, table, tmp_path, kind):
    rows = pd.read_csv(table, dtype=str, keep_default_na=False).drop([4, 9])
    rows["label"] = [0.1 if label == "human" else 0.8 for label in rows["label"]]  # soft labels
    path = tmp_path / f"rows.{kind}"
    if kind == "jsonl":
        rows.to_json(path, orient="records", lines=True)
    else:
        rows.to_parquet(path)
    assert run(capsys, "read", path, "-o", tmp_path / "scores")[0] == 0
    expected, _ = trained(capsys, path, tmp_path / "a.joblib", *COLUMNS[:2])
    assert trained(capsys, tmp_path / "scores", tmp_path / "b.joblib", *COLUMNS[:2])[0] == expected


def test_documents_in_labelled_folders_are_kept_as_a_table(capsys, tmp_path):
    texts, labels, _ = labelled(8, 40)
    for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
        folder = tmp_path / "docs" / ("AI" if label else "human")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:02d}.txt").write_text(text)
    (tmp_path / "docs" / "human" / "old.doc").write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    code, _, said = run(capsys, "read", tmp_path / "docs", "-o", tmp_path / "scores")
    assert code == 1
    assert "old.doc is" in said
    assert said.count("old.doc") == 1
    expected, _ = trained(capsys, tmp_path / "docs", tmp_path / "a.joblib", "--group-column", "id")
    shutil.rmtree(tmp_path / "docs")
    assert trained(capsys, tmp_path / "scores", tmp_path / "b.joblib", "--group-column", "id")[0] == expected


@pytest.mark.usefixtures("no_models")
def test_labels_corrected_beside_the_scores_are_learned_from(capsys, scores, tmp_path):
    copy = shutil.copytree(scores, tmp_path / "scores")
    before, _ = trained(capsys, copy, tmp_path / "a.joblib")
    rows = pd.read_csv(copy / "table.csv", dtype=str, keep_default_na=False)
    rows.loc[9, "label"] = "human"
    rows.to_csv(copy / "table.csv", index=False)
    after, said = trained(capsys, copy, tmp_path / "b.joblib")
    assert "who knows" not in said
    assert after != before


def test_a_detector_is_measured_and_calibrated_on_scores_as_on_the_texts(
    capsys, table, scores, tmp_path, monkeypatch
):
    artifact = tmp_path / "a.joblib"
    trained(capsys, scores, artifact, *STATES)
    expected = run(capsys, "evaluate", artifact, table, "--format", "json")
    people = tmp_path / "people.csv"
    rows = pd.read_csv(table, dtype=str, keep_default_na=False)
    rows[rows["label"] == "human"].to_csv(people, index=False)
    promise = run(capsys, "calibrate", artifact, people, "-o", tmp_path / "b.joblib", "--max-fpr", "0.05")
    assert run(capsys, "read", people, "-o", tmp_path / "people", "--model", artifact)[0] == 1

    monkeypatch.setattr(ghostbuster.models.panel, "open_panel", None)  # nothing can be opened
    assert run(capsys, "evaluate", artifact, scores, "--format", "json")[:2] == expected[:2]
    found = run(
        capsys, "calibrate", artifact, tmp_path / "people", "-o", tmp_path / "c.joblib", "--max-fpr", "0.05"
    )
    assert found[:2] == promise[:2]
    if promise[0] == 0:
        assert (tmp_path / "c.joblib").read_bytes() == (tmp_path / "b.joblib").read_bytes()


def test_the_summary_is_an_object_with_stable_names(capsys, table, scores):
    code, out, err = run(capsys, "read", table, "-o", scores, "--states", "--format", "json", "--quiet")
    made = json.loads(out)
    assert code == 1
    assert "row 5 of" in err
    assert list(made) == [
        "scores", "n_rows", "n_texts", "n_tokens", "n_errors", "n_parts", "n_bytes", "bytes_a_token", "panel",
        "state_layers", "models",
    ]  # fmt: skip
    assert (made["n_rows"], made["n_texts"], made["n_errors"], made["n_parts"]) == (36, 35, 1, 4)
    assert made["panel"] == "embedded"
    assert made["state_layers"]
    assert [one["role"] for one in made["models"]] == ["weak", "strong", "unigram", "trigram"]
    assert made["n_bytes"] == sum(path.stat().st_size for path in scores.glob("part-*"))


@pytest.mark.usefixtures("no_models")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--panel", "standard"), ("was read by panel embedded, not by panel standard", "leave out --panel")),
        (("--panel", "nonsense"), ("not by panel nonsense",)),
        (("--device", "cpu"), ("no language model is opened", "leave out --device")),
        (("--gpu-layers", "0"), ("leave out --gpu-layers",)),
        (("--text-column", "essay"), ("was read with --text-column text",)),
        (("--whole",), ("was read with no --whole",)),
        (("--weak-model", FILES[1], "--strong-model", FILES[1]), ("another weak model",)),
        (("--weak-model", FILES[0]), ("--strong-model is missing",)),
        (("--group-column", "nothing"), ("nothing", "table.csv")),
    ],
)
def test_options_that_contradict_the_scores_are_refused(capsys, scores, tmp_path, options, words):
    code, out, err = run(capsys, "train", scores, "-o", tmp_path / "x.joblib", *options)
    assert (code, out) == (2, "")
    one_line(err, *words)
    assert not (tmp_path / "x.joblib").exists()


@pytest.mark.usefixtures("no_models")
def test_options_that_agree_with_the_scores_are_accepted(capsys, scores, tmp_path):
    by_name = ("--panel", "lite", "--text-column", "text", "--no-cache")  # embedded by its other name
    trained(capsys, scores, tmp_path / "a.joblib", *by_name)
    own = ("--weak-model", FILES[0], "--strong-model", FILES[1])
    trained(capsys, scores, tmp_path / "b.joblib", *own)
    panels = [load(tmp_path / name).panel for name in ("a.joblib", "b.joblib")]
    assert panels == ["lite", tuple(map(str, FILES))]


@pytest.mark.usefixtures("no_models")
@pytest.mark.skipif(not (FOLDER / "standard.joblib").exists(), reason="this copy ships no standard detector")
def test_evaluate_refuses_models_and_scores_of_other_models(capsys, scores):
    code, _, err = run(capsys, "evaluate", "lite", scores, "--panel", "embedded")
    assert code == 2
    one_line(err, "no language model is opened: leave out --panel")
    code, _, err = run(capsys, "evaluate", "standard", scores)
    assert code == 2
    assert "scores is of no use here: the detector was trained with another weak model" in err


def test_scores_without_hidden_states_do_not_train_a_probe(capsys, table, tmp_path):
    rows = pd.read_csv(table, dtype=str)[:3]
    rows.to_csv(tmp_path / "few.csv", index=False)
    assert run(capsys, "read", tmp_path / "few.csv", "-o", tmp_path / "scores")[0] == 0
    code, _, err = run(capsys, "train", tmp_path / "scores", "-o", tmp_path / "x.joblib", *STATES)
    assert code == 2
    one_line(err, "holds no hidden states: read the table again with --states")


def test_a_table_read_by_files_of_ones_own_remembers_them(capsys, table, tmp_path):
    own = ("--weak-model", FILES[0], "--strong-model", FILES[1])
    code, out, _ = run(capsys, "read", table, "-o", tmp_path / "scores", *own)
    assert code == 1
    assert "panel of your own files" in out
    expected, _ = trained(capsys, table, tmp_path / "a.joblib", *own)
    assert trained(capsys, tmp_path / "scores", tmp_path / "b.joblib")[0] == expected
    wrong = ("-o", tmp_path / "x.joblib", "--panel", "embedded")
    code, _, err = run(capsys, "train", tmp_path / "scores", *wrong)
    assert code == 2
    one_line(err, "was read by two files of your own, not by panel embedded")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--panel", "nonsense"), ("nonsense", "embedded")),
        (("--text-column", "essay"), ("essay",)),
        (("--format", "xml"), ("xml", "json")),
        (("--weak-model", FILES[0]), ("--strong-model is missing",)),
        (("--panel", "lite", "--weak-model", FILES[0], "--strong-model", FILES[1]), ("one or the other",)),
        (("--model", "no-such.joblib"), ("no-such.joblib",)),
    ],
)
def test_what_cannot_be_read_is_refused_before_anything_is_written(capsys, table, tmp_path, options, words):
    code, out, err = run(capsys, "read", table, "-o", tmp_path / "scores", *options)
    assert (code, out) == (2, "")
    one_line(err, *words)
    assert not (tmp_path / "scores").exists()


def test_another_table_or_panel_does_not_go_into_the_folder(capsys, table, scores, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("text\nA word or two.\n")
    before = sorted(path.name for path in scores.iterdir())
    for source, options, name in (
        (other, ("--states",), "input"),
        (table, (), "--states"),
        (table, ("--states", "--whole"), "--whole"),
    ):
        code, _, err = run(capsys, "read", source, "-o", scores, *options)
        assert code == 2
        one_line(err, f"holds token scores with another {name}", "--restart")
    assert sorted(path.name for path in scores.iterdir()) == before


def test_commands_that_take_texts_alone_say_so(capsys, scores, tmp_path):
    for command in (
        ("score-table", scores, "-o", tmp_path / "out.csv"),
        ("read", scores, "-o", tmp_path / "again"),
        ("distill", "lite", scores, "-o", tmp_path / "student.joblib"),
    ):
        code, _, err = run(capsys, *command)
        assert code == 2
        one_line(err, "holds token scores, which `train`, `evaluate` and `calibrate` take", "the table in it")


def test_options_of_a_cluster_are_refused_without_one(capsys, table, tmp_path):
    code, _, err = run(capsys, "read", table, "-o", tmp_path / "scores", "--workers", "2")
    assert code == 2
    one_line(err, "--workers is for a cluster: give --on ray")
    code, _, err = run(capsys, "read", table, "-o", tmp_path / "scores", "--on", "spark")
    assert code == 2
    one_line(err, "spark", "ray")


def test_scores_that_are_not_complete_are_refused_by_what_reads_them(capsys, scores, tmp_path):
    copy = shutil.copytree(scores, tmp_path / "scores")
    (copy / "part-00002.parquet").unlink()
    for command in (("train", copy, "-o", tmp_path / "x.joblib"), ("evaluate", "lite", copy)):
        code, _, err = run(capsys, *command)
        assert code == 2
        one_line(err, "is not complete: 1 of 4 parts missing", "same `ghostbuster read` again")


def test_scores_of_an_older_version_train_if_it_prepared_texts_alike(
    capsys, table, scores, tmp_path, monkeypatch
):
    monkeypatch.setattr("ghostbuster.__version__", "9.0")
    trained(capsys, scores, tmp_path / "a.joblib")
    code, _, err = run(capsys, "read", table, "-o", scores, "--states")
    assert code == 2
    one_line(err, "another version of ghostbuster (0.1.0, now 9.0)")
    monkeypatch.setattr(
        "ghostbuster.reading.scores.kept.prepare_or_refuse",
        lambda text: ghostbuster.text.prepare.prepare(text.lower()),
    )
    code, _, err = run(capsys, "train", scores, "-o", tmp_path / "b.joblib", *SMALL)
    assert code == 2
    assert "its text was not read, or ghostbuster 0.1.0, which read it, prepared it otherwise" in err
