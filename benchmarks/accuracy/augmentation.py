"""Augmentation: what a detector gains from a teacher's texts on sources that it has not seen.

    python -m benchmarks.accuracy.augmentation --corpus FOLDER --teacher MODEL.gguf --runs FOLDER

Some sources are left out of everything. Of the others the detector learns; the machine texts that its
held-out folds miss are shown to the teacher, in rounds, and before and after each the left-out sources'
whole texts are asked about. Differences are paired: the same texts, of which groups are drawn again.
A run that was broken off goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.paired import METRICS, by_source
from benchmarks.results import write_figures
from ghostbuster.detector.augmentation.held_out_errors import HeldOut, held_out
from ghostbuster.detector.augmentation.journal import StepJournal
from ghostbuster.detector.augmentation.plan import Plan
from ghostbuster.detector.augmentation.rounds import Augmented, NewText, Task, augment
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.models.llama.writing.sampling import Sampling
from ghostbuster.models.llama.writing.writer import Writer
from ghostbuster.models.panel import Panel, open_panel
from ghostbuster.models.panels import PANELS, panel_files
from ghostbuster.reading.read import Reading, reading_of
from ghostbuster.text.prepare import PreparedText, prepare
from training.data.dataset import PROBES, STRESS
from training.data.labelled import LabelledText
from training.data.material import Material, read_corpus_material
from training.data.weights import training_weights

LEFT_OUT = ("cogfp", "l2r", "outfox", "wetbench")
"""Chosen before any figure was seen: three kinds of register each, and the lowest AUROC of those left out."""
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Scores of the left-out texts by one detector.

    Attributes
    ----------
    raw : array of shape (n_asked,)
        Log-odds.
    called : array of shape (n_asked,)
        Whether each is called machine-written at the promised 1 %.
    """

    raw: Floats
    called: npt.NDArray[np.bool_]


class Trial:
    """Learns from some sources, asks about the others; keeps each detector's scores in a folder.

    Parameters
    ----------
    material : Material
    panel : Panel
        Reads new texts.
    folder : Path
    space : str
    """

    def __init__(self, material: Material, panel: Panel, folder: Path, space: str) -> None:
        asked = np.isin(material.sources, LEFT_OUT)
        related = np.isin(material.groups, material.groups[asked])
        whole = np.array([not text.is_crop for text in material.texts])
        self.learned = material.take(np.flatnonzero(~asked & ~related))
        self.asked = material.take(np.flatnonzero(asked & whole))
        self.panel, self.folder, self.space = panel, folder, space
        self.reading, self.texts = self.learned.reading, list(self.learned.texts)
        self.seconds: list[float] = []

    def learn(self, new: Sequence[NewText]) -> HeldOut:
        """Train from scratch, ask about the left-out texts, and say what held-out folds made of the seeds."""
        started = time.process_time()
        n_seeds = len(self.learned.texts)
        unread = new[len(self.texts) - n_seeds :]
        if unread:
            rows = [_labelled(self.learned.texts[one.parent], one) for one in unread]
            self.reading = Reading.concatenate([self.reading, _read(self.panel, [row.text for row in rows])])
            self.texts += rows
        made = GhostbusterClassifier(panel="standard", space=self.space, max_features=60, mix="stacked")
        y = np.array([text.label for text in self.texts])
        groups = np.array([text.group for text in self.texts])
        sources = np.array([text.source for text in self.texts])
        made.fit_reading(self.reading, y, groups, sources, training_weights(self.texts))
        self.seconds.append(time.process_time() - started)
        np.savez(self.folder / f"asked-{len(new):05d}.npz", **asdict(self._ask(made)))
        return held_out(made, self.reading, n_seeds)

    def measured(self) -> list[Measured]:
        """By every detector so far, in the order of the texts that were added."""
        found = []
        for path in sorted(self.folder.glob("asked-*.npz")):
            with np.load(path) as kept:
                found.append(Measured(kept["raw"], kept["called"]))
        return found

    def _ask(self, made: GhostbusterClassifier) -> Measured:
        reading = self.asked.reading
        raw = made.trained_.scorer.raw_score(reading.vectors, reading.texts)
        probability = made.trained_.calibration.probability(raw)
        bars = np.array([made.threshold_.for_length(int(n)).probability for n in reading.n_tokens])
        return Measured(raw, (probability >= bars) & (reading.n_tokens >= made.min_tokens))


def _labelled(parent: LabelledText, new: NewText) -> LabelledText:
    """A new text as one of its parent's source and group."""
    return replace(
        parent,
        key=f"{parent.key}/{new.round}/{new.seed}",
        text=prepare(new.text).text,
        raw=new.text,
        label=1,
        generator="teacher",
        attack="none",
    )


