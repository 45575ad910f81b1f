import json
import lzma
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prose import row, write

from benchmarks.accuracy.protocols import in_domain, leave_one_source_out
from ghostbuster.errors import InputError
from training.data.crops import FEWEST_WORDS, crop, random_crops
from training.data.dataset import (
    PROBES,
    STRESS,
    Plan,
    deduplicate,
    digest,
    drawing_order,
    group,
    load,
    match_lengths,
    sample,
)
from training.data.grouping import PASSAGE, components, shingles
from training.data.labelled import LabelledText, by_file, read_file
from training.data.lengths import cut_to, matched_targets, sentence_ends

REAL = Path(__file__).parents[2] / ".." / "shared" / "data"


def labelled(key, text, label=0, file="a.train", links=(), group=-1, **more):
    known = {"source": file.split(".")[0], "domain": "essay", "generator": "x", "attack": "none", **more}
    return LabelledText(
        key=key, text=text, raw=text, label=label, file=file, links=links, group=group, **known
    )


def words(n, seed=0):
    rng = random.Random(seed)
    return " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(n))


def prose(n_sentences, words_each, seed=0):
    return " ".join(f"{words(words_each, f'{seed}/{i}').capitalize()}." for i in range(n_sentences))


rows_of_sources = st.lists(
    st.tuples(st.sampled_from(["a.train", "a.dev", "b.all", "c.all"]), st.integers(0, 1), st.integers(0, 12)),
    min_size=40,
    max_size=80,
).filter(
    lambda rows: (
        len({file.split(".")[0] for file, _, _ in rows}) > 1
        and all(
            len({g for f, y, g in rows if f == file and y == label}) >= 5
            for file in {f for f, _, _ in rows}
            for label in (0, 1)
        )
    )
)


def test_cutting_keeps_whole_sentences_nearest_to_the_wanted_length():
    text = "One two three. Four five six! Seven eight nine ten? Eleven."
    assert cut_to(text, 6) == "One two three. Four five six!"
    assert cut_to(text, 7) == "One two three. Four five six!"
    assert cut_to(text, 1) == "One two three."
    assert cut_to(text, 100) == text


def test_a_quotation_mark_after_the_full_stop_stays_with_its_sentence():
    assert [*sentence_ends('He said "no." Then left')] == [13, 23]


def test_length_targets_are_the_shorter_of_both_classes_at_each_quantile():
    lengths = np.array([10, 20, 30, 40, 5, 25, 35, 100])
    labels = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    assert matched_targets(lengths, labels, 90).tolist() == [5, 20, 30, 40, 5, 20, 30, 40]


def test_texts_of_one_class_are_only_capped():
    assert matched_targets(np.array([3, 50]), np.array([0, 0]), 10).tolist() == [3, 10]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 500), min_size=1, max_size=60),
    st.lists(st.integers(1, 500), min_size=1, max_size=60),
    st.integers(5, 400),
)
def test_targets_never_lengthen_a_text_and_leave_both_classes_alike(human, machine, cap):
    lengths = np.array(human + machine)
    labels = np.repeat([0, 1], [len(human), len(machine)])
    targets = matched_targets(lengths, labels, cap)
    assert np.all(targets <= np.minimum(lengths, cap))
    assert np.all(targets >= 1)
    if len(human) == len(machine):
        assert sorted(targets[labels == 0]) == sorted(targets[labels == 1])


def test_matched_files_have_the_same_median_length_in_both_classes():
    rows = [labelled(f"h{i}", prose(10 + i % 30, 5, i), 0) for i in range(60)]
    rows += [labelled(f"m{i}", prose(3 + i % 20, 5, 1000 + i), 1) for i in range(60)]
    cut = match_lengths(rows, 400)
    lengths = np.array([[len(t.text.split()) for t in cut if t.label == label] for label in (0, 1)])
    assert np.abs(np.median(lengths[0]) - np.median(lengths[1])) <= 5
    assert all(short.text == long.text[: len(short.text)] for short, long in zip(cut, rows, strict=True))


def test_equal_texts_are_kept_once_and_those_with_both_labels_not_at_all():
    rows = [
        labelled("1", "The same words."),
        labelled("2", "the  SAME words", file="b.all"),
        labelled("3", "Whose is this?", 0),
        labelled("4", "Whose is this", 1),
        labelled("5", "Another."),
    ]
    assert [text.key for text in deduplicate(rows)] == ["1", "5"]


