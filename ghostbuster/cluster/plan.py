"""The plan of an output folder: its parts, and all that they are made of; written once, before any part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ghostbuster.cluster.inputs import InputFile
from ghostbuster.cluster.parts import Part, Span
from ghostbuster.cluster.storage import (
    Place,
    check_folder,
    make_folder,
    names_in,
    read_bytes,
    remove,
    write_bytes,
)
from ghostbuster.errors import InputError, SettingError

PLAN = "_plan.json"
"""Name of the plan; Spark, Arrow and pandas pass over names that begin with an underscore."""
DONE = "_SUCCESS"
"""Name of the empty file that says that all parts are there, as Spark and Hadoop write it."""
LOCK = "_lock"
"""Name of the file that one command holds, where the folder is on a file system of this machine."""
LAYOUT = "ghostbuster plan 1"
_SHOWN = 10


@dataclass(frozen=True)
class Plan:
    """What a folder of parts is, pinned.

    Attributes
    ----------
    made_by : mapping of str to str
        Everything that moves a value, each under a name that a user understands.
    input : str
        Digest of what the input files hold.
    stamps : list of [address, bytes, time of change]
        Of the input files, in order.
    parts : tuple of Part
    facts : mapping
        More that a job has to know when it goes on; fit for JSON.
    """

    made_by: Mapping[str, str]
    input: str
    stamps: list[list[Any]]
    parts: tuple[Part, ...]
    facts: Mapping[str, Any]

    @property
    def n_rows(self) -> int:
        """Rows of all parts."""
        return sum(one.n_rows for one in self.parts)

    @property
    def n_characters(self) -> int:
        """Characters of all parts."""
        return sum(one.n_characters for one in self.parts)


def identity_of(made_by: Mapping[str, str], digest: str) -> str:
    """Digest of everything that moves a value; the names of parts hold some of it."""
    return hashlib.sha256(json.dumps([dict(made_by), digest], sort_keys=True).encode()).hexdigest()


def read_plan(folder: Place) -> Plan | None:
    """The plan of a folder; None where there is none.

    Raises
    ------
    InputError
        When the file of its name is no plan of this version.
    """
    content = read_bytes(folder.child(PLAN))
    if content is None:
        return None
    try:
        found = json.loads(content)
        del found[LAYOUT]
        parts = tuple(
            Part(one["number"], one["name"], tuple(Span(**span) for span in one["spans"]))
            for one in found.pop("parts")
        )
        return Plan(parts=parts, **found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InputError(
            f"{folder.address}/{PLAN} is no plan that this version knows: write into another folder, or "
            "remove this one"
        ) from None


def begin(folder: Place, plan: Plan) -> None:
    """Write the plan of a folder, which is made if need be, once what an earlier plan made is removed."""
    make_folder(folder)
    _clear(folder)
    content = {LAYOUT: True} | asdict(plan)
    write_bytes(folder.child(PLAN), json.dumps(content, separators=(",", ":")).encode())


def standing_plan(
    folder: Place, made_by: Mapping[str, str], files: Sequence[InputFile], *, restart: bool
) -> Plan | None:
    """The plan to go on with, if this folder has one; nothing is written.

    Parameters
    ----------
    folder : Place
    made_by : mapping of str to str
        As the plan would say now.
    files : sequence of InputFile
        None of them may lie in the folder.
    restart : bool
        Pass over the plan that is there; `begin` will replace it.

    Raises
    ------
    InputError
        When the folder holds anything else, or lies around the input.
    SettingError
        When the parts there are of another input, detector or setting; it says which.
    """
    check_folder(folder)
    _check_apart(folder, files)
    found = read_plan(folder)
    if found is None or restart:
        _check_own(folder, own=found is not None)
        return None
    for name, value in made_by.items():
        was = found.made_by.get(name, "")
        if was != value:
            raise SettingError(
                f"{folder.address} holds parts with another {name} ({was[:12] or 'none'}, now "
                f"{value[:12] or 'none'}): give --restart to do all of it again, another folder, or the "
                "command it was begun with"
            )
    return found


def check_input(folder: Place, plan: Plan, digest: str) -> None:
    """Refuse parts of another input.

    Raises
    ------
    SettingError
        When the digests differ.
    """
    if plan.input != digest:
        raise SettingError(
            f"{folder.address} holds parts with another input ({plan.input[:12]}, now {digest[:12]}): give "
            "--restart to do all of it again, or another folder"
        )


def finished(folder: Place, plan: Plan) -> list[Part]:
    """The parts of a plan that are there: a part has its name from the moment on when it is complete."""
    there = set(names_in(folder))
    return [one for one in plan.parts if one.name in there]


def close(folder: Place, plan: Plan) -> None:
    """Say that all parts are there, once nothing else is: what workers that ended early have left goes."""
    expected = {name for one in plan.parts for name in (one.name, one.errors_name)}
    for name in names_in(folder):
        if name not in expected and _is_part(name):
            remove(folder.child(name))
    write_bytes(folder.child(DONE), b"")


def _is_part(name: str) -> bool:
    """Whether a file is a part, or was to become one."""
    return name.startswith(("part-", "_part-", ".part-", "._part-", f".{PLAN}.", f".{DONE}."))


def _check_own(folder: Place, *, own: bool) -> None:
    """Refuse a folder that holds what this command did not make."""
    names = [name for name in names_in(folder) if name not in {PLAN, DONE, LOCK}]
    foreign = [name for name in names if not (name.startswith(".") or own) or not _is_part(name)]
    if foreign:
        shown = ", ".join(foreign[:_SHOWN])
        raise InputError(
            f"{folder.address} is not empty ({shown}{', ...' if len(foreign) > _SHOWN else ''}): give a new "
            "folder, or one that holds parts of the same command"
        )


def _clear(folder: Place) -> None:
    """Remove what an earlier run has made; its plan goes first: parts without one are never taken up."""
    for name in sorted(names_in(folder), key=lambda name: name != PLAN):
        if _is_part(name) or name in {PLAN, DONE}:
            remove(folder.child(name))


def _check_apart(folder: Place, files: Sequence[InputFile]) -> None:
    inside = f"{folder.path.rstrip('/')}/"
    for file in files:
        if file.place.filesystem == folder.filesystem and file.place.path.startswith(inside):
            raise InputError(
                f"{file.place.address} lies in {folder.address}, where parts are to be written: choose "
                "another folder for them"
            )
