"""``ghostbuster score-pair``: which of two texts is likelier the machine's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ghostbuster.commands.shared.console import TokenProgress
from ghostbuster.commands.shared.detectors import compute_on, device_of, open_detector
from ghostbuster.commands.shared.options import (
    TABLE_KINDS,
    Adapter,
    Device,
    GpuLayers,
    Model,
    NoCache,
    PanelName,
    Prefix,
    Quiet,
    Register,
    RestartScoring,
    StrongModel,
    WeakModel,
    Whole,
    format_option,
)
from ghostbuster.errors import InputError, SettingError
from ghostbuster.report.formats.pairs import PAIR_FORMATS, pair_format

if TYPE_CHECKING:
    from ghostbuster.decision.verdict import Verdict
    from ghostbuster.detector.detector import Detector
    from ghostbuster.report.formats.pairs import Format
    from ghostbuster.tables.journal import Score
    from ghostbuster.tables.scoring import Judge

TWO = 2
COLUMNS = ("text_a", "text_b")


def score_pair(
    inputs: Annotated[
        list[str],
        typer.Argument(
            metavar="A B | TABLE",
            help=f"Two texts or documents ('-' reads standard input), or one table of pairs: {TABLE_KINDS}.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="OUT", help="For a table: where to write; its suffix names the kind."
        ),
    ] = None,
    form: Annotated[str, format_option(PAIR_FORMATS, "For two texts. ")] = "table",
    text_column_a: Annotated[
        str, typer.Option(metavar="NAME", help="For a table: column of the first texts.")
    ] = COLUMNS[0],
    text_column_b: Annotated[
        str, typer.Option(metavar="NAME", help="For a table: column of the second texts.")
    ] = COLUMNS[1],
    prefix: Prefix = "",
    restart: RestartScoring = False,
    model: Model = None,
    register: Register = None,
    panel: PanelName = None,
    weak_model: WeakModel = None,
    strong_model: StrongModel = None,
    adapter: Adapter = None,
    no_cache: NoCache = False,
    whole: Whole = False,
    device: Device = None,
    gpu_layers: GpuLayers = None,
    quiet: Quiet = False,
) -> None:
    """Say which of two texts is likelier the machine's, were one of them by a person and one by a machine.

    Whoever wrote them, one is likelier: what each is called by itself stands beside. Swapping the texts
    gives 1 minus the probability.
    """
    compute_on(device, gpu_layers, quiet=quiet)
    show = pair_format(form)
    if len(inputs) > TWO:
        raise SettingError(f"{len(inputs)} files; expected two texts, or one table of pairs")

    def chosen() -> tuple[Detector, str]:
        return open_detector(model, weak_model, strong_model, register, panel, adapter)

    if len(inputs) == TWO:
        for_tables = {
            "--text-column-a": text_column_a != COLUMNS[0],
            "--text-column-b": text_column_b != COLUMNS[1],
            "--output": output is not None,
            "--prefix": prefix != "",
            "--restart": restart,
        }
        _refuse(for_tables, "is for a table of pairs; two texts are answered on standard output")
        _score_two(inputs, show, chosen(), whole=whole, quiet=quiet)
        return
    if output is None:
        raise SettingError(
            f"{inputs[0]} alone: give a second text to compare it with, or --output for a table of pairs"
        )
    _refuse({"--whole": whole}, "is for documents; the texts of a table are read whole as they are")
    _refuse({"--format": form != "table"}, "is for two texts; a table is written to --output")
    if text_column_a == text_column_b:
        raise SettingError(f"both texts from column {text_column_a!r}; expected two columns")
    from ghostbuster.commands.score_table import job_identity, run_job
    from ghostbuster.system.atomic_files import check_writable
    from ghostbuster.tables.registry import kind_of
    from ghostbuster.tables.survey import Job, survey

    kind_of(output)
    table = Path(inputs[0])
    check_writable(output, InputError, (table, weak_model, strong_model, adapter))
    job = Job(kind_of(table).reader(table), output, text_column_a, prefix, other_column=text_column_b)
    seen = survey(job)
    detector, identity = chosen()
    judge = pair_scores(detector)
    judge([])  # weak models that do not fit are refused before anything is begun
    made_by = job_identity(job, seen, identity, device_of(detector)) | {
        "--text-column-b": text_column_b,
        "--register": register or "",
    }
    run_job(job, seen, judge, made_by, restart=restart, no_cache=no_cache, quiet=quiet)


def _refuse(given: Mapping[str, bool], why: str) -> None:
    """Refuse options that would be passed over."""
    for name, is_given in given.items():
        if is_given:
            raise SettingError(f"{name} {why}: leave it out")


def _score_two(
    names: Sequence[str], show: Format, chosen: tuple[Detector, str], *, whole: bool, quiet: bool
) -> None:
    """Answer for two files, on standard output."""
    from ghostbuster.commands.score_file import NONE_GOOD, read_files
    from ghostbuster.report.formats.pairs import PairReport

    paths, documents = read_files(names, whole=whole)
    if len(paths) < TWO:
        raise typer.Exit(NONE_GOOD)
    detector, identity = chosen
    with TokenProgress(quiet=quiet) as progress:
        reading = detector.read([one.text for one in documents], progress)
    for path, n_units, text in zip(paths, reading.vectors.lengths.tolist(), reading.prepared, strict=True):
        if not n_units:
            raise InputError(f"{path}: {text.refusal or 'it holds no word'}; expected a text to compare")
    reading = reading.annotated([one.notes for one in documents], [one.refusal for one in documents])
    (verdict,) = detector.judge_pairs_reading(reading)
    slope = detector.trained_.pairs
    typer.echo(
        show(
            PairReport(
                (paths[0], paths[1]), verdict, identity, detector.threshold_, slope, device_of(detector)
            )
        )
    )


def pair_scores(detector: Detector) -> Judge:
    """Scores of pairs of texts for a table; a pair with a text that cannot be read has an error."""
    import numpy as np

    from ghostbuster.tables.journal import Score

    def judge(pairs: list[tuple[str, str]]) -> Sequence[Score]:
        reading = detector.read([text for pair in pairs for text in pair])
        there = (reading.vectors.lengths > 0).tolist()
        scores = [
            _unread(reading.prepared[i : i + TWO], there[i : i + TWO]) for i in range(0, len(there), TWO)
        ]
        sound = np.flatnonzero([not one.error for one in scores])
        if sound.size:
            chosen = reading.take((sound[:, None] * TWO + np.arange(TWO)).ravel())
            for i, one in zip(sound.tolist(), detector.judge_pairs_reading(chosen), strict=True):
                more = [value for verdict in (one.a, one.b) for value in _alone(verdict)]
                scores[i] = Score(one.probability, one.likelier, more=more)
        return scores

    return judge


def _alone(verdict: Verdict) -> tuple[float | None, str]:
    """Probability and label of one text."""
    return None if math.isnan(verdict.probability) else verdict.probability, verdict.label


def _unread(prepared: Sequence[object], there: Sequence[bool]) -> Score:
    """An error where one of two texts cannot be read; else no score yet."""
    from ghostbuster.tables.journal import Score

    faults = [
        f"text {name}: {getattr(one, 'refusal', '') or 'it holds no word; expected a text to compare'}"
        for name, one, is_there in zip("ab", prepared, there, strict=True)
        if not is_there
    ]
    return Score(None, None, "; ".join(faults))
