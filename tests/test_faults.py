"""Every write of a command fails in turn: the small form of `benchmarks.faults`; what the system refuses."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ghostbuster.cli import main

REPOSITORY = Path(__file__).parent.parent


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)
def test_a_full_disk_a_kill_want_of_memory_or_a_jumping_clock_leaves_the_old_output_or_the_new_one():
    command = [sys.executable, "-m", "benchmarks.faults", "--rounds", "3", "--commands", "ensemble"]
    settings = {name: value for name, value in os.environ.items() if name != "FAULT_SHIM"}
    ended = subprocess.run(command, cwd=REPOSITORY, env=settings, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = [line for line in ended.stdout.splitlines() if line.startswith("| ensemble")]
    assert len(rows) == 7
    assert all(row.endswith("| 0 |") for row in rows)


def test_want_of_memory_is_one_line(capsys, monkeypatch):
    def hungry(_):
        raise MemoryError

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", hungry)
    assert main(["score-file", "a.txt"]) == 2
    assert capsys.readouterr().err == (
        "ghostbuster: error: not enough memory: end other programs, or give fewer or shorter texts\n"
    )


def test_what_the_system_refuses_is_one_line_with_the_place(capsys, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device", "/some/place")

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", full)
    assert main(["score-file", "a.txt"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("ghostbuster: error: /some/place: No space left on device: free what is missing")
    assert err.count("\n") == 1


def test_sigterm_unwinds_and_ends_with_its_own_code(monkeypatch):
    cleared = []

    def ended(_):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            pytest.fail("went on after SIGTERM")
        finally:
            cleared.append(True)

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", ended)
    assert main(["score-file", "a.txt"]) == 143
    assert cleared
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_results_that_cannot_be_printed_are_one_line():
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ghostbuster.cli", "cache", "info"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("ghostbuster: error: ")
    assert ended.stderr.count("\n") == 1
