"""Values without secrets: what a node returned, before it is stored and passed on.

What is stored and what the next node gets must be the same, so that a run and its resumption compute the same. So it
is the live value that is masked: the parts that hold a secret are made anew, all others stay what they are, and the
value itself where nothing in it is secret. What nobody can look into and what can't be stored anyway (a client, a
connection) stays as it is: it is known in memory only.
"""

from __future__ import annotations

import pathlib
import uuid
from collections import Counter, OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from flownb.services.masking import MASK, another
from flownb.store.forms.class_state import blank, dataclass_fields, is_model, lookup, mro_of, state_of, write_state

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.services.masking import Masker

#: Values that are nested deeper have no stored form.
_MOST_DEPTH: Final = 120
#: From so many texts on they are looked at together.
_MANY: Final = 16
_NOTHING: Final = frozenset({bool, float, complex, type(None), type(Ellipsis)})


def clean(value: Any, masker: Masker) -> Any:
    """The value without secrets; the very same where there are none.

    Never fails, whatever the value's own methods do: a part that can't be made anew becomes the mask.
    """
    return Cleaner(masker).clean(value)


class Cleaner:
    """One walk over one value."""

    def __init__(self, masker: Masker) -> None:
        self.masker = masker
        self._open: set[int] = set()
        #: What containers that were met became, so that the same object stays the same.
        self._done: dict[int, tuple[Any, Any]] = {}

    def clean(self, value: Any) -> Any:
        """The value without secrets; the very same where there are none."""
        cls = type(value)
        if cls in _NOTHING:
            return value
        if (leaf := _LEAVES.get(cls)) is not None:
            return leaf(self.masker, value)
        key = id(value)
        if key in self._done:
            return self._done[key][1]
        if key in self._open or len(self._open) >= _MOST_DEPTH:
            return value  # a circle, or too deep: neither has a stored form
        self._open.add(key)
        try:
            made = self._nested(value, cls)
        except Exception:  # noqa: BLE001  an object's own code may raise anything: it stays in memory, if at all
            made = value
        finally:
            self._open.discard(key)
        self._done[key] = (value, made)
        return made

    def _nested(self, value: Any, cls: type) -> Any:
        if (container := _CONTAINERS.get(cls)) is not None:
            made = container(self, value)
        elif (package := cls.__module__.partition(".")[0]) in ("pandas", "numpy"):
            from flownb.services import clean_tables

            made = clean_tables.pandas(self, value) if package == "pandas" else clean_tables.numpy(self, value)
        elif issubclass(cls, pathlib.PurePath):
            made = self._path(value)
        elif tuple in mro_of(cls) and lookup(mro_of(cls), "_fields") is not None:
            items: Any = self.items(value)
            made = value if items is None else tuple.__new__(cast("Any", cls), items)
        elif isinstance(value, msgspec.Struct):
            made = self._struct(value)
        elif dataclass_fields(mro_of(cls)) is not None or is_model(mro_of(cls)):
            made = self._object(value, cls)
        else:
            made = value
        return made

    def items(self, values: Any) -> list[Any] | None:
        """The items, where one of them had to be masked; else None."""
        if len(values) >= _MANY and set(map(type, values)) == {str}:
            whole = "\0".join(values)
            if self.masker.text(whole) is whole:  # a look at all of them, not one at each
                return None
        made = [self.clean(each) for each in values]
        return None if all(one is other for one, other in zip(made, values, strict=True)) else made

    def pairs(self, table: Any) -> dict[Any, Any] | None:
        """The keys and values, where one of them had to be masked; else None."""
        made: dict[Any, Any] = {}
        changed = False
        for key, each in table.items():
            name, value = self.clean(key), self.clean(each)
            changed = changed or name is not key or value is not each
            made[another(name, made) if name is not key and isinstance(name, str) else name] = value
        return made if changed else None

    def _path(self, value: pathlib.PurePath) -> pathlib.PurePath:
        text = str(value)
        masked = self.masker.text(text, words=False)
        return value if masked is text else type(value)(masked)

    def _struct(self, value: msgspec.Struct) -> Any:
        state = {name: getattr(value, name) for name in value.__struct_fields__}
        made = self.pairs(state)
        return value if made is None else msgspec.structs.replace(value, **{n: made[n] for n in state})

    def _object(self, value: Any, cls: type) -> Any:
        """A dataclass or a model: another one of the same fields, made without running its code."""
        state = state_of(value, cls)
        made = {name: self.clean(each) for name, each in state.items()}
        if all(made[name] is each for name, each in state.items()):
            return value
        other = blank(cls)
        write_state(other, cls, made)
        return other


def _sequence(cleaner: Cleaner, value: Any) -> Any:
    items = cleaner.items(value)
    return value if items is None else type(value)(items)


def _set(cleaner: Cleaner, value: Any) -> Any:
    items = cleaner.items(list(value))
    return value if items is None else type(value)(items)


def _deque(cleaner: Cleaner, value: deque[Any]) -> deque[Any]:
    items = cleaner.items(list(value))
    return value if items is None else deque(items, value.maxlen)


def _dict(cleaner: Cleaner, value: Any) -> Any:
    made = cleaner.pairs(value)
    if made is None:
        return value
    return defaultdict(value.default_factory, made) if type(value) is defaultdict else type(value)(made)


_CONTAINERS: Final[dict[type, Callable[[Cleaner, Any], Any]]] = {
    list: _sequence,
    tuple: _sequence,
    set: _set,
    frozenset: _set,
    deque: _deque,
    dict: _dict,
    OrderedDict: _dict,
    defaultdict: _dict,
    Counter: _dict,
}


def _bytes(masker: Masker, value: bytes) -> bytes:
    return masker.data(value)


def _bytearray(masker: Masker, value: bytearray) -> bytearray:
    masked = masker.data(data := bytes(value))
    return value if masked is data else bytearray(masked)


def _view(masker: Masker, value: memoryview) -> memoryview:
    masked = masker.data(data := bytes(value))
    return value if masked is data else memoryview(masked)


def _uuid(masker: Masker, value: uuid.UUID) -> Any:
    return MASK if masker.holds(f"{value} {value.hex}".encode()) else value


_LEAVES: Final[dict[type, Callable[[Masker, Any], Any]]] = {
    str: lambda masker, value: masker.text(value, words=False),
    int: lambda masker, value: masker.plain(value),
    bytes: _bytes,
    bytearray: _bytearray,
    memoryview: _view,
    uuid.UUID: _uuid,
}
