"""Write the model card of a trained detector, from its manifest and the benchmark's figures.

    python -m training.detector.card ARTIFACT [--figures FILE] [--n-texts N]

``N`` is what ``train_default`` was told to take of the texts that were read. ``FILE`` is what
``python -m benchmarks.accuracy.unseen`` wrote of this detector; without it the card has the figures of the
manifest alone.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ghostbuster.detector.artifact import open_artifact
from ghostbuster.detector.classifier import GhostbusterClassifier
from ghostbuster.errors import ArtifactError
from ghostbuster.system.atomic_files import atomic_write
from training.detector.licences import LICENCES

TEMPLATE = """# The detector `{name}`

`{name}.joblib`, sha256 `{digest}`. {n_features} features of the space `{space}` under a `{head}` head, seed
{seed}. Made by `python -m training.detector.train_default --panel {name}{chosen}`; scoring with other models
than these is refused: {models}.

## What reads a text, and what each reader earns

Each reader asked about sources that it has not learned from; means over {n_sources} sources with both
classes. `share` is its part of the mixed score's spread, learned by stacking on those held-out scores.

| reader | share | AUROC | TPR at 1 % FPR |
|---|---|---|---|
{readers}

Probabilities: {calibration}, expected calibration error on sources left out {error:.3f}.

Which of two texts is likelier the machine's (`score-pair`): slope {pairs.slope:.2f} of the difference of
log-odds, learned from {pairs.n_pairs} pairs of {pairs.n_groups} prompts or documents.

## What it learned from

{n_human} human and {n_machine} machine texts (whole ones and passages of them), {n_tokens} tokens. No
text is in this repository or in the artifact: it holds numbers, and a list of {n_terms} words and pairs of
words, each of which stood in five texts or more. Sources with human texts alone set thresholds and nothing
else.

| source | human | machine | from |
|---|---|---|---|
{sources}

Never learned from: `hc3plus` (30-word summaries), `detectrl.human_perturbed` (people's texts with noise).
{figures}
## Thresholds

From texts by people, of {min_tokens} tokens or more, that were held out together with their whole source;
each length has its own. `worst` is the share in the worst source of 200 people or more.

| promised | of texts of | called machine from probability | measured | worst | human texts |
|---|---|---|---|---|---|
{thresholds}

The promise is about all these people together; people who write unlike them may be accused more often, as the
fifth column says. Recalibrate on texts of the people it will judge (`ghostbuster calibrate`). Thresholds for
one kind of text (`--register`): {registers}.

## Limits

* It is evidence, not proof: nobody should be punished on its word. Second-language writers, very plain
  or very formal writers, and texts that were edited by a machine are where such detectors err.
* English prose only; texts under {min_tokens} tokens are `unsure`. Newer language models than those
  it learned from, models made to write like people, and paraphrasers may pass.
* Rewriting, noise and translation lower its score; the ranking survives better than the threshold.
"""

FIGURES = """
## How well it does on a source it has not seen

Each row's source was left out of everything that judged it: readers, weights, calibration, thresholds.
Intervals are 95 %. `accused` and `found` are people and machine texts called machine-written where 1 % was
promised.

| source | people, machines | AUROC | TPR at 1 % FPR | accused | found | AUROC of TF-IDF |
|---|---|---|---|---|---|---|
{rows}
"""


def card(
    detector: GhostbusterClassifier,
    name: str,
    digest: str,
    found: Mapping[str, Any] | None,
    n_texts: int | None = None,
) -> str:
    """The card in Markdown.

    Parameters
    ----------
    detector : GhostbusterClassifier, fitted with sources
    name : str
        What it ships as.
    digest : str
        SHA-256 of the artifact.
    found : mapping, optional
        What ``benchmarks.accuracy.unseen`` wrote as JSON.
    n_texts : int, optional
        How many of the texts that ``training.data.read_corpus`` read were taken.
    """
    facts = detector.manifest_
    data, readers = facts["data"], facts["readers"]
    lexicon = detector.trained_.scorer.lexicon
    return TEMPLATE.format(
        name=name,
        digest=digest,
        chosen="" if n_texts is None else f" --corpus FOLDER --n-texts {n_texts}",
        head=detector.head,
        n_features=len(detector.features_),
        space=detector.space,
        seed=detector.random_state,
        models=", ".join(f"`{model['role']}` {model['file']}" for model in facts["models"]),
        n_sources=readers[-1]["n_sources"],
        readers="\n".join(_reader(one) for one in readers),
        calibration=facts["calibration"]["method"],
        error=facts["calibration"]["expected_error"],
        pairs=detector.trained_.pairs,
        n_human=data["n_human"],
        n_machine=data["n_machine"],
        n_tokens=data["n_tokens"],
        sources="\n".join(
            f"| {source} | {n['n_human']} | {n['n_machine']} | {LICENCES.get(source, 'unknown')} |"
            for source, n in data["sources"].items()
        ),
        n_terms=0 if lexicon is None else len(lexicon.terms),
        figures="" if found is None else FIGURES.format(rows=_rows(found)),
        thresholds=_thresholds(detector),
        min_tokens=detector.min_tokens,
        registers=", ".join(f"`{name}`" for name in detector.register_thresholds_) or "none",
    )


def _reader(one: Mapping[str, Any]) -> str:
    figures = f"{one['auroc']:.3f} | {one['tpr_at_1_percent_fpr']:.3f}"
    return f"| {one['reader']} | {one['share']:.0%} | {figures} |"


def _rows(found: Mapping[str, Any]) -> str:
    """One row a source that was left out."""
    baseline = found["readers"]["TF-IDF"]["sources"]
    rows = []
    for source, ours in found["readers"]["all, mixed"]["sources"].items():
        cells = [_cell(ours.get(metric)) for metric in ("auroc", "tpr", "accused", "found")]
        counts = f"{ours['n_human']}, {ours['n_machine']}"
        rows.append(f"| {source} | {counts} | {' | '.join(cells)} | {_cell(baseline[source].get('auroc'))} |")
    return "\n".join(rows)


def _cell(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return "-"
    return f"{figure['value']:.3f} [{figure['low']:.3f}, {figure['high']:.3f}]"


def _thresholds(detector: GhostbusterClassifier) -> str:
    rows = []
    for promised in detector.thresholds_:
        for one in (promised, *promised.bands):
            lengths = one.about.partition(" of ")[2] or "every length"
            stated = "by length" if one.bands else f"{one.probability:.4f}"
            measured = f"{one.fpr.value:.2%} [{one.fpr.low:.2%}, {one.fpr.high:.2%}]"
            rows.append(
                f"| {one.rate:.1%} | {lengths} | {stated} | {measured} | {one.worst:.2%} | {one.n_human} |"
            )
    return "\n".join(rows)


def write_card(artifact: Path, figures: Path | None = None, n_texts: int | None = None) -> None:
    """``NAME.md`` beside ``NAME.joblib``; parameters as those of `card`."""
    opened = open_artifact(artifact)
    found = None if figures is None else json.loads(figures.read_text(encoding="utf-8"))
    content = card(opened.classifier(), artifact.stem, opened.digest, found, n_texts)
    with atomic_write(artifact.with_suffix(".md"), ArtifactError) as unfinished:
        unfinished.write_text(content, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("artifact", type=Path)
    parser.add_argument("--figures", type=Path)
    parser.add_argument("--n-texts", type=int)
    options = parser.parse_args()
    write_card(options.artifact, options.figures, options.n_texts)


if __name__ == "__main__":
    main()
