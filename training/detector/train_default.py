"""Train a detector that ships with the package, and write its model card.

    python -m training.detector.train_default --panel standard [--corpus FOLDER]
    python -m training.detector.train_default --panel lite [--corpus FOLDER]

The same data, models, libraries and seed give the same artifact. The panel's models read the texts, or they
were read before: ``--corpus`` names the folder of ``training.data.read_corpus``. What every reader said of
texts whose source it never saw is kept beside (``--held-out``): ``benchmarks.accuracy.unseen`` makes figures.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from ghostbuster.artifacts.shipped import FOLDER
from ghostbuster.detector.artifact import save
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.detector.params import Params
from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write
from training.data.crops import random_crops
from training.data.dataset import DEFAULT_FOLDER, PROBES, STRESS, Plan, learnable, load
from training.data.material import Material, read_corpus_material, read_material
from training.data.registers import registers_of
from training.data.score_cache import DEFAULT_FOLDER as DEFAULT_CACHE
from training.data.weights import training_weights
from training.detector.card import write_card


def material_of(options: argparse.Namespace, detector: GhostbusterClassifier) -> Material:
    """All learnable texts and a random passage of each, read by the detector's panel."""
    if options.corpus is not None:
        material = read_corpus_material(options.corpus, options.panel, options.n_texts)
        left = [i for i, text in enumerate(material.texts) if text.file not in STRESS | PROBES]
        return material.take(np.array(left, dtype=np.intp))
    texts = learnable(load(options.data, Plan(per_class=options.per_class, seed=options.seed)))
    both = [*texts, *random_crops(texts, options.seed)]
    return read_material(both, detector.learning_panel(), options.cache)


def train(detector: GhostbusterClassifier, material: Material) -> GhostbusterClassifier:
    """Fit ``detector``; sources are held out in bundles, and weigh as ``training_weights`` says."""
    n_crops = sum(text.is_crop for text in material.texts)
    n = len(material.texts)
    print(f"{n - n_crops} texts and {n_crops} passages, {material.reading.n_tokens.sum()} tokens", flush=True)
    return detector.fit_reading(
        material.reading,
        np.where(material.y == 1, "machine", "human"),
        material.groups,
        material.sources,
        training_weights(material.texts),
        registers=registers_of(material.texts),
    )


def write_held_out(path: Path, detector: GhostbusterClassifier, material: Material) -> None:
    """Held-out log-odds by each reader, beside what is known of each text but its words."""
    texts = material.texts
    rows = {
        "y": material.y,
        "weights": training_weights(texts),
        "groups": material.groups,
        "n_tokens": material.reading.n_tokens,
        "is_crop": np.array([text.is_crop for text in texts]),
        "key": np.array([text.key for text in texts]),
        **{
            f"{name}s": np.array([getattr(text, name) for text in texts])
            for name in ("file", "source", "domain", "generator", "attack")
        },
    }
    readers = np.array(detector.params.reader_names)
    with atomic_write(path, InputError) as unfinished, unfinished.open("wb") as out:
        np.savez(out, parts=detector.held_out_parts_, readers=readers, **rows)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--panel", choices=("standard", "lite"), default="standard")
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="where token scores are kept")
    parser.add_argument(
        "--corpus", type=Path, help="folder of training.data.read_corpus, in place of reading"
    )
    parser.add_argument("--n-texts", type=int, help="the first so many of the corpus")
    parser.add_argument("--figures", type=Path, help="of benchmarks.accuracy.unseen, for the card")
    parser.add_argument("--out", type=Path, help="where the detector goes; where it ships from by default")
    parser.add_argument("--held-out", type=Path, help="keep the readers' held-out log-odds in this file")
    parser.add_argument("--head", default=Params.head)
    parser.add_argument("--space", help="standard for the panel of that name, else default")
    parser.add_argument("--max-features", type=int, default=Params.max_features)
    parser.add_argument("--per-class", type=int, default=Plan().per_class, help="texts of a class and file")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    detector = GhostbusterClassifier(
        panel="embedded" if options.panel == "lite" else options.panel,
        space=options.space or ("standard" if options.panel == "standard" else Params.space),
        max_features=options.max_features,
        head=options.head,
        mix="stacked",
        random_state=options.seed,
    )
    material = material_of(options, detector)
    train(detector, material)
    out = options.out or FOLDER / f"{options.panel}.joblib"
    out.parent.mkdir(parents=True, exist_ok=True)
    save(detector, out)
    if options.held_out is not None:
        write_held_out(options.held_out, detector, material)
    write_card(out, options.figures, options.n_texts)
    print(f"wrote {out}")


if __name__ == "__main__":
    main()
