"""``score-table --on ray``: look the input through, plan its parts, have workers score them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ghostbuster.arrays import Progress
from ghostbuster.cluster.engine.model_files import parcels
from ghostbuster.cluster.engine.pool import Pool
from ghostbuster.cluster.engine.session import ray_session, standing_cluster
from ghostbuster.cluster.engine.workers import WorkerWish
from ghostbuster.cluster.parts import Part
from ghostbuster.cluster.plan import PLAN, Plan, check_input, close, standing_plan
from ghostbuster.cluster.planning import Task, held, look_through, new_plan, table_columns
from ghostbuster.cluster.scoring.part_errors import PartErrors, all_errors, read_errors
from ghostbuster.cluster.scoring.part_scorer import PartScorer
from ghostbuster.cluster.storage import names_in, read_bytes
from ghostbuster.detector.batches.portable import PortableDetector
from ghostbuster.tables.base import WORD
from ghostbuster.tables.scoring import layout_of

Listen = Callable[[Plan, int], Progress]
"""Called once with the plan and its rows that are finished; gives what is called with rows and characters."""


@dataclass(frozen=True)
class ScoreJob:
    """A table to score on a cluster.

    Attributes
    ----------
    task : Task
    detector : PortableDetector
    workers : WorkerWish
    address : str or None
        Of the cluster; see `ray_session`.
    device : str or None
    gpu_layers : int or None
    """

    task: Task
    detector: PortableDetector
    workers: WorkerWish
    address: str | None = None
    device: str | None = None
    gpu_layers: int | None = None


def score_on_ray(job: ScoreJob, listen: Listen, *, restart: bool = False) -> PartErrors:
    """Score a table into a folder of parts; finished parts are not scored again.

    Parameters
    ----------
    job : ScoreJob
    listen : callable
    restart : bool
        Score all of it again.

    Returns
    -------
    PartErrors
        Rows with an error, of all parts.

    Raises
    ------
    InputError
        When the input or the folder cannot be used, or is not the same for all nodes.
    SettingError
        When parts that are there belong to another input, detector or setting, or Ray is not installed.
    ClusterError
        When the cluster does not answer, or has no room for a worker.
    """
    task = job.task
    with held(task.folder):
        plan = standing_plan(task.folder, task.made_by, task.files, restart=restart)
        same = plan is not None and plan.stamps == task.stamps
        seen = look_through(task) if not same and task.is_small else None
        if plan is not None and seen is not None:
            check_input(task.folder, plan, seen.digest)
            same = True
        if plan is not None and same and not _left(task, plan):
            return _finish(task, plan, (), listen(plan, plan.n_rows))
        with ray_session(job.address, **job.workers.of_a_new_cluster()) as ray:
            workers = job.workers.on(ray)
            if plan is not None and not same:
                check_input(task.folder, plan, look_through(task, ray).digest)
            if plan is None:
                plan = new_plan(task, look_through(task, ray) if seen is None else seen, workers.n)
            left = _left(task, plan)
            progress = listen(plan, plan.n_rows - sum(one.n_rows for one in left))
            pool: Pool[Part, PartErrors] = Pool(ray, _work(job, plan, ray), workers)
            return _finish(task, plan, pool.run(left), progress)


def _left(task: Task, plan: Plan) -> list[Part]:
    """Parts that are not there: a part has its name from the moment on when it is complete."""
    there = set(names_in(task.folder))
    return [one for one in plan.parts if one.name not in there]


def _finish(
    task: Task, plan: Plan, done: Iterable[tuple[Part, PartErrors]], progress: Progress
) -> PartErrors:
    """Wait for the parts that are left, and close the folder."""
    names = set(names_in(task.folder))
    found = [(one, read_errors(task.folder, one, names)) for one in plan.parts if one.name in names]
    rows = characters = 0
    for part, errors in done:
        found.append((part, errors))
        rows, characters = rows + part.n_rows, characters + part.n_characters
        progress(rows, characters)
    close(task.folder, plan)
    return all_errors(found)


def _work(job: ScoreJob, plan: Plan, ray: Any) -> PartScorer:
    columns = job.task.columns
    kept, schema, dialect = table_columns(plan)
    of_any = columns.job(Path(job.task.files[0].place.path))
    of_any.reader.dialect = dialect
    added = of_any.added | ({} if columns.submission else {of_any.error_column: WORD})
    panel = job.detector.detector().params.panel
    elsewhere = standing_cluster(job.address) is not None
    return PartScorer(
        job.task.files,
        job.task.folder,
        columns,
        layout_of(of_any, kept, schema, added),
        job.detector,
        parcels(panel, ray if elsewhere else None),
        job.device,
        job.gpu_layers,
        hashlib.sha256(read_bytes(job.task.folder.child(PLAN)) or b"").hexdigest(),
    )
