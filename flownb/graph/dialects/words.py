"""The words of other forms and ours: fields, ports, connections, what to do about errors."""

from __future__ import annotations

import re
from typing import Any, Final

from flownb.model.ports import ConnectionType
from flownb.model.status import OnError

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

#: Names of the one output, or the one input, of a node that has no choice of them.
ONLY_OUTPUT: Final = frozenset({"", "out", "output", "main", "default", "source", "result"})
ONLY_INPUT: Final = frozenset({"", "in", "input", "main", "default", "target"})

#: What a node does about its failure, and what a handler does, in the words of the seeds and of n8n.
ON_ERROR: Final[dict[str, OnError]] = {
    **{each.value: each for each in OnError},
    "stop_workflow": OnError.STOP,
    "terminate": OnError.STOP,
    "fail": OnError.STOP,
    "continue_regular_output": OnError.CONTINUE,
    "continue_error_output": OnError.ERROR_PORT,
    "error_output": OnError.ERROR_PORT,
}

#: What only a canvas or a list of files needs to know, and we don't keep: it is left out without a word.
LOOKS: Final = frozenset(
    {
        *("width", "height", "measured", "selected", "dragging", "draggable", "selectable", "connectable", "deletable"),
        *("hidden", "style", "class_name", "position_absolute", "source_position", "target_position", "drag_handle"),
        *("extent", "expand_parent", "z_index", "resizing", "animated", "marker_start", "marker_end", "label_style"),
        *("label_bg_style", "path_options", "interaction_width", "viewport"),
        *("created_at", "updated_at", "category", "outputs"),
    }
)

_CONNECTIONS: Final = {each.value.replace("_", ""): each for each in ConnectionType}


def snake(name: str) -> str:
    """A field's name in our spelling: `retryPolicy` and `retry-policy` are `retry_policy`."""
    return _HUMP.sub("_", name).replace("-", "_").replace(" ", "_").lower()


def same(*names: str) -> dict[str, str]:
    """Fields that are called the same in both forms."""
    return dict(zip(names, names, strict=True))


def snaked(fields: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Fields by their name in our spelling, each with the name that it has."""
    found: dict[str, tuple[str, Any]] = {}
    for name, value in fields.items():
        found.setdefault(snake(name), (name, value))
    return found


def connection(word: Any) -> ConnectionType | None:
    """A type of connection in any of its spellings: `AI_TOOL`, `ai_tool`, `ai_languageModel`."""
    return _CONNECTIONS.get(re.sub(r"[^a-z]", "", word.lower())) if isinstance(word, str) else None


def whole_number(text: Any) -> Any:
    """The first number of a version: `2.1.0` is 2; anything else as it is."""
    if isinstance(text, str) and (match := re.match(r"v?(\d{1,9})(?:\.|$)", text.strip())):
        return int(match[1])
    return int(text) if isinstance(text, float) and text.is_integer() else text
