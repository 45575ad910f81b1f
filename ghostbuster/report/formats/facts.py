"""Text formats of a mapping of facts: outline and JSON. To add one, add its row to ``FACT_FORMATS``."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ghostbuster.system.printable import printable

Facts = Mapping[str, Any]

FEW = 6
"""Entries of a mapping that stand on one line at most."""
SHORT = 12
"""Characters of a string that stands on such a line at most."""


def facts_as_json(facts: Facts) -> str:
    """The facts as one object."""
    return json.dumps(facts, ensure_ascii=False, indent=2, allow_nan=False)


def facts_as_table(facts: Facts) -> str:
    """The facts as an indented outline."""
    return "\n".join(_outline(facts, ""))


def _outline(facts: Facts, indent: str) -> Iterator[str]:
    for name, value in facts.items():
        title = f"{indent}{printable(name.replace('_', ' '))}"
        if isinstance(value, Mapping):
            yield f"{title}: {_one_line(value)}" if _is_short(value) else f"{title}:"
            if not _is_short(value):
                yield from _outline(value, indent + "  ")
        elif isinstance(value, list | tuple):
            yield f"{title} ({len(value)}):"
            yield from _items(value, indent + "  ")
        else:
            yield f"{title}: {_scalar(value)}"


def _items(values: list[Any] | tuple[Any, ...], indent: str) -> Iterator[str]:
    for value in values:
        if not isinstance(value, Mapping):
            yield f"{indent}- {_scalar(value)}"
        elif _is_short(value):
            yield f"{indent}- {_one_line(value)}"
        else:
            lines = list(_outline(value, indent + "  "))
            yield f"{indent}- {lines[0].strip()}"
            yield from lines[1:]


def _is_short(value: Mapping[str, Any]) -> bool:
    """Whether a mapping fits on its line: few numbers, no text but short ones."""
    flat = all(
        isinstance(one, int | float) or (isinstance(one, str) and len(one) <= SHORT) for one in value.values()
    )
    return flat and len(value) <= FEW


def _one_line(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{printable(name.replace('_', ' '))} {_scalar(one)}" for name, one in value.items())


def _scalar(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return printable(str(value))  # a file's words must not steer a terminal
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"


FACT_FORMATS: dict[str, Callable[[Facts], str]] = {"table": facts_as_table, "json": facts_as_json}
