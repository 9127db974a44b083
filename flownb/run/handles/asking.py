"""What can be asked of a run: the half of the handle that sends commands, wherever the run is at work."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from flownb.errors import InvalidInput, RunError, UsageError
from flownb.model import commands as cmd
from flownb.model.events import VariableSet
from flownb.model.status import ApprovalStatus, PauseReason, RunStatus, VariableScope
from flownb.run.asks import stamped
from flownb.run.control import obey
from flownb.run.engine import engine
from flownb.run.handles.view import RunView
from flownb.run.variables import storable
from flownb.run.waiting.decisions import RERUN, decide, settle_doubt
from flownb.run.waiting.judging import SKIP
from flownb.run.waiting.news import has_news
from flownb.services import masking
from flownb.store import values

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flownb.model.state import RunState
    from flownb.run.executor import Execution
    from flownb.run.handles.approvals import Approvals
    from flownb.run.joining import Continuation
    from flownb.store.contract import Store
    from flownb.store.requests import ApprovalRow

T = TypeVar("T")
#: Commands that leave a mark on a run that rests, and let it rest.
_MARKS: Final = cmd.SetBreakpoint | cmd.ClearBreakpoint | cmd.SetVariable


class Asking(RunView):
    """A run that is asked to pause, to go on, to end; commands go where it is at work, and events come back."""

    def __init__(self, store: Store, state: RunState) -> None:
        super().__init__(store, state)
        #: What carries it on in this process, where its program is at hand.
        self.continuation: Continuation | None = None

    @property
    def continues_here(self) -> bool:
        """Whether its program is at hand in this process."""
        return self.continuation is not None

    def go_on(self, *, retry: bool = False, cause: str = "decided") -> None:
        """Go on here, where its program is at hand."""
        if self.continuation is not None:
            self.continuation.go_on(self, retry=retry, cause=cause)  # type: ignore[arg-type]  # a Run, as all are

    def send(self, command: cmd.Command) -> None:
        """Ask something of the run, wherever it is at work; what comes of it arrives as events."""
        command = stamped(command)
        execution = self._execution
        if execution is not None and not execution.over:
            execution.engine.call(self._hand_over, execution, command)
            return
        owner = self._store.owner_of(self.id)
        if owner is not None and owner[1]:
            self._store.send(self.id, command)
            return
        self._send_to_nobody(command)

    def _hand_over(self, execution: Execution, command: cmd.Command) -> None:
        """Give a command to the execution, on its loop; one that paused while the command was on its way has had it."""
        if not execution.over or execution.state.status is not RunStatus.PAUSED:
            obey(execution, command)
        elif execution.gone:
            with contextlib.suppress(RunError):  # whoever asked has gone on long ago
                self.send(command)
        else:  # the pause is not committed yet
            home = execution.engine
            home.loop.call_later(0.01, self._hand_over, execution, command, context=home.base_context)

    def _send_to_nobody(self, command: cmd.Command) -> None:
        """The run rests: a command that needs no program is carried out here."""
        if self._state.status.ended and not isinstance(command, cmd.Resume | cmd.RetryNode):
            raise UsageError(f"Run {self.id} is {self._state.status}; it can't be asked for that any more.")
        if isinstance(command, cmd.Pause):
            return
        if isinstance(command, cmd.RetryNode | cmd.SkipNode | cmd.Signal | cmd.Step | _MARKS):
            self._store.send(self.id, command)  # whoever takes the run up obeys it first
        if isinstance(command, _MARKS):
            return
        if isinstance(command, cmd.Signal):
            if self.continuation is not None and self._state.pause_reason is PauseReason.EVENT:
                self.resume()
            return
        if isinstance(command, cmd.Resume | cmd.RetryNode | cmd.SkipNode | cmd.Step):
            self.resume()
            return
        if self.continuation is None:
            raise UsageError(
                f"Run {self.id} rests and its program is not at hand here; `flownb resume {self.id}` goes on with it."
            )
        self.go_on(cause="command")
        self.send(command)

    def pause(self) -> None:
        """Start nothing more; nodes in flight end first. Returns at once."""
        self.send(cmd.Pause())

    def resume(self) -> Self:
        """Go on after a pause or a failure; failed nodes start again. Returns at once, with the same run.

        Raises:
            UsageError: the run is final, or its program is not at hand here.
        """
        if self._state.status in (RunStatus.COMPLETED, RunStatus.CANCELLED):
            raise UsageError(f"Run {self.id} is {self._state.status}; that is final.")
        execution = self._execution
        if execution is not None and not execution.over:
            self.send(cmd.Resume())
            return self
        if self.continuation is None:
            from flownb.run.hooks import hook

            resume = hook("resume")
            if resume is None:
                raise UsageError(f"The program of run {self.id} is not at hand here; use `flownb resume {self.id}`.")
            resume(self)
            return self
        self.go_on(retry=True, cause="command")
        return self

    def cancel(self) -> None:
        """End the run; nodes in flight are asked to stop. Returns at once."""
        self.send(cmd.Cancel(by="you"))

    def retry(self, node: str) -> None:
        """Start a failed node again, with what was skipped because of it; or one that is in doubt after a crash."""
        _ = self[node]
        if not self._settle_doubt(node, RERUN):
            self.send(cmd.RetryNode(node=node))

    def skip(self, node: str) -> None:
        """End a node as skipped."""
        _ = self[node]
        if not self._settle_doubt(node, SKIP):
            self.send(cmd.SkipNode(node=node))

    def _settle_doubt(self, node: str, port: str) -> bool:
        now = engine().now()
        return self._answering(
            lambda: settle_doubt(self._store, self._state, node, port, at=now), lambda settled: settled
        )

    def decide(
        self, approval_id: str, port: str | None = None, *, data: Any = None, comment: str = "", by: str = ""
    ) -> ApprovalRow:
        """Answer what the run asks; it goes on by itself where its program is at hand, else by `flownb resume`.

        Args:
            approval_id: as `run.approvals` and `flownb approvals` list it.
            port: one of the answers that the request offers; its usual one by default, as `approved`.
            data: what comes with it: the fields of its form, data that were changed, or the value of a node in doubt
                that had completed.
            comment: a word for the record.
            by: the name that the one who answers gives; the user of the operating system is recorded beside it.

        Returns the request as it stands then; it may wait for more votes.

        Raises:
            NotFound: the run has no such request.
            InvalidInput: it has no such port, the data don't fit, or this person may not answer.
            Conflict: it was answered before; the message says by whom and when.
        """
        store, run, now = self._store, self.id, engine().now()
        return self._answering(
            lambda: decide(store, run, approval_id, port=port, at=now, claim=by, data=data, comment=comment),
            lambda row: row.status != ApprovalStatus.PENDING,
        )

    @property
    def approvals(self) -> Approvals:
        """What the run asks people and has asked them, oldest first; each can be looked at and answered."""
        from flownb.run.handles.approvals import Approval, Approvals

        rows = self._store.approvals(run=self.id, pending=False)
        return Approvals(Approval(self._store, row, self.decide) for row in rows)

    def _answering(self, answer: Callable[[], T], is_over: Callable[[T], bool]) -> T:
        """Give an answer; the run goes on where it rests here, and else its owner hears of it.

        Args:
            answer: gives it.
            is_over: whether what came of it is the end of the question.
        """
        home = engine().house
        rests = home.take_rest(self._store, self.id)
        try:
            found = answer()
        except BaseException:
            if rests is not None:
                home.rest(rests)
            raise
        if rests is None and not self._may_go_on_here():
            home.look_soon(self._store)
        elif rests is None:
            self.go_on()
        elif is_over(found) or has_news(self._store, self._state):
            self.expect_news()
            home.wake(rests)
        else:  # more votes are needed
            home.rest(rests)
        return found

    def expect_news(self) -> None:
        """The run, which rests, is about to go on: who asks for its status is told so from now on."""

    def _may_go_on_here(self) -> bool:
        """Whether the run rests, though nobody waits here for its answer, and can go on: as in a headless notebook."""
        execution = self._execution
        rests = self._state.status is RunStatus.PAUSED and (execution is None or execution.gone)
        return rests and self.continues_here and has_news(self._store, self._state)

    def step(self) -> None:
        """Run one node of a run that rests or halts, and halt again."""
        self.send(cmd.Step(by="you"))

    def breakpoint(self, node: str, *, on: bool = True) -> None:
        """Halt before a node, or no more; inside a loop before each instance of it, or at one as `each[3].clean`.

        Raises:
            NotFound: no such node.
        """
        known = {each.id for each in self._state.topology.workflow.nodes}
        if node not in known:
            _ = self[node]
        self.send((cmd.SetBreakpoint if on else cmd.ClearBreakpoint)(node=node, by="you"))

    def signal(self, name: str, value: Any = None) -> None:
        """Hand a named value to the nodes that wait for it; without one it is kept for the next that asks.

        Raises:
            InvalidInput: the name is no text, or the value has no stored form.
            UsageError: the run has ended.
        """
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"The name of a signal is text, not {name!r:.60}.", name="name")
        stored = values.store(value, self._store.artifacts)
        if stored.transient:
            raise InvalidInput(
                f"The signal {name!r} can't carry a {type(value).__name__}: it is journaled, and that has no stored "
                "form.",
                name=name,
            )
        self.send(cmd.Signal(name=name, value=stored.plain, by="you"))

    def set(self, name: str, value: Any, *, scope: str = VariableScope.RUN) -> None:
        """Give a variable a value; a run that rests finds it when it goes on.

        Args:
            name: which; one that the flow declares is held to its type.
            value: anything that has a stored form.
            scope: `run`, or `workflow`: runs of the workflow that start later begin with it, too.

        Raises:
            InvalidInput: the name is no text, or the value has no stored form or another type.
            UsageError: there is no such scope, or the run has ended and so has no variables to set.
        """
        if scope not in list(VariableScope):
            raise UsageError(f"The scope of a variable is 'run' or 'workflow', not {scope!r:.40}.")
        declared = {each.name: each for each in self._state.topology.workflow.variables}
        plain = storable(declared, self._store.artifacts, name, value)
        if scope == VariableScope.WORKFLOW and not self._is_at_work():
            # No owner will commit it soon, and it is not about this run alone.
            event = VariableSet(at=engine().now(), name=name, value=plain, scope=scope, by="you")
            self._store.set_variable(self.workflow, masking.known.struct(event) if masking.known is not None else event)
            if self._state.status.ended:
                return
            scope = VariableScope.RUN
        self.send(cmd.SetVariable(name=name, value=plain, scope=scope, by="you"))

    def fork(self, *, at: int | None = None, set: Mapping[str, Any] | None = None) -> Self:  # noqa: A002  the word for it
        """Go back to an event and on from there as another run, with something changed; this run stays as it is.

        What had ended by then is not done again, but for what depends on something that is changed. What was in flight
        starts anew, under keys of its own.

        Args:
            at: the number of the event, as `run.events()` has it; by default the newest.
            set: values by the name of a variable, an input or a node (for which it is the output; an `Output` chooses
                ports as well).

        Raises:
            InvalidInput: there is no such event, nothing of such a name, or a value doesn't fit.
            UsageError: its program is not at hand here.
        """
        from flownb.run.handles.forking import fork_here

        made: Self = fork_here(self, self.continuation, at, set or {})
        return made

    def continues_by(self, continuation: Continuation | None) -> None:
        """The run rests; this carries it on here."""
        self.continuation = continuation

    @property
    def is_at_work_here(self) -> bool:
        """Whether it has an execution in this process that is not over."""
        return self._execution is not None and not self._execution.over

    def _is_at_work(self) -> bool:
        """Whether somebody has the run who commits what it is sent."""
        if self._execution is not None and not self._execution.over:
            return True
        owner = self._store.owner_of(self.id)
        return owner is not None and owner[1]
