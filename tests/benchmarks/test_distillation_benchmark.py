"""The benchmark of distillation asks fairly: a student sees the labels it is said to see, and no others."""

from dataclasses import replace

import numpy as np
import pytest
from planted_material import material as planted

from benchmarks.accuracy.distillation import (
    ALONE,
    BASE,
    BOTH,
    FEW,
    TRUTH,
    measure,
    part_of,
    questions,
    students,
    table,
)
from benchmarks.results import Results


@pytest.fixture(scope="module")
def material():
    return planted(("a.train", "b.all", "c.all", "d.all"), per_class=60)


def test_no_group_is_on_two_sides_and_the_teacher_has_not_learned_from_the_source(material):
    for question in questions(material):
        sides = (question.elsewhere, question.own, question.asked)
        groups = [set(material.groups[side].tolist()) for side in sides]
        assert not groups[0] & groups[1]
        assert not groups[0] & groups[2]
        assert not groups[1] & groups[2]
        assert question.name not in set(material.sources[question.elsewhere].tolist())
        assert set(material.sources[np.concatenate(sides[1:])].tolist()) == {question.name}


def test_the_few_labels_are_as_many_of_each_class(material):
    for question in questions(material):
        for few in question.few:
            n_machine = int(material.y[question.own][few].sum())
            assert n_machine == few.size - n_machine <= FEW
            assert np.unique(few).size == few.size


def test_a_part_keeps_whole_groups_with_what_was_read_of_them(material):
    part = part_of(material, 0.5)
    assert 0 < len(part.texts) < len(material.texts)
    assert len(part.texts) == sum(int(text.group in set(part.groups.tolist())) for text in material.texts)
    first = material.texts.index(part.texts[0])
    expected = material.reading.vectors.take([first]).channels["weak.logprob"]
    assert np.array_equal(part.reading.vectors.take([0]).channels["weak.logprob"], expected)


def test_labels_that_are_not_known_reach_only_the_student_that_is_named_for_them(material):
    (question, *_) = questions(material)
    question = replace(question, few=question.few[:1])
    teacher = np.linspace(0.1, 0.9, question.own.size)
    known = set(question.own[question.few[0]].tolist())
    flipped = replace(
        material,
        texts=tuple(
            replace(text, label=1 - text.label) if i in set(question.own.tolist()) - known else text
            for i, text in enumerate(material.texts)
        ),
    )
    before, after = (students(one, question, teacher, 2) for one in (material, flipped))
    for name in (BASE, BOTH, ALONE):
        assert np.array_equal(before[name], after[name])
    assert not np.array_equal(before[TRUTH], after[TRUTH])


def test_the_benchmark_runs_and_gains_are_over_the_base(material, tmp_path):
    lines = []
    found = next(measure(material, 2, {}, Results(tmp_path, "x"), lambda line, **_: lines.append(line)))
    ((name, result),) = found.items()
    assert result["students"][BASE]["auroc_gain"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    for figures in result["students"].values():
        assert 0 <= figures["auroc"]["value"] <= 1
    both = result["students"][BOTH]
    assert both["auroc_gain"]["value"] == pytest.approx(
        both["auroc"]["value"] - result["students"][BASE]["auroc"]["value"]
    )
    assert f"| {name} | {result['n_own']} |" in table(found)
    assert f"{both['auroc_gain']['value']:+.3f} [" in table(found)
    assert len(lines) == 1
    assert next(measure(material, 2, {name: {} for name in "abcd"}, Results()), None) is None
