import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax

from ghostbuster.errors import ModelError
from ghostbuster.models.llama.token_statistics import EXTRA_CHANNELS, TokenStatistics

LOGITS = arrays(np.float32, (5, 40), elements=st.floats(-30, 30, width=32))
TARGETS = arrays(np.int32, 5, elements=st.integers(0, 39))


def reduced(logits, targets, read=None):
    """Channels by name, of one model or of two, as the product reduces; with ``read`` the extra ones too."""
    names = [f"m{i}" for i in range(len(logits))]
    reducer = TokenStatistics(names, logits[0].shape[1], extra=read is not None)
    out = [np.empty((len(reducer.channels), len(targets)), np.float32) for _ in logits]
    last_read = np.zeros(len(targets), np.int32) if read is None else np.asarray(read, np.int32)
    reducer(logits, last_read, np.asarray(targets, np.int32), out)
    return [dict(zip(reducer.channels, values, strict=True)) for values in out]


def expected(logits, targets, reference=None):
    """The same in float64, by the definitions, with scipy's log_softmax."""
    logp = log_softmax(np.asarray(logits, np.float64), axis=1)
    p = np.exp(logp)
    rows = np.arange(len(targets))
    entropy = -(p * logp).sum(axis=1)
    channels = {
        "logprob": logp[rows, targets],
        "rank": 1 + (logits > logits[rows, targets][:, None]).sum(axis=1),
        "entropy": entropy,
        "varentropy": (p * (logp + entropy[:, None]) ** 2).sum(axis=1),
    }
    if reference is not None:
        q = np.exp(log_softmax(np.asarray(reference, np.float64), axis=1))
        mean = (q * logp).sum(axis=1)
        channels["cross_entropy"] = -mean
        channels["cross_varentropy"] = (q * (logp - mean[:, None]) ** 2).sum(axis=1)
    return channels


def test_a_distribution_worked_by_hand():
    # p = 1/2, 1/4, 1/4: H = 3/2 log 2; log p deviates from -H by +-(log 2)/2, variance (log 2)^2 / 4
    logits = np.log(np.array([[2.0, 1.0, 1.0]], np.float32))
    (got,) = reduced([logits], [1])
    assert got["logprob"][0] == pytest.approx(-np.log(4), abs=1e-6)
    assert got["rank"][0] == 2
    assert got["entropy"][0] == pytest.approx(1.5 * np.log(2), abs=1e-6)
    assert got["varentropy"][0] == pytest.approx(np.log(2) ** 2 / 4, abs=1e-6)


def test_cross_channels_worked_by_hand():
    # S = (1/2, 1/4, 1/4), R = (1/4, 1/4, 1/2): -sum r log s = (1/4 + 2/4 + 2/2) log 2 = 7/4 log 2;
    # -log2 s is 1 with chance 1/4 and 2 with 3/4: variance 3/16
    s = np.log(np.array([[2.0, 1.0, 1.0]], np.float32))
    r = np.log(np.array([[1.0, 1.0, 2.0]], np.float32))
    of_s, of_r = reduced([s, r], [0])
    assert of_s["cross_entropy"][0] == pytest.approx(1.75 * np.log(2), abs=1e-6)
    assert of_s["cross_varentropy"][0] == pytest.approx(3 / 16 * np.log(2) ** 2, abs=1e-6)
    assert of_r["cross_entropy"][0] == pytest.approx(1.75 * np.log(2), abs=1e-6)


@pytest.mark.parametrize("n_vocabulary", [2, 512, 9000])
def test_a_uniform_distribution_has_entropy_log_v_and_no_varentropy(n_vocabulary):
    (got,) = reduced([np.full((3, n_vocabulary), 7.5, np.float32)], [0, 1, 1])
    assert got["entropy"] == pytest.approx(np.log(n_vocabulary), rel=1e-6)
    assert np.all(got["varentropy"] == 0)
    assert np.all(got["rank"] == 1)


@given(LOGITS, LOGITS, TARGETS)
def test_one_and_two_models_agree_with_float64(first, second, targets):
    for got, want in zip(
        reduced([first, second], targets),
        [expected(first, targets, second), expected(second, targets, first)],
        strict=True,
    ):
        for name, values in want.items():
            # a cross-varentropy is the difference of two sums of some hundred nats^2 in float32
            close = 1e-3 if name == "cross_varentropy" else 1e-4
            np.testing.assert_allclose(got[name], values, rtol=2e-5, atol=close, err_msg=name)
    (alone,) = reduced([first], targets)
    together = reduced([first, second], targets)[0]
    assert all(np.array_equal(alone[name], together[name]) for name in alone)


@given(LOGITS, TARGETS, st.floats(-50, 50, width=32))
def test_adding_a_constant_to_all_logits_changes_nothing(logits, targets, constant):
    coarse = np.round(logits * 16) / np.float32(16)  # sums with the constant stay exact
    constant = np.float32(np.round(constant * 16) / 16)
    for name, values in reduced([coarse], targets)[0].items():
        np.testing.assert_array_equal(values, reduced([coarse + constant], targets)[0][name], err_msg=name)


@given(LOGITS, TARGETS)
def test_a_model_crossed_with_itself_gives_its_own_entropy(logits, targets):
    got, _ = reduced([logits, logits], targets)
    np.testing.assert_array_equal(got["cross_entropy"], got["entropy"])
    np.testing.assert_array_equal(got["cross_varentropy"], got["varentropy"])


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_a_real_vocabulary_size_agrees_with_float64(seed):
    generator = np.random.default_rng(seed)
    first, second = generator.normal(0, 3, (2, 6, 20000)).astype(np.float32)
    targets = generator.integers(0, 20000, 6)
    got = reduced([first, second], targets)[0]
    for name, values in expected(first, targets, second).items():
        close = 1e-3 if name == "cross_varentropy" else 3e-5
        np.testing.assert_allclose(got[name], values, rtol=2e-6, atol=close, err_msg=name)


