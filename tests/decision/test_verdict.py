import math

import pytest

from ghostbuster.decision.thresholds import Threshold
from ghostbuster.decision.verdict import Evidence, decide, top_evidence
from ghostbuster.metrics.classification import Estimate

PROMISE = Threshold(rate=0.01, probability=0.9, fpr=Estimate(0.008, 0.005, 0.012), n_human=2000)


@pytest.mark.parametrize(
    ("probability", "label"),
    [(0.0, "human"), (0.49, "human"), (0.5, "unsure"), (0.89, "unsure"), (0.9, "machine"), (1.0, "machine")],
)
def test_a_text_is_called_machine_only_from_the_threshold_on(probability, label):
    assert decide(probability, PROMISE, [])[0] == label


def test_the_reason_states_the_promise_with_its_interval_and_number_of_texts():
    _, (reason,) = decide(0.95, PROMISE, [])
    for part in ("0.950", "0.900", "0.8%", "0.5% to 1.2%", "2000"):
        assert part in reason


def test_a_doubt_makes_any_probability_unsure_and_is_the_reason():
    assert decide(0.99, PROMISE, ["too short"]) == ("unsure", ("too short",))
    assert decide(math.nan, PROMISE, ["too short"])[0] == "unsure"


def test_a_threshold_below_one_half_moves_the_human_side_with_it():
    low = Threshold(rate=0.05, probability=0.3, fpr=Estimate(0.04, 0.03, 0.05), n_human=2000)
    assert decide(0.29, low, [])[0] == "human"
    assert decide(0.31, low, [])[0] == "machine"


def test_evidence_names_the_strongest_contributions_first_whatever_their_sign():
    a, b, c = Evidence("a", 1.0, 0.1), Evidence("b", 2.0, -2.0), Evidence("c", 3.0, 0.0)
    assert top_evidence([a, b, c], most=3) == (b, a)
