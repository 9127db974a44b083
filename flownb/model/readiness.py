"""Who waits for whom in a run: counters that tell when a node's edges are decided, and whether it then starts.

The fold (`fold.py`) settles edges as nodes end. A node whose edges are decided goes on `ready`; `decide(number)` says
whether it starts or is skipped, and why. Everything is by node number, so that an ordinary node costs one subtraction
an edge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flownb.model import events as ev
from flownb.model.bodies import Block, grow
from flownb.model.ports import ERROR
from flownb.model.status import NodeStatus
from flownb.model.topology import DATA, GATE, GROUP_NAMES, ORDER, Topology, Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: Node statuses as small numbers, so that 100,000 of them are 100 kB.
PENDING, RUNNING, WAITING, COMPLETED, FAILED, SKIPPED, CANCELLED = range(7)
STATUSES: Final = (
    NodeStatus.PENDING,
    NodeStatus.RUNNING,
    NodeStatus.WAITING,
    NodeStatus.COMPLETED,
    NodeStatus.FAILED,
    NodeStatus.SKIPPED,
    NodeStatus.CANCELLED,
)

#: What an early join's count of live edges becomes once it is decided.
_DECIDED: Final = -1
_HOPELESS: Final = -2
#: What the count of edges becomes for a node that is not to become ready any more; it only goes down from here.
_CLOSED: Final = -1
#: The groups of a reason that `decide` gives: the node was skipped because of other nodes.
_DECIDED_BY_EDGES: Final = frozenset({*GROUP_NAMES, "join", "condition"})


class Readiness:
    """What each node of a run still waits for.

    It needs the statuses, ports, verdicts, failures and reasons that the fold keeps, and nothing else of a run.
    """

    __slots__ = (
        "__weakref__", "block_of", "blocks", "dead", "failures", "finished_blocks", "flat", "join_counts", "left",
        "need", "node_status", "ports", "ready", "reasons", "topology", "undoable", "unhandled", "verdicts",
    )  # fmt: skip

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self.node_status = bytearray(len(topology))
        #: Ports that fired, verdicts of conditional edges, failures, reasons: only for the nodes that have them.
        self.ports: dict[int, tuple[str, ...]] = {}
        self.verdicts: dict[int, dict[str, bool]] = {}
        self.failures: dict[int, ev.NodeFailedEvent] = {}
        self.reasons: dict[int, ev.Reason] = {}
        #: The completed nodes that a compensation can undo, in the order in which they completed.
        self.undoable: dict[int, None] = {}
        #: Nodes from this number on are instances in the body of a loop.
        self.flat = topology.flat
        #: The iterations of each loop by index, and the one that each instance belongs to.
        self.blocks: dict[int, dict[int, Block]] = {}
        self.block_of: list[Block] = []
        #: Iterations whose instances have all ended, oldest first; whoever looks after loops empties it.
        self.finished_blocks: list[Block] = []
        self._start_counting()

    def _start_counting(self) -> None:
        topology = self.topology
        #: Edges that each node still waits for.
        self.need: list[int] = list(topology.need)
        #: Numbers of dead edges; empty in an ordinary run.
        self.dead: set[int] = set()
        #: For nodes with an early join: unsettled data, unsettled controls, live controls.
        self.join_counts: dict[int, list[int]] = {
            number: [rule.data_edges, rule.control_edges, 0] for number, rule in topology.joins.items()
        }
        #: Nodes whose edges became decided, oldest first; `take_ready` empties it. After a replay it also has nodes
        #: that ended since, so whoever takes from it looks at their status.
        self.ready: list[int] = [
            number
            for number, need in enumerate(self.need)
            if not need and (number < self.flat or number not in topology.joins)
        ]
        #: How many nodes have not ended.
        self.left = len(topology)
        #: Nodes that failed with nobody to handle it.
        self.unhandled: set[int] = set()

    def take_ready(self) -> list[int]:
        """The nodes that became ready since the last call and still are pending; each is given once."""
        taken, self.ready = self.ready, []
        status = self.node_status
        return [number for number in taken if status[number] == PENDING]

    # --- edges are settled --------------------------------------------------------------------------------------------

    def _settle(self, wire: Wire, *, live: bool) -> None:
        """One edge is decided; the slow way, for ports, dead edges and joins."""
        target = wire.target
        if not live:
            self.dead.add(wire.number)
        counts = self.join_counts.get(target)
        if counts is None:
            self.need[target] -= 1
            if not self.need[target]:
                self.ready.append(target)
            return
        if counts[2] < 0:  # decided before; what comes later is ignored
            return
        if wire.group in (GATE, ORDER):
            counts[1] -= 1
            counts[2] += live
        else:
            counts[0] -= 1
        self._decide_join(target, counts)

    def _decide_join(self, number: int, counts: list[int]) -> None:
        wanted = self.topology.joins[number].count
        hopeless = counts[2] + counts[1] < wanted
        if hopeless or (counts[0] == 0 and counts[2] >= wanted):
            self.ready.append(number)
            counts[2] = _HOPELESS if hopeless else _DECIDED

    def _settle_completed(self, number: int) -> None:
        topology = self.topology
        if number not in topology.wires:
            need, ready = self.need, self.ready
            for target in topology.succ[number]:
                need[target] = left = need[target] - 1
                if not left:
                    ready.append(target)
            return
        if topology.remedies is not None and number in topology.remedies.undo:
            self.undoable.setdefault(number)
        self._settle_ports(number, self.ports.get(number, ()), self.verdicts.get(number, {}))

    def _settle_failed(self, number: int, failed: ev.NodeFailedEvent) -> None:
        if failed.port:
            self._settle_ports(number, (ERROR,), failed.verdicts, failed=True)
        else:
            self._settle_dead(number)

    def _settle_ports(
        self, number: int, fired: tuple[str, ...], verdicts: dict[str, bool], *, failed: bool = False
    ) -> None:
        for wire in self.topology.leaving[number]:
            live = not failed if wire.port is None else wire.port in fired
            self._settle(wire, live=live and (wire.condition is None or verdicts.get(wire.id, False)))

    def _settle_dead(self, number: int) -> None:
        for wire in self.topology.leaving[number]:
            self._settle(wire, live=False)

    def _close(self, number: int) -> None:
        """Whatever its edges do from now on, the node doesn't become ready."""
        self.need[number] = _CLOSED
        counts = self.join_counts.get(number)
        if counts is not None and counts[2] >= 0:
            counts[2] = _DECIDED

    # --- loops --------------------------------------------------------------------------------------------------------

    def open_block(self, loop: int, index: int, item: object) -> Block:
        """Add the instances of an iteration; those that wait for no other are ready."""
        self.topology = topology = self.topology.private()
        block = grow(topology, loop, index, item)
        self.blocks.setdefault(loop, {})[index] = block
        if block.count == 1 and not topology.joins:  # as in most loops: half the price
            self.block_of.append(block)
            self.node_status.append(PENDING)
            self.need.append(need := topology.need[block.base])
            self.left += 1
            if not need:
                self.ready.append(block.base)
            return block
        self.block_of += [block] * block.count
        self.node_status += bytes(block.count)
        self.need += topology.need[block.base :]
        self.left += block.count
        if topology.joins:
            self.ready += [n for n in block.numbers if not self.need[n] and n not in topology.joins]
            self._begin_joins(block)
        else:
            self.ready += [n for n in block.numbers if not self.need[n]]
        if not block.count:
            self.finished_blocks.append(block)
        return block

    def _begin_joins(self, block: Block) -> None:
        """Early joins inside a body: what they have from outside is settled already."""
        topology = self.topology
        for number in block.numbers:
            rule = topology.joins.get(number)
            if rule is None:
                continue
            outer = [w for w in topology.entering[number] if w.source < block.base and w.group in (GATE, ORDER)]
            live = sum(wire.number not in self.dead for wire in outer)
            self.join_counts[number] = counts = [rule.data_edges, rule.control_edges, live]
            self._decide_join(number, counts)

    def _ended_inside(self, number: int) -> None:
        """An instance has ended; with the last one its iteration is over."""
        block = self.block_of[number - self.flat]
        block.left -= 1
        if not block.left:
            self.finished_blocks.append(block)

    def inside(self, loop: int) -> list[int]:
        """The instances in all iterations of a loop, those of loops inside them included."""
        found: list[int] = []
        loops = [loop]
        while loops:
            for block in self.blocks.get(loops.pop(), {}).values():
                found += block.numbers
                loops += [number for number in block.numbers if number in self.blocks]
        return found

    # --- edges that are settled ---------------------------------------------------------------------------------------

    def edge_is_live(self, wire: Wire) -> bool:
        """Whether a settled edge carries; meaningless before its source has ended."""
        return wire.number not in self.dead

    # --- the decision -------------------------------------------------------------------------------------------------

    def decide(self, number: int) -> ev.Reason | None:
        """Whether a node on `ready` starts (None), or the reason for which it is skipped."""
        counts = self.join_counts.get(number)
        if counts is not None and counts[2] == _HOPELESS:
            return self._hopeless_join(number)
        if not self.dead:
            return None
        topology = self.topology
        for argument in topology.arguments[number]:
            dead = [wire for wire in argument.wires if wire.number in self.dead]
            if argument.required and dead and (len(dead) == len(argument.wires) or not argument.many):
                return self._because(dead)
        if counts is not None:
            return None
        for group in (GATE, ORDER):
            wires = [wire for wire in topology.entering[number] if wire.group == group]
            if wires and all(wire.number in self.dead for wire in wires):
                return self._because(wires)
        return None

    def _hopeless_join(self, number: int) -> ev.Reason:
        rule = self.topology.joins[number]
        dead = [w for w in self.topology.entering[number] if w.group != DATA and w.number in self.dead]
        names = ", ".join(self._from(wire) for wire in dead)
        return ev.Reason(
            group="join",
            message=f"{rule.count} of {rule.control_edges} had to come; these can't any more: {names}",
            edge=dead[0].id if dead else "",
        )

    def _from(self, wire: Wire) -> str:
        return self.topology.paths[wire.source] + (f".{wire.port}" if wire.port else "")

    def _because(self, dead: Sequence[Wire]) -> ev.Reason:
        """The sentence for the dead edges of a group: what the first came from, and why it is dead."""
        wire = dead[0]
        group, why = GROUP_NAMES[wire.group], self.why_dead(wire)
        if wire.group == DATA:
            why = f"no value for {wire.parameter}: {why}"
        elif len(dead) > 1:
            why = f"none of its {len(dead)} {group}s is live; {why}"
        return ev.Reason(group=group, message=why, edge=wire.id)

    def why_dead(self, wire: Wire) -> str:
        """Why a dead edge is dead, without a full stop."""
        source = wire.source
        name = self.topology.paths[source]
        status = STATUSES[self.node_status[source]]
        if status is NodeStatus.FAILED and not (wire.port == ERROR and self.failures[source].port):
            return f"{name} failed"
        if status not in (NodeStatus.COMPLETED, NodeStatus.FAILED):
            return f"{name} was {status}"
        if status is NodeStatus.COMPLETED and wire.port == ERROR:
            return f"{name} did not fail"
        fired = self.ports.get(source, ())
        if status is NodeStatus.COMPLETED and wire.port is not None and wire.port not in fired:
            return f"{name} took {' and '.join(fired) or 'no port'}, not {wire.port}"
        return f"the condition {wire.condition!r} of the edge from {name} is false"

    # --- after a reset ------------------------------------------------------------------------------------------------

    def recount(self) -> None:
        """Count again from the statuses; after nodes were set back to pending."""
        self._start_counting()
        for number, status in enumerate(self.node_status):
            if number >= self.flat and self.block_of[number - self.flat].base == number:
                self._begin_joins(self.block_of[number - self.flat])
            self._settle_again(number, status)
        self._recount_blocks()
        for number, status in enumerate(self.node_status):
            if status != PENDING:  # its edges may be settled once more, by a source that was set back
                self._close(number)
        self.ready = self.take_ready()

    def _settle_again(self, number: int, status: int) -> None:
        if status == COMPLETED:
            self._settle_completed(number)
        elif status == FAILED:
            failed = self.failures[number]
            if not failed.handled:
                self.unhandled.add(number)
            self._settle_failed(number, failed)
        elif status in (SKIPPED, CANCELLED):
            self._settle_dead(number)
        if status not in (PENDING, RUNNING, WAITING):
            self.left -= 1

    def _recount_blocks(self) -> None:
        self.finished_blocks = []
        ended = (COMPLETED, FAILED, SKIPPED, CANCELLED)
        for blocks in self.blocks.values():
            for block in blocks.values():
                block.left = sum(self.node_status[number] not in ended for number in block.numbers)

    def reset_numbers(self, only: Collection[int] | None = None) -> list[int]:
        """The nodes that a resumption or a retry sets back; of the failed ones all, or `only` these.

        They are the failed ones that no error port took, the cancelled ones, and what was skipped because of either;
        not what a person skipped.
        """
        status = self.node_status
        back = {n for n, failed in self.failures.items() if not failed.port and (only is None or n in only)}
        back.update(number for number in range(len(self.topology)) if status[number] == CANCELLED)
        if (remedies := self.topology.remedies) is not None:  # the next failure finds them as the first did
            used = {n for n in remedies.instead.values() if status[n] == COMPLETED}
            back.update(n for n in remedies.every - used if status[n] != PENDING)
        if self.blocks:  # what a loop has dealt with is over
            back = {number for number in back if not self._is_dealt_with(number)}
        queue = list(back)
        while queue:
            number = queue.pop()
            for wire in self.topology.leaving[number]:
                target = wire.target
                if target not in back and status[target] == SKIPPED:
                    reason = self.reasons.get(target)
                    if reason is None or reason.group in _DECIDED_BY_EDGES:
                        back.add(target)
                        queue.append(target)
        return sorted(back)

    def _is_dealt_with(self, number: int) -> bool:
        while number >= self.flat:
            number = self.block_of[number - self.flat].loop
            if self.node_status[number] == COMPLETED:
                return True
        return False
