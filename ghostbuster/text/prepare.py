"""Decode bytes to text, and normalise text to the one form that training and scoring share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghostbuster.errors import InputError
from ghostbuster.text import characters, hyphenation, invisible, lookalikes, markup, styles, typography
from ghostbuster.text.encoding import BYTE_ORDER_MARKS
from ghostbuster.text.prose import assess

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Step = tuple[Callable[[str], tuple[str, int]], str | None]

# (what to do, what a teacher reads if it happened; None for changes that mean nothing).
# Order matters: characters first, then lines, then words.
CHARACTER_STEPS: tuple[Step, ...] = (
    (characters.trim_mark_floods, "{n} stacked accent{s} {were} removed"),
    (characters.repair_encoding, "characters garbled by a wrong encoding were repaired"),
    (invisible.remove_invisible, "{n} invisible mark{s} {were} removed"),
    (styles.undo_marks, "{n} look-alike{s} of punctuation marks {were} replaced"),
    (characters.normalise, None),
    (lookalikes.replace_lookalikes, "{n} look-alike{s} of Latin letters {were} replaced"),
)
"""These change characters and leave lines as they are."""
STEPS: tuple[Step, ...] = (
    *CHARACTER_STEPS,
    (typography.straighten, None),
    (markup.drop_preamble, "a chat preamble was removed"),
    (markup.drop_label, None),
    (markup.strip_markdown, "markdown was removed ({n} mark{s})"),
    (markup.strip_tags, None),
    (hyphenation.join_hyphenated, None),
    (typography.collapse_space, None),
    (typography.join_tokens, None),
    (typography.attach_quotes, None),
    (typography.split_sentences, None),
    (typography.collapse_space, None),
    (markup.drop_unfinished_end, "{n} word{s} at the end {were} left out: a sentence that breaks off"),
)

# One pass settles nearly every text; nested disguises need one a layer. The bound keeps time linear.
MOST_PASSES = 16

# First bytes of documents that people offer in the belief that they are text.
DOCUMENTS = {
    b"%PDF-": "a PDF document",
    b"PK\x03\x04": "a zip archive or an office document",
    b"\xd0\xcf\x11\xe0": "an old office document",
    b"{\\rtf": "an RTF document",
}

MOST_BYTES = 10_000_000
"""Bytes of UTF-8 of the longest text that is read, a long novel thrice: half an hour of one core at worst."""

MOST_CONTROLS = 0.01  # share of control characters beyond which bytes are no text


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A text in canonical form.

    Parameters
    ----------
    text : str
        One line: straight quotes, plain dashes, single spaces, no markup.
    n_words : int
        Words between white space in ``text``.
    notes : tuple of str
        Each kind of suspicious change, in words a teacher can read.
    refusal : str
        Why the text was not read at all; empty for one that was.
    unlike : str
        What it looks like, where it is no prose; empty for prose.
    """

    text: str
    n_words: int
    notes: tuple[str, ...] = ()
    refusal: str = ""
    unlike: str = ""


def prepare(text: str) -> PreparedText:
    """Normalise ``text`` to its canonical form, and note changes that look like a disguise.

    Texts of one origin share quirks that say nothing about who wrote them: line breaks, curly
    quotes, markdown, spaces before commas. All are normalised, the same way in training and in
    scoring. Preparing twice changes nothing. Time is linear in the length of ``text``.

    Parameters
    ----------
    text : str
        Any text; an empty one stays empty.

    Returns
    -------
    PreparedText
    """
    counts = [0] * len(STEPS)
    for _ in range(MOST_PASSES):
        before = text
        for i, (change, _note) in enumerate(STEPS):
            text, n = change(text)
            counts[i] += n
        if text == before:
            break
    notes = tuple(_worded(note, n) for (_, note), n in zip(STEPS, counts, strict=True) if note and n)
    return PreparedText(text, len(text.split()), notes)


