"""Loops and parallels whose bodies are drawn behind their ports: what lies there goes inside, and the ways back go.

In the seeds a loop has the ports `body` and `done`, and a parallel one for each branch; what they lead to is a part of
the graph like any other, which may lead back to the loop or come together behind the branches. Here it is inside the
node: its edges to the outside leave from there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flownb.ids import slug
from flownb.model.ports import AFTER
from flownb.model.scopes import ITEM, LOOP, PARALLEL
from flownb.model.walk import shown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flownb.graph.dialects.findings import Findings
    from flownb.graph.dialects.nodes import Nodes
    from flownb.graph.dialects.wiring import Wiring

_BODY: Final = frozenset({"body", "loop", "each", ITEM})
_DONE: Final = frozenset({"done", "completed", "end"})
#: What never lies inside: where a run ends is behind everything.
_OUTSIDE: Final = "control.output"


class Bodies:
    """The bodies of one document; nodes and edges are changed in place."""

    def __init__(self, nodes: Nodes, wiring: Wiring, findings: Findings) -> None:
        self._findings = findings
        self._wiring = wiring
        self._nodes = nodes
        self._known = {
            node["id"]: (node, findings.origins.get(f"nodes[{number}]", ""))
            for number, node in enumerate(nodes.found)
            if isinstance(node, dict) and isinstance(node.get("id"), str)
        }
        self._edges = [edge for edge in wiring.found if self._is_whole(edge)]
        #: The parents that were found here, and not given.
        self._found: dict[str, str] = {}

    def _is_whole(self, edge: Any) -> bool:
        ends = (edge.get("source"), edge.get("target")) if isinstance(edge, dict) else (None,)
        return all(isinstance(end, str) and end in self._known for end in ends)

    def read(self) -> None:
        """Move what lies behind the ports of loops and parallels inside them."""
        bodies = []
        for name, (node, place) in self._known.items():
            if node.get("type") == LOOP:
                bodies.append((name, self._loop(name)))
            elif node.get("type") == PARALLEL and isinstance(node.setdefault("config", {}), dict):
                bodies.append((name, self._parallel(name, node["config"], place)))
        # Outer ones first: what is in an inner one as well goes there in the end.
        for owner, body in sorted(bodies, key=lambda each: -sum(map(len, each[1].values()))):
            self._move(owner, body)

    # --- what lies inside ---------------------------------------------------------------------------------------------

    def _loop(self, name: str) -> dict[str, set[str]]:
        """The nodes of a loop's body, under the name of its port; its own edges get the ports that they have here."""
        first, behind = [], []
        for edge in self._leaving(name):
            port = edge.get("source_port")
            if isinstance(port, str) and port.lower() in _BODY and self._parent_of(edge["target"]) != name:
                edge["source_port"] = ITEM
                first.append(edge["target"])
            elif port != ITEM:
                if isinstance(port, str) and port.lower() in _DONE:
                    del edge["source_port"]
                behind.append(edge["target"])
        outside = self._reached(behind, name)
        return {ITEM: self._reached(first, name, outside)} if first else {}

    def _parallel(self, name: str, config: dict[str, Any], place: str) -> dict[str, set[str]]:
        """The nodes of each branch."""
        starts = self._branches(name, config, place)
        inside = [edge["target"] for edge in self._leaving(name) if self._parent_of(edge["target"]) == name]
        if inside:
            return {}
        reached = {branch: self._reached(first, name) for branch, first in starts.items()}
        shared = {
            node for branch, nodes in reached.items() for node in nodes
            if any(node in others for other, others in reached.items() if other != branch)
        }  # fmt: skip
        return {branch: self._reached(first, name, shared) for branch, first in starts.items()}

    def _branches(self, name: str, config: dict[str, Any], place: str) -> dict[str, list[str]]:
        """The first nodes of each branch; each has an edge from its port in the end."""
        listed = config.get("branches")
        starts: dict[str, list[str]] = {}
        if isinstance(listed, list):
            config["branches"] = [dict(each) if isinstance(each, dict) else each for each in listed]
            for number, each in enumerate(config["branches"]):
                branch = self._name_of(each, number)
                target = each.pop("target_node_id", each.pop("target", None)) if isinstance(each, dict) else None
                starts.setdefault(branch, [])
                if target is not None:
                    self._lead(name, branch, target, f"{place}.config.branches[{number}]")
        for edge in self._leaving(name):
            if edge.get("source_port") is None:
                edge["source_port"] = slug(str(edge["target"]))
            if edge["source_port"] not in starts and isinstance(listed, list):
                continue
            starts.setdefault(str(edge["source_port"]), []).append(edge["target"])
        if not isinstance(listed, list) and starts:
            config["branches"] = [{"name": branch} for branch in starts]
        return starts

    def _name_of(self, branch: Any, number: int) -> str:
        """The name of a branch, which is a port here."""
        given = branch.get("name") if isinstance(branch, dict) else branch
        name = slug(given[:200]) if isinstance(given, str) and given else f"branch_{number + 1}"
        if isinstance(branch, dict):
            branch["name"] = name
        return name

    def _lead(self, name: str, branch: str, target: Any, place: str) -> None:
        """Have an edge from the port of a branch to its first node."""
        end = self._nodes.id_of(target)
        if not isinstance(end, str) or end not in self._known:
            message = f"The branch {branch!r} of {name} leads to {shown(target, bare=True)}, and there is no such node."
            self._findings.warn(place, message, code="unknown_node", node=name)
            return
        there = [edge for edge in self._leaving(name) if edge["target"] == end]
        for edge in there:
            if edge.get("source_port") is None or slug(str(edge["source_port"])) == branch:
                edge["source_port"] = branch
                return
        edge = {"source": name, "source_port": branch, "target": end, "target_port": AFTER}
        self._wiring.add(edge, place)
        self._edges.append(edge)

    def _leaving(self, name: str) -> list[dict[str, Any]]:
        return [edge for edge in self._edges if edge["source"] == name]

    def _parent_of(self, name: str) -> Any:
        return self._known[name][0].get("parent")

    def _reached(self, first: Iterable[str], owner: str, without: Iterable[str] = ()) -> set[str]:
        """All that edges lead to from some nodes, but the owner, what is left out, and what ends a run."""
        ways: dict[str, list[str]] = {}
        for edge in self._edges:
            ways.setdefault(edge["source"], []).append(edge["target"])
        closed = {owner, *without}
        found: set[str] = set()
        work = list(first)
        while work:
            name = work.pop()
            if name not in found and name not in closed and self._known[name][0].get("type") != _OUTSIDE:
                found.add(name)
                work += ways.get(name, ())
        return found

    # --- moving it there ----------------------------------------------------------------------------------------------

    def _move(self, owner: str, body: dict[str, set[str]]) -> None:
        port_of = {name: port for port, names in body.items() for name in names}
        if not port_of:
            return
        for name in port_of:
            node = self._known[name][0]
            if node.get("parent") in (None, self._found.get(name)):
                node["parent"] = self._found[name] = owner
        for edge in list(self._edges):
            port = port_of.get(edge["source"])
            if port is None or edge["target"] in port_of:
                continue
            if edge["target"] == owner:
                self._drop(edge)  # the way back, which a loop has by itself
                continue
            left = edge["source"]
            edge["source"] = owner
            for key in ("source_port", "condition"):
                edge.pop(key, None)
            if port != ITEM:
                edge["source_port"] = port
            gives = f"{owner}.{port}" if port != ITEM else owner
            message = f"{left} is inside {owner} here, so the edge to {edge['target']} leaves from {gives}."
            self._findings.warn(self._place(edge), message, code="guessed", node=owner)
        self._once()

    def _place(self, edge: dict[str, Any]) -> str:
        number = next(number for number, each in enumerate(self._wiring.found) if each is edge)
        return self._findings.origins.get(f"edges[{number}]", "edges")

    def _drop(self, edge: dict[str, Any]) -> None:
        self._edges = [each for each in self._edges if each is not edge]
        self._keep([each for each in self._wiring.found if each is not edge])

    def _once(self) -> None:
        """Of equal edges, as where several led to the same place, one stays."""
        seen: set[str] = set()
        kept = []
        for edge in self._wiring.found:
            key = repr(sorted(edge.items())) if isinstance(edge, dict) else repr(edge)
            if key not in seen:
                seen.add(key)
                kept.append(edge)
        if len(kept) < len(self._wiring.found):
            self._keep(kept)
            self._edges = [edge for edge in kept if self._is_whole(edge)]

    def _keep(self, edges: list[Any]) -> None:
        """The edges that stay, each with the place that it came from."""
        origins = self._findings.origins
        places = {id(edge): origins.get(f"edges[{number}]") for number, edge in enumerate(self._wiring.found)}
        for key in [key for key in origins if key.startswith("edges[")]:
            del origins[key]
        origins.update((f"edges[{n}]", place) for n, edge in enumerate(edges) if (place := places[id(edge)]))
        self._wiring.found[:] = edges
