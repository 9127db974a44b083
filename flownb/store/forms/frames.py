"""Frames, series, indexes and extension arrays of pandas as parquet files, written and compared in pieces.

The file holds the columns as Arrow has them, so that others can read it, and beside them, as metadata, the
*structure*: what the value is, its labels, and a recipe for each column. What is written is read back and compared
piece by piece, so that a frame of any size takes little memory beside its own.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from flownb.store.forms.columns import bare, from_arrow, to_arrow, width
from flownb.store.forms.dtypes import (
    dtype_of,
    index_of,
    is_index,
    labels_form,
    labels_of,
    recipe_of,
    same_column,
    same_labels,
    shape_form,
    with_cells,
)
from flownb.store.forms.pandas_scalars import pandas
from flownb.store.forms.preview import MOST_ROWS, rows_of
from flownb.store.forms.refused import Refused, broken, encodable, expect, fields, shorten, step, text_of, type_name
from flownb.store.forms.same import difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from flownb.ids import Digest
    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

_KEY: Final = b"flownb"
_FORMAT: Final = 1
#: About how many bytes of a frame are written, and read back, at once.
_PIECE: Final = 8 * 1024 * 1024
#: Files up to this size are read as a whole and by one thread, which is faster.
_WHOLE: Final = 8 * 1024 * 1024
_MOST_ROWS: Final = 1_000_000
#: Nested fields keep the names that Arrow gives them.
_HOW: Final[dict[str, Any]] = {"compression": "zstd", "use_compliant_nested_type": False}
_SHOWN_ROWS: Final = 5
_SHOWN_COLUMNS: Final = 50


class _Plan(NamedTuple):
    """How a value is written."""

    structure: dict[str, Any]
    #: The columns of the file, those of the index first.
    columns: list[tuple[dict[str, Any], Any]]
    names: list[str]
    rows: int
    piece: int


def encode(encoder: Encoder, value: Any, cls: type) -> Any:
    """The reference to a frame or one of its kin; NotImplemented for others."""
    pd = sys.modules["pandas"]
    if cls is pd.DataFrame:
        kind = "frame"
    elif cls is pd.Series:
        kind = "series"
    elif is_index(value):
        kind = "index"
    elif isinstance(value, pd.api.extensions.ExtensionArray):
        kind = "array"
    else:
        return NotImplemented
    if encoder.inline:
        raise Refused(f"is a {cls.__name__} inside a table")
    plan = _plan(encoder, value, kind)
    digest = _write(encoder, plan)
    _check(encoder, value, plan, digest)
    return encoder.artifact(value, digest, "parquet", type=f"pandas.{cls.__name__}", preview=_preview(value, kind))


# --- writing ----------------------------------------------------------------------------------------------------------


def _plan(encoder: Encoder, value: Any, kind: str) -> _Plan:
    cells = encoder.cells()
    structure: dict[str, Any] = {"format": _FORMAT, "kind": kind, "rows": len(value)}
    columns: list[tuple[dict[str, Any], Any]] = []
    if kind in ("frame", "series"):
        _check_bare(value)
        structure["attrs"] = _attrs(cells, value)
        structure["unique"] = not value.flags.allows_duplicate_labels
        structure["index"], columns = _index(encoder, value.index)
    if kind == "frame":
        structure["columns"] = labels_form(encoder, value.columns)
        own = [_column(encoder, column, label) for label, column in value.items()]
        structure["recipes"] = [recipe for recipe, _ in own]
        columns = [*columns, *own]
    elif kind == "index":
        structure["index"], columns = _index(encoder, value)
    else:
        columns.append(_column(encoder, value))
        structure["recipes"] = [columns[-1][0]]
    if kind == "series":
        structure["name"] = cells.encode(value.name)
    size = sum(getattr(array, "nbytes", 0) for _, array in columns)
    piece = max(1_000, min(_MOST_ROWS, _PIECE * max(1, len(value)) // max(1, size)))
    return _Plan(structure, columns, _file_names(value, kind, columns), len(value), piece)


def _column(encoder: Encoder, values: Any, *label: Any) -> tuple[dict[str, Any], Any]:
    try:
        array = bare(values) if hasattr(values, "array") else values
        return with_cells(recipe_of(encoder, array.dtype), array), array
    except Refused as refused:
        raise refused.under("".join(map(step, label))) from None


def _index(encoder: Encoder, index: Any) -> tuple[dict[str, Any], list[tuple[dict[str, Any], Any]]]:
    if not is_index(index):
        raise Refused(f"has an index of the type {type_name(type(index))}")
    return shape_form(encoder, index)


def _attrs(cells: Encoder, value: Any) -> dict[str, Any]:
    try:
        return {"value": cells.encode(value.attrs)}
    except Refused as refused:
        raise refused.under(".attrs") from None


def _check_bare(value: Any) -> None:
    """Refuse attributes that somebody hung on a frame; what pandas keeps there itself is known by its class."""
    own = [name for name in vars(value) if not name.startswith("_") and not hasattr(type(value), name)]
    if own:
        raise Refused(f"carries the attribute {own[0]!r}, which no file keeps: put it into .attrs")


def _file_names(value: Any, kind: str, columns: list[tuple[dict[str, Any], Any]]) -> list[str]:
    """What the columns are called in the file: as in the frame, where those are plain and all different."""
    named: list[Any] = []
    labels = list(value.columns) if kind == "frame" else ["value"]
    levels = len(columns) - len(labels) if kind != "index" else len(columns)
    labels = [f"__index_level_{level}__" for level in range(levels)] + (labels if kind != "index" else [])
    for label, (recipe, _) in zip(labels, columns, strict=True):
        count = width(recipe)
        named += [label] if count == 1 else [f"{label}__{part}" for part in range(count)]
    if all(type(name) is str and name and name.isprintable() and "." not in name for name in named):
        try:
            "".join(named).encode()
        except UnicodeEncodeError:
            pass
        else:
            if len(set(named)) == len(named):
                return named
    return [f"c{place}" for place in range(len(named))]


def _write(encoder: Encoder, plan: _Plan) -> Digest:
    import pyarrow as pa
    import pyarrow.parquet as pq

    structure = msgspec.json.encode(plan.structure)
    with encoder.artifacts.create(".parquet") as new:
        first = _table(encoder, plan, 0)
        # For numbers a dictionary costs more time than it saves space.
        texts = [
            field.name for field in first.schema if pa.types.is_large_string(field.type) or field.type == pa.string()
        ]
        with pq.ParquetWriter(new, first.schema, **_HOW, use_dictionary=texts) as writer:
            writer.add_key_value_metadata({_KEY: structure})
            writer.write_table(first, row_group_size=plan.piece)
            for start in range(plan.piece, plan.rows, plan.piece):
                writer.write_table(_table(encoder, plan, start), row_group_size=plan.piece)
    pa.default_memory_pool().release_unused()
    return new.digest


def _table(encoder: Encoder, plan: _Plan, start: int) -> Any:
    """The Arrow table of one piece."""
    import pyarrow as pa

    arrow: list[Any] = []
    stop = start + plan.piece
    for recipe, array in plan.columns:
        try:
            arrow += to_arrow(encoder, array[start:stop], recipe)
        except Refused as refused:
            raise refused.under(plan.names[len(arrow)] and f".{plan.names[len(arrow)]}") from None
    return pa.Table.from_arrays(arrow, names=plan.names)


# --- reading ----------------------------------------------------------------------------------------------------------


class _File:
    """A parquet file of ours that is open."""

    def __init__(self, decoder: Decoder, digest: str) -> None:
        try:
            import pyarrow.parquet as pq
        except ImportError:
            raise broken("it is a frame, and pyarrow is missing here: pip install 'flownb[data]'") from None
        path = decoder.artifacts.path(digest)
        self.file: Final = pq.ParquetFile(decoder.artifacts.open(digest) if path is None else str(path))
        metadata = self.file.metadata.metadata or {}
        if _KEY not in metadata:
            raise broken(f"artifact {digest[:12]} is a parquet file, and none of flownb's")
        self.structure: Final = expect(msgspec.json.decode(metadata[_KEY]), dict, "a frame")
        self._small: Final = decoder.artifacts.size(digest) <= _WHOLE
        self._whole: Any = None

    def pieces(self) -> Iterator[Any]:
        """The row groups as tables."""
        if self.file.num_row_groups == 0:
            yield self.file.read(use_threads=False)
        for group in range(self.file.num_row_groups):
            yield self.file.read_row_group(group, use_threads=not self._small)

    def columns(self, start: int, count: int) -> list[Any]:
        """Some columns in full; of a large file only these are read."""
        if self._small:
            self._whole = self.file.read(use_threads=False) if self._whole is None else self._whole
            return [self._whole.column(place) for place in range(start, start + count)]
        names = self.file.schema_arrow.names[start : start + count]
        return list(self.file.read(columns=names).columns)


def from_file(decoder: Decoder, digest: str, _: dict[str, Any]) -> Any:
    """The frame of a parquet file.

    Raises:
        StoreError: it is none of ours, or not of this version.
    """
    pandas()
    decoder.check(digest)
    opened = _File(decoder, digest)
    with opened.file:
        rows = expect(opened.structure.get("rows"), int, "a frame")
        if opened.file.metadata.num_rows not in (rows, 0):
            raise broken(f"a frame has {opened.file.metadata.num_rows} rows and not {rows}")
        return _assemble(decoder, opened.structure, _taker(opened.columns), 0, rows)


def _taker(columns: Callable[[int, int], list[Any]]) -> Callable[[int], list[Any]]:
    """Hands out the columns from the first on, so many at a time."""
    place = 0

    def take(count: int) -> list[Any]:
        nonlocal place
        place += count
        return columns(place - count, count)

    return take


def _part_of(columns: list[Any], start: int, count: int) -> list[Any]:
    return columns[start : start + count]


def _assemble(
    decoder: Decoder, structure: dict[str, Any], take: Callable[[int], list[Any]], start: int, stop: int
) -> Any:
    """The rows `start` to `stop` of the value."""
    pd = pandas()
    version, kind = fields(structure, "a frame", "format", "kind")
    if version != _FORMAT:
        raise broken(f"a frame is of the format {shorten(repr(version), 20)}; this version reads {_FORMAT}")
    if kind == "array":
        return _array(decoder, take, structure["recipes"][0])
    index = index_of(decoder, structure.get("index"), partial(_array, decoder, take), start, stop)
    if kind == "index":
        return index
    recipes = expect(structure.get("recipes"), list, "a frame")
    series = [_series(_array(decoder, take, recipe), index) for recipe in recipes]
    if kind == "series":
        value = series[0].rename(None)
        value.name = decoder.decode(structure.get("name"))
    else:
        value = pd.DataFrame(dict(enumerate(series)), index=index, copy=False)
        value.columns = labels_of(decoder, structure.get("columns"))
    value.attrs = decoder.exactly(expect(structure.get("attrs"), dict, "a frame").get("value"), dict, "attrs")
    return value.set_flags(allows_duplicate_labels=False) if structure.get("unique") else value


def _series(array: Any, index: Any) -> Any:
    pd = pandas()
    if isinstance(array, pd.api.extensions.ExtensionArray):
        return pd.Series(array, index=index, copy=False)  # with a dtype given, it could not be written any more
    return pd.Series(array, index=index, dtype=array.dtype, copy=False)  # without, pandas would guess at objects


def _array(decoder: Decoder, take: Callable[[int], list[Any]], recipe: Any) -> Any:
    dtype = dtype_of(decoder, recipe)
    return from_arrow(decoder, take(width(recipe)), recipe, dtype)


# --- comparing --------------------------------------------------------------------------------------------------------


def _check(encoder: Encoder, value: Any, plan: _Plan, digest: Digest) -> None:
    """Read back what was written, piece by piece.

    Raises:
        Refused: something is not as it was.
    """
    decoder = encoder.decoder()
    opened = _File(decoder, digest)
    start = 0
    with opened.file:
        for piece in opened.pieces():
            stop = min(start + plan.piece, plan.rows)
            try:
                take = _taker(partial(_part_of, piece.columns))
                again = _assemble(decoder, opened.structure, take, start, stop)
                found = _difference(value, again, start, stop)
            except Exception as error:
                raise Refused(f"does not come back from parquet ({text_of(error)})") from error
            if found is not None:
                raise Refused("does not come back equal from parquet").under(found)
            start = stop
    if start != plan.rows:
        raise Refused("does not come back whole from parquet")


def _difference(value: Any, again: Any, start: int, stop: int) -> str | None:
    """Where the rows `start` to `stop` of a value differ from what came back of them; None if nowhere."""
    pd = pandas()
    if type(value) is not type(again):
        return ""
    if is_index(value):
        return None if same_labels(value[start:stop], again) else ""
    if not isinstance(value, pd.DataFrame | pd.Series):
        return None if same_column(value[start:stop], again) else ""
    if not same_labels(value.index[start:stop], again.index):
        return ".index"
    if value.flags != again.flags or difference(value.attrs, again.attrs) is not None:
        return ".attrs"
    return (_columns_differ if isinstance(value, pd.DataFrame) else _cells_differ)(value, again, start, stop)


def _cells_differ(value: Any, again: Any, start: int, stop: int) -> str | None:
    if difference(value.name, again.name) is not None:
        return ".name"
    return None if same_column(bare(value)[start:stop], bare(again)) else ""


def _columns_differ(value: Any, again: Any, start: int, stop: int) -> str | None:
    if not same_labels(value.columns, again.columns):
        return ".columns"
    for (label, column), (_, other) in zip(value.items(), again.items(), strict=True):
        if not same_column(bare(column)[start:stop], bare(other)):
            return step(label)
    return None


# --- for people -------------------------------------------------------------------------------------------------------


def _preview(value: Any, kind: str) -> dict[str, Any]:
    """Shape, types and the first rows; without the rows where a cell's own text fails."""
    with suppress(Exception):
        return _shown(value, kind)
    return {"shape": [int(length) for length in value.shape]}


