"""Validate a feature matrix; scikit-learn is imported only to report what is wrong."""

from __future__ import annotations

from typing import TypeGuard

import numpy as np
import numpy.typing as npt

from ghostbuster.arrays import Float2d
from ghostbuster.errors import InputError


def finite_matrix(X: npt.ArrayLike, n_features: int | None = None) -> Float2d:
    """A float64 matrix of shape (n_texts, n_features).

    Raises
    ------
    InputError
        When ``X`` is no matrix of finite numbers, has no column, or another number of them.
    """
    matrix = X if _is_sound(X) else _checked(X)
    if n_features is not None and matrix.shape[1] != n_features:
        raise InputError(f"X has {matrix.shape[1]} features; this head was fitted on {n_features}")
    return matrix


def _is_sound(X: npt.ArrayLike) -> TypeGuard[Float2d]:
    """Whether it is one already: importing scikit-learn to hear so would take as long as reading a text."""
    return (
        type(X) is np.ndarray
        and X.dtype == np.float64
        and X.ndim == 2  # noqa: PLR2004
        and X.shape[1] > 0
        and bool(np.isfinite(X).all())
    )


def _checked(X: npt.ArrayLike) -> Float2d:
    from sklearn.utils import check_array

    try:
        with np.errstate(invalid="ignore"):  # infinities of both signs: refused, not warned about
            matrix: Float2d = check_array(X, dtype=np.float64, ensure_min_samples=0, input_name="X")
    except (TypeError, ValueError) as error:
        raise InputError(f"X cannot be used: {error}") from None
    return matrix


def check_fitted(estimator: object, attribute: str) -> None:
    """Refuse an estimator that was not fitted.

    Raises
    ------
    NotFittedError
        scikit-learn's own.
    """
    if not hasattr(estimator, attribute):
        from sklearn.exceptions import NotFittedError

        name = type(estimator).__name__
        raise NotFittedError(
            f"This {name} instance is not fitted yet. Call 'fit' before using this estimator."
        )
