"""How a form says no: `Refused` while storing, a `StoreError` by `broken` while restoring."""

from __future__ import annotations

import contextlib
import ctypes
import reprlib
import threading
from typing import Any, Final

from flownb.errors import StoreError
from flownb.services import masking

#: How much of an object's own text is kept.
MOST_TEXT: Final = 200
_MOST_PATH: Final = 80
#: How long an object's own repr may take.
_REPR_SECONDS: Final = 1.0
#: What has no code of its own that a repr could run.
_QUICK: Final = frozenset({type(None), bool, int, float, complex, str, bytes})


class Refused(Exception):
    """A value, or the part of it under `path`, has no form that restores it equal.

    `reason` goes on from the subject, as `is a generator: it can be read only once`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.path = ""
        #: The digest of a picture that shows the part, where there is one.
        self.png: str | None = None

    def under(self, step: str) -> Refused:
        """The same for the container: `step` is where in it the part lies, as `[3]` or `.model`."""
        self.path = step + self.path
        return self

    def sentence(self) -> str:
        """The reason as a whole sentence for people."""
        path = (
            self.path
            if len(self.path) <= _MOST_PATH
            else f"{self.path[: _MOST_PATH // 2]}…{self.path[-_MOST_PATH // 2 :]}"
        )
        subject = f"Its part {path}" if path else "The value"
        return encodable(f"{subject} {self.reason}.")


def broken(what: str) -> StoreError:
    """The error for a plain form that nobody can have written, or that this program can't read."""
    return StoreError(encodable(f"A stored value can't be restored: {what}."))


def expect(payload: Any, kind: type, tag: str) -> Any:
    """The payload of a tag, if it is exactly of that type.

    Raises:
        StoreError: it is not.
    """
    if type(payload) is not kind:
        raise broken(f"{tag} holds {type(payload).__name__} where {kind.__name__} is expected")
    return payload


def fields(payload: Any, tag: str, *names: str) -> list[Any]:
    """The values of a payload that is a dict with at least these keys.

    Raises:
        StoreError: it is not.
    """
    expect(payload, dict, tag)
    if missing := [name for name in names if name not in payload]:
        raise broken(f"{tag} lacks {', '.join(missing)}")
    return [payload[name] for name in names]


def step(key: Any) -> str:
    """How a key is written behind a container's name: `.name`, `['two words']`, `[3]`."""
    if type(key) is str and key.isidentifier():
        return f".{key}"
    return f"[{text_of(key)}]"


class _Repr(reprlib.Repr):
    """A repr that stays small whatever the object is, and never fails."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist, self.maxtuple, self.maxset = 3, 6, 8, 8, 8
        self.maxstring = self.maxother = MOST_TEXT

    def repr_str(self, x: str, level: int) -> str:
        """As it is, with secrets masked before a part of one could be cut out."""
        return super().repr_str(masking.text(x), level)

    def repr_instance(self, x: Any, level: int) -> str:
        """Of an object that has a repr of its own."""
        if masking.known is None:
            return super().repr_instance(x, level)
        return masking.text(repr(x))[: self.maxother]


def text_of(value: Any) -> str:
    """A short text of any object: its repr, or its type where that fails or takes too long."""
    try:
        text = _Repr().repr(value) if type(value) in _QUICK else _repr_aside(value)
    except Exception:  # noqa: BLE001  the object's own code may raise anything
        text = f"<{type_name(type(value))}>"
    return encodable(shorten(text))


def _repr_aside(value: Any) -> str:
    """The repr of an object, made on a thread that is left behind where it does not come back.

    Raises:
        TimeoutError: it did not come in time.
        RuntimeError: its code raised whatever it liked.
    """
    found: list[str] = []

    def make() -> None:
        with contextlib.suppress(BaseException):
            found.append(shorten(_Repr().repr(value)))

    thread = threading.Thread(target=make, name="flownb-repr", daemon=True)
    thread.start()
    thread.join(_REPR_SECONDS)
    if thread.is_alive():
        # It may be a loop without an end: this reaches it at its next step, if it takes any.
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit))
        raise TimeoutError
    if not found:
        raise RuntimeError
    return found[0]


def type_name(cls: type) -> str:
    """What people call a type: `int`, `pandas.DataFrame`, `sklearn.linear_model.LinearRegression`."""
    try:
        module, name = cls.__module__, cls.__qualname__
    except Exception:  # noqa: BLE001  a metaclass may raise anything
        return "object"
    if type(module) is not str or type(name) is not str:
        return "object"
    parts = [part for part in module.split(".") if not part.startswith("_")]
    return encodable(shorten(name if module in ("builtins", "__main__") else ".".join([*parts, name])))


def a_type(cls: type) -> str:
    """The name of a type with its article: `a Thread`, `an Order`."""
    name = type_name(cls)
    return f"{'an' if name.rpartition('.')[2][:1].lower() in 'aeiou' else 'a'} {name}"


def shorten(text: str, most: int = MOST_TEXT) -> str:
    """At most `most` characters, with an ellipsis where some were cut."""
    return text if len(text) <= most else text[: most - 1] + "…"


def encodable(text: str) -> str:
    """The text with lone surrogates written out, so that it can be stored and printed."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
