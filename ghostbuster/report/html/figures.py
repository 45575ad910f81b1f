"""Plots of an evaluation (ROC, DET, calibration, scores, slices) by matplotlib, as SVG and PNG."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ghostbuster.arrays import Float1d
from ghostbuster.errors import SettingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ghostbuster.detector.evaluation import Slice
    from ghostbuster.metrics.curves import Curves

MACHINE, HUMAN = "#c8691c", "#3f7fc1"
"""Orange and blue: told apart whatever colours one sees, 3:1 against white and near-black pages."""
INK = "#010203"
"""Stands for the page's own text colour: replaced where a figure is put into a page."""
_PAPER_INK = "#1b1f26"
DPI = 160
_OF_ROC = (
    "Every threshold: how many machine texts are found, and how many people are accused. "
    "Band: 95 % bootstrap interval at each false-positive rate."
)
_OF_DET = (
    "The same, both kinds of error on normal-deviate axes: it shows what happens where few are accused. "
    "Lower is better."
)
_OF_CALIBRATION = (
    "On the dotted line, of the texts given a probability of 0.7, 70 % are machine-written here. "
    "Lines: 95 % Wilson intervals."
)
_OF_PARTS = "Dots are measured values, lines their 95 % intervals."
_DET_TICKS = (0.001, 0.01, 0.05, 0.2, 0.5, 0.8, 0.95, 0.99)
SHARES = {
    "auroc": "AUROC",
    "true_positive_rate": "machine texts called machine",
    "false_positive_rate": "human texts called machine",
}
"""Figures of parts that are drawn, and their titles."""


@dataclass(frozen=True)
class Plot:
    """One plot in every format.

    Attributes
    ----------
    name : str
        Of its files.
    title, caption : str
    inline : str
        SVG for a page: no background, the page's text colour.
    svg, png : bytes
        On white.
    """

    name: str
    title: str
    caption: str
    inline: str
    svg: bytes
    png: bytes


def check_matplotlib() -> None:
    """Check that matplotlib is installed, before any costly work.

    Raises
    ------
    SettingError
        When matplotlib is not installed; it says how to get it.
    """
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise SettingError(
            "a report of an evaluation needs matplotlib, which is not installed: "
            "pip install 'ghostbuster[report]'"
        )


def draw(curves: Curves, slices: Sequence[Slice]) -> list[Plot]:
    """Every plot of an evaluation, in the order of the page.

    Parameters
    ----------
    curves : Curves
    slices : sequence of Slice
        One figure for each column among them.

    Returns
    -------
    list of Plot
        Of texts of one class, which have no ROC curve, the histogram and the parts.
    """
    made = [
        _plot(name, title, caption, partial(_alone, put, curves))
        for name, title, caption, put in _CURVES
        if curves.roc is not None or put is _put_histogram
    ]
    for column in dict.fromkeys(part.column for part in slices):
        parts = [part for part in slices if part.column == column]
        size = (7.2, 1.3 + 0.34 * len(parts))
        name = f"by-{_file_name(column)}"
        made.append(_plot(name, f"By {column}", _OF_PARTS, partial(_put_parts, parts), size))
    return made


def _alone(put: Callable[[Axes, Curves], None], curves: Curves, figure: Figure) -> None:
    put(figure.subplots(), curves)


def _plot(
    name: str,
    title: str,
    caption: str,
    put: Callable[[Figure], None],
    size: tuple[float, float] = (4.6, 3.9),
) -> Plot:
    import matplotlib as mpl
    from matplotlib.figure import Figure

    style: dict[Any, Any] = {
        "svg.hashsalt": name,
        "svg.fonttype": "none",
        "font.family": "sans-serif",
        "font.size": 10,
        "hatch.color": MACHINE,
        "hatch.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        **dict.fromkeys(
            ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK
        ),
    }
    with mpl.rc_context(style):
        figure = Figure(figsize=size, layout="constrained")
        put(figure)
        bare, paper, png = io.BytesIO(), io.BytesIO(), io.BytesIO()
        facts = {"Date": None, "Creator": None, "Title": title}
        figure.savefig(bare, format="svg", transparent=True, metadata=facts)
        figure.savefig(paper, format="svg", facecolor="white", metadata=facts)
        figure.savefig(png, format="png", dpi=DPI, facecolor="white", metadata={"Software": None})
    svg = paper.getvalue().replace(INK.encode(), _PAPER_INK.encode())
    return Plot(name, title, caption, _inline(bare.getvalue().decode(), name, title), svg, png.getvalue())


def _inline(svg: str, name: str, title: str) -> str:
    """An SVG as part of a page: ids of its own, a name for those who cannot see it, the page's colours."""
    from html import escape

    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = svg.replace(INK, "currentColor")
    return svg.replace("<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)


def _put_roc(axes: Axes, curves: Curves) -> None:
    if (roc := curves.roc) is None:
        return
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":", label="chance")
    axes.fill_between(roc.fpr, roc.low, roc.high, color=MACHINE, alpha=0.3, linewidth=0, step="post")
    axes.step(roc.fpr, roc.tpr, color=MACHINE, linewidth=1.8, where="post", label="detector")
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    _name(axes, "human texts accused", "machine texts found")
    axes.legend(frameon=False, loc="lower right")


