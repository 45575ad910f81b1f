"""Text formats of what ``read`` kept: lines and JSON. To add one, add its row to ``SCORES_FORMATS``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghostbuster.system.printable import printable

if TYPE_CHECKING:
    from ghostbuster.reading.scores.panel_facts import PanelFacts
    from ghostbuster.reading.scores.writer import Summary


def summary_as_table(made: Summary, panel: PanelFacts, folder: Path) -> str:
    """What was read, by what, and the room it takes."""
    files = [str(one["file"]) for one in panel.models if one["role"] in {"weak", "strong"}]
    layers = ", ".join(map(str, panel.state_layers))
    parts = f"{made.n_parts:,} part{'s' * (made.n_parts != 1)}"
    lines = [
        f"{printable(str(folder))}: {made.n_texts:,} texts of {made.n_rows:,} rows, {made.n_tokens:,} tokens",
        f"  read by {printable(' and '.join(files))} (panel {printable(_named(panel))})",
        f"  hidden states of layers {layers}" if layers else "  no hidden states",
        f"  {parts}, {made.n_bytes / 1e6:,.1f} MB, {made.bytes_a_token:.1f} bytes a token",
    ]
    if made.n_faults:
        rows = "1 row holds" if made.n_faults == 1 else f"{made.n_faults:,} rows hold"
        lines.append(f"  {rows} nothing that can be read")
    return "\n".join(lines)


def summary_as_json(made: Summary, panel: PanelFacts, folder: Path) -> str:
    """All of it as one object."""
    content: dict[str, Any] = {
        "scores": str(folder),
        "n_rows": made.n_rows,
        "n_texts": made.n_texts,
        "n_tokens": made.n_tokens,
        "n_errors": made.n_faults,
        "n_parts": made.n_parts,
        "n_bytes": made.n_bytes,
        "bytes_a_token": round(made.bytes_a_token, 2),
        "panel": panel.name if isinstance(panel.name, str) else list(panel.name),
        "state_layers": list(panel.state_layers),
        "models": panel.models,
    }
    return json.dumps(content, ensure_ascii=False, indent=2, allow_nan=False)


def _named(panel: PanelFacts) -> str:
    return panel.name if isinstance(panel.name, str) else "of your own files"


SCORES_FORMATS: dict[str, Callable[[Summary, PanelFacts, Path], str]] = {
    "table": summary_as_table,
    "json": summary_as_json,
}
