"""The verdicts of one run beside the names of their texts, which every format prints."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ghostbuster.decision.thresholds import Threshold
    from ghostbuster.decision.verdict import Evidence, Verdict
    from ghostbuster.detector.passages import Passages


@dataclass(frozen=True)
class Report:
    """Verdicts of one detector on a list of texts.

    Attributes
    ----------
    paths : sequence of str, length n_texts
        What each text is called: its file, or ``-``.
    verdicts : sequence of Verdict, length n_texts
    model : str
        The detector's name and digest.
    threshold : Threshold
        The promise on human texts that the verdicts keep.
    device : str
        Where the language models computed: ``CPU``, or the cards' names.
    parts : sequence of sequence of dict, length n_texts
        Words of each part of a document, and whether it was read; empty where nothing is known of that.
    passages : sequence of Passages, length n_texts
        Probabilities along each text; empty where they were not asked for.
    """

    paths: Sequence[str]
    verdicts: Sequence[Verdict]
    model: str
    threshold: Threshold
    device: str = "CPU"
    parts: Sequence[Sequence[dict[str, object]]] = ()
    passages: Sequence[Passages] = ()

    def records(self) -> list[dict[str, Any]]:
        """One dict a text, fit for JSON; a text without a probability has None there."""
        records: list[dict[str, Any]] = [
            {
                "path": path,
                "probability": None if math.isnan(verdict.probability) else verdict.probability,
                "label": verdict.label,
                "reasons": list(verdict.reasons),
                "n_tokens": verdict.n_tokens,
                "n_words": verdict.n_words,
                "model": self.model,
                "device": self.device,
                "threshold": None if math.isnan(verdict.threshold) else verdict.threshold,
                "readers": [_plain(one) for one in verdict.readers],
                "evidence": [_plain(one) for one in verdict.evidence],
                **({"parts": list(parts)} if len(parts) > 1 else {}),
            }
            for path, verdict, parts in zip(
                self.paths, self.verdicts, self.parts or [()] * len(self.paths), strict=True
            )
        ]
        if self.passages:
            for record, passages in zip(records, self.passages, strict=True):
                record["passages"] = passages_record(passages)
        return records


def passages_record(passages: Passages) -> dict[str, Any]:
    """Probabilities along a text, fit for JSON: what ``--passages`` adds to a record."""
    windows = [asdict(window) | {"doubts": list(window.doubts)} for window in passages.windows]
    return {
        "machine_share": None if passages.share is None else asdict(passages.share),
        "reason": passages.reason,
        "windows": windows,
        "sentences": [
            {name: value for name, value in asdict(sentence).items() if name != "doubts"}
            for sentence in passages.sentences
        ],
    }


def _plain(one: Evidence) -> dict[str, Any]:
    """A piece of evidence, fit for JSON."""
    return {
        "feature": one.feature,
        "value": one.value,
        "contribution": one.contribution,
        "meaning": one.meaning,
    }
