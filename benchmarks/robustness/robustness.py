"""Detection rate and false-positive rate under each attack: writes docs/reliability/attacks.md.

    python -m benchmarks.robustness.robustness [--per-class 50] [--cache FOLDER] [--results FOLDER]

For each source a detector that was trained on all others, as the shipped one is trained, judges texts of the
source as they are and after each attack. Searches and answers are kept in the results folder, token scores in
the cache: an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.contenders import MIN_TOKENS, ColumnStore, Detector, WithWords, Words, inner_folds
from benchmarks.accuracy.protocols import Split, leave_one_source_out
from benchmarks.accuracy.trials import SHIPPED, run_trial, stamp
from benchmarks.results import DEFAULT_FOLDER as DEFAULT_RESULTS
from benchmarks.results import Results, write_page
from benchmarks.robustness.attacks import ATTACKS, attack
from benchmarks.robustness.robustness_report import UNTOUCHED, report, summary
from ghostbuster.decision.novelty import NoveltyLimits, english_share, lone_letters, surprise
from ghostbuster.detector.manifest import LIBRARIES
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.search.centering import center_sources
from ghostbuster.features.spaces import candidates
from ghostbuster.heads.scorer import Scorer
from ghostbuster.heads.table import make_head
from ghostbuster.models.panel import open_panel
from ghostbuster.reading.read import Reading, reading_of
from ghostbuster.text.prepare import prepare
from training.data.crops import random_crops
from training.data.dataset import DEFAULT_FOLDER, PROBES, Plan, learnable, load
from training.data.material import Material, read_material
from training.data.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE
from training.data.score_cache import cached_scores

if TYPE_CHECKING:
    from ghostbuster.models.panel import Panel

MIN_WORDS = 100  # shorter texts are mostly "unsure", which would flatter the attacks
BATCH = 25  # texts of a class that are read together
ATTACKED_BY_OTHERS = "detectrl"  # a source whose authors attacked its texts
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Judge:
    """A detector as far as ``machine`` or not, and whether it answers at all.

    Parameters
    ----------
    fitted : Scorer
    familiarity : NoveltyLimits
    bar : float
        The raw score above which a text is called machine: passed by 1 % of held-out people.
    """

    fitted: Scorer
    familiarity: NoveltyLimits
    bar: float

    def labels(self, reading: Reading) -> list[str]:
        """``machine``, ``not machine`` or ``refused`` (too short or too unlike its texts) for each text."""
        matrix = self.fitted.matrix(reading.vectors)
        raw = self.fitted.raw_score(matrix, reading.texts)
        about = surprise(reading), english_share(reading), lone_letters(reading)
        doubts = self.familiarity.doubts(matrix, *about)
        refused = [bool(doubt) or n < MIN_TOKENS for doubt, n in zip(doubts, reading.n_tokens, strict=True)]
        called = ["machine" if score > self.bar else "not machine" for score in raw]
        return ["refused" if no else label for no, label in zip(refused, called, strict=True)]


def judge_without(split: Split, contender: WithWords, results: Results) -> Judge:
    """The detector that never saw ``split``'s source."""
    material, detector = contender.detector.material, contender.detector
    outcome = run_trial(material, SHIPPED, contender, [split], results, nested=True, log=print)
    train, known = split.train, material.reading.take(split.train)
    chosen = detector.choose(train, inner_folds(material, train))
    space = candidates(detector.space, known.vectors.channels)
    features = tuple(space[i] for i in chosen)
    matrix = evaluate_all(features, known.vectors, dtype=np.float32, n_jobs=2)
    y, sources = material.y[train].astype(np.float64), material.sources[train]
    level = center_sources(matrix, y, sources).astype(np.float64)
    head = make_head(detector.head, 0).fit(level, y, sample_weight=detector.weights(train), groups=sources)
    fitted = Scorer(features, head, contender.words.lexicon(train), contender.mixes[train.tobytes()])
    familiar = NoveltyLimits.fit(matrix.astype(np.float64), surprise(known), english_share(known))
    return Judge(fitted, familiar, outcome.bars[split.name])


def drawn(split: Split, material: Material, per_class: int, seed: int = 0) -> list[npt.NDArray[np.intp]]:
    """Up to ``per_class`` human and machine texts of the source that nobody attacked before, in batches.

    More texts are more batches: what was read of the first ones stays of use.
    """
    texts = material.texts
    fit = [i for i in split.test if len(texts[i].text.split()) >= MIN_WORDS and texts[i].attack == "none"]
    chance = np.random.default_rng(seed)
    sides = [np.array([i for i in fit if texts[i].label == label], dtype=np.intp) for label in (0, 1)]
    order = [chance.permutation(side)[:per_class] for side in sides]
    fewest = min(map(len, order))
    return [np.concatenate([side[k : k + BATCH] for side in order]) for k in range(0, fewest, BATCH)]


