"""What an import may not load: measured in fresh interpreters, as import contracts see lazy imports too."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import ghostbuster

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


def loaded_by(code):
    """Modules that a fresh interpreter has loaded after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"import json, sys\n{code}\nprint(json.dumps(sorted(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_the_package_loads_nothing_heavy():
    assert set(loaded_by("import ghostbuster")) & {*HEAVY, "numpy", "typer"} == set()


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["score-file", "--help"], ["train", "--help"]]
)
def test_help_loads_nothing_heavy(arguments):
    code = f"from ghostbuster.cli import main\nassert main({arguments}) == 0"
    assert set(loaded_by(code)) & {*HEAVY, "numpy", "rich"} == set()


def test_scoring_a_file_loads_nothing_that_only_training_needs():
    text = Path(__file__).parents[2] / "examples" / "human.txt"
    code = f"from ghostbuster.cli import main\nassert main(['score-file', {str(text)!r}, '-q']) == 0"
    loaded = set(loaded_by(code))
    assert "llama_cpp.llama_cpp" in loaded
    assert loaded & {"sklearn", "scipy", "pandas", "lightgbm", "joblib", "matplotlib", "pyarrow"} == set()


def test_scoring_a_text_with_curly_quotes_loads_no_template_engine_and_no_http_client(tmp_path):
    text = tmp_path / "quotes.txt"
    text.write_text("It\u2019s a \u201cquiet\u201d morning. " * 30, encoding="utf-8")
    code = f"from ghostbuster.cli import main\nassert main(['score-file', {str(text)!r}, '-q']) == 0"
    loaded = set(loaded_by(code))
    assert "ftfy" in loaded
    assert loaded & {"jinja2", "diskcache", "llama_cpp.llama", "urllib.request", "ssl"} == set()


@pytest.mark.parametrize(
    "use",
    [
        "import llama_cpp\nllama_cpp.Llama, llama_cpp.__version__, llama_cpp.llama_decode",
        "from llama_cpp import Llama, LlamaGrammar",
        "from llama_cpp import *\nLlama, llama_decode",
        "from llama_cpp.llama import Llama\nimport llama_cpp\nassert llama_cpp.Llama is Llama",
        "import llama_cpp.llama_chat_format\nimport llama_cpp\nllama_cpp.Llama",
        "import llama_cpp\nassert llama_cpp.llama_cpp is lib and llama_cpp.llama_decode is lib.llama_decode",
        "import llama_cpp\nassert not hasattr(llama_cpp, 'nothing')\nllama_cpp.Llama",
    ],
)
def test_other_code_of_the_process_has_llama_cpp_whole(use):
    assert "jinja2" in loaded_by(f"from ghostbuster.models.backend.library import lib\n{use}")


def test_a_llama_cpp_that_other_code_has_imported_is_used_as_it_is():
    code = "import llama_cpp\nfrom ghostbuster.models.backend.library import lib\n"
    assert "jinja2" in loaded_by(f"{code}assert llama_cpp.llama_cpp is lib\nllama_cpp.Llama")


def test_every_public_name_is_there_and_listed():
    assert dir(ghostbuster) == sorted(ghostbuster.__all__)
    for name in ghostbuster.__all__:
        assert getattr(ghostbuster, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Ghostbusters'"):
        ghostbuster.Ghostbusters  # noqa: B018
