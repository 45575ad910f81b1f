"""Write the model card of a trained detector, from its manifest and the benchmark's figures.

python -m training.detector.card [--artifact FILE] [--figures docs/data/accuracy.json]
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ghostbuster.artifacts.shipped import FOLDER, LITE
from ghostbuster.detector.artifact import open_artifact
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.errors import ArtifactError
from ghostbuster.system.atomic_files import atomic_write

LICENCES = {
    "biscope": "BiScope, CC BY-SA 4.0",
    "detectrl": "DetectRL, no licence stated",
    "l2r": "Learning to Rewrite, CC BY 3.0",
    "lastde": "Lastde, no licence stated",
    "outfox": "OUTFOX, Apache-2.0",
    "rexshijaku": "TOEFL essays beside ChatGPT's (rexshijaku), MIT",
    "hc3plus": "HC3 Plus, none stated",
}

TEMPLATE = """# The detector `lite`

`lite.joblib`, sha256 `{digest}`. Head
`{head}`, {n_features} features of the space `{space}`, words weigh {lexical_weight:.0%}, seed {seed}.
Made by `python -m training.detector.train_default`; the weak models are the embedded ones, and scoring with
others is refused.

## What it learned from

{n_human} human and {n_machine} machine texts (whole ones and passages of them), {n_tokens} tokens. No
text is in this repository or in the artifact: it holds numbers, and a list of {n_terms} words and pairs of
words, each of which stood in five texts or more.

| source | human | machine | from |
|---|---|---|---|
{sources}

Texts are English: stories, reviews, news, abstracts, school and exam essays, forum answers, nine
registers of everyday prose; the machine ones come from language models between text-davinci-003 and
GPT-4o. Never learned from: `hc3plus` (30-word summaries), `detectrl.human_perturbed` (people's texts
with noise).

## How well it does on a source it has not seen

Each row is a detector of the same make, trained without the source and asked about it. All figures,
intervals and the protocol: [docs/accuracy.md](../../docs/accuracy.md).

| file | AUROC | TPR at 1 % FPR | FPR where 1 % was promised | AUROC of TF-IDF |
|---|---|---|---|---|
{figures}

{place}

## Thresholds

From scores of human texts of {min_tokens} tokens or more that were held out together with their whole source:

| promised | probability from which a text is called machine | measured | in the worst source | human texts |
|---|---|---|---|---|
{thresholds}

The promise is about all these people together. A source whose people write unlike the others breaks it, as
the fourth column says (sources of 100 texts or more), and so does the third column of the table above.
Recalibrate on texts of the people it will judge (`ghostbuster calibrate`). Thresholds for one kind of text
(`--register`): {registers}.

## Limits

* It is evidence, not proof: nobody should be punished on its word. Second-language writers, very plain
  or very formal writers, and texts that were edited by a machine are where such detectors err.
* English prose only; texts under {min_tokens} tokens are `unsure`. Newer language models than those
  above, models made to write like people, and paraphrasers may pass.
* Rewriting, noise and translation lower its score; the ranking survives better than the threshold.
"""


def card(detector: GhostbusterClassifier, digest: str, figures: Mapping[str, Any]) -> str:
    """The card in Markdown.

    Parameters
    ----------
    detector : GhostbusterClassifier, fitted with sources
    digest : str
        SHA-256 of the artifact.
    figures : mapping
        What ``benchmarks.accuracy.accuracy`` wrote as JSON.
    """
    data = detector.manifest_["data"]
    lexicon = detector.trained_.scorer.lexicon
    return TEMPLATE.format(
        digest=digest,
        head=detector.head,
        n_features=len(detector.features_),
        space=detector.space,
        lexical_weight=detector.lexical_weight,
        seed=detector.random_state,
        n_human=data["n_human"],
        n_machine=data["n_machine"],
        n_tokens=data["n_tokens"],
        sources="\n".join(
            f"| {name} | {n['n_human']} | {n['n_machine']} | {LICENCES.get(name, 'unknown')} |"
            for name, n in data["sources"].items()
        ),
        n_terms=0 if lexicon is None else len(lexicon.terms),
        figures=_figures(detector, figures),
        place=_place(detector, figures["variants"]),
        thresholds=_thresholds(detector),
        min_tokens=detector.min_tokens,
        registers=", ".join(f"`{name}`" for name in detector.register_thresholds_) or "none",
    )


def _figures(detector: GhostbusterClassifier, found: Mapping[str, Any]) -> str:
    """One row a file, of the contender with this head."""
    unseen = found["leave_one_source_out"]
    form = f"({detector.head} head, words)" if detector.lexical_weight else f"({detector.head} head)"
    name = next(name for name in found["detectors"] if form in name)
    rows = []
    for file, ours in unseen[name].items():
        cells = [_cell(ours.get(metric)) for metric in ("auroc", "tpr", "fpr")]
        rows.append(
            f"| {file} | {' | '.join(cells)} | {_cell(unseen[found['baseline']][file].get('auroc'))} |"
        )
    return "\n".join(rows)


def _place(detector: GhostbusterClassifier, variants: Mapping[str, Any]) -> str:
    """Where this make stands among all that were compared."""
    head = "LightGBM" if detector.head == "lightgbm" else detector.head
    mine = f"{head} head, words {100 * detector.lexical_weight:.0f} %"
    if mine not in variants:
        raise ArtifactError(
            f"docs/data/accuracy.json has no row {mine!r}: run benchmarks.accuracy.accuracy for this make"
        )
    auroc = {name: row["auroc"]["value"] for name, row in variants.items()}
    above = [name for name in auroc if auroc[name] > auroc[mine]]
    place = (
        "the best of them"
        if not above
        else "behind " + ", ".join(f'"{name}" by {auroc[name] - auroc[mine]:.4f}' for name in above)
    )
    tpr = {name: row["tpr"]["value"] for name, row in variants.items()}
    better = sum(value > tpr[mine] for value in tpr.values())
    return textwrap.fill(
        f"Of the {len(variants)} makes compared there this one ({mine}) is, by mean AUROC over sources "
        f"left out ({auroc[mine]:.3f}), {place}; by TPR at 1 % FPR ({tpr[mine]:.3f}) "
        + (f"{better} are better." if better else "it is the best."),
        110,
    )


def _cell(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "-"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _thresholds(detector: GhostbusterClassifier) -> str:
    rows = []
    for one in detector.thresholds_:
        measured = f"{one.fpr.value:.2%} [{one.fpr.low:.2%}, {one.fpr.high:.2%}]"
        rows.append(
            f"| {one.rate:.1%} | {one.probability:.4f} | {measured} | {one.worst:.2%} | {one.n_human} |"
        )
    return "\n".join(rows)


def write_card(artifact: Path, figures: Path) -> None:
    """The card beside an artifact, of its name."""
    opened = open_artifact(artifact)
    content = card(opened.classifier(), opened.digest, json.loads(figures.read_text(encoding="utf-8")))
    with atomic_write(artifact.with_suffix(".md"), ArtifactError) as unfinished:
        unfinished.write_text(content, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--artifact", type=Path, default=FOLDER / f"{LITE}.joblib")
    parser.add_argument("--figures", type=Path, default=Path("docs/data/accuracy.json"))
    options = parser.parse_args()
    write_card(options.artifact, options.figures)


if __name__ == "__main__":
    main()
