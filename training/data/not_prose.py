"""Samples of what is no prose: code of this machine's files; logs, references, lists and tables by chance."""

from __future__ import annotations

import os
import random
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from ghostbuster.text.hyphenation import words

LANGUAGES = {
    "Python": (".py",),
    "JavaScript": (".js", ".mjs"),
    "C": (".c", ".h"),
    "C++": (".hpp", ".cpp", ".cc"),
    "PHP": (".php",),
    "Perl": (".pl", ".pm"),
    "shell": (".sh",),
    "SQL": (".sql",),
    "CSS": (".css",),
    "Vim": (".vim",),
    "Tcl": (".tcl",),
    "CMake": (".cmake",),
    "YAML": (".yaml", ".yml"),
    "XML": (".xml", ".html", ".svg"),
    "JSON": (".json",),
    "Cython": (".pyx", ".pxd"),
}
"""Languages by the suffixes of their files."""
UNSEEN = frozenset({"PHP", "Tcl", "Vim", "CSS"})
"""Languages that are measured and not learned from."""
ROOTS = ("/usr/lib", "/usr/include", "/usr/share", sysconfig.get_path("purelib"))
"""Folders whose files are read where no others are named."""
FEWEST_WORDS, MOST_FILES = 50, 20_000
_LEVELS = ("INFO", "INFO", "DEBUG", "WARNING", "ERROR")
_SAID = (
    "Starting the server on port {n}",
    "Connection from 10.{m}.3.{m} closed by remote host",
    "User {w} logged in from the web interface",
    "Failed to open the configuration file, using defaults",
    "Retrying request to {w} in {m} seconds",
    "Request completed in {n} ms",
    "Could not connect to the database: connection refused",
    "Job {n} finished with status OK",
    "Session for user {w} has expired and will be removed",
)


def code(roots: Sequence[str], per_language: int, seed: int = 0) -> Iterator[tuple[str, str]]:
    """Language and some consecutive lines of a file, drawn by chance."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for language, files in _files(roots).items():
        chance.shuffle(files)
        found = (lines for path in files[: 8 * per_language] if (lines := _lines(path, chance)))
        yield from ((language, lines) for lines in islice(found, per_language))


def made(kind: str, n: int, seed: int = 0) -> list[str]:
    """Texts of one of the kinds of ``KINDS``, made by chance."""
    chance = random.Random(f"{kind} {seed}")  # noqa: S311
    known = sorted(word for word in words() if len(word) > 3)
    return [KINDS[kind](chance, known) for _ in range(n)]


def _files(roots: Sequence[str]) -> dict[str, list[Path]]:
    by_suffix = {suffix: name for name, suffixes in LANGUAGES.items() for suffix in suffixes}
    found: dict[str, list[Path]] = {name: [] for name in LANGUAGES}
    for root in roots:
        for folder, folders, names in os.walk(root):
            folders.sort()
            for name in sorted(names):
                language = by_suffix.get(Path(name).suffix)
                if language is not None and len(found[language]) < MOST_FILES:
                    found[language].append(Path(folder, name))
    return found


def _lines(path: Path, chance: random.Random) -> str:
    """Consecutive lines of a file; empty for one that is too short, or is no source that people read."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError):
        return ""
    if len(lines) < 25 or max(map(len, lines)) > 2000:
        return ""
    n = chance.choice((25, 50, 100, 200))
    start = chance.randrange(max(len(lines) - n, 1))
    text = "\n".join(lines[start : start + n])
    return text if len(text.split()) >= FEWEST_WORDS else ""