def test_components_join_whatever_shares_a_set():
    assert components(6, [[0, 1], [3, 4], [1, 3]]).tolist() == [0, 0, 2, 0, 0, 5]


def test_a_shared_passage_is_found_whatever_its_case_and_marks():
    passage = words(PASSAGE)
    texts = [f"one two {passage} three", passage.title().replace(" ", ", "), words(50, seed=1)]
    assert {tuple(found) for found in shingles(texts)} == {(0, 1)}


def test_one_word_less_than_a_passage_is_no_kinship():
    assert shingles([words(PASSAGE - 1) + " x", words(PASSAGE - 1) + " y"]) == []


def test_texts_are_grouped_by_link_and_by_passage_across_files():
    passage = words(PASSAGE + 4, seed=3)
    rows = [
        labelled("1", words(20, 10), links=("a:pair:7",)),
        labelled("2", f"{words(5, 11)} {passage}", links=("a:pair:7",), label=1),
        labelled("3", passage, file="b.all"),
        labelled("4", words(20, 12), file="b.all", links=("b:pair:7",)),
    ]
    assert [text.group for text in group(rows)] == [0, 0, 0, 3]


@settings(max_examples=30, deadline=None)
@given(rows_of_sources)
def test_no_group_stands_on_both_sides_of_any_split(rows):
    texts = [labelled(str(i), f"t {i}", y, file, group=g) for i, (file, y, g) in enumerate(rows)]
    splits = leave_one_source_out(texts)
    for file in by_file(texts):
        splits += in_domain(texts, file, n_folds=2)
    for split in splits:
        assert not {texts[i].group for i in split.train} & {texts[i].group for i in split.test}


@settings(max_examples=30, deadline=None)
@given(rows_of_sources)
def test_leaving_a_source_out_asks_about_all_of_it_and_learns_from_none_of_it(rows):
    texts = [labelled(str(i), f"t {i}", y, file, group=100 * i + g) for i, (file, y, g) in enumerate(rows)]
    for split in leave_one_source_out(texts):
        assert {texts[i].key for i in split.test} == {t.key for t in texts if t.source == split.name}
        assert len(split.train) + len(split.test) == len(texts)


