"""Figures of every section of docs/accuracy.md, as plain numbers fit for JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.accuracy.report_parts.answers import ALL, RATES, Answers, Asked, Bools
from benchmarks.accuracy.report_parts.kinds import (
    EDITED,
    FIRST_SIX,
    FROM_PROMPT,
    NEWEST,
    PEOPLE,
    in_group,
    made_by,
    maker_of,
    year_of,
)
from benchmarks.accuracy.unseen import FEW, METRICS, MIN_TOKENS, PROMISE, means_over, of_source
from benchmarks.results import Results
from ghostbuster.decision.thresholds import ENOUGH, SOME
from ghostbuster.metrics.classification import auroc, clopper_pearson, expected_calibration_error

FEWEST_IN_A_ROW = 20  # machine texts, or people, that a row of a table needs
BANDS = {"50": (35, 75), "100": (75, 175), "250": (175, 10_000)}
"""By the number of words that a band is about, its words."""
Figures = dict[str, Any]
Rate = float | None


def share(called: Bools, asked: Bools) -> Figures | None:
    """Share called machine of the texts asked about, with its Clopper-Pearson interval; None of no text."""
    n = int(asked.sum())
    return asdict(clopper_pearson(int(called[asked].sum()), n)) | {"n": n} if n else None


def judged(asked: Asked) -> Bools:
    """Whole texts long enough for a verdict."""
    return asked.whole & (asked.rows["n_tokens"] >= MIN_TOKENS)


def by_source(asked: Asked, answers: Answers) -> Figures:
    """Figures of each source and means over them, as `unseen` has them, of one contender."""
    rows, whole = asked.rows, asked.whole
    sources = {}
    for name in np.unique(rows["sources"]).tolist():
        here = whole & (rows["sources"] == name)
        sources[name] = of_source(
            rows["y"][here],
            answers.raw[here],
            answers.called[PROMISE][here],
            rows["n_tokens"][here] >= MIN_TOKENS,
            rows["groups"][here],
        )
    made = {"sources": sources, "mean": means_over(sources)}
    six = [sources[name] for name in FIRST_SIX if "auroc" in sources.get(name, {})]
    made["first_six"] = {
        metric: float(np.mean([one[metric]["value"] for one in six if metric in one]))
        for metric in METRICS
        if any(metric in one for one in six)
    }
    return made


def pooled(asked: Asked, answers: Answers, rows: Bools) -> Figures:
    """People accused and machine texts found among some whole texts that are long enough."""
    able, y, called = judged(asked) & rows, asked.rows["y"], answers.called[PROMISE]
    return {"accused": share(called, able & (y == 0)), "found": share(called, able & (y == 1))}


def mean_auroc(asked: Asked, raw: Answers, rows: Bools) -> tuple[float | None, int]:
    """Mean AUROC within sources that have `FEW` of these texts of each class, and their number."""
    y, values = asked.rows["y"], []
    for name in np.unique(asked.rows["sources"][rows]).tolist():
        here = rows & (asked.rows["sources"] == name)
        if min(np.sum(y[here] == 0), np.sum(y[here] == 1)) >= FEW:
            values.append(auroc(y[here], raw.raw[here]))
    return (float(np.mean(values)) if values else None), len(values)


def by_length(asked: Asked, answers: Answers) -> Figures:
    """Whole texts and passages of about so many words."""
    words, y, n_tokens = asked.rows["n_words"], asked.rows["y"], asked.rows["n_tokens"]
    called, p = answers.called[PROMISE], answers.probability
    made = {}
    for name, (low, high) in BANDS.items():
        here = (words >= low) & (words < high)
        if not here.any():
            continue
        area, n_sources = mean_auroc(asked, answers, here)
        able = here & (n_tokens >= MIN_TOKENS)
        unsure = here & ~called & ((p >= 0.5) | (n_tokens < MIN_TOKENS))
        made[name] = {
            "words": [low, high - 1],
            "n_human": int(np.sum(here & (y == 0))),
            "n_machine": int(np.sum(here & (y == 1))),
            "auroc": area,
            "n_sources": n_sources,
            "accused": share(called, able & (y == 0)),
            "found": share(called, able & (y == 1)),
            "unsure": float(np.mean(unsure[here])),
            "too_short": float(np.mean(n_tokens[here] < MIN_TOKENS)),
        }
    return made


def by_kind(
    asked: Asked, answers: Answers, kinds: Sequence[str], label: int | None = None
) -> dict[str, Figures]:
    """Figures of each kind of text, kinds without enough texts and unnamed ones left out."""
    named, made = np.array(kinds), {}
    for kind in dict.fromkeys(sorted(set(kinds) - {""})):
        rows = asked.whole & (named == kind)
        if label is not None:
            rows &= asked.rows["y"] == label
        found = pooled(asked, answers, rows)
        area, n_sources = mean_auroc(asked, answers, rows)
        sizes = [one["n"] for one in found.values() if one]
        if max(sizes, default=0) >= FEWEST_IN_A_ROW:
            sources = np.unique(asked.rows["sources"][rows]).tolist()
            made[kind] = found | {"auroc": area, "n_sources": n_sources, "sources": sources}
    return made


def of_machines(asked: Asked, answers: Answers) -> dict[str, dict[str, Figures]]:
    """Machine texts by year, by maker and year, and by how they were made."""
    rows = asked.rows
    generators = [str(name) for name in rows["generators"]]
    years = [str(year_of(name) or "unknown") for name in generators]
    makers = [f"{maker_of(name)} {year}" for name, year in zip(generators, years, strict=True)]
    how = [made_by(*one) for one in zip(rows["sources"], rows["domains"], rows["attacks"], strict=True)]
    return {
        "by_year": by_kind(asked, answers, years, 1),
        "by_maker": by_kind(asked, answers, makers, 1),
        "by_making": by_kind(asked, answers, how, 1),
        "newest": {name: pooled(asked, answers, asked.whole & (rows["sources"] == name)) for name in NEWEST},
        "edited": pooled(asked, answers, asked.whole & np.array([name.startswith(EDITED) for name in how])),
        "from_prompt": pooled(asked, answers, asked.whole & np.array([name == FROM_PROMPT for name in how])),
    }


def of_people(asked: Asked, answers: Answers) -> dict[str, Figures]:
    """People of each group who were accused, at the promise and at the loosest rate."""
    rows, made = asked.rows, {}
    pairs = list(zip(rows["sources"].tolist(), rows["domains"].tolist(), strict=True))
    for group in PEOPLE:
        here = judged(asked) & (rows["y"] == 0) & np.array([in_group(group, *pair) for pair in pairs])
        found = share(answers.called[PROMISE], here)
        if found:
            loose = share(answers.called[RATES[0]], here)
            made[group] = {"accused": found, "accused_at_5_percent": loose}
    return made


def calibration(asked: Asked, answers: Answers) -> Figures:
    """Expected calibration error of probabilities on sources left out, classes weighted alike."""
    y, p = asked.rows["y"], answers.probability
    made: Figures = {"sources": {}}
    weights = np.zeros(y.size)
    for name in np.unique(asked.rows["sources"]).tolist():
        here = asked.whole & (asked.rows["sources"] == name)
        n = [int(np.sum(here & (y == label))) for label in (0, 1)]
        if min(n) >= FEW:
            weights[here] = np.where(y[here] == 1, 1 / n[1], 1 / n[0])
            made["sources"][name] = expected_calibration_error(y[here], p[here], sample_weight=weights[here])
    used = weights > 0
    if used.any():
        made["all"] = expected_calibration_error(y[used], p[used], sample_weight=weights[used])
    return made


def promises(asked: Asked, answers: Answers) -> dict[str, Figures]:
    """What each promise gave: of all people, the mean over sources, and the worst large source."""
    rows, y = asked.rows, asked.rows["y"]
    people = judged(asked) & (y == 0)
    names, sizes = np.unique(rows["sources"][people], return_counts=True)
    many = ENOUGH if np.any(sizes >= ENOUGH) else SOME
    made = {}
    for rate in RATES:
        shares = {
            name: share(answers.called[rate], people & (rows["sources"] == name)) for name in names.tolist()
        }
        large = {name: one for name, one in shares.items() if one and one["n"] >= many}
        worst = max(large, key=lambda name: large[name]["value"], default="")
        made[str(rate)] = {
            "all": share(answers.called[rate], people),
            "mean_over_sources": float(np.mean([one["value"] for one in shares.values() if one])),
            "worst_source": worst,
            "worst": large.get(worst),
            "people_or_more": many,
            "n_large": len(large),
            "found": share(answers.called[rate], judged(asked) & (y == 1)),
        }
    return made


def kept_by_source(asked: Asked, answers: Answers, results: Results) -> Figures:
    """`by_source`, of which the intervals are slow, from the results where the same was asked before."""
    rows = asked.rows
    asked_about = [rows[name] for name in ("y", "sources", "groups", "n_tokens", "is_crop")]
    arrays = [*asked_about, answers.raw, answers.called[PROMISE]]
    made_from = ("by source", *(np.ascontiguousarray(one).tobytes() for one in arrays))
    found = results.get(made_from, lambda: {"json": np.array(json.dumps(by_source(asked, answers)))})
    made: Figures = json.loads(str(found["json"]))
    return made


def everything(
    asked: Asked,
    told: Mapping[str, Answers],
    log: Callable[[str], None] = print,
    results: Results | None = None,
) -> Figures:
    """Figures of all sections that need nothing but the held-out scores."""
    ours = told[ALL]
    readers = {}
    for name, answers in told.items():
        log(f"figures of {name}")
        readers[name] = kept_by_source(asked, answers, results or Results())
    registers = [str(name) for name in asked.rows["registers"]]
    whole, y = asked.whole, asked.rows["y"]
    return {
        "promise": PROMISE,
        "min_tokens": MIN_TOKENS,
        "n_texts": int(whole.sum()),
        "n_passages": int((~whole).sum()),
        "n_human": int(np.sum(whole & (y == 0))),
        "n_machine": int(np.sum(whole & (y == 1))),
        "n_tokens": int(asked.rows["n_tokens"].sum()),
        "readers": readers,
        "promises": promises(asked, ours),
        "by_length": by_length(asked, ours),
        "by_register": by_kind(asked, ours, registers),
        "machines": of_machines(asked, ours),
        "people": of_people(asked, ours),
        "calibration": calibration(asked, ours),
    }
