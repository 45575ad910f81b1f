"""Manifest of a folder of token scores: what was read, by which models, and how its rows are parted.

It is written once, before the first part, and never changes; every part holds its digest. So parts of two
runs cannot be mixed, and a manifest that was edited fits no part.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from ghostbuster.errors import InputError, SettingError
from ghostbuster.reading.scores.panel_facts import PanelFacts
from ghostbuster.reading.scores.part import part_name
from ghostbuster.reading.scores.rows import TABLE
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.tables.registry import SCORES_MANIFEST

FILE = SCORES_MANIFEST
LAYOUT = 1
"""Raised when parts hold something else, or a channel changes its meaning; other numbers are refused."""


@dataclass(frozen=True)
class Manifest:
    """What a folder of token scores holds.

    Attributes
    ----------
    run : mapping of str to str
        Everything that moves a score, each under a name that a user understands.
    table : str
        Name of the copy of the table, in the folder.
    text_column : str
    panel : PanelFacts
    first_rows : tuple of int, length n_parts + 1
        Where each part begins, from 0, and where the last one ends.
    """

    run: Mapping[str, str]
    table: str
    text_column: str
    panel: PanelFacts
    first_rows: tuple[int, ...]

    @property
    def n_parts(self) -> int:
        """Number of parts."""
        return len(self.first_rows) - 1

    @property
    def n_rows(self) -> int:
        """Rows of the table, with those that hold no text."""
        return self.first_rows[-1]

    @property
    def digest(self) -> str:
        """SHA-256 of all that it says."""
        return _digest(self._state())

    def part_path(self, folder: Path, number: int) -> Path:
        """Where a part is."""
        return folder / part_name(number)

    def write(self, folder: Path) -> None:
        """Write it whole or not at all.

        Raises
        ------
        InputError
            When the folder cannot be written to.
        """
        state = self._state()
        with atomic_write(folder / FILE, InputError) as temporary:
            temporary.write_text(json.dumps(state | {"digest": _digest(state)}, indent=1) + "\n", "utf-8")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Undo ``write``.

        Raises
        ------
        InputError
            When it cannot be read, was changed, or is of another layout.
        """
        path = folder / FILE
        try:
            state: dict[str, Any] = json.loads(path.read_text("utf-8"))
            stated, layout = state.pop("digest"), state["layout"]
            if layout == LAYOUT:
                return cls._from_state(state, stated)
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}): check the file") from error
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{path} was changed or is damaged ({type(error).__name__}: {str(error)[:80]}): put it back "
                "as `ghostbuster read` wrote it, or read the table again"
            ) from error
        raise InputError(
            f"{folder} is of layout {str(layout)[:12]}, this version knows {LAYOUT}: read the table again "
            "with `ghostbuster read`"
        )

    def check_run(self, run: Mapping[str, str], folder: Path) -> None:
        """Refuse to go on for another table, other models or another setting.

        Raises
        ------
        SettingError
            Names the first that differs.
        """
        for name, value in run.items():
            found = self.run.get(name, "none")
            if found != value:
                raise SettingError(
                    f"{folder} holds token scores with another {name} ({found[:12]}, now {value[:12]}): give "
                    "another folder, the command it was begun with, or --restart to read all rows again"
                )

    def _state(self) -> dict[str, Any]:
        return {
            "layout": LAYOUT,
            "run": dict(self.run),
            "table": self.table,
            "text_column": self.text_column,
            "panel": self.panel.state(),
            "first_rows": list(self.first_rows),
        }

    @classmethod
    def _from_state(cls, state: Mapping[str, Any], stated_digest: object) -> Self:
        if stated_digest != _digest(state):
            raise ValueError("its digest does not fit")
        table, rows = str(state["table"]), tuple(state["first_rows"])
        if Path(table).name != table or not table.startswith(f"{TABLE}."):
            raise ValueError("its table is no file of the folder")
        if not all(type(row) is int for row in rows) or len(rows) < 2 or rows[0] != 0:  # noqa: PLR2004
            raise ValueError("its parts have no rows")
        if any(one >= other for one, other in pairwise(rows)):
            raise ValueError("the rows of its parts do not rise")
        return cls(
            run={str(name): str(value) for name, value in state["run"].items()},
            table=table,
            text_column=str(state["text_column"]),
            panel=PanelFacts.from_state(state["panel"]),
            first_rows=rows,
        )


def is_scores(path: Path) -> bool:
    """Whether a path is a folder of token scores."""
    return (path / FILE).is_file()


def _digest(state: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(state, sort_keys=True).encode()).hexdigest()
