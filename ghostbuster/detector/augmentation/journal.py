"""Checkpoint of an augmentation beside its output: steps of training and of writing, each done once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ghostbuster.tables.journal import journal_path
from ghostbuster.tables.line_journal import JournalKind, LineJournal

KIND = JournalKind("ghostbuster augmentation 1", "augment", "texts", "write all texts again")
_KEYS = {
    "errors": {"step", "round", "parents", "figures"},
    "written": {"step", "round", "parent", "asked", "texts", "dropped", "n_tokens", "seconds"},
}


class StepJournal(LineJournal):
    """The steps of one augmentation; see `LineJournal`.

    Parameters
    ----------
    output : Path
    identity : mapping of str to str
    restart : bool
    """

    def __init__(self, output: Path, identity: Mapping[str, str], *, restart: bool = False) -> None:
        super().__init__(journal_path(output), output, KIND, identity, _is_step, restart=restart)

    def steps(self) -> Sequence[dict[str, Any]]:
        """All so far, in order."""
        return list(self.values())


def _is_step(value: Any) -> bool:
    return bool(value.keys() == _KEYS[value["step"]])
