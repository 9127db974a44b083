"""What holds other values, by exact type: lists, dicts, tuples, sets and their kin from `collections`."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from flownb.store.forms.refused import Refused, a_type, broken, expect, fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

#: The factories that a defaultdict may have.
_FACTORIES: Final[dict[str, type]] = {
    cls.__name__: cls for cls in (list, dict, set, tuple, frozenset, str, bytes, int, float, complex, bool, Counter)
}


def _encode_list(encoder: Encoder, value: list[Any]) -> list[Any]:
    return encoder.items(value)


def _encode_tuple(encoder: Encoder, value: tuple[Any, ...]) -> dict[str, list[Any]]:
    return {"$tuple": encoder.items(value)}


def _tuple(decoder: Decoder, payload: Any) -> tuple[Any, ...]:
    return tuple(decoder.items(expect(payload, list, "$tuple")))


def _encode_set(encoder: Encoder, value: set[Any] | frozenset[Any]) -> dict[str, list[Any]]:
    # In the order of their JSON, because a set's own order differs from process to process.
    items = sorted(encoder.items(list(value)), key=msgspec.json.encode)
    return {"$set" if type(value) is set else "$frozenset": items}


def _set(decoder: Decoder, payload: Any) -> set[Any]:
    return set(decoder.items(expect(payload, list, "$set")))


def _frozenset(decoder: Decoder, payload: Any) -> frozenset[Any]:
    return frozenset(decoder.items(expect(payload, list, "$frozenset")))


def _encode_dict(encoder: Encoder, value: dict[Any, Any]) -> dict[str, Any]:
    return encoder.fields(value) if encoder.is_table(value) else {"$dict": encoder.pairs(value.items())}


def _dict(decoder: Decoder, payload: Any) -> dict[Any, Any]:
    return dict(decoder.pairs(payload, "$dict"))


def _encode_ordered(encoder: Encoder, value: OrderedDict[Any, Any]) -> dict[str, Any]:
    _check_bare(value)
    return {"$ordereddict": encoder.pairs(value.items())}


def _ordered(decoder: Decoder, payload: Any) -> OrderedDict[Any, Any]:
    return OrderedDict(decoder.pairs(payload, "$ordereddict"))


def _encode_counter(encoder: Encoder, value: Counter[Any]) -> dict[str, Any]:
    _check_bare(value)
    return {"$counter": encoder.pairs(value.items())}


def _counter(decoder: Decoder, payload: Any) -> Counter[Any]:
    counter: Counter[Any] = Counter()
    dict.update(counter, decoder.pairs(payload, "$counter"))  # Counter.update would add up
    return counter


def _encode_default(encoder: Encoder, value: defaultdict[Any, Any]) -> dict[str, Any]:
    factory = value.default_factory
    name = factory.__name__ if type(factory) is type and _FACTORIES.get(factory.__name__) is factory else None
    if factory is not None and name is None:
        raise Refused("is a defaultdict with a factory of its own: return dict(value)")
    return {"$defaultdict": {"factory": name, "items": encoder.pairs(value.items())}}


def _default(decoder: Decoder, payload: Any) -> defaultdict[Any, Any]:
    name, items = fields(payload, "$defaultdict", "factory", "items")
    if name is not None and (type(name) is not str or name not in _FACTORIES):
        raise broken(f"$defaultdict names the unknown factory {str(name)[:40]!r}")
    return defaultdict(None if name is None else _FACTORIES[name], decoder.pairs(items, "$defaultdict"))


def _encode_deque(encoder: Encoder, value: deque[Any]) -> dict[str, Any]:
    return {"$deque": {"items": encoder.items(list(value)), "maxlen": value.maxlen}}


def _deque(decoder: Decoder, payload: Any) -> deque[Any]:
    items, most = fields(payload, "$deque", "items", "maxlen")
    return deque(decoder.items(expect(items, list, "$deque")), most if most is None else expect(most, int, "$deque"))


def _check_bare(value: Any) -> None:
    if vars(value):
        raise Refused(f"is {a_type(type(value))} with attributes of its own: return dict(value)")


FORMS: Final[dict[type, Callable[[Encoder, Any], Any]]] = {
    list: _encode_list,
    dict: _encode_dict,
    tuple: _encode_tuple,
    set: _encode_set,
    frozenset: _encode_set,
    OrderedDict: _encode_ordered,
    Counter: _encode_counter,
    defaultdict: _encode_default,
    deque: _encode_deque,
}

TAGS: Final[dict[str, Callable[[Decoder, Any], Any]]] = {
    "$tuple": _tuple,
    "$set": _set,
    "$frozenset": _frozenset,
    "$dict": _dict,
    "$ordereddict": _ordered,
    "$counter": _counter,
    "$defaultdict": _default,
    "$deque": _deque,
}
