"""The forms of the five descriptions that flownb grew from, and of React Flow and n8n, as far as they agree.

One reader for all: they differ in names and in where things lie, hardly in what they say. Fields may be written in
snake or camel case; a `definition` around nodes and edges is looked into. Our own field names are read as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flownb.graph.aliases import NAMED, canonical_type
from flownb.graph.dialects.answers import add_answers
from flownb.graph.dialects.bodies import Bodies
from flownb.graph.dialects.findings import Findings
from flownb.graph.dialects.nodes import Nodes
from flownb.graph.dialects.wiring import Wiring
from flownb.graph.dialects.words import LOOKS, ON_ERROR, same, snake, snaked, whole_number
from flownb.ids import slug
from flownb.model.status import ErrorClass, Strategy
from flownb.model.walk import shown
from flownb.model.workflow import FORMAT

if TYPE_CHECKING:
    from collections.abc import Callable

    from flownb.graph.dialects.wiring import Keyed

    #: An object's fields by their name in our spelling, each with the name that it has.
    Fields = dict[str, tuple[str, Any]]
    Reader = Callable[[Fields, int, Nodes, Findings], dict[str, Any]]

#: Theirs on the left, ours on the right.
_FIELDS: Final[dict[str, str]] = {
    **same("id", "name", "description", "created_by", "owner", "workspace", "template", "positions"),
    "user_id": "owner",
    "workspace_id": "workspace",
}
_TEMPLATE: Final[dict[str, str]] = {
    "template_category": "category",
    "complexity": "complexity",
    "is_featured": "featured",
    "download_count": "downloads",
    "rating": "rating",
    "roi_badge": "badge",
}
_SETTINGS: Final[dict[str, str]] = {
    **same(
        "concurrency",
        "error_workflow",
        "on_status",
        "timeout",
        "failures",
        "resources",
        "overlap",
        "time_zone",
        "budget",
        "watch",
        "memory_minutes",
        "keep_days",
        "keep_runs",
    ),
    "timezone": "time_zone",
    "execution_timeout": "timeout",
}
_HANDLER: Final[dict[str, str]] = {
    **same("error", "strategy", "attempts", "delay", "message", "target"),
    "max_attempts": "attempts",
    "error_type": "error",
    "action": "strategy",
    "target_node_id": "target",
}
_ACTIVE: Final = ("is_active", "is_published", "active")
#: What is read apart from the fields.
_APART: Final = frozenset(
    {
        *("nodes", "edges", "connections", "variables", "triggers", "error_handlers"),
        *("definition", "version", "status", "visibility", "tags", "settings", "is_template", *_ACTIVE),
    }
)


class Part(NamedTuple):
    """A field of the document, or of the definition inside it."""

    place: str
    value: Any


def translate(data: dict[str, Any], keyed: Keyed | None = None) -> tuple[dict[str, Any], Findings]:
    """A document in our form, and what was found on the way.

    Args:
        data: plain data, checked to be no deeper and no stranger than JSON.
        keyed: by which end a map of connections names its nodes.
    """
    findings = Findings()
    parts = _parts(data, findings)
    document = {"format": FORMAT, **_head(parts, findings)}
    nodes = Nodes(findings)
    wiring = Wiring(nodes, findings)
    if "nodes" in parts:
        document["nodes"] = nodes.read(parts["nodes"].value, parts["nodes"].place)
    document["edges"] = wiring.found
    if "edges" in parts:
        document["edges"] = wiring.read_edges(parts["edges"].value, parts["edges"].place)
    wiring.read_inputs()
    if "connections" in parts:
        wiring.read_connections(parts["connections"].value, parts["connections"].place, keyed)
    wiring.read_paths()
    Bodies(nodes, wiring, findings).read()
    add_answers(document)
    if nodes.positions and isinstance(document.get("positions", {}), dict):
        document["positions"] = {**nodes.positions, **document.get("positions", {})}
    readers = {"variables": _variable, "triggers": _trigger, "error_handlers": _handler}
    for key, read in readers.items():
        if key in parts:
            document[key] = _entries(key, parts[key], read, nodes, findings)
    return document, findings


def _parts(data: dict[str, Any], findings: Findings) -> dict[str, Part]:
    """The fields by their name in our spelling; those of a `definition` beside those around it."""
    parts = {key: Part(written, value) for key, (written, value) in snaked(data).items()}
    around = parts.get("definition")
    if around is not None and isinstance(around.value, dict):
        for key, (written, value) in snaked(around.value).items():
            parts.setdefault(key, Part(f"{around.place}.{written}", value))
    for key, part in parts.items():
        if key not in _FIELDS and key not in _TEMPLATE and key not in _APART and key not in LOOKS:
            findings.unknown(part.place.rpartition(".")[0], [part.place.rpartition(".")[2]])
    return parts


def _head(parts: dict[str, Part], findings: Findings) -> dict[str, Any]:
    """What stands at the top: names, status, version, template, settings."""
    head: dict[str, Any] = {}
    for key, part in parts.items():
        if key in _FIELDS and part.value is not None:
            head.setdefault(_FIELDS[key], part.value)
            findings.origins[_FIELDS[key]] = part.place
    if any(key in parts and parts[key].value is True for key in _ACTIVE):
        head["status"] = "active"
    for key, read in _SHAPED.items():
        if key in parts and parts[key].value is not None:
            head[key] = read(parts[key].value)
            findings.origins[key] = parts[key].place
    if "settings" in parts and parts["settings"].value is not None:
        head["settings"] = _settings(parts["settings"], findings)
        findings.origins["settings"] = parts["settings"].place
    template = _template(parts)
    if template is not None:
        head.setdefault("template", template)
    return head


def _template(parts: dict[str, Part]) -> dict[str, Any] | None:
    template = {ours: parts[key].value for key, ours in _TEMPLATE.items() if key in parts}
    marked = "is_template" in parts and parts["is_template"].value is True
    if not marked and template.get("category") is None:
        return None
    template["rating"] = _number(template.get("rating"))
    return {key: value for key, value in template.items() if value is not None}


def _number(text: Any) -> Any:
    """A decimal that a database handed out as a text."""
    try:
        return float(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _tags(tags: Any) -> Any:
    """Tags by their names, where they are objects."""
    if not isinstance(tags, list):
        return tags
    return [each["name"] if isinstance(each, dict) and "name" in each else each for each in tags]


def _word(word: Any) -> Any:
    return word.lower() if isinstance(word, str) else word


#: What stands at the top in another shape.
_SHAPED: Final[dict[str, Callable[[Any], Any]]] = {
    "version": whole_number,
    "status": _word,
    "visibility": _word,
    "tags": _tags,
}


def _settings(part: Part, findings: Findings) -> Any:
    if not isinstance(part.value, dict):
        return part.value
    fields = snaked(part.value)
    findings.unknown(part.place, (written for key, (written, _) in fields.items() if key not in _SETTINGS))
    return {_SETTINGS[key]: value for key, (_, value) in fields.items() if key in _SETTINGS}


def _entries(key: str, part: Part, read: Reader, nodes: Nodes, findings: Findings) -> Any:
    """A list of objects, each read on its own; a map from names is a list as well."""
    entries = part.value
    places = [f"{part.place}[{number}]" for number in range(len(entries))] if isinstance(entries, list) else []
    if key == "variables" and isinstance(entries, dict):
        places = [f"{part.place}.{name}" for name in entries]
        entries = [{"name": name, "default": value} for name, value in entries.items()]
    findings.origins[key] = part.place
    findings.origins.update((f"{key}[{number}]", place) for number, place in enumerate(places))
    if not isinstance(entries, list):
        return entries
    return [
        read(snaked(entry), number, nodes, findings) if isinstance(entry, dict) else entry
        for number, entry in enumerate(entries)
    ]


def _variable(fields: Fields, number: int, _: Nodes, findings: Findings) -> dict[str, Any]:
    """`default_value` is the default."""
    here = findings.origins[f"variables[{number}]"]
    variable: dict[str, Any] = {}
    for key in ("name", "type", "secret", "description"):
        if key in fields and fields[key][1] is not None:
            variable[key] = fields[key][1]
    for key in ("default", "default_value", "value"):
        if key in fields:
            variable.setdefault("default", fields[key][1])
    name = variable.get("name")
    if isinstance(name, str) and slug(name[:200]) != name:
        variable["name"] = slug(name[:200])
        message = f"The variable {shown(name, bare=True)} is called {variable['name']!r} here."
        findings.warn(here, message, code="renamed")
    known = {"name", "type", "secret", "description", "default", "default_value", "value", "required", "id"}
    findings.unknown(here, (written for key, (written, _) in fields.items() if key not in known))
    return variable


def _trigger(fields: Fields, number: int, _: Nodes, findings: Findings) -> dict[str, Any]:
    """A trigger has an id, and its type the family's name."""
    known = ("id", "type", "config", "enabled")
    trigger = {str(key): fields[key][1] for key in known if key in fields and fields[key][1] is not None}
    kind = trigger.get("type")
    if isinstance(kind, str):
        family = f"trigger.{kind.lower()}"
        trigger["type"] = family if family in NAMED else canonical_type(kind)
    trigger.setdefault("id", f"{slug(kind[:200]) if isinstance(kind, str) else 'trigger'}_{number + 1}")
    unknown = (written for key, (written, _) in fields.items() if key not in (*known, "name"))
    findings.unknown(findings.origins[f"triggers[{number}]"], unknown)
    return trigger


def _handler(fields: Fields, number: int, nodes: Nodes, findings: Findings) -> dict[str, Any]:
    """`error_type` and `action` are the error and what is done about it."""
    here = findings.origins[f"error_handlers[{number}]"]
    handler: dict[str, Any] = {}
    for key, (written, value) in fields.items():
        if key in _HANDLER and value is not None:
            handler.setdefault(_HANDLER[key], value)
            findings.origins[f"error_handlers[{number}].{_HANDLER[key]}"] = f"{here}.{written}"
    if isinstance(strategy := handler.get("strategy"), str):
        word = snake(strategy)
        handler["strategy"] = word if word == Strategy.RETRY else ON_ERROR.get(word, strategy)
    if isinstance(error := handler.get("error"), str) and error.lower() in list(ErrorClass):
        handler["error"] = error.lower()
    if "target" in handler:
        handler["target"] = nodes.id_of(handler["target"])
    unknown = (written for key, (written, _) in fields.items() if key not in {*_HANDLER, "id", "name"})
    findings.unknown(here, unknown)
    return handler
