import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, logit
from scipy.stats import rankdata

from ghostbuster.cli import main
from ghostbuster.detector.ensemble import METHODS, combine
from ghostbuster.errors import InputError, SettingError

A = pd.Series([0.9, 0.1, 0.5, 0.5], index=list("abcd"))
B = pd.Series([0.2, 0.4, 0.1, 0.3], index=list("dacb"))
"""As A's rows: a 0.4, b 0.3, c 0.1, d 0.2."""

probabilities = st.lists(st.floats(0, 1), min_size=2, max_size=12)


def test_a_mean_rank_gives_ties_the_lowest_of_their_ranks():
    # A: b 1, c 2, d 2, a 4 of 4; B: c 1, d 2, b 3, a 4 of 4
    made = combine([A, B])
    assert made.to_dict() == {"a": 8 / 8, "b": 4 / 8, "c": 3 / 8, "d": 4 / 8}
    assert made.index.tolist() == list("abcd")
    assert made.name == "rank"


def test_weights_count_by_their_ratio_alone():
    made = combine([A, B], "mean", [0.8, 0.2])
    assert made.to_dict() == pytest.approx({"a": 0.8, "b": 0.14, "c": 0.42, "d": 0.44})
    pd.testing.assert_series_equal(combine([A, B], "mean", [8, 2]), made)
    # of ranks: a (0.8 * 4 + 0.2 * 4) / 4, b (0.8 * 1 + 0.2 * 3) / 4, ...
    ranked = combine([A, B], "rank", [0.8, 0.2])
    assert ranked.to_dict() == pytest.approx({"a": 1.0, "b": 0.35, "c": 0.45, "d": 0.5})


def test_a_mean_of_log_odds_is_that_of_scipy():
    made = combine([A, B], "logit", [3, 1])
    expected = expit((3 * logit(A.to_numpy()) + logit(B.reindex(A.index).to_numpy())) / 4)
    np.testing.assert_allclose(made.to_numpy(), expected, rtol=1e-12)
    # 0.5 and 0.9 alike: odds 1 and 9, whose geometric mean is 3, so 3 / 4
    assert combine([pd.Series([0.5]), pd.Series([0.9])], "logit")[0] == pytest.approx(0.75)


def test_log_odds_of_certainty_stay_finite():
    certain = combine([pd.Series([1.0, 0.0]), pd.Series([1.0, 1.0])], "logit")
    assert certain[0] == pytest.approx(1 - 1e-6)
    assert certain[1] == pytest.approx(0.5)


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(0, 1)), min_size=1, max_size=30))
def test_mean_ranks_are_those_of_scipy(rows):
    first, second = (pd.Series(column) for column in zip(*rows, strict=True))
    expected = (rankdata(first, "min") + rankdata(second, "min")) / 2 / len(rows)
    np.testing.assert_allclose(combine([first, second]).to_numpy(), expected)


@given(probabilities, st.randoms(use_true_random=False))
def test_the_order_of_rows_and_of_detectors_does_not_matter(values, random):
    first = pd.Series(values)
    second = pd.Series(values[::-1])
    shuffled = list(range(len(values)))
    random.shuffle(shuffled)
    for method in METHODS:
        made = combine([first, second], method)
        other = combine([second.loc[shuffled], first.loc[shuffled]], method)
        pd.testing.assert_series_equal(made, other.reindex(made.index))


@given(probabilities)
def test_a_detector_combined_with_itself_keeps_its_order_and_its_probabilities(values):
    once = pd.Series(values)
    for method in METHODS:
        made = combine([once, once], method)
        assert made.between(0, 1).all()
        assert (made.iloc[np.argsort(values, kind="stable")].diff().dropna() >= 0).all()
    pd.testing.assert_series_equal(combine([once, once], "mean"), once, check_names=False)


def test_blanks_are_refused_or_left_out_of_their_texts_mean():
    first = pd.Series([0.2, math.nan, math.nan], index=list("abc"))
    second = pd.Series([0.4, 0.8, math.nan], index=list("abc"))
    with pytest.raises(InputError, match=r"left holds nothing for id 'b'; expected a number"):
        combine({"left": first, "right": second}, "mean")
    made = combine([first, second], "mean", skip_blank=True)
    assert made[["a", "b"]].tolist() == pytest.approx([0.3, 0.8])
    assert math.isnan(made["c"])
    # ranks are out of the texts that a detector speaks of: 1 of 1; 1 and 2 of 2
    assert combine([first, second], skip_blank=True)[["a", "b"]].tolist() == [0.75, 1.0]


def test_a_weight_of_0_leaves_a_detector_out():
    assert combine([A, B], "mean", [1, 0]).tolist() == A.tolist()


