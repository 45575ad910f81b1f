"""Text formats of a list of models: lines and JSON. To add one, add its row to ``MODEL_FORMATS``."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ghostbuster.system.printable import printable

Rows = Sequence[Mapping[str, Any]]


def models_as_json(rows: Rows) -> str:
    """An array of objects, one a model."""
    return json.dumps(list(rows), ensure_ascii=False, indent=2, allow_nan=False)


def models_as_table(rows: Rows) -> str:
    """A line a model with its name and state; what else is known of it below."""
    if not rows:
        return "no known model is here: `ghostbuster models pull NAME`"
    first = max(len(str(row["name"])) for row in rows)
    lines: list[str] = []
    for row in rows:
        lines.append(f"{row['name']:<{first}}  {row['state']}")
        lines += [
            f"  {name.replace('_', ' ')}: {printable(_shown(value))}"
            for name, value in row.items()
            if name not in {"name", "state"} and value is not None
        ]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if not isinstance(value, list):
        return str(value)
    if all(isinstance(one, Mapping) for one in value):
        return "; ".join(map(_form, value))
    return ", or ".join(map(str, value))


def _form(one: Mapping[str, Any]) -> str:
    """One form of a model beside the others."""
    name = f"{one.get('form')} ({one.get('cpu_path')} path)"
    if one.get("reason"):
        return f"{name} not used: {one['reason']}"
    speed, text = one.get("speed", 0.0), one.get("text", 0.0)
    return f"{name} {speed:.2f} times as fast, {text:.4f} nats a text apart"


MODEL_FORMATS: dict[str, Callable[[Rows], str]] = {"table": models_as_table, "json": models_as_json}