def test_folds_of_one_file_ask_about_each_of_its_texts_once():
    texts = [labelled(str(i), f"t {i}", i % 2, group=i // 2) for i in range(40)]
    asked = np.concatenate([split.test for split in in_domain(texts, "a.train")])
    assert sorted(asked.tolist()) == list(range(40))


def test_a_file_of_one_class_has_no_folds():
    assert in_domain([labelled(str(i), f"t {i}", 0, group=i) for i in range(20)], "a.train") == []


def test_stress_files_and_probes_are_never_learned_from():
    texts = [
        labelled(f"{file}/{i}", f"{file} {i}", i % 2, file=file, group=1000 * k + i)
        for k, file in enumerate(["a.train", "b.all", *STRESS, *PROBES])
        for i in range(10)
    ]
    for split in leave_one_source_out(texts):
        assert not {texts[i].file for i in split.train} & (STRESS | PROBES)


def test_a_sample_is_even_over_generators_and_hangs_on_the_seed():
    rows = [labelled(f"h{i}", "t", 0) for i in range(30)]
    rows += [labelled(f"m{i}", "t", 1, generator="big" if i < 80 else "small") for i in range(100)]
    chosen = sample(rows, Plan(per_class=20))
    drawn = [text.generator for text in chosen if text.label == 1]
    assert (len(drawn), drawn.count("small")) == (20, 10)
    assert sample(rows, Plan(per_class=20)) == chosen
    assert sample(rows, Plan(per_class=20, seed=1)) != chosen


def test_fewer_texts_are_drawn_of_files_that_are_many():
    rows = [
        labelled(f"{file}/{i}", "t", i % 2, file=file)
        for file in ("outfox.valid", "z.more")
        for i in range(40)
    ]
    drawn = by_file(sample(rows, Plan(per_class=10, per_class_more=4)))
    assert {file: len(texts) for file, texts in drawn.items()} == {"outfox.valid": 20, "z.more": 8}


def test_a_smaller_plan_draws_the_lowest_ranks_of_the_drawing_order():
    rows = [labelled(str(i), "t", i % 2, generator=f"g{i % 5}") for i in range(60)]
    ranks = drawing_order(rows, seed=0)
    for label in (0, 1):
        of_class = [row.key for row in rows if row.label == label]
        assert sorted(ranks[key] for key in of_class) == list(range(30))
    drawn = {row.key for row in sample(rows, Plan(per_class=7))}
    assert drawn == {key for key, rank in ranks.items() if rank < 7}


def test_machine_texts_are_at_most_twice_the_human_ones():
    rows = [labelled(f"{y}/{i}", "t", y) for y, n in ((0, 10), (1, 90)) for i in range(n)]
    assert sum(text.label for text in sample(rows, Plan())) == 20


def test_a_folder_is_prepared_deduplicated_and_linked_within_its_source(tmp_path):
    write(
        tmp_path, "s.one", [row("1", "“Quoted”  prose — of\na *person*, indeed.", 0, pair=1), row("2", "", 0)]
    )
    write(tmp_path, "s.two", [row("3", "Other prose of a machine, indeed it is.", 1, pair=1)])
    texts = load(tmp_path, Plan(), log=lambda _: None)
    assert [text.key for text in texts] == ["1", "3"]
    assert texts[0].text == '"Quoted" prose - of a person, indeed.'
    assert texts[0].group == texts[1].group


def test_loading_twice_gives_the_same_digest_and_another_text_another(tmp_path):
    write(tmp_path, "s.one", [row(str(i), prose(3, 6, i), i % 2) for i in range(20)])
    first, again = (load(tmp_path, Plan(), log=lambda _: None) for _ in range(2))
    assert digest(first) == digest(again) != digest(first[1:])


def test_an_empty_folder_is_named_in_the_error(tmp_path):
    with pytest.raises(InputError, match=r"holds no \*\.jsonl\.xz; expected labelled texts"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": 1', "line 1: expected a JSON object"),
        ('{"id": "1", "text": "t"}', "line 1: expected a JSON object with id, text, label"),
        (json.dumps(row("1", "t", 2)), "label is 2; expected 0"),
    ],
)
def test_a_row_that_cannot_be_used_is_named_by_file_and_line(tmp_path, line, message):
    with lzma.open(tmp_path / "s.one.jsonl.xz", "wt") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=message):
        read_file(tmp_path / "s.one.jsonl.xz")


def test_a_file_that_is_no_xz_is_refused(tmp_path):
    (tmp_path / "s.one.jsonl.xz").write_bytes(b"plain")
    with pytest.raises(InputError, match="is not an xz file"):
        read_file(tmp_path / "s.one.jsonl.xz")


def test_a_crop_is_whole_sentences_of_its_text():
    text = prose(40, 8)
    for seed in range(20):
        passage = crop(text, 30, random.Random(seed))
        assert passage in text
        assert passage.endswith(".")
        assert 30 <= len(passage.split()) < 38


def test_crops_of_long_texts_only_keep_label_group_and_seed():
    rows = [labelled("long", prose(40, 8), 1, group=5), labelled("short", prose(3, 8), 0, group=6)]
    crops = random_crops(rows, seed=0)
    assert [(c.key, c.label, c.group) for c in crops] == [("long/crop", 1, 5)]
    assert FEWEST_WORDS <= len(crops[0].text.split()) < 40 * 8
    assert crops == random_crops(rows, seed=0) != random_crops(rows, seed=1)


@pytest.mark.skipif(not REAL.is_dir(), reason="no labelled texts at ../shared/data")
def test_the_real_files_give_both_classes_one_length_and_no_related_texts_across_a_split():
    texts = load(REAL, Plan(per_class=60), log=lambda _: None)
    assert len({text.text for text in texts}) == len(texts)
    for file, rows in by_file(texts).items():
        lengths = [[len(t.text.split()) for t in rows if t.label == label] for label in (0, 1)]
        if all(lengths):
            assert np.mean(lengths[0]) == pytest.approx(np.mean(lengths[1]), rel=0.15), file
    for split in leave_one_source_out(texts):
        assert not {texts[i].group for i in split.train} & {texts[i].group for i in split.test}
