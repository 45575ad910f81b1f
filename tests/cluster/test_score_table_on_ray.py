"""``score-table --on ray``: the same rows as on one machine, value for value, whatever ends meanwhile."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec

import pandas as pd
import pytest
from command_line import one_line, run
from prose import passages, shuffled
from ray_works import worker_killed

from ghostbuster.cluster import parts as parts_module
from ghostbuster.cluster.plan import PLAN
from ghostbuster.tables.table import read_table, write_table

pytestmark = pytest.mark.filterwarnings("default")  # Ray's own
TEXTS = [text for i, one in enumerate(passages(60, 45)) for text in (one, shuffled(one, i))]
RAY = ["--on", "ray", "--workers", "2"]


@pytest.fixture
def small_parts(monkeypatch):
    """Parts of a few rows."""
    monkeypatch.setattr(parts_module, "LEAST_CHARACTERS", 2000)


@pytest.fixture
def table(tmp_path):
    """JSON lines in two files, with rows that hold no text."""
    rows = [{"id": i, "text": text} for i, text in enumerate(TEXTS)]
    rows[7]["text"], rows[100]["text"] = None, 5
    (tmp_path / "in").mkdir()
    for name, some in (("a", rows[:50]), ("b", rows[50:])):
        (tmp_path / "in" / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in some))
    (tmp_path / "whole.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
    return tmp_path / "in"


@pytest.fixture
def alone(table, detector_file, capfd):
    """The rows of a run on one machine."""
    output = table.parent / "alone.jsonl"
    code, _, _ = run(capfd, "score-table", table.parent / "whole.jsonl", "-o", output, "-m", detector_file)
    assert code == 1
    return [json.loads(line) for line in output.read_text().splitlines()]


def rows_of(folder):
    """All rows of a folder of JSON lines, in the order of its parts."""
    lines = [line for path in sorted(folder.glob("part-*")) for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


@pytest.fixture
def command(table, detector_file, cluster):
    return [
        "score-table", str(table), "-o", str(table.parent / "out.jsonl"), "-m", str(detector_file), *RAY,
        "--ray-address", cluster.address, "--quiet",
    ]  # fmt: skip


@pytest.mark.usefixtures("small_parts")
def test_rows_are_those_of_one_machine_and_finished_parts_are_left_alone(capfd, command, table, alone):
    output = table.parent / "out.jsonl"
    code, out, err = run(capfd, *command)
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"ghostbuster: error: row 8 of {table}/a.jsonl: column 'text' holds nothing; expected a text",
        f"ghostbuster: error: row 51 of {table}/b.jsonl: column 'text' holds int; expected a text",
    ]
    assert rows_of(output) == alone
    assert (output / "_SUCCESS").exists()
    parts = sorted(output.glob("part-*"))
    assert len(parts) > 5

    lost, kept = parts[3], {path: path.stat().st_mtime_ns for path in parts if path != parts[3]}
    lost.unlink()
    assert run(capfd, *command)[0] == 1
    assert rows_of(output) == alone
    assert {path: path.stat().st_mtime_ns for path in kept} == kept

    code, _, again = run(capfd, *command[: command.index("--ray-address")], "--quiet")  # starts no cluster
    assert (code, again) == (1, err)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept

    with (table / "b.jsonl").open("a") as handle:
        handle.write('{"text": "one more"}\n')
    one_line(run(capfd, *command)[2], "holds parts with another input", "--restart")


@pytest.mark.usefixtures("small_parts")
def test_a_worker_killed_at_work_changes_nothing(capfd, command, table, alone):
    output = table.parent / "out.jsonl"
    with worker_killed(output) as killed:
        assert run(capfd, *command)[0] == 1
    assert killed
    assert rows_of(output) == alone


def test_every_kind_becomes_every_kind(capfd, detector_file, cluster, tmp_path):
    frame = pd.DataFrame({"id": [f"{i:03d}" for i in range(6)], "text": TEXTS[:6]})
    for source, target in (("csv", "parquet"), ("parquet", "csv"), ("tsv", "jsonl")):
        write_table(frame, tmp_path / f"in.{source}")
        options = ["-m", detector_file, "--prefix", "gb_", "--quiet"]
        run(capfd, "score-table", tmp_path / f"in.{source}", "-o", tmp_path / f"one.{target}", *options)
        output = tmp_path / f"out-{source}.{target}"
        given = ["score-table", tmp_path / f"in.{source}", "-o", output, *options]
        code, _, err = run(capfd, *given, *RAY, "--ray-address", cluster.address)
        assert (code, err) == (0, "")
        found = read_table(next(output.glob("part-*")))
        assert found.pop("gb_error").isin(["", None]).all() or found.get("gb_error") is None
        expected = read_table(tmp_path / f"one.{target}")
        assert list(found.columns) == list(expected.columns) == ["id", "text", "gb_probability", "gb_label"]
        assert found.to_numpy().tolist() == expected.to_numpy().tolist()


def test_a_submission_is_ids_and_numbers(capfd, detector_file, cluster, tmp_path):
    write_table(pd.DataFrame({"id": ["a", "b"], "text": [TEXTS[0], "Short."]}), tmp_path / "in.csv")
    options = ["-m", detector_file, "--submission", "--quiet"]
    run(capfd, "score-table", tmp_path / "in.csv", "-o", tmp_path / "one.csv", *options)
    run(
        capfd,
        "score-table",
        tmp_path / "in.csv",
        "-o",
        tmp_path / "o.csv",
        *options,
        *RAY,
        "--ray-address",
        cluster.address,
    )
    assert next((tmp_path / "o.csv").glob("part-*")).read_text() == (tmp_path / "one.csv").read_text()


# a user's mistakes, before anything is started


def test_without_ray_the_extra_is_named(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(
        "ghostbuster.cluster.engine.session.find_spec",
        lambda name: None if name == "ray" else find_spec(name),
    )
    code, _, err = run(capsys, "score-table", tmp_path / "in.csv", "-o", tmp_path / "out", "--on", "ray")
    assert code == 2
    one_line(err, "--on ray needs ray: pip install 'ghostbuster[ray]'")


def test_without_on_addresses_and_options_of_clusters_are_refused(capsys, tmp_path):
    for options, words in (
        (["s3://bucket/in.csv", "-o", "x.csv"], ["s3://bucket/in.csv is an address", "--on ray"]),
        (["in.csv", "-o", "gs://b/x"], ["gs://b/x is an address", "--on ray"]),
        (["in.csv", "-o", "x.csv", "--workers", "3"], ["--workers is for a cluster"]),
    ):
        code, _, err = run(capsys, "score-table", *options)
        assert code == 2
        one_line(err, *words)
    code, _, err = run(capsys, "score-table", tmp_path / "a", "-o", "x", "--on", "rya")
    assert code == 2
    one_line(err, "no engine (--on) is called 'rya'", "did you mean 'ray'?")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--workers", "0"], "--workers 0; expected 1 or more"),
        (["--cpus-per-worker", "1.5"], "--cpus-per-worker 1.5; expected a whole number"),
        (["--cpus-per-worker", "nan"], "--cpus-per-worker nan; expected a whole number"),
        (["--gpus-per-worker", "inf"], "--gpus-per-worker inf; expected a whole number"),
        (["--ray-address", ""], "--ray-address is empty; expected HOST:PORT"),
        (["--ray-address", "nonsense"], "--ray-address 'nonsense'; expected HOST:PORT"),
        (["--ray-address", "127.0.0.1:9"], "no Ray cluster answers at 127.0.0.1:9"),
        (["--text-column", "txt"], "is called 'txt'"),
        (["--whole"], "--whole is for documents"),
    ],
)
def test_wrong_options_are_named_within_seconds_and_nothing_is_written(
    capsys, detector_file, tmp_path, options, words
):
    pytest.importorskip("ray", reason="needs the extra ray")
    write_table(pd.DataFrame({"text": TEXTS[:2]}), tmp_path / "in.csv")
    given = ["score-table", tmp_path / "in.csv", "-o", tmp_path / "out", "-m", detector_file, "--on", "ray"]
    code, _, err = run(capsys, *given, *options)
    assert code == 2
    one_line(err, words)
    assert not list((tmp_path / "out").glob("part-*"))


def test_an_output_within_the_input_folder_is_refused(capsys, detector_file, tmp_path):
    pytest.importorskip("ray", reason="needs the extra ray")
    write_table(pd.DataFrame({"text": TEXTS[:2]}), tmp_path / "in.csv")
    given = ["score-table", tmp_path, "-o", tmp_path / "out.csv", "-m", detector_file, "--on", "ray"]
    code, _, err = run(capsys, *given)
    assert code == 2
    one_line(err, "out.csv lies in the input", "choose a folder outside")


def test_an_address_of_the_environment_is_named_when_it_is_wrong(
    capsys, detector_file, tmp_path, monkeypatch
):
    pytest.importorskip("ray", reason="needs the extra ray")
    monkeypatch.setenv("RAY_ADDRESS", "http://127.0.0.1:8265")
    write_table(pd.DataFrame({"text": TEXTS[:2]}), tmp_path / "in.csv")
    given = ["score-table", tmp_path / "in.csv", "-o", tmp_path / "out", "-m", detector_file, "--on", "ray"]
    code, _, err = run(capsys, *given)
    assert code == 2
    one_line(err, "RAY_ADDRESS 'http://127.0.0.1:8265'; expected HOST:PORT")


# a cluster of the command's own


SMALL_PARTS = """
import sys, ghostbuster.cluster.parts
ghostbuster.cluster.parts.LEAST_CHARACTERS = 2000
from ghostbuster.cli import main
sys.exit(main())
"""


def command_alone(table, output, detector):
    given = ["score-table", table, "-o", output, "-m", detector, "--on", "ray", "--workers", "1", "--quiet"]
    return subprocess.Popen(
        [sys.executable, "-c", SMALL_PARTS, *given], stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def processes_of(output):
    """Commands of Ray processes that began after ``output`` was planned and still run."""
    psutil = pytest.importorskip("psutil", reason="psutil counts processes")
    begun = (output / PLAN).stat().st_mtime - 300
    return [
        one for one in psutil.process_iter(["cmdline", "create_time"])
        if "gb-ray-" in " ".join(one.info["cmdline"] or []) and one.info["create_time"] > begun
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)]
)
def test_however_the_command_ends_no_process_stays_and_the_same_command_goes_on(
    table, detector_file, alone, number, code
):
    pytest.importorskip("ray", reason="needs the extra ray")
    output = table.parent / "out.jsonl"
    running = command_alone(table, output, detector_file)
    while not list(output.glob("part-*")):
        assert running.poll() is None, running.stderr.read()
        time.sleep(0.02)
    os.kill(running.pid, number)
    assert running.wait(timeout=120) == code
    assert "Traceback" not in running.stderr.read()
    deadline = time.monotonic() + 60
    while processes_of(output):
        assert time.monotonic() < deadline, processes_of(output)
        time.sleep(0.2)
    done = {path: path.stat().st_mtime_ns for path in output.glob("part-*")}
    assert 0 < len(done) < len(json.loads((output / PLAN).read_text())["parts"])
    again = command_alone(table, output, detector_file)
    assert again.wait(timeout=600) == 1
    assert rows_of(output) == alone
    assert {path: path.stat().st_mtime_ns for path in done} == done


LISTENS = """
import psutil
from ghostbuster.cluster.engine.session import ray_session
with ray_session(None, n_cpus=1):
    children = psutil.Process().children(recursive=True)
    print({one.laddr.ip.rpartition(":")[2] for child in children for one in child.net_connections("tcp")})
