"""Canonical text for training: the same normalisation as the detector's text preparation."""

import re
import unicodedata

_CHARACTERS = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc", "'"),
        **dict.fromkeys("\u201c\u201d\u201e\u201f\u2033", '"'),
        **dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff", None),
        **dict.fromkeys("\u2010\u2011", "-"),
        "\u2013": "-",
        "\u2015": "\u2014",
        "\u2026": "...",
    }
)
_LONG_DASH = re.compile(r"\s*(?:\u2014|-{2,})[\s\u2014-]*")
_SPACES = re.compile(r"\s+")


def canonical(text: str) -> str:
    """Put ``text`` on one line: NFC, straight quotes, plain dashes and dots, single spaces.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Without white space at either end; every inner run of white space is one space.
    """
    plain = unicodedata.normalize("NFC", text).translate(_CHARACTERS)
    if "\u2014" in plain or "--" in plain:
        plain = _LONG_DASH.sub(" - ", plain)
    return _SPACES.sub(" ", plain).strip()
