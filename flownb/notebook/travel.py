"""How the values of parameters get into a notebook: as safe literals, else as references; never as code.

The injected cell stands where papermill puts it. What it may hold is closed: a name, `=`, and either a literal of
harmless characters or a fixed call that has the name in it and nothing of the value. The values themselves lie in the
store, and the client hands them to the kernel in its first request.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING, Any, Final

from flownb.errors import InvalidInput, NotFound
from flownb.notebook.declared import FrameFile, SecretRef
from flownb.notebook.here import here
from flownb.notebook.parameters import TAG, is_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nbformat import NotebookNode

    from flownb.notebook.parameters import Parameter
    from flownb.store.artifacts.contract import ArtifactStore

#: papermill's tag of the cell with the values.
INJECTED: Final = "injected-parameters"
#: The injected cell keeps its id over runs and resumptions.
_CELL_ID: Final = "injected-parameters"
_GETTER: Final = "_flownb_parameter"
_IMPORT: Final = f"from flownb.notebook.travel import parameter as {_GETTER}"
_HARMLESS: Final = frozenset(" _.,:/@+=~-")
_LETTERS: Final = 500
_SCALARS: Final = frozenset({type(None), bool, int, float, str})


# --- the cell ---------------------------------------------------------------------------------------------------------


def literal(value: Any) -> str | None:
    """A value as a Python literal of harmless characters, or None where it must travel as a reference.

    Only exact built-in types count, and what the literal means is compared with the value.
    """
    if not _is_harmless(value):
        return None
    text = repr(value)
    if len(text) > _LETTERS:
        return None
    try:
        back = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None  # inf and nan
    return text if back == value and type(back) is type(value) else None


def _is_harmless(value: Any) -> bool:
    if type(value) in (list, tuple):
        return len(value) <= _LETTERS and all(_is_harmless(each) for each in value)
    if type(value) is dict:
        items = [*value.keys(), *value.values()]
        return len(value) <= _LETTERS and all(_is_harmless(each) for each in items)
    if type(value) is str:
        return len(value) <= _LETTERS and all(
            (each.isascii() and each.isalnum()) or each in _HARMLESS for each in value
        )
    return type(value) in _SCALARS and (type(value) is not int or abs(value) < 10**30)


def inject(notebook: NotebookNode, parameters: list[Parameter], values: Mapping[str, Any]) -> NotebookNode:
    """A copy of a notebook with a cell that sets the given parameters, after the one that declares them.

    Args:
        notebook: an nbformat node.
        parameters: what it declares.
        values: by name, as `parse_all` returns them; without any, an old injected cell is only taken out.
    """
    from nbformat import v4

    made = copy.deepcopy(notebook)
    made.cells = [cell for cell in made.cells if INJECTED not in cell.metadata.get("tags", [])]
    made.metadata.setdefault("papermill", {})
    if not values:
        return made
    cell = v4.new_code_cell(source=_source(parameters, values), id=_CELL_ID)
    cell.metadata["tags"] = [INJECTED]
    place = next((number + 1 for number, each in enumerate(made.cells) if TAG in each.metadata.get("tags", [])), 0)
    made.cells.insert(place, cell)
    made.metadata.papermill["parameters"] = {name: _for_people(value) for name, value in values.items()}
    return made


def _source(parameters: list[Parameter], values: Mapping[str, Any]) -> str:
    known = {each.name: each for each in parameters}
    lines, references = [], False
    for name, value in values.items():
        if not is_name(name):
            raise InvalidInput(f"{name!r:.100} is no name that a parameter can have.", name=name)
        text = literal(value)
        if text is None or isinstance(value, SecretRef):
            references, text = True, f'{_GETTER}("{name}")'
        enum = known[name].enum if name in known else ""
        lines.append(f"{name} = {enum}({text})" if enum and is_name(enum) else f"{name} = {text}")
    return "\n".join(["# Parameters", *([_IMPORT] if references else []), *lines])


def _for_people(value: Any) -> Any:
    """What papermill's metadata says of a value: JSON, and secrets only by their names."""
    if isinstance(value, SecretRef):
        return value.url
    if isinstance(value, FrameFile):
        return value.path
    return value if literal(value) is not None and type(value) is not tuple else str(value)[:_LETTERS]


