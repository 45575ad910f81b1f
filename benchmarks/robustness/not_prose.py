"""How many texts that are no prose are called so, and how much of people's and machines' prose.

    python -m benchmarks.robustness.not_prose --data FOLDER [--fit] [--out docs]

With ``--fit`` the table of `ghostbuster/text/oddness.py` is learned anew and printed; no page is written.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.accuracy.accuracy_tables import table
from ghostbuster.arrays import Float1d, Float2d
from ghostbuster.errors import InputError
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.text.oddness import PROSE_HAS
from ghostbuster.text.prose import FEWEST_CHARACTERS, assess
from ghostbuster.text.surface import NAMES, look
from training.data.dataset import DEFAULT_FOLDER
from training.data.labelled import read_file
from training.data.not_prose import KINDS, ROOTS, UNSEEN, code, made

PER_LANGUAGE, PER_KIND = 120, 200
SHARES = {"code": 0.4, "log": 0.15, "bibliography": 0.15, "list": 0.15, "table": 0.15}
"""What each kind weighs where the table is learned; prose weighs as much as all of them."""
QUANTILES = (0.5, 0.9, 0.99, 0.999)
KEPT = 0.9984
"""Share of the prose it is learned from that the bound keeps."""
HEADING = """# What is no prose

Made by `python -m benchmarks.robustness.not_prose`. The detector judges English prose. Code, logs,
bibliographies, lists, tables and verse are `unsure`, with what the text looks like as the reason,
whatever the detector: it is a rule of the text, not of the features. Its shares (symbols, digits,
function words, words in sentences, lines that end no sentence, ...) add up to log-odds, by a table in
`ghostbuster/text/oddness.py` in which nothing that prose lacks ever speaks for prose.

Prose with program code in it is judged by its prose where that is 100 words or more and two fifths of
all; the verdict says how much was left out. Code is drawn from the sources that this machine holds
({unseen} were not learned from); the other kinds are made by chance. *Left to prose*: manuals in
files of code that are long enough to be judged by themselves; comments, and what documents a function,
belong to the code. An essay in a docstring, without code, is prose.
"""


def prose(folder: Path, most: int | None = None) -> Iterator[tuple[str, str]]:
    """File and text of each labelled text, as its source published it."""
    for path in sorted(folder.glob("*.jsonl.xz")):
        rows = read_file(path)[:most]
        yield from ((path.name.removesuffix(".jsonl.xz"), row.raw or row.text) for row in rows)


def odd(seed: int) -> list[tuple[str, str]]:
    """Kind and text of each sample."""
    drawn = [(f"code: {name}", text) for name, text in code(ROOTS, PER_LANGUAGE, seed)]
    return drawn + [(kind, text) for kind in KINDS for text in made(kind, PER_KIND, seed)]


@dataclass(frozen=True)
class Table:
    """A table as `ghostbuster/text/oddness.py` holds one, and the bound from which a text is no prose."""

    base: float
    segments: dict[str, tuple[tuple[float, float, float], ...]]
    least_odd: float


def learned(usual: Float2d, strange: Float2d, weights: Sequence[float]) -> Table:
    """The table: monotone and piecewise linear logistic regression.

    Parameters
    ----------
    usual, strange : array of shape (n_texts, n_shares)
        Shares of prose, and of what is none, as ``oriented`` gives them.
    weights : sequence of float
        Of the strange ones; all prose together weighs 1.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    knots = [_knots(usual[:, j], strange[:, j]) for j in range(len(NAMES))]
    X = np.vstack([_basis(strange, knots), _basis(usual, knots)])
    y = np.r_[np.ones(len(strange)), np.zeros(len(usual))]
    w = np.r_[weights, np.full(len(usual), 1 / len(usual))] / 2
    scale = X.max(axis=0) + 1e-9
    X /= scale

    def loss(v: Float1d) -> tuple[float, Float1d]:
        z = X @ v[1:] + v[0]
        gradient = (expit(z) - y) * w
        return (
            float(((np.logaddexp(0, z) - y * z) * w).sum() + 1e-5 * (v[1:] ** 2).sum()),
            np.r_[gradient.sum(), X.T @ gradient + 2e-5 * v[1:]],
        )

    start = np.r_[-3.0, np.ones(X.shape[1])]
    bounds = [(None, None)] + [(0, None)] * X.shape[1]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 400}).x
    slopes = iter(np.round(found[1:] / scale, 1).tolist())
    parts = {
        name: tuple((a, b, next(slopes)) for a, b in pairwise(ends))
        for name, ends in zip(NAMES, knots, strict=True)
    }
    segments = {
        name: tuple(one for one in row if one[2] > 0)
        for name, row in parts.items()
        if any(one[2] > 0 for one in row)
    }
    bound = float(np.quantile((X[len(strange) :] @ found[1:]) + found[0], KEPT))
    return Table(round(float(found[0]), 2), segments, bound)


