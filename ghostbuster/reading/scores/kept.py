"""Token scores that were kept in a folder, as a reading of texts: no language model is opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from ghostbuster.arrays import TokenScores
from ghostbuster.errors import InputError
from ghostbuster.reading.read import Reading, reading_of
from ghostbuster.reading.scores.manifest import Manifest
from ghostbuster.reading.scores.panel_facts import PanelFacts
from ghostbuster.reading.scores.part import Part, load_part
from ghostbuster.reading.scores.writer import parts_of
from ghostbuster.text.prepare import prepare_or_refuse


@dataclass(frozen=True)
class KeptScores:
    """A complete folder of token scores.

    Attributes
    ----------
    folder : Path
    manifest : Manifest
    """

    folder: Path
    manifest: Manifest

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Check that a folder of token scores is complete.

        Raises
        ------
        InputError
            When the manifest is damaged, or a part or the table is missing.
        """
        manifest = Manifest.read(folder)
        missing = [number for number, part in enumerate(parts_of(folder, manifest)) if part is None]
        if missing or not (folder / manifest.table).is_file():
            what = f"{len(missing):,} of {manifest.n_parts:,} parts" if missing else manifest.table
            name = manifest.part_path(folder, missing[0]).name if missing else ""
            first = f", the first is {name}" if missing else ""
            raise InputError(
                f"{folder} is not complete: {what} missing, cut short or of another run{first}: give the "
                "same `ghostbuster read` again, which reads what is missing"
            )
        return cls(folder, manifest)

    @property
    def panel(self) -> PanelFacts:
        """What is known of the language models that read the texts."""
        return self.manifest.panel

    @property
    def table(self) -> Path:
        """The copy of the table that was read, with all its columns."""
        return self.folder / self.manifest.table

    def reading(self, texts: Sequence[str], *, states: bool, rows: Sequence[int] | None = None) -> Reading:
        """A reading of texts of the table, as ``read`` would give it.

        Parameters
        ----------
        texts : sequence of str
            In any order; each is found by its prepared form.
        states : bool
            Whether hidden states are wanted.
        rows : sequence of int, length n_texts, optional
            What errors call the texts.

        Raises
        ------
        InputError
            When a text was not read, a part is damaged, or there are no hidden states.
        """
        layers = self.panel.state_layers if states else ()
        if states and not layers:
            raise InputError(
                f"{self.folder} holds no hidden states: read the table again with --states, or train with "
                "--readers features,words"
            )
        prepared = tuple(prepare_or_refuse(text) for text in texts)
        wanted = [one.text for one in prepared]
        places, scores = self._scores_of(dict.fromkeys(wanted), layers)
        made_by = self.manifest.run.get("version of ghostbuster", "of another version")
        for i, text in enumerate(wanted):
            if text not in places:
                raise InputError(
                    f"row {rows[i] if rows else i + 1} of {self.table}: its text was not read, or "
                    f"ghostbuster {made_by}, which read it, prepared it otherwise: read the table again"
                )
        order = np.array([places[text] for text in wanted], dtype=np.intp)
        if not np.array_equal(order, np.arange(len(places))):
            scores = {source: one.take(order) for source, one in scores.items()}
        return reading_of(scores, prepared, self.panel.shared_tokenizer)

    def _scores_of(
        self, wanted: dict[str, None], layers: Sequence[int]
    ) -> tuple[dict[str, int], dict[str, TokenScores]]:
        """Where each wanted text is among the scores, and the scores."""
        places: dict[str, int] = {}
        taken: list[dict[str, TokenScores]] = []
        for number in range(self.manifest.n_parts):
            part = load_part(self.manifest.part_path(self.folder, number), layers)
            chosen = []
            for i, text in enumerate(part.texts):
                if text in wanted and text not in places:
                    places[text] = len(places)
                    chosen.append(i)
            if chosen:
                taken.append(_chosen(part, chosen))
        if not taken:
            return {}, {}
        return places, {
            source: TokenScores.concatenate([one[source] for one in taken]) for source in taken[0]
        }


def _chosen(part: Part, texts: Sequence[int]) -> dict[str, TokenScores]:
    if len(texts) == len(part.texts):
        return part.scores
    return {source: scores.take(texts) for source, scores in part.scores.items()}
