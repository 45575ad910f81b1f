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
    """Show or forget what is remembered between runs: language models' scores, converted models."""
    from ghostbuster.errors import SettingError
    from ghostbuster.models.prepared import store as models
    from ghostbuster.reading.cache import cache_path
    from ghostbuster.reading.cache_db import CacheInfo, ScoreCache, remove, size_limit
    from ghostbuster.registry import unknown

    if action not in ACTIONS:
        raise unknown(action, ACTIONS, "action", SettingError)
    show = lookup(FACT_FORMATS, form, "form")
    path, limit = cache_path(), size_limit()
    if action == "clear":
        note(f"{remove(path):,} bytes of remembered scores removed", quiet=quiet)
        if removed := models.clear():
            note(f"{removed:,} bytes of converted models removed", quiet=quiet)
        return
    found = CacheInfo(path, 0, 0, limit)
    if path.exists():  # looking is no reason to make one
        store = ScoreCache(path, limit, warn)
        found = store.info()
        store.close()
    facts = {"file": str(path), "texts": found.n_texts, "bytes": found.size, "limit_bytes": found.limit}
    typer.echo(show(facts | {"models_folder": str(models.folder()), "models_bytes": models.size()}))
