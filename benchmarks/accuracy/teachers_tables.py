"""Tables of docs/teachers.md and docs/augmentation.md, in Markdown, from the figures that were kept.

python -m benchmarks.accuracy.teachers_tables docs/data
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Figure = Mapping[str, float]
METRICS = ("auroc", "tpr")


def value(one: Figure, *, with_interval: bool = True) -> str:
    """A metric between 0 and 1: ``.912 [.880, .940]``."""
    shown = f"{one['value']:.3f}"
    return f"{shown} [{one['low']:.3f}, {one['high']:.3f}]" if with_interval else shown


def gained(one: Figure) -> str:
    """A difference: ``+0.009 [-0.005, +0.027]``."""
    return f"{one['value']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}]"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def readers(figures: Mapping[str, Any], sources: Sequence[str]) -> str:
    """Readers and their mixes, on the sources left out."""
    rows = []
    for name, one in figures["readers"].items():
        auroc, tpr = (one[metric] for metric in METRICS)
        cells = [value(auroc["sources"][source], with_interval=False) for source in sources]
        first = name in {"probe", "features, words and probe"}
        gains = ["", ""] if first else [gained(one[metric]["gain"]["mean"]) for metric in METRICS]
        rows.append([name, *cells, value(auroc["mean"]), gains[0], value(tpr["mean"]), gains[1]])
    return table(["", *sources, "mean AUROC", "gained", "TPR at 1 % FPR", "gained"], rows)


def students(figures: Mapping[str, Any]) -> str:
    """Students, by whose word they learned from."""
    rows = []
    for name, one in figures["students"].items():
        if isinstance(one, int):
            continue
        gains = ["", ""] if name == "nobody" else [gained(one[metric]["gain"]["mean"]) for metric in METRICS]
        cells = zip((value(one[metric]["mean"]) for metric in METRICS), gains, strict=True)
        rows.append([name, *(cell for pair in cells for cell in pair)])
    return table(["the word of", "AUROC", "gained", "TPR at 1 % FPR", "gained"], rows)


def augmentation(figures: Mapping[str, Any]) -> str:
    """The detector before and after each round, on the sources left out and as their mean."""
    sources = figures["left_out"]
    rows = []
    for number, one in enumerate(figures["after_round"], 1):
        if number == 1:
            rows.append(
                ["before", *_row(one, "before", sources), "", value(one["tpr"]["before"]["mean"]), ""]
            )
        auroc, tpr = (gained(one[metric]["gain"]["mean"]) for metric in METRICS)
        after = _row(one, "after", sources)
        rows.append([f"round {number}", *after, auroc, value(one["tpr"]["after"]["mean"]), tpr])
    return table(["", *sources, "mean AUROC", "gained", "TPR at 1 % FPR", "gained"], rows)


def _row(one: Mapping[str, Any], when: str, sources: Sequence[str]) -> list[str]:
    auroc = one["auroc"][when]
    cells = [value(auroc["sources"][source], with_interval=False) for source in sources]
    return [*cells, value(auroc["mean"])]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder of finetuned.json and augmentation.json")
    folder = parser.parse_args().data
    tuned, made = (
        json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("finetuned", "augmentation")
    )
    print(readers(tuned, made["left_out"]), students(tuned), augmentation(made), sep="\n\n")


if __name__ == "__main__":
    main()
