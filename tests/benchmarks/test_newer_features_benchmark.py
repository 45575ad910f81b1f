import numpy as np
import pytest
from planted_material import material

from benchmarks.accuracy import panel_features
from benchmarks.accuracy.newer_features import ALL, BASE, FOLDED, Study, _of_both_classes, measured
from benchmarks.accuracy.newer_features_page import PANEL_FEATURES, page
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


@pytest.fixture(scope="module")
def panels(study):
    """Scores of two panels: one knows the class, the other guesses."""
    noise = np.random.default_rng(1).normal(size=len(study.material.texts))

    def scores(knows):
        return {
            split.name: {
                name: {
                    "raw": study.material.y[split.test] * knows + noise[split.test],
                    "chosen": np.arange(3),
                }
                for name in (BASE, ALL)
            }
            for split in leave_one_source_out(study.material.texts)
        }

    return {"standard": scores(9.0), "lite": scores(0.0)}


def test_the_gain_of_a_panel_is_the_difference_of_the_means_source_by_source(study, panels):
    rows = panel_features.measured(study.material, panels)
    for row in rows.values():
        standard, lite = row["panels"]["standard"], row["panels"]["lite"]
        assert standard["auroc"]["value"] == 1.0
        differences = [standard["by_source"][s][0] - lite["by_source"][s][0] for s in standard["by_source"]]
        assert row["gain"]["auroc"]["value"] == pytest.approx(np.mean(differences))
        assert row["better_on"] == len(differences)
        assert min(differences) <= row["gain"]["auroc"]["low"] <= row["gain"]["auroc"]["high"] <= 1


def test_each_space_is_searched_for_each_source_with_as_many_features(study):
    scores = panel_features.scored(study)
    assert list(scores) == [split.name for split in leave_one_source_out(study.material.texts)]
    for made in scores.values():
        assert set(made[BASE]["chosen"].tolist()) <= {0, 1, 2}
        assert 3 in made[ALL]["chosen"]  # the one that knows the class
        assert made[ALL]["chosen"].size <= study.max_features


def test_texts_of_other_lots_are_left_out(study):
    texts = study.material.texts
    first, other = sorted({text.file for text in texts})[:2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panel_features, "FIRST_LOT", frozenset({first}))
        kept = panel_features.of_first_lot(study.material)
    assert {text.file for text in kept.texts} == {first}
    assert len(kept.texts) == sum(text.file == first for text in texts) < len(texts)
    assert other != first


def test_the_page_compares_the_panels_above_the_tables_of_each(study, scores, panels):
    of_panel = {"texts": 9, "max_features": 3, "candidates": {BASE: 3, "dynamics": 1, "weights": 1}}
    compared = {
        "texts": 9,
        "max_features": 3,
        "candidates": {panel: {BASE: 3, ALL: 5} for panel in panels},
        "spaces": panel_features.measured(study.material, panels),
    }
    figures = {"standard": of_panel | {"variants": measured(study, scores)}, PANEL_FEATURES: compared}
    text = page(figures)
    n = len(leave_one_source_out(study.material.texts))
    assert f"| {ALL} | `standard` | 5 | 3 | 1.000 [1.000, 1.000] | " in text
    assert f"| {BASE} | **difference** | better on {n} of {n} | | +0." in text
    assert text.index("SmolLM2's features against") < text.index("## Panel `standard`")
    assert text.count("## Panel") == 1
