"""A large model file that passed its check is not parsed again; one that changed, or is unknown, is."""

import json
import os
import struct

import pytest

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf import check as check_module
from ghostbuster.models.gguf import digest as digest_module
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.gguf.header import read_header
from ghostbuster.models.gguf.model_file import checked_before, record_path
from training.data.make_gguf import Shape, make_gguf


@pytest.fixture
def parsed(monkeypatch):
    """The files whose headers are parsed, in order."""
    paths = []

    def counted(path):
        paths.append(path)
        return read_header(path)

    monkeypatch.setattr(check_module, "read_header", counted)
    return paths


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A model of which nothing is known, and that counts as large."""
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(digest_module, "LARGE", 1)
    new_process()
    return make_gguf(tmp_path / "x.gguf", Shape(vocabulary=300, layers=1))


def new_process():
    """Forget what this process knows."""
    check_module._check.cache_clear()
    digest_module._digest.cache_clear()


def test_a_file_whose_digest_is_known_is_parsed_once_for_all_processes(model, parsed):
    digest = file_digest(model)
    first = check_model(model)
    new_process()
    assert check_model(model) == first
    assert parsed == [model]
    assert json.loads(record_path(digest).read_text())["sha256"] == digest


def test_a_file_that_nobody_has_read_whole_is_parsed_and_not_remembered(model, parsed):
    for _ in range(2):
        check_model(model)
        new_process()
    assert parsed == [model, model]
    assert not record_path(digest_module.read_digest(model)).exists()


def test_a_small_file_is_parsed_by_every_process(model, parsed, monkeypatch):
    monkeypatch.setattr(digest_module, "LARGE", 1 << 25)
    file_digest(model)
    for _ in range(2):
        check_model(model)
        new_process()
    assert parsed == [model, model]


def test_the_same_bytes_elsewhere_are_the_same_model_at_that_path(model, parsed, tmp_path):
    file_digest(model)
    known = check_model(model)
    copy = tmp_path / "copy.gguf"
    copy.write_bytes(model.read_bytes())
    file_digest(copy)
    found = check_model(copy)
    assert (found.path, found.tokenizer, found.n_bytes) == (copy, known.tokenizer, known.n_bytes)
    assert parsed == [model]


def test_a_file_that_was_written_to_is_parsed_again_and_refused_even_if_its_times_are_set_back(model):
    file_digest(model)
    check_model(model)
    before = model.stat()
    data = bytearray(model.read_bytes())
    at = data.index(b"llama.block_count") + len(b"llama.block_count") + 4
    data[at : at + 4] = struct.pack("<I", 2**31)
    with model.open("r+b") as stream:
        stream.write(data)
    os.utime(model, ns=(before.st_atime_ns, before.st_mtime_ns))
    new_process()
    with pytest.raises(ModelError, match="block_count is 2147483648"):
        check_model(model)
    assert checked_before(model, file_digest(model)) is None  # what is refused leaves no record


RECORDS = {
    "no JSON": b"{",
    "no text": b"\xff\xfe",
    "nested without end": b"[" * 100_000,
    "a list": b"[1]",
    "empty": b"{}",
}


@pytest.mark.parametrize("content", RECORDS.values(), ids=RECORDS)
def test_a_record_that_cannot_be_read_has_the_file_checked_again(model, parsed, content):
    digest = file_digest(model)
    known = check_model(model)
    sound = record_path(digest).read_bytes()
    record_path(digest).write_bytes(content)
    new_process()
    assert check_model(model) == known
    assert parsed == [model, model]
    assert record_path(digest).read_bytes() == sound


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sha256", "0" * 64),
        ("n_layers", 0),
        ("n_layers", True),
        ("n_layers", "1"),
        ("context", -1),
        ("begin", 300),
        ("begin", -1),
        ("tokenizer", "short"),
        ("architecture", None),
        ("matrix_types", [16]),
        ("matrix_types", None),
    ],
)
def test_a_record_with_a_value_that_no_check_gives_has_the_file_checked_again(model, parsed, name, value):
    digest = file_digest(model)
    known = check_model(model)
    record = json.loads(record_path(digest).read_text())
    assert name in record
    record_path(digest).write_text(json.dumps(record | {name: value}))
    new_process()
    assert check_model(model) == known
    assert parsed == [model, model]


def test_where_nothing_can_be_written_every_process_checks(model, parsed, tmp_path):
    file_digest(model)
    (tmp_path / "cache" / "model-checks").write_text("a file where the folder would be")
    for _ in range(2):
        check_model(model)
        new_process()
    assert parsed == [model, model]
