"""The Markdown of docs/accuracy.md, made from its figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.accuracy.report_parts.aims import aims_section
from benchmarks.accuracy.report_parts.answers import ALL, LITE, READER_NAMES, TFIDF
from benchmarks.accuracy.report_parts.cells import number, percent, plain_share, share, table
from benchmarks.accuracy.report_parts.kinds import SOURCES, WHY
from benchmarks.accuracy.report_parts.lines import ten_lines
from benchmarks.accuracy.report_parts.more_sections import (
    attacks_section,
    long_section,
    mixed_section,
    noise_section,
)
from ghostbuster.decision.length_bands import MOST_IN_A_SOURCE
from ghostbuster.detector.training import MOST_HELD_OUT

Figures = Mapping[str, Any]

HEAD = """# Accuracy

Made by `python -m benchmarks.accuracy.report`; all numbers with more digits:
[accuracy.json](data/accuracy.json). Every figure is of texts whose whole source was left out. Intervals are
95 %."""

MAIN = """Trained on all other sources, asked about this one: means over the {n} sources that have texts of
both classes, with intervals over sources. All rows got thresholds and calibration by the same procedure on
the same texts. *Found* and *accused* are machine texts and people's texts called machine-written where 1 %
of people was promised, of texts of {min_tokens} tokens or more; *worst* is the source of {many} people or
more with the most accused."""

SOURCE = """The detector, source by source; where a source has texts of one class alone, it has no AUROC."""

LENGTH = """Whole texts, and passages cut from them by chance, of about so many words. Below {min_tokens}
tokens (about 75 words) there is no verdict. AUROC is the mean within sources."""

REGISTER = """AUROC within sources of the register, in the mean; the texts of a register come from few
sources, so a row says as much about those as about the register."""

MACHINES = """Machine texts found, by the year their model came out. Rows hold different tasks: 2023 holds
most of the attacked and paraphrased texts, 2025 and 2026 mostly stories, debates and political essays."""

MAKING = """Text that a machine has worked on is not all of a kind. Where a person wrote first and a model
rewrote, polished or continued, `machine-written` is called this often; it never means that a person did
nothing."""

PEOPLE = """People called machine-written, by who they are or what they write, with exact (Clopper-Pearson)
intervals. A group of 100 without one accusation may still have 3.6 % of them."""

HARD = """The surest wrong calls, by source and kind; no text is quoted. *Misled* are the readers that put
the text on the wrong side by themselves (features, words, hidden states)."""

CALIBRATION = """Of the probabilities that a detector states on sources it has not seen, classes weighted
alike. The expected calibration error is the mean distance between stated probability and share of machine
texts: **{all:.3f}** over all sources of both classes. Within one source it is larger, for there it counts
how far the source as a whole is shifted: from {low:.3f} ({low_name}) to {high:.3f} ({high_name})."""

PROMISE = """Thresholds are set on people of all other sources: by length, and raised until none of them has
more than {times:g} times the promised share. What the next source then has is measured here."""

METHOD = """* **Texts**: {n_texts:,} whole texts of {n_sources} sources and {n_passages:,} passages of them,
  prepared as in scoring, 5 to 300 words, both classes of a file cut to one distribution of lengths; equal
  texts once. Texts that share a prompt, a document or 16 words in a row are one group, and no group is on
  both sides.
* **Left out** means: readers were trained without the source (each alone, up to {most} sources); their
  weights, the calibration and the thresholds were learned from the other sources' held-out scores. (Those
  scores are of readers that learned from this source as well, as stacking has it; none of its own texts is
  among them.)
* **Passages** are learned from and stand in the table by length; everything else is of whole texts.
* **TPR at 1 % FPR** cuts at the score that 1 % of the *tested* people reach: it measures ranking. *Found*
  cuts where the promise does, which nothing tuned on the tested source.
