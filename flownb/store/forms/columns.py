"""The cells of a column: to Arrow columns and back, exactly, by the recipe of the column (see `dtypes.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from flownb.store.forms.pandas_scalars import pandas
from flownb.store.forms.refused import Refused, broken
from flownb.store.forms.same import difference

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

    Recipe = dict[str, Any]

#: The times that Arrow and parquet keep as they are; others are kept as their numbers.
_TIMES: Final = frozenset({"<M8[ms]", "<M8[us]", "<M8[ns]", "<m8[s]", "<m8[ms]", "<m8[us]", "<m8[ns]"})
#: Numbers of numpy that Arrow has as well: booleans, integers, floats up to 64 bits.
_NUMBERS: Final = frozenset({"|b1", "|i1", "|u1"} | {f"<{kind}{size}" for kind in "iuf" for size in (2, 4, 8)})
_PAIR: Final = 2


class _Kind(NamedTuple):
    """What can be done with the columns of one kind; a recipe says which kind it is of."""

    #: The Arrow columns of an array.
    write: Callable[[Encoder, Any, Recipe], list[Any]]
    #: The array again, from as many chunked Arrow columns.
    read: Callable[[Decoder, list[Any], Recipe, Any], Any]
    #: Whether two arrays of the same dtype hold the same, bit by bit.
    same: Callable[[Any, Any, Recipe], bool]


def width(recipe: Recipe) -> int:
    """How many Arrow columns hold a column of that recipe."""
    return _PAIR * width(recipe["side"]) if recipe["kind"] == "interval" else 1


def to_arrow(encoder: Encoder, array: Any, recipe: Recipe) -> list[Any]:
    """The Arrow columns of an array of pandas or numpy.

    Raises:
        Refused: a cell has no plain form, with its place.
    """
    return _KINDS[recipe["kind"]].write(encoder, array, recipe)


def from_arrow(decoder: Decoder, columns: list[Any], recipe: Recipe, dtype: Any) -> Any:
    """The array again, from its chunked Arrow columns; its memory is its own and can be written.

    Raises:
        StoreError: they hold something else.
    """
    return _KINDS[recipe["kind"]].read(decoder, columns, recipe, dtype)


def same_cells(a: Any, b: Any, recipe: Recipe) -> bool:
    """Whether two arrays of that recipe hold the same, bit by bit; both have the dtype of the recipe."""
    return len(a) == len(b) and _KINDS[recipe["kind"]].same(a, b, recipe)


def bare(values: Any) -> Any:
    """The array in a Series or an Index: numpy's own, or an extension array."""
    pd = pandas()
    array = values.array
    # Exactly that one: arrays of text descend from it.
    return array.to_numpy() if type(array) is pd.arrays.NumpyExtensionArray else array


# --- numbers ----------------------------------------------------------------------------------------------------------


def _write_numbers(_: Encoder, array: Any, recipe: Recipe) -> list[Any]:
    return [_numbers_to_arrow(array, recipe["dtype"])]


def _read_numbers(_: Decoder, columns: list[Any], __: Recipe, dtype: Any) -> Any:
    return _numbers_from_arrow(columns[0], dtype)


def same_bits(a: Any, b: Any, _: Recipe | None = None) -> bool:
    """Whether two arrays of numpy's hold the same bits."""
    import numpy as np

    left, right = np.ascontiguousarray(a), np.ascontiguousarray(b)
    return bool(np.array_equal(left.view("uint8"), right.view("uint8")))


def _numbers_to_arrow(array: Any, dtype: str) -> Any:
    import numpy as np
    import pyarrow as pa

    array = np.ascontiguousarray(array)
    if dtype in _NUMBERS or dtype in _TIMES:
        return pa.array(array)
    if array.dtype.kind in "Mm":
        return pa.array(array.view("int64"))
    return pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(array.dtype.itemsize), len(array), [None, pa.py_buffer(array.view("uint8"))]
    )


def _numbers_from_arrow(column: Any, dtype: Any) -> Any:
    import numpy as np

    if dtype.str in _NUMBERS or dtype.str in _TIMES:
        array = _writable(column.to_numpy())
        if array.dtype != dtype:
            raise broken(f"a column is of the type {array.dtype} and not {dtype}")
        return array
    if dtype.kind in "Mm":
        return _writable(column.to_numpy()).view(dtype)
    return np.frombuffer(bytearray(b"".join(column.to_pylist())), dtype=dtype)


def _writable(array: Any) -> Any:
    return array if array.flags.writeable else array.copy()


def _write_masked(_: Encoder, array: Any, __: Recipe) -> list[Any]:
    import pyarrow as pa

    return [pa.array(array)]


def _read_masked(_: Decoder, columns: list[Any], __: Recipe, dtype: Any) -> Any:
    mask = columns[0].is_null().to_numpy()
    # The mask as it was, because pandas' own way would take each nan for a missing value.
    values = columns[0].fill_null(False if dtype.name == "boolean" else 0).to_numpy()
    return dtype.construct_array_type()(_writable(values), _writable(mask))


# --- objects ----------------------------------------------------------------------------------------------------------


def cells_of(array: Any) -> str:
    """How the cells of an object column are kept: as `text` if all are text or None, else each as `json`."""
    kinds = set(map(type, array))
    if kinds <= {str, type(None)}:
        try:
            for cell in array:
                if cell is not None and not cell.isascii():
                    cell.encode()
        except UnicodeEncodeError:
            return "json"
        return "text"
    return "json"


