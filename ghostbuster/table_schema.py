"""Types of columns, for Parquet files made from files that name none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


class Types:
    """Narrowest types that hold all values seen; text, as JSON writes it, where they have none in common."""

    def __init__(self) -> None:
        self._seen: dict[str, pa.DataType] = {}

    def see(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take the rows' values into account."""
        for name in dict.fromkeys(key for row in rows for key in row):
            found = _type_of([row.get(name) for row in rows])
            self._seen[name] = _common(self._seen[name], found) if name in self._seen else found

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """Of the named columns; text for those that held nothing."""
        import pyarrow as pa

        kinds = {name: self._seen.get(name, pa.null()) for name in columns}
        return pa.schema(
            [(name, pa.string() if pa.types.is_null(kind) else kind) for name, kind in kinds.items()]
        )


def _type_of(values: Sequence[Any]) -> pa.DataType:
    import pyarrow as pa

    try:
        found = pa.array(values).type  # its own inference passes over values that do not fit
    except (pa.ArrowException, OverflowError):
        return pa.string()
    return pa.string() if _hollow(found) else found


def _common(one: pa.DataType, other: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    if one == other or pa.types.is_null(other):
        return one
    if pa.types.is_null(one):
        return other
    try:
        schemas = [pa.schema([("it", kind)]) for kind in (one, other)]
        return pa.unify_schemas(schemas, promote_options="permissive").field("it").type
    except pa.ArrowException:
        return pa.string()


def _hollow(kind: pa.DataType) -> bool:
    """Whether a type holds an object without keys, which Parquet cannot."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return kind.num_fields == 0 or any(_hollow(field.type) for field in kind)
    return pa.types.is_list(kind) and _hollow(kind.value_type)
