"""Lines of CSV and TSV files that every reader takes apart again as they were."""

from __future__ import annotations

from collections.abc import Iterable


def line(cells: Iterable[str], separator: str = ",") -> str:
    r"""One line, its end included: cells with a separator, a quote or a line break stand in quotes.

    The standard library leaves a lone carriage return bare where lines end in ``\n``, and readers then take
    it for the end of a line.
    """
    quoted = [_quote(cell, separator) for cell in cells]
    return ('""' if quoted == [""] else separator.join(quoted)) + "\n"  # a blank line would be no row


def _quote(cell: str, separator: str) -> str:
    if any(mark in cell for mark in (separator, '"', "\n", "\r")):
        return '"' + cell.replace('"', '""') + '"'
    return cell
