"""A notebook file: read with sentences for what is wrong with it, written so that a reader never sees half of it."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import secrets
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import NotFound, UsageError, near_names

if TYPE_CHECKING:
    from pathlib import Path

    from nbformat import NotebookNode

_MAJOR: Final = 4


def read_notebook(path: Path) -> NotebookNode:
    """The notebook in a file, brought to format 4.5 with an id on every cell.

    Raises:
        NotFound: there is no such file; near names are listed.
        UsageError: it can't be read, or is no notebook; the message says why.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        there = [each.name for each in path.parent.glob("*.ipynb")] if path.parent.is_dir() else []
        raise NotFound(f"There is no notebook {path}.{near_names(path.name, there)}", path=str(path)) from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a folder, not a notebook.", path=str(path)) from None
    except OSError as error:
        raise UsageError(f"The notebook {path} can't be read: {error.strerror}.", path=str(path)) from error
    except UnicodeDecodeError:
        raise UsageError(f"{path} is no notebook: it is not text in UTF-8.", path=str(path)) from None
    return notebook_of(text, str(path))


def notebook_of(text: str, name: str) -> NotebookNode:
    """The notebook in a text.

    Raises:
        UsageError: it is none.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        reason = "the file is empty" if not text.strip() else f"it is no JSON: {error}"
        raise UsageError(f"{name} is no notebook: {reason}.") from None
    except RecursionError:
        raise UsageError(f"{name} is no notebook: it is nested too deeply.") from None
    if not isinstance(document, dict) or not isinstance(document.get("nbformat"), int):
        raise UsageError(f"{name} is no notebook: it has no `nbformat`.")
    if document["nbformat"] > _MAJOR:
        raise UsageError(f"{name} is in notebook format {document['nbformat']}; this flownb reads up to {_MAJOR}.")
    return _upgraded(document, name)


def _upgraded(document: dict[str, Any], name: str) -> NotebookNode:
    import nbformat
    from nbformat.validator import normalize

    try:
        if document["nbformat"] not in nbformat.versions:
            raise UsageError(f"{name} is in notebook format {document['nbformat']}, which nobody wrote.")
        format_of = nbformat.versions[document["nbformat"]]
        notebook = format_of.to_notebook_json(document, minor=document.get("nbformat_minor", 0))
        if document["nbformat"] < _MAJOR:
            notebook = nbformat.convert(notebook, _MAJOR)
        notebook = nbformat.v4.upgrade(notebook)
        _, notebook = normalize(notebook)  # cells without an id, or with one that is there twice
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        place = "/".join(str(part) for part in getattr(error, "absolute_path", ()) or ())
        where = f" at {place}" if place else ""
        raise UsageError(f"{name} is no valid notebook{where}: {str(error).splitlines()[0]}.") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{name} is no valid notebook: {type(error).__name__}: {error}.") from None
    made: NotebookNode = notebook
    for cell in made.cells:
        cell.metadata.setdefault("tags", [])
    return made


def language_of(notebook: NotebookNode) -> str:
    """The language of a notebook's kernel, in lower case; `python` where it says none."""
    spec = notebook.metadata.get("kernelspec", {})
    info = notebook.metadata.get("language_info", {})
    return str(spec.get("language") or info.get("name") or "python").lower()


def pinned_text(notebook: NotebookNode) -> str:
    """A notebook as it is pinned: its cells without outputs, counts and what papermill left."""
    bare = copy.deepcopy(notebook)
    bare.metadata.pop("papermill", None)
    bare.metadata.pop("flownb", None)
    bare.metadata.pop("widgets", None)
    for cell in bare.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("flownb", None)
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return text_of(bare)


def text_of(notebook: NotebookNode) -> str:
    """A notebook as the text of its file; not validated, because that takes longer than writing it."""
    import nbformat

    text: str = nbformat.v4.writes(notebook)
    return text if text.endswith("\n") else text + "\n"


def write_text(path: Path, text: str) -> None:
    """Put a text where a file is, in one step: whoever reads it sees the old one or the new one.

    Raises:
        UsageError: it can't be written there.
    """
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise UsageError(f"The notebook {path} can't be written: {error.strerror}.", path=str(path)) from error


def check_writable(path: Path) -> None:
    """Say at the start, not after an hour, that an output can't be written.

    Raises:
        UsageError: its folder can't be made or written, or the path is a folder.
    """
    if path.is_dir():
        raise UsageError(f"The output {path} is a folder; give the path of a notebook.", path=str(path))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"The folder of the output {path} can't be made: {error.strerror}.", path=str(path)) from error
    if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise UsageError(f"The output {path} can't be written: permission denied.", path=str(path))
