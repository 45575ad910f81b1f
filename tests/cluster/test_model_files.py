"""Language models' files that a node lacks are sent to it once, and checked by digest."""

from pathlib import Path

import pytest

from ghostbuster.cluster.engine import model_files
from ghostbuster.cluster.engine.model_files import ModelParcel, parcels, received
from ghostbuster.cluster.engine.session import ray_session
from ghostbuster.errors import ModelError

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own


@pytest.fixture
def ray(cluster):
    with ray_session(cluster.address, n_cpus=1) as connected:
        yield connected


@pytest.fixture
def pair(tmp_path, monkeypatch):
    monkeypatch.setattr(model_files, "PIECE_BYTES", 30)
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "cache of the node"))
    monkeypatch.setenv("GHOSTBUSTER_MODELS", str(tmp_path / "records of the node"))
    for name in ("weak.gguf", "strong.gguf"):
        (tmp_path / name).write_bytes(name.encode() * 10)
    return str(tmp_path / "weak.gguf"), str(tmp_path / "strong.gguf")


def test_files_that_are_where_they_were_are_used_there(pair):
    assert received(pair, parcels(pair, None)) == pair


def test_files_that_a_node_lacks_are_sent_and_kept(ray, pair, tmp_path):
    sent = parcels(pair, ray)
    assert [len(one.pieces) for one in sent] == [3, 4]
    for name in ("weak.gguf", "strong.gguf"):
        (tmp_path / name).unlink()
    there = received(pair, sent)
    assert [Path(one).read_bytes() for one in there] == [b"weak.gguf" * 10, b"strong.gguf" * 10]
    assert all(path.startswith(str(tmp_path / "cache of the node")) for path in there)
    sent_empty = [ModelParcel("", one.path, one.sha256, ("nothing to get",)) for one in sent]
    assert received(pair, sent_empty) == there  # they are there: nothing is fetched again


def test_another_file_of_the_same_name_is_not_taken_for_it(ray, pair, tmp_path):
    sent = parcels(pair, ray)
    (tmp_path / "weak.gguf").write_bytes(b"another model")
    weak, strong = received(pair, sent)
    assert weak != pair[0]
    assert strong == pair[1]


def test_what_arrives_damaged_or_cannot_arrive_is_refused(ray, pair, tmp_path):
    (tmp_path / "weak.gguf").unlink()
    damaged = ModelParcel("", pair[0], "0" * 64, (ray.put(b"weak"),))
    with pytest.raises(ModelError, match=r"arrived with SHA-256 .*, expected 000000000000"):
        received(pair, [damaged, damaged])
    with pytest.raises(ModelError, match="is not on this node"):
        received(pair, [ModelParcel("", pair[0], "0" * 64)] * 2)


def test_a_known_model_that_arrives_is_found_by_its_name_from_then_on(ray, pair, monkeypatch):
    from ghostbuster.models.hub.locate import model_file

    with pytest.raises(ModelError, match="is not here"):
        model_file("tinyllama-1.1b")
    monkeypatch.setattr(model_files, "model_file", model_file)
    (weak, _) = parcels(pair, ray)
    named = ModelParcel("tinyllama-1.1b", weak.path, weak.sha256, weak.pieces)
    assert received("llama", [named]) == "llama"
    assert model_file("tinyllama-1.1b").read_bytes() == b"weak.gguf" * 10
