"""The table of attacks: counted by hand, and a hand-written part that survives a new run."""

import pytest

pytest.importorskip("codespell_lib", reason="the attacks' spellings come from codespell")

from benchmarks.robustness.robustness_report import READING, change, figures, report, summary


def row(truth, label, *, touched=True, restored=False, noted=False):
    seen = {"touched": touched, "restored": restored, "noted": noted}
    return {"source": "essays", "truth": truth, "label": label, **seen}


BEFORE = [row(0, "machine"), *[row(0, "not machine")] * 3, *[row(1, "machine")] * 4]
AFTER = [
    *[row(0, "not machine", restored=True)] * 4,
    row(1, "machine", restored=True, noted=True),
    *[row(1, "refused")] * 2,
    row(1, "machine", touched=False),
]
TOLD = summary(
    {
        "per_class": 4,
        "min_words": 100,
        "attacks": {"none": BEFORE, "homoglyph": AFTER},
        "others": {"machines: paraphrase_dipper_llm": [{"truth": 1, "label": "machine"}]},
    }
)


def test_shares_changes_and_refusals_are_those_counted_by_hand():
    found = figures(AFTER, BEFORE)
    assert (found["people"]["value"], found["machines"]["value"]) == (0.0, 0.5)
    assert (found["people refused"], found["machines refused"]) == (0.0, 0.5)
    assert (found["people change"]["value"], found["machines change"]["value"]) == (-0.25, -0.5)


def test_what_was_undone_or_named_counts_texts_that_the_attack_touched():
    found = figures(AFTER, BEFORE)
    assert (found["restored"], found["noted"]) == (5 / 7, 1 / 7)


def test_the_interval_of_a_change_is_paired():
    # one and the same text lost: shares of 100 % and 99 % apart would be far less certain
    before, after = ["machine"] * 100, ["not machine"] + ["machine"] * 99
    moved = change(before, after)
    assert moved["value"] == -0.01
    assert -0.04 <= moved["low"] < moved["value"] < moved["high"] == 0.0
    assert change(before, before) == {"value": 0.0, "low": 0.0, "high": 0.0}


def test_the_document_has_a_row_for_each_attack_and_keeps_what_a_person_wrote():
    earlier = f"old table\n{READING}\n\nWhite space is not undone.\n"
    made = report(TOLD, earlier)
    assert "| homoglyph | 100% | 71% | 14% | 50.0% [" in made
    assert "| machines | paraphrase (DIPPER) | 1 | 100.0% [" in made
    assert made.endswith(f"{READING}\n\nWhite space is not undone.\n")
    assert "old table" not in made
    assert report(TOLD).endswith(f"{READING}\n")
