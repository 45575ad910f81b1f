"""``ghostbuster ensemble``: combine the predictions of several detectors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ghostbuster.commands.shared.console import note
from ghostbuster.commands.shared.options import Quiet


def ensemble(
    tables: Annotated[
        list[Path],
        typer.Argument(metavar="TABLE", help="Predictions of two detectors or more: ids and probabilities."),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="OUT", help="Where to write; its suffix names the kind.")
    ],
    method: Annotated[
        str,
        typer.Option(metavar="NAME", help="rank (mean rank), mean (of probabilities), logit (of log-odds)."),
    ] = "rank",
    weights: Annotated[
        str | None, typer.Option(metavar="W,W", help="One a table, such as 0.8,0.2; equal if left out.")
    ] = None,
    id_column: Annotated[str, typer.Option(metavar="NAME", help="Column that holds the ids.")] = "id",
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column of predictions; 'probability' or 'generated' if left out."),
    ] = None,
    output_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column to write: as the first table's, or 'rank' for mean ranks."),
    ] = None,
    skip_blank: Annotated[
        bool, typer.Option("--skip-blank", help="Leave out blank predictions instead of refusing them.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Combine predictions of several detectors into one, matched by id."""
    import pandas as pd

    from ghostbuster.detector.ensemble import combine
    from ghostbuster.errors import InputError
    from ghostbuster.system.atomic_files import check_writable
    from ghostbuster.tables.predictions import read_predictions
    from ghostbuster.tables.registry import kind_of
    from ghostbuster.tables.table import write_table

    kind_of(output)
    check_writable(output, InputError, tables)
    shares = None if weights is None else parse_weights(weights)
    if len({str(table) for table in tables}) < len(tables):
        raise InputError("a table is given twice: expected each once; weigh it with --weights instead")
    predictions = {str(table): read_predictions(table, id_column, column) for table in tables}
    made = combine(predictions, method, shares, skip_blank=skip_blank)
    first = str(predictions[str(tables[0])].name)
    name = output_column or ("rank" if method == "rank" else first)
    if name == id_column:
        raise InputError(
            f"{name!r} would be the column of ids and of predictions: give another --output-column"
        )
    write_table(pd.DataFrame({id_column: made.index.tolist(), name: made.tolist()}), output)
    note(f"{len(made):,} texts of {len(tables)} tables combined, written to {output}", quiet=quiet)


def parse_weights(given: str) -> list[float]:
    """The numbers between commas.

    Raises
    ------
    SettingError
        When one is no number.
    """
    from ghostbuster.errors import SettingError

    try:
        return [float(one) for one in given.split(",")]
    except ValueError:
        raise SettingError(f"--weights {given!r}; expected numbers between commas, such as 0.8,0.2") from None
