"""What the detector was to reach, what it reached, and what binds where it did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.accuracy.report_parts.answers import ALL
from benchmarks.accuracy.report_parts.cells import number, percent, table
from benchmarks.accuracy.report_parts.kinds import NEWEST, SOURCES, WHY

Figures = Mapping[str, Any]
LOW_AUROC, LOW_FOUND = 0.90, 0.40
TRIED = """What was tried for those that were missed, beside what ships:

* **Statistics that the field found since** (surprisal dynamics, multiscale entropy, look-back, repair,
  masses, both tails): together {families} AUROC of the features' own reader, and no one family more than
  {best_family}; they ship ([newer-features.md](newer-features.md)).
* **Hidden states of SmolLM2** under one strongly penalised probe: the best single reader. Single layers,
  their standard deviations, and the same probe with fewer layers gave less.
* **Fine-tuning SmolLM2** (a low-rank adapter, one pass over 3,604 crops): .016 AUROC better than the probe of
  the same texts, +.008 [-.001, +.016] beside all readers, for more than half a pass to read; not shipped
  ([teachers.md](teachers.md)).
* **New texts by a small teacher** where the detector errs: no gain ([augmentation.md](augmentation.md)).
* **Reweighting sources by their loss** (two rounds, after group-DRO; AUROC of features and states summed):
  .951 to .943, machine texts found .67 to .60. Learning from people-only sources too: no change. Machine-only
  sources at full weight instead of half: debate speeches found .76 to .87, stories .64 to .74, AUROC -.001;
  so it ships.
* **Centring by domain within a source** instead of by source: AUROC of the probe .941 to .937. Words
  that must stand in four sources, or are centred by source: .920 to .917. A weaker or stronger penalty of the
  probe: .942 to .946, of which the better ships.
* **Hidden states of the embedded model** for `lite`: alone .880, beside features and words -.001 AUROC and
  -.041 TPR at 1 % FPR; left out.
* **All 4,116 candidates** under one ridge in place of 100 chosen ones: .935 for .932 alone, .953 for .952
  beside the other readers; not worth their cost.
* **Holding out eight bundles** of sources instead of each alone: people of a kind that no other source has
  left with it, and 25 % of one source's were accused; each is held out alone now.
* **More sources**: models of one register find models of the same year in another a little more often, and
  old base models' text less often. Sources of people alone set thresholds; learning from them teaches that
  their register is human.
"""
BINDS = """What binds is the spread between sources, not the mean: the threshold is set by the people who
write most like machines, and what a source's machine texts are like decides the rest. Sources of both
classes below AUROC {low_auroc:.2f}, or with less than {low_found:.0%} of their machine texts found:
"""


@dataclass(frozen=True)
class Aim:
    """One figure with what was wanted of it.

    Parameters
    ----------
    name : str
    reached : float or None
    aim, least : float
    at_most : bool
        Whether smaller is better.
    """

    name: str
    reached: float | None
    aim: float
    least: float
    at_most: bool = False

    @property
    def verdict(self) -> str:
        """How it came out, in a word or two."""
        if self.reached is None:
            return "not measured"
        for word, bound in (("reached", self.aim), ("at least what was needed", self.least)):
            if self.reached <= bound if self.at_most else self.reached >= bound:
                return word
        return "**missed**"


def aims_of(found: Figures) -> list[Aim]:
    """The aims, with what was measured."""
    ours = found["readers"][ALL]
    mean, told = ours["mean"], found["promises"]["0.01"]
    value = {name: mean[name]["value"] if name in mean else None for name in ("auroc", "tpr", "found")}
    worst = told["worst"]["value"] if told["worst"] else None
    made = [
        Aim("mean AUROC, first six sources", ours["first_six"].get("auroc"), 0.94, 0.925),
        Aim("mean AUROC, all sources of both classes", value["auroc"], 0.96, 0.945),
        Aim("mean TPR at 1 % FPR", value["tpr"], 0.70, 0.60),
        Aim("people accused, all", told["all"]["value"] if told["all"] else None, 0.01, 0.015, at_most=True),
        Aim("people accused, worst large source", worst, 0.02, 0.04, at_most=True),
        Aim("machine texts found, mean over sources of both classes", value["found"], 0.60, 0.50),
    ]
    for name in NEWEST:
        one = found["machines"]["newest"].get(name, {}).get("found")
        title = f"{SOURCES[name]}, the whole source left out, found"
        made.append(Aim(title, one["value"] if one else None, 0.80, 0.60))
    return made


def aims_section(found: Figures, newer: Figures | None) -> list[str]:
    """Paragraphs of the section.

    Parameters
    ----------
    found : mapping
        All figures.
    newer : mapping, optional
        Figures of docs/newer-features.md.
    """
    aims = aims_of(found)
    rows = [
        [
            one.name,
            "-" if one.reached is None else _shown(one),
            _wanted(one),
            one.verdict,
        ]
        for one in aims
    ]
    parts = [table(["", "measured", "aim (the least)", ""], rows)]
    if any(one.verdict != "reached" for one in aims):
        parts += [
            _tried(newer),
            BINDS.format(low_auroc=LOW_AUROC, low_found=LOW_FOUND) + "\n" + _binding(found),
        ]
    return parts


def _wanted(one: Aim) -> str:
    if one.at_most:
        return f"at most {percent(one.aim)} ({percent(one.least)})"
    return f"at least {one.aim:g} ({one.least:g})"


def _shown(one: Aim) -> str:
    value = one.reached or 0.0
    return percent(value) if one.at_most else number(value)


def _tried(newer: Figures | None) -> str:
    families, best = "a little", "a little"
    if newer and "standard" in newer:
        variants = newer["standard"]["variants"]
        gains = {name: row["auroc_gain"]["value"] for name, row in variants.items()}
        families = f"{gains.get('all families', 0.0):+.3f}"
        single = [gain for name, gain in gains.items() if name != "all families"]
        best = f"{max(single, default=0.0):+.3f}"
    return TRIED.format(families=families, best_family=best).rstrip()


def _binding(found: Figures) -> str:
    lines = []
    for name, one in found["readers"][ALL]["sources"].items():
        area, caught = one.get("auroc"), one.get("found")
        if area is None or caught is None:
            continue
        if area["value"] < LOW_AUROC or caught["value"] < LOW_FOUND:
            why = f": {WHY[name]}" if name in WHY else ""
            lines.append(
                f"* {SOURCES.get(name, name)} (`{name}`): AUROC {area['value']:.2f}, found "
                f"{percent(caught['value'])}{why}"
            )
    return "\n".join(lines) or "* none"