"""


@pytest.mark.slow
def test_a_cluster_of_its_own_listens_on_the_loopback_address_alone(tmp_path):
    pytest.importorskip("ray", reason="needs the extra ray")
    pytest.importorskip("psutil", reason="psutil sees the sockets")
    (tmp_path / "listens.py").write_text(LISTENS)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "listens.py")], capture_output=True, text=True, check=True
    )
    assert done.stdout == "{'127.0.0.1'}\n"


# what others distribute


@pytest.mark.parametrize("kind", ["numpy", "pandas", "pyarrow"])
def test_ray_data_maps_a_batch_scorer(cluster, detector_file, kind):
    import ray

    import ghostbuster

    expected = ghostbuster.score_texts(TEXTS[:6], detector_file)["probability"].tolist()
    scorer = ghostbuster.BatchScorer(detector_file)
    ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
    try:
        rows = ray.data.from_items([{"text": text} for text in TEXTS[:6]])
        found = rows.map_batches(scorer, batch_format=kind, batch_size=3, concurrency=1).take_all()
    finally:
        ray.shutdown()
    assert {row["text"]: row["probability"] for row in found} == dict(zip(TEXTS[:6], expected, strict=True))
    assert {row["error"] for row in found} == {None}


def test_help_names_what_a_cluster_takes():
    done = subprocess.run(
        [sys.executable, "-m", "ghostbuster", "score-table", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    for one in ("--on", "--ray-address", "--workers", "--cpus-per-worker", "--gpus-per-worker"):
        assert one in done.stdout
