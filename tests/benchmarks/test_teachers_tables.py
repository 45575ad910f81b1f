"""Tables of teachers in the documents are those of the figures that were kept."""

import json
from pathlib import Path

from benchmarks.accuracy import teachers_tables

DOCS = Path(__file__).parents[2] / "docs"
ONE = {"value": 0.9, "low": 0.85, "high": 0.95}
GAIN = {"value": -0.0123, "low": -0.05, "high": 0.0}


def figures(name):
    return json.loads((DOCS / "data" / f"{name}.json").read_text("utf-8"))


def test_values_and_differences_have_intervals_and_signs():
    assert teachers_tables.value(ONE) == "0.900 [0.850, 0.950]"
    assert teachers_tables.gained(GAIN) == "-0.012 [-0.050, +0.000]"


def test_the_documents_show_the_tables_of_the_kept_figures():
    tuned, made = figures("finetuned"), figures("augmentation")
    teachers, augmented = ((DOCS / f"{name}.md").read_text("utf-8") for name in ("teachers", "augmentation"))
    assert teachers_tables.readers(tuned, made["left_out"]) in teachers
    assert teachers_tables.students(tuned) in teachers
    assert teachers_tables.augmentation(made) in teachers
    assert teachers_tables.augmentation(made) in augmented
