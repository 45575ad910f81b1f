"""What all tests share."""

import os
import sys
from pathlib import Path

import closed.sitecustomize  # noqa: F401  (from here on nothing connects beyond this machine)
import pytest
from hypothesis import HealthCheck, settings

# tests of the recipes import ``training`` and ``benchmarks``; appended: an installed package goes first
sys.path.append(str(Path(__file__).parent.parent))

# machines that run the tests are shared: a slow example is not a failure
settings.register_profile("shared", deadline=None)
# one mutant is tried in about a second, always on the same examples
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=20,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("shared")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Nothing that a user's own runs remember is read or changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHOSTBUSTER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def as_it_comes():
    """SmolLM2 is read as it comes: its fastest form depends on the machine, and is slow to find out."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHOSTBUSTER_MODEL_FORM", "original")
        yield


@pytest.fixture(scope="session", autouse=True)
def on_the_cpu():
    """Where there is a graphics card, tests use the CPU all the same: cards have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHOSTBUSTER_DEVICE", "cpu")
        yield


@pytest.fixture(scope="session", autouse=True)
def refusals(tmp_path_factory):
    """Where connections that were refused are written down, by this process and all that it starts."""
    note = tmp_path_factory.mktemp("network") / "refused"
    folders = [str(Path(__file__).parent / "support" / "closed"), os.environ.get("PYTHONPATH")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GHOSTBUSTER_TESTS_REFUSED", str(note))
        patch.setenv("PYTHONPATH", os.pathsep.join(folder for folder in folders if folder))
        yield note


@pytest.fixture(autouse=True)
def no_network(refusals):
    """A test that reached for the network fails, even if what it tested lived with the refusal."""
    yield
    if refusals.exists():
        tried = refusals.read_text("utf-8")
        refusals.unlink()
        pytest.fail(f"reached for the network: {tried}")


def pytest_addoption(parser):
    parser.addoption("--slow", action="store_true", help="also run tests that take minutes")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="takes minutes: run with --slow"))


@pytest.fixture(scope="session")
def labelled_table(tmp_path_factory):
    """Forty short labelled texts as a CSV file: passages, and the same words in another order."""
    import pandas as pd
    from prose import labelled

    texts, labels, groups = labelled(20)
    path = tmp_path_factory.mktemp("table") / "labelled.csv"
    domains = ["odd" if group % 2 else "even" for group in groups]
    pd.DataFrame(
        {"id": [f"{i:03d}" for i in groups], "text": texts, "label": labels, "domain": domains}
    ).to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def detector_file(labelled_table, tmp_path_factory):
    """A detector trained by the command line on those texts, with few features and a low floor."""
    from ghostbuster.cli import main

    path = tmp_path_factory.mktemp("detector") / "small.joblib"
    options = ["--space", "zeroshot", "--max-features", "3", "--min-tokens", "20", "--group-column", "id"]
    assert main(["train", str(labelled_table), "-o", str(path), *options]) == 0
    return path
