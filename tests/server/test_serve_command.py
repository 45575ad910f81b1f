"""The command itself: what it refuses before anything loads, what it says, and the documents' examples."""

import contextlib
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import one_line, run

from benchmarks.serving import Served
from ghostbuster.commands import serve as module
from ghostbuster.errors import SettingError
from ghostbuster.server.run import bind, read_token

ROOT = Path(__file__).parents[2]
TOKEN = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "server.example"])
def test_beyond_this_computer_it_wants_a_token_and_says_how_to_make_one(capsys, host):
    code, out, error = run(capsys, "serve", "--host", host)
    assert (code, out) == (2, "")
    one_line(error, f"--host {host}", "--token-file", "openssl rand")


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        (None, 0, "openssl rand"),
        ("", 0o600, "32 or more"),
        ("short", 0o600, "32 or more"),
        (f"{TOKEN} {TOKEN}", 0o600, "32 or more"),
        ("ü" * 40, 0o600, "32 or more"),
        (TOKEN, 0o644, "chmod 600"),
    ],
)
def test_a_token_must_be_long_plain_and_private(tmp_path, content, mode, words):
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content, "utf-8")
        path.chmod(mode)
    with pytest.raises(SettingError, match=words) as refused:
        read_token(path)
    assert TOKEN not in str(refused.value)


def test_a_token_is_read_without_its_line_end(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    path.chmod(0o600)
    assert read_token(path) == TOKEN
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_port_in_use_is_said_before_any_model_loads(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, error = run(capsys, "serve", "--port", port)
    assert code == 2
    one_line(error, f"port {port}", "in use", "--port")


def test_an_address_that_is_not_this_computers_is_said():
    with pytest.raises(SettingError, match=r"cannot listen at 192\.0\.2\.1 port 0"):
        bind("192.0.2.1", 0)


def test_a_missing_library_is_said_with_the_extra_that_brings_it(capsys, monkeypatch):
    monkeypatch.setattr(module, "NEEDED", ("starlette", "not_there"))
    code, _, error = run(capsys, "serve")
    assert code == 2
    one_line(error, "not_there", "pip install 'ghostbuster[serve]'")


def test_a_detector_that_cannot_be_opened_is_one_line(capsys, tmp_path):
    code, _, error = run(capsys, "serve", "--port", "0", "--model", tmp_path / "none.joblib")
    assert code == 2
    one_line(error, "none.joblib")


def test_it_says_address_detector_and_promise_or_with_quiet_the_address_alone(detector_file):
    with Served("--model", detector_file) as one:
        assert one.stop()[0] == 0
        assert re.fullmatch(r"ghostbuster serves http://127\.0\.0\.1:\d+/", one.greeting[0])
        assert one.greeting[1].startswith(f"detector {detector_file.stem}@")
        assert "called machine-written from" in one.greeting[2] or "calls no text" in one.greeting[2]
    with Served("--model", detector_file, "--quiet") as one:
        one.stop()
        assert len(one.greeting) == 1


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_it_listens_on_ipv6_too(detector_file):
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            pass
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with Served("--model", detector_file, "--host", "::1") as one:
        assert one.address.startswith("http://[::1]:")
        assert one.request("GET", "/healthz").status == 200


def test_on_every_address_it_asks_for_the_token_and_takes_addresses_as_hosts(detector_file, token_file):
    with Served("--model", detector_file, "--host", "0.0.0.0", "--token-file", token_file) as one:
        assert one.request("GET", "/v1/detector").status == 401
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert one.request("GET", "/v1/detector", headers=bearer | {"Host": "192.0.2.9:8765"}).status == 200
        assert one.request("GET", "/v1/detector", headers=bearer | {"Host": "evil.example"}).status == 400


def test_scores_are_cached_only_where_that_is_asked_for(detector_file, tmp_path, monkeypatch):
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path))
    for options, there in (([], False), (["--cache"], True)):
        with Served("--model", detector_file, *options) as one:
            assert one.post_json({"text": "It was a dark and stormy night. " * 20}).status == 200
        assert (tmp_path / "scores.sqlite").exists() is there


def test_importing_the_command_imports_no_server():
    code = "import sys, ghostbuster.cli; print(sys.modules.keys() & {'starlette', 'uvicorn', 'jinja2'})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_the_process_that_answers_holds_no_model(server):
    maps = Path(f"/proc/{server.process.pid}/maps")
    if not maps.exists():
        pytest.skip("/proc is Linux's")
    assert "llama" not in maps.read_text()
    assert any("llama" in Path(f"/proc/{pid}/maps").read_text() for pid in server.children())


def test_children_end_when_their_parent_is_killed(detector_file):
    with Served("--model", detector_file) as one:
        children = one.children() if Path("/proc").exists() else []
        one.process.kill()
        one.process.wait()
        for pid in children:
            for _ in range(100):
                if (
                    not Path(f"/proc/{pid}").exists()
                    or "Z" in Path(f"/proc/{pid}/stat").read_text().split(")")[1][:3]
                ):
                    break
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(-1, os.WNOHANG)
                subprocess.run(["sleep", "0.1"], check=True)
            else:
                pytest.fail(f"process {pid} goes on")


def test_the_documents_client_gets_verdicts(server, tmp_path, monkeypatch, capsys):
    document = (ROOT / "docs" / "serve.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "essay.txt").write_text("It was a dark and stormy night. " * 20)
    exec(compile(code.replace("http://127.0.0.1:8765", server.address), "serve.md", "exec"), {})
    assert capsys.readouterr().out.split()[0] in {"human", "machine", "unsure"}


def test_the_documents_table_of_statuses_names_all_that_are_answered():
    from ghostbuster.server.interface.openapi import DOCUMENT

    document = (ROOT / "docs" / "serve.md").read_text("utf-8")
    rows = re.findall(r"^\| ([\d, ]+) \| \w", document, re.MULTILINE)
    named = {code for row in rows for code in row.replace(" ", "").split(",")}
    answered = set(DOCUMENT["paths"]["/v1/verdicts"]["post"]["responses"]) - {"200", "500"}
    assert named == answered
