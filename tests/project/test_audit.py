"""What CI says of known vulnerabilities, whatever pip-audit could find out."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "audit"
SOUND = {"name": "numpy", "version": "2.0", "vulns": []}
UNKNOWN = {"name": "scipy", "skip_reason": "Dependency not found on PyPI and could not be audited"}
WEAK = {"name": "lxml", "version": "1.0", "vulns": [{"id": "CVE-1", "fix_versions": ["1.1"]}]}
pytestmark = pytest.mark.skipif(not SCRIPT.exists(), reason="no checkout: .ci is not in the archive")


@pytest.fixture
def audit():
    loader = SourceFileLoader("ci_audit", str(SCRIPT))
    module = module_from_spec(spec_from_loader("ci_audit", loader))
    loader.exec_module(module)
    return module


def answering(audit, monkeypatch, answers):
    """Let each service answer with these packages, or not at all."""
    found = {name: packages and {"dependencies": packages} for name, packages in answers.items()}
    monkeypatch.setattr(audit, "report", lambda _folder, service: found[service])


@pytest.mark.parametrize("pypi", [None, [UNKNOWN]])
def test_where_nothing_could_be_looked_up_it_says_so_and_does_not_fail(audit, monkeypatch, capsys, pypi):
    answering(audit, monkeypatch, {"pypi": pypi, "osv": None})
    assert audit.main("somewhere") == 0
    assert "NOT AUDITED" in capsys.readouterr().out


def test_a_known_vulnerability_fails_and_is_named_with_its_repair(audit, monkeypatch, capsys):
    answering(audit, monkeypatch, {"pypi": [SOUND, UNKNOWN, WEAK]})
    assert audit.main("somewhere") == 1
    out = capsys.readouterr().out
    assert "2 of 3 packages could be looked up" in out
    assert "lxml 1.0: CVE-1, repaired in 1.1" in out


def test_what_no_release_has_repaired_is_named_and_does_not_fail(audit, monkeypatch, capsys):
    answering(audit, monkeypatch, {"pypi": [{**WEAK, "vulns": [{"id": "CVE-2", "fix_versions": []}]}]})
    assert audit.main("somewhere") == 0
    assert "lxml 1.0: CVE-2, repaired in nowhere yet" in capsys.readouterr().out


def test_a_second_service_is_asked_where_the_first_knows_nothing(audit, monkeypatch, capsys):
    answering(audit, monkeypatch, {"pypi": [UNKNOWN], "osv": [SOUND]})
    assert audit.main("somewhere") == 0
    out = capsys.readouterr().out
    assert "no known vulnerability in them" in out
    assert "NOT AUDITED" not in out
