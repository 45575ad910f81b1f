"""A part of a folder of token scores: some rows in one Parquet file, a list a row and channel.

A column is called ``source.channel`` (``strong.logprob``), and one list has a value a token; ``source.ends``
is where each token ends, in characters of the column ``text`` (the text as it was prepared), and
``strong.states`` the mean outputs of the kept layers, one layer after another. Numbers are those of the
models, bit for bit.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ghostbuster.arrays import TokenScores
from ghostbuster.errors import InputError
from ghostbuster.hidden_states import HiddenStates
from ghostbuster.reading.scores.digests import DIGESTS, check_columns, column_digest, flat_lists
from ghostbuster.reading.scores.rows import fault_in
from ghostbuster.system.atomic_files import atomic_write
from ghostbuster.tables.base import TextRow
from ghostbuster.tables.survey import SHOWN, Fault
from ghostbuster.text.prepare import prepare_or_refuse

if TYPE_CHECKING:
    import pyarrow as pa

    from ghostbuster.models.panel import Panel

ROW, TEXT = "row", "text"
"""Columns of a row's number, from 1, and of its text as it was prepared."""
ENDS, STATES = "ends", "states"
_ABOUT = b"ghostbuster"
_LEVEL = 3  # of Zstandard: higher ones save one byte in a hundred


@dataclass(frozen=True)
class About:
    """What a part says of itself.

    Attributes
    ----------
    manifest : str
        Digest of the manifest that it was read for.
    number : int
    n_texts, n_tokens : int
        Tokens are those of the strong model.
    n_faults : int
        Rows without a word that could be read.
    faults : tuple of (int, str)
        The first of them: number of the row, from 1, and what is wrong with it.
    """

    manifest: str
    number: int
    n_texts: int
    n_tokens: int
    n_faults: int
    faults: tuple[Fault, ...]


@dataclass(frozen=True)
class PartRows:
    """Rows that are to become a part; can be sent to another process.

    Attributes
    ----------
    manifest : str
        Digest of the manifest.
    number : int
        Of the part.
    first : int
        Number of its first row, from 0.
    rows : sequence of TextRow
    column : str
        What the column of texts is called.
    """

    manifest: str
    number: int
    first: int
    rows: Sequence[TextRow]
    column: str

    @property
    def n_characters(self) -> int:
        """Of all texts."""
        return sum(len(row.text) for row in self.rows)

    @property
    def name(self) -> str:
        """What messages call the part."""
        return part_name(self.number)

    def read(self, panel: Panel) -> bytes:
        """Let a panel read the texts; the bytes of the part's file."""
        import pyarrow as pa

        numbered = list(enumerate(self.rows, self.first + 1))
        faults = [(number, fault) for number, row in numbered if (fault := fault_in(row, self.column))]
        numbers = [number for number, row in numbered if not row.fault]
        prepared = [prepare_or_refuse(row.text) for row in self.rows if not row.fault]
        told = {number for number, _ in faults}
        faults += [
            (number, f"column {self.column!r} holds {one.refusal or 'no word'}; expected a text")
            for number, one in zip(numbers, prepared, strict=True)
            if not one.text and number not in told
        ]
        faults.sort()
        texts = [one.text for one in prepared]
        scores = panel.score(texts)
        columns: dict[str, Any] = {ROW: pa.array(numbers, pa.int64()), TEXT: pa.array(texts, pa.string())}
        for source, of_source in scores.items():
            columns |= _columns(source, of_source)
        said = About(
            manifest=self.manifest,
            number=self.number,
            n_texts=len(texts),
            n_tokens=int(scores["strong"].ends.size),
            n_faults=len(faults),
            faults=tuple(faults[:SHOWN]),
        )
        table = pa.table(columns)
        digests = {name: column_digest(table.column(name)) for name in table.column_names}
        notes = {_ABOUT: json.dumps(vars(said)).encode(), DIGESTS: json.dumps(digests).encode()}
        return _packed(table.replace_schema_metadata(notes))


