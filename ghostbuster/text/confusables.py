"""Read Unicode's table of confusable characters (UTS #39) from the package ``confusable_homoglyphs``.

Its own module would import an HTTP client first, which takes longer than the table.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path


@cache
def confusables() -> dict[str, tuple[str, ...]]:
    """The characters that each character can be mistaken for, some of them several characters long."""
    import confusable_homoglyphs

    file = Path(confusable_homoglyphs.__file__).with_name("confusables.json")
    table = json.loads(file.read_text(encoding="utf-8"))
    return {char: tuple(row["c"] for row in rows) for char, rows in table.items()}
