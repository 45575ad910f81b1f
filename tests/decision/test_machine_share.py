import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.stats import chi2

from ghostbuster.decision.machine_share import DROP, machine_share
from ghostbuster.errors import InputError, SettingError

inside = st.floats(0.001, 0.999)


def test_the_interval_reaches_as_far_as_chi_squared_allows():
    assert pytest.approx(chi2.ppf(0.95, 1) / 2, abs=0.001) == DROP


def test_windows_of_which_nothing_can_be_said_leave_every_share_open():
    found = machine_share([0.5] * 20, 10, trust=1.0)
    assert (found.low, found.high) == (0.0, 1.0)


def test_sure_windows_are_counted():
    p = [0.999] * 30 + [0.001] * 70
    found = machine_share(p, 100, trust=1.0)
    assert found.value == pytest.approx(0.3, abs=0.005)
    # almost a binomial share: the likelihood interval of 30 in 100
    ll = lambda s: 30 * math.log(s) + 70 * math.log(1 - s)  # noqa: E731
    low = brentq(lambda s: ll(s) - ll(0.3) + DROP, 0.01, 0.3)
    high = brentq(lambda s: ll(s) - ll(0.3) + DROP, 0.3, 0.9)
    assert (found.low, found.high) == (pytest.approx(low, abs=0.01), pytest.approx(high, abs=0.01))


def test_a_text_by_a_person_alone_has_an_upper_end_by_hand():
    # 5 windows of 0.1: log-likelihood is 5 log(1 - 8/9 s), DROP lower at s = 9/8 (1 - exp(-DROP / 5))
    found = machine_share([0.1] * 5, 5, trust=1.0)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high == pytest.approx(9 / 8 * (1 - math.exp(-DROP / 5)), abs=0.001)


def test_overlapping_windows_count_as_those_that_fit_beside_one_another():
    p = [0.1, 0.2, 0.1, 0.3]
    assert machine_share(p * 2, 4, trust=1.0) == machine_share(p, 4, trust=1.0)
    assert machine_share(p, 8, trust=0.5) == machine_share(p, 4, trust=1.0)


@given(st.lists(inside, min_size=1, max_size=20), st.floats(1, 20), st.floats(0.1, 1))
def test_the_share_lies_in_its_interval_and_less_trust_widens_it(p, n, trust):
    one, less = machine_share(p, n, trust), machine_share(p, n, trust / 2)
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert less.value == one.value
    assert less.low <= one.low
    assert less.high >= one.high


@given(st.lists(inside, min_size=1, max_size=20))
def test_person_and_machine_are_treated_alike(p):
    one, other = machine_share(p, len(p)), machine_share(1 - np.array(p), len(p))
    assert other.low == pytest.approx(1 - one.high, abs=0.002)
    assert other.high == pytest.approx(1 - one.low, abs=0.002)


@pytest.mark.parametrize("p", [[], [0.0], [1.0], [math.nan], [[0.5]]])
def test_probabilities_outside_are_refused(p):
    with pytest.raises(InputError, match="expected one a window"):
        machine_share(p, 1)


@pytest.mark.parametrize(("n", "trust"), [(0, 1), (1, 0), (-1, 1), (math.nan, 1)])
def test_no_evidence_is_no_share(n, trust):
    with pytest.raises(SettingError, match="expected numbers above 0"):
        machine_share([0.5], n, trust)