@pytest.mark.parametrize(
    ("predictions", "message"),
    [
        ([A], r"got 1 set of predictions; expected two or more"),
        ({"x": A, "y": B.drop("c")}, r"y lacks id 'c', which x has"),
        ({"x": A.drop(["a", "b"]), "y": B}, r"x lacks id 'a', 'b', which y has"),
        ({"x": A, "y": pd.concat([B, B[:1]])}, r"y has id 'd' more than once"),
        ([A, B.replace(0.1, math.inf)], r"prediction 2 holds an infinite number for id 'c'"),
        (
            {"x": pd.Series(range(9)), "y": pd.Series(range(1))},
            r"y lacks id 1, 2, 3, 4, 5 and 3 more, which x has",
        ),
    ],
)
def test_predictions_that_do_not_match_are_named(predictions, message):
    with pytest.raises(InputError, match=message):
        combine(predictions)


@pytest.mark.parametrize("method", ["mean", "logit"])
def test_what_is_no_probability_can_be_ranked_only(method):
    with pytest.raises(InputError, match=r"right holds no probability for id 'a'; expected 0 to 1"):
        combine({"left": A, "right": B + 0.7}, method)
    assert combine([A, B + 0.7]).tolist() == combine([A, B]).tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"method": "median"}, r"no method is called 'median'"),
        ({"weights": [1]}, r"got 1 weights; expected 2"),
        ({"weights": [1, -1]}, r"expected numbers of 0 or more"),
        ({"weights": [0, 0]}, r"not all 0"),
        ({"weights": [math.nan, 1]}, r"expected numbers of 0 or more"),
    ],
)
def test_settings_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(SettingError, match=message):
        combine([A, B], **arguments)


# the command


@pytest.fixture
def tables(tmp_path):
    """A's predictions as CSV with further columns, B's as Parquet with numbers for ids."""
    first, second = tmp_path / "a.csv", tmp_path / "b.parquet"
    first.write_text("id,label,probability\n7,human,0.9\n8,human,0.1\n")
    pd.DataFrame({"id": [8, 7], "generated": [0.3, 0.5]}).to_parquet(first.with_name("b.parquet"))
    return first, second


def test_tables_of_different_kinds_are_matched_by_id(tables, tmp_path):
    out = tmp_path / "out.csv"
    command = ["ensemble", *map(str, tables), "-o", str(out), "--method", "mean", "--weights", "0.75,0.25"]
    assert main(command) == 0
    made = pd.read_csv(out, dtype={"id": str})
    assert made.columns.tolist() == ["id", "probability"]
    assert made["id"].tolist() == ["7", "8"]
    assert made["probability"].tolist() == pytest.approx([0.8, 0.15])


def test_ranks_are_not_called_probabilities_unless_told_so(tables, tmp_path):
    out = tmp_path / "out.jsonl"
    assert main(["ensemble", *map(str, tables), "-o", str(out)]) == 0
    assert [json.loads(line) for line in out.read_text().splitlines()] == [
        {"id": "7", "rank": 1.0},
        {"id": "8", "rank": 0.5},
    ]
    submission = tmp_path / "submission.csv"
    command = ["ensemble", *map(str, reversed(tables)), "-o", str(submission)]
    assert main([*command, "--output-column", "generated"]) == 0
    assert submission.read_text() == "id,generated\n8,0.5\n7,1.0\n"


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        ("id,probability\n7,0.5\n", [], "b.csv lacks id '8', which"),
        ("id,probability\n7,0.5\n8,high\n", [], "row 2 of"),
        ("id,probability\n7,0.5\n,0.5\n", [], "column 'id' is blank"),
        ("id,score\n7,0.5\n8,0.5\n", [], "has no column 'probability' or 'generated'"),
        ("id,score\n7,0.5\n8,0.5\n", ["--column", "socre"], "has no column 'socre'"),
        ("key,probability\n7,0.5\n8,0.5\n", [], "no column of"),
        ("id,probability\n7,0.5\n8,\n", [], "holds nothing for id '8'"),
        ("id,probability\n7,0.5\n8,0.5\n", ["--weights", "1;2"], "expected numbers between commas"),
        ("id,probability\n7,0.5\n8,0.5\n", ["--output-column", "id"], "give another --output-column"),
    ],
)
def test_a_table_that_does_not_fit_is_one_line_and_nothing_is_written(
    tables, tmp_path, capsys, content, arguments, message
):
    other, out = tmp_path / "b.csv", tmp_path / "out.csv"
    other.write_text(content)
    assert main(["ensemble", str(tables[0]), str(other), "-o", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert message in error
    assert not out.exists()


def test_the_same_table_twice_is_a_mistake(tables, tmp_path, capsys):
    assert main(["ensemble", str(tables[0]), str(tables[0]), "-o", str(tmp_path / "o.csv")]) == 2
    assert "given twice" in capsys.readouterr().err
