"""numpy: single values in the JSON, arrays as npy files. numpy is imported only where a value is of that kind."""

from __future__ import annotations

import base64
import io
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from flownb.store.artifacts.sealed import CHUNK
from flownb.store.forms.preview import cell
from flownb.store.forms.refused import Refused, a_type, broken, expect, fields, shorten
from flownb.store.forms.scalars import unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from flownb.store.forms.decoder import Decoder
    from flownb.store.forms.encoder import Encoder

    Array = NDArray[Any]

#: The kinds of dtype whose items are bytes of a fixed length.
_FIXED: Final = frozenset("biufcMmSUV")
#: Longer headers are refused when a file is read.
_MOST_HEADER: Final = 10_000
_TIMES: Final = re.compile(r"(datetime64|timedelta64)(\[(\d{1,9})?[a-zA-Z]{1,2}\])?")
_SHOWN: Final = 6
#: Larger arrays are not looked through for a preview.
_MOST_LOOKED_AT: Final = 64 * 1024 * 1024

_BOOLS: Final = frozenset({"bool", "bool_"})
_INTS: Final = frozenset(
    f"{sign}{name}" for sign in ("", "u") for name in ("int8", "int16", "int32", "int64", "byte", "short", "intc")
) | {"int", "uint", "long", "ulong", "longlong", "ulonglong", "intp", "uintp", "ubyte", "ushort"}
_FLOATS: Final = frozenset({"float16", "float32", "float64"})
_COMPLEX: Final = frozenset({"complex64", "complex128"})
#: Wider than what Python has: kept as their bytes, for machines of the same kind.
_WIDE: Final = frozenset({"longdouble", "clongdouble", "float96", "float128", "complex192", "complex256"})


def encode(encoder: Encoder, value: Any, cls: type) -> Any:
    """The plain form of an array or of a single value of numpy; NotImplemented for others."""
    np = sys.modules["numpy"]
    if cls is np.ndarray:
        return _encode_array(encoder, value)
    if issubclass(cls, np.ndarray):
        raise Refused(f"is {a_type(cls)}, a special kind of array: return numpy.asarray(value)")
    if issubclass(cls, np.generic):
        return _encode_scalar(encoder, value, cls)
    return NotImplemented


# --- single values ----------------------------------------------------------------------------------------------------


def _encode_scalar(encoder: Encoder, value: Any, cls: type) -> dict[str, Any]:
    name = cls.__name__
    if name in ("datetime64", "timedelta64"):
        return {"$numpy": [value.dtype.name, int(value.astype("int64")), str(value)]}  # the text is for people
    plain = next((plain for names, _, plain in _KINDS if name in names), None)
    if plain is not None:
        payload = encoder.encode(plain(value))
    elif name in _WIDE:
        payload = base64.b64encode(value.tobytes()).decode()
    elif name == "void" and not value.dtype.hasobject:
        array = _numpy().array(value)
        _check_dtype(array.dtype)
        payload = _inline(array)
    else:
        raise Refused(f"is a numpy.{name}, a single value with no plain form")
    if _numpy().dtype(name).type is not cls:
        raise Refused(f"is {a_type(cls)}, a single value with no plain form")
    return {"$numpy": [name, payload]}


def _scalar(decoder: Decoder, payload: Any) -> Any:
    np = _numpy()
    name, plain, *_ = expect(payload, list, "$numpy")
    expect(name, str, "$numpy")
    if _TIMES.fullmatch(name):
        return np.array([decoder.exactly(plain, int, "$numpy")], dtype="int64").view(name)[0]
    if name in _WIDE:
        (wide,) = np.frombuffer(unpack(plain, "$numpy"), dtype=name)
        return wide
    if name == "void":
        array = decoder.decode(plain)
        if not isinstance(array, np.ndarray) or array.shape != () or array.dtype.kind != "V":
            raise broken("$numpy void holds something else")
        return array[()]
    kind = next((kind for names, kind, _ in _KINDS if name in names), None)
    if kind is None:
        raise broken(f"numpy.{shorten(name, 40)} is no type of a stored value")
    return np.dtype(name).type(decoder.exactly(plain, kind, "$numpy"))


#: Names, the type that holds their plain value, and how that is made; numpy's own `item` drops zeros at the end.
_KINDS: Final[tuple[tuple[frozenset[str], type, Callable[[Any], Any]], ...]] = (
    (_BOOLS, bool, bool),
    (_INTS, int, int),
    (_FLOATS, float, float),
    (_COMPLEX, complex, complex),
    (frozenset({"str_"}), str, str.__str__),
    (frozenset({"bytes_"}), bytes, lambda value: b"".join([value])),
)


# --- arrays -----------------------------------------------------------------------------------------------------------


def _encode_array(encoder: Encoder, array: Array) -> dict[str, Any]:
    if array.dtype.kind == "O":
        return _encode_objects(encoder, array)
    _check_dtype(array.dtype)
    if encoder.inline:
        encoder.weigh(array.nbytes)
        return _inline(array)
    with encoder.artifacts.create(".npy") as new:
        _write(new, array)
    return encoder.artifact(array, new.digest, "npy", type="numpy.ndarray", preview=_preview(array))


def _check_dtype(dtype: np.dtype[Any]) -> None:
    np = _numpy()
    if dtype.hasobject and dtype.kind == "V":
        raise Refused("is an array of records that hold Python objects: return a DataFrame")
    if dtype.kind not in _FIXED or dtype.isalignedstruct or _has_gaps(dtype):
        raise Refused(f"is an array of the dtype {shorten(str(dtype), 60)}, which an npy file loses")
    if _has_metadata(dtype):
        raise Refused("is an array whose dtype carries metadata, which an npy file loses")
    described = np.lib.format.dtype_to_descr(dtype)
    again = np.lib.format.descr_to_dtype(described)
    if again != dtype or again.type is not dtype.type:
        raise Refused(f"is an array of the dtype {shorten(str(dtype), 60)}, which an npy file loses")
    if len(repr(described)) > _MOST_HEADER // 2:
        raise Refused("is an array of records with too many fields for an npy file: return a DataFrame")


