"""The Markdown of docs/accuracy.md, made from its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.accuracy.accuracy_changes import before_section
from benchmarks.accuracy.accuracy_tables import (
    forms_table,
    lengths_table,
    over_sources,
    promise_table,
    variants_table,
)
from training.data.dataset import PROBES, STRESS

Figure = Mapping[str, float]
Trial = Mapping[str, Mapping[str, Mapping[str, Figure]]]  # contender -> file -> metric -> figure
HEADS = {
    "auroc": "AUROC",
    "tpr": "TPR at 1 % FPR",
    "f1": "F1 at 0.5",
    "fpr": "FPR where 1 % was promised",
    "found": "called machine there",
}


HEAD = """# Accuracy

Made by `python -m benchmarks.accuracy.accuracy`; all numbers with more digits:
[accuracy.json](data/accuracy.json)."""

UNSEEN = """## On sources it has not seen

Trained on all other sources, asked about this one: the figures that resemble a user's. Means over
sources, files of one source averaged first; stress file and probe left out."""

SEEN = """## On texts of sources it knows

Grouped three-fold cross-validation within each file: easy, and no measure of what a stranger's text meets."""

VARIANTS = """## What each part earns

The same texts and folds, one part changed or left out: means over the sources left out, each with a 95 %
interval over sources (whole sources drawn with replacement; six are few), and the difference from TF-IDF on
the same sources. Features, head and words are learned anew without each source; nothing is tuned on it."""

CANONICAL = """### With and without canonicalisation

{n} of the texts, without crops: as their sources published them, and prepared; learned from and asked about
in one form, cut to equal numbers of words. What a text loses by preparation is what tells sources apart as
well as authors: cues that a figure within these files rewards and a stranger's text does not have."""

PROMISE = """## The promise to people

Texts of {min_tokens} tokens or more of a source that was left out altogether, at the threshold promised for
1 %. The detector's rule takes the threshold that people of all remaining sources need together; "strictly"
takes the highest that any of them needs by itself: people who write unlike most are a little safer, and far
fewer machine texts are found. `hc3plus` and the probe are never learned from."""

NOISE = """### People's texts with noise

`detectrl.human_perturbed`, its whole source left out of training: share called machine at the threshold
promised for 1 %."""

LENGTHS = """## By length

Leave-one-source-out, asked about the first tokens of each text, 500 and 1,000 of the longest texts of each
file: AUROC (TPR at 1 % FPR; share of people called machine where 1 % was promised), means over files with 40
texts of each class that are long enough. The detector answers `unsure` below {min_tokens} tokens: the
shortest of these lengths at which its AUROC on unseen sources is 0.85 or more."""

METHOD = """## How it was measured

* Every text is prepared as in scoring (`ghostbuster.text.prepare.prepare`); equal texts are kept once, and
  none whose copies have both labels.
* Both classes of a file, and of each of its domains that has 20 texts of each class, are cut at ends of
  sentences to one distribution of lengths: what is longer is shortened, quantile by quantile.
* Texts that share a prompt, a document, or 16 words in a row are one group, across files too: several
  sources drew on the same stories, reviews and abstracts. No group stands on both sides of a split, and
  the bootstrap draws whole groups.
* Everything learned is learned on the training side: features, head, calibration, threshold. Leaving a
  source out, calibration and threshold come from the scores of each *remaining* source under a detector
  that was not shown it either. In-domain, features are chosen once on the training side for all inner
  folds.
* The probability behind F1 is the calibrated one, cut at 0.5; no threshold was chosen on tested texts.
  TPR at 1 % FPR cuts at the highest score that 1 % of the *tested* human texts reach: it measures
  ranking alone.
* The promise: the threshold that 1 % of held-out human *training* texts of all sources together exceed,
  applied to a source that was not among them, counting texts long enough to be judged. Where a source's
  people write unlike all others it is broken, as the column shows.
* Rows with "words" weigh a lexicon (TF-IDF of words and pairs of words) beside the features, as the shipped
  detector does; the rows with a head alone are what the weak models know without it.
* Zero-shot statistics need no training; their direction is the one their papers give. They read the same
  small models: published figures used models a thousand times larger.
* Classes and sources have equal weights in training, and sources are brought to one level (a fixed effect
  for each). The share of words, 70 %, was chosen on these figures, among five values between 50 and 90 % that
  lie within 0.007 of each other. The preset `kaggle` has its 100 statistics with a
  logistic head in place of the published vote of two others; `ghostbuster` is the published search with
  fixed folds.
* Intervals: 95 %, percentile bootstrap; Wilson's for shares of texts called machine."""


