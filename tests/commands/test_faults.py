"""Every write of a command fails in turn: `benchmarks.faults.faults` in small; what the system refuses."""

import ast
import ctypes
import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

import ghostbuster
from ghostbuster.cli import main
from ghostbuster.errors import InputError, ModelError
from ghostbuster.models.backend import library

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs Linux and a C compiler"
)
@pytest.mark.parametrize(
    ("name", "rounds", "kinds"),
    [("ensemble", 3, 7), pytest.param("models prepare", 1, 9, marks=pytest.mark.slow)],
)
def test_a_full_disk_a_kill_want_of_memory_or_a_jumping_clock_leaves_the_old_output_or_the_new_one(
    name, rounds, kinds
):
    command = [sys.executable, "-m", "benchmarks.faults.faults", "--rounds", str(rounds), "--commands", name]
    settings = {name: value for name, value in os.environ.items() if name != "FAULT_SHIM"}
    ended = subprocess.run(command, cwd=REPOSITORY, env=settings, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    rows = [line for line in ended.stdout.splitlines() if line.startswith(f"| {name} |")]
    assert len(rows) == kinds
    assert all(row.endswith("| 0 |") for row in rows)


def test_want_of_memory_is_one_line(capsys, monkeypatch):
    def hungry(*_, **__):
        raise MemoryError

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", hungry)
    assert main(["score-file", "a.txt"]) == 2
    assert capsys.readouterr().err == f"ghostbuster: error: {NO_MEMORY}\n"


NO_MEMORY = "not enough memory: end other programs, or give fewer or shorter texts"


def of_memory(error):
    """``error``, raised for want of memory."""
    error.__cause__ = MemoryError()
    return error


@pytest.mark.parametrize(
    "error",
    [
        ImportError("/x.so: failed to map segment from shared object"),
        OSError("/x.so: cannot map zero-fill pages"),  # of the loader, by ctypes
        OSError(errno.ENOMEM, "Cannot allocate memory", "/some/place"),
        RuntimeError("can't start new thread"),
        SystemError("std::bad_alloc"),
        SystemError("error return without exception set"),
        pd.errors.ParserError("Error tokenizing data. C error: out of memory"),
        of_memory(RuntimeError("no use")),
        of_memory(ModelError("weak.gguf: llama.cpp cannot load it")),
    ],
    ids=str,
)
def test_want_of_memory_has_one_wording_in_whatever_form_it_comes(capsys, monkeypatch, error):
    def hungry(*_, **__):
        raise error

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", hungry)
    assert main(["score-file", "a.txt"]) == 2
    assert capsys.readouterr().err == f"ghostbuster: error: {NO_MEMORY}\n"


@pytest.mark.parametrize("error", [KeyError("x"), RuntimeError("a bug"), ImportError("no name 'x'")], ids=str)
def test_what_is_no_want_of_memory_stays_what_it_is(monkeypatch, error):
    def wrong(*_, **__):
        raise error

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", wrong)
    with pytest.raises(type(error)) as caught:
        main(["score-file", "a.txt"])
    assert caught.value is error


def test_a_users_own_words_are_no_want_of_memory(capsys, monkeypatch):
    def refuse(*_, **__):
        raise InputError("label 'out of memory' of text 1") from ValueError(
            "'unable to allocate' is no number"
        )

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", refuse)
    assert main(["score-file", "a.txt"]) == 2
    assert capsys.readouterr().err == "ghostbuster: error: label 'out of memory' of text 1\n"


def test_llama_cpps_own_words_tell_of_want_of_memory(monkeypatch):
    monkeypatch.setattr(library, "recent_errors", ["llama_model_load: mmap failed: Cannot allocate memory"])
    assert isinstance(library.out_of_memory_error(), MemoryError)
    monkeypatch.setattr(library, "recent_errors", ["unknown model architecture"])
    assert library.out_of_memory_error() is None


LIMITED = """
import resource, sys
from ghostbuster.cli import main
import numpy, pandas
used = 1024 * int(open("/proc/self/status").read().split("VmSize:")[1].split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, used + 2**20))
sys.exit(main(["score-file", "-q", *sys.argv[1:]]))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_a_library_that_finds_no_room_is_one_line(tmp_path):
    (tmp_path / "a.txt").write_text("Some words of a text. " * 40, encoding="utf-8")
    settings = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", LIMITED, str(tmp_path / "a.txt")]
    ended = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, f"ghostbuster: error: {NO_MEMORY}\n")


WITHOUT_ROOM = """
import resource, scipy.linalg
from ghostbuster.features.search.logistic import check_blas_memory
used = 1024 * int(open("/proc/self/status").read().split("VmSize:")[1].split()[0])
resource.setrlimit(resource.RLIMIT_AS, (used + 2**24, used + 2**24))
try:
    check_blas_memory()
except MemoryError:
    print("refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits of address space are Linux's")
def test_a_search_without_room_for_blas_is_refused_and_does_not_hang():
    ended = subprocess.run([sys.executable, "-c", WITHOUT_ROOM], capture_output=True, text=True, check=False)
    assert ended.stdout == "refused\n", ended.stderr


CLOCKS = {
    "time": {"time", "time_ns", "localtime", "gmtime", "ctime", "asctime", "strftime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
    "Timestamp": {"now", "utcnow", "today"},
}


def readings_of_the_day(source):
    """Names by which a module reads the clock of the day, wherever they stand."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute):
            owner = (
                node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            )
            if node.attr in CLOCKS.get(owner, ()):
                yield f"{owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (alias.name for alias in node.names if alias.name in CLOCKS["time"])


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.time()",
        "from time import time_ns",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import date\ndate.today()",
        "import pandas as pd\npd.Timestamp.now()",
    ],
)
def test_the_reader_of_sources_finds_clocks_of_the_day(source):
    assert len(list(readings_of_the_day(source))) == 1


def test_no_module_reads_the_clock_of_the_day():
    package = Path(ghostbuster.__file__).parent
    read = {str(path): list(readings_of_the_day(path.read_text("utf-8"))) for path in package.rglob("*.py")}
    assert {path: names for path, names in read.items() if names} == {}
    assert len(read) > 100


def test_what_the_system_refuses_is_one_line_with_the_place(capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "/some/place")

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", full)
    assert main(["score-file", "a.txt"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("ghostbuster: error: /some/place: No space left on device: free what is missing")
    assert err.count("\n") == 1


def test_sigterm_unwinds_and_ends_with_its_own_code(monkeypatch):
    cleared = []

    def ended(*_, **__):
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


@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
def test_sigterm_that_a_library_gives_another_exit_code_keeps_its_own(monkeypatch):
    def ended(*_, **__):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(30)
        except SystemExit:
            raise SystemExit(1) from None  # as Ray's waits do

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", ended)
    assert main(["score-file", "a.txt"]) == 143


CALLBACK = ctypes.CFUNCTYPE(None)


@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_that_comes_where_no_exception_can_pass_is_not_lost(capfd, monkeypatch, number, code):
    def ended(*_, **__):
        CALLBACK(lambda: os.kill(os.getpid(), number))()  # as in llama.cpp's log
        time.sleep(30)
        pytest.fail("went on after the signal")

    hook = sys.unraisablehook
    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", ended)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    try:
        assert main(["score-file", "a.txt"]) == code
    finally:
        signal.signal(signal.SIGINT, before)
    assert "Traceback" not in capfd.readouterr().err
    assert sys.unraisablehook is hook


@pytest.mark.skipif(os.name == "nt", reason="signals are of POSIX")
def test_a_signal_lost_at_the_end_of_a_command_does_not_end_who_called_it(monkeypatch):
    def over(*_, **__):
        CALLBACK(lambda: os.kill(os.getpid(), signal.SIGTERM))()
        raise InputError("no such file")

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", over)
    assert main(["score-file", "a.txt"]) == 2
    time.sleep(0.1)


def test_other_exceptions_that_cannot_pass_are_told(monkeypatch):
    def careless(*_, **__):
        CALLBACK(lambda: 1 / 0)()
        raise InputError("no such file")

    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda lost: told.append(lost.exc_type))
    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", careless)
    assert main(["score-file", "a.txt"]) == 2
    assert told == [ZeroDivisionError]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_results_that_cannot_be_printed_are_one_line():
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "ghostbuster.cli", "cache", "info"]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("ghostbuster: error: ")
    assert ended.stderr.count("\n") == 1


def test_ctrl_c_ends_with_the_code_that_shells_expect(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", interrupted)
    assert main(["score-file", "a.txt"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_ctrl_c_during_a_table_says_what_is_kept_and_that_the_same_command_goes_on(
    capsys, monkeypatch, tmp_path, detector_file
):
    (tmp_path / "in.csv").write_text("id,text\n1,a\n2,b\n")
    command = ["score-table", str(tmp_path / "in.csv"), "-o", str(tmp_path / "out.csv"), "-m", detector_file]

    def interrupted(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("ghostbuster.tables.scoring.score", interrupted)
        assert main(["--verbose", *map(str, command)]) == 130
    assert "0 of 2 rows are kept in" in (err := capsys.readouterr().err)
    assert "the same command goes on there" in err
    assert main([*map(str, command)]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"in.csv", "out.csv"}


def test_a_traceback_is_shown_to_those_who_ask_and_the_line_stays_the_last_but_the_time(capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "/some/place")

    monkeypatch.setattr("ghostbuster.commands.score_file.read_files", full)
    assert main(["--verbose", "score-file", "a.txt"]) == 2
    err = capsys.readouterr().err
    assert "Traceback (most recent call last)" in err
    assert err.splitlines()[-2].startswith("ghostbuster: error: /some/place")


def test_a_thread_may_run_a_command_and_signals_stay_whose_they_were(capsys):
    before, codes = signal.getsignal(signal.SIGTERM), []
    thread = threading.Thread(target=lambda: codes.append(main(["cache", "info", "--format", "json"])))
    thread.start()
    thread.join()
    assert codes == [0]
    assert "limit" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) is before
