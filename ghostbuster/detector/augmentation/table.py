"""The labelled table that texts are written after, and the same with the new texts at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ghostbuster.arrays import AnyArray, Int1d
from ghostbuster.detector.augmentation.rounds import NewText
from ghostbuster.errors import InputError
from ghostbuster.folds import sources_to_hold_out
from ghostbuster.tables.labelled import Columns, LabelledTexts, read_labelled
from ghostbuster.tables.table import read_table, write_table
from ghostbuster.text.prepare import prepare_or_refuse

if TYPE_CHECKING:
    from pandas import DataFrame

ADDED = ("origin", "parent", "round", "teacher", "teacher_digest", "seed", "request")
"""Columns of the output: what made a new text. A text that was there is of origin ``seed``."""
GROUP = "group"
"""Column that keeps a new text beside its parent, where the table has no groups."""


@dataclass(frozen=True)
class SeedTable:
    """Texts that a detector learns from, of which a teacher is shown the wrong ones.

    Attributes
    ----------
    frame : DataFrame
        The whole table, with rows that cannot be used.
    columns : mapping of str to str or None
        ``text``, ``label``, ``group``, ``source``, ``id``: names of columns.
    prefix : str
        Put before the names of added columns.
    given : LabelledTexts
        The seed texts, and what is wrong with other rows.
    prepared : list of str, length n_seeds
    y : array of shape (n_seeds,), 0 human, 1 machine
    groups, sources : array of shape (n_seeds,)
        Without a column of groups every text is one; sources are None where fewer than three are known.
    """

    frame: DataFrame
    columns: Mapping[str, str | None]
    prefix: str
    given: LabelledTexts
    prepared: list[str]
    y: Int1d
    groups: AnyArray
    sources: AnyArray | None

    @classmethod
    def read(cls, path: Path, columns: Mapping[str, str | None], prefix: str) -> SeedTable:
        """Read and check a table.

        Raises
        ------
        InputError
            When it cannot be read, lacks a column or a class, or has a column that is to be added.
        """
        frame = read_table(path)
        named = tuple(one for key in ("group", "source", "id") if (one := columns[key]) is not None)
        given = read_labelled(path, Columns(str(columns["text"]), columns["label"], named))
        y = np.array(given.hard_labels, dtype=np.intp)
        for label, name in enumerate(("human", "machine")):
            if not (y == label).any():
                raise InputError(f"{path} has no text labelled {name}; expected both classes to learn from")
        groups = given.groups(columns["group"]) or [f"text {row}" for row in given.rows]
        prepared = [prepare_or_refuse(text).text for text in given.texts]
        sources = sources_to_hold_out(given.column(columns["source"]))
        made = cls(frame, columns, prefix, given, prepared, y, np.array(groups), sources)
        clash = next((name for name in made.added if name in frame.columns), None)
        if clash is not None:
            remedy = "name it with --group-column, or " if clash == prefix + GROUP else ""
            raise InputError(
                f"{path} already has a column {clash!r}, which would be lost: {remedy}rename it, or "
                "give --prefix"
            )
        return made

    @property
    def texts(self) -> list[str]:
        """The seed texts as they were given, length n_seeds."""
        return self.given.texts

    @property
    def added(self) -> list[str]:
        """Names of the columns that the output has more."""
        groups = [] if self.columns["group"] is not None else [GROUP]
        return [self.prefix + name for name in (*groups, *ADDED)]

    def name_of(self, row: int) -> str:
        """What a row of the table (from 0) is called: its id, or its number from 1."""
        name = self.columns["id"]
        return str(row + 1) if name is None else str(self.frame[name].iloc[row])

    def write(self, path: Path, new: Sequence[NewText], teacher: str, digest: str) -> None:
        """Write all texts, the new ones at the end, whole or not at all.

        Parameters
        ----------
        path : Path
        new : sequence of NewText
        teacher, digest : str
            The teacher's file and its SHA-256.
        """
        import pandas as pd

        seeds = self.frame.copy()
        for name in self.added:
            seeds[name] = None
        seeds[self.prefix + "origin"] = "seed"
        if self.columns["group"] is None:
            seeds[self.prefix + GROUP] = [f"text {self.name_of(i)}" for i in range(len(seeds))]
        rows = pd.DataFrame([self._row(one, teacher, digest) for one in new], columns=seeds.columns)
        parts = [seeds.astype(object), rows.astype(object)] if new else [seeds.astype(object)]
        write_table(_retyped(pd.concat(parts, ignore_index=True), self.frame), path)

    def _row(self, one: NewText, teacher: str, digest: str) -> dict[str, Any]:
        """A new text as a row: text, label, group and source; what else the table knows it does not have."""
        row = self.given.rows[one.parent] - 1
        parent = self.frame.iloc[row]
        kept = {
            str(name): parent[name] for key in ("group", "source") if (name := self.columns[key]) is not None
        }
        if self.columns["group"] is None:
            kept[self.prefix + GROUP] = f"text {self.name_of(row)}"
        a_machine = self.given.rows[int(np.flatnonzero(self.y == 1)[0])] - 1
        label = self.frame[self.columns["label"]].iloc[a_machine]
        facts = ("generated", self.name_of(row), one.round, teacher, digest, one.seed, one.prompt)
        return {
            **kept,
            str(self.columns["text"]): one.text,
            str(self.columns["label"]): label,
            **dict(zip([self.prefix + name for name in ADDED], facts, strict=True)),
        }


def _retyped(made: DataFrame, before: DataFrame) -> DataFrame:
    """Columns in the types that they had, where a missing value fits in; the others as they come."""
    import pandas as pd

    for name in before.columns:
        if isinstance(before[name].dtype, pd.ArrowDtype):
            made[name] = pd.Series(made[name], dtype=before[name].dtype)
    return made
