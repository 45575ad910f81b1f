"""Words broken at line ends: how many are joined that are one word, how many compounds survive."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ghostbuster.text.hyphenation import is_one_word

WORDNET = Path("/usr/share/wordnet")
SHORTEST = 6


def hyphens(data: Path | None) -> dict[str, Any]:
    """Shares of words joined and of compounds kept: of WordNet's entries, and of running text."""
    entries = {
        line.split()[0]
        for part in ("noun", "verb", "adj", "adv")
        for line in (WORDNET / f"index.{part}").read_text("utf-8").splitlines()
        if not line.startswith("  ")
    }
    report = {"WordNet's entries": _shares(Counter(dict.fromkeys(entries, 1)))}
    if data is not None:
        report["running text by people"] = _shares(Counter(_running(data)))
    return report


def _shares(counted: Counter[str]) -> dict[str, float]:
    """Each word is broken at a random place, each compound at its hyphen."""
    rng = random.Random(0)
    joined = n_words = kept = n_compounds = 0
    for word, n in sorted(counted.items()):
        if re.fullmatch(rf"[a-z]{{{SHORTEST},}}", word):
            at = rng.randrange(2, len(word) - 2)
            joined += n * is_one_word(word[:at], word[at:])
            n_words += n
        elif re.fullmatch(r"[a-z]+-[a-z]+", word):
            kept += n * (not is_one_word(*word.split("-")))
            n_compounds += n
    return {
        "n_words": n_words, "joined": joined / max(n_words, 1), "n_compounds": n_compounds,
        "kept": kept / max(n_compounds, 1),
    }  # fmt: skip


def _running(folder: Path) -> Iterable[str]:
    from training.data.labelled import read_file

    for path in sorted(folder.glob("*.jsonl.xz")):
        for one in read_file(path):
            if not one.label:
                yield from re.findall(r"(?<![\w-])[a-z]+(?:-[a-z]+)?(?![\w-])", one.text)


def whole_texts(data: Path, n_texts: int = 1000, width: int = 48) -> dict[str, float]:
    """Share of texts that are the same, prepared, when their lines were broken with hyphens."""
    from benchmarks.documents.pages import broken_lines
    from ghostbuster.text.prepare import prepare
    from training.data.labelled import read_file

    rng = random.Random(1)
    texts = [one.text for path in sorted(data.glob("*.jsonl.xz")) for one in read_file(path)]
    chosen = rng.sample(texts, min(n_texts, len(texts)))
    same = n_words = n_whole = 0
    for text in chosen:
        flat = prepare(" ".join(text.split())).text
        broken = prepare("\n".join(broken_lines(flat, width, hyphens=True))).text
        same += broken == flat
        before, after = Counter(flat.split()), Counter(broken.split())
        n_words += sum(before.values())
        n_whole += sum((before & after).values())
    return {"n_texts": len(chosen), "same": same / len(chosen), "words": n_whole / n_words}
