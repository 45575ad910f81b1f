"""Nothing is asked of a network unless the user asks: not at import, nor by any command but ``pull``."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from closed.sitecustomize import NetworkReachedError, is_local

EXAMPLES = Path(__file__).parents[2] / "examples"
FAR = "192.0.2.1"  # nobody's: RFC 5737

CHILD = """
import contextlib, importlib.util, io, json, pkgutil, sys
import ghostbuster
from ghostbuster.cli import main
for module in pkgutil.walk_packages(ghostbuster.__path__, "ghostbuster."):
    needs_torch = ".finetuning." in module.name and importlib.util.find_spec("torch") is None
    if not module.name.endswith("__main__") and not needs_torch:
        importlib.import_module(module.name)
answers = []
for arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out:
        answers.append([main(arguments), out.getvalue()])
print(json.dumps(answers))
"""


def without_any_network():
    """What starts a program where the kernel knows no network, as far as that is allowed."""
    if shutil.which("unshare"):
        for options in (["-n"], ["-rn"]):
            if (
                subprocess.run(["unshare", *options, "true"], capture_output=True, check=False).returncode
                == 0
            ):
                return ["unshare", *options]
    return []


def run_closed(commands, refusals, **variables):
    """Answers of commands, one after another in a child that may not even talk to its own machine."""
    plain = json.dumps([[str(word) for word in words] for words in commands])
    environment = os.environ | {"GHOSTBUSTER_TESTS_CLOSED": "all", **variables}
    done = subprocess.run(
        [*without_any_network(), sys.executable, "-c", CHILD, plain],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    assert not refusals.exists(), refusals.read_text("utf-8")
    return json.loads(done.stdout), done.stderr


def test_a_connection_beyond_this_machine_is_refused_here_and_in_children(refusals):
    with pytest.raises(NetworkReachedError, match=FAR), socket.socket() as one:
        one.connect((FAR, 80))
    with pytest.raises(NetworkReachedError, match="example"):
        socket.getaddrinfo("www.example.org", 443)
    code = f"import socket\ntry: socket.create_connection(({FAR!r}, 80))\nexcept Exception: print('survived')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "survived\n"
    tried = [line.split(" [")[0] for line in refusals.read_text("utf-8").splitlines()]
    assert tried == [
        f"socket.connect ('{FAR}', 80)",
        "socket.getaddrinfo 'www.example.org'",
        f"socket.getaddrinfo '{FAR}'",
    ]
    refusals.unlink()


@pytest.mark.parametrize(
    ("address", "local"),
    [
        (("127.0.0.1", 80), True),
        (("::1", 80, 0, 0), True),
        (("localhost", 80), True),
        ("/run/some.sock", True),
        (b"\0abstract", True),
        (None, True),
        ((FAR, 80), False),
        (("2001:db8::1", 80, 0, 0), False),
        ("localhost.example.org", False),
        (("0x7f.example.org", 80), False),
    ],
)
def test_what_counts_as_this_machine(address, local):
    assert is_local(address) is local


def test_commands_and_imports_ask_nothing_of_a_network(detector_file, labelled_table, tmp_path, refusals):
    trained, scored = tmp_path / "trained.joblib", tmp_path / "scored.csv"
    human = tmp_path / "human.csv"
    table = pd.read_csv(labelled_table)
    table[table["label"] == table["label"][0]].drop(columns="label").to_csv(human, index=False)
    small = ["--space", "zeroshot", "--max-features", "2", "--min-tokens", "20", "--group-column", "id"]
    commands = [
        ["score-file", EXAMPLES / "human.txt", EXAMPLES / "machine.txt", "--format", "json"],
        ["score-file", EXAMPLES / "human.txt", "-m", detector_file, "--report", tmp_path / "report.html"],
        ["score-table", labelled_table, "-o", scored, "-m", detector_file, "--prefix", "judged_"],
        ["train", labelled_table, "-o", trained, *small],
        ["evaluate", detector_file, labelled_table, "--format", "json", "--group-column", "id"],
        ["calibrate", detector_file, human, "-o", tmp_path / "calibrated.joblib", "--max-fpr", "0.05"],
        ["info", trained, "--format", "json"],
        ["models", "list", "--format", "json"],
        ["cache", "info"],
    ]
    answers, complaints = run_closed(commands, refusals, GHOSTBUSTER_MODELS=str(tmp_path / "models"))
    assert [code for code, _ in answers] == [0] * len(commands), complaints
    assert [row["label"] for row in json.loads(answers[0][1])] == ["human", "machine"]
    assert len(scored.read_text("utf-8").splitlines()) == len(labelled_table.read_text("utf-8").splitlines())
