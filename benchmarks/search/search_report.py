"""The Markdown of docs/search.md, made from its figures."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.accuracy.accuracy_tables import language_models
from benchmarks.search.stability import ALIKE

MIB = 2**20
STEADIEST = 20


def report(found: Mapping[str, Any]) -> str:
    """Markdown of what ``benchmarks.search.search`` measured."""
    parts = [_head(found)]
    if "plain" in found:
        parts.append(_against_plain(found["plain"]))
    if "by_texts" in found:
        parts.append(_scaling(found))
    if "large" in found:
        parts.append(_large(found["large"]))
    if "stability" in found:
        parts.append(_stability(found["stability"]))
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [list(head), ["---"] * len(list(head)), *rows]
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)


def _head(found: Mapping[str, Any]) -> str:
    machine = found["machine"]
    libraries = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    return f"""# The feature search: time, memory, accuracy

Made by `python -m benchmarks.search.search`; all numbers with more digits: [search.json](data/search.json).
CPU seconds of one thread unless a table says otherwise, on
{machine["cores"]} cores, Python {machine["python"]},
{libraries}.

What keeps it short: chains that begin alike are computed once, and all reducers of a vector in one visit,
on blocks of texts that stay in a core's cache; folds are drawn once; a score test (one Newton step for every
candidate, all of them in a few matrix products) proposes the candidates of a round, and only those are
fitted, together, by Newton's method. Everything is summed in float64; what only compares units (quantiles,
extremes of windows) and what only proposes (the score test) works in float32.
"""


def _against_plain(found: Mapping[str, Any]) -> str:
    names = [name for name, part in found.items() if isinstance(part, Mapping)]
    draws = found.get("draws", [found])
    plain = sum(found["plain"][step] for step in ("evaluate", "search"))
    rows = []
    for name in names:
        part = found[name]
        whole = part["evaluate"] + part["search"]
        rows.append(
            (
                name,
                f"{part['evaluate']:.2f}",
                f"{part['search']:.2f}",
                f"{plain / whole:,.0f}",
                f"{part['features']:.3g}",
                f"{part['cross_validated']:.4f}",
                f"{part['on_unseen']:.4f}",
            )
        )
    kind = "made-up vectors"
    if found["labelled"]:
        kind = f"labelled texts of all sources; {language_models(found['models'])}"
    table = _table(
        (
            "search",
            "evaluate, s",
            "search, s",
            "times faster",
            "features",
            "accuracy, 10 folds",
            f"accuracy, {found['unseen']:,} unseen texts",
        ),
        rows,
    )
    return f"""## Against the published procedure

{found["candidates"]:,} candidates of the space `ghostbuster`, {found["texts"]:,} texts ({kind}). "plain" is
`benchmarks/search/plain_search.py`: Ghostbuster's procedure without any shortcut, run to its end. Accuracy is
that of plain logistic regression on the chosen features: over 10 folds of the texts they were chosen on, and
on texts that no search saw. The two evaluations differ by at most {found["largest_difference"]:.0e} of a
value (quotients of tiny probabilities apart, which ours holds at 10^12). Means over
{len(draws)} draws of texts.{_apart(draws)}

{table}"""


def _apart(draws: Sequence[Mapping[str, Any]]) -> str:
    """Ours less plain over draws: mean and its standard error."""
    if len(draws) < 2 or "ours" not in draws[0]:
        return ""
    parts = []
    for key, what in (("cross_validated", "over the folds"), ("on_unseen", "on unseen texts")):
        apart = [draw["ours"][key] - draw["plain"][key] for draw in draws]
        error = statistics.stdev(apart) / math.sqrt(len(apart))
        parts.append(f"{statistics.mean(apart):+.4f} (standard error {error:.4f}) {what}")
    return f"\n\nAccuracy of ours less that of plain: {', '.join(parts)}."


def _scaling(found: Mapping[str, Any]) -> str:
    parts = ["## By number of texts and of candidates\n"]
    for key, what in (("by_texts", "texts"), ("by_candidates", "candidates")):
        part = found[key]
        table = _table(
            ("texts", "candidates", "evaluate, s", "search 20 features, s"),
            (
                (
                    f"{row['texts']:,}",
                    f"{row['candidates']:,}",
                    f"{row['evaluate']:.2f}",
                    f"{row['search']:.2f}",
                )
                for row in part["rows"]
            ),
        )
        evaluate, search = (part["exponents"][step] for step in ("evaluate", "search"))
        parts.append(
            f"{table}\nFitted powers of the number of {what}: evaluation {evaluate:.2f}, search {search:.2f} "
            "(1 is linear).\n"
        )
    return "\n".join(parts)


def _large(runs: Sequence[Mapping[str, Any]]) -> str:
    table = _table(
        (
            "texts",
            "tokens",
            "candidates",
            "features",
            "threads",
            "`max_memory`, MiB",
            "from vectors to features, wall-clock s",
            "peak memory of the process, MiB",
        ),
        (
            (
                f"{run['texts']:,}",
                f"{run['tokens']:,}",
                f"{run['candidates']:,}",
                run["features"],
                run["threads"],
                f"{run['max_memory'] / MIB:,.0f}",
                f"{run['seconds']:.0f}",
                f"{run['peak_bytes'] / MIB:,.0f}",
            )
            for run in runs
        ),
    )
    same = "the same" if len({run["chosen"] for run in runs}) == 1 else "other"
    return f"""## A large search

Space `wide`, vectors made up (making them counts to the peak, not to the seconds). With less `max_memory`
than the candidates need, they are kept in a temporary file; {same} features were chosen.

{table}"""


def _stability(found: Mapping[str, Any]) -> str:
    rows = [
        (f"`{row['feature']}`", row["place"] or "-", f"{row['share']:.2f}", f"{row['alike']:.2f}")
        for row in found["rows"][:STEADIEST]
    ]
    always = sum(row["share"] >= 0.5 for row in found["rows"])
    return f"""## How steadily features are chosen

{found["texts"]:,} labelled texts of all sources, {found["features"]} features of the space `default`,
chosen across sources. Whole groups of texts were drawn again {found["resamples"]} times within each source,
and the {found["shortlist"]} candidates on the shortlist of that search were searched again, in
{found["seconds"]:.0f} s. {always} features are chosen in half of the resamples or more. "Alike" counts a
resample that chose the feature or one that correlates with it by more than {ALIKE}; "place" is the place in
the search of all texts.

{_table(("feature", "place", "chosen", "alike"), rows)}"""
