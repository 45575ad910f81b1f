"""What each contender says of every text, by what was learned from all other sources; kept on disk.

A contender is one or more columns of held-out scores: a reader of the detector, all of them mixed, TF-IDF, or
a zero-shot statistic. All get their weights, calibration and thresholds by the same procedure (`unseen`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.accuracy.unseen import HeldOut, answer, tfidf_parts
from benchmarks.results import Results
from ghostbuster.errors import InputError
from ghostbuster.heads.scorer import READERS
from training.data.dataset import PROBES, STRESS
from training.data.labelled import LabelledText
from training.data.read_corpus import Corpus
from training.data.registers import registers_of

RATES = (0.05, 0.01, 0.001)
ALL = "ghostbuster"
TFIDF = "TF-IDF"
LITE = "lite"
READER_NAMES = {
    "features": "features alone",
    "words": "words alone",
    "states": "SmolLM2's hidden states alone",
}
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """Scores of every text by one contender, in the rows' order.

    Attributes
    ----------
    raw : array of shape (n_texts,)
        Comparable within a source.
    probability : array of shape (n_texts,)
    called : dict of float to bool array of shape (n_texts,)
        By promised rate.
    """

    raw: Floats
    probability: Floats
    called: dict[float, Bools]

    def take(self, rows: npt.NDArray[np.intp]) -> Answers:
        """The chosen texts."""
        called = {rate: flags[rows] for rate, flags in self.called.items()}
        return Answers(self.raw[rows], self.probability[rows], called)


def answers_of(held_out: HeldOut, columns: Sequence[int]) -> Answers:
    """What some readers, mixed, say of each source, by what the others taught."""
    n = held_out.rows["y"].size
    raw, probability = np.empty(n), np.empty(n)
    called = {rate: np.zeros(n, dtype=bool) for rate in RATES}
    for source in np.unique(held_out.rows["sources"]).tolist():
        here = held_out.rows["sources"] == source
        found = answer(held_out, list(columns), source, RATES)
        raw[here], probability[here] = found.raw, found.probability
        for rate in RATES:
            called[rate][here] = found.called[rate]
    return Answers(raw, probability, called)


@dataclass(frozen=True)
class Asked:
    """The texts that were asked about, as far as the pages need them.

    Attributes
    ----------
    rows : mapping of str to array of shape (n_texts,)
        Those of `HeldOut`, and ``n_words``, ``registers``.
    texts : list of str
    """

    rows: Mapping[str, npt.NDArray[Any]]
    texts: list[str]

    @property
    def whole(self) -> Bools:
        """Texts that are no passage of another."""
        return ~self.rows["is_crop"]


def asked_of(corpus: Corpus, held_out: HeldOut) -> Asked:
    """The corpus's texts that the held-out file is about, in its order.

    Raises
    ------
    InputError
        When the file is about texts that the corpus does not have.
    """
    by_key: dict[str, LabelledText] = {
        text.key: text for text in corpus.texts if text.file not in STRESS | PROBES
    }
    keys = held_out.rows["key"].tolist()
    missing = [key for key in keys if key not in by_key]
    if missing:
        raise InputError(
            f"the corpus lacks {len(missing)} of {len(keys)} texts of the held-out file, {missing[0]!r} "
            "first: "
            "name the corpus that the detector learned from"
        )
    texts = [by_key[key] for key in keys]
    more = {
        "n_words": np.array([len(text.text.split()) for text in texts]),
        "registers": np.array(registers_of(texts)),
    }
    return Asked({**held_out.rows, **more}, [text.text for text in texts])


def digest_of(held_out: HeldOut) -> str:
    """What identifies the texts asked about and what they weigh."""
    made = hashlib.sha256()
    for name in ("key", "weights", "groups", "sources"):
        made.update(np.ascontiguousarray(held_out.rows[name]).tobytes())
    return made.hexdigest()


def contenders(
    held_out: HeldOut,
    asked: Asked,
    zero_shot: Mapping[str, Floats],
    results: Results,
    log: Callable[[str], None],
) -> dict[str, Answers]:
    """Answers of the detector, of each of its readers, of TF-IDF and of each statistic.

    Parameters
    ----------
    zero_shot : mapping of str to array of shape (n_texts,)
        Statistics turned so that machine is higher.
    """
    names = READERS[: held_out.parts.shape[1]]
    there = [k for k, name in enumerate(names) if name in held_out.readers]
    log("the detector and its readers")
    made = {ALL: answers_of(held_out, there)}
    if len(there) > 1:
        made |= {READER_NAMES.get(names[k], f"{names[k]} alone"): answers_of(held_out, [k]) for k in there}
    log("TF-IDF")
    key = ("tf-idf", digest_of(held_out))
    found = results.get(key, lambda: {"raw": tfidf_parts(held_out, asked.texts)})
    columns = {TFIDF: found["raw"], **zero_shot}
    for name, column in columns.items():
        log(name)
        made[name] = answers_of(replace(held_out, parts=column[:, None]), [0])
    return made


def lite_answers(path: Path, held_out: HeldOut) -> Answers:
    """Answers of another detector, held out by the same procedure, for the texts of ``held_out``.

    Raises
    ------
    InputError
        When it was not asked about some of them.
    """
    other = HeldOut.open(path)
    place = {key: i for i, key in enumerate(other.rows["key"].tolist())}
    keys = held_out.rows["key"].tolist()
    missing = [key for key in keys if key not in place]
    if missing:
        raise InputError(
            f"{path} lacks {len(missing)} of {len(keys)} texts, {missing[0]!r} first: train both on one "
            "corpus"
        )
    rows = np.array([place[key] for key in keys], dtype=np.intp)
    there = [k for k, name in enumerate(READERS[: other.parts.shape[1]]) if name in other.readers]
    return answers_of(other, there).take(rows)
