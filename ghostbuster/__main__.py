"""``python -m ghostbuster`` is the command ``ghostbuster``, with a process of its own."""

import gc
import sys

from ghostbuster.cli import main

OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Python's 700 would look for cycles a hundred times while modules load, and find none."""


def run() -> int:
    """Run the command of this process; see `main` for what it gives back."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *gc.get_threshold()[1:])
    code = main()
    gc.freeze()  # else the interpreter would look through all that it is about to drop, four times
    return code


if __name__ == "__main__":
    sys.exit(run())