def _write_objects(encoder: Encoder, array: Any, recipe: Recipe) -> list[Any]:
    import pyarrow as pa

    if recipe["cells"] == "text":
        return [pa.array(array.tolist(), pa.large_string())]
    cells = []
    encode = encoder.cells().encode
    for cell in array:
        try:
            cells.append(msgspec.json.encode(encode(cell)))
        except Refused as refused:
            raise refused.under(f"[{len(cells)}]") from None
    return [pa.array(cells, pa.large_binary()).cast(pa.large_string())]


def _read_objects(decoder: Decoder, columns: list[Any], recipe: Recipe, _: Any) -> Any:
    import numpy as np

    cells = columns[0].to_pylist()
    if recipe.get("cells") != "text":
        cells = [decoder.decode(msgspec.json.decode(cell)) for cell in cells]
    return np.fromiter(cells, dtype=object, count=len(cells))


def _same_objects(a: Any, b: Any, _: Recipe) -> bool:
    return difference(a.tolist(), b.tolist()) is None


# --- times ------------------------------------------------------------------------------------------------------------


def _write_zoned(_: Encoder, array: Any, recipe: Recipe) -> list[Any]:
    dtype = f"<M8[{recipe['unit']}]"
    return [_numbers_to_arrow(array.asi8.view(dtype), dtype)]


def _read_zoned(_: Decoder, columns: list[Any], __: Recipe, dtype: Any) -> Any:
    import numpy as np

    moments = _numbers_from_arrow(columns[0], np.dtype(f"<M8[{dtype.unit}]"))
    return pandas().DatetimeIndex(moments).tz_localize("UTC").tz_convert(dtype.tz).array


def _write_periods(_: Encoder, array: Any, __: Recipe) -> list[Any]:
    return [_numbers_to_arrow(array.asi8, "<i8")]


def _read_periods(_: Decoder, columns: list[Any], __: Recipe, dtype: Any) -> Any:
    return pandas().arrays.PeriodArray(_writable(columns[0].to_numpy()), dtype=dtype)


def _same_times(a: Any, b: Any, recipe: Recipe) -> bool:
    return same_bits(a.asi8, b.asi8, recipe)


# --- categories and intervals -----------------------------------------------------------------------------------------


def _write_codes(_: Encoder, array: Any, __: Recipe) -> list[Any]:
    return [_numbers_to_arrow(array.codes, array.codes.dtype.str)]


def _read_codes(_: Decoder, columns: list[Any], __: Recipe, dtype: Any) -> Any:
    return pandas().Categorical.from_codes(_writable(columns[0].to_numpy()), dtype=dtype)


def _same_codes(a: Any, b: Any, recipe: Recipe) -> bool:
    return same_bits(a.codes, b.codes, recipe)


def _write_intervals(encoder: Encoder, array: Any, recipe: Recipe) -> list[Any]:
    sides = (bare(array.left), bare(array.right))
    return [column for side in sides for column in to_arrow(encoder, side, recipe["side"])]


def _read_intervals(decoder: Decoder, columns: list[Any], recipe: Recipe, dtype: Any) -> Any:
    half = len(columns) // _PAIR
    left, right = (
        pandas().Index(from_arrow(decoder, part, recipe["side"], dtype.subtype))
        for part in (columns[:half], columns[half:])
    )
    return pandas().arrays.IntervalArray.from_arrays(left, right, closed=dtype.closed)


def _same_intervals(a: Any, b: Any, recipe: Recipe) -> bool:
    sides = ((bare(a.left), bare(b.left)), (bare(a.right), bare(b.right)))
    return all(same_cells(left, right, recipe["side"]) for left, right in sides)


# --- what Arrow holds anyway ------------------------------------------------------------------------------------------


def _write_arrow(_: Encoder, array: Any, __: Recipe) -> list[Any]:
    import pyarrow as pa

    try:
        return [pa.array(array)]
    except UnicodeEncodeError:
        raise Refused("holds text that is no Unicode, in a column that takes nothing else") from None


def _read_text(_: Decoder, columns: list[Any], __: Recipe, dtype: Any) -> Any:
    # Without a chunk pandas makes an array of objects.
    return dtype.__from_arrow__(columns[0]) if len(columns[0]) else pandas().array([], dtype=dtype)


def _read_arrow(_: Decoder, columns: list[Any], recipe: Recipe, __: Any) -> Any:
    (column,) = columns
    if str(column.type) != recipe.get("type"):
        raise broken(f"a column is of the Arrow type {column.type} and not {recipe.get('type')}")
    return pandas().arrays.ArrowExtensionArray(column)


def _same_arrow(a: Any, b: Any, _: Recipe) -> bool:
    import numpy as np
    import pyarrow as pa

    left, right = (
        pa.chunked_array([each]) if isinstance(each, pa.Array) else each for each in (pa.array(a), pa.array(b))
    )
    if left.type != right.type:
        return False
    if pa.types.is_floating(left.type):  # Arrow calls nan unlike itself
        filled = (each.fill_null(0).to_numpy().view("uint8") for each in (left, right))
        return bool(left.is_null().equals(right.is_null())) and bool(np.array_equal(*filled))
    return bool(left.equals(right))


_KINDS: Final = {
    "numpy": _Kind(_write_numbers, _read_numbers, same_bits),
    "masked": _Kind(_write_masked, _read_masked, _same_arrow),
    "objects": _Kind(_write_objects, _read_objects, _same_objects),
    "zoned": _Kind(_write_zoned, _read_zoned, _same_times),
    "period": _Kind(_write_periods, _read_periods, _same_times),
    "category": _Kind(_write_codes, _read_codes, _same_codes),
    "interval": _Kind(_write_intervals, _read_intervals, _same_intervals),
    "string": _Kind(_write_arrow, _read_text, _same_arrow),
    "arrow": _Kind(_write_arrow, _read_arrow, _same_arrow),
}