def _shown(value: Any, kind: str) -> dict[str, Any]:
    shape = [int(length) for length in value.shape]
    if kind == "frame":
        labels = zip(value.columns[:_SHOWN_COLUMNS], value.dtypes.array[:_SHOWN_COLUMNS], strict=True)
        columns = [[_word(label), _word(dtype)] for label, dtype in labels]
        head = value.head(_SHOWN_ROWS).to_string(max_cols=10, max_colwidth=40)
        shown = {"shape": shape, "columns": columns, "head": encodable(shorten(head, 2_000))}
        few = value.iloc[:MOST_ROWS, :_SHOWN_COLUMNS]
        rows = rows_of(zip(*(column.array for _, column in few.items()), strict=True)) if len(few.columns) else []
        shown |= {"rows": rows, "index": _labels(few.index, len(rows)), "memory": int(value.memory_usage().sum())}
        return shown
    head = value.head(_SHOWN_ROWS).to_string() if kind == "series" else repr(list(value[:_SHOWN_ROWS]))
    shown = {"shape": shape, "dtype": _word(value.dtype), "head": encodable(shorten(head, 2_000))}
    few = value.iloc[:MOST_ROWS] if kind == "series" else value[:MOST_ROWS]
    rows = rows_of((each,) for each in (few.array if kind == "series" else few))
    index = _labels(few.index, len(rows)) if kind == "series" else [str(number) for number in range(len(rows))]
    name = _word(value.name) if getattr(value, "name", None) is not None else ""
    return shown | {"name": name, "rows": rows, "index": index, "memory": int(getattr(value, "nbytes", 0))}


def _labels(index: Any, count: int) -> list[str]:
    return [_word(label) for label in index[:count]]


def _word(label: Any) -> str:
    return encodable(shorten(", ".join(map(str, label)) if type(label) is tuple else str(label), 80))