def _log(chance: random.Random, known: Sequence[str]) -> str:
    form, lines = chance.randrange(4), []
    for _ in range(chance.choice((12, 30, 60))):
        hour = f"{chance.randrange(24):02}:{chance.randrange(60):02}:{chance.randrange(60):02}"
        level, word, number = chance.choice(_LEVELS), chance.choice(known), chance.randrange(9999)
        said = chance.choice(_SAID).format(n=number, m=chance.randrange(99), w=chance.choice(known))
        lines.append(
            (
                f"2024-03-1{number % 10} {hour},{number % 999:03} {level} {word}.pool: {said}",
                f"Mar {number % 30} {hour} host{number % 9} {word}[{number}]: {said}",
                f'10.0.3.{number % 255} - - [{hour}] "GET /{word}/{number} HTTP/1.1" 200 {number} "-"',
                f"[{level.lower()}] {said}",
            )[form]
        )
    return "\n".join(lines)


def _title(chance: random.Random, known: Sequence[str]) -> str:
    small = ("of", "the", "and", "in", "for", "a", "on")
    n = chance.randrange(4, 13)
    return " ".join(chance.choice(small if chance.random() < 0.28 else known) for _ in range(n)).capitalize()


def _bibliography(chance: random.Random, known: Sequence[str]) -> str:
    form, lines = chance.randrange(4), []
    for i in range(chance.randrange(6, 30)):
        year, volume, page = chance.randrange(1965, 2024), chance.randrange(1, 90), chance.randrange(1, 900)
        writers = [
            (chance.choice(known).capitalize(), chance.choice("ABCDEFGHJKLM")) for _ in range(1 + i % 3)
        ]
        title, journal = _title(chance, known), f"Journal of {chance.choice(known).capitalize()}"
        pages, press = f"{page}-{page + 9}", f"{chance.choice(known).capitalize()} University Press"
        apa, ieee = (
            ", ".join(form.format(a=a, b=b) for a, b in writers) for form in ("{a}, {b}.", "{b}. {a}")
        )
        lines.append(
            (
                f"{apa} ({year}). {title}. {journal}, {volume}, {pages}.",
                f'[{i + 1}] {ieee}, "{title}," {journal}, vol. {volume}, pp. {pages}, {year}.',
                f"{apa} {title}. {press}, {year}.",
                f"{i + 1}. {apa} {title}. {journal}. {year};{volume}:{pages}. doi:10.1016/{page}.{year}",
            )[form]
        )
    return (" " if chance.random() < 0.2 else "\n").join(lines)


def _list(chance: random.Random, known: Sequence[str]) -> str:
    form, n = chance.randrange(6), chance.randrange(20, 80)
    some = [" ".join(chance.sample(known, chance.randrange(1, 4))) for _ in range(n)]
    number = [chance.randrange(1, 500) for _ in range(n)]
    forms = (
        [f"- {one}" for one in some],
        [f"{i + 1}. {one}" for i, one in enumerate(some)],
        some,
        [
            f"{m} {chance.choice(('g', 'ml', 'cups', 'oz'))} {one}"
            for m, one in zip(number, some, strict=True)
        ],
        [f"{chance.choice(known).capitalize()} {chance.choice(known).capitalize()}, {one}" for one in some],
        [f"{m % 9}.{m % 7} {_title(chance, known)} {'.' * (m % 30)} {m}" for m in number],
    )
    return (", " if form == 2 and chance.random() < 0.3 else "\n").join(forms[form])


def _table(chance: random.Random, known: Sequence[str]) -> str:
    n_columns, separator = chance.randrange(3, 7), chance.choice(("\t", " | ", ", ", "   "))
    rows = [[chance.choice(known).capitalize() for _ in range(n_columns)]]
    for _ in range(chance.randrange(12, 40)):
        cells = [str(chance.randrange(999)), f"{chance.random():.3f}", chance.choice(known)]
        rows.append([chance.choice(known), *chance.choices(cells, k=n_columns - 1)])
    return "\n".join(map(separator.join, rows))


KINDS: dict[str, Callable[[random.Random, Sequence[str]], str]] = {
    "log": _log,
    "bibliography": _bibliography,
    "list": _list,
    "table": _table,
}
"""What can be made by chance."""
