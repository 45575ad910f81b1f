"""The rooms of the package: contracts on imports hold, and breaking one is noticed; rooms stay small."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ghostbuster

ROOT = Path(__file__).parents[2]
PACKAGE = Path(ghostbuster.__file__).parent
ROOMS = sorted({path.parent for path in PACKAGE.rglob("*.py")})
LINT = "from importlinter.cli import lint_imports_command as lint; lint(['--no-cache'])"
PLANTED = [
    ("text/sentences.py", "from ghostbuster.reading import cache", "Rooms: each imports only rooms below it"),
    ("errors.py", "def f():\n    import ghostbuster.arrays", "Rooms: each imports only rooms below it"),
    ("features/ops.py", "import ghostbuster.models.panel", "Rooms: each imports only rooms below it"),
    ("cellar/__init__.py", "", "Rooms: each imports only rooms below it"),
    ("models/gguf/digest.py", "import ghostbuster.models.panel", "Inside models: each imports only"),
    (
        "detector/labels.py",
        "def f():\n    import ghostbuster.detector.classifier",
        "No circles between modules",
    ),
    ("features/words.py", "import ghostbuster.features.search.columns", "No circles between modules"),
    ("metrics/curves.py", "import llama_cpp", "Only one module knows llama_cpp"),
]


def linted(folder):
    """What import-linter says of the package in ``folder``, and its exit status."""
    done = subprocess.run(
        [sys.executable, "-c", LINT], cwd=folder, capture_output=True, text=True, check=False
    )
    return re.sub(r"\x1b\[\d+m", "", done.stdout), done.returncode


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package's modules and its contracts, in a folder where they may be changed."""
    folder = tmp_path_factory.mktemp("rooms")
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path in PACKAGE.rglob("*.py"):
        (folder / "ghostbuster" / path.relative_to(PACKAGE)).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / "ghostbuster" / path.relative_to(PACKAGE))
    return folder


def test_every_contract_on_imports_is_kept(copy):
    said, code = linted(copy)
    assert code == 0, said
    assert re.search(r"Contracts: \d kept, 0 broken", said)


@pytest.mark.parametrize(("module", "line", "contract"), PLANTED, ids=[row[0] for row in PLANTED])
def test_an_import_against_a_contract_is_noticed(copy, module, line, contract):
    path = copy / "ghostbuster" / module
    before = path.read_text("utf-8") if path.exists() else None
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{before or ''}\n\n{line}\n", "utf-8")
    said, code = linted(copy)
    path.write_text(before, "utf-8") if before is not None else shutil.rmtree(path.parent)
    assert code == 1
    assert re.search(rf"^{re.escape(contract)}.* BROKEN", said, re.MULTILINE), said


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(PACKAGE.parent)))
def test_a_room_is_small_and_says_what_it_is_and_what_it_may_import(room):
    modules = [path for path in room.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= 16
    for path in modules:
        assert len(path.read_text("utf-8").splitlines()) <= 300, path
    if room != PACKAGE:
        (docstring,) = ast.parse((room / "__init__.py").read_text("utf-8")).body  # so nothing is imported
        assert re.search(r"\b[Ii]mports?\b", docstring.value.value)
