"""Whether a command remembers scores."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from ghostbuster.commands.shared.console import warn


def remembering(*, wanted: bool) -> AbstractContextManager[None]:
    """Remember scores inside the block, if that is wanted; what goes wrong with it is one line."""
    if not wanted:
        return nullcontext()
    from ghostbuster.reading.cache import remember_scores

    return remember_scores(tell=warn)
