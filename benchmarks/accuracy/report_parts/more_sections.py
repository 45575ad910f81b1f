"""Sections of docs/accuracy.md on texts that were read for it: noise, attacks, long and mixed texts.

Their figures come from ``benchmarks.accuracy.left_out``; a section without figures is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.accuracy.report_parts.cells import percent, plain_share, share, table

Figures = Mapping[str, Any]

MADE = """Judged by a detector of the same make that learned from {n_texts:,} texts without the sources
{left_out}, and was asked about texts of those alone."""
NOISE = """People's own texts with noise added (`detectrl.human_perturbed`, never learned from), judged by a
detector that learned without their source:"""
ATTACKS = """Attacks of RAID (Dugan et al. 2024, arXiv:2405.07940) at its rates, on {machines} machine texts
and {people} people's texts of {sources}, each text beside itself: *change* is in points, with a bootstrap
interval. *Undone* are texts that canonicalisation brings back letter by letter, whatever reads them. Texts
that others attacked stand in the section above. {made}"""
LONG = """Texts of about 500 words (of {sources}), longer than any that the other figures are of: {found} of
the machine texts found, {accused} of the people accused. {made}"""
MIXED = """What share of a text's passages is machine-written, as `score-file --passages` and the HTML
report say it, on texts put together from people's and machine texts of one source and domain ({sources}):
{n} texts of {pieces} pieces each, whose token scores are those of the pieces. *Stated* is the mean of the
stated shares, *within* how often the true share lies in the stated interval. No detector saw a text of the
sources that it was asked about ({made})."""


def _made(more: Figures) -> str:
    left_out = ", ".join(f"`{name}`" for name in more["left_out"])
    return " ".join(MADE.format(n_texts=more["n_texts"], left_out=left_out).split())


def noise_section(found: Figures) -> list[str]:
    """People's texts with noise."""
    noise = found.get("more", {}).get("noise")
    if not noise:
        return []
    rows = [[name, share(one["accused"]), percent(one["unsure"])] for name, one in noise.items()]
    return [NOISE, table(["noise", "accused where 1 % was promised", "`unsure`"], rows)]


def long_section(found: Figures) -> list[str]:
    """Texts of about 500 words."""
    more = found.get("more", {})
    told = more.get("long")
    if not told:
        return []
    sources = ", ".join(f"`{name}`" for name in told["sources"])
    return [
        LONG.format(
            sources=sources, found=share(told["found"]), accused=share(told["accused"]), made=_made(more)
        )
    ]


def attacks_section(found: Figures) -> list[str]:
    """Attacks that were made on texts of sources left out."""
    more = found.get("more", {})
    told = more.get("attacks")
    if not told:
        return []
    rows = []
    for name, one in told["rows"].items():
        changes = [_points(one.get(f"{side}_change")) for side in ("found", "accused")]
        undone = percent(one["undone"]) if one["undone"] is not None else ""
        rows.append(
            [
                name,
                undone,
                plain_share(one["found"]),
                changes[0],
                percent(one["refused"]),
                plain_share(one["accused"]),
                changes[1],
            ]
        )
    heads = ["attack", "undone", "machine texts found", "change", "`unsure`", "people accused", "change"]
    intro = ATTACKS.format(
        machines=told["n_machine"],
        people=told["n_human"],
        sources=", ".join(f"`{name}`" for name in told["sources"]),
        made=_made(more),
    )
    return [intro, table(heads, rows)]


def _points(moved: Figures | None) -> str:
    if moved is None:
        return ""
    return f"{100 * moved['value']:+.0f} [{100 * moved['low']:+.0f}, {100 * moved['high']:+.0f}]"


def mixed_section(found: Figures) -> list[str]:
    """Stated shares of texts put together from people's and machine texts."""
    more = found.get("more", {})
    told = more.get("mixed")
    if not told:
        return []
    rows = [
        [
            percent(float(name)),
            f"{one['n']}",
            percent(one["stated"]),
            f"{percent(one['low'])} to {percent(one['high'])}",
            percent(one["within"]),
            percent(one["called"]),
        ]
        for name, one in told["rows"].items()
    ]
    intro = MIXED.format(
        sources=", ".join(f"`{name}`" for name in told["sources"]),
        n=told["n"],
        pieces=told["pieces"],
        made="`python -m benchmarks.accuracy.left_out`",
    )
    heads = [
        "machine-written in truth",
        "texts",
        "stated",
        "mean interval",
        "within",
        "whole text called machine-written",
    ]
    by_source = ", ".join(
        f"`{name}` {percent(value)}"
        for name, value in sorted(told["within_by_source"].items(), key=lambda x: x[1])
    )
    said = (
        f"Within the interval, over all: {percent(told['within'])}; by source: {by_source}. Of the "
        "windows' evidence "
        f"{percent(told['trust'])} counts, chosen on these texts so that about 95 % are within: those of "
        "one text are wrong together."
    )
    return [intro, table(heads, rows), said]
