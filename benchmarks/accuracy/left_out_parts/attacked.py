"""Verdicts on texts under each attack, on people's texts with noise, and on long texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.measures import mean_with_interval, redrawn
from benchmarks.robustness.attacks import ATTACKS, attack
from ghostbuster.decision.verdict import Verdict
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.metrics.intervals import clopper_pearson
from ghostbuster.reading.read import Reading, reading_of
from ghostbuster.text.prepare import PreparedText, prepare
from training.data.dataset import PROBES
from training.data.labelled import LabelledText, read_file
from training.data.lengths import cut_to
from training.data.material import Material
from training.data.read_corpus import read_scores, write_scores
from training.data.score_cache import scores_key

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel

UNTOUCHED = "none"
FEWEST_WORDS, MOST_WORDS = 100, 150
"""Of texts to attack: long enough for a verdict, short enough to be many."""
LONG_FILES = ("uppsala.l2", "endings.fiction")
LONG_WORDS = 500
Figures = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """Reads prepared texts, once.

    Parameters
    ----------
    panel : Panel
    folder : Path
        Where token scores are kept; they hold numbers only.
    log : callable
    """

    panel: Panel
    folder: Path
    log: Callable[[str], None]

    def read(self, name: str, prepared: Sequence[PreparedText]) -> Reading:
        """Token scores and states of texts, from the folder where they are there."""
        texts = [one.text for one in prepared]
        path = self.folder / f"{name}-{scores_key(self.panel.fingerprints, texts)}.npz"
        if not path.exists():
            self.log(f"reading {len(texts)} texts, {sum(len(text.split()) for text in texts)} words: {name}")
            self.folder.mkdir(parents=True, exist_ok=True)
            write_scores(path, self.panel.score(texts))
        scores = read_scores(path, list(self.panel.sources))
        return reading_of(scores, prepared, self.panel.shared_tokenizer)


def drawn(
    texts: Sequence[LabelledText], sources: Sequence[str], n_machine: int, n_human: int
) -> list[LabelledText]:
    """Whole texts of the right length that nobody attacked before, as evenly from the sources as may be."""
    chosen: list[LabelledText] = []
    for label, wanted in ((1, n_machine), (0, n_human)):
        by_source = [
            [
                text
                for text in texts
                if (text.source, text.label, text.attack) == (source, label, "none")
                and not text.is_crop
                and FEWEST_WORDS <= len(text.text.split()) <= MOST_WORDS
            ]
            for source in sources
        ]
        turns = [(turn, text) for rows in by_source for turn, text in enumerate(rows)]
        chosen += [text for _, text in sorted(turns, key=lambda one: (one[0], one[1].key))[:wanted]]
    return chosen


def under_attacks(detector: GhostbusterClassifier, texts: Sequence[LabelledText], reader: Reader) -> Figures:
    """Shares found and accused under each attack, and how they changed, text by text."""
    y = np.array([text.label for text in texts])
    before = [prepare(text.text) for text in texts]
    plain = detector.judge_reading(reader.read(UNTOUCHED, before))
    rows = {UNTOUCHED: _figures(y, plain)}
    for name in ATTACKS:
        after = [prepare(attack(name, text.text)) for text in texts]
        changed = [i for i in range(len(texts)) if after[i].text != before[i].text]
        verdicts = list(plain)
        if changed:
            kept = name.replace(" ", "-").replace(",", "")
            new = detector.judge_reading(reader.read(kept, [after[i] for i in changed]))
            for i, verdict in zip(changed, new, strict=True):
                verdicts[i] = verdict
        rows[name] = _figures(y, verdicts, plain) | {"undone": _undone(name, texts, before, after)}
    counts = {"n_machine": int(np.sum(y == 1)), "n_human": int(np.sum(y == 0))}
    return counts | {"sources": sorted({text.source for text in texts}), "rows": rows}


def _undone(
    name: str, texts: Sequence[LabelledText], before: Sequence[PreparedText], after: Sequence[PreparedText]
) -> float | None:
    """Share that preparing brings back, of the texts that the attack touched."""
    touched = [i for i, text in enumerate(texts) if attack(name, text.text) != text.text]
    return float(np.mean([after[i].text == before[i].text for i in touched])) if touched else None


def _figures(y: Any, verdicts: Sequence[Verdict], plain: Sequence[Verdict] | None = None) -> Figures:
    called = _called(verdicts)
    unsure = np.array([verdict.label == "unsure" for verdict in verdicts])
    made: Figures = {"undone": None, "refused": float(unsure[y == 1].mean()) if np.any(y == 1) else 0.0}
    for side, label in (("found", 1), ("accused", 0)):
        here = y == label
        made[side] = asdict(clopper_pearson(int(called[here].sum()), int(here.sum()))) | {
            "n": int(here.sum())
        }
        if plain is not None:
            moved = called[here].astype(np.float64) - _called(plain)[here]
            made[f"{side}_change"] = asdict(mean_with_interval(moved, redrawn(moved.size)))
    return made


def _called(verdicts: Sequence[Verdict]) -> Any:
    return np.array([verdict.label == "machine" for verdict in verdicts])


def under_noise(detector: GhostbusterClassifier, material: Material) -> dict[str, Figures]:
    """People's texts with noise who were accused, by kind of noise; only those long enough for a verdict."""
    probe = np.isin(material.files, sorted(PROBES)) & (
        material.reading.n_tokens >= detector.params.min_tokens
    )
    attacks = np.array([text.attack for text in material.texts])
    made = {}
    for name in sorted(set(attacks[probe].tolist())):
        rows = np.flatnonzero(probe & (attacks == name))
        verdicts = detector.judge_reading(material.reading.take(rows))
        called = int(_called(verdicts).sum())
        unsure = float(np.mean([verdict.label == "unsure" for verdict in verdicts]))
        made[NOISES.get(name, name)] = {
            "accused": asdict(clopper_pearson(called, rows.size)) | {"n": int(rows.size)},
            "unsure": unsure,
        }
    return made


NOISES = {
    "human_back_translation": "translated and back",
    "human_char_perturb": "characters changed",
    "human_dipper": "paraphrased (DIPPER)",
    "human_word_perturb": "words changed",
}


def long_texts(detector: GhostbusterClassifier, data: Path, per_class: int, reader: Reader) -> Figures:
    """Texts of about `LONG_WORDS` words of files whose sources the detector has not seen."""
    chosen: list[LabelledText] = []
    for file in LONG_FILES:
        rows = read_file(data / f"{file}.jsonl.xz")
        for label in (0, 1):
            long = [row for row in rows if row.label == label and len(row.raw.split()) >= LONG_WORDS]
            chosen += sorted(long, key=lambda row: row.key)[:per_class]
    prepared = [prepare(cut_to(prepare(row.raw).text, LONG_WORDS)) for row in chosen]
    verdicts = detector.judge_reading(reader.read("long", prepared))
    made = _figures(np.array([row.label for row in chosen]), verdicts)
    return made | {"sources": sorted({row.source for row in chosen})}
