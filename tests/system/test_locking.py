"""A file that one process holds at a time."""

import errno

import pytest

from ghostbuster.errors import InputError
from ghostbuster.system import file_lock as locking
from ghostbuster.system.file_lock import open_locked


def test_what_is_held_cannot_be_held_again_until_it_is_closed(tmp_path):
    with open_locked(tmp_path / "x", "held"), pytest.raises(InputError, match=r"^held$"):
        open_locked(tmp_path / "x", "held")
    open_locked(tmp_path / "x", "held").close()


def test_a_place_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot be opened \(Is a directory\): choose another place"):
        open_locked(tmp_path, "held")


def test_a_disk_without_locks_is_named_and_nothing_stays_open(tmp_path, monkeypatch):
    files = []

    def without_locks(file):
        files.append(file)
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(locking, "_hold", without_locks)
    with pytest.raises(InputError, match=r"cannot be locked \(No locks available\): write to a local disk"):
        open_locked(tmp_path / "x", "held")
    assert [file.closed for file in files] == [True]


@pytest.mark.parametrize("made_again", [False, True])
def test_a_file_that_its_last_holder_removed_meanwhile_is_not_the_one_that_is_held(
    tmp_path, monkeypatch, made_again
):
    path, hold, held = tmp_path / "x", locking._hold, []

    def late(file):
        if not held:  # between opening and locking the last holder ends
            path.unlink()
            if made_again:
                path.touch()
        held.append(file)
        hold(file)

    monkeypatch.setattr(locking, "_hold", late)
    with open_locked(path, "held") as file:
        file.write(b"mine")
        file.flush()
        assert path.read_bytes() == b"mine"
    assert [file.closed for file in held] == [True, True]
