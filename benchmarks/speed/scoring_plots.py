"""The plots of docs/performance.md, from docs/data/performance.json."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

NAMES = {
    "limit": "limit of the build",
    "engine": "ghostbuster",
    "eval": "Llama.eval + scores",
    "completion": "create_completion",
    "torch-bf16": "transformers bf16",
    "torch-fp32": "transformers fp32",
}
Found = Mapping[str, Any]


def draw(path: Path, images: Path) -> None:
    """Draw what the file has numbers for, in the folder ``images``."""
    images.mkdir(parents=True, exist_ok=True)
    found = json.loads(path.read_text("utf-8"))
    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "ghostbuster", "font.size": 9})
    plots: dict[str, tuple[str, Callable[[Found, Path], None]]] = {
        "embedded": ("performance-parts.svg", parts),
        "lengths": ("performance-lengths.svg", flatness),
    }
    for section, (name, plot) in plots.items():
        if section in found:
            plot(found[section], images / name)
    measured = found.get("embedded", {}) | found.get("large", {})
    contests = {model: table for model, table in measured.items() if table.keys() >= NAMES.keys()}
    if contests:
        contest(contests, images / "performance-contest.svg")


def save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def parts(found: Found, path: Path) -> None:
    """Where the engine's time goes."""
    figure, axes = plt.subplots(figsize=(6.5, 1.9))
    for row, (model, table) in enumerate(found.items()):
        cpu = {way: table[way]["cpu_us_per_token"] for way in ("limit", "body", "unread", "engine")}
        steps = list(cpu.values())
        widths = [steps[0], *(max(0.0, b - a) for a, b in itertools.pairwise(steps))]
        left = 0.0
        for width, colour in zip(widths, ("#4878a8", "#85b0d5", "#e0a458", "#b04a4a"), strict=True):
            axes.barh(row, width, left=left, color=colour)
            axes.text(left + width / 2, row, f"{width:.0f}", ha="center", va="center", color="white")
            left += width
        axes.text(left, row, f" {model}", va="center")
    labels = ("limit", "last layer at all positions", "output head", "reduction and the rest")
    axes.legend(
        axes.containers[:4], labels, ncols=2, loc="lower center", bbox_to_anchor=(0.45, 1), frameon=False
    )
    axes.set(yticks=[], xlabel="microseconds of CPU a token")
    bare(axes)
    save(figure, path)


def flatness(found: Found, path: Path) -> None:
    """Tokens a second and memory, by length and by number of texts."""
    figure, both = plt.subplots(1, 2, figsize=(6.5, 2.4), sharey=True)
    titles = {"by_length": "tokens of a text", "by_count": "texts of 250 tokens"}
    for axes, (key, title) in zip(both, titles.items(), strict=True):
        sizes = [int(size) for size in found[key]]
        axes.plot(
            sizes, [1e6 / row["cpu_us_per_token"] for row in found[key].values()], "o-", color="#4878a8"
        )
        axes.set(xscale="log", xlabel=title, ylim=(0, None))
        for size, row in zip(sizes, found[key].values(), strict=True):
            axes.annotate(
                f"{row['peak_mb']}", (size, 0), ha="center", va="bottom", fontsize=7, color="#b04a4a"
            )
        bare(axes)
    both[0].set_ylabel("tokens per CPU second")
    both[0].annotate("peak MB", (0, 0.12), xycoords="axes fraction", fontsize=7, color="#b04a4a")
    save(figure, path)


def contest(found: Found, path: Path) -> None:
    """Each contestant's speed as a share of the limit."""
    figure, all_axes = plt.subplots(1, len(found), figsize=(2.4 + 2.0 * len(found), 2.2), sharey=True)
    for axes, (model, table) in zip([all_axes] if len(found) == 1 else all_axes, found.items(), strict=True):
        ways = [way for way in NAMES if way in table]
        shares = [table[way]["of_limit_by_cpu"] for way in ways]
        colours = ["#4878a8" if way == "engine" else "#b8c4d0" for way in ways]
        axes.barh([NAMES[way] for way in ways], shares, color=colours)
        for y, share in enumerate(shares):
            axes.text(share, y, f" {share:.2f}", va="center", fontsize=8)
        axes.set(title=model, xlim=(0, 1.35 * max(1.0, *shares)))
        bare(axes)
    axes.invert_yaxis()
    figure.supxlabel("tokens per CPU second, limit of the build = 1", fontsize=9)
    save(figure, path)


def bare(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
