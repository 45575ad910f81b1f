"""What shells, pipes and terminals meet."""

import os
import re
import subprocess
import sys

import pytest

import ghostbuster
from ghostbuster.cli import COMMANDS, GROUPS, main
from ghostbuster.models.panels import weights_folder

PROGRAM = [sys.executable, "-m", "ghostbuster.cli"]
HEAVY = {"numpy", "pandas", "sklearn", "llama_cpp", "scipy", "huggingface_hub"}


def complete(words, **variables):
    """What a shell is offered after the words."""
    line = " ".join(["ghostbuster", *words])
    environment = {
        "_GHOSTBUSTER_COMPLETE": "complete_bash",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words)),
        **variables,
    }
    done = subprocess.run(PROGRAM, capture_output=True, text=True, check=False, env=os.environ | environment)
    assert done.stderr == ""
    return done.stdout.split()


def test_a_shell_completes_commands_and_options():
    assert set(complete([""])) == {*COMMANDS, *GROUPS}
    assert complete(["score-t"]) == ["score-table"]
    assert complete(["models", "ver"]) == ["verify"]
    assert "--text-column" in complete(["train", "--te"])


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_what_completion_installs_can_be_shown(shell):
    done = subprocess.run(
        PROGRAM,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"_GHOSTBUSTER_COMPLETE": f"source_{shell}"},
    )
    assert done.returncode == 0
    assert "_GHOSTBUSTER_COMPLETE" in done.stdout


def test_completing_loads_nothing_heavy():
    code = "import sys\nfrom ghostbuster.cli import main\nmain([])\nprint(*sys.modules)"
    environment = {
        "_GHOSTBUSTER_COMPLETE": "complete_bash",
        "COMP_WORDS": "ghostbuster models pu",
        "COMP_CWORD": "2",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ | environment
    )
    assert done.stdout.split()[0] == "pull"
    assert HEAVY & set(done.stdout.split()) == set()


def test_verbose_tells_where_an_error_arose_and_how_long_it_took(capsys):
    assert main(["--verbose", "models", "info", "none.gguf"]) == 2
    error = capsys.readouterr().err
    assert "Traceback" in error
    assert "read_header" in error
    assert re.search(r"^ghostbuster: error: none\.gguf: no such file", error, re.MULTILINE)
    assert re.search(r"^\d+\.\d s in all$", error, re.MULTILINE)
    assert main(["models", "info", "none.gguf"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_verbose_notes_show_without_a_terminal_and_quiet_wins(tmp_path, capsys):
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("id,probability\n1,0.5\n2,0.7\n")
    command = ["ensemble", *(str(tmp_path / f"{name}.csv") for name in "ab"), "-o", str(tmp_path / "o.csv")]
    assert main(command) == 0
    assert capsys.readouterr().err == ""
    assert main(["--verbose", *command]) == 0
    assert "2 texts of 2 tables combined" in capsys.readouterr().err
    assert main(["--verbose", *command, "--quiet"]) == 0
    assert "combined" not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["models", "--help"], ["bogus"], ["models", "list"]])
def test_nothing_is_coloured_whatever_a_terminal_says(arguments):
    done = subprocess.run(
        [*PROGRAM, *arguments], capture_output=True, check=False, env=os.environ | {"FORCE_COLOR": "1"}
    )
    assert b"\x1b" not in done.stdout + done.stderr


def test_a_reader_that_goes_away_is_no_traceback():
    path = str(weights_folder() / "embedded-weak.gguf")
    with subprocess.Popen(
        [*PROGRAM, "models", "info", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_the_package_can_be_run_as_a_module():
    command = [sys.executable, "-m", "ghostbuster"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ghostbuster {ghostbuster.__version__}\n", "")
    assert subprocess.run([*command, "no-such-command"], capture_output=True, check=False).returncode == 2
