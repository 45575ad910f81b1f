"""The effect of canonicalisation on accuracy: texts as published against the same texts prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy.ablation import BASELINE, REFERENCE, earned, ranked
from benchmarks.accuracy.baseline import Tfidf
from benchmarks.accuracy.contenders import ColumnStore, Contender, Detector, Words
from benchmarks.accuracy.other_texts import as_published
from benchmarks.results import Results
from training.data.labelled import LabelledText
from training.data.material import Material, read_material

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghostbuster.models.panel import Panel


def read_apart(name: str, texts: Sequence[LabelledText], panel: Panel, cache: Path) -> Material:
    """A material of texts whose scores are kept under a name of their own."""
    made = read_material([replace(text, file=f"{name}.{text.file}") for text in texts], panel, cache)
    return replace(made, texts=tuple(texts))


def prepared_and_published(
    material: Material, panel: Panel, cache: Path, results: Results, log: Callable[[str], None]
) -> dict[str, object]:
    """Figures of detector, words and baseline, learning from and asked about either form."""
    published = as_published([text for text in material.texts if not text.is_crop])
    place = {text.key: i for i, text in enumerate(material.texts) if not text.is_crop}
    rows = np.array([place[text.key] for text in published])
    same = Material(tuple(material.texts[i] for i in rows), material.reading.take(rows), material.ends[:0])
    found = {}
    for form, texts in (("prepared", same), ("as published", read_apart("raw", published, panel, cache))):
        log(f"  {form}")
        of_form = replace(results, stamp=f"{results.stamp} {form}")
        contenders: dict[str, Contender] = {
            REFERENCE: Detector(ColumnStore(texts), "default", "logistic", results=of_form),
            "words only": Words(texts),
            BASELINE: Tfidf(texts),
        }
        scores = ranked(texts, contenders, of_form, lambda _: None)
        shown = ("logistic head, words 70 %", *contenders)
        figures = earned(texts, scores)
        found[form] = {name: figures[name] for name in shown}
    return {"n_texts": len(published), "figures": found}
