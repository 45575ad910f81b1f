import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ghostbuster.errors import ArtifactError
from ghostbuster.heads.lightgbm import LightGBMHead
from ghostbuster.heads.lightgbm_text import MAX_DEPTH, Trees


@pytest.fixture(scope="module")
def data():
    X = np.random.default_rng(0).normal(size=(300, 5))
    return X, (X[:, 0] + X[:, 1] * X[:, 2] > 0) * 0.8 + 0.1


@pytest.fixture(scope="module")
def head(data):
    return LightGBMHead(max_trees=4).fit(*data)


def test_the_text_written_anew_predicts_and_explains_to_the_last_bit(head, data):
    import lightgbm

    X, _ = data
    own = lightgbm.Booster(model_str=head.trees_)
    anew = lightgbm.Booster(model_str=str(Trees.parse(head.trees_)))
    assert np.array_equal(own.predict(X, raw_score=True), anew.predict(X, raw_score=True))
    assert np.array_equal(own.predict(X, pred_contrib=True), anew.predict(X, pred_contrib=True))
    assert str(Trees.parse(str(Trees.parse(head.trees_)))) == str(Trees.parse(head.trees_))


def test_parameters_never_reach_lightgbm(head):
    assert "machines" in head.trees_
    assert "machines" not in str(Trees.parse(head.trees_))


def test_a_single_leaf_is_a_tree(data):
    X, y = data
    head = LightGBMHead(max_trees=2).fit(np.zeros((300, 2)), y)
    assert np.ptp(head.raw_score(X[:, :2])) == 0


def line(name, value, nth=0):
    """A change: the n-th line of that name holds another value."""

    def change(text):
        found = list(re.finditer(rf"(?m)^{name}=.*$", text))[nth]
        return text[: found.start()] + (f"{name}={value}" if value is not None else "") + text[found.end() :]

    return change


def first(name, value):
    """A change: the first number of that line is another."""
    return lambda text: re.sub(rf"(?m)^({name}=)\S+", rf"\g<1>{value}", text, count=1)


DAMAGE = {
    "no text": (lambda _: "", "no end"),
    "cut": (lambda text: text[:3000], "no end"),
    "version": (line("version", "v5"), "the format 'v5' where 'v4' is known"),
    "classes": (line("num_class", "3"), "num_class='3' where 1 was due"),
    "features": (line("max_feature_idx", "7"), "no range of each of 8 features"),
    "many features": (line("max_feature_idx", "2000000000"), "max_feature_idx outside 0 to"),
    "ranges": (first("feature_infos", "1:2:3"), "no range of each"),
    "no trees": (lambda text: text[: text.index("Tree=0")] + "\nend of trees\n", "0 trees"),
    "leaves": (line("num_leaves", "2000000000"), "num_leaves outside 1 to 4096"),
    "other leaves": (line("num_leaves", "14"), "14 of split_feature where 13 were due"),
    "categories": (line("num_cat", "1"), "num_cat='1' where 0 was due"),
    "linear": (line("is_linear", "1"), "is_linear='1' where 0 was due"),
    "feature": (first("split_feature", "5"), "split_feature outside 0 to 4"),
    "feature below": (first("split_feature", "-1"), "split_feature outside 0 to 4"),
    "decision": (first("decision_type", "1"), "a split that is not by a number"),
    "child beyond": (first("left_child", "99"), "left_child outside -15 to 13"),
    "leaf beyond": (first("right_child", "-16"), "right_child outside -15 to 13"),
    "child of itself": (first("left_child", "0"), "a child that hangs in two places"),
    "child twice": (first("left_child", "4"), "hangs in two places|hangs nowhere"),
    "no count": (first("internal_count", "0"), "internal_count outside 1 to"),
    "no leaf count": (first("leaf_count", "0"), "leaf_count outside 1 to"),
    "threshold": (first("threshold", "nan"), "threshold 'nan'"),
    "infinite": (first("threshold", "1e999"), "threshold '1e999'"),
    "leaf value": (first("leaf_value", "1e99"), "leaf_value '1e99'"),
    "words": (first("leaf_value", "hello"), "leaf_value 'hello'"),
    "a fraction": (first("leaf_count", "1.5"), "leaf_count that are no whole numbers"),
    "a line twice": (
        lambda text: text.replace("num_cat=0\n", "num_cat=0\nnum_cat=0\n", 1),
        "'num_cat' twice",
    ),
    "a line gone": (line("threshold", None), "0 of threshold where 14 were due"),
    "other digits": (first("leaf_count", "\N{ARABIC-INDIC DIGIT SEVEN}"), "no whole numbers|leaf_count"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_number_out_of_place_is_refused(head, name):
    change, message = DAMAGE[name]
    text = change(head.trees_)
    assert text != head.trees_
    with pytest.raises(ArtifactError, match=message):
        LightGBMHead.from_state(head.state() | {"trees": text})


def test_a_tree_too_deep_is_refused(head):
    n = MAX_DEPTH + 2
    lines = {
        "num_leaves": [n + 1],
        "split_feature": [0] * n,
        "threshold": [0] * n,
        "decision_type": [2] * n,
        "left_child": [*range(1, n), -1],
        "right_child": [-i - 2 for i in range(n)],
        "internal_count": [1] * n,
        "leaf_value": [0] * (n + 1),
        "leaf_count": [1] * (n + 1),
    }
    tree = "\n".join(f"{name}={' '.join(map(str, values))}" for name, values in lines.items())
    before, _, after = head.trees_.partition("Tree=0\n")
    text = before + "Tree=0\n" + tree + "\n\n\n" + after[after.index("Tree=1") :]
    with pytest.raises(ArtifactError, match="hangs nowhere, or too deep"):
        Trees.parse(text)


def test_trees_that_are_no_text_are_refused(head):
    with pytest.raises(ArtifactError, match="trees are int, not text"):
        LightGBMHead.from_state(head.state() | {"trees": 7})


def test_random_damage_ends_no_process(head, tmp_path):
    (tmp_path / "trees.txt").write_text(head.trees_)
    code = """
import random, sys
import numpy as np
from benchmarks.fuzz.fuzz_artifact import odd_trees_text
from ghostbuster.errors import ArtifactError
from ghostbuster.heads.lightgbm import LightGBMHead
sound = open(sys.argv[1]).read()
X = np.random.default_rng(0).normal(size=(20, 5))
state = {"n_trees": 4, "n_features": 5, "constraints": [0] * 5}
tally = [0, 0]
for seed in range(150):
    try:
        head = LightGBMHead.from_state(state | {"trees": odd_trees_text(sound, random.Random(seed))})
    except ArtifactError:
        tally[0] += 1
        continue
    assert np.isfinite(head.raw_score(X)).all() and np.isfinite(head.contributions(X)).all()
    tally[1] += 1
print(tally[0] > 20 and tally[1] > 3)
"""
    command = [sys.executable, "-c", code, tmp_path / "trees.txt"]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr[-2000:]


def test_a_leaf_that_hangs_nowhere_is_refused(head):
    text = re.sub(r"(?m)^(right_child=.*) -(\d+)$", r"\1 -1", head.trees_, count=1)
    with pytest.raises(ArtifactError, match=r"hangs in two places|a leaf that hangs nowhere"):
        Trees.parse(text)


def test_trees_longer_than_any_are_refused_before_they_are_read(head, monkeypatch):
    monkeypatch.setattr("ghostbuster.heads.lightgbm_text.MAX_CHARACTERS", 100)
    with pytest.raises(ArtifactError, match=rf"{len(head.trees_)} characters, more than 100"):
        Trees.parse(head.trees_)
