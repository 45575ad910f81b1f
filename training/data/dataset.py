"""The dataset of labelled texts: deduplicated, balanced, matched in length, grouped for splits.

Every source carries cues that say nothing about authorship: line breaks, quotes, lengths, a text twice. So
texts are prepared as in scoring, repeated ones dropped, related ones grouped, and both classes cut to one
distribution of lengths. What comes out depends on the files and the ``Plan`` alone.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ghostbuster.errors import InputError
from ghostbuster.text.prepare import prepare
from training.data.grouping import components, shingles
from training.data.labelled import LabelledText, by_file, read_file
from training.data.lengths import cut_to, matched_targets

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
STRESS = frozenset({"hc3plus.val_si_en"})  # 30-word summaries and translations: reported, never learned from
PROBES = frozenset({"detectrl.human_perturbed"})  # people's texts with noise: false positives only
FIRST_LOT = (
    STRESS
    | PROBES
    | {
        "biscope.dev",
        "biscope.train",
        "detectrl.multi_domain_test",
        "detectrl.varying_length_test",
        "l2r.dev_domains",
        "lastde.matched",
        "outfox.valid",
        "rexshijaku.all",
    }
)
FEWEST_FOR_A_DOMAIN = 20  # texts of each class that a domain needs to have its own length distribution


@dataclass(frozen=True, slots=True)
class Plan:
    """What is taken from a folder: up to ``per_class`` texts of each class and file, cut at ``max_words``.

    Files other than `FIRST_LOT` are many, some of one class: of each no more than ``per_class_more`` are
    taken.
    """

    per_class: int = 600
    per_class_more: int = 400
    machine_per_human: float = 2.0
    min_words: int = 5
    max_words: int = 300
    seed: int = 0

    def __str__(self) -> str:
        return (
            f"up to {self.per_class} texts of each class and file of the first lot, {self.per_class_more} of"
            f" the others, at most {self.machine_per_human:g} machine"
            f" texts a human one, {self.min_words} to {self.max_words} words, seed {self.seed}"
        )


def load(folder: Path, plan: Plan | None = None, log: Callable[[str], None] = print) -> list[LabelledText]:
    """Prepared, deduplicated, grouped, sampled and length-matched texts of every file of ``folder``.

    Parameters
    ----------
    folder : Path
        Holds ``*.jsonl.xz``; read in the order of their names.
    plan : Plan, optional
        How many texts, how long.
    log : callable
        Told what was dropped and why.

    Returns
    -------
    list of LabelledText
        File after file; within a file human texts first, each class in the file's order.

    Raises
    ------
    InputError
        When the folder holds no such file or a row cannot be used.
    """
    plan = plan or Plan()
    paths = sorted(Path(folder).glob("*.jsonl.xz"))
    if not paths:
        raise InputError(f"{folder} holds no *.jsonl.xz; expected labelled texts: name another folder")
    read = [text for path in paths for text in read_file(path)]
    chosen = sample(deduplicate(_long_enough(read, plan.min_words)), plan)  # first: preparing is slow
    prepared = [replace(text, text=prepare(text.text).text) for text in chosen]
    kept = group(deduplicate(_long_enough(prepared, plan.min_words)))
    matched = [text for file in by_file(kept).values() for text in match_lengths(file, plan.max_words)]
    dropped = len(chosen) - len(kept)
    log(f"{len(read)} texts read, {len(chosen)} drawn, {dropped} repeated or short ones dropped")
    log(f"{len(matched)} texts kept ({plan}), {sum(len(t.text.split()) for t in matched)} words")
    return matched


def learnable(texts: Iterable[LabelledText]) -> list[LabelledText]:
    """Texts that may be learned from: neither stress files nor probes."""
    return [text for text in texts if text.file not in STRESS | PROBES]


def _long_enough(texts: Iterable[LabelledText], min_words: int) -> list[LabelledText]:
    return [text for text in texts if len(text.text.split()) >= min_words]


def identity(text: str) -> str:
    """What makes two texts the same: their letters and digits, whatever stands between them."""
    return "".join(filter(str.isalnum, text.casefold()))


def deduplicate(texts: Sequence[LabelledText]) -> list[LabelledText]:
    """The first of equal texts; none where both labels occur, for the author is unknown."""
    labels: dict[str, set[int]] = defaultdict(set)
    for text in texts:
        labels[identity(text.text)].add(text.label)
    kept: dict[str, LabelledText] = {}
    for text in texts:
        same = identity(text.text)
        if len(labels[same]) == 1:
            kept.setdefault(same, text)
    return list(kept.values())


def group(texts: Sequence[LabelledText]) -> list[LabelledText]:
    """The same texts with ``group`` set: connected by ``pair``, ``doc`` or a shared passage, across files."""
    by_link: dict[str, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        for link in text.links:
            by_link[link].append(index)
    shared = shingles([text.text for text in texts])
    groups = components(len(texts), [*by_link.values(), *shared])
    return [replace(text, group=int(g)) for text, g in zip(texts, groups, strict=True)]


def sample(texts: Sequence[LabelledText], plan: Plan) -> list[LabelledText]:
    """Texts of each class and file, drawn evenly from its domains, generators and attacks."""
    chosen: list[LabelledText] = []
    for file, rows in by_file(texts).items():
        wanted = plan.per_class if file in FIRST_LOT else min(plan.per_class, plan.per_class_more)
        human = _draw([row for row in rows if row.label == 0], wanted, plan.seed)
        most = round(plan.machine_per_human * len(human)) if human else wanted
        chosen += human + _draw([row for row in rows if row.label == 1], min(wanted, most), plan.seed)
    return chosen


def _draw(rows: Sequence[LabelledText], wanted: int, seed: int) -> list[LabelledText]:
    """``wanted`` rows, as evenly from the strata as they allow; which hangs on keys and ``seed`` only."""
    taken = {row.key for row in _in_turns(rows, seed)[:wanted]}
    return [row for row in rows if row.key in taken]


def _in_turns(rows: Sequence[LabelledText], seed: int) -> list[LabelledText]:
    """Rows of one class and file, shuffled, one of each domain, generator and attack at a time."""
    strata: dict[tuple[str, str, str], list[LabelledText]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: _shuffled(row.key, seed)):
        strata[row.domain, row.generator, row.attack].append(row)
    turns = [(turn, name, row) for name, members in strata.items() for turn, row in enumerate(members)]
    return [row for _, _, row in sorted(turns, key=lambda one: (one[0], one[1], one[2].key))]


def drawing_order(texts: Sequence[LabelledText], seed: int) -> Mapping[str, int]:
    """By key, the rank of each text within its class and file: a smaller plan draws the lowest ranks."""
    ranks: dict[str, int] = {}
    for rows in by_file(texts).values():
        for label in (0, 1):
            of_class = _in_turns([row for row in rows if row.label == label], seed)
            ranks.update((row.key, rank) for rank, row in enumerate(of_class))
    return ranks


def _shuffled(key: str, seed: int) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=8, salt=str(seed).encode()).digest()


def match_lengths(rows: Sequence[LabelledText], max_words: int) -> list[LabelledText]:
    """Cut both classes of one file to one distribution of lengths, domain by domain where there are enough.

    The text at quantile q of its class is cut, at the end of a sentence, to the shorter of both classes'
    lengths at q.
    """
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        counts[row.domain][row.label] += 1
    strata: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        own = min(counts[row.domain]) >= FEWEST_FOR_A_DOMAIN
        strata[row.domain if own else ""].append(index)
    cut = list(rows)
    for members in strata.values():
        lengths = np.array([len(rows[i].text.split()) for i in members])
        labels = np.array([rows[i].label for i in members])
        for index, target in zip(members, matched_targets(lengths, labels, max_words), strict=True):
            cut[index] = replace(rows[index], text=cut_to(rows[index].text, int(target)))
    return cut


def digest(texts: Iterable[LabelledText]) -> str:
    """What identifies these texts: a digest of keys, prepared texts, labels and groups."""
    made = hashlib.sha256()
    for text in texts:
        made.update(json.dumps([text.key, text.text, text.label, text.group]).encode())
    return made.hexdigest()


def summary(texts: Sequence[LabelledText]) -> Mapping[str, dict[str, int]]:
    """Texts, groups and words of each file."""
    return {
        name: {
            "human": sum(row.label == 0 for row in rows),
            "machine": sum(row.label == 1 for row in rows),
            "groups": len({row.group for row in rows}),
            "words": sum(len(row.text.split()) for row in rows),
        }
        for name, rows in by_file(texts).items()
    }