def _has_gaps(dtype: np.dtype[Any]) -> bool:
    """Whether records have bytes that belong to no field: what numpy writes there is whatever memory holds."""
    if dtype.subdtype is not None:
        return _has_gaps(dtype.subdtype[0])
    inner = [field[0] for field in (dtype.fields or {}).values()]
    return bool(inner) and (sum(each.itemsize for each in inner) != dtype.itemsize or any(map(_has_gaps, inner)))


def _has_metadata(dtype: np.dtype[Any]) -> bool:
    inner = [field[0] for field in (dtype.fields or {}).values()]
    if dtype.subdtype is not None:
        inner.append(dtype.subdtype[0])
    return bool(dtype.metadata) or any(map(_has_metadata, inner))


def _write(file: Any, array: Array) -> None:
    np = _numpy()
    # A version that is given keeps numpy from warning about the one it would choose.
    version = (1, 0) if repr(array.dtype).isascii() else (3, 0)
    if version == (1, 0) and array.nbytes > CHUNK and (bare := _bytes_of(array)) is not None:
        # The same file from the array's own memory: numpy would copy 16 MB at a time, and a thread's heap keeps them.
        np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
        for start in range(0, len(bare), CHUNK):
            file.write(bare[start : start + CHUNK])
        return
    np.lib.format.write_array(file, array, version=version, allow_pickle=False)


def _bytes_of(array: Array) -> memoryview | None:
    """The memory of an array in the order of its file; None where it does not lie there so."""
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
    elif array.flags.f_contiguous:
        flat = array.T.reshape(-1)
    else:
        return None
    return memoryview(flat.view("u1"))  # type: ignore[arg-type]  # numpy's hints know it from Python 3.12 on


def _inline(array: Array) -> dict[str, str]:
    buffer = io.BytesIO()
    _write(buffer, array)
    return {"$npy": base64.b64encode(buffer.getbuffer()).decode()}


def _npy(_: Decoder, payload: Any) -> Array:
    data = unpack(payload, "$npy")
    return _read(io.BytesIO(data), len(data))


def from_file(decoder: Decoder, digest: str, payload: dict[str, Any]) -> Array:
    """The array of an npy file."""
    decoder.check(digest)
    with decoder.artifacts.open(digest) as file:
        return _read(file, payload["size"])


def _read(file: Any, size: int) -> Array:
    """Read an npy file of that size; what its header promises is compared with the size before memory is taken."""
    np = _numpy()
    major, _ = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if major == 1 else np.lib.format.read_array_header_2_0
    shape, _, dtype = read(file, max_header_size=_MOST_HEADER)
    count = 1
    for length in shape:
        count *= length
    if dtype.hasobject or min(shape, default=0) < 0 or count * dtype.itemsize != size - file.tell():
        raise broken("an npy file has another length than its header says")
    file.seek(0)
    array: Array = np.lib.format.read_array(file, allow_pickle=False, max_header_size=_MOST_HEADER)
    return array


def _encode_objects(encoder: Encoder, array: Array) -> dict[str, Any]:
    order = "F" if array.flags.f_contiguous and not array.flags.c_contiguous else "C"
    items = encoder.items(array.ravel(order="C").tolist())
    return {"$objects": {"shape": list(array.shape), "order": order, "items": items}}


def _objects(decoder: Decoder, payload: Any) -> Array:
    np = _numpy()
    shape, order, items = fields(payload, "$objects", "shape", "order", "items")
    lengths = decoder.items_of(shape, "$objects", len(expect(shape, list, "$objects")), int)
    values = decoder.items(expect(items, list, "$objects"))
    count = 1
    for length in lengths:
        count *= length
    if min(lengths, default=0) < 0 or count != len(values) or order not in ("C", "F"):
        raise broken("$objects holds another number of items than its shape says")
    # Item by item: an assignment at once would take lists of equal length apart.
    array: Array = np.fromiter(values, dtype=object, count=len(values)).reshape(lengths)
    return np.asfortranarray(array) if order == "F" else array


def _preview(array: Array) -> dict[str, Any]:
    np = _numpy()
    first = np.asarray(array.reshape(-1)[:_SHOWN] if array.flags.c_contiguous else array.flat[:_SHOWN])
    text = shorten(np.array2string(first, threshold=_SHOWN + 1, max_line_width=200))
    least, most = _range(array)
    return {"shape": list(array.shape), "dtype": shorten(str(array.dtype)), "text": text, "min": least, "max": most}


def _range(array: Array) -> tuple[Any, Any]:
    """The least and the greatest number, nan apart; None where that is no number, or too much to look at."""
    np = _numpy()
    if array.dtype.kind not in "biuf" or not 0 < array.nbytes <= _MOST_LOOKED_AT:
        return None, None
    return cell(np.fmin.reduce(array, axis=None)), cell(np.fmax.reduce(array, axis=None))


def _numpy() -> Any:
    try:
        import numpy as np
    except ImportError:
        raise broken("it is an array, and numpy is missing here: pip install 'flownb[data]'") from None
    return np


TAGS: Final[dict[str, Callable[[Decoder, Any], Any]]] = {"$numpy": _scalar, "$npy": _npy, "$objects": _objects}
