import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ghostbuster.models.sandbox.child import behave_as_child, python_command, run_child, status_name


def run(folder, code, timeout=60.0, **options):
    return run_child([sys.executable, "-c", code], folder, timeout, **options)


def test_a_childs_output_goes_to_the_file_and_its_exit_code_comes_back(tmp_path):
    assert run(tmp_path, "print('answer'); raise SystemExit(3)", output=tmp_path / "out") == 3
    assert (tmp_path / "out").read_text() == "answer\n"


@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
def test_a_crash_of_the_child_is_a_status_and_not_a_crash_of_the_parent(tmp_path):
    status = run(tmp_path, "import os; os.abort()")
    assert status_name(status) == "SIGABRT"


def test_a_child_that_hangs_is_killed_at_the_timeout_and_waited_for(tmp_path):
    code = "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    with pytest.raises(subprocess.TimeoutExpired):
        run(tmp_path, code, timeout=5.0)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_module_of_the_working_folder_never_stands_in_for_one_of_ours(tmp_path):
    (tmp_path / "ghostbuster").mkdir()
    (tmp_path / "ghostbuster" / "__init__.py").write_text("raise SystemExit(9)")
    (tmp_path / "json.py").write_text("raise SystemExit(9)")
    command = python_command("ghostbuster.cli", "--version")
    assert command[1] == "-P"
    assert run_child(command, tmp_path, 60.0, tmp_path / "out") == 0
    assert (tmp_path / "out").read_text().startswith("ghostbuster")


@pytest.mark.parametrize(("status", "name"), [(3, "exit code 3"), (-9, "SIGKILL"), (-200, "signal 200")])
def test_the_end_of_a_child_is_named(status, name):
    assert status_name(status) == name


@pytest.mark.skipif(sys.platform == "win32", reason="core dumps are of POSIX")
def test_a_child_can_switch_its_core_dumps_off(tmp_path):
    module = behave_as_child.__module__
    code = (
        f"import resource\nfrom {module} import behave_as_child\nbehave_as_child()\n"
        "raise SystemExit(resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )
    assert run(tmp_path, code) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_ends_with_the_process_that_waits_for_it_however_that_ended(tmp_path):
    note = tmp_path / "child"
    child = (
        f"import os, time\nfrom {behave_as_child.__module__} import behave_as_child\nbehave_as_child()\n"
        f"open({str(note)!r}, 'w').write(str(os.getpid()) + chr(10))\ntime.sleep(60)"
    )
    parent = (
        f"import sys\nfrom {run_child.__module__} import run_child\n"
        f"run_child([sys.executable, '-c', {child!r}], {str(tmp_path)!r}, 60)"
    )
    waiting = subprocess.Popen([sys.executable, "-c", parent])
    while not (note.exists() and note.read_text().endswith("\n")):
        assert waiting.poll() is None
        time.sleep(0.02)
    assert is_running(int(note.read_text()))
    waiting.kill()
    waiting.wait()
    deadline = time.monotonic() + 30
    while is_running(int(note.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_running(number):
    """Whether a process is there, and no zombie that nobody has waited for."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_whose_parent_is_gone_already_does_nothing(tmp_path, monkeypatch):
    code = f"from {behave_as_child.__module__} import *\nbehave_as_child()\nraise SystemExit(7)"
    monkeypatch.setenv("GHOSTBUSTER_PARENT", "1")
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 1
    monkeypatch.delenv("GHOSTBUSTER_PARENT")
    assert subprocess.run(command, cwd=tmp_path, check=False).returncode == 7
