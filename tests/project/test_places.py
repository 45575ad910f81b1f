"""Paths that documents and settings name exist; benchmarks and training meet in one place only."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/design.md",
    "benchmarks/README.md",
    "training/README.md",
]
DOCUMENTS += sorted(f"docs/reliability/{path.name}" for path in (ROOT / "docs" / "reliability").glob("*.md"))
PATH = (
    r"(?:ghostbuster|tests|benchmarks|training|docs|examples|models|features|heads|detector|decision|report)"
)
MODULE = r"python -m ((?:benchmarks|training)\.[\w.]+)"
MUTMUT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["mutmut"]


def named(text):
    """Paths of this repository in a document: files, folders with a slash at their end, modules run."""
    yield from re.findall(rf"(?<![\w/.-]){PATH}(?:/[\w.*-]+)*/(?:[\w.*-]+\.\w+)?(?![\w*])", text)
    yield from (f"{module.replace('.', '/')}.py" for module in re.findall(MODULE, text))


def imports_of(path):
    """Modules that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def importers(folder, of, but="none"):
    """Files of ``folder`` that import something below ``of`` and not below ``but``."""
    return [
        str(path.relative_to(folder))
        for path in sorted(Path(folder).rglob("*.py"))
        if any(name.split(".")[0] == of and not name.startswith(f"{but}.") for name in imports_of(path))
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_is_there(document):
    for path in named((ROOT / document).read_text("utf-8")):
        assert [*ROOT.glob(path), *(ROOT / "ghostbuster").glob(path)], path


def test_a_path_that_is_not_there_would_be_found_in_a_document():
    text = "See `ghostbuster/old.py`, tests/text/ and `python -m benchmarks.speed.gone`, not and/or."
    assert list(named(text)) == ["ghostbuster/old.py", "tests/text/", "benchmarks/speed/gone.py"]


def test_mutation_testing_knows_files_that_are_there():
    tests = [name.split("::")[0] for name in MUTMUT["pytest_add_cli_args"] if name.startswith("tests/")]
    for path in (*MUTMUT["only_mutate"], *MUTMUT["pytest_add_cli_args_test_selection"], *tests):
        assert (ROOT / path).is_file(), path


def test_every_test_that_mutation_testing_leaves_out_is_there():
    left_out = [name.split("::") for name in MUTMUT["pytest_add_cli_args"] if "::" in name]
    assert len(left_out) > 3
    for path, name in left_out:
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), name


def test_a_pattern_of_code_that_matches_no_file_is_an_error():
    from benchmarks.results import code_digest, matches
    from ghostbuster.errors import InputError

    assert len(code_digest()) == 64
    with pytest.raises(InputError, match=r"has no heads/\*\.rs"):
        matches(ROOT / "ghostbuster", "heads/*.rs")


def test_training_knows_no_benchmark_and_benchmarks_only_its_data():
    assert importers(ROOT / "training", "benchmarks") == []
    assert importers(ROOT / "benchmarks", "training", but="training.data") == []
    assert len(importers(ROOT / "benchmarks", "training")) > 5


def test_an_import_against_that_would_be_found(tmp_path):
    (tmp_path / "one.py").write_text("def f():\n    from training.lm import model\n")
    (tmp_path / "two.py").write_text("from training.data.labelled import read_file\n")
    assert importers(tmp_path, "training", but="training.data") == ["one.py"]


def test_every_benchmark_that_can_be_run_stands_in_the_table_of_benchmarks():
    table = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    run = [path for path in (ROOT / "benchmarks").rglob("*.py") if '"__main__"' in path.read_text("utf-8")]
    assert len(run) > 12
    for path in run:
        name = path.relative_to(ROOT).with_suffix("")
        assert re.search(rf"python (-m {'.'.join(name.parts)}|{name}\.py)[ `]", table), name


def test_helpers_of_tests_stand_apart_and_every_room_with_tests_is_one_of_the_package():
    rooms = {str(path.parent.relative_to(ROOT / "tests")) for path in (ROOT / "tests").rglob("test_*.py")}
    others = {".", "project", "benchmarks", "training"}
    assert {room for room in rooms - others if not (ROOT / "ghostbuster" / room).is_dir()} == set()
