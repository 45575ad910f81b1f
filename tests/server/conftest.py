"""Servers that tests of this folder share: one without a token, and one that asks for it."""

import pytest

pytest.importorskip("starlette", reason="the server needs starlette: pip install 'ghostbuster[serve]'")

from benchmarks.serving import Served

TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.fixture(scope="session")
def server(detector_file):
    """A server of the small detector, on loopback."""
    with Served("--model", detector_file) as running:
        yield running


@pytest.fixture(scope="session")
def token_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture(scope="session")
def guarded(detector_file, token_file):
    """The same with a token, as a reverse proxy would reach it, with a name of its own."""
    options = ["--model", detector_file, "--token-file", token_file, "--allowed-host", "Texts.School.example"]
    with Served(*options) as running:
        yield running
