"""Names of files, as terminals and programs can take them."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` with control and unpaired characters spelled out: a file's name must not steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def encodable(text: str) -> str:
    """``text`` with unpaired surrogates spelled out: names that are not UTF-8 hold them, JSON cannot."""
    return text.encode("utf-8", "backslashreplace").decode()
