"""Check the files of an input before anything costly: rows, faults, columns and their types."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ghostbuster.cluster.inputs import InputFile
from ghostbuster.cluster.local_files import LocalFiles
from ghostbuster.cluster.parts import Marks
from ghostbuster.errors import InputError
from ghostbuster.tables.dialect import Dialect
from ghostbuster.tables.registry import kind_of
from ghostbuster.tables.survey import SHOWN, ColumnTypes, Job, Survey, survey

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Columns:
    """What is asked of a table's columns.

    Attributes
    ----------
    text : str
    suffix : str
        Of the output's kind, with the dot.
    prefix : str
        Put before the names of added columns.
    submission : str
        Column of ids, to write these and a number alone; empty to keep all columns.
    """

    text: str
    suffix: str
    prefix: str = ""
    submission: str = ""

    def job(self, path: Path) -> Job:
        """The job of one file on this machine, whose output stands for any part."""
        reader = kind_of(path).reader(path)
        return Job(reader, Path(f"part{self.suffix}"), self.text, self.prefix, self.submission)


@dataclass(frozen=True)
class FileSurvey:
    """What is known of one file.

    Attributes
    ----------
    seen : Survey
    columns : list of str
    dialect : Dialect or None
    marks : list of (int, int)
        Rows and characters up to each place where a part can end.
    """

    seen: Survey
    columns: list[str]
    dialect: Dialect | None
    marks: list[tuple[int, int]]


@dataclass(frozen=True)
class InputSurvey:
    """What is known of all files together.

    Attributes
    ----------
    files : tuple of InputFile
    digest : str
        Of what they hold, in order.
    n_rows, n_characters, n_faults : int
    faults : tuple of (str, int, str)
        Address, row of the file from 1, and what is wrong with it, of the first rows without a text.
    columns : list of str
        All there are, in the order in which they appear first.
    schema : pyarrow.Schema or None
        Types of the columns, where the kind of the output has them.
    dialect : Dialect or None
        Of the first file.
    marks : list of list of (int, int)
    """

    files: tuple[InputFile, ...]
    digest: str
    n_rows: int
    n_characters: int
    n_faults: int
    faults: tuple[tuple[str, int, str], ...]
    columns: list[str]
    schema: pa.Schema | None
    dialect: Dialect | None
    marks: list[list[tuple[int, int]]]


def survey_file(file: InputFile, columns: Columns) -> FileSurvey:
    """Read a file once.

    Raises
    ------
    InputError
        When it cannot be read, lacks a column that is asked for, or has one that would be overwritten.
    """
    marks = Marks()
    with LocalFiles() as files:
        job = columns.job(files.path(file))
        try:
            seen = survey(job, marks.see, allow_empty=True)
        except InputError as error:
            raise InputError(_with_address(str(error), job.reader.path, file)) from error
    reader = job.reader
    if not columns.submission and seen.n_rows and job.error_column in reader.columns:
        raise InputError(
            f"{file.place.address} already has a column {job.error_column!r}, which would be lost: rename "
            "it, or give --prefix"
        )
    return FileSurvey(seen, list(reader.columns), reader.dialect, marks.close())


def together(files: Sequence[InputFile], found: Sequence[FileSurvey], named: str) -> InputSurvey:
    """What is known of all files.

    Raises
    ------
    InputError
        When no file has a row, or a column has types in two files that no type holds.
    """
    with_rows = [one for one in found if one.seen.n_rows]
    if not with_rows:
        raise InputError(f"{named} has no row; expected a header and at least one text")
    digest = hashlib.sha256("\n".join(one.seen.digest for one in found).encode()).hexdigest()
    faults = [
        (file.place.address, row, fault)
        for file, one in zip(files, found, strict=True)
        for row, fault in one.seen.faults
    ]
    columns = list(dict.fromkeys(name for one in with_rows for name in one.columns))
    return InputSurvey(
        tuple(files),
        digest,
        sum(one.seen.n_rows for one in found),
        sum(one.seen.n_characters for one in found),
        sum(one.seen.n_faults for one in found),
        tuple(faults[:SHOWN]),
        columns,
        _schema(columns, with_rows, named),
        with_rows[0].dialect,
        [one.marks for one in found],
    )


def _schema(columns: Sequence[str], found: Sequence[FileSurvey], named: str) -> pa.Schema | None:
    import pyarrow as pa

    if found[0].seen.types is not None:
        types = ColumnTypes()
        for one in found:
            if one.seen.types is not None:
                types.merge(one.seen.types)
        return types.schema(columns)
    schemas = [one.seen.schema for one in found if one.seen.schema is not None]
    if not schemas:
        return None
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except pa.ArrowException as error:
        raise InputError(
            f"the files of {named} have columns of one name and different types ({error}): give them one "
            "type, or score them into folders of their own"
        ) from error


def _with_address(message: str, path: Path, file: InputFile) -> str:
    """A message that names the file as a user did."""
    return message.replace(str(path), file.place.address)
