"""Markdown tables of benchmarks, and their cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Figure = Mapping[str, float]


def language_models(sources: Iterable[Mapping[str, Any]]) -> str:
    """The language models among what a panel describes, each by its digest."""
    read = [source for source in sources if "parameters" in source]
    return ", ".join(f"{m['role']} `{m['digest'][:12]}` (context {m['context']:,})" for m in read)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of Markdown."""
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]


def cell(figure: Figure | None, *, signed: bool = False) -> str:
    """A value with its interval."""
    if figure is None:
        return "-"
    form = "+.3f" if signed else ".3f"
    return f"{figure['value']:{form}} [{figure['low']:{form}}, {figure['high']:{form}}]"