def _put_det(axes: Axes, curves: Curves) -> None:
    if (roc := curves.roc) is None:
        return
    fpr = np.asarray(roc.fpr)
    inside = (fpr >= _DET_TICKS[0]) & (fpr < 1)
    x = _deviate(fpr[inside])
    missed, most, least = (_deviate(1 - np.asarray(v)[inside]) for v in (roc.tpr, roc.low, roc.high))
    axes.fill_between(x, least, most, color=MACHINE, alpha=0.3, linewidth=0)
    axes.plot(x, missed, color=MACHINE, linewidth=1.8)
    ticks = _deviate(np.array(_DET_TICKS))
    names = [f"{100 * share:g} %" for share in _DET_TICKS]
    axes.set(xlim=(ticks[0], ticks[-1]), ylim=(ticks[0], ticks[-1]))
    axes.set_xticks(ticks, names, rotation=45)
    axes.set_yticks(ticks, names)
    axes.grid(color=INK, alpha=0.15, linewidth=0.6)
    _name(axes, "human texts accused", "machine texts missed")


def _deviate(share: Float1d) -> Float1d:
    """Quantile of the normal distribution; shares of 0 and 1 stand at the rim."""
    from scipy.special import ndtri

    found: Float1d = ndtri(np.clip(share, 1e-4, 1 - 1e-4))
    return found


def _put_calibration(axes: Axes, curves: Curves) -> None:
    axes.plot([0, 1], [0, 1], color=INK, linewidth=0.8, linestyle=":", label="as stated")
    stated = [one.stated for one in curves.calibration]
    value = np.array([one.observed.value for one in curves.calibration])
    low = value - [one.observed.low for one in curves.calibration]
    high = [one.observed.high for one in curves.calibration] - value
    axes.errorbar(
        stated,
        value,
        (np.maximum(low, 0), np.maximum(high, 0)),
        color=MACHINE,
        fmt="o",
        capsize=3,
        label="observed",
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    _name(axes, "probability stated", "share of machine texts")
    axes.legend(frameon=False, loc="upper left")


def _put_histogram(axes: Axes, curves: Curves) -> None:
    for counts, color, hatch, label in (
        (curves.human, HUMAN, "", "human texts"),
        (curves.machine, MACHINE, "//", "machine texts"),
    ):
        shares = np.array(counts) / max(sum(counts), 1)
        axes.stairs(shares, curves.edges, fill=True, color=color, alpha=0.35, hatch=hatch)
        axes.stairs(shares, curves.edges, color=color, linewidth=1.8, label=label)
    axes.set(xlim=(0, 1), ylim=(0, None))
    _name(axes, "probability of a machine", "share of the class")
    axes.legend(frameon=False, loc="upper center")


def _put_parts(parts: Sequence[Slice], figure: Figure) -> None:
    places = np.arange(len(parts))[::-1]
    columns = figure.subplots(1, len(SHARES), sharey=True)
    for axes, (name, title) in zip(columns, SHARES.items(), strict=True):
        color = HUMAN if name == "false_positive_rate" else MACHINE
        for place, part in zip(places, parts, strict=True):
            estimate = part.figures.get(name)
            if estimate is not None:
                axes.plot([estimate.low, estimate.high], [place, place], color=color, linewidth=2.2)
                axes.plot([estimate.value], [place], "o", color=color)
        axes.set(xlim=(-0.03, 1.03), ylim=(-0.6, len(parts) - 0.4))
        axes.set_title(title.replace(" called", "\ncalled"), fontsize=9.5)
        axes.set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        axes.grid(axis="x", color=INK, alpha=0.15, linewidth=0.6)
    columns[0].set_yticks(places, [_short(part.value) for part in parts])


def _short(name: str, most: int = 28) -> str:
    """A name that fits beside a plot; a dollar sign begins no formula."""
    kept = name if len(name) <= most else name[: most - 1] + "\u2026"
    return kept.replace("$", r"\$")


def _name(axes: Axes, x: str, y: str) -> None:
    axes.set_xlabel(x)
    axes.set_ylabel(y)


def _file_name(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", column.lower()).strip("-") or "column"


_CURVES: tuple[tuple[str, str, str, Callable[[Axes, Curves], None]], ...] = (
    ("roc", "ROC curve", _OF_ROC, _put_roc),
    ("det", "DET curve", _OF_DET, _put_det),
    ("calibration", "Calibration", _OF_CALIBRATION, _put_calibration),
    ("histogram", "Scores", "How the probabilities of both classes spread.", _put_histogram),
)
"""Name of the files, title, caption, and what draws it; in the order of the page."""
