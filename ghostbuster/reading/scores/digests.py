"""Digests of the columns of a part: what tells a damaged file where Parquet's own checksums do not."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import numpy as np

from ghostbuster.arrays import AnyArray

if TYPE_CHECKING:
    import pyarrow as pa

DIGESTS = b"ghostbuster.digests"
"""Key of the digests by column among a part's metadata."""
_STATES = ".states"


def check_columns(table: pa.Table, *, all_columns: bool) -> None:
    """Refuse columns that are not those that were written: no checksum of Parquet covers its footer.

    Parameters
    ----------
    table : pyarrow.Table
        As it was read.
    all_columns : bool
        Whether those of hidden states were read too.

    Raises
    ------
    KeyError, ValueError
        When the file is damaged.
    """
    written = json.loads(table.schema.metadata[DIGESTS])
    expected = {name for name in written if all_columns or not name.endswith(_STATES)}
    if set(table.column_names) != expected:
        raise ValueError("columns were renamed or are missing")
    for name in table.column_names:
        if column_digest(table.column(name)) != written[name]:
            raise ValueError(f"column {name} is not what was written")


def column_digest(column: pa.ChunkedArray) -> str:
    """SHA-256 of a column's type and values, in hexadecimal."""
    import pyarrow as pa

    is_list = pa.types.is_list(column.type)
    kind = column.type.value_type if is_list else column.type  # lists name their elements as the reader likes
    made = hashlib.sha256(str(kind).encode())
    if is_list:
        for values in flat_lists(column):
            made.update(np.ascontiguousarray(values).tobytes())
    else:
        made.update(json.dumps(column.to_pylist()).encode())
    return made.hexdigest()


def flat_lists(column: pa.ChunkedArray) -> tuple[AnyArray, AnyArray]:
    """Offsets and values of a column of lists."""
    lists = column.combine_chunks()
    offsets = lists.offsets.to_numpy().astype(np.int64)
    return offsets - offsets[0], lists.flatten().to_numpy(zero_copy_only=False)
