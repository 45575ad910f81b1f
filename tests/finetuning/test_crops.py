"""What a run learns from: pairs of one length, balanced over sources; what the network reads of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghostbuster.errors import InputError, SettingError
from ghostbuster.finetuning.crops import Crop, LabelledTokens, batches, inputs_of, paired_crops
from ghostbuster.finetuning.held_out import held_out_texts
from ghostbuster.finetuning.settings import Settings

SMALL = Settings(min_tokens=8, max_tokens=24, batch_tokens=200)


def texts(sizes, seed=0):
    """Texts of every class and source: ``sizes`` is {(label, source): n}."""
    rng = np.random.default_rng(seed)
    rows = [(label, source) for (label, source), n in sizes.items() for _ in range(n)]
    ids = [rng.integers(3, 99, rng.integers(8, 60)).astype(np.int32) for _ in rows]
    labels = np.array([label for label, _ in rows], np.intp)
    return LabelledTokens(ids, labels, np.array([source for _, source in rows]))


@given(st.integers(1, 150), st.integers(0, 5))
def test_crops_come_in_pairs_of_one_length_that_lie_within_their_texts(n_pairs, seed):
    made = texts({(0, "a"): 9, (0, "b"): 3, (1, "a"): 5, (1, "c"): 40})
    crops = paired_crops(made, n_pairs, SMALL, seed)
    assert len(crops) == 2 * n_pairs
    for human, machine in zip(crops[::2], crops[1::2], strict=True):
        assert (made.y[human.text], made.y[machine.text]) == (0, 1)
        assert human.n == machine.n <= SMALL.max_tokens
        for crop in (human, machine):
            assert crop.n >= SMALL.min_tokens
            assert 0 <= crop.start <= made.ids[crop.text].size - crop.n
    assert crops == paired_crops(made, n_pairs, SMALL, seed)


def test_sources_weigh_by_the_root_of_their_texts_and_texts_of_a_source_alike():
    made = texts({(0, "small"): 4, (0, "large"): 36, (1, "one"): 100})
    crops = paired_crops(made, 200, SMALL, 3)
    human = np.bincount([crop.text for crop in crops[::2]], minlength=140)
    assert human[:4].tolist() == [12, 13, 13, 12] or human[:4].sum() == 50  # 200 * 2 / (2 + 6)
    assert human[:4].max() - human[:4].min() <= 1
    assert human[4:40].sum() == 150
    assert human[4:40].max() - human[4:40].min() <= 1
    machine = np.bincount([crop.text for crop in crops[1::2]], minlength=140)[40:]
    assert machine.tolist() == [2] * 100


def test_batches_hold_every_pair_once_and_no_more_tokens_than_asked_for():
    made = texts({(0, "a"): 50, (1, "b"): 50})
    crops = paired_crops(made, 120, SMALL, 1)
    found = batches(crops, SMALL.batch_tokens, 7)
    assert sorted(str(crop) for batch in found for crop in batch) == sorted(map(str, crops))
    for batch in found:
        assert len(batch) * max(crop.n for crop in batch) <= SMALL.batch_tokens
        assert [made.y[crop.text] for crop in batch] == [0, 1] * (len(batch) // 2)
    assert [len(batch) for batch in found] != sorted(len(batch) for batch in found)  # in no order of length


def test_the_network_reads_begin_token_and_all_but_the_last_and_padding_does_not_count():
    made = LabelledTokens([np.arange(10, 20, dtype=np.int32)], np.array([0]), np.array(["a"]))
    ids, counted = inputs_of(made, [Crop(0, 2, 4), Crop(0, 0, 2)], begin=1)
    assert ids.tolist() == [[1, 12, 13, 14], [1, 10, 1, 1]]
    assert counted.tolist() == [[False, True, True, True], [False, True, False, False]]
    ids, counted = inputs_of(made, [Crop(0, 2, 4), Crop(0, 0, 2)], begin=1, suffix=(7, 8))
    assert ids.tolist() == [[1, 12, 13, 14, 15, 7, 8], [1, 10, 11, 7, 8, 1, 1]]
    assert counted.astype(int).tolist() == [[0] * 6 + [1], [0] * 4 + [1, 0, 0]]


def test_sources_are_held_out_with_everything_that_shares_a_group():
    sources = np.array(["a", "a", "b", "b", "c", "c", "d", "d"])
    y = np.array([0, 1] * 4)
    groups = np.array(["1", "2", "3", "4", "2", "6", "7", "8"])
    held = held_out_texts(y, sources, groups, ["a"], 0)
    assert held.tolist() == [True, True, False, False, True, False, False, False]
    drawn = held_out_texts(y, sources, None, [], 0)
    assert drawn.sum() == 2
    assert np.unique(sources[drawn]).size == 1
    with pytest.raises(SettingError, match="no source to hold out is called 'e'"):
        held_out_texts(y, sources, None, ["e"], 0)
    with pytest.raises(InputError, match=r"1 class\(es\) are held out"):
        held_out_texts(np.array([0, 0, 1, 1, 1, 1, 0, 1]), sources, None, ["a"], 0)


def test_without_sources_a_tenth_of_the_groups_is_held_out():
    y = np.repeat([0, 1], 50)
    groups = np.tile(np.arange(50), 2).astype(str)
    held = held_out_texts(y, np.full(100, ""), groups, [], 0)
    assert 6 <= held.sum() <= 14
    assert not np.isin(groups[held], groups[~held]).any()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rank": 0}, "rank=0; expected 1 to 256"),
        ({"learning_rate": float("nan")}, "learning_rate=nan"),
        ({"min_tokens": 300}, "min_tokens=300; expected 8 to 192"),
        ({"batch_tokens": 100}, "batch_tokens=100; expected 384"),
        ({"alpha": -1.0}, "alpha=-1.0"),
        ({"reads": "median"}, "no reads is called 'median'"),
        ({"precision": "fp16"}, "no precision is called 'fp16'"),
    ],
)
def test_settings_out_of_range_are_named(changed, message):
    with pytest.raises(SettingError, match=message):
        Settings(**changed)


def test_layers_default_to_the_middle_of_a_model_and_answers_need_all():
    assert Settings().kept_layers(30) == 22
    assert list(Settings().changed_layers(30)) == list(range(7, 22))
    assert Settings(reads="answers").kept_layers(30) == 30
    assert Settings(n_layers=2, first_layer=0).changed_layers(3) == range(2)
    for wrong in (0, 30):
        with pytest.raises(SettingError, match=f"n_layers={wrong}; expected 1 to 29"):
            Settings(n_layers=wrong).kept_layers(30)
    with pytest.raises(SettingError, match="first_layer=9; expected 0 to 8"):
        Settings(n_layers=9, first_layer=9).changed_layers(30)
    with pytest.raises(SettingError, match="the last gives the answers"):
        Settings(n_layers=9, reads="answers").kept_layers(30)
