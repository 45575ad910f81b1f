import numpy as np
import pytest

from ghostbuster.features.search.centering import center_sources


def test_midpoints_of_sources_meet_and_nothing_else_moves_by_hand():
    y = np.array([0.0, 1.0, 0.0, 1.0])
    sources = np.array(["a", "a", "b", "b"])
    matrix = np.array([[0.0], [2.0], [10.0], [16.0]])  # midpoints 1 and 13, level 7
    assert center_sources(matrix, y, sources).ravel().tolist() == [6.0, 8.0, 4.0, 10.0]
    assert matrix.ravel().tolist() == [0.0, 2.0, 10.0, 16.0]


def test_what_a_source_adds_to_every_text_is_taken_away_again():
    rng = np.random.default_rng(0)
    y = np.tile([0.0, 1.0], 30)
    sources = np.repeat([0, 1, 2], 20)
    plain = rng.normal(size=(60, 4))
    shifted = plain + rng.normal(size=(3, 4))[sources]
    gap = center_sources(shifted, y, sources) - center_sources(plain, y, sources)
    np.testing.assert_allclose(gap, np.broadcast_to(gap[0], gap.shape), atol=1e-12)  # one constant for all


def test_uneven_classes_do_not_move_a_midpoint():
    y = np.array([0.0, 1.0, 1.0, 1.0, 0.0, 1.0])
    sources = np.array([0, 0, 0, 0, 1, 1])
    matrix = np.array([[0.0], [2.0], [2.0], [2.0], [0.0], [2.0]])
    assert center_sources(matrix, y, sources).ravel().tolist() == matrix.ravel().tolist()


@pytest.mark.parametrize("sources", [None, np.array(["a", "a", "a"]), np.array(["a", "a", "b"])])
def test_nothing_moves_without_two_sources_that_have_both_classes(sources):
    matrix = np.array([[1.0], [2.0], [9.0]], dtype=np.float32)
    made = center_sources(matrix, np.array([0.0, 1.0, 0.0]), sources)
    assert made.dtype == np.float32
    assert made.ravel().tolist() == [1.0, 2.0, 9.0]


def test_a_soft_label_counts_as_the_nearer_class():
    matrix, sources = np.array([[0.0], [2.0], [10.0], [16.0]]), np.array([0, 0, 1, 1])
    soft = center_sources(matrix, np.array([0.3, 0.6, 0.1, 0.5]), sources)
    assert soft.tolist() == center_sources(matrix, np.array([0.0, 1.0, 0.0, 1.0]), sources).tolist()