def _read(panel: Panel, texts: Sequence[str]) -> Reading:
    scores = panel.score(texts)
    return reading_of(
        scores, [PreparedText(text, len(text.split())) for text in texts], shared_tokenizer=False
    )


def compared(asked: Material, before: Measured, after: Measured) -> dict[str, Any]:
    """Figures of two detectors and their paired differences, of each source and as means over the sources."""
    found: dict[str, Any] = {}
    for name, metric in METRICS.items():
        was, now = (
            by_source(metric, asked.y, one.raw, asked.sources, asked.groups, LEFT_OUT)
            for one in (before, after)
        )
        found[name] = {
            "before": was.figures(LEFT_OUT),
            "after": now.figures(LEFT_OUT),
            "gain": (now - was).figures(LEFT_OUT),
        }
    for name, label in (("found", 1), ("accused", 0)):
        shares = np.array(
            [
                [one.called[(asked.sources == source) & (asked.y == label)].mean() for one in (before, after)]
                for source in LEFT_OUT
            ]
        )
        found[name] = {"sources": dict(zip(LEFT_OUT, shares.tolist(), strict=True))}
        found[name]["mean"] = shares.mean(axis=0).tolist()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True, help="folder of training.data.read_corpus")
    parser.add_argument("--n-texts", type=int, default=4000, help="the first so many of the corpus")
    parser.add_argument("--teacher", type=Path, required=True, help="GGUF of a chat model")
    parser.add_argument("--strong", type=Path, help="GGUF that reads as the corpus was read")
    parser.add_argument("--runs", type=Path, required=True, help="where steps and scores are kept")
    parser.add_argument("--space", default="zeroshot")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--per-text", type=int, default=4)
    parser.add_argument("--max-texts", type=int, default=240)
    parser.add_argument("--max-minutes", type=float, default=math.inf, help="of writing")
    parser.add_argument("--max-asked-tokens", type=int, default=260, help="tokens a text")
    parser.add_argument("--out", type=Path, help="where the figures go, as JSON")
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    material = read_corpus_material(options.corpus, "standard", options.n_texts)
    material = material.take(np.flatnonzero([text.file not in STRESS | PROBES for text in material.texts]))
    weak, strong = panel_files("standard")
    row = PANELS["standard"]
    panel = open_panel(
        weak=weak, strong=options.strong or strong, outputs=(row.weak_outputs, row.strong_outputs)
    )
    trial = Trial(material, panel, options.runs, options.space)
    print(f"{len(trial.learned.texts)} texts to learn from, {len(trial.asked.texts)} asked about", flush=True)
    plan = Plan(
        rounds=options.rounds,
        per_text=options.per_text,
        max_texts=options.max_texts,
        max_minutes=options.max_minutes,
    )
    task = Task(
        [text.text for text in trial.learned.texts],
        trial.learned.y,
        plan,
        trial.learned.sources,
        sampling=Sampling(options.max_asked_tokens),
    )
    identity = {
        "corpus": str(len(material.texts)),
        "teacher": options.teacher.name,
        "asked": f"{options.rounds} {options.per_text}",
    }
    with StepJournal(options.runs / "augmentation", identity) as journal:
        teacher = Writer(options.teacher, options.per_text, 1)
        made = augment(task, trial.learn, teacher, journal, _print_progress)
    trial.learn(made.texts)
    figures = figures_of(trial, made)
    write_figures(options.out or options.runs / "augmentation.json", figures)
    print(json.dumps(figures, indent=1))


def _print_progress(number: int, made: Augmented) -> None:
    now = made.rounds[-1]
    print(
        f"{time.strftime('%H:%M:%S')} round {number}: {now['kept']} of {now['asked']} kept, dropped "
        f"{now['dropped']}, {made.n_tokens} tokens in {made.seconds:.0f} s",
        flush=True,
    )


def figures_of(trial: Trial, made: Augmented) -> dict[str, Any]:
    """All figures, fit for JSON."""
    first, *later = trial.measured()
    return {
        "left_out": LEFT_OUT,
        "n_learned_from": len(trial.learned.texts),
        "n_asked": len(trial.asked.texts),
        "asked": {
            source: np.bincount(trial.asked.y[trial.asked.sources == source], minlength=2).tolist()
            for source in LEFT_OUT
        },
        "rounds": made.rounds,
        "n_new": len(made.texts),
        "n_tokens_written": made.n_tokens,
        "minutes_writing": round(made.seconds / 60, 1),
        "cpu_minutes_a_training": [round(one / 60, 1) for one in trial.seconds],
        "after_round": [compared(trial.asked, first, one) for one in later],
    }


if __name__ == "__main__":
    main()
