"""Why a value has no stored form, in words that say what to return instead."""

from __future__ import annotations

from typing import Final

from flownb.store.forms.class_state import lookup, mro_of
from flownb.store.forms.refused import a_type, type_name

_ONCE: Final = "it can be read only once, so return list(…) of it"
_ALIVE: Final = "it lives in this process only"
_CODE: Final = "code is not stored, only what it returns"
_BUILTINS: Final = (bool, int, float, str, bytes, tuple, list, dict, set, frozenset)
_MODEL: Final = "a fitted model has no form that loads without running code; it stays in memory and is computed again"

#: By a class that the value's class is, or descends from: what it is, and why not.
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "builtins.function": ("a function", _CODE),
    "builtins.builtin_function_or_method": ("a function", _CODE),
    "builtins.method": ("a method", _CODE),
    "functools.partial": ("a function", _CODE),
    "builtins.code": ("code", _CODE),
    "builtins.type": ("a class", _CODE),
    "builtins.module": ("a module", "import it in the node that needs it"),
    "builtins.generator": ("a generator", _ONCE),
    "builtins.async_generator": ("an asynchronous generator", "collect its items in a list, and return that"),
    "builtins.coroutine": ("a coroutine", "await it in the node, and return what it gives"),
    "builtins.dict_keys": ("a view of a dict", "return list(…) of it"),
    "builtins.dict_values": ("a view of a dict", "return list(…) of it"),
    "builtins.dict_items": ("a view of a dict", "return list(…) of it"),
    "builtins.mappingproxy": ("a read-only view of a dict", "return dict(…) of it"),
    "builtins.traceback": ("a traceback", "return its text"),
    "builtins.frame": ("a frame of the call stack", _ALIVE),
    "builtins.slice": ("a slice", "return its start, stop and step"),
    "builtins.ellipsis": ("the Ellipsis", "return None or a word instead"),
    "builtins.object": ("a bare object", "it equals nothing but itself"),
    "builtins.BaseException": ("an exception", "raise it, or return its text"),
    "types.SimpleNamespace": ("a SimpleNamespace", "return vars(…) of it, or a dataclass"),
    "re.Pattern": ("a compiled pattern", "return its .pattern, which is text"),
    "re.Match": ("a match", "return its .groupdict() or .groups()"),
    "_io._IOBase": ("an open file", "return its path, or what it holds"),
    "io.IOBase": ("an open file", "return its path, or what it holds"),
    "_socket.socket": ("a socket", "a connection ends with its process: open it in the node that needs it"),
    "sqlite3.Connection": ("a database connection", "open it in the node that needs it"),
    "sqlite3.Cursor": ("a database cursor", "return its rows as a list"),
    "apsw.Connection": ("a database connection", "open it in the node that needs it"),
    "subprocess.Popen": ("a running process", _ALIVE),
    "threading.Thread": ("a thread", _ALIVE),
    "_thread.lock": ("a lock", _ALIVE),
    "_thread.RLock": ("a lock", _ALIVE),
    "threading.Condition": ("a lock", _ALIVE),
    "threading.Event": ("an event between threads", _ALIVE),
    "queue.Queue": ("a queue", "it lives in this process only, so return its items as a list"),
    "_asyncio.Future": ("a future", "await it in the node, and return what it gives"),
    "_asyncio.Task": ("a task", "await it in the node, and return what it gives"),
    "asyncio.events.AbstractEventLoop": ("an event loop", _ALIVE),
    "concurrent.futures._base.Future": ("a future", "return its .result()"),
    "concurrent.futures._base.Executor": ("a pool of workers", _ALIVE),
    "logging.Logger": ("a logger", "ask for it by name in the node that needs it"),
    "weakref.ReferenceType": ("a weak reference", "return what it points to"),
    "_contextvars.Context": ("a context", _ALIVE),
    "array.array": ("an array.array", "return a list or a numpy array"),
    "msgspec.Struct": ("a msgspec Struct", "return a dataclass, or msgspec.structs.asdict(…) of it"),
    "sklearn.base.BaseEstimator": ("a model", _MODEL),
    "torch.nn.modules.module.Module": ("a model", _MODEL),
    "torch.Tensor": ("a tensor", "return tensor.numpy()"),
    "polars.dataframe.frame.DataFrame": (
        "a polars frame",
        "return frame.to_pandas(), or write parquet and return its path",
    ),
    "numpy.ndarray": ("a special kind of array", "return numpy.asarray(…) of it"),
    "pandas.DataFrame": ("a special kind of DataFrame", "return pandas.DataFrame(…) of it"),
    "pandas.Series": ("a special kind of Series", "return pandas.Series(…) of it"),
    "scipy.sparse._base._spbase": ("a sparse matrix", "return its parts as arrays"),
    "matplotlib.artist.Artist": ("a part of a plot", "return the figure, of which a picture is shown"),
    "pandas.core.groupby.groupby.GroupBy": ("a grouping", "return an aggregate of it, or the frame"),
}


def why_not(cls: type) -> str:
    """The predicate of a sentence about a value of that class: `is a generator: it can be read only once, …`."""
    mro = mro_of(cls)
    for base in mro if cls is object else mro[:-1]:
        if (known := _KINDS.get(f"{base.__module__}.{base.__qualname__}")) is not None:
            return _say(cls, *known)
    if (base := next((base for base in _BUILTINS if base in mro), None)) is not None:
        name = base.__name__
        return f"is {a_type(cls)}, a kind of {name} that only its own code makes: return {name}(…) of it"
    return f"is {a_type(cls)}{_class_says(cls)}"


def _class_says(cls: type) -> str:
    if lookup(mro_of(cls), "__attrs_attrs__") is not None:
        return ", made with attrs: return a dataclass, or attrs.asdict(…) of it"
    if lookup(mro_of(cls), "__next__") is not None:
        return f", an iterator: {_ONCE}"
    if cls.__module__ == "__main__":
        return ", which is no dataclass: make it one (@dataclass), or return plain data"
    return ", for which there is no form that restores it equal: return plain data, or leave it in memory"


def _say(cls: type, what: str, why: str) -> str:
    name = type_name(cls)
    known = name.rpartition(".")[2].lower() == what.rpartition(" ")[2].lower()
    return f"is {what}: {why}" if known else f"is {what} ({name}): {why}"
