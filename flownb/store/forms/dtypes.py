"""What a column is: its *recipe*, JSON data that makes its dtype again; and labels, any Index as JSON data.

The two need each other: the categories of a column are labels, and labels have a dtype. A recipe says all, where
pandas' own way through Arrow guesses.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final

from flownb.store.forms.columns import bare, cells_of, from_arrow, same_bits, same_cells, to_arrow
from flownb.store.forms.pandas_scalars import pandas
from flownb.store.forms.refused import Refused, broken, expect, fields, shorten, text_of, type_name
from flownb.store.forms.same import difference
from flownb.store.forms.scalars import unpack
from flownb.store.forms.times import zone_form, zone_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

    Recipe = dict[str, Any]

_MASKED: Final = frozenset(
    {"boolean", "Float32", "Float64"} | {f"{sign}Int{size}" for sign in ("", "U") for size in (8, 16, 32, 64)}
)
_KINDS: Final = {
    "string": "StringDtype",
    "category": "CategoricalDtype",
    "zoned": "DatetimeTZDtype",
    "period": "PeriodDtype",
    "interval": "IntervalDtype",
    "arrow": "ArrowDtype",
}
#: More labels are packed as Arrow.
_MOST_ITEMS: Final = 1_000
_NAMES: Final = (
    "Index",
    "RangeIndex",
    "MultiIndex",
    "DatetimeIndex",
    "TimedeltaIndex",
    "PeriodIndex",
    "CategoricalIndex",
    "IntervalIndex",
)


# --- recipes ----------------------------------------------------------------------------------------------------------


def recipe_of(encoder: Encoder, dtype: Any) -> Recipe:
    """The recipe of a column of that dtype; for objects `cells_of` says the rest.

    Raises:
        Refused: it can't be made again from a name.
    """
    recipe: Recipe = {"kind": _kind_of(dtype)}
    match recipe["kind"]:
        case "numpy":
            recipe["dtype"] = dtype.str
        case "masked":
            recipe["dtype"] = dtype.name
        case "string":
            recipe |= {"storage": dtype.storage, "missing": "NA" if dtype.na_value is pandas().NA else "nan"}
        case "category":
            labels = None if dtype.categories is None else labels_form(encoder, dtype.categories)
            recipe |= {"ordered": dtype.ordered, "categories": labels}
        case "zoned":
            recipe |= {"unit": dtype.unit, "zone": zone_form(encoder, dtype.tz)}
        case "period":
            recipe["freq"] = dtype.name.removeprefix("period[").removesuffix("]")  # `freq.freqstr` is an offset's
        case "interval":
            recipe |= {"closed": dtype.closed, "side": recipe_of(encoder, dtype.subtype)}
        case "arrow":
            recipe["type"] = str(dtype.pyarrow_dtype)
    return recipe


def _kind_of(dtype: Any) -> str:
    import numpy as np

    if isinstance(dtype, np.dtype):
        if dtype.kind == "O":
            return "objects"
        if dtype.kind in "biufcMm" and dtype.isnative:
            return "numpy"
    else:
        pd = pandas()
        cls = type(dtype)
        for kind, name in _KINDS.items():
            if cls is getattr(pd, name) and not (kind == "interval" and dtype.subtype is None):
                return kind
        if dtype.name in _MASKED and cls.__module__.partition(".")[0] == "pandas":
            return "masked"
    raise Refused(f"is a column of the type {shorten(str(dtype), 60)}, which has no exact form in parquet")


def dtype_of(decoder: Decoder, recipe: Any) -> Any:
    """The dtype of a recipe; None where only the Arrow column knows it.

    Raises:
        StoreError: there is none.
    """
    kind = expect(recipe, dict, "a column").get("kind")
    make = _DTYPES.get(kind) if type(kind) is str else None
    if make is None:
        raise broken(f"a column is of the unknown kind {shorten(repr(kind), 60)}")
    return make(decoder, recipe)


def _make_numbers(_: Decoder, recipe: Recipe) -> Any:
    import numpy as np

    dtype = np.dtype(_word(recipe, "dtype"))
    if dtype.kind not in "biufcMm":
        raise broken(f"a column is of the unknown type {shorten(str(dtype), 60)}")
    return dtype


def _make_objects(_: Decoder, __: Recipe) -> Any:
    import numpy as np

    return np.dtype(object)


def _make_masked(_: Decoder, recipe: Recipe) -> Any:
    if (name := _word(recipe, "dtype")) not in _MASKED:
        raise broken(f"a column is of the unknown type {shorten(name, 60)}")
    return pandas().api.types.pandas_dtype(name)


def _make_string(_: Decoder, recipe: Recipe) -> Any:
    pd = pandas()
    missing = pd.NA if _word(recipe, "missing") == "NA" else float("nan")
    return pd.StringDtype(_word(recipe, "storage"), na_value=missing)


def _make_category(decoder: Decoder, recipe: Recipe) -> Any:
    labels, ordered = fields(recipe, "a column", "categories", "ordered")
    return pandas().CategoricalDtype(None if labels is None else labels_of(decoder, labels), ordered=ordered)


def _make_zoned(decoder: Decoder, recipe: Recipe) -> Any:
    (zone,) = fields(recipe, "a column", "zone")
    return pandas().DatetimeTZDtype(_word(recipe, "unit"), zone_of(decoder, zone))


def _make_period(_: Decoder, recipe: Recipe) -> Any:
    return pandas().PeriodDtype(_word(recipe, "freq"))


def _make_interval(decoder: Decoder, recipe: Recipe) -> Any:
    (side,) = fields(recipe, "a column", "side")
    return pandas().IntervalDtype(dtype_of(decoder, side), _word(recipe, "closed"))


def _word(recipe: Recipe, name: str) -> str:
    text: str = expect(fields(recipe, "a column", name)[0], str, "a column")
    return text


_DTYPES: Final[dict[str, Callable[[Decoder, Recipe], Any]]] = {
    "numpy": _make_numbers,
    "objects": _make_objects,
    "masked": _make_masked,
    "string": _make_string,
    "category": _make_category,
    "zoned": _make_zoned,
    "period": _make_period,
    "interval": _make_interval,
    "arrow": lambda _, __: None,
}


# --- labels -----------------------------------------------------------------------------------------------------------


def is_index(value: Any) -> bool:
    """Whether this is exactly one of pandas' own kinds of Index."""
    pd = pandas()
    return any(type(value) is getattr(pd, name) for name in _NAMES)


