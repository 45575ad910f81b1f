"""``read --on ray``: the files of a run on one machine, byte for byte, whatever ends."""

import pickle

import pytest

from ghostbuster.cluster.reading.part_reader import PanelLooker, PartReader
from ghostbuster.errors import ArtifactError, ClusterError
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
