"""Text formats of an evaluation: table and JSON. To add one, add its row to ``EVALUATION_FORMATS``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ghostbuster.report.wording import from_where

if TYPE_CHECKING:
    from ghostbuster.decision.thresholds import Threshold
    from ghostbuster.detector.evaluation import Evaluation
    from ghostbuster.metrics.classification import Estimate

NAMES = {
    "auroc": "AUROC",
    "tpr_at_1_percent_fpr": "machine texts found at 1 % false positives here",
    "f1": "F1 at probability 0.5",
    "calibration_error": "calibration error",
    "false_positive_rate": "human texts called machine",
    "true_positive_rate": "machine texts called machine",
    "unsure_rate": "texts left unsure",
}


def figures_as_table(evaluation: Evaluation, model: str, threshold: Threshold) -> str:
    """Figures with their intervals, then those of each part."""
    counts = (
        f"detector {model}, {evaluation.n_human:,} human and {evaluation.n_machine:,} machine texts, "
        f"{evaluation.n_unjudged:,} of them too short to judge"
    )
    promise = (
        f"promise kept by the verdicts: at most {100 * threshold.rate:g} % of human texts called machine "
        f"(probability {from_where(threshold)})"
    )
    lines = [counts, promise, "", f"{'':<48}{'value':>8}  95 % interval"]
    lines += [
        f"{NAMES[name]:<48}{_cells(figure)}"
        for name, figure in evaluation.figures.items()
        if figure is not None
    ]
    if missing := [name for name, figure in evaluation.figures.items() if figure is None]:
        lines += [
            "",
            f"not measured, since {_lacks(evaluation)}: {', '.join(NAMES[name] for name in missing)}",
        ]
    column = None
    for part in evaluation.slices:
        if part.column != column:
            column = part.column
            lines += ["", f"by {column}"]
        lines.append(f"  {part.value} ({part.n_human:,} human, {part.n_machine:,} machine)")
        lines += [f"    {NAMES[name]:<44}{_cells(f)}" for name, f in part.figures.items() if f is not None]
    return "\n".join(lines)


def _lacks(evaluation: Evaluation) -> str:
    """What the texts lack that some figures need."""
    if not evaluation.n_machine:
        return "there is no machine text"
    return "too few texts were judged" if evaluation.n_human else "there is no human text"


def _cells(figure: Estimate) -> str:
    return f"{figure.value:>8.4f}  {figure.low:.4f} to {figure.high:.4f}"


def figures_as_json(evaluation: Evaluation, model: str, threshold: Threshold) -> str:
    """One object: counts, figures as value, low and high, and the same for each part."""
    content = {
        "model": model,
        "threshold": {
            "rate": threshold.rate,
            "probability": threshold.probability,
            "by_length": [
                {"from_tokens": band.from_tokens, "probability": band.probability} for band in threshold.bands
            ],
        },
        "n_human": evaluation.n_human,
        "n_machine": evaluation.n_machine,
        "n_unjudged": evaluation.n_unjudged,
        "figures": _plain(evaluation.figures),
        "slices": [
            {
                "column": part.column,
                "value": part.value,
                "n_human": part.n_human,
                "n_machine": part.n_machine,
                "figures": _plain(part.figures),
            }
            for part in evaluation.slices
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)


def _plain(figures: Mapping[str, Any]) -> dict[str, dict[str, float] | None]:
    return {
        name: None if f is None else {"value": f.value, "low": f.low, "high": f.high}
        for name, f in figures.items()
    }


EVALUATION_FORMATS: dict[str, Callable[[Evaluation, str, Threshold], str]] = {
    "table": figures_as_table,
    "json": figures_as_json,
}
