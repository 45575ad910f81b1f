"""The detectors that ship, by name, and which of them is the default on this machine."""

from __future__ import annotations

import logging
from pathlib import Path

from ghostbuster.errors import ArtifactError, ModelError

FOLDER = Path(__file__).parent
LITE, STANDARD, DEFAULT = "lite", "standard", "default"
NAMES = (DEFAULT, STANDARD, LITE)
"""What takes the place of a detector's path; a file that is called so is ``./lite``."""
FOUND = {STANDARD: 62, LITE: 48}
"""Of 100 machine texts of sources left out of training, the mean over those with both classes: how many are
called so where 1 % of people was promised."""

_log = logging.getLogger("ghostbuster")


def shipped(name: str) -> Path:
    """The file of a detector that ships.

    Raises
    ------
    ArtifactError
        When this copy of the package lacks it.
    """
    path = FOLDER / f"{name}.joblib"
    if not path.is_file():
        there = ", ".join(sorted(one.stem for one in FOLDER.glob("*.joblib")))
        raise ArtifactError(f"no detector called {name!r} ships with this version; expected one of: {there}")
    return path


def detector_path(named: str | Path | None = None) -> Path:
    """The file of a detector.

    Parameters
    ----------
    named : str or Path, optional
        A path, or ``default``, ``standard`` or ``lite``: those that ship. The default, which it is without a
        name too, is the standard detector where its models are here; else lite, and the logger
        ``ghostbuster`` says what that costs.

    Raises
    ------
    ArtifactError
        When a name of those that ship is given and this copy of the package lacks its file.
    """
    name = DEFAULT if named is None else str(named)
    if name not in NAMES:
        return Path(name)
    return shipped(default_name() if name == DEFAULT else name)


def default_name() -> str:
    """``standard`` where its models are here, else ``lite``."""
    if not (FOLDER / f"{STANDARD}.joblib").is_file():
        return LITE
    lacking = _lacking()
    if lacking is None:
        return STANDARD
    _log.warning(
        "the detector %s, which finds about %d of 100 machine-written texts where %s finds %d: %s",
        LITE,
        FOUND[LITE],
        STANDARD,
        FOUND[STANDARD],
        lacking,
    )
    return LITE


def _lacking() -> str | None:
    """What the standard detector lacks here, and how to get it; None where it lacks nothing."""
    from ghostbuster.models.hub.locate import model_file
    from ghostbuster.models.panels import PANELS

    try:
        for name in PANELS[STANDARD].known:
            model_file(name)
    except ModelError as error:
        return str(error)
    return None
