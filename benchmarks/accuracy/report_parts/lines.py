"""Ten plain lines on what a teacher should take from the figures; their words follow the figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.accuracy.report_parts.answers import ALL, LITE, TFIDF
from benchmarks.accuracy.report_parts.cells import in_words, percent, plain_share
from benchmarks.accuracy.report_parts.kinds import SOURCES

CLASS = 30
KEPT, BROKEN = 1.5, 3.0
"""Times the promised rate up to which a promise is called kept, and from which it is called broken."""
MOSTLY = 0.5
MANY = 50
"""People that a group needs to be named as accused most often."""
SAID = ("learners of English, all", "school pupils", "native and mixed students")
Figures = Mapping[str, Any]


def ten_lines(found: Figures) -> list[str]:
    """One sentence or two a line, the most important first."""
    return [
        _what_it_is(found),
        _accused(found),
        _worst(found),
        _class(found),
        _missed(found),
        _newest(found),
        _edited(found),
        _lengths(found),
        _learners(found),
        _what_to_do(found),
    ]


def _what_it_is(found: Figures) -> str:
    n_sources = len(found["readers"][ALL]["sources"])
    return (
        f"These are figures for strangers: each of {n_sources} collections of texts was left out of "
        "everything "
        f"that judged it. {found['n_human']:,} texts by people and {found['n_machine']:,} by machines, none "
        "longer than 300 words."
    )


def _one_percent(found: Figures) -> Figures:
    made: Figures = found["promises"][str(found["promise"])]
    return made


def _accused(found: Figures) -> str:
    told = _one_percent(found)
    times = told["all"]["value"] / found["promise"]
    verdict = (
        "That promise was kept over all of them."
        if times <= KEPT
        else "That is more than was promised."
        if times <= BROKEN
        else "The promise was broken."
    )
    return (
        f"**People accused**: {in_words(told['all'], 'texts by people')}, where 1 % was promised. {verdict}"
    )


def _worst(found: Figures) -> str:
    told = _one_percent(found)
    if told["worst"] is None:
        return "No collection has enough texts by people to say how bad the worst of them is."
    worst, name = told["worst"], SOURCES.get(told["worst_source"], told["worst_source"])
    tail = (
        "even there about what was promised."
        if worst["value"] <= KEPT * found["promise"]
        else "who writes unlike all others is accused more often, and nobody knows beforehand who that is."
    )
    return (
        f"**Where it was worst**: {in_words(worst, 'people')}, in {name}, of {told['n_large']} collections "
        "with "
        f"{told['people_or_more']} people or more: {tail}"
    )


def _class(found: Figures) -> str:
    told = _one_percent(found)
    mean = 1 - (1 - told["all"]["value"]) ** CLASS
    worst = told["worst"] or told["all"]
    return (
        f"**In a class of {CLASS}** who all wrote themselves, the chance that somebody is called "
        "machine-written "
        f"is about {percent(mean)}, and {percent(1 - (1 - worst['value']) ** CLASS)} if they write like "
        "the worst "
        "collection. Nobody should be punished on such a verdict."
    )


def _missed(found: Figures) -> str:
    told = _one_percent(found)["found"]
    half = "fewer than half" if told["value"] < 0.5 else "more than half"
    said = in_words(told, "texts")
    return f"**Machine texts found**: {said}, {half}. `human-written` and `unsure` prove nothing."


def _newest(found: Figures) -> str:
    cells = [
        f"{SOURCES[name]} {plain_share(one['found'])}"
        for name, one in found["machines"]["newest"].items()
        if one["found"]
    ]
    old = found["machines"]["by_year"].get("2023", {}).get("found")
    beside = f"; models of 2023: {plain_share(old)}" if old else ""
    return f"**Newer models**, found: {'; '.join(cells) or 'not measured'}{beside}."


def _edited(found: Figures) -> str:
    edited, plain = found["machines"]["edited"]["found"], found["machines"]["from_prompt"]["found"]
    if edited is None or plain is None:
        return "**Edited text** was not measured."
    less = "less often than" if edited["high"] < plain["low"] else "about as often as"
    return (
        f"**A person's text that a model rewrote, polished or continued** is called machine-written in "
        f"{percent(edited['value'])} of cases, {less} a text that a model wrote from a prompt "
        f"({percent(plain['value'])}). The verdict does not say how much a person did."
    )


def _lengths(found: Figures) -> str:
    parts = []
    for name, one in found["by_length"].items():
        if one["too_short"] > MOSTLY or not one["found"]:
            parts.append(f"about {name} words: no verdict on {percent(one['too_short'])} of texts")
        else:
            parts.append(f"about {name} words: {plain_share(one['found'])}")
    return f"**Length decides much**. Machine texts found: {'; '.join(parts)}."


def _learners(found: Figures) -> str:
    """Learners, pupils and students, and whoever is accused most."""
    people = found["people"]
    many = {name: one for name, one in people.items() if one["accused"]["n"] >= MANY}
    most = max(many, key=lambda name: many[name]["accused"]["value"], default="")
    cells = [
        f"{name} {percent(one['accused']['value'])} of {one['accused']['n']:,} (at most "
        f"{percent(one['accused']['high'])})"
        for name, one in people.items()
        if name in SAID
    ]
    worst = ""
    if most and most not in SAID and many[most]["accused"]["value"] > 0:
        one = many[most]["accused"]
        worst = f" Most often: {most}, {percent(one['value'])} of {one['n']:,}."
    return f"**Who is accused**: {'; '.join(cells) or 'not measured'}.{worst}"


def _what_to_do(found: Figures) -> str:
    mean = {
        name: one["mean"]["auroc"]["value"]
        for name, one in found["readers"].items()
        if "auroc" in one["mean"]
    }
    beside = [f"{name} {mean[name]:.2f}" for name in (TFIDF, LITE) if name in mean]
    return (
        "As a ranking of texts (AUROC: 1 is perfect, 0.5 a coin) it has "
        f"{mean.get(ALL, float('nan')):.2f}, beside "
        f"{', '.join(beside)}. **If your writers are of one kind, `ghostbuster calibrate` on texts of "
        "theirs first**; "
        "then talk to the writer: a verdict is a reason to look closer."
    )