def _columns(source: str, scores: TokenScores) -> dict[str, Any]:
    """A source's columns."""
    import pyarrow as pa

    offsets = pa.array(scores.offsets.astype(np.int32))
    flat = {ENDS: scores.ends, **scores.channels}
    made = {
        f"{source}.{name}": pa.ListArray.from_arrays(offsets, pa.array(values))
        for name, values in flat.items()
    }
    if scores.states is not None:
        means = scores.states.means.reshape(scores.n_texts, -1)
        every = pa.array(np.arange(scores.n_texts + 1, dtype=np.int32) * means.shape[1])
        made[f"{source}.{STATES}"] = pa.ListArray.from_arrays(every, pa.array(means.reshape(-1)))
    return made


def _packed(table: pa.Table) -> bytes:
    """A part as a file of Parquet: fractions by the place of their bytes, which Zstandard shrinks best."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fractions = [
        f"{field.name}.list.element"
        for field in table.schema
        if pa.types.is_list(field.type) and field.type.value_type in {pa.float32(), pa.float64()}
    ]
    packed = pa.BufferOutputStream()
    pq.write_table(
        table,
        packed,
        compression="zstd",
        compression_level=_LEVEL,
        use_dictionary=False,
        use_byte_stream_split=fractions,
        write_statistics=False,
        write_page_checksum=True,
    )
    data: bytes = packed.getvalue().to_pybytes()
    return data


def write_part(data: bytes, path: Path) -> None:
    """Write a part's file whole or not at all.

    Raises
    ------
    InputError
        When the disk is full or failing.
    """
    with atomic_write(path, InputError) as temporary:
        temporary.write_bytes(data)


def part_name(number: int) -> str:
    """What the file of a part is called."""
    return f"part-{number:05d}.parquet"


def about(path: Path) -> About | None:
    """What a part says of itself; None for a file that is missing, cut short or none of these."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        said = json.loads(pq.read_schema(path).metadata[_ABOUT])
        counts = {name: int(said[name]) for name in ("number", "n_texts", "n_tokens", "n_faults")}
        faults = tuple((int(number), str(fault)) for number, fault in said["faults"])
        return About(manifest=str(said["manifest"]), faults=faults, **counts)
    except (OSError, pa.ArrowException, ValueError, TypeError, LookupError, RecursionError):
        return None


@dataclass(frozen=True)
class Part:
    """Rows of a part.

    Attributes
    ----------
    texts : list of str, length n_texts
        Prepared.
    scores : dict of str to TokenScores
        By source.
    """

    texts: list[str]
    scores: dict[str, TokenScores]


def load_part(path: Path, layers: Sequence[int]) -> Part:
    """Read a part back.

    Parameters
    ----------
    path : Path
    layers : sequence of int
        Those whose hidden states are kept; none leaves them where they are.

    Raises
    ------
    InputError
        When the file is damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            names = [name for name in file.schema_arrow.names if layers or not name.endswith(f".{STATES}")]
            table = file.read(columns=names).combine_chunks()
        table.validate(full=True)
        check_columns(table, all_columns=bool(layers))
        by_source: dict[str, dict[str, Any]] = {}
        for name in names:
            source, _, channel = name.partition(".")
            if channel:
                by_source.setdefault(source, {})[channel] = table.column(name)
        scores = {source: _scores(columns, layers) for source, columns in by_source.items()}
        return Part(table.column(TEXT).to_pylist(), scores)
    except (OSError, pa.ArrowException, ValueError, TypeError, LookupError, AttributeError) as error:
        said = str(error).strip().splitlines()[:1]
        raise InputError(
            f"{path} is damaged ({type(error).__name__}: {' '.join(said)[:80]}): delete it and give the same "
            "`ghostbuster read` again, which reads this part alone"
        ) from error


def _scores(columns: dict[str, Any], layers: Sequence[int]) -> TokenScores:
    """One source's scores of some texts."""
    offsets, ends = flat_lists(columns.pop(ENDS))
    states = columns.pop(STATES, None)
    channels = {}
    for name, column in columns.items():
        of_channel, values = flat_lists(column)
        if not np.array_equal(of_channel, offsets):
            raise ValueError(f"{name} has other tokens than {ENDS}")
        channels[name] = values
    kept = None
    if states is not None:
        of_texts, means = flat_lists(states)
        kept = HiddenStates.without_blocks(layers, means.reshape(of_texts.size - 1, len(layers), -1))
    return TokenScores(channels, ends, offsets, kept)
