"""Edges in the forms of the seeds: lists of edges, inputs that name their source, and maps of connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from flownb.graph.dialects.words import LOOKS, ONLY_INPUT, ONLY_OUTPUT, connection, snaked
from flownb.model.ports import AFTER, ERROR, MAIN, ConnectionType
from flownb.model.walk import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flownb.graph.dialects.findings import Findings
    from flownb.graph.dialects.nodes import Nodes

    #: By which end of its connections a map names a node.
    Keyed = Literal["source", "target"]

_FIELDS: Final[dict[str, str]] = {
    "source": "source",
    "source_node_id": "source",
    "source_node": "source",
    "from": "source",
    "target": "target",
    "target_node_id": "target",
    "target_node": "target",
    "to": "target",
    "source_port": "source_port",
    "source_output": "source_port",
    "source_handle": "source_port",
    "target_port": "target_port",
    "target_input": "target_port",
    "target_handle": "target_port",
    "condition": "condition",
    "type": "type",
}
#: How React Flow draws an edge; no type of connection.
_DRAWN: Final = frozenset({"default", "straight", "step", "smoothstep", "bezier", "simplebezier", "custom", "floating"})
_SILENT: Final = LOOKS | {"id", "label"}


class Wiring:
    """The edges of a document in our form, each once."""

    def __init__(self, nodes: Nodes, findings: Findings) -> None:
        self.nodes = nodes
        self.findings = findings
        self.found: list[Any] = []
        self._seen: set[str] = set()
        self._known: dict[str, tuple[dict[str, Any], str]] | None = None

    def add(self, edge: Any, place: str) -> None:
        """Keep an edge, unless there is an equal one, as where inputs repeat what edges say."""
        key = repr(sorted(edge.items())) if isinstance(edge, dict) else repr(edge)
        if key not in self._seen:
            self._seen.add(key)
            self.findings.origins[f"edges[{len(self.found)}]"] = place
            self.found.append(edge)

    def read_edges(self, entries: Any, place: str) -> Any:
        """Take in a list of edges; what is no list goes through as it is, for the checker to tell."""
        if not isinstance(entries, list):
            return entries
        for number, entry in enumerate(entries):
            here = f"{place}[{number}]"
            self.add(self._edge(entry, here) if isinstance(entry, dict) else entry, here)
        return self.found

    def _edge(self, entry: dict[str, Any], here: str) -> dict[str, Any]:
        edge: dict[str, Any] = {}
        fields = snaked(entry)
        data = fields.get("data", ("", None))[1]
        if isinstance(data, dict) and set(data) <= {"condition", "label"}:
            del fields["data"]
            if "condition" in data:
                fields.setdefault("condition", ("data.condition", data["condition"]))
        for key, (written, value) in fields.items():
            if key in _FIELDS and value is not None:
                edge.setdefault(_FIELDS[key], value)
                self.findings.origins[f"edges[{len(self.found)}].{_FIELDS[key]}"] = f"{here}.{written}"
        unknown = [written for key, (written, _) in fields.items() if key not in _FIELDS and key not in _SILENT]
        self.findings.unknown(here, unknown)
        for end in ("source", "target"):
            if end in edge:
                edge[end] = self.nodes.id_of(edge[end])
        if "condition" in edge:
            edge["condition"] = self.nodes.renamed_in(edge["condition"])
        self._ports(edge)
        self._type(edge, here)
        return edge

    def _ports(self, edge: dict[str, Any]) -> None:
        port, parameter = edge.get("source_port"), edge.get("target_port")
        if isinstance(port, str) and port.lower() in ONLY_OUTPUT:
            del edge["source_port"]
        if isinstance(parameter, str) and parameter.lower() in ONLY_INPUT:
            del edge["target_port"]
        if edge.get("condition") == "":
            del edge["condition"]

    def _type(self, edge: dict[str, Any], here: str) -> None:
        word = edge.pop("type", None)
        kind = connection(word)
        if kind is not None:
            _typed(edge, kind)
        elif word is not None and not (isinstance(word, str) and word.lower() in _DRAWN):
            message = f"The type of connection {shown(word, bare=True)} is not known here; main was taken."
            self.findings.warn(f"{here}.type", message, code="unknown_value")

    # --- inputs that name their source --------------------------------------------------------------------------------

    def read_inputs(self) -> None:
        """Take in the `inputs` of nodes: those that name their source are edges, the rest declares ports."""
        for target, place, inputs in self.nodes.inputs:
            for number, entry in enumerate(inputs):
                if not isinstance(entry, dict):
                    continue
                fields = {key: value for key, (_, value) in snaked(entry).items()}
                source = fields.get("source_node_id") or fields.get("source_node")
                if source is None:
                    continue
                edge = {"source": self.nodes.id_of(source), "target": target}
                if fields.get("source_output") is not None:
                    edge["source_port"] = fields["source_output"]
                if fields.get("name") is not None:
                    edge["target_port"] = fields["name"]
                self._ports(edge)
                self.add(edge, f"{place}[{number}]")

    # --- maps of connections ------------------------------------------------------------------------------------------

    def read_connections(self, entries: Any, place: str, keyed: Keyed | None) -> None:
        """Take in a map from a node to its connections, by type of connection.

        Lists of lists are n8n's and keyed by the source, an inner list an output; else the map is keyed by the target
        and lists what comes in, as in the fourth seed. `keyed` overrules the shape.
        """
        if isinstance(entries, dict) and set(entries) == {"connections"}:
            entries, place = entries["connections"], f"{place}.connections"
        if not isinstance(entries, dict):
            self.findings.warn(place, f"Expected an object, found {shown(entries)}.", code="wrong_type")
            return
        for key, by_type in entries.items():
            here = f"{place}[{shown(key, bare=True)}]"
            if not self.nodes.knows(key):
                self.findings.warn(here, "There is no such node; its connections were left out.", code="unknown_node")
                continue
            if isinstance(by_type, dict) and isinstance(by_type.get("connection_types"), dict):
                by_type, here = by_type["connection_types"], f"{here}.connection_types"  # noqa: PLW2901  one level in
            if not isinstance(by_type, dict):
                self.findings.warn(here, f"Expected an object, found {shown(by_type)}.", code="wrong_type")
                continue
            for word, listed in by_type.items():
                self._of_type(key, word, listed, f"{here}.{word}", keyed)

    def _of_type(self, key: str, word: str, listed: Any, here: str, keyed: Keyed | None) -> None:
        kind = connection(word)
        if kind is None:
            message = f"The type of connection {shown(word, bare=True)} is not known here and was left out."
            self.findings.warn(here, message, code="unknown_value")
            return
        if isinstance(listed, dict):
            listed, here = listed.get("connections"), f"{here}.connections"
        if not isinstance(listed, list):
            self.findings.warn(here, f"Expected a list, found {shown(listed)}.", code="wrong_type")
            return
        by_output = any(isinstance(each, list) for each in listed)
        by_source = keyed == "source" or (keyed is None and by_output)
        for output, entry, place in _ends(listed, here):
            other = entry.get("node") if isinstance(entry, dict) else entry
            if not self.nodes.knows(other):
                message = f"There is no node {shown(other, bare=True)}; the connection was left out."
                self.findings.warn(place, message, code="unknown_node")
                continue
            source, target = (key, other) if by_source else (other, key)
            edge: dict[str, Any] = {"source": self.nodes.id_of(source), "target": self.nodes.id_of(target)}
            if by_output:
                self._output(edge, output, place)
            self.add(_typed(edge, kind), place)

    def _output(self, edge: dict[str, Any], output: int, place: str) -> None:
        """The port of an output that is known by its number alone."""
        if edge["source"] in self._conditions():
            edge["source_port"] = "false" if output else "true"
        elif output == 1 and edge["source"] in self.nodes.with_error_port:
            edge["source_port"] = ERROR
        elif output:
            edge["source_port"] = f"output_{output}"
            message = f"Output {output} of {edge['source']!r} has no name here; {edge['source_port']!r} was taken."
            self.findings.warn(place, message, code="guessed", node=edge["source"])

    # --- paths of conditions ------------------------------------------------------------------------------------------

    def read_paths(self) -> None:
        """Turn the nodes that a condition names as its paths into gates, or mark the edges that are there already."""
        ways: dict[tuple[Any, Any], list[dict[str, Any]]] = {}
        for edge in self.found:
            if isinstance(edge, dict):
                ways.setdefault((repr(edge.get("source")), repr(edge.get("target"))), []).append(edge)
        for name, (config, place) in self._conditions().items():
            for key, port in (("true_path", "true"), ("false_path", "false")):
                other = config.get(key)
                if not isinstance(other, str) or not self.nodes.knows(other):
                    continue
                del config[key]
                target = self.nodes.id_of(other)
                between = ways.get((repr(name), repr(target)), [])
                plain = next((each for each in between if "source_port" not in each), None)
                if plain is not None:
                    plain["source_port"] = port
                elif not any(each["source_port"] == port for each in between):
                    gate = {"source": name, "source_port": port, "target": target, "target_port": AFTER}
                    self.add(gate, f"{place}.config.{key}")

    def _conditions(self) -> dict[str, tuple[dict[str, Any], str]]:
        """The conditions by id, each with its config and its place."""
        if self._known is None:
            self._known = {
                node["id"]: (node.get("config", {}), self.findings.origins[f"nodes[{number}]"])
                for number, node in enumerate(self.nodes.found)
                if isinstance(node, dict)
                and node.get("type") == "control.condition"
                and isinstance(node.get("id"), str)
                and isinstance(node.get("config", {}), dict)
            }
        return self._known


def _typed(edge: dict[str, Any], kind: ConnectionType) -> dict[str, Any]:
    """What is no ordinary data goes to the port that is named as its type."""
    if kind is not ConnectionType.MAIN:
        edge["type"] = kind.value
        if edge.get("target_port", MAIN) == MAIN:
            edge["target_port"] = kind.value
    return edge


def _ends(listed: list[Any], here: str) -> Iterator[tuple[int, Any, str]]:
    for number, entry in enumerate(listed):
        if not isinstance(entry, list):
            yield 0, entry, f"{here}[{number}]"
            continue
        for inner, each in enumerate(entry):
            yield number, each, f"{here}[{number}][{inner}]"
