"""One labelled text, and the files that hold them: ``*.jsonl.xz``, one JSON object a line.

A line has ``id``, ``text``, ``label`` (0 human, 1 machine), ``domain``, ``generator``, ``source`` and, where
known, ``pair``, ``doc`` and ``attack``.
"""

from __future__ import annotations

import json
import lzma
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ghostbuster.errors import InputError

REQUIRED = ("id", "text", "label", "domain", "generator", "source")


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One text whose author is known.

    Parameters
    ----------
    text : str
        Prepared, and cut to the common length distribution.
    raw : str
        As its source published it.
    label : int
        0 human, 1 machine.
    file, source : str
        ``biscope.train`` is a file of the source ``biscope``.
    group : int
        Texts that share a prompt, a document or a long passage have one group.
    is_crop : bool
        Whether it is a passage of another text: learned from, never asked about.
    """

    key: str
    text: str
    raw: str
    label: int
    file: str
    source: str
    domain: str
    generator: str
    attack: str
    links: tuple[str, ...]
    group: int = -1
    is_crop: bool = False


def read_file(path: Path) -> list[LabelledText]:
    """All rows of one file, in its order, unprepared.

    Raises
    ------
    InputError
        When a line is no JSON object, lacks a key, or has a label other than 0 and 1.
    """
    name = path.name.removesuffix(".jsonl.xz")
    try:
        with lzma.open(path, "rt", encoding="utf-8") as lines:
            return [_row(line, name, f"{path.name} line {n}") for n, line in enumerate(lines, 1)]
    except (lzma.LZMAError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not an xz file of UTF-8 text ({error}): fetch it again") from error


def _row(line: str, file: str, where: str) -> LabelledText:
    try:
        row = json.loads(line)
        text, label = row["text"], row["label"]
        known = {key: str(row[key]) for key in REQUIRED}
    except (json.JSONDecodeError, TypeError, KeyError) as error:
        raise InputError(f"{where}: expected a JSON object with {', '.join(REQUIRED)}; {error!r}") from error
    if label not in (0, 1):
        raise InputError(f"{where}: label is {label!r}; expected 0 (human) or 1 (machine)")
    kin = {kind: row[kind] for kind in ("pair", "doc") if row.get(kind) is not None}
    return LabelledText(
        key=known["id"],
        text=text,
        raw=text,
        label=int(label),
        file=file,
        source=known["source"],
        domain=known["domain"],
        generator=known["generator"],
        attack=str(row.get("attack") or "none"),
        links=tuple(f"{known['source']}:{kind}:{value}" for kind, value in kin.items()),
    )


def by_file(texts: Iterable[LabelledText]) -> dict[str, list[LabelledText]]:
    """The texts of each file, in order."""
    files: dict[str, list[LabelledText]] = defaultdict(list)
    for text in texts:
        files[text.file].append(text)
    return dict(files)
