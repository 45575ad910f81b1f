"""Something added to a copy of the package, in the files that CONTRIBUTING names alone, works at once."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import ghostbuster

ROOT = Path(__file__).parents[2]
PACKAGE = Path(ghostbuster.__file__).parent

OP = {
    "features/ops.py": (
        '        Op("v-add",',
        (
            '        Op("v-max", np.maximum, "the larger of a and b", "the larger of {} and {}"),\n'
            '        Op("v-add",'
        ),
    )
}
HEAD = {
    "heads/centroid.py": '''
"""Nearest-centroid head: the difference of the class means."""

from ghostbuster.features.scaling import ColumnScaler
from ghostbuster.heads.trained import TrainedLogistic
from ghostbuster.heads.training_set import TrainingSet


class TrainedCentroid(TrainedLogistic):
    """What scoring needs."""


class CentroidHead(TrainedCentroid):
    """What training needs."""

    def __init__(self, random_state=0):
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None, groups=None):
        data = TrainingSet.checked(X, y, sample_weight, groups)
        self.n_features_in_ = data.X.shape[1]
        self.scaler_ = ColumnScaler.fit(data.X, data.weight)
        scaled = self.scaler_.transform(data.X)
        self.coef_ = scaled[data.y > 0.5].mean(axis=0) - scaled[data.y < 0.5].mean(axis=0)
        self.baseline_ = self.penalty_ = 0.0
        return self
''',
    "heads/table.py": (
        "HEADS: dict[str, HeadKind] = {",
        (
            "def _centroid():\n"
            "    from ghostbuster.heads.centroid import CentroidHead\n\n"
            "    return CentroidHead\n\n\n"
            "from ghostbuster.heads.centroid import TrainedCentroid\n\n"
            'HEADS: dict[str, HeadKind] = {\n    "centroid": HeadKind(TrainedCentroid, _centroid),'
        ),
    ),
}
TABLE = {
    "tables/kinds/sequence.py": '''
"""JSON objects behind the record separators of RFC 7464."""

import json

from ghostbuster.tables.chunks import gather_chunks
from ghostbuster.tables.kinds.files import FileReader, LineSink


def rows_of(path):
    return [json.loads(one) for one in path.read_text("utf-8").split("\\x1e") if one]


def read(path):
    import pandas as pd

    return pd.DataFrame(rows_of(path), dtype=object)


def write(table, path):
    lines = ["\\x1e" + json.dumps(row) + "\\n" for row in table.to_dict("records")]
    path.write_text("".join(lines), "utf-8")


class SequenceReader(FileReader):
    def _chunks(self, only):
        rows = rows_of(self.path)
        self.columns = list(rows[0]) if rows else []
        yield from gather_chunks((row, "") for row in rows)


class SequenceSink(LineSink):
    def line(self, row, added):
        return "\\x1e" + json.dumps({name: row[name] for name in self.columns} | dict(added)) + "\\n"
''',
    "tables/registry.py": (
        "KINDS: tuple[TableKind, ...] = (",
        (
            "from ghostbuster.tables.kinds import sequence\n\n"
            "KINDS: tuple[TableKind, ...] = (\n"
            '    TableKind("JSON sequence", (".seq",), sequence.read, sequence.write,'
            " sequence.SequenceReader, sequence.SequenceSink),"
        ),
    ),
}
COMMAND = {
    "commands/count.py": '''
"""``ghostbuster count``: how many words a text has."""

from typing import Annotated

import typer


def count(words: Annotated[list[str], typer.Argument(help="Words.")]) -> None:
    """Count words."""
    typer.echo(len(words))
''',
    "cli.py": (
        "COMMANDS: dict[str, Callable[..., None]] = {",
        (
            "from ghostbuster.commands.count import count\n\n"
            'COMMANDS: dict[str, Callable[..., None]] = {\n    "count": count,'
        ),
    ),
}


def files_named(addition):
    """What CONTRIBUTING says to touch for an addition: files, and folders that get a file."""
    table = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    (row,) = re.findall(rf"^\| {addition} \|(.*)$", table, re.MULTILINE)
    return set(re.findall(r"`ghostbuster/([\w/]+(?:\.py|/))`", row))


def added_to_copy(folder, addition):
    """A copy of the package with the addition; what else it holds than modules is linked."""
    for path in PACKAGE.rglob("*"):
        there = folder / "ghostbuster" / path.relative_to(PACKAGE)
        there.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".py":
            shutil.copy(path, there)
        elif path.is_file() and path.suffix != ".pyc":
            there.symlink_to(path)
    for name, change in addition.items():
        path = folder / "ghostbuster" / name
        if isinstance(change, str):
            assert not path.exists()
            path.write_text(change.lstrip(), "utf-8")
        else:
            text = path.read_text("utf-8")
            assert text.count(change[0]) == 1
            path.write_text(text.replace(*change), "utf-8")


@pytest.fixture
def run(tmp_path):
    """Runs Python in the folder of a copy: what its arguments print."""

    def run(*arguments):
        path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    ("addition", "files"),
    [("a vector operation", OP), ("a head", HEAD), ("a kind of table", TABLE), ("a command", COMMAND)],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_an_addition_touches_the_files_that_contributing_names(addition, files):
    touched = {
        name if isinstance(change, tuple) else f"{Path(name).parent}/" for name, change in files.items()
    }
    assert touched == files_named(addition)


def test_an_operation_added_so_is_parsed_computed_and_explained(tmp_path, run):
    added_to_copy(tmp_path, OP)
    code = """
