"""Byte order marks; repair of wrongly decoded text (mojibake) by ftfy, in a bounded number of rounds.

ftfy repeats its steps until nothing changes, and one layer may hide under each of a million others: its time
is then quadratic in the text. Nothing that a person or a program writes has more than a few layers.
"""

from __future__ import annotations

import unicodedata

BYTE_ORDER_MARKS = {  # the longer first: UTF-32's mark begins with UTF-16's
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}

MOST_ROUNDS = 16

_FIXERS = (
    "fix_c1_controls",
    "fix_latin_ligatures",
    "fix_character_width",
    "uncurl_quotes",
    "fix_line_breaks",
    "fix_surrogates",
    "remove_terminal_escapes",
    "remove_control_chars",
)
"""ftfy's own, in its own order (``ftfy.fix_and_explain``)."""


def fix_encoding(text: str) -> str:
    """``ftfy.fix_encoding`` of a text that has at most ``MOST_ROUNDS`` layers; another stays as it is."""
    import ftfy

    config, fixed = ftfy.TextFixerConfig(), text
    for _ in range(MOST_ROUNDS):
        before = fixed
        fixed, _plan = ftfy._fix_encoding_one_step_and_explain(fixed, config)  # noqa: SLF001 - one round
        if fixed == before:
            return fixed
    return text


def unescape(text: str) -> str:
    """Replace HTML entities, ligatures, full-width forms, controls and surrogates by plain characters."""
    import ftfy

    for _ in range(MOST_ROUNDS):
        before = text
        text = ftfy.fixes.unescape_html(text)
        for name in _FIXERS:
            text = ftfy.FIXERS[name](text)
        if text == before:
            break
    return text


def compose(text: str) -> str:
    """Compose to NFC; quadratic in runs of combining marks, which have to be trimmed before."""
    return unicodedata.normalize("NFC", text)