def report(found: Mapping[str, Any]) -> str:
    """The whole document, from what the benchmark writes as JSON."""
    unseen, seen = found["leave_one_source_out"], found["in_domain"]
    blocks = [
        [HEAD],
        _setup(found),
        [UNSEEN],
        _summary(unseen, found["sources"]),
        _comparison(unseen, found),
        [VARIANTS],
        variants_table(found["variants"], found["baseline"]),
        *(before_section(found) if "before" in found else []),
        [CANONICAL.format(n=found["canonicalisation"]["n_texts"])] if "canonicalisation" in found else [],
        forms_table(found["canonicalisation"]["figures"]) if "canonicalisation" in found else [],
        [PROMISE.format(min_tokens=found["min_tokens"])],
        promise_table(found["promise"][found["detectors"][0]]),
        [NOISE],
        _noise(found["noise"]),
        [LENGTHS.format(min_tokens=found["min_tokens"])] if "by_length" in found else [],
        lengths_table(found["by_length"]) if "by_length" in found else [],
        _by_file(unseen, "Leave-one-source-out"),
        [SEEN],
        _summary(seen, found["sources"]),
        _by_file(seen, "In-domain"),
        [METHOD],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _setup(found: Mapping[str, Any]) -> list[str]:
    rows = [
        f"| {name} | {n['human']} | {n['machine']} | {n['groups']} | {n['words']} | {_role(name)} |"
        for name, n in found["files"].items()
    ]
    total = sum(n["human"] + n["machine"] for n in found["files"].values())
    versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
    models = ", ".join(
        f"{model['role']} {model['parameters'] / 1e6:.1f}M parameters"
        for model in found["models"]
        if "parameters" in model
    )
    ran = (
        f"{total} texts ({found['plan']}) and {found['n_crops']} passages of them to learn from as well, "
        f"{found['n_tokens']} tokens. Models: {models}. Search: space `{found['space']}`, at most "
        f"{found['max_features']} features. Libraries: {versions}."
    )
    return [
        ran,
        "",
        "| file | human | machine | groups | words | role |",
        "|---|---|---|---|---|---|",
        *rows,
    ]


def _role(name: str) -> str:
    if name in STRESS:
        return "stress: never trained on, not in means"
    return "probe: never trained on" if name in PROBES else ""


def _summary(trial: Trial, sources: Mapping[str, str]) -> list[str]:
    """One row a contender: means over sources, and the worst source's AUROC."""
    lines = [f"| | {' | '.join(HEADS.values())} | worst source |", "|---|---|---|---|---|---|---|"]
    for contender, files in trial.items():
        means = {metric: over_sources(files, metric, sources) for metric in HEADS}
        areas = means["auroc"]
        worst = min(areas, key=lambda source: areas[source])
        cells = [f"{np.mean(list(means[metric].values())):.3f}" for metric in HEADS]
        lines.append(f"| {contender} | {' | '.join(cells)} | {worst} ({areas[worst]:.3f}) |")
    return lines


def _comparison(unseen: Trial, found: Mapping[str, Any]) -> list[str]:
    """Which of ours beats the baseline where, in words."""
    baseline = unseen[found["baseline"]]
    files = [name for name, figures in baseline.items() if "auroc" in figures and name not in STRESS]
    lines = []
    for name in found["detectors"]:
        better = [f for f in files if unseen[name][f]["auroc"]["value"] > baseline[f]["auroc"]["value"]]
        clear = [f for f in better if unseen[name][f]["auroc"]["low"] > baseline[f]["auroc"]["high"]]
        worse = [f for f in files if f not in better]
        lines.append(
            f"{name}: a higher AUROC than {found['baseline']} on {len(better)} of {len(files)} files"
            f" ({len(clear)} with intervals apart)" + (f"; not on {', '.join(worse)}." if worse else ".")
        )
    return lines


def _by_file(trial: Trial, title: str) -> list[str]:
    """A table for each file."""
    files = dict.fromkeys(name for by_file in trial.values() for name in by_file)
    lines: list[str] = []
    for name in files:
        shown = [
            metric for metric in HEADS if any(metric in by_file.get(name, {}) for by_file in trial.values())
        ]
        lines += [
            f"### {title}: {name}",
            "",
            f"| | {' | '.join(HEADS[metric] for metric in shown)} |",
            "|---" * (len(shown) + 1) + "|",
        ]
        for contender, by_file in trial.items():
            if name in by_file:
                cells = [_cell(by_file[name].get(metric)) for metric in shown]
                lines.append(f"| {contender} | {' | '.join(cells)} |")
        lines.append("")
    return lines[:-1]


def _cell(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _noise(table: Mapping[str, Mapping[str, Figure]]) -> list[str]:
    noises = list(next(iter(table.values())))
    lines = [
        f"| | {' | '.join(f'`{noise}`' for noise in noises)} |",
        "|---" * (len(noises) + 1) + "|",
    ]
    for contender, row in table.items():
        lines.append(f"| {contender} | {' | '.join(_cell(row[noise]) for noise in noises)} |")
    return lines
