"""The edges of a definition in numbers, and what a node's parameters and joins make of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from flownb.model.ports import AFTER, MAIN

if TYPE_CHECKING:
    from flownb.model.workflow import Edge

DATA: Final = 0
GATE: Final = 1
ORDER: Final = 2
#: Leads into the body of a loop: the loop waits for its end, and the nodes inside look at how it ended.
CAPTURE: Final = 3
GROUP_NAMES: Final = ("data", "gate", "order")


class Wire(msgspec.Struct, frozen=True):
    """An edge in numbers."""

    number: int
    source: int
    target: int
    #: DATA, GATE, ORDER or CAPTURE.
    group: int
    #: The source's port that must fire, or None where the completion of the source is enough.
    port: str | None
    #: The parameter of the target, for data.
    parameter: str
    condition: str | None
    id: str


def wire_of(edge: Edge, number: int = -1, source: int = -1, target: int = -1) -> Wire:
    """An edge in numbers; those that aren't known yet are negative."""
    return Wire(
        number=number,
        source=source,
        target=target,
        group=DATA if edge.is_data else GATE if edge.is_gate else ORDER,
        port=None if edge.source_port == MAIN else edge.source_port,
        parameter="" if edge.target_port == AFTER else edge.target_port,
        condition=edge.condition,
        id=edge.id,
    )


def capturing(wire: Wire) -> Wire:
    """The edge with which a loop waits for what leads into its body."""
    return msgspec.structs.replace(wire, group=CAPTURE, parameter="")


class Argument(msgspec.Struct, frozen=True):
    """Where one parameter of a node gets its value from."""

    name: str
    #: The data edges into it; more than one only where `many`.
    wires: tuple[Wire, ...]
    many: bool
    #: Whether a dead edge is fatal; else the parameter's own default applies.
    required: bool


class JoinRule(msgspec.Struct, frozen=True):
    """For a node that starts before all of its edges are settled."""

    count: int
    data_edges: int
    control_edges: int
