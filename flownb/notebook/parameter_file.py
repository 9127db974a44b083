"""`-y FILE`: parameters in a YAML file, read so that what was written is what is meant.

YAML alone would read `no` as false, `12:30` as 750 and `0123` as 83. Here a plain scalar stays the text that it is,
and the declared type of its parameter reads it, as it reads what `-p` gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.errors import InvalidInput, NotFound, UsageError
from flownb.notebook.declared import ANY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from flownb.notebook.declared import Declared
    from flownb.notebook.parameters import Parameter


def read_parameter_file(path: Path, parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The parameters in a YAML file: texts where a type is declared, else what YAML makes of them.

    Args:
        path: the file; a mapping of names to values.
        parameters: those that the notebook declares; other names are returned as well, for `parse_all` to refuse.

    Raises:
        NotFound: there is no such file.
        UsageError: it can't be read, or is no YAML.
        InvalidInput: it is no mapping, or has a name twice.
    """
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise NotFound(f"There is no parameter file {path}.", path=str(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The parameter file {path} can't be read: {error}.", path=str(path)) from error
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            raise InvalidInput(f"The parameter file {path} holds no names; write `name: value` lines.")
        return _entries(loader, root, path, {each.name: each for each in parameters})
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        first = " ".join(str(error).split())
        raise UsageError(f"The parameter file {path} is no YAML: {first[:300]}", path=str(path)) from None


def _entries(loader: Any, root: Any, path: Path, known: dict[str, Parameter]) -> dict[str, Any]:
    import yaml

    found: dict[str, Any] = {}
    for key, value in root.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else str(loader.construct_object(key, deep=True))
        if name in found:
            raise InvalidInput(f"The parameter file {path} has {name!r} twice.", name=name)
        found[name] = _meant(loader, value, known[name].declared if name in known else ANY)
    return found


def _meant(loader: Any, node: Any, kind: Declared) -> Any:
    """A node as text where a type is declared that reads text; lists element by element."""
    import yaml

    if kind.kind == "any" or getattr(node, "tag", "") == "tag:yaml.org,2002:null":
        return loader.construct_object(node, deep=True)
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode) and len(kind.args) == 1:
        return [_meant(loader, each, kind.args[0]) for each in node.value]
    return loader.construct_object(node, deep=True)
