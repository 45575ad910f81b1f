"""The folder where things are kept that can be worked out or fetched again."""

from __future__ import annotations

import os
from pathlib import Path

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
    """
    named = os.environ.get(CACHE_VARIABLE)
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_cache_path

    return user_cache_path("ghostbuster", appauthor=False)
