import sys

import pytest

from ghostbuster.errors import ModelError
from ghostbuster.models.gguf.check import check_model
from ghostbuster.models.gguf.digest import file_digest
from ghostbuster.models.llama.language_model import LlamaLM
from ghostbuster.models.panels import PANELS, weights_folder
from ghostbuster.models.sandbox import load_check as trial
from training.data.make_gguf import Shape, make_gguf


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A file of which nothing is known."""
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(trial, "_passed", set())
    return make_gguf(tmp_path / "x.gguf", Shape(vocabulary=300, layers=1))


def asked(monkeypatch, code):
    """The child runs ``code`` instead; how often it was asked for is counted in the list returned."""
    calls = []

    def command(path, _adapter=None):
        calls.append(path)
        return [sys.executable, "-c", code]

    monkeypatch.setattr(trial, "child_command", command)
    return calls


def test_the_digests_of_the_files_that_ship_are_known():
    files = [weights_folder() / name for name in (PANELS["embedded"].weak, PANELS["embedded"].strong)]
    assert {file_digest(file) for file in files} < trial.KNOWN


@pytest.mark.usefixtures("model")
def test_the_files_that_ship_start_no_child(monkeypatch):
    calls = asked(monkeypatch, "raise SystemExit(1)")
    trial.check_loads(check_model(weights_folder() / PANELS["embedded"].weak))
    assert calls == []


def test_a_sound_file_passes_once_for_all_processes(model, monkeypatch):
    file = check_model(model)
    trial.check_loads(file)
    assert trial.cache_file(file_digest(model)).read_text() == "passed\n"
    calls = asked(monkeypatch, "raise SystemExit(1)")
    trial.check_loads(file)
    monkeypatch.setattr(trial, "_passed", set())
    trial.check_loads(file)
    assert calls == []


@pytest.mark.parametrize(
    ("code", "ended"),
    [
        ("import os; os.abort()", "SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL, perhaps for want of memory"),
        ("raise SystemExit(3)", "exit code 3"),
    ],
)
def test_a_file_that_ends_the_child_is_refused_and_tried_again_next_time(model, monkeypatch, code, ended):
    calls = asked(monkeypatch, code)
    for _ in range(2):
        with pytest.raises(
            ModelError, match=f"x.gguf: a child process that read it ended with {ended}; expected"
        ):
            LlamaLM(model, "weak")
    assert len(calls) == 2


def test_a_child_that_never_answers_is_ended(model, monkeypatch):
    asked(monkeypatch, "import time; time.sleep(600)")
    monkeypatch.setattr(trial, "TIME_LIMIT", 0.5)
    with pytest.raises(ModelError, match=r"gave no answer within [01] seconds"):
        trial.check_loads(check_model(model))


def test_a_child_that_cannot_be_started_is_told(model, monkeypatch):
    monkeypatch.setattr(trial, "child_command", lambda *_: ["/nowhere/python"])
    with pytest.raises(ModelError, match="it cannot be tried in a child process"):
        trial.check_loads(check_model(model))


def test_those_who_trust_their_files_leave_the_trial_out(model, monkeypatch):
    calls = asked(monkeypatch, "raise SystemExit(1)")
    monkeypatch.setenv(trial.VARIABLE, "no")
    assert LlamaLM(model, "weak").score(["some words"]).ends.size
    assert calls == []


def test_where_nothing_can_be_remembered_the_process_still_knows(model, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "file"))
    calls = asked(monkeypatch, "")
    for _ in range(2):
        trial.check_loads(check_model(model))
    assert len(calls) == 1
