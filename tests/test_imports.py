"""The bars between the folders, read from the source; and what a cheap import may not load."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import ghostbuster

PACKAGE = Path(ghostbuster.__file__).parent
HEAVY = [
    "jinja2",
    "joblib",
    "lightgbm",
    "llama_cpp",
    "matplotlib",
    "numba",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "ftfy",
]


def imports_of(path):
    """Every module that a file names in an import, wherever it stands, absolute."""
    here = ["ghostbuster", *path.relative_to(PACKAGE).with_suffix("").parts]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(here[: -node.level]) + "." if node.level else ""
            module = (base + (node.module or "")).rstrip(".")
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def importers(of, folder=""):
    """Files below ``folder`` that import the module ``of`` or something in it."""
    return {
        str(path.relative_to(PACKAGE))
        for path in (PACKAGE / folder).rglob("*.py")
        if any(name == of or name.startswith(f"{of}.") for name in imports_of(path))
    }


def loaded_by(code):
    """Modules that a fresh interpreter has loaded after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_the_reader_of_imports_finds_them_wherever_they_stand():
    source = PACKAGE / "cli.py"
    assert "ghostbuster.commands.info.info" in set(imports_of(source))
    assert "ghostbuster.detector.artifact" in set(
        imports_of(PACKAGE / "commands" / "info.py")
    )  # inside a function


def test_models_and_features_never_import_each_other():
    assert importers("ghostbuster.features", "models") == set()
    assert importers("ghostbuster.models", "features") == set()


def test_only_the_modules_that_compose_them_know_both_models_and_features():
    both = importers("ghostbuster.models") & importers("ghostbuster.features")
    assert both <= {
        "reading/read.py",
        "reading/cache_codec.py",
        "detector/passages.py",
        "decision/novelty.py",
    }
    assert both


def test_one_module_starts_llama_cpp_and_one_computes_with_it():
    assert importers("llama_cpp") == {"models/backend/library.py", "models/llama/runtime.py"}


def test_nothing_but_the_command_line_imports_the_commands():
    assert {path.split("/")[0] for path in importers("ghostbuster.commands")} == {"cli.py", "commands"}
    assert importers("ghostbuster.cli") == set()


def test_reports_and_features_know_nothing_of_the_detector():
    for folder in ("report", "features", "models"):
        assert (
            importers("ghostbuster.detector.detector", folder)
            == importers("ghostbuster.detector.classifier", folder)
            == set()
        )


def test_importing_the_package_loads_nothing_heavy():
    assert set(loaded_by("import ghostbuster")) & {*HEAVY, "numpy", "typer"} == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["score-file", "--help"], ["train", "--help"]]
)
def test_help_loads_nothing_heavy(arguments):
    code = f"from ghostbuster.cli import main\nassert main({arguments}) == 0"
    assert set(loaded_by(code)) & {*HEAVY, "numpy", "rich"} == set()


def test_scoring_a_file_loads_nothing_that_only_training_needs():
    text = Path(__file__).parent.parent / "examples" / "human.txt"
    code = f"from ghostbuster.cli import main\nassert main(['score-file', {str(text)!r}, '-q']) == 0"
    loaded = set(loaded_by(code))
    assert "llama_cpp" in loaded
    assert loaded & {"sklearn", "scipy", "pandas", "lightgbm", "joblib", "matplotlib", "pyarrow"} == set()


def test_every_public_name_is_there_and_listed():
    assert dir(ghostbuster) == sorted(ghostbuster.__all__)
    for name in ghostbuster.__all__:
        assert getattr(ghostbuster, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Ghostbusters'"):
        ghostbuster.Ghostbusters  # noqa: B018