def test_extreme_logits_stay_exact():
    generator = np.random.default_rng(0)
    first, second = generator.uniform(-1e4, 1e4, (2, 4, 300)).astype(np.float32)
    targets = np.array([0, 1, 2, 3])
    for got, want in zip(
        reduced([first, second], targets),
        [expected(first, targets, second), expected(second, targets, first)],
        strict=True,
    ):
        for name, values in want.items():
            np.testing.assert_allclose(got[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


def test_logprobs_are_never_positive():
    logits = np.full((1, 100), -1e4, np.float32)
    logits[0, 7] = 1e4
    assert reduced([logits], [7])[0]["logprob"][0] == 0


def test_rank_tells_neighbours_apart_that_float32_logprobs_would_not():
    logits = np.full((1, 1000), 8.0, np.float32)
    logits[0, 3] = np.nextafter(np.float32(8), np.float32(9))
    assert reduced([logits], [4])[0]["rank"][0] == 2
    assert reduced([logits], [3])[0]["rank"][0] == 1


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_no_finite_number_names_the_model(bad):
    logits = np.zeros((6, 50), np.float32)
    logits[5, 20] = bad
    with pytest.raises(ModelError, match="model m0 gave logits that are not finite"):
        reduced([logits], np.zeros(6, np.int32))


@given(st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_a_position_does_not_depend_on_its_neighbours(n, seed):
    generator = np.random.default_rng(seed)
    logits = generator.normal(0, 3, (n, 30)).astype(np.float32)
    targets = generator.integers(0, 30, n)
    (whole,) = reduced([logits], targets)
    for name in whole:
        single = [reduced([logits[i : i + 1]], targets[i : i + 1])[0][name][0] for i in range(n)]
        np.testing.assert_array_equal(whole[name], single)


@pytest.mark.parametrize("n_vocabulary", [40, 20000])
def test_positions_of_many_blocks_are_all_reduced(n_vocabulary):
    n = 3 * TokenStatistics(["m"], n_vocabulary).rows + 1
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 3, (n, n_vocabulary)).astype(np.float32)
    targets = generator.integers(0, n_vocabulary, n)
    (got,) = reduced([logits], targets)
    for name, values in expected(logits, targets).items():
        np.testing.assert_allclose(got[name], values, rtol=2e-6, atol=3e-5, err_msg=name)


def test_a_rank_counts_every_token_of_a_large_vocabulary():
    logits = np.arange(100_000, dtype=np.float32)[None] / 1e4
    assert reduced([logits], [0])[0]["rank"][0] == 100_000


def extra_expected(logits, targets, read):
    """The extra channels in float64, by their definitions."""
    logp = log_softmax(np.asarray(logits, np.float64), axis=1)
    p = np.exp(logp)
    rows = np.arange(len(targets))
    above = logits > logits[rows, targets][:, None]
    return {
        "top_logprob": logp.max(axis=1),
        "mass_above": (p * above).sum(axis=1),
        "top10_mass": np.sort(p, axis=1)[:, -10:].sum(axis=1),
        "lookback": logp[rows, read],
    }


def test_extra_channels_worked_by_hand():
    # p = 1/2, 1/4, 1/8, 1/8; token 2 came, token 1 was read last: 3/4 of the mass is likelier than token 2
    logits = np.log(np.array([[4.0, 2.0, 1.0, 1.0]], np.float32))
    (got,) = reduced([logits], [2], read=[1])
    assert got["top_logprob"][0] == pytest.approx(-np.log(2), abs=1e-6)
    assert got["mass_above"][0] == pytest.approx(0.75, abs=1e-6)
    assert got["top10_mass"][0] == pytest.approx(1, abs=1e-6)
    assert got["lookback"][0] == pytest.approx(-np.log(4), abs=1e-6)


@given(LOGITS, LOGITS, TARGETS, TARGETS)
def test_extra_channels_of_two_models_are_those_of_their_definitions(first, second, targets, read):
    for logits, got in zip((first, second), reduced([first, second], targets, read), strict=True):
        for name, values in extra_expected(logits, targets, read).items():
            np.testing.assert_allclose(got[name], values, rtol=2e-6, atol=3e-5, err_msg=name)


@given(LOGITS, LOGITS, TARGETS, TARGETS)
def test_extra_channels_move_no_other_channel(first, second, targets, read):
    plain = reduced([first, second], targets)
    for before, after in zip(plain, reduced([first, second], targets, read), strict=True):
        for name, values in before.items():
            np.testing.assert_array_equal(values, after[name], err_msg=name)


@pytest.mark.parametrize("n_vocabulary", [10, 511, 512, 700, 1024, 20_000, 49_152])
def test_the_ten_largest_are_found_wherever_they_stand(n_vocabulary):
    generator = np.random.default_rng(n_vocabulary)
    logits = generator.normal(0, 3, (9, n_vocabulary)).astype(np.float32)
    logits[0] = np.arange(n_vocabulary) / n_vocabulary  # all of the largest at the end, outside whole groups
    logits[1, ::2] = 12.5  # more equal ones than ten
    logits[2] = 0
    targets = generator.integers(0, n_vocabulary, 9)
    (got,) = reduced([logits], targets, read=targets)
    want = extra_expected(logits, targets, targets)
    for name in EXTRA_CHANNELS:
        np.testing.assert_allclose(got[name], want[name], rtol=1e-5, atol=3e-5, err_msg=name)
    np.testing.assert_array_equal(got["lookback"], got["logprob"])
