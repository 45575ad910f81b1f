"""``ghostbuster models`` against a hub on this machine: the embedded models stand in for the large ones."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path

import pytest
from hub_server import COMMIT, Hub, serving

from ghostbuster.cli import main
from ghostbuster.errors import ModelError
from ghostbuster.models.hub import download as hub_module
from ghostbuster.models.hub.catalog import CATALOG
from ghostbuster.models.hub.download import HubFile, _progress
from ghostbuster.models.hub.locate import locate, model_file
from ghostbuster.models.hub.pulled import PulledModel, read_record, record_path, write_record
from ghostbuster.models.panels import PANELS, weights_folder

TINY, LARGE = CATALOG["tinyllama-1.1b"], CATALOG["llama-2-7b"]
WEAK = (weights_folder() / "embedded-weak.gguf").read_bytes()
STRONG = (weights_folder() / "embedded-strong.gguf").read_bytes()
PULLED = PulledModel("tinyllama-1.1b", TINY.repository, TINY.file, TINY.revision, "b" * 64, 1, "nowhere")
needs_hub = pytest.mark.skipif(
    find_spec("huggingface_hub") is None,
    reason="huggingface_hub is not installed: pip install 'ghostbuster[hub]'",
)


@pytest.fixture
def hub():
    """A hub with both models of the panel."""
    return Hub({TINY.file: WEAK, LARGE.file: STRONG})


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user without models; the fixture is where the hub's cache and the records are."""
    monkeypatch.setenv("GHOSTBUSTER_MODELS", str(tmp_path / "records"))
    return tmp_path


@pytest.fixture
def ghostbuster(hub, home):
    """Run the program against the hub, in a process of its own as users do."""
    with serving(hub) as address:

        def run(*arguments, **variables):
            settings = {
                "HF_ENDPOINT": address,
                "HF_HUB_CACHE": str(home / "hub"),
                "GHOSTBUSTER_MODELS": str(home / "records"),
                "HF_HUB_DISABLE_TELEMETRY": "1",
                **variables,
            }
            command = [sys.executable, "-m", "ghostbuster.cli", *map(str, arguments)]
            environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
            return subprocess.run(
                command, capture_output=True, text=True, check=False, env=environment | settings
            )

        yield run


def errors_of(done):
    return [line for line in done.stderr.splitlines() if line.startswith("ghostbuster: error: ")]


def parts_in(home):
    return list((home / "hub").rglob("*.ghostbuster-part"))


@needs_hub
def test_a_pulled_model_is_recorded_with_its_digest_and_licence_and_served_from_the_hubs_own_cache(
    ghostbuster, hub, home
):
    done = ghostbuster("models", "pull", "tinyllama-1.1b", "llama-2-7b")
    assert done.returncode == 0, done.stderr
    assert "Apache-2.0" in done.stderr
    assert "https://ai.meta.com/llama/license/" in done.stderr
    assert "using the model is accepting its licence" in done.stderr
    record = read_record("llama-2-7b")
    assert record.sha256 == hashlib.sha256(STRONG).hexdigest()
    assert record.revision == LARGE.revision
    assert Path(record.path).read_bytes() == STRONG
    snapshot = home / "hub" / "models--TheBloke--Llama-2-7B-GGUF" / "snapshots" / LARGE.revision
    assert Path(record.path) == snapshot / LARGE.file

    asked = len(hub.requests)
    again = ghostbuster("models", "pull", "llama-2-7b", HF_HUB_OFFLINE="1")
    assert (again.returncode, len(hub.requests)) == (0, asked)


