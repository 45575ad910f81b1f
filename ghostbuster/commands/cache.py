"""``ghostbuster cache``: show or clear the cache of scores."""

from __future__ import annotations

from typing import Annotated

import typer

from ghostbuster.commands.shared.console import note, warn
from ghostbuster.commands.shared.options import Quiet, format_option
from ghostbuster.registry import lookup
from ghostbuster.report.formats.facts import FACT_FORMATS

ACTIONS = ("info", "clear")


def cache(
    action: Annotated[str, typer.Argument(metavar="ACTION", help="One of: info, clear.")],
    form: Annotated[str, format_option(FACT_FORMATS, "Of info. ")] = "table",
    quiet: Quiet = False,
) -> None:
    """Show or forget the language models' scores that are remembered between runs."""
    from ghostbuster.errors import SettingError
    from ghostbuster.reading.cache import cache_path
    from ghostbuster.reading.cache_db import CacheInfo, ScoreCache, remove, size_limit
    from ghostbuster.registry import unknown

    if action not in ACTIONS:
        raise unknown(action, ACTIONS, "action", SettingError)
    show = lookup(FACT_FORMATS, form, "form")
    path, limit = cache_path(), size_limit()
    if action == "clear":
        note(f"{remove(path):,} bytes of remembered scores removed", quiet=quiet)
        return
    found = CacheInfo(path, 0, 0, limit)
    if path.exists():  # looking is no reason to make one
        store = ScoreCache(path, limit, warn)
        found = store.info()
        store.close()
    typer.echo(
        show({"file": str(path), "texts": found.n_texts, "bytes": found.size, "limit_bytes": found.limit})
    )