def labels_form(encoder: Encoder, index: Any) -> dict[str, Any]:
    """An Index as JSON data: item by item, or packed as Arrow where there are many.

    Raises:
        Refused: it doesn't come back equal.
    """
    if not is_index(index):
        raise Refused(f"has labels of the type {type_name(type(index))}")
    form, columns = shape_form(encoder, index)
    form["parts"] = [_labels_part(encoder, recipe, array) for recipe, array in columns]
    try:
        again = labels_of(encoder.decoder(), form)
    except Exception as error:
        raise Refused(f"has labels ({type_name(type(index))}) that don't come back: {text_of(error)}") from error
    if not same_labels(index, again):
        raise Refused(f"has labels ({type_name(type(index))}) that don't come back equal")
    return form


def labels_of(decoder: Decoder, form: Any) -> Any:
    """The Index of JSON data."""
    (parts,) = fields(form, "labels", "parts")
    left = iter(expect(parts, list, "labels"))
    return index_of(decoder, form, lambda recipe: _part_of(decoder, recipe, next(left)))


def _labels_part(encoder: Encoder, recipe: Recipe, array: Any) -> Any:
    if recipe["kind"] == "objects" or (
        len(array) <= _MOST_ITEMS and recipe["kind"] != "arrow" and not _has_odd_nan(array)
    ):
        return encoder.cells().items(list(array))
    import pyarrow as pa

    columns = to_arrow(encoder, array, recipe)
    table = pa.table(columns, names=[str(place) for place in range(len(columns))])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return {"arrow": base64.b64encode(sink.getvalue()).decode()}


def _has_odd_nan(array: Any) -> bool:
    """Whether a NaN in it has other bits than Python's, which JSON loses: x86 makes 0 times inf a NaN with a sign."""
    import numpy as np

    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fc":
        return False
    parts = np.ascontiguousarray(array).view(array.real.dtype)
    nans = parts[np.isnan(parts)]
    return not same_bits(nans, np.full_like(nans, np.nan))


def _part_of(decoder: Decoder, recipe: Recipe, part: Any) -> Any:
    dtype = dtype_of(decoder, recipe)
    if type(part) is list:
        pd = pandas()
        return bare(pd.Index(decoder.items(part), dtype=dtype, tupleize_cols=False))
    import pyarrow as pa

    (text,) = fields(part, "labels", "arrow")
    with pa.ipc.open_stream(unpack(text, "labels")) as reader:
        return from_arrow(decoder, reader.read_all().columns, recipe, dtype)