* **Zero-shot statistics** are those of SmolLM2-135M on its own tokens, in the direction of their papers;
  published figures used models fifty times larger. The Binoculars statistic needs two models of one
  vocabulary, so it is that of the embedded pair; beside it stands the ratio of log-perplexities of SmolLM2
  and the embedded model.
* **TF-IDF**: words and pairs of words, logistic regression, same texts and folds.
* **Intervals**: whole groups resampled for AUROC and TPR, whole sources for means, Clopper-Pearson for
  shares. Those of shares take texts as drawn one by one; texts of one source are alike, so the next source
  may well lie outside.
* Never learned from: `hc3plus` (summaries of 30 words), `detectrl.human_perturbed` (people's texts with
  noise)."""


def page(found: Figures, newer: Figures | None = None) -> str:
    """The whole document."""
    sections: list[tuple[str, list[str]]] = [
        ("What a teacher should take from it", [_lines(found)]),
        ("Beside other methods", _main(found)),
        ("Source by source", [SOURCE, _sources(found)]),
        ("The promise to people", [PROMISE.format(times=MOST_IN_A_SOURCE), _promises(found)]),
        ("Who is accused", [PEOPLE, _people(found), *noise_section(found)]),
        ("By length", [LENGTH.format(min_tokens=found["min_tokens"]), _lengths(found), *long_section(found)]),
        ("By register", [REGISTER, _kinds(found["by_register"])]),
        ("Models and their years", _machines(found)),
        ("Edited, rewritten and continued text", [MAKING, _making(found)]),
        ("Under attack", attacks_section(found)),
        ("Partly machine-written texts", mixed_section(found)),
        ("The surest wrong calls", [HARD, *_hard(found)]),
        ("Probabilities", _calibration(found)),
        ("What was aimed at", aims_section(found, newer)),
        ("How it was measured", [_method(found)]),
    ]
    blocks = [HEAD]
    for title, parts in sections:
        if parts:
            blocks += [f"## {title}", *parts]
    return "\n\n".join(blocks) + "\n"


def _lines(found: Figures) -> str:
    return "\n".join(f"{i}. {line}" for i, line in enumerate(ten_lines(found), start=1))


def _main(found: Figures) -> list[str]:
    readers = found["readers"]
    mean = readers[ALL]["mean"]
    intro = MAIN.format(
        n=mean["auroc"]["n_sources"],
        min_tokens=found["min_tokens"],
        many=mean["worst_is_of"]["people_or_more"],
    )
    first = [name for name in (ALL, *READER_NAMES.values(), LITE, TFIDF) if name in readers]
    rest = sorted(
        (name for name in readers if name not in first),
        key=lambda name: -readers[name]["mean"]["auroc"]["value"],
    )
    rows = []
    for name in (*first, *rest):
        one = readers[name]["mean"]
        worst = one["accused_in_worst_source"]
        rows.append(
            [
                f"**{name}**" if name == ALL else name,
                number(one["auroc"]),
                number(readers[name]["first_six"].get("auroc")),
                number(one["tpr"]),
                number(one["found"]),
                plain_share(one["accused_of_all_people"]),
                "-" if worst is None else percent(worst),
            ]
        )
    heads = ["", "AUROC", "first six sources", "TPR at 1 % FPR", "found", "people accused", "worst"]
    return [intro, table(heads, rows)]


def _sources(found: Figures) -> str:
    readers, rows = found["readers"], []
    others = [name for name in (TFIDF, LITE) if name in readers]
    for name, one in readers[ALL]["sources"].items():
        rows.append(
            [
                f"{SOURCES.get(name, name)} (`{name}`)",
                f"{one['n_human']}, {one['n_machine']}",
                number(one.get("auroc"), 2),
                *(
                    number((readers[other]["sources"][name].get("auroc") or {}).get("value"), 2)
                    for other in others
                ),
                plain_share(one.get("found")),
                plain_share(one.get("accused")),
            ]
        )
    heads = ["asked about", "people, machines", "AUROC", *others, "found", "people accused"]
    return table(heads, rows)


def _promises(found: Figures) -> str:
    rows = []
    for rate, one in found["promises"].items():
        worst = f"{share(one['worst'])}, `{one['worst_source']}`" if one["worst"] else "-"
        rows.append(
            [
                percent(float(rate)),
                share(one["all"]),
                percent(one["mean_over_sources"]),
                worst,
                share(one["found"]),
            ]
        )
    n = next(iter(found["promises"].values()))
    heads = [
        "promised",
        "people accused",
        "mean over sources",
        f"worst of {n['n_large']} sources of {n['people_or_more']} people or more",
        "machine texts found",
    ]
    return table(heads, rows)


def _people(found: Figures) -> str:
    rows = [
        [name, share(one["accused"]), plain_share(one["accused_at_5_percent"])]
        for name, one in found["people"].items()
    ]
    return table(["people", "accused where 1 % was promised", "where 5 % was"], rows)


def _lengths(found: Figures) -> str:
    rows = [
        [
            name,
            f"{one['n_human']:,}, {one['n_machine']:,}",
            f"{number(one['auroc'])} in {one['n_sources']}" if one["auroc"] else "-",
            plain_share(one["found"]),
            plain_share(one["accused"]),
            percent(one["unsure"]),
        ]
        for name, one in found["by_length"].items()
    ]
    heads = ["words, about", "people, machines", "AUROC, sources", "found", "people accused", "`unsure`"]
    return table(heads, rows)


def _kinds(kinds: Figures) -> str:
    rows = [
        [
            name,
            f"{number(one['auroc'])} in {one['n_sources']}" if one["auroc"] else "-",
            share(one["found"]),
            share(one["accused"]),
        ]
        for name, one in kinds.items()
    ]
    return table(["register", "AUROC, sources", "found", "people accused"], rows)


def _found_rows(kinds: Figures, most: int | None = None) -> list[list[str]]:
    rows = [(one["found"]["value"], name, one) for name, one in kinds.items() if one["found"]]
    return [[name, share(one["found"]), ", ".join(one["sources"])] for _, name, one in rows][:most]


def _machines(found: Figures) -> list[str]:
    told = found["machines"]
    return [
        MACHINES,
        table(["year", "found", "sources"], _found_rows(told["by_year"])),
        table(["maker, year", "found", "sources"], _found_rows(told["by_maker"])),
    ]


def _making(found: Figures) -> str:
    return table(["how it was made", "found", "sources"], _found_rows(found["machines"]["by_making"]))


def _hard(found: Figures) -> list[str]:
    made = []
    for side, says in (
        ("people", "People called machine-written"),
        ("machines", "Machine texts surest taken for people's"),
    ):
        one = found["hard"][side]
        rows = [
            [
                f"`{row['source']}`, {row['kind']}",
                f"{row['n']} of {row['of']}",
                f"{row['probability']:.2f}",
                f"{row['words']:.0f}",
                ", ".join(percent(value) for value in row["misled"].values()) or "-",
                WHY.get(row["source"], ""),
            ]
            for row in one["rows"]
        ]
        if rows:
            heads = ["from", "texts", "probability", "words", "misled", "what is known of the source"]
            made += [f"**{says}** ({one['n']} looked at):", table(heads, rows)]
    return made


def _calibration(found: Figures) -> list[str]:
    told = found["calibration"]
    if not told["sources"]:
        return []
    ordered = sorted(told["sources"].items(), key=lambda one: one[1])
    (low_name, low), (high_name, high) = ordered[0], ordered[-1]
    return [CALIBRATION.format(all=told["all"], low=low, low_name=low_name, high=high, high_name=high_name)]


def _method(found: Figures) -> str:
    return METHOD.format(
        n_texts=found["n_texts"],
        n_passages=found["n_passages"],
        n_sources=len(found["readers"][ALL]["sources"]),
        most=MOST_HELD_OUT,
    )
