"""The benchmark of distillation asks fairly: nobody sees a label of the source that is asked about."""

from dataclasses import replace

import numpy as np
import pytest
from test_accuracy_benchmark import material as planted

from benchmarks.distillation import BASE, lessons, measure, part_of, questions
from benchmarks.results import Results

COMPARISON = "(for comparison: and the true labels of those texts)"


@pytest.fixture(scope="module")
def material():
    return planted(("a.train", "b.all", "c.all", "d.all"), per_class=20)


def test_no_group_is_on_two_sides_and_the_asked_source_is_not_labelled(material):
    for question in questions(material):
        sides = (question.labelled, question.unlabelled, question.asked)
        groups = [set(material.groups[side].tolist()) for side in sides]
        assert not groups[0] & groups[1]
        assert not groups[0] & groups[2]
        assert not groups[1] & groups[2]
        assert question.name not in set(material.sources[question.labelled].tolist())
        assert set(material.sources[np.concatenate(sides[1:])].tolist()) == {question.name}


def test_a_part_keeps_whole_groups_with_what_was_read_of_them(material):
    part = part_of(material, 0.5)
    assert 0 < len(part.texts) < len(material.texts)
    assert len(part.texts) == sum(int(text.group in set(part.groups.tolist())) for text in material.texts)
    first = material.texts.index(part.texts[0])
    expected = material.reading.vectors.take([first]).channels["weak.logprob"]
    assert np.array_equal(part.reading.vectors.take([0]).channels["weak.logprob"], expected)


def test_true_labels_of_the_source_reach_only_the_student_that_is_named_for_it(material):
    (question, *_) = questions(material)
    teacher = (
        np.full(question.unlabelled.size + question.asked.size, 0.7),
        np.full(question.labelled.size, 0.4),
    )
    flipped = replace(
        material,
        texts=tuple(
            replace(text, label=1 - text.label) if i in set(question.unlabelled.tolist()) else text
            for i, text in enumerate(material.texts)
        ),
    )
    before, after = (lessons(one, question, teacher) for one in (material, flipped))
    for name in before:
        assert np.array_equal(before[name].rows, after[name].rows)
        assert np.array_equal(before[name].target, after[name].target) is (name != COMPARISON)


def test_the_benchmark_runs_and_gains_are_over_the_base(material, tmp_path):
    lines = []
    found = next(measure(material, 2, {}, Results(tmp_path, "x"), lambda line, **_: lines.append(line)))
    (result,) = found.values()
    assert result["students"][BASE]["auroc_gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    for figures in result["students"].values():
        assert 0.5 < figures["auroc"]["value"] <= 1
    assert len(lines) == 1
    assert next(measure(material, 2, {name: {} for name in "abcd"}, Results()), None) is None
