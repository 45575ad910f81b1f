"""Read synonyms from WordNet 3 database files (wndb(5WN)), as in Debian's package ``wordnet-base``."""

from __future__ import annotations

from pathlib import Path

from ghostbuster.errors import InputError

DEFAULT_FOLDER = Path("/usr/share/wordnet")
PARTS = ("noun", "verb", "adj", "adv")


def synonyms(folder: Path) -> dict[str, tuple[str, ...]]:
    """Other words of the commonest sense of each single word, in its commonest part of speech.

    Parameters
    ----------
    folder : Path
        Holds ``index.noun``, ``data.noun`` and those of verb, adj, adv.

    Raises
    ------
    InputError
        When a file is missing.
    """
    best: dict[str, tuple[int, str, str]] = {}
    for part in PARTS:
        for line in _lines(folder / f"index.{part}"):
            fields = line.split()
            word, n_pointers = fields[0], int(fields[3])
            tagged, first = int(fields[5 + n_pointers]), fields[6 + n_pointers]
            if word not in best or tagged > best[word][0]:
                best[word] = (tagged, part, first)
    senses = {part: {line[:8]: line for line in _lines(folder / f"data.{part}")} for part in PARTS}
    found = {word: _members(senses[part][first]) - {word} for word, (_, part, first) in best.items()}
    return {word: tuple(sorted(others)) for word, others in found.items() if others}


def _members(line: str) -> set[str]:
    """Single words of a synset's line: offset, file, part of speech, count in hex, then word and number."""
    fields = line.split()
    words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    return {word.partition("(")[0].lower() for word in words if "_" not in word}


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError as error:
        raise InputError(f"{path} does not exist; expected WordNet's files: install wordnet-base") from error
    return [line for line in text.splitlines() if not line.startswith("  ")]
