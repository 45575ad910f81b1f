"""The documents agree with the code and with each other."""

import os
import re
from importlib.metadata import version
from pathlib import Path

import pytest

import ghostbuster
from ghostbuster.cli import COMMANDS, GROUPS, app
from ghostbuster.detector.passages import Passages
from ghostbuster.features.spaces import SPACES
from ghostbuster.heads.table import HEADS
from ghostbuster.report.formats.verdicts import CSV_COLUMNS, VERDICT_FORMATS
from ghostbuster.report.report import passages_record
from ghostbuster.tables.registry import suffixes

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
CLI = (ROOT / "docs" / "cli.md").read_text("utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").glob("*.md")])


def commands_of_ci():
    """The set-up commands that .ci/run executes."""
    listed = re.search(r"COMMANDS=\(\n(.*?)\n\)", (ROOT / ".ci" / "run").read_text("utf-8"), re.DOTALL)
    return re.findall(r'^  "(.*)"$', listed[1], re.MULTILINE)


def options_of(name):
    """Every spelling of every option of a command."""
    import typer

    command = typer.main.get_command(app).commands[name]
    commands = [command, *getattr(command, "commands", {}).values()]
    params = [option for one in commands for option in one.params]
    spellings = {one for option in params for one in (*option.opts, *option.secondary_opts)}
    return {one for one in spellings if one.startswith("-")}


def section(document, title):
    """What stands below a heading, up to the next of its level."""
    return re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", document, re.MULTILINE | re.DOTALL)[1]


def test_the_two_set_up_commands_are_those_that_ci_runs():
    blocks = re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)
    set_up = [block for block in blocks if block.startswith("pip install")]
    assert set_up == commands_of_ci()
    assert len(set_up) == 2


@pytest.mark.skipif(
    tuple(map(int, version("typer").split(".")[:2])) < (0, 29),
    reason="typer before 0.29 words it otherwise",
)
def test_the_man_page_is_what_the_code_makes_of_its_help(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "docs" / "tools")
    from man_page import PAGE, page

    made = page()
    assert PAGE.read_text("utf-8") == made, "run python docs/tools/man_page.py"
    for name in COMMANDS:
        for spelling in options_of(name) - {"--help", "-h"}:
            assert f"\\fB{spelling.replace('-', chr(92) + '-')}\\fR" in made


def test_ci_can_be_executed():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_no_document_has_a_gap_left_to_fill():
    for path in DOCUMENTS:
        assert "TODO" not in path.read_text("utf-8"), path.name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_that_a_document_links_to_is_there(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_path_in_the_readmes_table_of_places_is_there():
    rows = re.findall(r"^\| (`.*?`) \|", section(README, "How it works"), re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([^`]+)`", row)]
    assert len(named) > 10
    for name in named:
        assert (ROOT / name).exists() or (ROOT / "ghostbuster" / name).exists(), name


@pytest.mark.parametrize("name", [*COMMANDS, *GROUPS])
def test_the_reference_names_every_option_of_a_command(name):
    text = section(CLI, name)
    shared = {"--model", "--weak-model", "--strong-model", "--quiet", "-m", "-q", "-h", "--help"}
    for option in options_of(name) - shared:
        assert f"`{option}`" in text, option
    for option in re.findall(r"`(--[a-z-]+)`", text):
        assert option in options_of(name), option


def test_the_reference_lists_every_name_that_an_option_takes():
    for table, title in (
        (VERDICT_FORMATS, "score-file"),
        (suffixes(), "score-table"),
        (SPACES, "train"),
        (HEADS, "train"),
    ):
        for name in table:
            assert f"`{name}`" in section(CLI, title), name


def test_the_reference_lists_every_field_of_a_verdict():
    fields = re.findall(r"^\| `(\w+)` \| \w", section(CLI, "score-file"), re.MULTILINE)
    along = passages_record(Passages((), ()))
    assert fields == [*CSV_COLUMNS, "threshold", "readers", "evidence", *along]


def test_every_exit_code_is_documented():
    from ghostbuster.cli import INTERRUPTED, TERMINATED, USERS_MISTAKE
    from ghostbuster.commands.models import NOT_AS_PULLED
    from ghostbuster.commands.score_file import NONE_GOOD, SOME_BAD

    codes = set(map(int, re.findall(r"^\| (\d+) \|", section(CLI, "Exit codes"), re.MULTILINE)))
    assert codes == {0, SOME_BAD, NOT_AS_PULLED, NONE_GOOD, USERS_MISTAKE, INTERRUPTED, TERMINATED}


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    from prose import labelled

    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    texts, labels, prompts = labelled(20)
    monkeypatch.chdir(tmp_path)
    code = code.replace("GhostbusterClassifier()", "GhostbusterClassifier(space='zeroshot', max_features=3)")
    exec(
        compile(code, "README.md", "exec"),
        {"texts": texts, "labels": labels, "prompts": prompts, "new_texts": texts[:2]},
    )
    assert (tmp_path / "mine.joblib").exists()
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_the_examples_are_as_long_as_their_readme_says():
    table = (ROOT / "examples" / "README.md").read_text("utf-8")
    for name in ("human.txt", "machine.txt"):
        words = len((ROOT / "examples" / name).read_text("utf-8").split())
        assert f"| `{name}` | {words} |" in table


def test_the_version_is_said_once_in_the_code_and_once_in_the_project_file():
    assert f'version = "{ghostbuster.__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
