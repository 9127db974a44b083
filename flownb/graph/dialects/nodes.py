"""Nodes in the forms of the seeds: fields, types, retries and positions become ours; names become identifiers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from flownb.graph.aliases import NAMED, canonical_type
from flownb.graph.dialects.words import LOOKS, ON_ERROR, same, snake, snaked
from flownb.ids import slug
from flownb.model.status import OnError
from flownb.model.walk import shown

if TYPE_CHECKING:
    from flownb.graph.dialects.findings import Findings

#: Theirs on the left, ours on the right; ours are known as well.
_FIELDS: Final[dict[str, str]] = {
    **same(
        "id", "type", "type_version", "name", "config", "parent", "join", "retry", "timeout", "heartbeat", "on_error"
    ),
    **same(
        "fallback",
        "fallback_node",
        "compensation",
        "strategies",
        "on_crash",
        "where",
        "cache",
        "limits",
        "disabled",
        "notes",
        "pinned",
    ),
    "label": "name",
    "title": "name",
    "description": "notes",
    "parameters": "config",
    "params": "config",
    "data": "config",
    "retry_policy": "retry",
    "timeout_seconds": "timeout",
    "timeout_ms": "timeout",
    "error_policy": "on_error",
    "resource_limits": "limits",
    "parent_id": "parent",
    "parent_node": "parent",
    "enabled": "disabled",
}
_RETRY: Final[dict[str, str]] = {
    **same("attempts", "delay", "backoff", "max_delay", "jitter", "on"),
    "max_attempts": "attempts",
    "delay_ms": "delay",
    "max_delay_ms": "max_delay",
    "backoff_multiplier": "backoff",
    "retry_on_errors": "on",
}
#: What is read apart from the fields.
_APART: Final = frozenset({"position", "subtype", "inputs", "retry_on_fail", "max_tries", "wait_between_tries"})
#: What React Flow calls a node whose own type lies in its data.
_NO_TYPE: Final = frozenset({"custom", "default", "node"})
_TEMPLATE: Final = re.compile(r"\{\{.*?\}\}", re.DOTALL)
#: A word of an expression that may be a node's id, with the hyphens that our ids don't have; no attribute, no text.
_WORD: Final = re.compile(r"""(?<![\w.\-"'])[\w\-]+""")


class Nodes:
    """The nodes of a document: in our form, with their positions, and by the names that edges call them."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings
        self.found: list[Any] = []
        self.positions: dict[str, Any] = {}
        #: Their `inputs`, by our id, with the place.
        self.inputs: list[tuple[str, str, list[Any]]] = []
        #: Our ids of those that were renamed, by theirs.
        self.renamed: dict[str, str] = {}
        #: Those that have one more output, for their failure.
        self.with_error_port: set[str] = set()
        self._by_id: dict[str, str] = {}
        self._by_name: dict[str, str] = {}
        self._taken: set[str] = set()
        self._count: dict[str, int] = {}

    def read(self, entries: Any, place: str) -> Any:
        """Take in a list of nodes; what is no list goes through as it is, for the checker to tell."""
        if not isinstance(entries, list):
            return entries
        given = (entry.get("id") for entry in entries if isinstance(entry, dict))
        self._taken = {name for name in given if isinstance(name, str) and slug(name[:200]) == name}
        for number, entry in enumerate(entries):
            here = f"{place}[{number}]"
            self.findings.origins[f"nodes[{number}]"] = here
            self.found.append(self._node(entry, number, here) if isinstance(entry, dict) else entry)
        if self.renamed:
            for node in self.found:
                if isinstance(node, dict) and "config" in node:
                    node["config"] = self._renamed_in(node["config"])
        return self.found

    def renamed_in(self, expression: Any) -> Any:
        """An expression with our ids in it."""
        if not isinstance(expression, str) or not self.renamed:
            return expression
        return _WORD.sub(lambda word: self.renamed.get(word[0], word[0]), expression)

    def id_of(self, name: Any) -> Any:
        """Our id of the node that they call by this id or name; an unknown name as it is."""
        if not isinstance(name, str | int) or isinstance(name, bool):
            return name
        return self._by_id.get(str(name)) or self._by_name.get(str(name)) or name

    def knows(self, name: Any) -> bool:
        """Whether a node has this id or name."""
        return isinstance(name, str | int) and (str(name) in self._by_id or str(name) in self._by_name)

    def _node(self, entry: dict[str, Any], number: int, here: str) -> dict[str, Any]:
        node: dict[str, Any] = {}
        fields = snaked(entry)
        for key, (written, value) in fields.items():
            if key in _FIELDS:
                self._field(node, key, value, f"nodes[{number}].{_FIELDS[key]}", f"{here}.{written}")
        unknown = [key for key in fields if key not in _FIELDS and key not in _APART and key not in LOOKS]
        self.findings.unknown(here, (fields[key][0] for key in unknown))
        if fields.get("retry_on_fail", ("", False))[1] is True:  # as n8n writes it
            tries, wait = (fields.get(key, ("", None))[1] for key in ("max_tries", "wait_between_tries"))
            policy = {"attempts": tries, "delay": seconds(wait)}
            node.setdefault("retry", {key: value for key, value in policy.items() if value is not None})
        self._identify(node, here)
        self._type(node, fields.get("subtype", ("", None))[1], here)
        name = node.get("id")
        if isinstance(name, str):
            if node.get("on_error") == OnError.ERROR_PORT:
                self.with_error_port.add(name)
            if "position" in fields:
                written, value = fields["position"]
                self.positions[name] = _point(value)
                self.findings.origins[f"positions.{name}"] = f"{here}.{written}"
            inputs = fields.get("inputs", ("", None))[1]
            if isinstance(inputs, list):
                self.inputs.append((name, f"{here}.inputs", inputs))
        return node

    def _field(self, node: dict[str, Any], key: str, value: Any, ours: str, theirs: str) -> None:
        field = _FIELDS[key]
        self.findings.origins.setdefault(ours, theirs)
        if key == "data" and isinstance(value, dict):  # React Flow keeps what is shown beside what is done
            value = dict(value)
            if isinstance(value.get("label"), str):
                node.setdefault("name", value.pop("label"))
        value = self._value(key, value, ours, theirs)
        held = node.get(field)
        if isinstance(held, dict) and isinstance(value, dict):
            node[field] = {**value, **held}
        elif field == "notes" and isinstance(held, str) and isinstance(value, str):
            node[field] = "\n".join(each for each in (held, value) if each)
        elif value is not None or field in ("fallback", "pinned"):
            node.setdefault(field, value)

    def _value(self, key: str, value: Any, ours: str, theirs: str) -> Any:
        if key in ("retry_policy", "retry") and isinstance(value, dict):
            return self._retry(value, ours, theirs)
        if key == "timeout_ms":
            return seconds(value)
        if key == "enabled":
            return not value if isinstance(value, bool) else value
        if key in ("on_error", "error_policy") and isinstance(value, str):
            return ON_ERROR.get(snake(value), value)
        return value

    def _retry(self, policy: dict[str, Any], ours: str, theirs: str) -> dict[str, Any]:
        retry: dict[str, Any] = {}
        fields = snaked(policy)
        for key, (written, value) in fields.items():
            if key in _RETRY and value is not None:
                retry.setdefault(_RETRY[key], seconds(value) if key.endswith("_ms") else value)
                self.findings.origins[f"{ours}.{_RETRY[key]}"] = f"{theirs}.{written}"
        self.findings.unknown(theirs, (written for key, (written, _) in fields.items() if key not in _RETRY))
        return retry

    # --- names --------------------------------------------------------------------------------------------------------

    def _identify(self, node: dict[str, Any], here: str) -> None:
        """Give the node an id that is a Python identifier, and remember what they call it."""
        given, name = node.get("id"), node.get("name")
        if isinstance(given, int) and not isinstance(given, bool):
            given = str(given)
        original = given if isinstance(given, str) and given else name
        if not isinstance(original, str) or not original:
            return
        if original in self._by_id:  # twice: the checker tells
            node["id"] = self._by_id[original]
            return
        new = original if original in self._taken else self._free(slug(original[:200]))
        self._by_id[original] = node["id"] = new
        if isinstance(name, str):
            self._by_name.setdefault(name, new)
        if new != original:
            self.renamed[original] = new
            node.setdefault("name", original)
            message = f"The node {shown(original, bare=True)} is called {new!r} here, which is a Python identifier."
            self.findings.warn(here, message, code="renamed", node=new)

    def _free(self, name: str) -> str:
        """The name, or with a number where another node has it."""
        new = name
        while new in self._taken:
            self._count[name] = self._count.get(name, 1) + 1
            new = f"{name}_{self._count[name]}"
        self._taken.add(new)
        return new

    def _renamed_in(self, value: Any) -> Any:
        if isinstance(value, str) and "{{" in value:
            return _TEMPLATE.sub(lambda part: self.renamed_in(part[0]), value)
        if isinstance(value, list):
            return [self._renamed_in(each) for each in value]
        if isinstance(value, dict):
            return {key: self._renamed_in(each) for key, each in value.items()}
        return value

    def _type(self, node: dict[str, Any], subtype: Any, here: str) -> None:
        given, config, version = node.get("type"), node.get("config"), node.get("type_version")
        if (
            isinstance(given, str)
            and given in _NO_TYPE
            and isinstance(config, dict)
            and isinstance(config.get("type"), str)
        ):
            given = config.pop("type")
        if isinstance(version, float):
            del node["type_version"]
            self.findings.warn(f"{here}", f"The version {version} of the type was left out.", code="unknown_value")
        if isinstance(subtype, str) and (kind := canonical_type(subtype)) in NAMED:
            node["type"] = kind
            if kind == "ai.agent" and isinstance(node.setdefault("config", {}), dict):
                node["config"].setdefault("provider", subtype.lower().removesuffix("_node"))
            return
        if isinstance(given, str):
            node["type"] = canonical_type(given)
        if subtype is not None:
            message = f"The subtype {shown(subtype, bare=True)} is not known here and was left out."
            self.findings.warn(f"{here}.subtype", message, code="unknown_value", node=node.get("id"))


def seconds(milliseconds: Any) -> Any:
    """Milliseconds in seconds; what is no number as it is."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return milliseconds
    return milliseconds / 1000


def _point(value: Any) -> Any:
    return [value["x"], value["y"]] if isinstance(value, dict) and {"x", "y"} <= set(value) else value
