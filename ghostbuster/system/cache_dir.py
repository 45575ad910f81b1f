"""The cache folder: for what can be computed or downloaded again."""

from __future__ import annotations

import os
from pathlib import Path

from ghostbuster.errors import SettingError

CACHE_VARIABLE = "GHOSTBUSTER_CACHE"


def cache_folder() -> Path:
    """Folder of all caches; nothing is lost when a user deletes it.

    It need not exist and may be read-only: callers create it before they write, and go on without a cache
    where they cannot.

    Returns
    -------
    Path
        What ``GHOSTBUSTER_CACHE`` names, else ``ghostbuster`` in the system's place for caches
        (``XDG_CACHE_HOME`` or ``~/.cache`` on Linux, ``~/Library/Caches`` on macOS, the local application
        data on Windows); absolute.

    Raises
    ------
    SettingError
        When the variable names the home folder of an unknown user.
    """
    named = named_folder(CACHE_VARIABLE)
    if named is not None:
        return named
    from platformdirs import user_cache_path

    return user_cache_path("ghostbuster", appauthor=False)


def named_folder(variable: str) -> Path | None:
    """The folder that an environment variable names, as an absolute path; None where it is not set.

    Raises
    ------
    SettingError
        When it names the home folder of an unknown user.
    """
    named = os.environ.get(variable)
    if not named:
        return None
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError:
        raise SettingError(f"{variable}={named!r}; expected a folder: there is no such home") from None
