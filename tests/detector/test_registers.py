import numpy as np
import pytest
from prose import labelled

from ghostbuster import GhostbusterClassifier
from ghostbuster.decision.thresholds import register_thresholds, thresholds
from ghostbuster.errors import SettingError

SMALL = {"space": "zeroshot", "max_features": 3, "n_folds": 3, "min_tokens": 20, "max_fpr": 0.05}


@pytest.fixture(scope="module")
def fitted():
    texts, y, groups = labelled(30)
    kinds = np.where(np.arange(len(texts)) % 30 < 24, "essay", "")
    return GhostbusterClassifier(**SMALL).fit(texts, y, groups, registers=kinds)


def test_a_register_has_the_thresholds_of_its_own_texts_at_the_rates_it_can_show():
    human = np.concatenate([np.arange(100) / 200, np.arange(100) / 100, [0.99] * 5])
    kinds = np.array(["essay"] * 100 + ["story"] * 100 + ["poem"] * 5)
    made = register_thresholds(human, kinds)
    assert set(made) == {"essay", "story"}  # five poems show no rate
    assert [one.rate for one in made["essay"]] == [0.05, 0.01]  # 0.001 takes a thousand texts
    alone = thresholds(human[:100], (0.05, 0.01))
    assert [one.probability for one in made["essay"]] == [one.probability for one in alone]
    assert made["story"][0].about == "held-out human texts of register 'story'"


def test_without_registers_there_are_none_and_an_empty_name_is_none():
    assert register_thresholds(np.ones(100) / 2, None) == {}
    assert register_thresholds(np.ones(100) / 2, np.full(100, "")) == {}


def test_judging_by_a_register_changes_thresholds_and_nothing_else(fitted):
    texts = labelled(4)[0]
    judging = fitted.for_register("essay")
    assert judging.threshold_ == fitted.register_thresholds_["essay"][0]
    assert judging.threshold_.n_human == 24
    assert fitted.threshold_.n_human == 30
    assert np.array_equal(judging.predict_proba(texts), fitted.predict_proba(texts))
    assert fitted.for_register(None) is fitted


def test_an_unknown_register_is_answered_with_the_nearest(fitted):
    with pytest.raises(SettingError, match="register 'esay' has no thresholds; did you mean 'essay'"):
        fitted.for_register("esay")


def test_a_rate_that_a_register_cannot_show_is_refused_before_models_read(fitted):
    strict = GhostbusterClassifier.from_state(fitted.state()).set_params(max_fpr=0.01)
    with pytest.raises(SettingError, match=r"max_fpr=0.01 has no stored threshold; expected one of 0.05"):
        strict.for_register("essay")


def test_registers_outlive_the_artifact(fitted):
    again = GhostbusterClassifier.from_state(fitted.state())
    assert again.register_thresholds_ == fitted.register_thresholds_
    assert fitted.manifest_["register_thresholds"]["essay"][0]["n_human"] == 24


def test_the_first_artifacts_have_no_register(fitted):
    state = {k: v for k, v in fitted.state().items() if k != "register_thresholds"}
    first = GhostbusterClassifier.from_state(state)
    with pytest.raises(SettingError, match="this detector has none: `ghostbuster calibrate` makes one"):
        first.for_register("essay")
