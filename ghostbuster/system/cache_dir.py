"""The folder where things are kept that can be worked out or fetched again."""

from __future__ import annotations

import os
from pathlib import Path

from ghostbuster.errors import SettingError

CACHE_VARIABLE = "GHOSTBUSTER_CACHE"


def cache_folder() -> Path:
    """Folder of everything that is remembered between runs; nothing is lost when a user deletes it.

    It need not exist, and may not be writable: callers make it where they write, and do without it where
    they cannot.

    Returns
    -------
    Path
        What ``GHOSTBUSTER_CACHE`` names, else ``ghostbuster`` in the system's place for caches
        (``XDG_CACHE_HOME`` or ``~/.cache`` on Linux, ``~/Library/Caches`` on macOS, the local application
        data on Windows); absolute.

    Raises
    ------
    SettingError
        When the variable begins with the home of somebody who has none.
    """
    named = named_folder(CACHE_VARIABLE)
    if named is not None:
        return named
    from platformdirs import user_cache_path

    return user_cache_path("ghostbuster", appauthor=False)


def named_folder(variable: str) -> Path | None:
    """The folder that a variable of the environment names, absolute; None where it names none.

    Raises
    ------
    SettingError
        When it begins with the home of somebody who has none.
    """
    named = os.environ.get(variable)
    if not named:
        return None
    try:
        return Path(named).expanduser().absolute()
    except RuntimeError:
        raise SettingError(f"{variable}={named!r}; expected a folder: there is no such home") from None
