import inspect
from dataclasses import fields, replace

import pytest
from sklearn.base import clone

import ghostbuster
from ghostbuster import GhostbusterClassifier
from ghostbuster.detector.detector import Detector
from ghostbuster.detector.params import Params
from ghostbuster.errors import SettingError


@pytest.mark.parametrize("kind", [Detector, GhostbusterClassifier])
def test_the_constructor_takes_the_parameters_of_the_one_list_with_its_defaults(kind):
    taken = {name: one.default for name, one in inspect.signature(kind).parameters.items()}
    assert taken == {one.name: one.default for one in fields(Params)}
    assert len(taken) == 13


def test_scikit_learn_reads_sets_and_copies_parameters():
    made = GhostbusterClassifier(("weak.gguf", "strong.gguf"), max_fpr=0.05)
    assert made.get_params() == vars(Params(("weak.gguf", "strong.gguf"), max_fpr=0.05))
    copied = clone(made).set_params(n_folds=3)
    assert copied.params == replace(made.params, n_folds=3)
    assert made.n_folds == 5
    with pytest.raises(ValueError, match="n_fold"):
        made.set_params(n_fold=3)
    with pytest.raises(TypeError, match="n_fold"):
        GhostbusterClassifier(n_fold=3)


def test_parameters_as_plain_values_are_in_alphabetical_order_and_fit_json():
    plain = Params(("weak.gguf", "strong.gguf")).plain()
    assert list(plain) == sorted(plain)
    assert plain["panel"] == ["weak.gguf", "strong.gguf"]


def test_a_detector_with_other_parameters_leaves_the_first_as_it_is():
    first = ghostbuster.load()
    strict = first.with_params(max_fpr=0.001)
    assert (first.threshold_.rate, strict.threshold_.rate) == (0.01, 0.001)
    assert strict.trained_ is first.trained_
    with pytest.raises(TypeError, match="max_fp"):
        first.with_params(max_fp=0.05)


def test_a_head_is_looked_up_in_the_one_table_of_heads():
    with pytest.raises(SettingError, match="head='logistics' is unknown; did you mean 'logistic'"):
        Params(head="logistics").check()
