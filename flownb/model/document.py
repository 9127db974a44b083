"""The JSON form of a workflow: the contract of code, canvas, REST and file.

A document is read as plain data first and checked by our own walk (`checker.py`), which finds all faults at once;
only then it becomes a `Workflow`. Writing is canonical: sorted keys, one line an edge and a position, what is at its
default left out, so that equal workflows have equal text and a small change is a small diff.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import msgspec

from flownb.errors import InvalidWorkflow, NotFound, UsageError, near_names
from flownb.model.checker import check_struct, fields_of
from flownb.model.problem import Problem, Severity
from flownb.model.walk import INVALID, MAX_DEPTH, Doubled, Strange, Walk, shown
from flownb.model.workflow import FORMAT, Workflow

#: The longest text that is read, in bytes or characters.
MAX_TEXT: Final = 20_000_000
#: Digits that a whole number of a document may have before anything looks at its value.
_MAX_DIGITS: Final = 20
_BOM: Final = "\ufeff"

#: What a workflow is read from: text, bytes, path or plain data.
Source = str | bytes | Path | Mapping[str, Any]


# --- reading ----------------------------------------------------------------------------------------------------------


def decode(data: str | bytes | Mapping[str, Any]) -> tuple[Workflow | None, list[Problem]]:
    """The workflow of a document, and every problem of it, each with its place.

    The workflow is None where a problem is an error. Nothing is raised, whatever `data` is.
    """
    plain, problems = parse(data)
    if any(each.severity is Severity.ERROR for each in problems):
        return None, problems
    workflow, found = check(plain)
    return workflow, problems + found


def parse(data: Any) -> tuple[Any, list[Problem]]:
    """The plain data of a JSON text, before anything is known of its form; other data is passed through."""
    if not isinstance(data, bytes | bytearray | memoryview | str):
        return data, []
    text, problems = _text_of(data)
    if text is None:
        return None, problems
    try:
        return _READER.decode(text), problems
    except json.JSONDecodeError as error:
        return None, [*problems, _not_json(error)]
    except RecursionError:
        message = f"Lists and objects lie more than {MAX_DEPTH} deep in one another."
        return None, [*problems, Problem(message, place=_too_deep_at(text), code="too_deep")]


def _text_of(data: str | bytes | bytearray | memoryview) -> tuple[str | None, list[Problem]]:
    problems: list[Problem] = []
    if len(data) > MAX_TEXT:
        message = f"The document has a length of {len(data):,}; at most {MAX_TEXT:,} are read."
        return None, [Problem(message, place="document", code="too_large")]
    try:
        text = data if isinstance(data, str) else bytes(data).decode()
    except UnicodeDecodeError as error:
        return None, [_not_utf8(error)]
    if text.startswith(_BOM):
        message = "The document begins with a byte order mark, which was ignored."
        problems.append(Problem(message, Severity.WARNING, place="document", hint="Save it without.", code="bom"))
        text = text.removeprefix(_BOM)
    if not text.strip():
        return None, [*problems, Problem("The document is empty.", place="document", code="syntax")]
    return text, problems


def check(plain: Any) -> tuple[Workflow | None, list[Problem]]:
    """The workflow of plain data in our form, and every problem of it, each with its place."""
    walk = Walk(plain)
    if not isinstance(plain, Mapping):
        walk.report(f"A workflow is an object, found {shown(plain)}.", code="wrong_type")
        return None, walk.problems
    if plain.get("format", FORMAT) != FORMAT or isinstance(plain.get("format"), bool | float):
        _other_format(walk, plain["format"])
        return None, walk.problems
    if "format" not in plain:
        hint = f'Add "format": {FORMAT}. What other tools wrote is read by flownb.graph.dialects.read.'
        walk.report("The document does not say its format.", code="format", hint=hint)
    fields = {key: value for key, value in plain.items() if key != "format"}
    try:
        workflow = check_struct(
            Workflow, walk, Doubled(fields, plain.doubled) if isinstance(plain, Doubled) else fields
        )
    except RecursionError:  # the caller's stack was nearly full before
        workflow = walk.report("The document lies too deep to be checked here.", code="too_deep")
    for field, key in (("nodes", "id"), ("variables", "name"), ("triggers", "id")):
        _no_doubles(walk, plain.get(field), field, key)
    return (None if walk.problems or workflow is INVALID else workflow), walk.problems


def from_json(source: Source) -> Workflow:
    """The workflow of a document: its text, the path of its file, or its plain data.

    A str that ends in `.json` and doesn't begin with a brace is a path.

    Raises:
        InvalidWorkflow: the document has problems; `.problems` has all of them.
        NotFound: no such file.
    """
    workflow, problems = decode(content(source))
    if workflow is None:
        path = as_path(source)
        raise invalid("The document" if path is None else path.name, problems)
    return workflow


def as_path(source: Source) -> Path | None:
    """The path, where the source is one."""
    if isinstance(source, str) and source.endswith(".json"):
        return None if source.lstrip(" \t\r\n" + _BOM).startswith("{") else Path(source)
    return source if isinstance(source, Path) else None


def content(source: Source) -> str | bytes | Mapping[str, Any]:
    """What the source holds: the bytes of a file, else itself.

    Raises:
        NotFound: no such file.
        UsageError: the file is too large or can't be read.
    """
    path = as_path(source)
    if path is not None:
        return _file(path)
    assert not isinstance(source, Path)
    return source


def invalid(name: str, problems: list[Problem]) -> InvalidWorkflow:
    """The error for a document with problems: the first ten of them in its text, all in `.problems`."""
    most = 10
    count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
    lines = [f"{name} has {count}:", *(f"  {each}" for each in problems[:most])]
    if len(problems) > most:
        lines.append(f"  … and {len(problems) - most} more")
    return InvalidWorkflow("\n".join(lines), problems=problems)


def _file(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_TEXT:
            raise UsageError(f"{path} has {path.stat().st_size:,} bytes; at most {MAX_TEXT:,} are read.")
        return path.read_bytes()
    except FileNotFoundError:
        names = [each.name for each in path.parent.glob("*.json")] if path.parent.is_dir() else []
        raise NotFound(f"There is no file {str(path)!r}.{near_names(path.name, names)}") from None
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror or error}.") from error


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) == len(pairs):
        return values
    seen: set[str] = set()
    return Doubled(values, sorted({key for key, _ in pairs if key in seen or seen.add(key)}))  # type: ignore[func-returns-value]  # add() gives None


def _whole(text: str) -> int | Strange:
    return int(text) if len(text) <= _MAX_DIGITS else Strange(text)


def _real(text: str) -> float | Strange:
    number = float(text)
    return number if math.isfinite(number) else Strange(text)


_READER: Final = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_whole, parse_float=_real, parse_constant=Strange)


def _not_utf8(error: UnicodeDecodeError) -> Problem:
    data = error.object
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Problem("The document is UTF-16.", place="document", hint="Save it as UTF-8.", code="encoding")
    line = data.count(b"\n", 0, error.start) + 1
    return Problem(
        f"The document is not UTF-8: byte {error.start:,} is {data[error.start]:#04x}.",
        place=f"line {line}",
        hint="Save it as UTF-8.",
        code="encoding",
    )


def _not_json(error: json.JSONDecodeError) -> Problem:
    line = error.doc[error.pos - error.colno + 1 :].split("\n", 1)[0]
    start = max(0, error.colno - 31)
    return Problem(
        f"This is no JSON: {error.msg[:1].lower()}{error.msg[1:]}, at {shown(line[start : start + 40], bare=True)}.",
        place=f"line {error.lineno}, column {error.colno}",
        code="syntax",
    )


def _too_deep_at(text: str) -> str:
    """Where brackets lie too deep; strings are stepped over."""
    depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[][{}]', text, re.DOTALL):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > MAX_DEPTH:
            line = text.count("\n", 0, token.start()) + 1
            return f"line {line}, column {token.start() - text.rfind(chr(10), 0, token.start())}"
    return "document"


def _other_format(walk: Walk, found: Any) -> None:
    if isinstance(found, int) and not isinstance(found, bool) and found > FORMAT:
        message = f"The document has a newer format than this flownb, which reads format {FORMAT}."
        hint = "Update flownb: pip install -U flownb."
    else:
        message = f"Expected format {FORMAT}, found {shown(found)}."
        hint = f"Write {FORMAT}."
    walk.report(message, code="format", at="format", hint=hint)


def _no_doubles(walk: Walk, entries: Any, field: str, key: str) -> None:
    if not isinstance(entries, list | tuple):
        return
    first: dict[str, int] = {}
    for number, entry in enumerate(entries):
        name = entry.get(key) if isinstance(entry, dict) else None
        if not isinstance(name, str):
            continue
        if first.setdefault(name, number) != number:
            walk.path = [field, number]
            message = f"{shown(name, bare=True)} is the {key} of {field}[{first[name]}] already."
            walk.report(message, code="duplicate_id", at=key)
            walk.path = []


# --- writing ----------------------------------------------------------------------------------------------------------


def encode(workflow: Workflow) -> str:
    """The document of a workflow; `decode` gives an equal one back.

    Raises:
        InvalidWorkflow: something in it has no place in a document, as a date or NaN in a config; `.problems` says
            what and where.
    """
    checked, problems = check({**plain(workflow), "format": FORMAT})
    if checked is None:
        raise invalid(f"The workflow {workflow.name!r}", problems)
    document = {**plain(checked), "format": FORMAT}
    lines = [f'  "{key}": {_written(key, document[key])}' for key in sorted(document)]
    return "{\n" + ",\n".join(lines) + "\n}\n"


#: Another name for `encode`, beside `from_json`.
to_json = encode


def _written(key: str, value: Any) -> str:
    """A field of the document: what is moved or rewired by hand has a line each."""
    if key == "edges" and value:
        return _block("[]", [_laid_out(each, 0) for each in value])
    if key == "positions" and value:
        return _block("{}", [f"{_laid_out(name, 0)}: {_laid_out(value[name], 0)}" for name in sorted(value)])
    return _laid_out(value, 2).replace("\n", "\n  ")  # texts have no line ends of their own


def _laid_out(value: Any, indent: int) -> str:
    return msgspec.json.format(_ENCODER.encode(value), indent=indent).decode()


def _block(brackets: str, members: list[str]) -> str:
    inner = ",\n    ".join(members)
    return f"{brackets[0]}\n    {inner}\n  {brackets[1]}"


_ENCODER: Final = msgspec.json.Encoder(order="sorted")


def plain(value: Any) -> Any:
    """Plain data of a value of the model, without what is at its default; free data is left as it is.

    Not `msgspec.to_builtins`: that leaves a default out only where it is the very same object, so that a workflow
    made in Python and an equal one that was read would differ.
    """
    if isinstance(value, msgspec.Struct):
        data = {}
        for name, written, default, free in _fields(type(value)):
            held = getattr(value, name)
            if held is not default and (type(held) is not type(default) or held != default):
                data[written] = held if free or type(held) is str else plain(held)
        return data
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return value


def _fields(cls: type[msgspec.Struct]) -> list[tuple[str, str, Any, bool]]:
    """The name of each field, here and when written, its default, and whether it holds free data."""
    found = _FIELDS.get(cls)
    if found is None:
        found = _FIELDS[cls] = [
            (
                each.name,
                each.encode_name,
                each.default if each.default_factory is msgspec.NODEFAULT else each.default_factory(),
                each.type in (Any, dict[str, Any]),
            )
            for each in fields_of(cls)
        ]
    return found


_FIELDS: Final[dict[type[msgspec.Struct], list[tuple[str, str, Any, bool]]]] = {}
