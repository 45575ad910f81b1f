"""Train the detector ``lite`` that ships with the package, and write its model card.

    python -m training.detector.train_default [--data FOLDER] [--cache FOLDER] [--figures FILE]

The same data, models, libraries and seed give the same artifact. Run
``python -m benchmarks.accuracy.accuracy`` first: the card quotes its figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ghostbuster.artifacts.shipped import FOLDER, LITE
from ghostbuster.detector.artifact import save
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.models.panel_choice import panel_of
from training.data.crops import random_crops
from training.data.dataset import DEFAULT_FOLDER, Plan, learnable, load
from training.data.material import read_material
from training.data.registers import registers_of
from training.data.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE
from training.detector.card import write_card


def train(data: Path, cache: Path, detector: GhostbusterClassifier, plan: Plan) -> GhostbusterClassifier:
    """``detector`` fitted on all learnable texts of ``data`` and a random passage of each."""
    texts = learnable(load(data, plan))
    both = [*texts, *random_crops(texts, plan.seed)]
    material = read_material(both, panel_of(detector.panel), cache)
    print(
        f"{len(texts)} texts and {len(both) - len(texts)} passages, {material.reading.n_tokens.sum()} tokens"
    )
    return detector.fit_reading(
        material.reading,
        material.y,
        material.groups,
        material.sources,
        registers=registers_of(material.texts),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument(
        "--figures",
        type=Path,
        default=Path("docs/data/accuracy.json"),
        help="of benchmarks.accuracy.accuracy",
    )
    parser.add_argument("--out", type=Path, default=FOLDER / f"{LITE}.joblib")
    parser.add_argument("--head", default="logistic")
    parser.add_argument("--space", default="default")
    parser.add_argument("--max-features", type=int, default=100)
    parser.add_argument("--per-class", type=int, default=Plan().per_class, help="texts of a class and file")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if not options.figures.is_file():  # before hours of work
        parser.error(f"{options.figures} does not exist: run python -m benchmarks.accuracy.accuracy first")
    detector = GhostbusterClassifier(
        space=options.space,
        max_features=options.max_features,
        head=options.head,
        random_state=options.seed,
    )
    train(options.data, options.cache, detector, Plan(per_class=options.per_class, seed=options.seed))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    save(detector, options.out)
    write_card(options.out, options.figures)
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()
