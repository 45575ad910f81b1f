"""The parts of the benchmarks of what is no prose, and of joined words and cut ends."""

import lzma

from benchmarks.robustness.mended import cut_words, without
from benchmarks.robustness.not_prose import Table, learned, oriented
from benchmarks.robustness.not_prose_left_out import PASSAGE, passages, with_table
from ghostbuster.text import hyphenation, oddness, prepare, prose
from ghostbuster.text.surface import NAMES, look

SENTENCE = "The harbour was quiet that morning, and nobody had asked for more than an hour of it. "
CODE = "for (int i = 0; i < n_items; i++) { total += items[i].price * rates[i]; }\n"


def test_passages_are_whole_paragraphs_of_one_document(tmp_path):
    paragraph = (SENTENCE * 10).strip()
    with lzma.open(tmp_path / "a.txt.xz", "wt", encoding="utf-8") as handle:
        handle.write(f"{paragraph}\n\n{paragraph}\n\n{paragraph}\n\n\f\nToo short.\n\n\f\n")
    first, rest = passages(tmp_path / "a.txt.xz")
    assert first == "\n\n".join([paragraph] * 2)
    assert rest == paragraph
    assert len(first.split()) >= PASSAGE > len(rest.split())


def test_a_table_is_learned_that_parts_code_from_prose():
    usual = oriented([look(SENTENCE * n) for n in range(4, 40)])
    strange = oriented([look(CODE * n) for n in range(4, 40)])
    made = learned(usual, strange, [1 / 36] * 36)
    assert set(made.segments) <= set(NAMES)
    assert all(slope > 0 for row in made.segments.values() for _, _, slope in row)
    with with_table(made):
        assert oddness.oddness(look(CODE * 20)) > prose.LEAST_ODD > oddness.oddness(look(SENTENCE * 19))
        assert made.least_odd == prose.LEAST_ODD
    assert (oddness.BASE, prose.LEAST_ODD) == (-12.09, 2.4)


def test_another_table_holds_only_inside_its_block():
    with with_table(Table(5.0, {}, 1.0)):
        assert prose.assess(SENTENCE * 5).unlike
    assert not prose.assess(SENTENCE * 5).unlike


def test_preparation_without_a_step_leaves_what_that_undoes():
    text = f"{SENTENCE}We shall under-\nstand it later.\n{SENTENCE}And then the"
    assert "understand" in prepare.prepare(text).text
    with without(hyphenation.join_hyphenated):
        assert "under- stand" in prepare.prepare(text).text
    assert "understand" in prepare.prepare(text).text
    assert cut_words(text) == 3
    assert cut_words(SENTENCE * 3) == 0
