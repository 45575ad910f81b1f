"""What canonicalisation undoes of attacks: the counts in its table, of texts made up for it."""

import pytest
from prose import row, write

pytest.importorskip("codespell_lib", reason="the attacks' spellings come from codespell")

from benchmarks.robustness.undone import report, row_of, texts_of

TEXT = "The committee met at noon, and all of its members saw the results. " * 10


def test_the_counts_are_of_texts_that_an_attack_touched():
    assert row_of("zero width", [TEXT, "", TEXT + "Then they left."]) == [
        "zero width",
        "100%",
        "2",
        "2",
        "2",
        "0",
    ]
    assert row_of("number", [TEXT]) == ["number", "50%", "0", "0", "0", "0"]
    assert row_of("white space", [TEXT]) == ["white space", "20%", "1", "0", "1", "1"]


def test_only_long_texts_are_drawn_and_the_same_ones_each_time(tmp_path):
    texts = [TEXT, "Too short.", TEXT + "More.", TEXT + "Most."]
    write(tmp_path, "made.all", [row(str(i), text, i % 2) for i, text in enumerate(texts)])
    drawn = texts_of(tmp_path, 2)
    assert len(drawn) == 2
    assert "Too short." not in drawn
    assert drawn == texts_of(tmp_path, 2)


def test_the_section_says_how_many_texts_it_counts(monkeypatch):
    monkeypatch.setattr("benchmarks.robustness.undone.ATTACKS", {})
    made = report([TEXT, TEXT], 1)
    assert "2 labelled texts of 100 words or more, up to 1 of each" in made
    assert "| none |  | 2 |  |  | 0 |" in made
