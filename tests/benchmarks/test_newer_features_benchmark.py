import numpy as np
import pytest
from planted_material import material

from benchmarks.accuracy.newer_features import ALL, BASE, FOLDED, Study, _of_both_classes, measured
from benchmarks.accuracy.newer_features_page import page
from benchmarks.accuracy.protocols import leave_one_source_out
from benchmarks.results import Results
from ghostbuster.features.expression import Feature
from ghostbuster.features.families import FAMILIES
from training.data.material import Columns

DEFAULT = [Feature.parse(f"strong.logprob s-{name}") for name in ("avg", "std", "p50")]
NEWER = [Feature.parse("strong.logprob s-diff-std"), Feature.parse("strong.logprob s-drift")]


@pytest.fixture(scope="module")
def study():
    """Columns of noise, but for one of the family `dynamics`, which knows the class."""
    made = material()
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(len(made.texts), 5)).astype(np.float32)
    matrix[:, 0] += made.y * 0.5
    matrix[:, 3] += made.y * 8
    return Study(made, Columns((*DEFAULT, *NEWER), matrix), 3, Results(None), ("dynamics", "look-back"))


@pytest.fixture(scope="module")
def scores(study):
    return {split.name: study.scores(split) for split in leave_one_source_out(study.material.texts)}


def test_every_column_belongs_to_its_family_or_to_the_default_space(study):
    assert study.family.tolist() == [BASE, BASE, BASE, "dynamics", "weights"]


def test_the_family_that_knows_the_class_earns_and_none_is_asked_that_has_no_column(study, scores):
    rows = measured(study, scores)
    assert list(rows) == [BASE, "dynamics", FOLDED, ALL]
    assert rows["dynamics"]["auroc"]["value"] == 1.0
    assert rows[BASE]["auroc_gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert rows["dynamics"]["auroc_gain"]["low"] > 0
    assert rows["dynamics"]["newer_chosen"] >= 1
    assert rows["dynamics"]["better_on"] == len(scores)
    for source, (auroc, _) in rows[BASE]["by_source"].items():
        assert auroc + 1e-9 < rows[ALL]["by_source"][source][0]


def test_the_page_has_a_row_for_each_variant_and_the_source_of_each_family(study, scores):
    figures = {"texts": 9, "max_features": 3, "candidates": {BASE: 3, "dynamics": 1, "weights": 1}}
    text = page({"standard": figures | {"variants": measured(study, scores)}})
    assert "| dynamics | 1 | " in text
    assert f"| {ALL} | 5 | " in text
    assert all(f"| {name} | {family.paper} |" in text for name, family in FAMILIES.items())


def test_texts_of_sources_of_one_class_and_crops_are_left_out(study):
    texts = list(study.material.texts)
    one_class = [text for text in texts if text.source != texts[0].source or text.label == 0]
    kept = [one_class[i] for i in _of_both_classes(one_class)]
    assert {text.source for text in kept} == {text.source for text in texts} - {texts[0].source}
    assert not any(text.is_crop for text in kept)
