"""``read --on ray``: the files of a run on one machine, byte for byte, whatever ends."""

import pickle

import numpy as np
import pandas as pd
import pytest
from command_line import run
from prose import passages
from ray_works import worker_killed

from ghostbuster.cluster.reading.part_reader import PanelLooker, PartReader
from ghostbuster.errors import ArtifactError, ClusterError
from ghostbuster.reading.scores import rows as tables
from ghostbuster.reading.scores.panel_facts import PanelFacts, PanelWish
from ghostbuster.reading.scores.part import PartRows
from ghostbuster.tables.base import TextRow

WISH = PanelWish("embedded")
ROWS = PartRows(
    "digest", 0, 0, (TextRow("A word or two."), TextRow("", "column 'text' holds nothing")), "text"
)


def test_a_worker_sends_back_the_file_that_this_process_would_write():
    facts = PanelFacts.of(WISH.open(), "embedded")
    looker = pickle.loads(pickle.dumps(PanelLooker(WISH, device="cpu")))
    looker.open()
    assert looker.do(PartRows("", 0, 0, (), "")) == facts
    reader = pickle.loads(pickle.dumps(PartReader(WISH, device="cpu", fingerprints=dict(facts.fingerprints))))
    reader.open()
    assert reader.do(pickle.loads(pickle.dumps(ROWS))) == (ROWS.read(WISH.open()), facts.build)


def test_a_worker_with_other_models_is_refused():
    with pytest.raises(ClusterError, match="nodes read by different weak models"):
        PartReader(WISH, device="cpu", fingerprints={"weak": "another"}).open()
    with pytest.raises(ArtifactError, match="trained with another strong model"):
        PartReader(PanelWish("embedded", {"strong": "0" * 64}), device="cpu").open()
    with pytest.raises(ClusterError, match="call open"):
        PartReader(WISH).do(ROWS)


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "ten.csv"
    pd.DataFrame({"text": passages(10, 12), "label": np.arange(10) % 2}).to_csv(path, index=False)
    return path


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_a_run_on_a_cluster_makes_the_files_of_one_machine(capsys, cluster, table, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PART_ROWS", 3)
    assert run(capsys, "read", table, "-o", tmp_path / "here", "--states", "--quiet")[0] == 0
    whole = files(tmp_path / "here")
    on = ("--on", "ray", "--ray-address", cluster.address, "--workers", "2", "--states", "--quiet")
    code, out, err = run(capsys, "read", table, "-o", tmp_path / "there", *on)
    assert code == 0, err
    assert "4 parts" in out
    assert files(tmp_path / "there") == whole
    (tmp_path / "there" / "part-00002.parquet").unlink()
    before = (tmp_path / "there" / "part-00001.parquet").stat().st_mtime_ns
    assert run(capsys, "read", table, "-o", tmp_path / "there", *on)[0] == 0
    assert files(tmp_path / "there") == whole
    assert (tmp_path / "there" / "part-00001.parquet").stat().st_mtime_ns == before


def test_a_worker_killed_at_work_changes_no_byte(capsys, cluster, tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "PART_ROWS", 2)
    table = tmp_path / "forty.csv"
    pd.DataFrame({"text": passages(40, 60), "label": np.arange(40) % 2}).to_csv(table, index=False)
    assert run(capsys, "read", table, "-o", tmp_path / "here", "--quiet")[0] == 0
    on = ("--on", "ray", "--ray-address", cluster.address, "--workers", "2", "--quiet")
    with worker_killed(tmp_path / "there") as killed:
        assert run(capsys, "read", table, "-o", tmp_path / "there", *on)[0] == 0
    assert killed
    assert files(tmp_path / "there") == files(tmp_path / "here")
