"""Named resources that nodes take while they run: how many there are holds for all runs of a process together.

A node takes all that it needs at once or waits with empty hands, so that nobody waits in a circle. Who waits longest
goes first: whatever wants one of the same resources stays behind it, so that a node that needs many is not overtaken
for ever by those that need one. The smallest number counts that the node or one that holds the resource was told of.

A node with where="process" takes one of the resource `process`, so that a wide flow does not start hundreds of
interpreters at once; there are as many as processors, 4 at least, unless `Settings.resources` says otherwise.

It is one process's matter. Two processes of one machine don't know of each other's nodes: what exists once for all of
them, as a desktop, belongs to runs of one process, or behind a lock of its own.
"""

from __future__ import annotations

import os
from collections import deque
from typing import TYPE_CHECKING, Final

from flownb.model.state import PENDING
from flownb.model.status import Where

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flownb.model.workflow import Node
    from flownb.run.executor import Execution


#: The resource that every node in a process of its own takes.
PROCESS: Final = "process"
#: How many there are of what has a number of its own.
USUAL: Final[Mapping[str, int]] = {PROCESS: max(4, os.cpu_count() or 1)}


def needs_of(node: Node) -> Mapping[str, int]:
    """What a node takes while it runs."""
    named = node.limits.resources if node.limits is not None else {}
    return {PROCESS: 1, **named} if _is_apart(node) else named


def _is_apart(node: Node) -> bool:
    """Whether it runs in a process of its own: where it says so, or because it is code."""
    if node.where is not None:
        return node.where is Where.PROCESS
    return node.type == "code.run" or (node.type == "control.transform" and node.config.get("mode") == "python")


class Ticket:
    """What one node needs, and its place in the queue."""

    __slots__ = ("capacities", "claims", "dropped", "needs", "number", "place", "tries", "woken")

    def __init__(self, claims: Claims, number: int, needs: Mapping[str, int], capacities: Mapping[str, int]) -> None:
        self.claims = claims
        self.number = number
        self.needs = needs
        #: How many there are of each that it needs, as its own run says.
        self.capacities = {name: capacities.get(name, USUAL.get(name, 1)) for name in needs}
        self.tries = 1
        #: Its place in the queue, from 1; 0 before it has one.
        self.place = 0
        self.woken = False
        self.dropped = False


class Pool:
    """The resources of one engine; on its loop only."""

    def __init__(self) -> None:
        self._holders: dict[str, set[Ticket]] = {}
        #: Those that wait, by the names that they need: within one queue the first keeps back all others.
        self._queues: dict[tuple[str, ...], deque[Ticket]] = {}
        self._places = 0

    def take(self, ticket: Ticket) -> bool:
        """Take what a ticket needs, if it is there and nobody before it wants some of it; else keep its place."""
        key = tuple(sorted(ticket.needs))
        if ticket.place == 0:
            self._places += 1
            ticket.place = self._places
            self._queues.setdefault(key, deque()).append(ticket)
        ticket.woken = False
        if self._first(key) is not ticket or not self._fits(ticket):
            return False
        self._queues[key].popleft()
        for name in ticket.needs:
            self._holders.setdefault(name, set()).add(ticket)
        self.wake()  # there may be enough for the next one too
        return True

    def give_back(self, ticket: Ticket) -> None:
        """What a ticket has taken is there for others."""
        for name in ticket.needs:
            holders = self._holders[name]
            holders.discard(ticket)
            if not holders:
                del self._holders[name]
        self.wake()

    def drop(self, ticket: Ticket) -> None:
        """A ticket waits no longer."""
        ticket.dropped = True
        self.wake()

    def wake(self) -> None:
        """Tell those that could go now, the first of each queue."""
        kept_back: set[str] = set()
        heads = [head for head in map(self._first_of, list(self._queues)) if head is not None]
        for head in sorted(heads, key=lambda head: head.place):
            if kept_back.isdisjoint(head.needs) and self._fits(head) and not head.woken:
                head.woken = True
                head.claims.wake(head)
            kept_back.update(head.needs)

    def _first(self, key: tuple[str, ...]) -> Ticket | None:
        """The one that goes before all others that want any of these."""
        heads = [self._first_of(other) for other in list(self._queues) if not set(key).isdisjoint(other)]
        return min((head for head in heads if head is not None), key=lambda head: head.place, default=None)

    def _first_of(self, key: tuple[str, ...]) -> Ticket | None:
        queue = self._queues[key]
        while queue and queue[0].dropped:
            queue.popleft()
        if not queue:
            del self._queues[key]
            return None
        return queue[0]

    def _fits(self, ticket: Ticket) -> bool:
        for name, amount in ticket.needs.items():
            holders = self._holders.get(name, ())
            taken = sum(holder.needs[name] for holder in holders)
            most = min((holder.capacities[name] for holder in holders), default=ticket.capacities[name])
            if taken + amount > min(most, ticket.capacities[name]):
                return False
        return True


class Claims:
    """What the nodes of one run have taken and wait for; only runs whose nodes take something have one."""

    def __init__(self, execution: Execution, pool: Pool) -> None:
        self._execution = execution
        self._pool = pool
        self._capacities = execution.definition.workflow.settings.resources
        self._taken: dict[int, Ticket] = {}
        self.waiting: dict[int, Ticket] = {}
        #: Those that may try again.
        self.woken: list[Ticket] = []

    def take(self, number: int, tries: int) -> bool:
        """Whether an attempt may begin; it then has what it needs. Else it is begun when there is enough."""
        needs = needs_of(self._execution.state.topology.nodes[number])
        if not needs or number in self._taken:
            return True
        ticket = self.waiting.pop(number, None) or Ticket(self, number, needs, self._capacities)
        ticket.tries = tries
        if self._pool.take(ticket):
            self._taken[number] = ticket
            return True
        self.waiting[number] = ticket
        return False

    def give_back(self, number: int) -> None:
        """An attempt is over."""
        if (ticket := self._taken.pop(number, None)) is not None:
            self._pool.give_back(ticket)

    def wake(self, ticket: Ticket) -> None:
        """What a node waits for is there."""
        self.woken.append(ticket)
        home = self._execution.engine
        home.loop.call_soon(home.mark, self._execution, context=home.base_context)

    def look(self, *, idle: bool) -> None:
        """Before the run decides: what was woken may go on, unless nothing is to start now."""
        if idle:
            if self.waiting:
                self._pause()
        elif self.woken:
            self._go_on()

    def _go_on(self) -> None:
        """Begin what may begin; what was ended meanwhile gives its place to others."""
        execution, (woken, self.woken) = self._execution, (self.woken, [])
        state = execution.state
        for ticket in woken:
            number = ticket.number
            if self.waiting.get(number) is not ticket:
                continue
            if number in state.retries or number in state.waits:
                execution.attempt(number, ticket.tries)
            elif state.node_status[number] == PENDING:
                state.ready.append(number)
            else:
                self.drop(number)

    def drop(self, number: int) -> None:
        """A node waits no longer."""
        if (ticket := self.waiting.pop(number, None)) is not None:
            self._pool.drop(ticket)

    def _pause(self) -> None:
        """While the run is about to pause or to stop, its nodes keep no place in the queue."""
        execution = self._execution
        for number, ticket in list(self.waiting.items()):
            self.drop(number)
            if execution.state.node_status[number] == PENDING:
                execution.state.ready.append(number)
            elif execution.stopping is None:
                execution.timers.hold(number, ticket.tries)

    def end(self) -> None:
        """The run is over, or lost."""
        for number in list(self.waiting):
            self.drop(number)
        for number in list(self._taken):
            self.give_back(number)
