"""How many threads language models may use: the cores of this process, or fewer where a variable says so."""

from __future__ import annotations

import os

from ghostbuster.errors import SettingError

THREADS_VARIABLE = "GHOSTBUSTER_THREADS"


def usable_cores() -> int:
    """Threads that language models may use.

    Returns
    -------
    int
        Cores that this process may run on; at most what ``GHOSTBUSTER_THREADS`` says.

    Raises
    ------
    SettingError
        When the variable holds no number from 1 on.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    named = os.environ.get(THREADS_VARIABLE)
    if not named:
        return cores
    if not named.isdecimal() or int(named) < 1:
        raise SettingError(f"{THREADS_VARIABLE}={named!r}; expected a whole number, 1 or more")
    return min(cores, int(named))
