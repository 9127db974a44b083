"""The rows of a frame: its index as columns beside the frame's own, or as a range, which takes no column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.store.forms.columns import bare, cells_of, from_arrow, width
from flownb.store.forms.dtypes import dtype_of, is_index, named, range_of, shape_form
from flownb.store.forms.pandas_scalars import pandas
from flownb.store.forms.refused import Refused, expect, fields, type_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder


def index_form(encoder: Encoder, index: Any) -> tuple[dict[str, Any], list[tuple[dict[str, Any], Any]]]:
    """The form of a row index, and the arrays with their recipes that go to columns beside the frame's.

    Raises:
        Refused: it has no form.
    """
    if not is_index(index):
        raise Refused(f"has an index of the type {type_name(type(index))}")
    form = shape_form(encoder.cells(), index)
    if "levels" in form:
        arrays = [bare(index.get_level_values(place)) for place in range(index.nlevels)]
        form["levels"] = [with_cells(recipe, array) for recipe, array in zip(form["levels"], arrays, strict=True)]
        return form, list(zip(form["levels"], arrays, strict=True))
    if "range" in form:
        return form, []
    array = bare(index)
    form["column"] = with_cells(form["column"], array)
    return form, [(form["column"], array)]


def index_of(decoder: Decoder, form: Any, take: Callable[[int], list[Any]], start: int, stop: int) -> Any:
    """The rows `start` to `stop` of a row index; `take` gives the next Arrow columns of those rows."""
    pd = pandas()
    expect(form, dict, "an index")
    if "range" in form:
        return range_of(decoder, form)[start:stop]
    if "levels" in form:
        levels = [_level(decoder, recipe, take) for recipe in expect(form["levels"], list, "an index")]
        return named(decoder, pd.MultiIndex.from_arrays(levels), form)
    (recipe,) = fields(form, "an index", "column")
    return named(decoder, _level(decoder, recipe, take), form)


def _level(decoder: Decoder, recipe: Any, take: Callable[[int], list[Any]]) -> Any:
    dtype = dtype_of(decoder, recipe)
    array = from_arrow(decoder, take(width(recipe)), recipe, dtype)
    return pandas().Index(array, dtype=dtype, tupleize_cols=False)


def with_cells(recipe: dict[str, Any], array: Any) -> dict[str, Any]:
    """The recipe, which for objects says how the cells of this array are kept."""
    return {**recipe, "cells": cells_of(array)} if recipe["kind"] == "objects" else recipe