def attacked(
    rows: npt.NDArray[np.intp], name: str, material: Material, judge: Judge, panel: Panel, cache: Path
) -> Rows:
    """The verdict on each text after the attack ``name``; what comes out unchanged is not read again."""
    texts = [material.texts[i] for i in rows]
    before = [prepare(text.text) for text in texts]
    after = before if name == UNTOUCHED else [prepare(attack(name, text.text)) for text in texts]
    labels = judge.labels(material.reading.take(rows))
    changed = [i for i, text in enumerate(texts) if after[i].text != text.text]
    if changed:
        forms = [after[i] for i in changed]
        scores = cached_scores(panel, kept_name(texts[0].source, name), [form.text for form in forms], cache)
        new = judge.labels(reading_of(scores, forms, panel.shared_tokenizer))
        labels = [new[changed.index(i)] if i in changed else label for i, label in enumerate(labels)]
    return [
        {
            "source": text.source,
            "truth": text.label,
            "label": labels[i],
            "restored": after[i].text == before[i].text,
            "touched": name != UNTOUCHED and attack(name, text.text) != text.text,
            "noted": after[i].notes != before[i].notes,
        }
        for i, text in enumerate(texts)
    ]


def kept_name(source: str, attack_name: str) -> str:
    """How the file of attacked texts' token scores begins."""
    return f"attacked.{source}.{attack_name.replace(' ', '-').replace(',', '')}"


def attacked_by_others(split: Split, material: Material, judge: Judge) -> dict[str, Rows]:
    """Verdicts on texts of a source that its authors attacked, by their attack; human ones are probes."""
    found: dict[str, Rows] = {}
    for name in sorted({material.texts[i].attack for i in split.test}):
        rows = np.array(
            [i for i in split.test if material.texts[i].attack == name and _is_long(material, int(i))],
            dtype=np.intp,
        )
        for truth, who in ((0, "people"), (1, "machines")):
            own = rows[material.y[rows] == truth]
            probe = any(material.texts[i].file in PROBES for i in own)
            if own.size and (truth == 1 or probe or name == "none"):
                labels = judge.labels(material.reading.take(own))
                found[f"{who}: {name}"] = [{"truth": truth, "label": label} for label in labels]
    return found


def _is_long(material: Material, i: int) -> bool:
    return len(material.texts[i].text.split()) >= MIN_WORDS


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Verdicts by attack, pooled over sources."""
    texts = load(options.data, Plan())
    panel = open_panel()
    material = read_material([*texts, *random_crops(learnable(texts), 0)], panel, options.cache)
    versions = {name: version(name) for name in LIBRARIES}
    results = Results(options.results, stamp(material, panel, versions))
    detector = Detector(ColumnStore(material), "default", "logistic", results=results)
    contender = WithWords(detector, Words(material))
    pooled: dict[str, Rows] = {name: [] for name in (UNTOUCHED, *(options.attacks or ATTACKS))}
    others: dict[str, Rows] = {}
    for split in leave_one_source_out(material.texts):
        batches = drawn(split, material, options.per_class)
        if options.sources and split.name not in options.sources:
            continue
        if 2 * options.per_class > sum(map(len, batches)):
            print(f"{split.name}: too few texts of {MIN_WORDS} words; left out")
            continue
        judge = judge_without(split, contender, results)
        if split.name == ATTACKED_BY_OTHERS:
            others = attacked_by_others(split, material, judge)
        for name in pooled:
            for rows in batches:
                pooled[name] += attacked(rows, name, material, judge, panel, options.cache)
            print(split.name, name, flush=True)
    return {"per_class": options.per_class, "min_words": MIN_WORDS, "attacks": pooled, "others": others}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument("--results", type=Path, default=DEFAULT_RESULTS, help="where answers are kept")
    parser.add_argument("--per-class", type=int, default=50, help="texts of each class and source")
    parser.add_argument("--sources", nargs="+", help="only these")
    parser.add_argument("--attacks", nargs="+", choices=tuple(ATTACKS), help="only these")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the page's folder")
    options = parser.parse_args()
    told = summary(measured(options))
    path = options.out / "reliability" / "attacks.md"
    earlier = path.read_text("utf-8") if path.is_file() else ""
    write_page(options.out, "reliability/attacks", told, report(told, earlier))
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
