"""Tables, series and arrays without secrets: cells, labels and attributes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from flownb.services.masking import another

if TYPE_CHECKING:
    from flownb.services.cleaning import Cleaner


def numpy(cleaner: Cleaner, value: Any) -> Any:
    """An array or a single value of numpy."""
    np = sys.modules["numpy"]
    if isinstance(value, np.ndarray):
        return _fields(cleaner, value) if value.dtype.names else _array(cleaner, value)
    if not isinstance(value, np.str_ | np.bytes_):
        return value
    plain = value.item()
    made = cleaner.clean(plain)
    return value if made is plain else type(value)(made)


def _array(cleaner: Cleaner, value: Any) -> Any:
    np = sys.modules["numpy"]
    items = cleaner.items(value.ravel().tolist()) if value.dtype.kind in "OUST" else None
    if items is None:
        return value
    other = np.empty(len(items), dtype=value.dtype)
    for place, each in enumerate(items):
        other[place] = each
    return other.reshape(value.shape)


def _fields(cleaner: Cleaner, value: Any) -> Any:
    """An array of records."""
    made = {name: numpy(cleaner, value[name]) for name in value.dtype.names}
    if all(_same_cells(made[name], value[name]) for name in made):
        return value
    other = value.copy()
    for name, column in made.items():
        other[name] = column
    return other


def _same_cells(one: Any, other: Any) -> bool:
    return one is other or bool((one == other).all())


def pandas(cleaner: Cleaner, value: Any) -> Any:
    """A frame, a series, an index or an array of pandas."""
    pd = sys.modules["pandas"]
    if isinstance(value, pd.DataFrame):
        return _frame(cleaner, value)
    if isinstance(value, pd.Series):
        return _series(cleaner, value)
    if isinstance(value, pd.Index):
        return _index(cleaner, value)
    if isinstance(value, pd.api.extensions.ExtensionArray):
        made = _series(cleaner, series := pd.Series(value, copy=False))
        return value if made is series else made.array
    return value


def _frame(cleaner: Cleaner, frame: Any) -> Any:
    columns = [frame.iloc[:, place] for place in range(frame.shape[1])]
    made = [_cells(cleaner, column) for column in columns]
    index, labels, attrs = _index(cleaner, frame.index), _index(cleaner, frame.columns), cleaner.pairs(frame.attrs)
    changed = [place for place, column in enumerate(made) if column is not columns[place]]
    if not changed and index is frame.index and labels is frame.columns and attrs is None:
        return frame
    other = frame.copy(deep=False)
    for place in changed:
        other.isetitem(place, made[place].array)
    other.index, other.columns = index, labels
    other.attrs = other.attrs if attrs is None else attrs
    return other


def _series(cleaner: Cleaner, series: Any) -> Any:
    made, index, name = _cells(cleaner, series), _index(cleaner, series.index), cleaner.clean(series.name)
    attrs = cleaner.pairs(series.attrs)
    if made is series and index is series.index and name is series.name and attrs is None:
        return series
    other = made.copy(deep=False)
    other.index, other.name = index, name
    other.attrs = other.attrs if attrs is None else attrs
    return other


def _cells(cleaner: Cleaner, series: Any) -> Any:
    """A column of the same length and type, with its cells masked."""
    pd = sys.modules["pandas"]
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        kinds = _index(cleaner, dtype.categories)
        return series if kinds is dtype.categories else series.cat.rename_categories(kinds)
    if not (pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype) or _holds_text(dtype)):
        return series
    cells = series.tolist()
    items = cleaner.items(cells)
    if items is None:
        return series
    return pd.Series(items, index=series.index, dtype=dtype, name=series.name)


def _holds_text(dtype: Any) -> bool:
    """Whether it is a type of Arrow's that text or bytes may lie in."""
    kind = str(dtype)
    return any(word in kind for word in ("string", "binary", "list", "struct", "dictionary", "map"))


def _index(cleaner: Cleaner, index: Any) -> Any:
    pd = sys.modules["pandas"]
    names = cleaner.items(list(index.names))
    if isinstance(index, pd.MultiIndex):
        levels = [_index(cleaner, level) for level in index.levels]
        same = all(one is other for one, other in zip(levels, index.levels, strict=True))
        made = index if same else index.set_levels(levels, verify_integrity=False)
    elif isinstance(index, pd.CategoricalIndex):
        kinds = _index(cleaner, index.categories)
        made = index if kinds is index.categories else index.rename_categories(kinds)
    elif index.dtype.kind == "O" or pd.api.types.is_string_dtype(index.dtype):
        items = cleaner.items(index.tolist())
        made = index if items is None else type(index)(_distinct(index, items), dtype=index.dtype, name=index.name)
    else:
        made = index
    if names is None:
        return made
    return (made.copy() if made is index else made).set_names(names)


def _distinct(index: Any, items: list[Any]) -> list[Any]:
    """Labels that were all different stay so."""
    if not index.is_unique:
        return items
    taken: dict[Any, None] = {}
    for each in items:
        taken[another(each, dict(taken)) if isinstance(each, str) and each in taken else each] = None
    return list(taken)
