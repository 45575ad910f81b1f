"""File names and messages made safe to print and to encode."""

from __future__ import annotations


def printable(text: str) -> str:
    """``text`` with control characters and lone surrogates escaped: a file name must not steer a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def encodable(text: str) -> str:
    """``text`` with lone surrogates escaped: file names that are not UTF-8 hold them, JSON cannot."""
    return text.encode("utf-8", "backslashreplace").decode()