import numpy as np
from ghostbuster.arrays import Vectors
from ghostbuster.decision.explain import in_words
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature

channels = {"weak.logprob": np.array([-3.0, -1.0]), "strong.logprob": np.array([-2.0, -4.0])}
feature = Feature.parse("weak.logprob v-max strong.logprob s-avg")
print(feature, evaluate_all([feature], Vectors(channels, np.array([0, 2]))).item())
print(in_words(feature))
"""
    value, words = run("-c", code).splitlines()
    assert value == "weak.logprob v-max strong.logprob s-avg -1.5"  # the mean of -2 and -1
    assert "the larger of" in words


def test_a_head_added_so_is_trained_saved_loaded_and_scores(tmp_path, run, labelled_table):
    added_to_copy(tmp_path, HEAD)
    options = ["--head", "centroid", "--space", "zeroshot", "--max-features", "3", "--min-tokens", "20", "-q"]
    run("-m", "ghostbuster", "train", labelled_table, "-o", "mine.joblib", "--group-column", "id", *options)
    text = ROOT / "examples" / "human.txt"
    (scored,) = json.loads(
        run("-m", "ghostbuster", "score-file", text, "-m", "mine.joblib", "--format", "json")
    )
    assert 0 < scored["probability"] < 1
    assert "centroid" in run("-m", "ghostbuster", "info", "mine.joblib")


def test_a_kind_of_table_added_so_is_scored_into_itself(tmp_path, run, labelled_table, detector_file):
    added_to_copy(tmp_path, TABLE)
    texts = pd.read_csv(labelled_table, dtype=str)["text"][:3].tolist()
    rows = [{"id": str(i), "text": text} for i, text in enumerate(texts)]
    (tmp_path / "in.seq").write_text("".join("\x1e" + json.dumps(row) + "\n" for row in rows), "utf-8")
    run("-m", "ghostbuster", "score-table", "in.seq", "-o", "out.seq", "-m", detector_file, "-q")
    found = [json.loads(one) for one in (tmp_path / "out.seq").read_text("utf-8").split("\x1e") if one]
    assert [row["text"] for row in found] == texts
    assert all(0 < row["probability"] < 1 for row in found)


def test_a_command_added_so_runs_and_is_listed(tmp_path, run):
    added_to_copy(tmp_path, COMMAND)
    assert run("-m", "ghostbuster", "count", "one", "two") == "2\n"
    assert "Count words." in run("-m", "ghostbuster", "--help")
