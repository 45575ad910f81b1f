import hashlib
from math import comb

import pytest
from strategies import EXTRA_CHANNELS, VECTOR_NAMES, vectors_of_lengths

from ghostbuster.errors import FeatureError, SettingError
from ghostbuster.features.chains import Models
from ghostbuster.features.duplicates import duplicate_key
from ghostbuster.features.evaluate import evaluate_all
from ghostbuster.features.expression import Feature
from ghostbuster.features.families import FAMILIES
from ghostbuster.features.reducers import REDUCERS
from ghostbuster.features.spaces import GHOSTBUSTER_REDUCERS, SPACES, candidates, ghostbuster_chains
from ghostbuster.features.zero_shot import LANGUAGE_MODELS

WITHOUT_CROSS = [name for name in VECTOR_NAMES if "cross" not in name]


@pytest.mark.parametrize(
    ("n_vectors", "depth", "size"),
    [
        (3, 1, 21), (3, 2, 168), (3, 3, 847), (3, 4, 4375),
        (4, 1, 28), (4, 2, 322), (4, 3, 2534), (4, 4, 19635),
        (5, 1, 35), (5, 2, 525), (5, 3, 5635), (5, 4, 58800),
    ],
)  # fmt: skip
def test_ghostbusters_rule_enumerates_as_many_features_as_published(n_vectors, depth, size):
    chains = list(ghostbuster_chains([f"a.v{i}" for i in range(n_vectors)], depth))
    assert len(GHOSTBUSTER_REDUCERS) * len(chains) == size
    assert len(set(chains)) == len(chains)


def test_the_ghostbuster_space_holds_the_chain_printed_in_its_paper():
    space = candidates("ghostbuster", VECTOR_NAMES)
    assert len(space) == 2534
    assert Feature.parse("trigram.prob v-add unigram.prob v-> strong.prob s-var") in space


def test_the_kaggle_space_is_ten_statistics_of_ten_sequences_behind_the_first_25_tokens():
    space = candidates("kaggle", VECTOR_NAMES)
    assert len(space) == 10 * (4 + comb(4, 2)) == 100
    assert {feature.skip for feature in space} == {"u-skip-25"}
    assert len({feature.expression for feature in space}) == 10


def test_the_ngram_space_reads_no_language_model():
    assert {name.split(".")[0] for f in candidates("ngram", VECTOR_NAMES) for name in f.vectors} == {
        "unigram",
        "trigram",
    }


def test_the_zeroshot_space_holds_each_statistic_of_each_model_and_of_each_pair():
    space = {str(feature) for feature in candidates("zeroshot", VECTOR_NAMES)}
    assert {"stat-lrr weak", "stat-lrr strong", "stat-binoculars weak strong"} <= space
    assert len(space) == 10 * 2 + 3 * 2


def test_ghostbusters_space_to_depth_4_begins_with_the_one_to_depth_3():
    space = candidates("ghostbuster-4", VECTOR_NAMES)
    assert len(space) == 19_635
    assert space[:2534] == candidates("ghostbuster", VECTOR_NAMES)


def test_the_surface_space_is_the_default_one_and_more():
    surface, default = (candidates(name, VECTOR_NAMES) for name in ("surface", "default"))
    assert surface[: len(default)] == default
    assert all(any("surface." in name for name in f.vectors) for f in surface[len(default) :])


def test_the_default_space_is_what_shipped_detectors_were_searched_in():
    space = candidates("default", VECTOR_NAMES)
    digest = hashlib.sha256("\n".join(map(str, space)).encode()).hexdigest()
    assert (len(space), digest[:16]) == (5149, "bd7af191a9672406")


def test_the_standard_space_is_the_default_one_and_every_family_once():
    standard, default = (candidates(name, VECTOR_NAMES) for name in ("standard", "default"))
    assert standard[: len(default)] == default
    newer = [feature for family in FAMILIES.values() for feature in family.rule()]
    assert len(set(newer)) == len(newer)
    assert set(standard) == {*default, *newer}
    assert not set(default) & set(newer)


def test_without_the_extra_channels_the_standard_space_only_lacks_what_reads_them():
    extra = {f"{model}.{channel}" for model in LANGUAGE_MODELS for channel in EXTRA_CHANNELS}
    everything, fewer = (candidates("standard", set(VECTOR_NAMES) - less) for less in (set(), extra))
    assert fewer == tuple(f for f in everything if not extra.intersection(f.vectors))
    assert {name for name, family in FAMILIES.items() if set(family.rule()) & set(fewer)} == {
        *("dynamics", "differences", "spectra", "diversity", "weights", "tails")
    }


@pytest.mark.parametrize("family", FAMILIES.values(), ids=lambda family: family.name)
def test_every_family_names_its_source_and_follows_no_length(family):
    assert family.paper
    for feature in family.rule():
        assert feature.statistic or not REDUCERS[feature.reducer].depends_on_length


def test_between_them_the_spaces_read_every_vector_there_is():
    read = {name for space in SPACES for f in candidates(space, VECTOR_NAMES) for name in f.vectors}
    assert read == set(VECTOR_NAMES)


@pytest.mark.parametrize("name", [name for name in SPACES if name != "deep"])
def test_every_candidate_of_every_space_is_distinct_parses_back_and_has_finite_values(name):
    space = candidates(name, VECTOR_NAMES)
    assert len(set(space)) == len(space)
    assert all(Feature.parse(str(feature)) == feature for feature in space)
    values = evaluate_all(space, vectors_of_lengths([0, 1, 40]))
    assert (abs(values) < 1e30).all()


@pytest.mark.parametrize("name", ["default", "standard", "surface", "wide", "deep", "ngram"])
def test_our_own_spaces_follow_no_length_and_hold_no_twins(name):
    chains = set()
    for feature in candidates(name, VECTOR_NAMES):
        if not isinstance(feature.expression, Models):
            assert not REDUCERS[feature.reducer].depends_on_length
            chains.add(feature.expression)
    assert len({duplicate_key(chain) for chain in chains}) == len(chains)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("default", 2_000, 6_000),
        ("standard", 5_000, 8_000),
        ("wide", 15_000, 25_000),
        ("deep", 90_000, 130_000),
    ],
)
def test_our_own_spaces_are_as_large_as_they_say(name, least, most):
    assert least <= len(candidates(name, VECTOR_NAMES)) <= most


def test_without_cross_channels_the_default_space_only_lacks_what_reads_them():
    everything, fewer = candidates("default", VECTOR_NAMES), candidates("default", WITHOUT_CROSS)
    assert fewer == tuple(f for f in everything if not any("cross" in name for name in f.vectors))
    assert len(fewer) > 1000


@pytest.mark.parametrize("name", ["ghostbuster", "kaggle", "ngram"])
def test_an_exact_space_refuses_to_lack_a_vector(name):
    with pytest.raises(FeatureError, match=f"space '{name}' needs vectors that are not there: trigram"):
        candidates(name, set(VECTOR_NAMES) - {"trigram.prob"})


def test_a_space_of_which_nothing_is_left_is_refused():
    with pytest.raises(FeatureError, match="space 'zeroshot' needs vectors that are not there: strong"):
        candidates("zeroshot", ["unigram.logprob"])


def test_an_unknown_space_is_answered_with_the_nearest():
    with pytest.raises(SettingError, match="no candidate space 'zero-shot'; did you mean 'zeroshot'"):
        candidates("zero-shot", VECTOR_NAMES)
