"""From an input and an output folder to a plan, by looking through the input, on a cluster if it is large."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

from ghostbuster.cluster.engine.pool import raised_by_worker
from ghostbuster.cluster.inputs import InputFile
from ghostbuster.cluster.parts import cut, named, part_characters
from ghostbuster.cluster.plan import LOCK, Plan, begin, identity_of
from ghostbuster.cluster.storage import Place, make_folder
from ghostbuster.cluster.survey import Columns, FileSurvey, InputSurvey, survey_file, together
from ghostbuster.errors import InputError
from ghostbuster.system.file_lock import lock_when_free
from ghostbuster.tables.dialect import Dialect

SMALL_BYTES = 2**26
"""An input up to here is looked through before a cluster is started."""
_AHEAD = 4
"""Files that each CPU of the cluster has to look through at a time."""


@dataclass(frozen=True)
class Task:
    """What is to be made of an input.

    Attributes
    ----------
    named : str
        The input, as a user named it.
    files : sequence of InputFile
    folder : Place
        Where parts are written.
    columns : Columns
    made_by : mapping of str to str
        Everything that moves a value, but the input.
    """

    named: str
    files: Sequence[InputFile]
    folder: Place
    columns: Columns
    made_by: Mapping[str, str]

    @property
    def is_small(self) -> bool:
        """Whether it is looked through without a cluster."""
        return sum(one.n_bytes for one in self.files) <= SMALL_BYTES

    @property
    def stamps(self) -> list[list[Any]]:
        """What tells whether files have changed."""
        return [one.stamp for one in self.files]


def look_through(task: Task, ray: Any | None = None) -> InputSurvey:
    """Read all files once, on the workers of a cluster where there is one.

    Raises
    ------
    InputError
        When one cannot be read, lacks a column, or has one that would be overwritten.
    """
    found = (
        _on_cluster(task, ray) if ray is not None else [survey_file(one, task.columns) for one in task.files]
    )
    return together(task.files, found, task.named)


def new_plan(task: Task, seen: InputSurvey, n_workers: int) -> Plan:
    """The plan of an input that was looked through, written to its folder."""
    size = part_characters(seen.n_characters, n_workers)
    identity = identity_of(task.made_by, seen.digest)
    parts = named(cut(seen.marks, size), identity, task.columns.suffix)
    plan = Plan(dict(task.made_by), seen.digest, task.stamps, tuple(parts), _facts(seen))
    begin(task.folder, plan)
    return plan


def table_columns(plan: Plan) -> tuple[list[str], Any, Dialect | None]:
    """Columns of the plan's input, their schema where the output has one, and the first file's dialect."""
    import pyarrow as pa

    facts = plan.facts
    packed, dialect = facts["schema"], facts["dialect"]
    schema = None if packed is None else pa.ipc.read_schema(pa.py_buffer(base64.b64decode(packed)))
    if dialect is not None:
        dialect = Dialect(**dialect | {"mark": bytes.fromhex(dialect["mark"])})
    return list(facts["columns"]), schema, dialect


@contextmanager
def held(folder: Place) -> Iterator[None]:
    """Keep other commands of this machine out of a folder that is on its file systems.

    Raises
    ------
    InputError
        When another command writes there.
    """
    if folder.local is None:
        yield
        return
    path = folder.local / LOCK
    is_new = not folder.local.exists()
    make_folder(folder)
    try:
        lock = lock_when_free(path, 0.0)
    except TimeoutError:
        raise InputError(f"{folder.address} is being written by another process; wait for its end") from None
    except OSError:  # file systems that know no locks
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.close()
        if is_new:
            with suppress(OSError):
                folder.local.rmdir()  # nothing was written


def _facts(seen: InputSurvey) -> dict[str, Any]:
    schema = seen.schema
    dialect = None if seen.dialect is None else asdict(seen.dialect) | {"mark": seen.dialect.mark.hex()}
    return {
        "columns": seen.columns,
        "schema": None if schema is None else base64.b64encode(schema.serialize().to_pybytes()).decode(),
        "dialect": dialect,
        "n_faults": seen.n_faults,
        "faults": [list(one) for one in seen.faults],
    }


def _on_cluster(task: Task, ray: Any) -> list[FileSurvey]:
    """One task a file, not more of them at a time than the cluster can begin soon."""
    from ray.exceptions import RayTaskError

    survey = ray.remote(survey_file)
    ahead = max(int(ray.cluster_resources().get("CPU", 1)), 1) * _AHEAD
    numbered = enumerate(task.files)
    pending: dict[Any, int] = {}
    found: dict[int, FileSurvey] = {}
    while len(found) < len(task.files):
        for i, file in islice(numbered, ahead - len(pending)):
            pending[survey.remote(file, task.columns)] = i
        done, _ = ray.wait(list(pending), num_returns=1)
        for reference in done:
            try:
                found[pending.pop(reference)] = ray.get(reference)
            except RayTaskError as error:
                raise raised_by_worker(error) from error
    return [found[i] for i in range(len(task.files))]
