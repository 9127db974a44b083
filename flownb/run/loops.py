"""Loops and parallels at work: rounds are begun, watched and gathered; each is a block of instances in the run's graph.

A branch of a parallel is a round like any other; only that some of them may be enough.
The node of a loop is an attempt like any other, which sleeps while its rounds are at work. Rounds begin in the tick in
which there is room for them, without waking it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flownb.graph.nodetype import Round
from flownb.model import events as ev
from flownb.model.state import COMPLETED, PENDING, RUNNING, WAITING
from flownb.run.watch.leftovers import watch

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterator, Sequence

    from flownb.model.bodies import Block
    from flownb.run.attempt import Attempt
    from flownb.run.executor import Execution


class Rounds:
    """The rounds of one loop in this process."""

    def __init__(
        self,
        attempt: Attempt,
        begin: Callable[[Sequence[Round]], Iterator[Any]],
        width: int | None,
        *,
        fail_fast: bool,
        enough: Callable[[Sequence[Round]], bool] | None = None,
        let_go_on: bool = False,
    ) -> None:
        """Take up the loop where the run has it.

        Args:
            attempt: of the loop's node.
            begin: gives the items of the rounds that follow those that it is given.
            width: how many rounds may be at work at once; None for what the run has room for.
            fail_fast: whether no round begins after one has failed.
            enough: asked after each round, whether what has come of them will do.
            let_go_on: whether rounds that are at work then go on, and aren't ended.
        """
        self._attempt = attempt
        self._execution: Execution = attempt.execution
        self._loop = attempt.number
        self._width = width or self._execution.definition.workflow.settings.concurrency
        self._fail_fast = fail_fast
        self._enough = enough
        self._let_go_on = let_go_on
        self._over = False
        self._failed = False
        self._open = 0
        self.rounds: list[Round] = []
        state = self._execution.state
        blocks = state.blocks.get(self._loop, {})
        for index in sorted(blocks):
            self.rounds.append(Round(index, self._execution.values.decode(blocks[index].item)))
            if blocks[index].left:
                self._open += 1
            else:
                self._gather(blocks[index])
        self._items = begin(self.rounds)
        self._more = True
        self._done: asyncio.Future[None] | None = None

    @property
    def sleeping(self) -> bool:
        """Whether the loop only waits for its rounds."""
        return self._done is not None and not self._done.done()

    async def all(self) -> list[Round]:
        """Begin rounds until there are no more, and wait for the last; in order.

        Raises:
            Exception: what the items are made from raised; no more rounds begin, and those at work are ended.
        """
        loops = self._execution.loops
        loops[self._loop] = self
        try:
            self._begin()
            self._look()
            if not self._over and (self._open or (self._more and not self._stopped)):
                self._done = self._execution.engine.loop.create_future()
                self._execution.engine.mark(self._execution)  # it may have been the last that did anything
                await self._done
        finally:
            del loops[self._loop]
        return self.rounds

    @property
    def _stopped(self) -> bool:
        return self._failed and self._fail_fast

    def ended(self, block: Block) -> None:
        """A round is over; others take its place."""
        if self.rounds[block.index].ended:
            return  # it was over when the loop was taken up again
        self._open -= 1
        self._gather(block)
        if not self.sleeping:
            return  # it has only just begun, and looks by itself
        assert self._done is not None
        self._look()
        if self._over:
            self._done.set_result(None)
            return
        try:
            self._begin()
        except Exception as error:  # noqa: BLE001  an item that can't be made is the loop's failure
            self._done.set_exception(error)
            return
        if not self._open and (not self._more or self._stopped):
            self._done.set_result(None)

    def _look(self) -> None:
        """Whether it is over though rounds are at work; they are ended in the same breath."""
        if self._over or self._enough is None or not self._enough(self.rounds):
            return
        self._over = True
        blocks = self._execution.state.blocks.get(self._loop, {})
        losers = (
            [] if self._let_go_on else [number for block in blocks.values() if block.left for number in block.numbers]
        )
        if losers:
            message = f"{self._attempt.path} has what it waited for"
            end_instances(self._execution, losers, ev.Reason(group="branch", message=message))

    def _begin(self) -> None:
        execution, values = self._execution, self._execution.values
        path, now = self._attempt.path, execution.engine.now
        while self._more and self._open < self._width and not self._stopped:
            try:
                item = next(self._items)
            except StopIteration:
                self._more = False
                return
            index = len(self.rounds)
            self.rounds.append(Round(index, item))
            self._open += 1
            event = ev.IterationStarted(at=now(), node=path, index=index, item=values.encode(item))
            execution.record(event)
            execution.grow(execution.state.blocks[self._loop][index])

    def _gather(self, block: Block) -> None:
        state, each = self._execution.state, self.rounds[block.index]
        each.ended = True
        if state.failures and self._has_failed(block, each):
            self._failed = True
            return
        sinks = state.topology.bodies[self._loop].for_round(block.index).sinks
        output = self._execution.values.output
        if len(sinks) == 1:  # as most bodies have
            sink = block.base + sinks[0]
            if state.node_status[sink] == COMPLETED:
                each.came, each.value = True, output(sink)
            return
        completed = [place for place in sinks if state.node_status[block.base + place] == COMPLETED]
        each.came = bool(completed)
        if len(sinks) > 1:
            nodes = state.topology.nodes
            each.value = {nodes[block.base + place].id: output(block.base + place) for place in completed}

    def _has_failed(self, block: Block, each: Round) -> bool:
        state = self._execution.state
        for number in block.numbers:
            failed = state.failures.get(number)
            if failed is not None and not failed.port:
                each.error = {
                    "node": state.topology.paths[number],
                    "type": failed.error.type,
                    "message": failed.error.message,
                    "class": failed.error.error_class,
                }
                return True
        return False


def turn(execution: Execution) -> None:
    """Tell loops which of their rounds are over; others take their place."""
    state = execution.state
    while state.finished_blocks:
        finished, state.finished_blocks = state.finished_blocks, []
        for block in finished:
            if (rounds := execution.loops.get(block.loop)) is not None:
                rounds.ended(block)


def round_failed(execution: Execution, number: int) -> None:
    """A node inside a body failed, and nothing there handled it: the rest of its round is ended."""
    state = execution.state
    block = state.block_of[number - state.flat]
    message = f"its round ended: {state.topology.paths[number]} failed"
    end_instances(execution, list(block.numbers), ev.Reason(group="run", message=message))


def end_inside(execution: Execution, loop: int, message: str) -> None:
    """The node of a loop has ended before its rounds: so do they."""
    end_instances(execution, execution.state.inside(loop), ev.Reason(group="run", message=message))


def end_instances(execution: Execution, numbers: list[int], reason: ev.Reason) -> None:
    """End instances that have not ended, with those in loops inside them."""
    state, now = execution.state, execution.engine.now()
    inside = [deeper for number in numbers if number in state.blocks for deeper in state.inside(number)]
    for number in [*numbers, *inside]:
        if state.node_status[number] not in (PENDING, RUNNING, WAITING):
            continue
        attempt = execution.alive.pop(number, None)
        execution.timers.drop(number)
        if execution.claims is not None:
            execution.claims.drop(number)
            execution.claims.give_back(number)
        if attempt is not None:
            attempt.flush(last=True)
            attempt.stop()
            watch(attempt)
        execution.record(ev.NodeCancelled(at=now, node=state.topology.paths[number], reason=reason))