def shape_form(encoder: Encoder, index: Any) -> tuple[dict[str, Any], list[tuple[Recipe, Any]]]:
    """What an Index is apart from its labels; and the arrays, with their recipes, that hold those."""
    pd = pandas()
    cells = encoder.cells()
    form: dict[str, Any] = {"names": cells.items(list(index.names))}
    if type(index) is pd.MultiIndex:
        form["levels"] = [labels_form(encoder, level) for level in index.levels]
        columns = [({"kind": "numpy", "dtype": codes.dtype.str}, codes) for codes in index.codes]
    elif type(index) is pd.RangeIndex:
        return form | {"range": [index.start, index.stop, index.step]}, []
    else:
        array = bare(index)
        columns = [(with_cells(recipe_of(encoder, array.dtype), array), array)]
        if type(index) in (pd.DatetimeIndex, pd.TimedeltaIndex) and index.freq is not None:
            form["freq"] = index.freqstr
    return form | {"recipes": [recipe for recipe, _ in columns]}, columns


def index_of(
    decoder: Decoder, form: Any, take: Callable[[Recipe], Any], start: int = 0, stop: int | None = None
) -> Any:
    """The Index again, or as much of it as `take` gives: it is called with one recipe after the other."""
    pd = pandas()
    (names,) = fields(form, "an index", "names")
    if "range" in form:
        index = pd.RangeIndex(*decoder.items_of(form["range"], "an index", 3, int))[start:stop]
    else:
        (recipes,) = fields(form, "an index", "recipes")
        arrays = [take(recipe) for recipe in expect(recipes, list, "an index")]
        if "levels" in form:
            levels = [labels_of(decoder, level) for level in expect(form["levels"], list, "an index")]
            index = pd.MultiIndex(levels, arrays)
        else:
            (array,) = arrays
            index = pd.Index(array, dtype=array.dtype, tupleize_cols=False)
    if "freq" in form:
        index.freq = expect(form["freq"], str, "an index")
    index.names = decoder.items(expect(names, list, "an index"))
    return index


def with_cells(recipe: Recipe, array: Any) -> Recipe:
    """The recipe, which for objects says how the cells of this array are kept."""
    return {**recipe, "cells": cells_of(array)} if recipe["kind"] == "objects" else recipe


def same_labels(a: Any, b: Any) -> bool:
    """Whether two indexes are the same: kind, names, dtype, frequency and all labels."""
    pd = pandas()
    if type(a) is not type(b) or len(a) != len(b) or difference(list(a.names), list(b.names)) is not None:
        return False
    if type(a) is pd.MultiIndex:
        levels, codes = zip(a.levels, b.levels, strict=True), zip(a.codes, b.codes, strict=True)
        return all(same_labels(*pair) for pair in levels) and all(same_column(*pair) for pair in codes)
    if type(a) is pd.RangeIndex:
        return (a.start, a.stop, a.step) == (b.start, b.stop, b.step)
    if type(a) in (pd.DatetimeIndex, pd.TimedeltaIndex) and a.freq != b.freq:
        return False
    return same_column(bare(a), bare(b))


def same_column(a: Any, b: Any) -> bool:
    """Whether two arrays are the same: dtype and every cell, bit by bit."""
    recipe = same_dtype(a.dtype, b.dtype)
    return recipe is not None and same_cells(a, b, recipe)


def same_dtype(a: Any, b: Any) -> Recipe | None:
    """As much of the recipe of two dtypes as `same_cells` needs; None if they differ (pandas calls some equal that do).

    Raises:
        Refused: no column of that dtype is stored.
    """
    pd = pandas()
    if type(a) is not type(b) or a != b:
        return None
    kind = _kind_of(a)
    if kind == "category":
        known = a.categories is not None and b.categories is not None
        alike = same_labels(a.categories, b.categories) if known else a.categories is b.categories
        return {"kind": kind} if alike and a.ordered == b.ordered else None
    if kind == "interval":
        side = same_dtype(a.subtype, b.subtype)
        return None if side is None else {"kind": kind, "side": side}
    if kind == "zoned" and difference(a.tz, b.tz) is not None:
        return None
    if kind == "string" and (a.storage, a.na_value is pd.NA) != (b.storage, b.na_value is pd.NA):
        return None
    return {"kind": kind}
