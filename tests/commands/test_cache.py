"""``ghostbuster cache``, and which commands remember."""

import json

import pytest
from command_line import one_line, run

from ghostbuster.models.panel import Panel


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def texts_remembered(capsys):
    code, out, _ = run(capsys, "cache", "info", "--format", "json")
    assert code == 0
    return json.loads(out)["texts"]


def test_looking_at_an_empty_cache_makes_none(capsys, empty_cache):
    assert texts_remembered(capsys) == 0
    assert run(capsys, "cache", "clear")[0] == 0
    assert not empty_cache.exists()


def test_training_again_asks_no_language_model_and_gives_the_same_file(
    capsys, empty_cache, labelled_table, detector_file, tmp_path, monkeypatch
):
    options = ["--space", "zeroshot", "--max-features", "3", "--min-tokens", "20", "--group-column", "id"]
    assert run(capsys, "train", labelled_table, "-o", tmp_path / "a.joblib", *options)[0] == 0
    assert texts_remembered(capsys) == 40
    score = Panel.score

    def asked(self, texts, progress=None):
        return pytest.fail("a model was asked") if texts else score(self, texts, progress)

    monkeypatch.setattr(Panel, "score", asked)
    assert run(capsys, "train", labelled_table, "-o", tmp_path / "b.joblib", *options)[0] == 0
    first, again = ((tmp_path / name).read_bytes() for name in ("a.joblib", "b.joblib"))
    assert first == again == detector_file.read_bytes()
    command = ["evaluate", detector_file, labelled_table]
    assert run(capsys, *command)[0] == 0
    output = ["-o", tmp_path / "out.csv", "--prefix", "p_", "-m", detector_file]
    assert run(capsys, "score-table", labelled_table, *output)[0] == 0
    assert run(capsys, "cache", "clear") == (0, "", "")
    assert list(empty_cache.iterdir()) == []
    assert texts_remembered(capsys) == 0


def test_nothing_is_remembered_without_cache_nor_of_single_files(
    capsys, empty_cache, labelled_table, detector_file, tmp_path
):
    output = ["-o", tmp_path / "out.csv", "--prefix", "p_", "-m", detector_file]
    assert run(capsys, "score-table", labelled_table, *output, "--no-cache")[0] == 0
    assert run(capsys, "evaluate", detector_file, labelled_table, "--no-cache")[0] == 0
    assert run(capsys, "score-file", "examples/human.txt", "-m", detector_file)[0] == 0
    assert not empty_cache.exists()


def test_a_damaged_store_is_one_line_and_the_table_is_scored(
    capsys, empty_cache, labelled_table, detector_file, tmp_path
):
    empty_cache.mkdir()
    (empty_cache / "scores.sqlite").write_bytes(b"no database" * 1000)
    output = ["--prefix", "p_", "-m", detector_file]
    code, _, err = run(capsys, "score-table", labelled_table, "-o", tmp_path / "a.csv", *output)
    assert code == 0
    assert err.startswith("ghostbuster: note: ")
    assert err.count("\n") == 1
    assert texts_remembered(capsys) == 40
    assert run(capsys, "score-table", labelled_table, "-o", tmp_path / "b.csv", *output, "--no-cache")[0] == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["shrink"], ["'shrink'", "'info'", "'clear'"]), (["info", "-f", "xml"], ["'xml'"])],
)
def test_an_unknown_action_or_form_is_refused(capsys, arguments, words):
    code, _, err = run(capsys, "cache", *arguments)
    assert code == 2
    one_line(err, *words)


def test_a_limit_that_is_no_size_is_refused_before_training(capsys, labelled_table, tmp_path, monkeypatch):
    monkeypatch.setenv("GHOSTBUSTER_CACHE_LIMIT", "lots")
    code, _, err = run(capsys, "train", labelled_table, "-o", tmp_path / "x.joblib")
    assert code == 2
    one_line(err, "GHOSTBUSTER_CACHE_LIMIT='lots'")
