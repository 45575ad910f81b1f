"""The examples in the documents are run, and give what the documents show."""

import base64
import doctest
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import ghostbuster.detector.dataframe

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
MOST_BYTES = 60_000


@pytest.fixture
def here(tmp_path, monkeypatch, labelled_table):
    """A folder with the examples and a labelled table, as the documents assume it."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    table = pd.read_csv(labelled_table, dtype={"id": str})
    table["label"] = table["label"].map({0: "human", 1: "machine"})
    table.to_csv(tmp_path / "mine.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def failures(blocks, name, space):
    """What a document shows that does not come out, block after block in one namespace."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL)
    said = []
    for number, block in enumerate(blocks):
        test = doctest.DocTestParser().get_doctest(block, space, f"{name}[{number}]", name, 0)
        runner.run(test, out=said.append, clear_globs=False)
        space.update(test.globs)
    return said


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("name", ["python.md", "training.md"])
def test_every_example_of_a_document_gives_what_it_shows(name):
    blocks = re.findall(r"```pycon\n(.*?)```", (ROOT / "docs" / name).read_text("utf-8"), re.DOTALL)
    assert blocks
    assert failures(blocks, name, {}) == []


def test_a_wrong_example_would_be_noticed():
    assert failures([">>> 1 + 1\n3\n"], "wrong", {})


def test_examples_in_docstrings_hold():
    assert doctest.testmod(ghostbuster.detector.dataframe).failed == 0


def test_the_notebook_holds_its_outputs_and_a_small_plot():
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert not any(output["output_type"] == "error" for output in outputs)
    plots = [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]
    assert plots
    for plot in plots:
        png = base64.b64decode(plot)
        assert png.startswith(b"\x89PNG")
        assert len(png) < MOST_BYTES


@pytest.mark.usefixtures("here")
@pytest.mark.filterwarnings("ignore")  # of the notebook server's libraries
def test_the_notebook_runs(monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("PYTHONPATH", str(Path(ghostbuster.__file__).parent.parent))
    notebook = nbformat.read(NOTEBOOK, 4)
    nbclient.NotebookClient(notebook, timeout=300, resources={"metadata": {"path": "examples"}}).execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    assert sum("image/png" in output.get("data", {}) for output in outputs) == 1
