"""Labelled texts of several sources, for what looks at labels and sources alone."""

from __future__ import annotations

from collections.abc import Mapping

from training.data.labelled import LabelledText


def labelled_rows(counts: Mapping[str, tuple[int, int]]) -> list[LabelledText]:
    """So many human and machine texts of each source."""
    return [
        LabelledText(f"{source}-{label}-{i}", "a text", "a text", label, source, source, "d", "g", "none", ())
        for source, of_classes in counts.items()
        for label, n in enumerate(of_classes)
        for i in range(n)
    ]