@needs_hub
def test_the_pulled_models_are_the_panel_llama(ghostbuster, labelled_table, home, capsys):
    assert ghostbuster("models", "pull", "tinyllama-1.1b", "llama-2-7b").returncode == 0
    options = ["--panel", "llama", "--space", "zeroshot", "--max-features", "2", "--group-column", "id"]
    artifact = home / "llama.joblib"
    assert main(["train", str(labelled_table), "-o", str(artifact), *options]) == 0
    capsys.readouterr()
    text = Path(__file__).parents[2] / "examples" / "human.txt"
    assert main(["score-file", str(text), "-m", str(artifact), "--format", "json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert 0 < row["probability"] < 1
    main(["score-file", str(text), "-m", str(artifact), "--panel", "llama", "--format", "json"])
    assert json.loads(capsys.readouterr().out) == [row]
    main(["info", str(artifact), "--format", "json"])
    models = {model["role"]: model for model in json.loads(capsys.readouterr().out)["models"]}
    assert models["strong"]["file"] == LARGE.file
    assert models["strong"]["digest"] == hashlib.sha256(STRONG).hexdigest()


@needs_hub
def test_a_connection_that_breaks_is_taken_up_where_it_broke(ghostbuster, hub):
    hub.files[TINY.file] = padded = WEAK + bytes(20_000_000)  # huggingface_hub writes 10 MiB at a time
    hub.digests[TINY.file] = hashlib.sha256(padded).hexdigest()
    hub.break_after = 15_000_000
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert done.returncode == 0, done.stderr
    start, again = [first for method, first in hub.requests if method == "GET"]
    assert start == 0 < again <= 15_000_000
    assert read_record("tinyllama-1.1b").sha256 == hub.digests[TINY.file]


@needs_hub
def test_what_an_earlier_process_left_is_not_fetched_again(ghostbuster, hub, home):
    blobs = home / "hub" / f"models--{TINY.repository.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hub.digests[TINY.file]}.ghostbuster-part").write_bytes(WEAK[:2_000_000])
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert done.returncode == 0, done.stderr
    assert [first for method, first in hub.requests if method == "GET"] == [2_000_000]
    assert Path(read_record("tinyllama-1.1b").path).read_bytes() == WEAK
    assert parts_in(home) == []


@needs_hub
def test_a_server_that_always_breaks_off_is_one_line_and_what_arrived_is_kept(ghostbuster, hub, home):
    hub.break_after, hub.always = 0, True
    blobs = home / "hub" / f"models--{TINY.repository.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hub.digests[TINY.file]}.ghostbuster-part").write_bytes(WEAK[:1234])
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert done.returncode == 2
    (error,) = errors_of(done)
    assert "could not be downloaded" in error
    assert "pull again to go on" in error
    (part,) = parts_in(home)
    assert part.read_bytes() == WEAK[:1234]
    assert read_record("tinyllama-1.1b") is None


@needs_hub
def test_a_file_with_another_digest_than_the_hub_says_is_thrown_away(ghostbuster, hub, home):
    hub.digests[TINY.file] = "ab" * 32
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert (done.returncode, done.stdout) == (2, "")
    (error,) = errors_of(done)
    assert "expected abababababab" in error
    assert "thrown away" in error
    assert read_record("tinyllama-1.1b") is None
    assert [path for path in (home / "hub").rglob("*") if path.is_file() and path.stat().st_size] == []


@needs_hub
def test_a_hub_that_changes_its_mind_about_a_commit_is_not_believed(ghostbuster, hub, home):
    assert ghostbuster("models", "pull", "tinyllama-1.1b").returncode == 0
    hub.files[TINY.file] = STRONG
    hub.digests[TINY.file] = hashlib.sha256(STRONG).hexdigest()
    done = ghostbuster("models", "pull", "tinyllama-1.1b", HF_HUB_CACHE=str(home / "another"))
    assert done.returncode == 2
    (error,) = errors_of(done)
    assert "a commit never changes" in error
    assert not list((home / "another").rglob("*.gguf"))
    assert [method for method, _ in hub.requests].count("GET") == 1


@needs_hub
def test_a_hub_that_gives_no_sha256_is_refused_before_the_download(ghostbuster, hub):
    hub.digests[TINY.file] = "0" * 40  # what files outside large file storage have
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert done.returncode == 2
    assert "gives no SHA-256" in errors_of(done)[0]
    assert "GET" not in [method for method, _ in hub.requests]


@needs_hub
def test_a_file_that_the_hub_does_not_have_is_one_line(ghostbuster, hub):
    del hub.files[TINY.file]
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert (done.returncode, done.stdout) == (2, "")
    (error,) = errors_of(done)
    assert f"has no {TINY.file} at this revision" in error


@needs_hub
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("RepoNotFound", "is not there, or not for you: accept its terms on the hub, then `hf auth login`"),
        ("RevisionNotFound", "at this revision: give another with --revision"),
        ("SomethingElse", "404"),
    ],
)
def test_what_the_hub_refuses_is_one_line(ghostbuster, hub, code, message):
    hub.code = code
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert (done.returncode, done.stdout) == (2, "")
    (error,) = errors_of(done)
    assert message in error