def fit(folder: Path) -> str:
    """The table, learned from all labelled prose and the samples; as code."""
    samples = known_samples(1)
    usual = oriented([look(text) for _, text in prose(folder) if len(text) >= FEWEST_CHARACTERS])
    strange = oriented([look(text) for _, text in samples])
    made = learned(usual, strange, sample_weights([kind for kind, _ in samples]))
    told = [f"BASE = {made.base}"]
    for name, row in made.segments.items():
        told.append(f'"{name}": ({", ".join(f"({a:g}, {b:g}, {slope:g})" for a, b, slope in row)},),')
    return "\n".join([*told, f"LEAST_ODD: at most {made.least_odd:.2f} keeps {1 - KEPT:.2%} of prose"])


def known_samples(seed: int) -> list[tuple[str, str]]:
    """Kind and text of the samples that are learned from, all code of one kind."""
    return [
        (kind.split(":")[0], text) for kind, text in odd(seed) if kind.removeprefix("code: ") not in UNSEEN
    ]


def sample_weights(kinds: Sequence[str]) -> list[float]:
    """What each sample weighs, so that kinds have their ``SHARES``."""
    n = Counter(kinds)
    return [SHARES[kind] / n[kind] for kind in kinds]


def oriented(shares: Sequence[Sequence[float]]) -> Float2d:
    """Shares, of those that prose has much of what is missing."""
    return np.array(
        [[1 - v if n in PROSE_HAS else v for n, v in zip(NAMES, row, strict=True)] for row in shares]
    )


def _knots(usual: Float1d, strange: Float1d) -> list[float]:
    ends = sorted(
        {0.0, *np.round(np.quantile(usual, QUANTILES), 3), round(float(np.quantile(strange, 0.75)), 3), 1.0}
    )
    return [ends[0]] + [b for a, b in pairwise(ends) if b - a > 0.004]


def _basis(shares: Float2d, knots: Sequence[Sequence[float]]) -> Float2d:
    """How far each value reaches into each stretch between two knots."""
    return np.hstack(
        [np.clip(shares[:, [j]], a, b) - a for j, ends in enumerate(knots) for a, b in pairwise(ends)]
    )


def report(folder: Path, seed: int = 2) -> str:
    """The page."""
    n, called, left = Counter(), Counter(), Counter()
    samples = odd(seed)
    for kind, text in samples:
        found = assess(text)
        n[kind] += 1
        called[kind] += bool(found.unlike)
        left[kind] += bool(found.note)
    rows = [
        [kind, f"{n[kind]:,}", f"{called[kind] / n[kind]:.1%}", f"{left[kind] / n[kind]:.1%}"] for kind in n
    ]
    lines = [HEADING.format(unseen=", ".join(sorted(UNSEEN))), "## Called no prose\n"]
    lines += table(["kind", "texts", "called no prose", "left to prose"], rows)
    total, wrong, cut = Counter(), Counter(), Counter()
    for file, text in prose(folder):
        found = assess(text)
        total[file] += 1
        wrong[file] += bool(found.unlike)
        cut[file] += bool(found.note)
    rows = [
        [file, f"{total[file]:,}", f"{wrong[file]:,}", f"{wrong[file] / total[file]:.2%}", f"{cut[file]:,}"]
        for file in total
    ]
    every = [sum(one.values()) for one in (total, wrong, cut)]
    rows.append(["all", f"{every[0]:,}", f"{every[1]:,}", f"{every[1] / every[0]:.2%}", f"{every[2]:,}"])
    lines += [
        "\n## People's and machines' texts\n",
        "As published, all of them; the table was learned from the same ones: what it does to each file left",
        "out of that is in [not-prose-left-out.md](not-prose-left-out.md). Some are what they are called:",
        "answers that are program code (`comnets.university`), rows of sports results, lists of dishes.\n",
    ]
    lines += table(["file", "texts", "called no prose", "share", "code left out"], rows)
    return "\n".join([*lines, ""])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER, help="folder of *.jsonl.xz")
    parser.add_argument("--fit", action="store_true", help="print the table, learned anew")
    parser.add_argument("--out", type=Path, default=Path("docs"), help="folder of the page's folder")
    options = parser.parse_args()
    if options.fit:
        print(fit(options.data))
        return
    page = options.out / "reliability" / "not-prose.md"
    with atomic_write(page, InputError) as unfinished:
        unfinished.write_text(report(options.data), encoding="utf-8")


if __name__ == "__main__":
    main()
