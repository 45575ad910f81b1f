import sys
from pathlib import Path

import pytest

from ghostbuster.system.cache_dir import cache_folder


def test_the_variable_names_the_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("GHOSTBUSTER_CACHE", str(tmp_path / "mine"))
    assert cache_folder() == tmp_path / "mine"
    assert not (tmp_path / "mine").exists()


def test_a_relative_or_home_folder_becomes_absolute(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GHOSTBUSTER_CACHE", "here")
    assert cache_folder() == Path.cwd() / "here"
    monkeypatch.setenv("GHOSTBUSTER_CACHE", "~/there")
    assert cache_folder() == Path.home() / "there"


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_CACHE_HOME is a Linux convention")
def test_without_the_variable_the_system_says_where(monkeypatch, tmp_path):
    monkeypatch.setenv("GHOSTBUSTER_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "ghostbuster"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert cache_folder() == tmp_path / "me" / ".cache" / "ghostbuster"
