"""Types of columns, for Parquet files made from files that name none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_EXACT = 2**53  # whole numbers up to here are fractions too, without rounding


class Types:
    """Narrowest types that hold all values seen; text, as JSON writes it, where they have none in common."""

    def __init__(self) -> None:
        self._seen: dict[str, pa.DataType] = {}
        self._unlike_fractions: set[str] = set()

    def see(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Take the rows' values into account."""
        for name in dict.fromkeys(key for row in rows for key in row):
            values = [row.get(name) for row in rows]
            found = _type_of(values)
            self._seen[name] = _common(self._seen[name], found) if name in self._seen else found
            if any(map(_is_no_fraction, values)):
                self._unlike_fractions.add(name)

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """Of the named columns; text for those that held nothing."""
        import pyarrow as pa

        kinds = {name: self._seen.get(name, pa.null()) for name in columns}
        return pa.schema(
            [(name, pa.string() if self._is_text(name, kind) else kind) for name, kind in kinds.items()]
        )

    def _is_text(self, name: str, kind: pa.DataType) -> bool:
        """Whether a column of this type must be written as text, lest something of it be lost."""
        import pyarrow as pa

        return pa.types.is_null(kind) or (pa.types.is_floating(kind) and name in self._unlike_fractions)


def _is_no_fraction(value: Any) -> bool:
    """Whether a value would become another one as a fraction."""
    return isinstance(value, bool) or (isinstance(value, int) and abs(value) > _EXACT)


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
