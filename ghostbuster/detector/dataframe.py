"""Texts to a DataFrame of verdicts: ``ghostbuster.score_texts``."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from ghostbuster.arrays import Progress
from ghostbuster.detector.artifact import load
from ghostbuster.detector.detector import Detector
from ghostbuster.reading.texts import TEXT_COLUMN, check_texts, is_data_frame, text_column

COLUMNS = ("probability", "label", "reasons", "n_tokens", "n_words")


def score_texts(
    texts: Iterable[str] | pd.Series[str] | pd.DataFrame,
    detector: Detector | str | Path | None = None,
    *,
    column: str = TEXT_COLUMN,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """A verdict for each text, a row each.

    Parameters
    ----------
    texts : iterable of str, Series, or DataFrame
        Of a DataFrame the column named ``column`` is read.
    detector : GhostbusterClassifier, str or Path, optional
        A fitted detector, the file of one, or the name of one that ships; by default the best of these.
    column : str
    progress : callable, optional
        Called with (tokens done, tokens in all).

    Returns
    -------
    DataFrame
        With the index of ``texts`` (0, 1, ... for a list) and the columns ``probability`` (of machine; NaN
        for a text too short to judge), ``label`` (human, machine or unsure), ``reasons`` (parted by ``; ``),
        ``n_tokens`` and ``n_words``.

    Raises
    ------
    InputError
        When ``texts`` is one string, a dict or a set, an element is no text, or the DataFrame has no such
        column.
    ArtifactError
        When the detector's file cannot be used.

    Examples
    --------
    >>> import ghostbuster
    >>> ghostbuster.score_texts(["Far too short."])["label"].tolist()
    ['unsure']
    """
    given = text_column(texts, column) if is_data_frame(texts) else texts
    index = given.index if isinstance(given, pd.Series) else None
    listed = check_texts(given)
    asked = detector if isinstance(detector, Detector) else load(detector)
    verdicts = asked.judge(listed, progress)
    rows = [(v.probability, v.label, "; ".join(v.reasons), v.n_tokens, v.n_words) for v in verdicts]
    return pd.DataFrame(rows, columns=list(COLUMNS), index=index)