def prepare_or_refuse(text: str) -> PreparedText:
    """``prepare`` what of a text is prose; one longer than ``MOST_BYTES`` is refused, never truncated.

    Program code beside enough prose is left out, and a text that is no prose is called what it looks like.
    """
    n_bytes = len(text) if text.isascii() else len(text.encode(errors="replace"))
    if n_bytes <= MOST_BYTES:
        plain = _with_plain_characters(text)  # look-alikes would hide words and marks
        assessed = assess(plain)
        whole = assessed.text == plain
        made = prepare(text if whole else assessed.text)
        notes = made.notes if whole else (assessed.note, *(made if plain == text else prepare(text)).notes)
        return replace(made, notes=notes, unlike=assessed.unlike)
    refusal = (
        f"too long: {n_bytes / 1e6:,.1f} MB; this detector reads texts of at most {MOST_BYTES / 1e6:g} MB: "
        "give its chapters one by one"
    )
    return PreparedText("", 0, refusal=refusal)


def _with_plain_characters(text: str) -> str:
    """``text`` after the steps for characters; its lines stay."""
    for change, _note in CHARACTER_STEPS:
        text, _ = change(text)
    return text


def decode(data: bytes, name: str) -> str:
    """Text of ``data``: UTF-8, or UTF-16 and UTF-32 that begin with a byte order mark.

    Other encodings are refused rather than guessed: a wrong guess would be scored as if the
    writer had typed it.

    Parameters
    ----------
    data : bytes
    name : str
        What to call the culprit in an error: a path, or ``standard input``.

    Raises
    ------
    InputError
        When ``data`` is empty, white space, binary, in another encoding, or longer than ``MOST_BYTES``.
    """
    if len(data) > MOST_BYTES:
        raise InputError(
            f"{name} is too long; expected a text of at most {MOST_BYTES / 1e6:g} MB: give its chapters "
            "one by one"
        )
    if not data:
        raise InputError(f"{name} is empty; expected a text")
    for magic, kind in DOCUMENTS.items():
        if data.startswith(magic):
            raise InputError(f"{name} is {kind}, not plain text; export its text as UTF-8 first")
    encoding = next((e for mark, e in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    if encoding.startswith("utf-8") and b"\x00" in data:
        if _is_bare_utf16(data[:64]):
            raise InputError(f"{name} looks like UTF-16 without a byte order mark; save it as UTF-8")
        raise InputError(f"{name} is a binary file; expected plain text in UTF-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(_not_decodable(data, name, error)) from None
    if not text.strip():
        raise InputError(f"{name} holds only white space; expected a text")
    if _control_share(text) > MOST_CONTROLS:
        raise InputError(f"{name} is a binary file (many control characters); expected plain text in UTF-8")
    return text


def read_text(path: Path) -> str:
    """Text of the file at ``path``, as ``decode`` reads it.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        When ``path`` is missing, a directory or unreadable, and whatever ``decode`` refuses.
    """
    return decode(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The file's bytes, and no more than one beyond ``MOST_BYTES``: a device never ends.

    Raises
    ------
    InputError
        When ``path`` is missing, a directory or unreadable.
    """
    try:
        with path.open("rb") as handle:
            return handle.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; expected a text file") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a directory; expected a text file: name the files in it") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"{path} cannot be read ({reason}); expected a readable text file") from None


def _worded(note: str, n: int) -> str:
    return note.format(n=n, s="" if n == 1 else "s", were="was" if n == 1 else "were")


def _not_decodable(data: bytes, name: str, error: UnicodeDecodeError) -> str:
    """Say which byte is wrong, or that the bytes are no text at all."""
    controls = sum(data.count(bytes([c])) for c in range(32) if c not in b"\t\n\v\f\r\x1b")
    if controls > MOST_CONTROLS * len(data):
        return f"{name} is a binary file; expected plain text in UTF-8"
    encoding = error.encoding.upper().replace("UTF8", "UTF-8")
    return (
        f"{name} is not valid {encoding}: byte 0x{data[error.start]:02x} at offset {error.start}; "
        "save the file as UTF-8"
    )


def _is_bare_utf16(head: bytes) -> bool:
    """Whether every other byte is zero, and no other is: Latin letters in UTF-16 without its mark."""
    even, odd = head[::2], head[1::2]
    return len(head) > 1 and any(
        not any(zeros) and all(letters) for zeros, letters in ((even, odd), (odd, even))
    )


def _control_share(text: str) -> float:
    """Share of C0 control characters other than white space and escape."""
    controls = sum(text.count(chr(c)) for c in range(32) if chr(c) not in "\t\n\v\f\r\x1b")
    return controls / len(text)