# --- the values -------------------------------------------------------------------------------------------------------


def pack(values: Mapping[str, Any], artifacts: ArtifactStore) -> dict[str, Any]:
    """Values as plain data, to be kept with the program and sent to the kernel.

    A file that a DataFrame is read from is kept by its content, so that a resumption reads what the first run read.

    Raises:
        InvalidInput: a value can't be kept.
    """
    from flownb.store import values as stored_values

    packed: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, SecretRef):
            packed[name] = {"secret": value.url}
        elif isinstance(value, FrameFile):
            packed[name] = _packed_file(value, artifacts)
        else:
            plain = stored_values.store(value, artifacts).plain
            if stored_values.is_transient(plain):
                raise InvalidInput(
                    f"{name} is a {type(value).__name__}, which can't be stored; give plain data or a file.", name=name
                )
            packed[name] = {"value": plain}
    return packed


def _packed_file(file: FrameFile, artifacts: ArtifactStore) -> dict[str, Any]:
    from pathlib import Path

    path = Path(file.path)
    return {"frame": {"digest": artifacts.put_file(path, path.suffix.lower()), "suffix": path.suffix.lower()}}


def unpack(packed: Mapping[str, Any], artifacts: ArtifactStore) -> Any:
    """One value again; a DataFrame is read from its file.

    Raises:
        NotFound: the file is gone from the store.
        MissingExtra: pandas is not installed.
    """
    if "secret" in packed:
        return packed["secret"]
    if "frame" in packed:
        return _frame(packed["frame"]["digest"], packed["frame"]["suffix"], artifacts)
    from flownb.store import values

    return values.load(packed["value"], artifacts)


def unpack_all(packed: Mapping[str, Any], artifacts: ArtifactStore) -> dict[str, Any]:
    """Packed values as `parse_all` returns them, so that they can be injected and packed again."""
    from flownb.store import values

    found: dict[str, Any] = {}
    for name, each in packed.items():
        if "secret" in each:
            found[name] = SecretRef(each["secret"])
        elif "frame" in each:
            path: Path | None = artifacts.path(each["frame"]["digest"])
            if path is None:
                raise NotFound(f"The file of the parameter {name!r} is gone from the store.")
            found[name] = FrameFile(str(path))
        else:
            found[name] = values.load(each["value"], artifacts)
    return found


def _frame(digest: str, suffix: str, artifacts: ArtifactStore) -> Any:
    from flownb.errors import MissingExtra

    try:
        import pandas as pd
    except ImportError:
        raise MissingExtra(
            "A DataFrame parameter needs pandas: `pip install 'flownb[data]'` where the kernel runs."
        ) from None
    with artifacts.open(digest) as file:
        if suffix == ".parquet":
            return pd.read_parquet(file)
        return pd.read_csv(file, sep="\t" if suffix == ".tsv" else ",")


def parameter(name: str) -> Any:
    """The value that a headless run was given for a parameter; the injected cell calls it.

    Where the cell is executed in another way, as in JupyterLab, the value that the notebook itself gives the name
    stays as it is.

    Raises:
        NotFound: there is no headless run, and the notebook gives the name no value.
    """
    home = here()
    if home is not None and name in home.parameters:
        return unpack(home.parameters[name], home.store.artifacts)
    import sys

    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    if shell is not None and name in shell.user_ns:
        return shell.user_ns[name]
    raise NotFound(
        f"The value of the parameter {name!r} is kept with the run that this notebook was executed for; "
        "set it in the parameters cell to execute the notebook by hand."
    )
