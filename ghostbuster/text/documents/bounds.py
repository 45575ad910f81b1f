"""Bounds that no document may pass, however it was made."""

from __future__ import annotations

from ghostbuster.errors import InputError

PATIENCE = 60.0
"""Seconds for one document: some are made to take their reader for ever."""
MOST_FILE = 256 * 2**20
"""Bytes of a file with pictures; of letters alone, ``prepare.MOST_BYTES``."""
MOST_UNPACKED = 256 * 2**20
"""Bytes that an archive may unpack to; more is a bomb, not an essay."""
MOST_XML = 64 * 2**20
"""Bytes of one XML part: a library of novels."""


def too_slow(name: str) -> InputError:
    """The error for a document that took longer than ``PATIENCE``."""
    return InputError(
        f"{name} takes more than {PATIENCE:g} seconds to read, as damaged and hostile files do: "
        "save it as text"
    )