@needs_hub
def test_a_hub_that_is_not_there_is_one_line(ghostbuster):
    done = ghostbuster("models", "pull", "tinyllama-1.1b", HF_ENDPOINT="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (2, "")
    (error,) = errors_of(done)
    assert "could not be downloaded from http://127.0.0.1:9/" in error


@needs_hub
def test_a_record_that_cannot_be_kept_names_its_folder(ghostbuster, home):
    (home / "taken").write_text("a file")
    done = ghostbuster("models", "pull", "tinyllama-1.1b", GHOSTBUSTER_MODELS=str(home / "taken"))
    assert done.returncode == 2
    assert "taken cannot be made" in errors_of(done)[0]
    assert not (home / "hub").exists()


@needs_hub
def test_a_model_that_is_no_language_model_is_not_recorded(ghostbuster, hub):
    hub.files[TINY.file] = b"GGUF but nothing else"
    hub.digests[TINY.file] = hashlib.sha256(hub.files[TINY.file]).hexdigest()
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert done.returncode == 2
    assert "damaged GGUF" in errors_of(done)[0]
    assert read_record("tinyllama-1.1b") is None


@needs_hub
def test_another_revision_can_be_pulled(ghostbuster):
    assert ghostbuster("models", "pull", "tinyllama-1.1b", "--revision", "main").returncode == 0
    assert read_record("tinyllama-1.1b").revision == COMMIT


@needs_hub
def test_offline_a_model_that_is_not_in_the_cache_is_one_line(ghostbuster, hub):
    done = ghostbuster("models", "pull", "tinyllama-1.1b", HF_HUB_OFFLINE="1")
    assert (done.returncode, hub.requests) == (2, [])
    (error,) = errors_of(done)
    assert "HF_HUB_OFFLINE is set" in error


@needs_hub
def test_verifying_finds_a_changed_byte_and_a_missing_file(ghostbuster, capsys):
    assert ghostbuster("models", "pull", "tinyllama-1.1b", "llama-2-7b").returncode == 0
    both = ["tinyllama-1.1b", "llama-2-7b"]
    assert main(["models", "verify", *both, "--format", "json"]) == 0
    assert [row["state"] for row in json.loads(capsys.readouterr().out)] == ["ok", "ok"]
    changed = Path(read_record("tinyllama-1.1b").path).resolve()
    data = bytearray(changed.read_bytes())
    data[-1] ^= 1
    changed.write_bytes(data)
    Path(read_record("llama-2-7b").path).resolve().unlink()
    assert main(["models", "verify", *both, "--format", "json"]) == 1
    states = {row["name"]: row["state"] for row in json.loads(capsys.readouterr().out)}
    assert states == {"tinyllama-1.1b": "changed", "llama-2-7b": "missing"}
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert done.returncode == 2
    assert "remove it there and pull tinyllama-1.1b again" in errors_of(done)[0]


@needs_hub
def test_a_hub_cache_without_links_is_checked_against_the_hub(ghostbuster, hub, home):
    snapshot = home / "hub" / f"models--{TINY.repository.replace('/', '--')}" / "snapshots" / TINY.revision
    snapshot.mkdir(parents=True)
    (snapshot / TINY.file).write_bytes(STRONG)
    done = ghostbuster("models", "pull", "tinyllama-1.1b")
    assert done.returncode == 2
    assert "holds another file than it says" in errors_of(done)[0]
    (snapshot / TINY.file).write_bytes(WEAK)
    assert ghostbuster("models", "pull", "tinyllama-1.1b").returncode == 0
    assert "GET" not in [method for method, _ in hub.requests]


def test_without_huggingface_hub_the_remedy_is_named(home, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert main(["models", "pull", "tinyllama-1.1b"]) == 2
    assert "pip install 'ghostbuster[hub]'" in capsys.readouterr().err
    assert not (home / "records").exists()


def test_an_unknown_model_stops_before_anything_is_fetched(home, capsys):
    assert main(["models", "pull", "tinyllama-1.1b", "llama-2-7"]) == 2
    assert "did you mean 'llama-2-7b'?" in capsys.readouterr().err
    assert not (home / "hub").exists()


def test_the_panel_without_its_models_names_the_command_that_gets_them(home, labelled_table, capsys):
    arguments = ["train", str(labelled_table), "-o", str(home / "mine.joblib"), "--panel", "llama"]
    assert main(arguments) == 2
    assert "`ghostbuster models pull tinyllama-1.1b llama-2-7b`" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_listing_tells_what_is_known_and_what_is_here(capsys):
    assert main(["models", "list", "--format", "json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows.keys() == CATALOG.keys()
    assert {row["state"] for name, row in rows.items() if name != "smollm2-135m"} == {"not here"}
    assert rows["llama-2-7b"]["licence_url"] == "https://ai.meta.com/llama/license/"
    assert main(["models", "list"]) == 0
    assert "llama-2-7b      not here" in capsys.readouterr().out


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"name": 1}', json.dumps(dict.fromkeys("abcdefg", 1))])
def test_a_damaged_record_is_named(home, capsys, content):
    folder = home / "records"
    folder.mkdir()
    (folder / "llama-2-7b.json").write_text(content)
    assert main(["models", "list"]) == 2
    assert "llama-2-7b.json is no record of a pulled model: remove it" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_verifying_a_model_that_was_never_pulled_is_exit_code_1(capsys):
    assert main(["models", "verify"]) == 0
    assert ("no known model is here" in capsys.readouterr().out) == (locate("smollm2-135m") is None)
    assert main(["models", "verify", "llama-2-7b"]) == 1
    assert "missing" in capsys.readouterr().out


def test_a_model_file_tells_its_facts(capsys):
    path = weights_folder() / "embedded-strong.gguf"
    assert main(["models", "info", str(path), "--format", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["digest"] == hashlib.sha256(STRONG).hexdigest()
    assert facts["size_bytes"] == len(STRONG)
    assert (facts["usable"], facts["reason"]) == (True, None)
    assert (facts["vocabulary"], facts["context"]) == (4096, 1024)
    assert facts["metadata"]["general.name"] == "embedded-strong"
    assert main(["models", "info", str(path)]) == 0
    assert "architecture: llama" in capsys.readouterr().out


def test_a_model_file_that_cannot_serve_says_why(capsys, tmp_path):
    pytest.importorskip("gguf")
    from training.data.make_gguf import make_gguf

    path = make_gguf(tmp_path / "other.gguf", architecture="gptj")
    assert main(["models", "info", str(path), "--format", "json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["usable"] is False
    assert "architecture 'gptj'" in facts["reason"]
    assert main(["models", "info", str(tmp_path / "none.gguf")]) == 2
    assert "no such file" in capsys.readouterr().err


@pytest.mark.parametrize("name", CATALOG)
def test_every_known_model_is_pinned_to_a_commit_and_names_its_licence(name):
    row = CATALOG[name]
    assert len(row.revision) == 40
    assert set(row.revision) <= set("0123456789abcdef")
    assert row.sha256 == "" or len(row.sha256) == 64
    assert row.licence_url.startswith("https://")
    assert row.file.endswith(".gguf")


def test_every_panel_is_made_of_known_models_and_of_those_that_ship():
    for row in PANELS.values():
        for model in (row.weak, row.strong):
            assert model in CATALOG or (weights_folder() / model).is_file()


def test_a_digest_that_the_catalog_pins_is_the_only_one_believed(home):
    row = replace(TINY, sha256="a" * 64)
    kept = home / row.revision / row.file
    write_record(PULLED)
    assert hub_module._expected_digest("tinyllama-1.1b", row, kept) == "a" * 64
    assert hub_module._expected_digest("tinyllama-1.1b", TINY, kept) == "b" * 64
    served = HubFile("c" * 64, 1, row.revision)
    with pytest.raises(ModelError, match=r"the SHA-256 c{12}\.\.\., expected a{12}"):
        hub_module._check_pinned_digest("tinyllama-1.1b", row, served)
    with pytest.raises(ModelError, match=r"the SHA-256 c{12}\.\.\., expected b{12}"):
        hub_module._check_pinned_digest("tinyllama-1.1b", TINY, served)


@needs_hub
def test_more_bytes_than_the_file_has_are_fetched_anew(ghostbuster, hub, home):
    blobs = home / "hub" / f"models--{TINY.repository.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / f"{hub.digests[TINY.file]}.ghostbuster-part").write_bytes(bytes(len(WEAK) + 1))
    assert ghostbuster("models", "pull", "tinyllama-1.1b").returncode == 0
    assert ("GET", 0) in hub.requests
    assert Path(read_record("tinyllama-1.1b").path).read_bytes() == WEAK
    assert parts_in(home) == []


@needs_hub
def test_a_file_that_another_process_fetched_meanwhile_is_not_fetched_again(ghostbuster, hub, home):
    blobs = home / "hub" / f"models--{TINY.repository.replace('/', '--')}" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / hub.digests[TINY.file]).write_bytes(WEAK)
    assert ghostbuster("models", "pull", "tinyllama-1.1b").returncode == 0
    assert "GET" not in [method for method, _ in hub.requests]
    assert Path(read_record("tinyllama-1.1b").path).read_bytes() == WEAK


@pytest.mark.usefixtures("home")
def test_a_record_whose_size_is_no_number_is_named():
    write_record(PULLED)
    record_path(PULLED.name).write_text(json.dumps({**asdict(PULLED), "size": "1"}))
    with pytest.raises(ModelError, match=r"tinyllama-1\.1b\.json is no record of a pulled model"):
        read_record(PULLED.name)


def test_a_pulled_file_that_has_changed_since_is_not_opened(home):
    (home / "x.gguf").write_bytes(b"longer than it was")
    write_record(replace(PULLED, path=str(home / "x.gguf")))
    with pytest.raises(ModelError, match=r"x\.gguf .* is changed since it was pulled: get it again with"):
        model_file(PULLED.name)


@needs_hub
def test_bars_that_nobody_sees_start_no_thread(monkeypatch):
    from huggingface_hub import utils

    monkeypatch.setattr(utils.tqdm, "monitor", None)
    interval, before = utils.tqdm.monitor_interval, threading.enumerate()
    with _progress(quiet=True):
        assert sum(1 for _ in utils.tqdm(range(3))) == 3
        assert threading.enumerate() == before
    assert utils.tqdm.monitor_interval == interval > 0
