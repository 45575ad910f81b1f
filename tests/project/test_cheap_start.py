"""Models are mapped and kept: the second text costs its own tokens only, and files may come and go."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from ghostbuster.models import panel as panel_module
from ghostbuster.models.llama import language_model
from ghostbuster.models.open_panels import OpenPanels
from ghostbuster.models.panel import open_panel
from ghostbuster.models.panels import weights_folder
from training.data.make_gguf import Shape, make_gguf

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
TEXT = "Nobody had seen the river so high since the winter of the flood. " * 8


@pytest.fixture
def pair(tmp_path):
    return make_gguf(tmp_path / "a.gguf"), make_gguf(tmp_path / "b.gguf", Shape(seed=1))


def mapped():
    """Files mapped into this process."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return {line.split(maxsplit=5)[5] for line in lines if len(line.split(maxsplit=5)) > 5}


def bytes_read():
    """Bytes that this process has read from files so far, by any means but mapping."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


@linux
def test_models_and_counts_of_ngrams_are_mapped_into_memory_not_read():
    open_panel().score([TEXT])
    folder = weights_folder()
    large = [*folder.glob("*.gguf"), *(p for p in folder.rglob("*.npy") if p.stat().st_size > 1 << 20)]
    assert len(large) > 3
    assert {str(path) for path in large} <= mapped()


@linux
def test_a_second_text_opens_and_reads_nothing(monkeypatch):
    open_panel().score([TEXT])
    for module, name in (
        (language_model, "load_model"),
        (language_model, "Context"),
        (panel_module, "_open"),
    ):
        monkeypatch.setattr(module, name, lambda *_: pytest.fail("opened again"))
    before = bytes_read()
    open_panel().score([TEXT[:-1]])
    assert bytes_read() - before < 20_000  # /proc itself


def test_a_replaced_model_is_opened_anew_though_its_size_and_time_are_the_same(pair, tmp_path):
    first = open_panel(weak=pair[0], strong=pair[1])
    status = pair[0].stat()
    other = make_gguf(tmp_path / "other.gguf", Shape(seed=2))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert other.stat().st_size == status.st_size
    other.replace(pair[0])
    second = open_panel(weak=pair[0], strong=pair[1])
    assert second is not first
    assert second.fingerprints["weak"] != first.fingerprints["weak"]
    assert second.fingerprints["strong"] == first.fingerprints["strong"]
    assert open_panel(weak=pair[0], strong=pair[1]) is second


def test_a_model_removed_while_in_use_goes_on_scoring(pair):
    opened = open_panel(weak=pair[0], strong=pair[1])
    before = opened.score([TEXT])["weak"].channels["logprob"].tolist()
    described = opened.describe()
    pair[0].unlink()
    again = open_panel(weak=pair[0], strong=pair[1])
    assert again is opened
    assert again.score([TEXT])["weak"].channels["logprob"].tolist() == before
    assert again.describe() == described


def test_counts_of_ngrams_that_are_replaced_are_read_anew(monkeypatch, tmp_path):
    folder = tmp_path / "weights"
    shutil.copytree(weights_folder(), folder)
    monkeypatch.setenv("GHOSTBUSTER_WEIGHTS", str(folder))
    first = open_panel()
    assert open_panel() is first
    counts = next((folder / "embedded-ngram").glob("*.npy"))
    counts.with_suffix(".copy").write_bytes(counts.read_bytes())
    counts.with_suffix(".copy").replace(counts)
    assert open_panel() is not first


def test_what_was_not_asked_for_longest_makes_room(tmp_path):
    kept, file = OpenPanels(max_size=2), tmp_path / "file"
    file.write_text("1")
    made = []

    def get(key):
        return kept.get(key, [file], lambda: made.append(key) or len(made))

    assert [get("a"), get("b"), get("a"), get("c"), get("a"), get("b")] == [1, 2, 1, 3, 1, 4]
    assert made == ["a", "b", "c", "b"]


def test_what_failed_to_open_is_not_kept():
    kept = OpenPanels(max_size=2)

    def fail():
        raise OSError("no")

    with pytest.raises(OSError, match="no"):
        kept.get("a", [], fail)
    assert kept.get("a", [], lambda: 5) == 5
