"""Model files inside an installed Python distribution, found by its list of files: it is never imported."""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path


def installed_file(name: str, file: str) -> Path | None:
    """Path of a file in an installed distribution.

    Parameters
    ----------
    name : str
        Of the distribution, as ``pip install`` takes it.
    file : str
        Path of the file as the distribution's record lists it, with forward slashes.

    Returns
    -------
    Path or None
        None where the distribution is not installed, lists no such file, or has lost it.
    """
    found = _distribution(name)
    for listed in (found.files or ()) if found else ():
        if listed.as_posix() == file:
            path = Path(str(listed.locate())).resolve()
            return path if path.is_file() else None
    return None


def installed_version(name: str) -> str | None:
    """Version of an installed distribution; None where it is not installed."""
    found = _distribution(name)
    return found.version if found else None


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
